"""What a comparison says, as plain values: rows for a table, and one document for scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from add_model.porting.comparison.comparing import Comparison, Place
from add_model.porting.comparison.diagnosis import Cause
from add_model.porting.comparison.measuring import Row

EQUAL, WITHIN, DIFFERS, ARRANGED = "equal", "within", "differs", "arranged"
# So many places are named of those that are arranged differently for one reason.
_MOST_NAMES = 3


@dataclass(frozen=True)
class Line:
    """One place, as it is shown.

    Attributes:
        path: the submodule of the new model; "" for the model itself.
        place: the submodule, and what of it.
        side: "input" or "output".
        original: the original's submodule, where it has another name.
        depth: how many submodules are around it.
        largest, mean, relative: the differences.
        verdict: "equal" up to rounding, "within" the tolerance, "arranged" in another way though everything behind it
            agrees, or "differs".
        first: whether the difference begins here.
    """

    path: str
    place: str
    side: str
    original: str
    depth: int
    largest: float
    mean: float
    relative: float
    verdict: str
    first: bool


def lines(comparison: Comparison) -> list[Line]:
    """Every place, from the first to the last."""
    first = comparison.place.row if comparison.place is not None else None
    arranged = {id(each.row) for each in comparison.arranged}
    return [_line(comparison, row, row is first, id(row) in arranged) for row in comparison.rows]


def outline(every: Sequence[Line], most: int) -> list[Line]:
    """The places that fit into so many lines: what the outermost submodules return, and the first that differs with
    those around it."""
    returned = [each for each in every if each.side == "output"]
    depth = max((limit for limit in range(12) if sum(each.depth <= limit for each in returned) <= most), default=0)
    begins = next((number for number, each in enumerate(every) if each.first), None)
    return [
        each
        for number, each in enumerate(every)
        if (each.side == "output" and each.depth <= depth) or (begins is not None and abs(number - begins) <= 2)
    ]


def place_in_words(place: Place) -> str:
    """Where the difference begins."""
    name = place.path or "the model itself"
    if place.before is not None:
        return f"in forward of {name} ({place.new.class_name}), before it calls {place.before.path}"
    return f"in {name} ({place.new.class_name})"


def summary(comparison: Comparison) -> str:
    """The result in one line."""
    count = len(comparison.rows)
    verdict = "equal" if comparison.passed else "different"
    if comparison.faults and not comparison.passed:
        return f"{verdict}: {'; '.join(comparison.faults)}"
    sign = "<=" if comparison.passed else ">"
    return f"{verdict}: largest difference {comparison.largest:.2g} {sign} {comparison.tolerance:g} in {count} places"


def arranged(comparison: Comparison) -> list[str]:
    """What is to be said of places that are arranged differently and decide nothing, a line each."""
    said = [f"arranged differently: {layout}" for layout in comparison.layouts]
    places = {_name_of(each.row): each.reason for each in comparison.arranged}
    by_reason: dict[str, list[str]] = {}
    for name, reason in places.items():
        by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        said.append(f"arranged differently: {', '.join(names[:_MOST_NAMES])}{more}: {reason}")
    return said


def _name_of(row: Row) -> str:
    other = f" ({row.original.path})" if row.original.path != row.new.path else ""
    return f"{row.new.path or 'the model'}{other}"


def missing_output(comparison: Comparison) -> str | None:
    """What is to be said of places that are equal, but end before the new model's output does."""
    names = ", ".join(name for name in comparison.unreached if name)
    if not comparison.passed or not comparison.unreached:
        return None
    if comparison.outputs and comparison.unrecorded is None:
        return None  # The original's outputs are all that it could be held against.
    if comparison.unrecorded is not None:
        return f"the new model's output is not among them: of what it returns, {comparison.unrecorded}, nothing is recorded; let it return tensors, in a tuple, a mapping or a dataclass"  # fmt: skip
    return (
        f"the new model's output is not among them{f': {names}' if names else ''}; record it of the original as well"
    )


def within_rounding(comparison: Comparison) -> str | None:
    """What is to be said of places that differ, though none by more than rounding makes of such numbers."""
    differ = [row for row in comparison.rows if row.difference.largest > comparison.tolerance]
    if comparison.passed or comparison.place is not None or comparison.faults or not differ:
        return None
    kinds = ", ".join(sorted({row.records[0].dtype for row in differ}))  # fmt: skip
    return f"no difference is more than rounding makes of {kinds}; record both in float32 to see where it begins"


def unweighed(comparison: Comparison) -> str | None:
    """What is to be said of calls that were left without a counterpart because there are too many of them."""
    count = comparison.alignment.unweighed
    if not count:
        return None
    return f"{count} calls were not held against all that they could belong to, as there are too many; name the weights' correspondence with --rules, or record fewer calls"  # fmt: skip


def document(comparison: Comparison, cause: Cause | None, untested: str | None = None) -> dict[str, Any]:
    """Everything, as JSON; `untested` is what kept some causes from being tested."""
    place = comparison.place
    return {
        "passed": comparison.passed,
        "tolerance": comparison.tolerance,
        "largest": comparison.largest,
        "summary": summary(comparison),
        "outputs": [
            {
                "name": output.name,
                "counterpart": output.counterpart_name,
                "shapes": [list(each.shape) for each in (output.record, output.counterpart) if each is not None],
                "largest": None if output.difference is None else output.difference.largest,
                "passed": output.is_within(comparison.tolerance),
            }
            for output in comparison.outputs
        ],
        "arranged": [
            {"path": each.row.new.path, "side": each.row.side, "reason": each.reason} for each in comparison.arranged
        ],
        "layouts": list(comparison.layouts),
        "unreached": list(comparison.unreached),
        "first": None
        if place is None
        else {
            "path": place.path,
            "original": None if place.original is None else place.original.path,
            "before": None if place.before is None else place.before.path,
            "description": place_in_words(place),
            "largest": place.row.difference.largest,
        },
        "cause": None
        if cause is None
        else {"name": cause.name, "explanation": cause.explanation, "remedy": cause.remedy},
        "untested": untested,
        # JSON has no infinity: nothing is as many times as large as nothing.
        "rows": [
            {**_shown(line), "relative": line.relative if math.isfinite(line.relative) else None}
            for line in lines(comparison)
        ],
        "unmatched": {
            "original": [call.path for call in comparison.alignment.only_original],
            "new": [call.path for call in comparison.alignment.only_new],
            "unweighed": comparison.alignment.unweighed,
        },
    }


def _shown(line: Line) -> dict[str, Any]:
    return {name: value for name, value in vars(line).items() if name != "path"}


def _line(comparison: Comparison, row: Row, first: bool, is_arranged: bool) -> Line:
    name = f" {row.name}" if row.name and not row.name.isdigit() and row.name != row.side else ""
    found = row.difference
    if row.is_cut or found.largest > comparison.tolerance:
        verdict = ARRANGED if is_arranged else DIFFERS
    else:
        verdict = EQUAL if found.relative <= row.noise else WITHIN
    return Line(
        path=row.new.path,
        place=f"{row.new.path or 'model'} {row.side}{name}",
        side=row.side,
        original=row.original.path if row.original.path != row.new.path else "",
        depth=row.new.path.count(".") + (1 if row.new.path else 0),
        largest=found.largest,
        mean=found.mean,
        relative=found.relative,
        verdict=verdict,
        first=first,
    )
