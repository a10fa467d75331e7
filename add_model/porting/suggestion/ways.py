"""The other ways in which a weight may be stored that no shape tells apart: what a recording can choose from.

A way is for all weights that were stored by one hand: the weight and the bias of a fused module, query and key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from add_model.porting.checkpoints.concepts import meaning
from add_model.porting.checkpoints.units import Unit
from add_model.porting.rules.operations import Concatenate, Operation, Reshape, Split, Transpose
from add_model.porting.rules.rearranging import Rotary
from add_model.porting.suggestion.found import Found
from add_model.porting.suggestion.rotated import is_rotated

_HEADS = ("num_attention_heads", "num_key_value_heads", "n_head", "num_heads", "encoder_attention_heads", "decoder_attention_heads")  # fmt: skip
_PARTS = ("QUERY", "KEY", "VALUE")
# Each is tried in a run of the model.
_MOST_WAYS = 64


@dataclass(frozen=True)
class Heads:
    """What a configuration says of attention: the numbers of heads that occur, the rows of one, and how many of them are
    rotated, if not all."""

    numbers: tuple[int, ...]
    sizes: tuple[int, ...]
    rows: int | None = None
    rotates: bool = False


@dataclass(frozen=True)
class Way:
    """One way: what is found instead, by the number of what was found."""

    found: Mapping[int, Found]


def heads_of(config: Any, rotates: bool) -> Heads:
    """What a configuration, or those inside it, say of attention."""
    numbers: dict[int, None] = {}
    sizes: dict[int, None] = {}
    rows = None
    parts = [config, *(value for value in vars(config).values() if hasattr(value, "to_dict"))] if config else []
    for part in parts:
        counts = [number for key in _HEADS if isinstance(number := getattr(part, key, None), int) and number > 0]
        numbers.update(dict.fromkeys(counts))
        size = getattr(part, "head_dim", None) or (getattr(part, "hidden_size", 0) // counts[0] if counts else 0)
        if size:
            sizes[size] = None
        parameters = getattr(part, "rope_parameters", None)
        share = parameters.get("partial_rotary_factor") if isinstance(parameters, dict) else None
        share = share or getattr(part, "rotary_pct", None)
        rows = getattr(part, "rotary_dim", None) or (int(size * share) if share and share < 1 else rows)
    return Heads(tuple(numbers), tuple(sizes), rows, rotates)


def ways_of(found: Sequence[Found], heads: Heads) -> Iterator[tuple[list[int], list[Way]]]:
    """What belongs together, and the ways in which it may be stored; the first is the one that was found."""
    together: dict[tuple[str, ...], list[int]] = {}
    for number, pair in enumerate(found):
        key = _key(pair, heads)
        if key is not None:
            together.setdefault(key, []).append(number)
    for numbers in together.values():
        offered = [list(_offered(found[number], heads))[:_MOST_WAYS] for number in numbers]
        if len({len(ways) for ways in offered}) == 1 and len(offered[0]) > 1:
            yield numbers, [Way(dict(zip(numbers, ways, strict=True))) for ways in zip(*offered, strict=True)]


def _key(pair: Found, heads: Heads) -> tuple[str, ...] | None:
    fused = pair.sources[0] if len(pair.sources) == 1 else pair.targets[0]
    concepts = {word for unit in (*pair.sources, *pair.targets) for word in meaning(unit.reading).concepts}
    if len(pair.sources) > 1 or len(pair.targets) > 1 or "FUSED" in concepts or concepts >= {"GATE", "UP"}:
        return ("fused", *fused.parents[:1])
    if heads.rotates and is_rotated(pair.targets[0]) and not pair.operations:
        return ("rotated", *pair.targets[0].parents[1:2])
    return ("square", pair.targets[0].template) if _is_square(pair) else None


def _offered(pair: Found, heads: Heads) -> Iterator[Found]:
    yield pair
    if pair.is_collected:
        if len(pair.sources) > 1:
            yield _replaced(pair, pair.operations, sources=pair.sources[::-1])
    elif len(pair.targets) > 1:
        yield from _cut(pair, heads)
    elif len(pair.sources) > 1:
        yield from _joined(pair, heads)
    elif _is_one_of_three(pair.sources[0]) and not pair.operations and not _is_gated(pair):
        shape = pair.sources[0].shape
        for number in heads.numbers:
            for axes in ((3, number), (number, 3)):
                yield _with(pair, *_swapped(shape, axes))
    elif _is_gated(pair) and not pair.operations and pair.sources[0].shape[0] % 2 == 0:
        shape = pair.sources[0].shape
        halves = shape[0] // 2
        yield _with(pair, *_swapped(shape, (halves, 2)))
        yield _with(pair, *_swapped(shape, (2, halves)))
    elif heads.rotates and is_rotated(pair.targets[0]) and not pair.operations:
        rows = pair.targets[0].shape[0]
        for size in heads.sizes:
            if rows % size == 0 and size % 2 == 0:
                yield from (_with(pair, Rotary(rows // size, heads.rows, back)) for back in (False, True))
    elif _is_square(pair):
        turn = Transpose(0, 1)
        kept = tuple(step for step in pair.operations if step != turn)
        yield _replaced(pair, kept if turn in pair.operations else (*pair.operations, turn))


def _cut(pair: Found, heads: Heads) -> Iterator[Found]:
    """One weight that is cut: in every order, and out of heads of which each holds all parts."""
    (source,), sizes = pair.sources, [unit.shape[0] for unit in pair.targets]
    split = pair.operations[-1]
    if len(pair.operations) != 1 or not isinstance(split, Split) or split.axis not in (0, -2):
        return
    equal = len(set(sizes)) == 1
    rest = source.shape[1:]
    orders = list(permutations(pair.targets)) if equal else [pair.targets]
    yield from (_replaced(pair, pair.operations, targets=order) for order in orders[1:])
    parts = len(sizes)
    numbers = heads.numbers if not _is_gated(pair) else (sizes[0],)
    for number in numbers:
        # Of the heads of the keys, each has some of the queries.
        if any(size % number for size in sizes):
            continue
        per = [size // number for size in sizes]
        steps = (Reshape((number, sum(per), *rest)), Split(1, parts=parts) if equal else Split(1, sizes=tuple(per)), Reshape((-1, *rest)))  # fmt: skip
        yield from (_replaced(pair, steps, targets=order) for order in orders)


def _joined(pair: Found, heads: Heads) -> Iterator[Found]:
    """Several weights that are joined: in every order, and into heads of which each holds all parts."""
    sizes = [unit.shape[0] for unit in pair.sources]
    if len(set(sizes)) != 1 or len(pair.operations) != 1 or not isinstance(pair.operations[0], Concatenate):
        return
    if pair.operations[0].axis != 0:
        return
    orders = list(permutations(pair.sources))
    yield from (_replaced(pair, pair.operations, sources=order) for order in orders[1:])
    numbers = heads.numbers if not _is_gated(pair) else (sizes[0],)
    for number in numbers:
        if sizes[0] % number == 0:
            shape = (len(sizes) * sizes[0], *pair.sources[0].shape[1:])
            for order in orders:
                yield _replaced(pair, (Concatenate(0), *_swapped(shape, (len(sizes), number))), sources=order)


def _swapped(shape: Sequence[int], axes: tuple[int, int]) -> tuple[Operation, ...]:
    """The steps that put what is ordered by the first of two things in the order of the second."""
    return Reshape((*axes, -1, *shape[1:])), Transpose(0, 1), Reshape(tuple(shape))


def _is_one_of_three(unit: Unit) -> bool:
    return "FUSED" in meaning(unit.reading).concepts and unit.shape[0] % len(_PARTS) == 0


def _is_gated(pair: Found) -> bool:
    concepts = {word for unit in (*pair.sources, *pair.targets) for word in meaning(unit.reading).concepts}
    return concepts >= {"GATE", "UP"}


def _is_square(pair: Found) -> bool:
    shape = pair.sources[0].shape
    is_plain = len(pair.sources) == len(pair.targets) == 1 and not pair.is_collected
    return is_plain and len(shape) == 2 and shape[0] == shape[1]


def _with(pair: Found, *steps: Operation) -> Found:
    return _replaced(pair, (*pair.operations, *steps))


def _replaced(
    pair: Found,
    operations: tuple[Operation, ...],
    sources: tuple[Unit, ...] | None = None,
    targets: tuple[Unit, ...] | None = None,
) -> Found:
    return Found(sources or pair.sources, targets or pair.targets, operations, pair.unsure, pair.note)
