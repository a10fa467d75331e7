"""The new model, filled with what was found so far, and run on the original's input."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import nn

from add_model.errors import AddModelError
from add_model.porting.checkpoints.checkpoint import Checkpoint
from add_model.porting.model.subject import FAILURES
from add_model.porting.recording.file import Recording
from add_model.porting.suggestion.found import Found
from add_model.porting.suggestion.recorded import (
    NOISE,
    Seen,
    apart,
    inputs_for,
    note,
    outputs_of,
    returned_by,
    seen_by,
)


class Trial:
    """The new model under trial; `old` is what each module of the original was given and returned."""

    def __init__(self, checkpoint: Checkpoint, model: nn.Module, recording: Recording) -> None:
        self.old = dict(seen_by(recording))
        self._checkpoint, self._model, self._recording = checkpoint, model, recording
        self._outputs = outputs_of(recording)
        self._inputs = inputs_for(model, recording)
        self._parameters = {**dict(model.named_parameters(remove_duplicate=False)), **dict(model.named_buffers())}
        self._seen: dict[str, Seen] | None = None
        self._returned: list[torch.Tensor] = []

    def fill(self, found: Found) -> None:
        """Fills the model with one of what was found."""
        self._seen = None
        with torch.no_grad():
            for name, tensor in self._made(found):
                self._parameters[name].copy_(tensor)

    def are_the_same(self, one: Found, other: Found) -> bool:
        """Whether the model is filled with the same values by both."""
        left, right = dict(self._made(one)), dict(self._made(other))
        return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)

    def _made(self, found: Found) -> Iterator[tuple[str, torch.Tensor]]:
        for read, filled in found.moves():
            tensors = [self._checkpoint.read(name) for name in read]
            for operation in found.operations:
                tensors = operation.apply(tensors)
            yield from zip(filled, tensors, strict=True)

    def disturb(self, found: Found) -> None:
        """Fills what was found with something else, of the same size; to be filled again."""
        self._seen = None
        with torch.no_grad():
            for name in (name for unit in found.targets for name in unit.names.values()):
                values = self._parameters[name]
                if values.is_floating_point():
                    other = values.roll(1, 0) if values.dim() else values
                    values.copy_(other if not torch.equal(other, values) else 1.5 * values + 0.1)

    def run(self) -> dict[str, Seen]:
        """What every module without modules in it is given and returns, in the order of the calls."""
        if self._seen is not None:
            return self._seen
        seen: dict[str, Seen] = {}
        handles = []
        for path, module in self._model.named_modules():
            if not any(True for _ in module.children()):
                handles.append(module.register_forward_hook(note(path, seen), with_kwargs=True))
        try:
            with torch.no_grad():
                self._returned = list(returned_by(self._model(**self._inputs)))
        except FAILURES as error:
            said = " ".join(str(error).split())
            raise AddModelError(f"{self._recording.path}: {type(self._model).__name__} cannot be run on what was recorded ({said}); record one plain forward pass of the original") from error  # fmt: skip
        finally:
            for handle in handles:
                handle.remove()
        self._seen = seen
        return seen

    def reached(self) -> tuple[int, int]:
        """How much comes out as in the original, what modules are given and what is returned; and how much perhaps."""
        known = [seen.given for seen in self.old.values()]
        far = [min((apart(seen.given, given) for given in known), default=math.inf) for seen in self.run().values()]
        far += [distance for distance in self._distances() if distance is not None]
        return sum(distance <= 1 for distance in far), sum(distance <= NOISE for distance in far)

    def agrees(self) -> bool:
        """Whether the new model returns what the original did, as far as it returns anything of that shape."""
        distances = [distance for distance in self._distances() if distance is not None]
        return bool(distances) and max(distances) <= 1

    def is_far(self) -> bool:
        """Whether something that the new model returns is clearly not what the original did."""
        return any(distance is not None and distance > NOISE for distance in self._distances())

    def _distances(self) -> list[float | None]:
        """How far the nearest of what is returned is from each output of the original; `None` where none has its shape."""
        self.run()
        returned = [tensor for tensor in self._returned if tensor.is_floating_point()]
        alike = [[tensor for tensor in returned if tensor.shape == output.shape] for output in self._outputs]
        return [min((apart(tensor, output) for tensor in tensors), default=None) for tensors, output in zip(alike, self._outputs, strict=True)]  # fmt: skip
