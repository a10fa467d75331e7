"""Query and key of a model with rotary positions: their rows are stored as the original pairs them, which no shape shows.

Some code bases turn each even row of a head together with the odd one behind it, as the paper writes it
(https://arxiv.org/abs/2104.09864, equation 34); others the rows of a head's first half with those of its second.
"""

from __future__ import annotations

import re
from dataclasses import replace

from add_model.porting.checkpoints.concepts import meaning
from add_model.porting.checkpoints.units import Unit
from add_model.porting.suggestion.found import Found

DOUBT = "query and key are rotated, and the names do not say whether the original pairs their rows in turn or in halves: in turn needs { rotary = HEADS }"  # fmt: skip
_ROTATED = frozenset(("QUERY", "KEY", "FUSED", "PAIR"))


def with_doubt_of_rotation(pair: Found) -> Found:
    """What was found for a model that rotates; unsure where it is query or key, unless the modules are called alike."""
    if pair.unsure or not any(is_rotated(unit) for unit in pair.targets):
        return pair
    if len(pair.sources) == len(pair.targets) == 1 and _modules(pair.sources[0]) == _modules(pair.targets[0]):
        return pair
    return replace(pair, unsure=DOUBT)


def is_rotated(unit: Unit) -> bool:
    """Whether a unit of such a model is turned: query or key, alone or with others, and no norm of them."""
    concepts = meaning(unit.reading).concepts
    return bool(concepts & _ROTATED) and not concepts & {"CROSS", "NORM"}


def _modules(unit: Unit) -> list[str]:
    """The names of the attention, and of the module in it."""
    return re.split(r"[./]", unit.parents[0])[-2:] if unit.parents else []
