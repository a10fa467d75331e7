"""Decides by recorded values which weights belong where, when names and shapes leave a choice.

The new model is run on the original's input. Place after place, in the order in which it calls its modules, the module
of the original is looked for that was given the same values. Where several were given the same (query, key and
value), that order of them is taken with which most modules are given what the original gave to its own. A place is
decided if every order that does as well gives it the same module: what a module returns shows how its weights are
stored, but never that it stands where it belongs. What names and shapes were sure of is held against the values, too,
and settled anew where they speak against it. How rows are ordered that are cut, joined or rotated, what follows tells:
each way is tried (`ways.py`). Where all outputs come out as the original's, everything that takes part in them is right.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from add_model.errors import AddModelError
from add_model.porting.checkpoints.checkpoint import Checkpoint
from add_model.porting.checkpoints.concepts import meaning
from add_model.porting.checkpoints.units import Unit
from add_model.porting.conversion.plan import NewWeights
from add_model.porting.recording.file import Recording
from add_model.porting.rules.operations import Operation, Transpose
from add_model.porting.suggestion.found import Found, Pairs
from add_model.porting.suggestion.recorded import same
from add_model.porting.suggestion.rotated import is_rotated
from add_model.porting.suggestion.trial import Trial
from add_model.porting.suggestion.ways import Heads, Way, heads_of, ways_of

# More orders are not tried: all of six modules, or of four where their input tells nothing.
_MOST_ORDERS, _MOST_BLIND_ORDERS = 720, 24
# So often what the values speak against is settled anew.
_MOST_ROUNDS = 4
DECIDED = "decided by the recorded values"
CONTRADICTED = "the recorded values speak against it"


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
    heads = heads_of(getattr(model, "config", None), new.rotates)
    return _Decision(pairs, Trial(checkpoint, model.eval(), recording), heads).made()


class _Decision:
    """A decision under way: what is filled with what, and what the model says to it."""

    def __init__(self, pairs: Pairs, trial: Trial, heads: Heads) -> None:
        self._pairs, self._trial, self._heads = pairs, trial, heads
        self._found = list(pairs.found)
        self._modules: dict[str, dict[str, Unit]] = {}
        for number in range(len(self._found)):
            self._fill(number)

    def made(self) -> Pairs:
        """The pairs, with what the recorded values say."""
        for _ in range(_MOST_ROUNDS):
            decided = [] if self._trial.agrees() else self._settle_all()
            for only_unsure in (True, False):
                if not self._trial.agrees():
                    self._choose_ways(only_unsure)
            if self._trial.agrees():
                self._confirm()
                return replace(self._pairs, found=tuple(self._found), outputs_agree=True)
            self._certify(decided)
            open_before = [bool(found.unsure) for found in self._found]
            self._hold_against_the_values()
            if open_before == [bool(found.unsure) for found in self._found]:
                break
        return replace(self._pairs, found=tuple(self._found))

    def _settle_all(self) -> list[int]:
        """Settles the places that are not sure; returns the numbers of what was found for those that are decided."""
        places = self._places()
        open_places = {place.path: place for place in places}
        for path in list(self._trial.run()):
            if path in open_places:
                for settled in self._settle(open_places[path], list(open_places.values())):
                    del open_places[settled.path]
        return [number for place in places if place.is_decided for number in place.found.values()]

    def _choose_ways(self, only_unsure: bool) -> None:
        """Takes of the ways in which a weight may be stored the one with which more comes out as in the original."""
        order = {path: rank for rank, path in enumerate(self._trial.run())}
        groups = [(numbers, ways) for numbers, ways in ways_of(self._found, self._heads) if not only_unsure or any(self._found[number].unsure for number in numbers)]  # fmt: skip
        groups.sort(key=lambda group: order.get(_module_of(self._found[group[0][0]].targets[0]), len(order)))
        for numbers, ways in groups:
            reached = [self._reached_by(way) for way in ways]
            best = max(range(len(ways)), key=lambda rank: reached[rank][0])
            rivals = [rank for rank, (_, perhaps) in enumerate(reached) if perhaps >= reached[best][0]]
            is_clear = all(self._are_the_same(ways[best], ways[rank]) for rank in rivals)
            for number in numbers:
                found = ways[best if is_clear else 0].found[number]
                is_news = is_clear and (bool(found.unsure) or best > 0)
                self._found[number] = replace(found, unsure="", note=DECIDED) if is_news else found
                self._fill(number)

    def _are_the_same(self, one: Way, other: Way) -> bool:
        return all(self._trial.are_the_same(found, other.found[number]) for number, found in one.found.items())

    def _reached_by(self, way: Way) -> tuple[int, int]:
        for found in way.found.values():
            self._trial.fill(found)
        return self._trial.reached()

    def _confirm(self) -> None:
        """Makes sure, where the outputs agree, what takes part in them; the rest could be anything."""
        for number, found in enumerate(self._found):
            if found.unsure:
                self._trial.disturb(found)
                takes_part = self._trial.is_far()
                self._fill(number)
                if takes_part:
                    self._found[number] = replace(found, unsure="", note=DECIDED)

    def _places(self) -> list[_Place]:
        """The modules of the new model of which a weight is not sure, each filled from one module of the original."""
        wanted: dict[str, dict[str, int]] = {}
        for number, found in enumerate(self._found):
            if len(found.sources) == len(found.targets) == 1 and not found.is_collected:
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
        seen = self._trial.run()
        given = seen[place.path].given
        alike = [other for other in others if other.kind == place.kind and other.path in seen]
        peers = [other for other in alike if same(seen[other.path].given, given)]
        sources = [other.source for other in alike if other.source in self._trial.old]
        fitting = [source for source in sources if same(self._trial.old[source].given, given)]
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
            reached[order] = self._trial.reached()
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
        self._trial.fill(self._found[number])

    def _certify(self, decided: Sequence[int]) -> None:
        """Makes those sure whose place is decided, and that do to their input what the original did to it."""
        by_what_follows = self._told_by_what_follows()
        for number in decided:
            found = self._found[number]
            if not found.unsure or number in by_what_follows:
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

    def _told_by_what_follows(self) -> set[int]:
        """What is told by what is done with it: a module with its rows in another order returns them in another order."""
        return {number for numbers, _ in ways_of(self._found, self._heads) for number in numbers if not _is_square(self._found[number]) or is_rotated(self._found[number].targets[0])}  # fmt: skip

    def _does_the_same(self, found: Found) -> bool:
        old, new = (
            self._trial.old.get(_module_of(found.sources[0])),
            self._trial.run().get(_module_of(found.targets[0])),
        )
        if len(found.sources) != 1 or len(found.targets) != 1 or found.is_collected:
            # What is fused on one side returns something else there.
            return True
        if old is None or new is None:
            return False
        return same(new.returned, old.returned)

    def _hold_against_the_values(self) -> None:
        """Takes back what names and shapes were sure of, up to the first place where the values go apart."""
        by_what_follows = self._told_by_what_follows()
        held: dict[str, list[int]] = {}
        for number, found in enumerate(self._found):
            for unit in found.targets:
                held.setdefault(_module_of(unit), []).append(number)
        together: list[str] = []
        for path, seen in self._trial.run().items():
            old = self._trial.old.get(_module_of(self._found[held[path][0]].sources[0])) if path in held else None
            if old is None:
                continue
            if not same(seen.given, old.given):
                # Of those that were given the same before, one does what another should; or this place is another's.
                doubtful = [number for suspect in together for number in held[suspect]]
                is_explained = len(together) > 1 or any(self._found[number].unsure for number in doubtful)
                self._doubt(doubtful if is_explained else [*held[path], *self._given_to(seen.given)])
                return
            together = [suspect for suspect in together if same(self._trial.run()[suspect].given, seen.given)] + [path]
            misfits = [number for number in held[path] if number not in by_what_follows and not self._does_the_same(self._found[number])]  # fmt: skip
            if misfits:
                self._doubt(misfits)
                return

    def _given_to(self, given: torch.Tensor) -> list[int]:
        """What was found for the weights whose module in the original was given these values."""
        modules = {path for path, seen in self._trial.old.items() if same(seen.given, given)}
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
