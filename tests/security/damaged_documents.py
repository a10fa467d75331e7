"""Documents as they are, but for one thing or a few: what somebody's editor, a bad disk or an attacker makes of them."""

import copy
import math
import random
from collections.abc import Callable
from typing import Any

# What a value may be instead: of every kind, too large, too small, no number, no path, nothing.
_OTHERS: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: True,
    lambda: 0,
    lambda: -1,
    lambda: 10**9,
    lambda: 2**63,
    lambda: 10**400,
    lambda: 1.5,
    lambda: math.nan,
    lambda: math.inf,
    lambda: "",
    lambda: "\0",
    lambda: "../../etc",
    lambda: "/dev/zero",
    lambda: "x" * 5000,
    lambda: "{a*}{b*}{c*}.weight",
    lambda: "\ud800",
    list,
    dict,
    lambda: [None],
    lambda: [[[[[]]]]],
    lambda: {"key": "tensor.000000", "dtype": "F32"},
    lambda: _deep(200),
)


def damaged(document: Any, seed: int, times: int = 1) -> Any:
    """A document with something dropped, doubled, renamed, retyped or moved, once or several times."""
    generator = random.Random(seed)
    document = copy.deepcopy(document)
    for _ in range(generator.randint(1, times)):
        document = _damaged(document, generator)
    return document


def _damaged(document: Any, generator: random.Random) -> Any:
    places = list(_places(document))
    if not places:
        return generator.choice(_OTHERS)()
    # Every kind of place as often as the others, however many of it there are.
    depth = generator.choice(sorted({depth for _, _, depth in places}))
    holder, key, _ = generator.choice([place for place in places if place[2] == depth])
    change = generator.choice(("drop", "retype", "retype", "retype", "double", "rename", "number", "move"))
    if change == "drop":
        del holder[key]
    elif change == "double" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif change == "rename" and isinstance(holder, dict):
        holder[f"{key}x"] = holder.pop(key)
    elif change == "number" and type(holder[key]) is int:
        holder[key] += generator.choice((-1, 1, 1000))
    elif change == "move":
        other, other_key, _ = generator.choice(places)
        if other_key in other if isinstance(other, dict) else other_key < len(other):
            holder[key] = copy.deepcopy(other[other_key])
    else:
        holder[key] = generator.choice(_OTHERS)()
    return document


def _places(value: Any, depth: int = 0) -> Any:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield value, key, depth
        if depth < 20:
            yield from _places(inner, depth + 1)


def _deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value
