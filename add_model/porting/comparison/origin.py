"""Where a difference begins: the first place from which it is never made good again on the way to the output.

From the outputs that differ, the way leads back along the flow of values, from each value that differs to those that it was
computed from; where all of those agree, a difference begins. What differs beside that way was made good: it is arranged
differently, and decides nothing.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from add_model.porting.comparison.alignment import Alignment
from add_model.porting.comparison.arrangement import Arrangement
from add_model.porting.comparison.differences import rounding
from add_model.porting.comparison.measuring import Row
from add_model.porting.recording.file import Call, Recording, tensors_of

# A difference that is this many times the largest before it was made here, and not handed on; one that is less than so
# many times what rounding made is not even handed on.
_LEAP, _HANDED_ON = 8.0, 2.0


class Origin:
    """The places of a comparison along the flow of values.

    Args:
        rows: the places, in the order of the new model's run.
        alignment: the pairs of calls.
        new: the new model's recording.
        arrangement: tells which differences are ones of arrangement.

    Attributes:
        differing: the places that differ by more than rounding, in their order, those that compute nothing aside.
        noise: what rounding made of the values at most.
    """

    def __init__(self, rows: Sequence[Row], alignment: Alignment, new: Recording, arrangement: Arrangement) -> None:
        self._new, self._arrangement, self._alike = new, arrangement, alignment.alike
        self.noise = 0.0
        self._last = math.inf
        self.differing: list[Row] = []
        self._differs: set[int] = set()
        self._outputs: dict[str, list[Row]] = defaultdict(list)
        self._inputs: dict[str, list[Row]] = defaultdict(list)
        self._without_mask: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            second = row.records[1]
            is_idle = row.new.index in alignment.idle
            if is_idle and row.side == "output":
                continue
            self._judge(row)
            if second is None:
                self._without_mask[row.new.index].append(row)
            else:
                (self._outputs if row.side == "output" else self._inputs)[second.key].append(row)

    def _judge(self, row: Row) -> None:
        found = row.difference.relative
        most = max(row.noise, rounding("F32") if row.noise == 0 else 0.0, _LEAP * self.noise)
        # Behind a difference that is hardly more than rounding, what is hardly less is still the same one.
        most = min(most, max(_HANDED_ON * self.noise, self._last / _LEAP))
        if row.is_cut or found > most:
            self.differing.append(row)
            self._differs.add(id(row))
            self._last = found
        else:
            self.noise = max(self.noise, found)

    def first(self, starts: Sequence[Row]) -> Row | None:
        """The place at which the difference begins that the given ones, which differ, come from."""
        while True:
            row, seen = self._first(starts)
            if row is None or row in starts or not self._is_arranged_elsewhere(row, seen):
                return row
            # As it is made good in the other layers, it would be here.
            self._differs.discard(id(row))

    def _is_arranged_elsewhere(self, row: Row, seen: set[int]) -> bool:
        """Whether the same place of another layer differs too, and everything behind it agrees."""
        same = (each for each in self.differing if each is not row and _kind(each) == _kind(row))
        return any(id(each) not in seen and each.time < row.time and self._counts(each) for each in same)

    def _first(self, starts: Iterable[Row]) -> tuple[Row | None, set[int]]:
        seen: set[int] = set()
        waiting, begins = list(starts), []
        while waiting:
            row = waiting.pop()
            if id(row) in seen:
                continue
            seen.add(id(row))
            before = [each for each in self._sources(row) if self._counts(each)]
            waiting += before
            if not before:
                begins.append(row)
        return min(begins, key=lambda row: row.time, default=None), seen

    def _counts(self, row: Row) -> bool:
        """Whether a place differs, and not by its arrangement alone."""
        return id(row) in self._differs and not self._arrangement.explains(row)

    def _sources(self, row: Row) -> Iterator[Row]:
        """The places that hold what the value at a place was computed from."""
        second = row.records[1]
        if second is None:
            return
        if not self._new.flow:
            yield from (each for each in self.differing if each.time < row.time)
            return
        made = self._made(second.key, row.time)
        if row.side == "output":
            if made:
                yield from made
                return
            yield from self._masks_missing(row.new)
            keys = self._new.flow.get(second.key) or [record.key for _, record in tensors_of(dict(row.new.inputs))]
            yield from self._holding(keys, row.new, row.time)
            return
        around = None if row.new.parent is None else self._new.calls[row.new.parent]
        given = self._given(second.key, around)
        if given or made:
            yield from given or made
            return
        yield from self._holding(self._new.flow.get(second.key, ()), around, row.time)

    def _holding(self, keys: Iterable[str], around: Call | None, time: int) -> Iterator[Row]:
        """The places of values, seen from inside a call: where it was given them, else where they were made, else where
        others were given them; of a value at no place, those of what it was computed from."""
        seen, waiting = set(keys), list(keys)
        while waiting:
            key = waiting.pop()
            made = self._made(key, time)
            taken = [row for row in self._inputs[key] if row.time < time]
            rows = self._given(key, around) or made
            # Where others were given it, one place that agrees says that the value is the original's.
            if not rows and taken:
                rows = [] if any(not self._counts(row) for row in taken) else taken[:1]
            if rows or taken:
                yield from rows
                continue
            more = [each for each in self._new.flow.get(key, ()) if each not in seen]
            seen.update(more)
            waiting += more

    def _made(self, key: str, time: int) -> list[Row]:
        """Where a value was returned last: by a submodule that is as large as its counterpart, if there is one."""
        made = [row for row in self._outputs[key] if row.time < time]
        return ([row for row in made if row.new.index in self._alike] or made)[-1:]

    def _given(self, key: str, around: Call | None) -> list[Row]:
        """Where the innermost of the calls around that was given a value was given it."""
        while around is not None:
            rows = [row for row in self._inputs[key] if row.new.index == around.index]
            if rows:
                return rows
            around = None if around.parent is None else self._new.calls[around.parent]
        return []

    def _masks_missing(self, call: Call | None) -> Iterator[Row]:
        """The masks that the original's counterparts of a call and of those around it were given, and these were not."""
        while call is not None:
            yield from self._without_mask[call.index]
            call = None if call.parent is None else self._new.calls[call.parent]


def _kind(row: Row) -> tuple[str, str, str]:
    """A place, whichever layer it is in."""
    return re.sub(r"\d+", "#", row.new.path), row.side, row.name
