"""Decides by recorded values which weights belong where, when names and shapes leave a choice.

The new model is run on the original's input. Place after place, in the order in which it calls its modules, the module
of the original is looked for that was given the same values. Where several were given the same (query, key and
value), that order of them is taken with which most modules are given what the original gave to its own. A place is
decided if every order that does as well gives it the same module: what a module returns shows how its weights are
stored, but never that it stands where it belongs. What names and shapes were sure of is held against the values, too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from add_model.errors import AddModelError
from add_model.porting.checkpoints.checkpoint import Checkpoint
from add_model.porting.checkpoints.concepts import meaning
from add_model.porting.checkpoints.units import Unit
from add_model.porting.conversion.plan import NewWeights
from add_model.porting.model.subject import FAILURES
from add_model.porting.recording.file import Recording, TensorRecord, tensors_of
from add_model.porting.rules.operations import Operation, Transpose
from add_model.porting.suggestion.found import Found, Pairs

# More orders are not tried: all of six modules, or of four where their input tells nothing.
_MOST_ORDERS, _MOST_BLIND_ORDERS = 720, 24
_RELATIVE, _ABSOLUTE = 1e-3, 1e-4
# What agrees but for so many times the rounding that is allowed might be rounding as well.
_NOISE = 3.0
DECIDED = "decided by the recorded values"
CONTRADICTED = "the recorded values speak against it"


@dataclass(frozen=True)
class _Seen:
    """What a module was given and what it returned, the first time it was called."""

    given: torch.Tensor
    returned: torch.Tensor


_Module = Mapping[str, Unit]


@dataclass
class _Place:
    """A module of the new model, in every layer, and the module of the original that fills it.

    Attributes:
        path: its path in the first layer.
        found: role (`weight`, `bias`) -> the number of what was found for it.
        kind: what has to be equal for two places to change their sources.
        source: the path of the original's module, in the first layer.
        is_decided: whether the values allow no other source.
    """

    path: str
    found: Mapping[str, int]
    kind: tuple[object, ...]
    source: str
    is_decided: bool = False


def decide(pairs: Pairs, checkpoint: Checkpoint, new: NewWeights, model: nn.Module, recording: Recording) -> Pairs:
    """Settles what is not sure about pairs, as far as the recording allows; the rest stays as it is.

    Args:
        pairs: what names and shapes say.
        checkpoint: the original's weights, open.
        new: what has to be filled.
        model: the new model on the CPU, which is filled.
        recording: a forward pass of the original with these weights.

    Raises:
        AddModelError: the new model cannot be run on what was recorded, or the recording is of another model.
    """
    paths = {call.path for call in recording.calls}
    if not any(_module_of(unit) in paths for found in pairs.found for unit in found.sources):
        raise AddModelError(f"{recording.path}: none of its modules has a name that the checkpoint's weights have; record the model that this checkpoint was saved from, as it names its modules")  # fmt: skip
    return _Decision(pairs, checkpoint, new, model.eval(), recording).made()


class _Decision:
    """A decision under way: what is filled with what, and what the model says to it."""

    def __init__(
        self, pairs: Pairs, checkpoint: Checkpoint, new: NewWeights, model: nn.Module, recording: Recording
    ) -> None:
        self._pairs, self._checkpoint, self._model, self._recording = pairs, checkpoint, model, recording
        self._found = list(pairs.found)
        self._old = dict(_seen_by(recording))
        self._inputs = _inputs_for(model, recording)
        self._parameters = {**dict(model.named_parameters(remove_duplicate=False)), **dict(model.named_buffers())}
        self._modules: dict[str, dict[str, Unit]] = {}
        self._seen: dict[str, _Seen] | None = None
        for number in range(len(self._found)):
            self._fill(number)

    def made(self) -> Pairs:
        """The pairs, with what the recorded values say."""
        places = self._places()
        open_places = {place.path: place for place in places}
        for path in list(self._run()):
            if path in open_places:
                for settled in self._settle(open_places[path], list(open_places.values())):
                    del open_places[settled.path]
        self._certify([number for place in places if place.is_decided for number in place.found.values()])
        self._hold_against_the_values()
        return replace(self._pairs, found=tuple(self._found))

    def _places(self) -> list[_Place]:
        """The modules of the new model of which a weight is not sure, each filled from one module of the original."""
        wanted: dict[str, dict[str, int]] = {}
        for number, found in enumerate(self._found):
            if len(found.sources) == len(found.targets) == 1:
                wanted.setdefault(_module_of(found.targets[0]), {})[_role(found.targets[0])] = number
        wanted = {path: numbers for path, numbers in wanted.items() if any(self._found[number].unsure for number in numbers.values())}  # fmt: skip
        for numbers in wanted.values():
            for number in numbers.values():
                unit = self._found[number].sources[0]
                self._modules.setdefault(_module_of(unit), {})[_role(unit)] = unit
        free = dict.fromkeys(self._modules)
        places = []
        for path, numbers in wanted.items():
            kind = _kind({role: self._found[number].sources[0] for role, number in numbers.items()})
            sources = [_module_of(self._found[number].sources[0]) for number in numbers.values()]
            fitting = [
                source for source in (*sources, *free) if source in free and _kind(self._modules[source]) == kind
            ]
            if fitting:
                del free[fitting[0]]
                places.append(_Place(path, numbers, kind, fitting[0]))
        for place in places:
            self._change(place)
        return places

    def _settle(self, place: _Place, others: Sequence[_Place]) -> list[_Place]:
        """Gives a place, and those that are given the same values, the sources that fit best; returns all of them."""
        seen = self._run()
        given = seen[place.path].given
        alike = [other for other in others if other.kind == place.kind and other.path in seen]
        peers = [other for other in alike if _same(seen[other.path].given, given)]
        sources = [other.source for other in alike if other.source in self._old]
        fitting = [source for source in sources if _same(self._old[source].given, given)]
        most = _MOST_ORDERS
        if not fitting:
            # The original's module is given something else, such as a length instead of numbers of positions.
            fitting, most = sources, _MOST_BLIND_ORDERS
        if not fitting or len(fitting) < len(peers) or math.perm(len(fitting), len(peers)) > most:
            return [place]
        best = self._best_orders(peers, alike, list(itertools.permutations(fitting, len(peers))))
        self._assign(peers, best[0], alike)
        for number, peer in enumerate(peers):
            peer.is_decided = len({order[number] for order in best}) == 1
        return peers

    def _best_orders(
        self, peers: Sequence[_Place], alike: Sequence[_Place], orders: Sequence[tuple[str, ...]]
    ) -> list[tuple[str, ...]]:
        """The order of sources that does best, and after it those that may do as well."""
        before = [other.source for other in alike]
        reached: dict[tuple[str, ...], tuple[int, int]] = {}
        for order in orders:
            self._assign(peers, order, alike)
            reached[order] = self._reached()
            for other, source in zip(alike, before, strict=True):
                other.source = source
        best = max(orders, key=lambda order: reached[order][0])
        return [best, *(order for order in orders if order != best and reached[order][1] >= reached[best][0])]

    def _assign(self, peers: Sequence[_Place], order: Sequence[str], alike: Sequence[_Place]) -> None:
        """Fills places; those that lose their source get what becomes free."""
        free = [peer.source for peer in peers if peer.source not in order]
        for other in alike:
            if other not in peers and other.source in order:
                other.source = free.pop()
        for peer, source in zip(peers, order, strict=True):
            peer.source = source
        for other in alike:
            self._change(other)

    def _change(self, place: _Place) -> None:
        for role, number in place.found.items():
            unit = self._modules[place.source][role]
            if self._found[number].sources != (unit,):
                self._found[number] = replace(self._found[number], sources=(unit,))
                self._fill(number)

    def _fill(self, number: int) -> None:
        """Fills the model with one of the found."""
        self._seen = None
        found = self._found[number]
        for old, new in zip(sorted(found.sources[0].names), sorted(found.targets[0].names), strict=True):
            tensors = [self._checkpoint.read(unit.names[old]) for unit in found.sources]
            for operation in found.operations:
                tensors = operation.apply(tensors)
            with torch.no_grad():
                for unit, tensor in zip(found.targets, tensors, strict=True):
                    self._parameters[unit.names[new]].copy_(tensor)

    def _run(self) -> dict[str, _Seen]:
        """What every module without modules in it is given and returns, in the order of the calls."""
        if self._seen is not None:
            return self._seen
        seen: dict[str, _Seen] = {}
        handles = []
        for path, module in self._model.named_modules():
            if not any(True for _ in module.children()):
                handles.append(module.register_forward_hook(_note(path, seen), with_kwargs=True))
        try:
            with torch.no_grad():
                self._model(**self._inputs)
        except FAILURES as error:
            said = " ".join(str(error).split())
            raise AddModelError(f"{self._recording.path}: {type(self._model).__name__} cannot be run on what was recorded ({said}); record one plain forward pass of the original") from error  # fmt: skip
        finally:
            for handle in handles:
                handle.remove()
        self._seen = seen
        return seen

    def _reached(self) -> tuple[int, int]:
        """How many modules are given what a module of the original was given; and how many perhaps."""
        known = [seen.given for seen in self._old.values()]
        apart = [
            min((_apart(seen.given, given) for given in known), default=math.inf) for seen in self._run().values()
        ]
        return sum(far <= 1 for far in apart), sum(far <= _NOISE for far in apart)

    def _certify(self, decided: Sequence[int]) -> None:
        """Makes those sure whose place is decided, and that do to their input what the original did to it."""
        for number in decided:
            found = self._found[number]
            if not found.unsure:
                continue
            # Only what comes out tells which way round a square matrix is.
            ways = [found.operations, _turned(found.operations)] if _is_square(found) else [found.operations]
            for operations in ways:
                self._found[number] = replace(found, operations=operations)
                self._fill(number)
                if self._does_the_same(found):
                    self._found[number] = replace(found, operations=operations, unsure="", note=DECIDED)
                    break
            else:
                self._found[number] = found
                self._fill(number)

    def _does_the_same(self, found: Found) -> bool:
        old, new = self._old.get(_module_of(found.sources[0])), self._run().get(_module_of(found.targets[0]))
        if len(found.sources) != 1 or len(found.targets) != 1:
            # What is fused on one side returns something else there.
            return True
        if old is None or new is None:
            return False
        return _same(new.returned, old.returned)

    def _hold_against_the_values(self) -> None:
        """Takes back what names and shapes were sure of, up to the first place where the values go apart."""
        held: dict[str, list[int]] = {}
        for number, found in enumerate(self._found):
            for unit in found.targets:
                held.setdefault(_module_of(unit), []).append(number)
        together: list[str] = []
        for path, seen in self._run().items():
            old = self._old.get(_module_of(self._found[held[path][0]].sources[0])) if path in held else None
            if old is None:
                continue
            if not _same(seen.given, old.given):
                # Of those that were given the same before, one does what another should; or this place is another's.
                doubtful = [number for suspect in together for number in held[suspect]]
                is_explained = len(together) > 1 or any(self._found[number].unsure for number in doubtful)
                self._doubt(doubtful if is_explained else [*held[path], *self._given_to(seen.given)])
                return
            together = [suspect for suspect in together if _same(self._run()[suspect].given, seen.given)] + [path]
            misfits = [number for number in held[path] if not self._does_the_same(self._found[number])]
            if misfits:
                self._doubt(misfits)
                return

    def _given_to(self, given: torch.Tensor) -> list[int]:
        """What was found for the weights whose module in the original was given these values."""
        modules = {path for path, seen in self._old.items() if _same(seen.given, given)}
        return [number for number, found in enumerate(self._found) if _module_of(found.sources[0]) in modules]

    def _doubt(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            found = self._found[number]
            self._found[number] = replace(found, unsure=found.unsure or CONTRADICTED, note="")


def _is_square(found: Found) -> bool:
    shape = found.sources[0].shape
    return len(shape) == 2 and shape[0] == shape[1]


def _turned(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    turn = Transpose(0, 1)
    return tuple(step for step in operations if step != turn) if turn in operations else (*operations, turn)


def _module_of(unit: Unit) -> str:
    """The path of a unit's module in the first layer."""
    return unit.names[min(unit.names)].rpartition(".")[0]


