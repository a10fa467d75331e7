"""Units that have one name on both sides, where most have: one code comes from the other, or the weights from the code."""

from __future__ import annotations

from collections.abc import Sequence

from add_model.porting.checkpoints.units import Unit

# So many of the modules around everything may be another wrapper on each side.
_MOST_WRAPPERS = 3
# From so large a share of the smaller side on, equal names are no coincidence.
_MOST_OF_THEM = 0.5


def named_alike(old: Sequence[Unit], new: Sequence[Unit]) -> list[tuple[int, int]]:
    """The pairs of numbers of units with one name and one shape, but for a wrapper; none where few have one name."""
    best: list[tuple[int, int]] = []
    for old_wrapper in _wrappers(old):
        for new_wrapper in _wrappers(new):
            found = _equal(old, new, old_wrapper, new_wrapper)
            if len(found) > len(best):
                best = found
    return best if len(best) > max(2, _MOST_OF_THEM * min(len(old), len(new))) else []


def _wrappers(units: Sequence[Unit]) -> list[str]:
    """Nothing, and the modules that most units lie in, each with what parts it from the rest."""
    found = [""]
    for unit in (units[0], units[-1]) if units else ():
        for parent in unit.parents[::-1][:_MOST_WRAPPERS]:
            wrapper = parent + unit.template[len(parent)]
            inside = sum(other.template.startswith(wrapper) for other in units)
            if "#" not in wrapper and wrapper not in found and inside > _MOST_OF_THEM * len(units):
                found.append(wrapper)
    return found


def _equal(old: Sequence[Unit], new: Sequence[Unit], old_wrapper: str, new_wrapper: str) -> list[tuple[int, int]]:
    columns = {_key(unit, new_wrapper): column for column, unit in enumerate(new)}
    return [(row, columns[key]) for row, unit in enumerate(old) if (key := _key(unit, old_wrapper)) in columns]


def _key(unit: Unit, wrapper: str) -> tuple[object, ...]:
    # What lies outside the wrapper, such as a head, has its whole name. A number means another thing where others are
    # beside it: of `ln_0` and `ln_1` the second is what is the first of `ln_1` and `ln_2`.
    return unit.template.removeprefix(wrapper), unit.reading.removeprefix(wrapper), unit.shape, tuple(unit.names)
