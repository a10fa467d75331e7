"""What is used of a checkpoint, but may be no more than a part of a weight: other parts are left beside it.

A direction has its length beside it (`weight_v`, `weight_g`), what is quantised its scale (`weight`, `weight_scale`),
what is adapted its adapter (`base_layer.weight`, `lora_A.weight`), what is pruned its mask (`weight_orig`,
`weight_mask`). No list of names would be complete; that something is left of the module shows it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from add_model.porting.checkpoints.concepts import meaning, words_of
from add_model.porting.checkpoints.units import parents_of
from add_model.porting.suggestion.found import Found

# Under these names a module keeps its only weight, whatever it calls the rest.
_ONLY_WEIGHT = frozenset(("weight", "kernel"))


def with_doubts(found: Sequence[Found], left: Collection[str]) -> Iterator[Found]:
    """What was found; unsure where weights of the same module are left, of which it may be one part.

    Args:
        found: what was found.
        left: the weights of the checkpoint that nothing was found for.
    """
    if not left:
        yield from found
        return
    inside: dict[str, list[str]] = defaultdict(list)
    for name in sorted(left):
        if meaning(name).role != "bias":
            for module in parents_of(name):
                inside[module].append(name)
    for pair in found:
        others = {other for unit in pair.sources for name in unit.names.values() for other in _parts_beside(name, pair, inside)}  # fmt: skip
        if not others or pair.unsure:
            yield pair
        else:
            yield replace(pair, unsure=f"it may be one part of a weight, and {min(others)} another: put them together first")  # fmt: skip


def _parts_beside(name: str, pair: Found, inside: dict[str, list[str]]) -> Iterator[str]:
    module, *around = parents_of(name) or [""]
    first = _first_word(name)
    for other in inside.get(module, ()):
        if parents_of(other)[0] == module and first in (_first_word(other), *_ONLY_WEIGHT):
            yield other
    # A wrapper has the name of the module in it: what it adds belongs to the weight.
    targets = {_last(parents_of(unit.template)[0]) for unit in pair.targets if parents_of(unit.template)}
    if around and _last(around[0]) in targets and _last(module) not in targets:
        yield from inside.get(around[0], ())


def _first_word(name: str) -> str:
    return next(iter(words_of(_last(name))), "")


def _last(name: str) -> str:
    return re.split(r"[./]", name)[-1]