def _role(unit: Unit) -> str:
    return meaning(unit.template).role


def _kind(module: _Module) -> tuple[object, ...]:
    return tuple(sorted((role, unit.shape, tuple(unit.names)) for role, unit in module.items()))


def _note(path: str, seen: dict[str, _Seen]) -> Any:
    def hook(module: nn.Module, positional: tuple[Any, ...], keywords: dict[str, Any], output: Any) -> None:
        given = next((value for value in (*positional, *keywords.values()) if isinstance(value, torch.Tensor)), None)
        returned = output[0] if isinstance(output, tuple) else output
        if path not in seen and given is not None and isinstance(returned, torch.Tensor):
            seen[path] = _Seen(given.detach().clone(), returned.detach().clone())

    return hook


def _seen_by(recording: Recording) -> Iterator[tuple[str, _Seen]]:
    """What each module of the original was given and returned first, as far as it was stored as a whole."""
    known: set[str] = set()
    for call in recording.calls:
        given = [record for _, record in tensors_of(call.inputs) if record.rows is None]
        returned = [record for _, record in tensors_of(call.outputs) if record.rows is None]
        if call.path and call.path not in known and given and returned:
            known.add(call.path)
            yield call.path, _Seen(recording.values(given[0]), recording.values(returned[0]))


