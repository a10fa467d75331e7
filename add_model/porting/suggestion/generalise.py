"""From the names of units to patterns with places for the numbers of layers, or to single names where none would do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from add_model.porting.checkpoints.units import Indices, Unit
from add_model.porting.rules.pattern import Pattern

Patterns = tuple[Pattern, ...]
# The place of what is collected from each layer.
_COLLECTED = "expert"


def patterns_for(
    sources: Sequence[Unit], targets: Sequence[Unit], old_names: Sequence[str]
) -> Iterator[tuple[Patterns, Patterns]]:
    """The patterns of `from` and `to` for units that belong together, layer by layer in the order of the numbers.

    One pair of patterns says it for all layers, where the numbers of both sides follow from each other and the
    patterns match nothing else in the checkpoint; otherwise each layer gets names of its own.
    """
    general = _general(sources, targets)
    if general is not None and _is_exact(general[0], sources, old_names):
        yield general
        return
    old_indices, new_indices = _outer(sources[0], targets[0]), sorted(targets[0].names)
    for old, new in zip(old_indices, new_indices, strict=True):
        yield (
            tuple(_in_layer(unit, old) for unit in sources),
            tuple(Pattern(unit.names[new]) for unit in targets),
        )


def _outer(source: Unit, target: Unit) -> list[Indices]:
    """The numbers of layers in the checkpoint, without those of what is collected in each."""
    depth = len(next(iter(target.names)))
    return sorted({numbers[:depth] for numbers in source.names})


def _in_layer(unit: Unit, numbers: Indices) -> Pattern:
    """The name in one layer, with a place for what is collected in it."""
    if numbers in unit.names:
        return Pattern(unit.names[numbers])
    text = unit.template
    for number in numbers:
        text = text.replace("#", str(number), 1)
    return Pattern(text.replace("#", f"{{{_COLLECTED}}}"))


def _general(sources: Sequence[Unit], targets: Sequence[Unit]) -> tuple[Patterns, Patterns] | None:
    old_indices, new_indices = _outer(sources[0], targets[0]), sorted(targets[0].names)
    depth = len(old_indices[0])
    names = _place_names(targets[0].template, depth)
    places = []
    for level in range(depth):
        old_numbers = [indices[level] for indices in old_indices]
        new_numbers = [indices[level] for indices in new_indices]
        place = _linear(names[level], old_numbers, new_numbers)
        if place is None:
            return None
        places.append(place)
    inner = len(next(iter(sources[0].names))) - depth
    old_patterns = [_written(unit, [*places, *[f"{{{_COLLECTED}}}"] * inner]) for unit in sources]
    new_patterns = [_written(unit, [f"{{{name}}}" for name in names]) for unit in targets]
    if None in old_patterns or None in new_patterns:
        return None
    return tuple(filter(None, old_patterns)), tuple(filter(None, new_patterns))


def _place_names(template: str, depth: int) -> list[str]:
    names: list[str] = []
    for before in template.split("#")[:depth]:
        name = "expert" if re.search(r"experts?[./_]?$", before) else "layer"
        names.append(name if name not in names else f"{name}{len(names) + 1}")
    return names


def _linear(name: str, old: Sequence[int], new: Sequence[int]) -> str | None:
    """How the old numbers are written in terms of the new ones; `None` where they do not lie on a line."""
    first, last = (old[0], new[0]), (old[-1], new[-1])
    factor = 1
    if last[1] != first[1]:
        factor, remainder = divmod(last[0] - first[0], last[1] - first[1])
        if remainder or factor < 1:
            return None
    offset = first[0] - factor * first[1]
    if any(left != factor * right + offset for left, right in zip(old, new, strict=True)):
        return None
    return "{" + (f"{factor}*" if factor != 1 else "") + name + (f"{offset:+d}" if offset else "") + "}"


def _written(unit: Unit, places: Sequence[str]) -> Pattern | None:
    """The unit's template with these places, zeros before small numbers included."""
    for width in ("", ":02", ":03", ":04"):
        text = unit.template
        for place in places:
            text = text.replace("#", place[:-1] + width + "}", 1)
        pattern = Pattern(text)
        if all(pattern.match(name) is not None for name in unit.names.values()):
            return pattern
    return None


def _is_exact(patterns: Patterns, units: Sequence[Unit], old_names: Sequence[str]) -> bool:
    for pattern, unit in zip(patterns, units, strict=True):
        # Its own names it matches already.
        wanted = set(unit.names.values())
        ending = pattern.text.rpartition("}")[2]
        others = [name for name in old_names if name.endswith(ending) and name not in wanted]
        if any(pattern.match(name) is not None for name in others):
            return False
    return True
