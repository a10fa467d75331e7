"""Dropout that is active where the original's is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from add_model.porting.comparison.diagnosis.scene import Example, Scene
from add_model.porting.recording.file import Call, Recording

if TYPE_CHECKING:
    import torch
    from torch import nn


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    return {"dense": nn.Linear(6, 6), "dropout": nn.Dropout(0.5), "last": nn.Linear(6, 6)}


def _train(parts: Any) -> None:
    parts.dropout.train()


def _drop(states: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    return functional.dropout(states, 0.3)


class DropoutActive:
    """Values are dropped at random: in training mode, or because `training` was not passed on."""

    name = "dropout active"
    remedy = "call model.eval() before the run, and pass training=self.training to functional dropout"
    examples = (
        Example(_parts, lambda m, x: m.last(m.dropout(m.dense(x))), None, _train),
        Example(_parts, lambda m, x: m.last(m.dense(x)), lambda m, x: m.last(_drop(m.dense(x)))),
        Example(_parts, lambda m, x: m.dense(x) @ x.mT, lambda m, x: _drop(m.dense(x).softmax(-1)) @ x.mT),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether random numbers were drawn at the place, in one run or in both, and by no submodule inside it."""
        place = scene.place
        runs = (
            (scene.new, place.new, scene.found, scene.target),
            (scene.original, place.original, scene.target, scene.found),
        )
        # What draws in both and is not training, does so whatever comes of it.
        drew_both = place.new.drew_random and place.original is not None and place.original.drew_random
        for recording, call, dropped, exact in runs:
            if call is None or not call.drew_random:
                continue
            whose = "the new model's" if recording is scene.new else "the original's"
            where = (
                f"{call.path or 'the model'} of {whose} run, in {'training' if call.training else 'evaluation'} mode,"
            )
            if dropped.is_floating_point() and _is_dropped(dropped, exact):
                return f"{where} drops elements and scales the others"
            if _is_by_chance(recording, call) and (call.training or not drew_both):
                return f"{where} drew random numbers, so that no two runs agree"
        return None


def _is_by_chance(recording: Recording, call: Call) -> bool:
    """Whether it was the call itself that drew, and not to decide which of a stack's layers to leave out in training."""
    inside = [each for each in recording.calls if each.parent == call.index]
    is_stack = any(each.path.rpartition(".")[2].isdigit() for each in inside)
    return not any(each.drew_random for each in inside) and (call.training or not is_stack)


def _is_dropped(found: torch.Tensor, target: torch.Tensor) -> bool:
    """Whether some elements are zero and all others the original's by one factor above 1."""
    kept = found != 0
    if bool(kept.all()) or not bool(kept.any()) or not bool((target[~kept] != 0).any()):
        return False
    ratios = found[kept].double() / target[kept].double()
    ratio = float(ratios.median())
    return ratio > 1 and bool(((ratios - ratio).abs() <= 1e-3 * ratio).double().mean() > 0.99)