def _inputs_for(model: nn.Module, recording: Recording) -> Mapping[str, torch.Tensor]:
    """The input of the original, under the new model's names for it."""
    import inspect

    names = list(inspect.signature(model.forward).parameters)
    inputs: dict[str, torch.Tensor] = {}
    given = [(name, record) for name, record in tensors_of(recording.root.inputs) if _is_whole(record)]
    for name, record in given:
        if name in names:
            inputs[name] = recording.values(record)
    if names[0] not in inputs:
        tokens = [record for name, record in given if record.dtype.startswith(("I", "U")) and name not in inputs]
        if not tokens:
            raise AddModelError(f"{recording.path}: holds no input for {type(model).__name__}; record the original with input ids")  # fmt: skip
        inputs[names[0]] = recording.values(tokens[0]).long()
    return inputs


def _is_whole(record: TensorRecord) -> bool:
    return record.rows is None


def _same(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Whether two tensors hold the same values, but for rounding and for whether texts or tokens come first."""
    return _apart(left, right) <= 1


def _apart(left: torch.Tensor, right: torch.Tensor) -> float:
    """How far apart two tensors are: up to 1, as far as rounding may take them."""
    if left.dim() == right.dim() == 3 and left.shape != right.shape:
        left = left.transpose(0, 1)
    left, right = left.squeeze(), right.squeeze()
    if left.shape != right.shape:
        return math.inf
    if not left.is_floating_point() or not left.numel():
        return 0.0 if torch.equal(left, right) else math.inf
    right = right.to(left.dtype)
    # Measured by the largest value, so that small ones are not the same because they are small.
    allowed = _RELATIVE * right.abs() + _ABSOLUTE * right.abs().max()
    difference = (left - right).abs()
    return float(torch.where(difference == 0, 0.0, difference / allowed).nan_to_num(nan=math.inf).max())
