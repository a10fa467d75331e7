"""Weights that have an adapter of low rank beside them: the two of it are merged into what they adapt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from add_model.porting.checkpoints.formats import Weight
from add_model.porting.checkpoints.units import Unit
from add_model.porting.rules.changing import Merge
from add_model.porting.suggestion.found import Found

_ADAPTER = re.compile(r"(?P<module>.+)\.lora_(?P<part>[AB])(\.(?P<name>[^.]+))?\.weight")
UNKNOWN_SCALE = "one part of a weight is its adapter, and no adapter_config.json says what that is multiplied by: lora_alpha divided by the rank"  # fmt: skip


@dataclass(frozen=True)
class Adapters:
    """The adapters of a checkpoint.

    Attributes:
        of: the name of an adapted weight -> the names of its `lora_A` and its `lora_B`.
        weights: everything of them.
    """

    of: Mapping[str, tuple[str, str]]
    weights: Mapping[str, Weight]


def find_adapters(weights: Mapping[str, Weight]) -> Adapters:
    """The adapters that have the weight that they adapt beside them; of several for one weight none."""
    parts: dict[str, dict[str, list[str]]] = {}
    for name in weights:
        found = _ADAPTER.fullmatch(name)
        if found is not None:
            parts.setdefault(found["module"], {}).setdefault(found["part"], []).append(name)
    of = {}
    for module, both in parts.items():
        adapted = next((name for name in (f"{module}.base_layer.weight", f"{module}.weight") if name in weights), None)
        if adapted is not None and sorted(map(len, both.values())) == [1, 1] and _fits(weights, adapted, both):
            of[adapted] = (both["A"][0], both["B"][0])
    return Adapters(of, {name: weights[name] for both in of.values() for name in both})


def _fits(weights: Mapping[str, Weight], adapted: str, both: Mapping[str, list[str]]) -> bool:
    down, up = weights[both["A"][0]].shape, weights[both["B"][0]].shape
    return len(down) == len(up) == 2 and (up[0], down[1]) == weights[adapted].shape and down[0] == up[1]


def merged(found: Sequence[Found], adapters: Adapters, scale: float | None) -> Iterator[Found]:
    """What was found, with the adapters merged into the weights that have them in every layer."""
    for pair in found:
        names = [name for unit in pair.sources for name in unit.names.values()]
        if not any(name in adapters.of for name in names):
            yield pair
            continue
        units = _beside(pair, adapters) if len(pair.sources) == 1 and not pair.is_collected else None
        if units is None:
            yield replace(pair, unsure=pair.unsure or "some of what it takes has an adapter: merge that first")
            continue
        unsure = pair.unsure or (UNKNOWN_SCALE if scale is None else "")
        step = Merge(1.0 if scale is None else scale)
        yield replace(pair, sources=(*pair.sources, *units), operations=(step, *pair.operations), unsure=unsure)


def _beside(pair: Found, adapters: Adapters) -> tuple[Unit, Unit] | None:
    """The units of the two weights of an adapter, layer by layer as those of the weight that it adapts."""
    adapted = pair.sources[0].names
    if not all(name in adapters.of for name in adapted.values()):
        return None
    units = []
    for number in range(2):
        names = [adapters.of[name][number] for name in adapted.values()]
        weights = {adapters.weights[name] for name in names}
        if len(weights) != 1:
            return None
        template = _template(pair.sources[0], next(iter(adapted.values())), names[0])
        units.append(Unit(template, template, dict(zip(adapted, names, strict=True)), weights.pop(), 0))
    return units[0], units[1]


def _template(unit: Unit, name: str, other: str) -> str:
    """The template of a name that begins as another does."""
    module = re.sub(r"(\.base_layer)?\.weight$", "", unit.template)
    return module + other[len(re.sub(r"(\.base_layer)?\.weight$", "", name)) :]
