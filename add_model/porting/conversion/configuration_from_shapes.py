"""Reads sizes of a configuration off the shapes of a checkpoint, where they leave no doubt.

What a value of the configuration does to shapes is found out by building the model, without values, with another one.
Only tables and vectors are looked at, which nobody transposes, and only those that both sides name alike. What no
shape shows, such as the number of attention heads, keeps its default.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from add_model.errors import AddModelError
from add_model.porting.checkpoints.concepts import Meaning, meaning
from add_model.porting.checkpoints.formats import Weight
from add_model.porting.checkpoints.units import Unit, find_units
from add_model.porting.conversion.plan import new_weights
from add_model.porting.model.subject import Subject

_Key = tuple[frozenset[str], str, int]
# What of a unit a value may decide: one of its sizes, or how many layers it is in.
_Spot = tuple[_Key, int]
_COUNT = -1


@dataclass(frozen=True)
class Derived:
    """What shapes say about a configuration.

    Attributes:
        values: key -> the value that the shapes show.
        unseen: the keys of sizes that no shape shows, with their defaults.
    """

    values: Mapping[str, int]
    unseen: Mapping[str, int]


def derive(
    subject: Subject, class_name: str | None, old: Mapping[str, Weight], keys: Collection[str], words: Collection[str]
) -> Derived:
    """Reads what it can off the shapes of a checkpoint.

    Args:
        subject: the new model.
        class_name: the class to fill.
        old: the weights of the checkpoint.
        keys: the keys of the model's own configuration.
        words: words that name a model, and say nothing about a weight.
    """
    defaults = {key: value for key, value in vars(subject.configure({})).items() if key in keys and _is_size(key, value)}  # fmt: skip
    before = _sizes(subject, class_name, defaults, {}, words)
    found = _by_meaning(find_units(old), words)
    values: dict[str, int] = {}
    seen: set[str] = set()
    for key, default in defaults.items():
        # Sizes may have to be multiples of each other: twice as much is one of what it was.
        after = _sizes(subject, class_name, defaults, {key: 2 * default}, words)
        votes = set()
        for spot, size in before.items():
            # A part of a size may be fixed, such as the first rows of a table.
            if spot not in after or after[spot] - size != default:
                continue
            seen.add(key)
            shown = _size_at(found, spot)
            if shown is not None and shown - (size - default) > 0:
                votes.add(shown - (size - default))
        if len(votes) == 1:
            values[key] = votes.pop()
    changed = {key: value for key, value in values.items() if value != defaults[key]}
    return Derived(changed, {key: value for key, value in defaults.items() if key not in seen})


def _is_size(key: str, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0 and not key.endswith("_id")


def _sizes(
    subject: Subject, class_name: str | None, defaults: Mapping[str, int], changed: Mapping[str, int], words: Collection[str]
) -> dict[_Spot, int]:  # fmt: skip
    """Every size of every unit that tells, in a model with these values."""
    try:
        model = subject.build(subject.configure(dict(changed)), class_name)
    except AddModelError:
        # A value that the model refuses tells nothing.
        return {}
    units = find_units(new_weights(model).weights)
    return {(key, spot): size for key, unit in _by_meaning(units, words).items() for spot, size in _spots(unit)}


def _spots(unit: Unit) -> Iterator[tuple[int, int]]:
    yield from enumerate(unit.shape)
    if next(iter(unit.names)):
        yield _COUNT, len(unit.names)


def _by_meaning(units: Collection[Unit], words: Collection[str]) -> dict[_Key, Unit]:
    """The tables and vectors among units, by what their names mean, where no two of them mean the same."""
    found: dict[_Key, list[Unit]] = {}
    for unit in units:
        says = meaning(unit.template, words)
        if len(unit.shape) == 1 or _is_table(unit, says):
            found.setdefault((says.concepts, says.role, len(unit.shape)), []).append(unit)
    return {key: alike[0] for key, alike in found.items() if len(alike) == 1 and key[0]}


def _is_table(unit: Unit, says: Meaning) -> bool:
    return len(unit.shape) == 2 and "EMBEDDING" in says.concepts


def _size_at(units: Mapping[_Key, Unit], spot: _Spot) -> int | None:
    key, place = spot
    unit = units.get(key)
    if unit is None:
        return None
    return dict(_spots(unit)).get(place)
