"""Attention whose query and key are rotated by their positions, or come out of one projection: which lanes are which.

Rotary embeddings (https://arxiv.org/abs/2104.09864) turn pairs of lanes: neighbours, lanes in turn, as in the paper; or each
lane of the first half of a head with one of the second. The two are the same once the rows of the query's and the key's
weights stand in the other order. One projection on query, key and value holds them one after the other, or head by head.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from add_model.porting.comparison.diagnosis import masks
from add_model.porting.comparison.diagnosis.budget import WorkSpent
from add_model.porting.comparison.diagnosis.scene import Example, Finding, Projected, Scene
from add_model.porting.comparison.diagnosis.written import do, fill_rule
from add_model.porting.comparison.differences import difference
from add_model.porting.comparison.lanes import in_turn

if TYPE_CHECKING:
    import torch
    from torch import nn

# More scores than this are not computed at once.
_MOST_SCORES = 1 << 23
# So much work, in elements, the search for a way may take.
_MOST_WORK = 400_000_000
# The last query of a way that is right is no further away.
_NEAR = 1e-3
_BASES = (10_000.0, 500_000.0, 1_000_000.0)
# How often the lanes are put into the order for halves before they are rotated so: once is the same as in turn.
_HALVES, _IN_TURN, _PLAIN = 0, 1, None
_NAMES = {_HALVES: "in halves", _IN_TURN: "in turn"}


@dataclass(frozen=True)
class Way:
    """One way to compute attention from what the projections returned.

    Attributes:
        heads: the number of heads.
        rotation: how lanes are rotated: 0 in halves, 1 in turn, -1 the other way round; `None` for not at all.
        base: the base of the angles.
        part: which part of a head is rotated.
        per_head: whether one projection on all three holds them head by head.
    """

    heads: int
    rotation: int | None
    base: float = _BASES[0]
    part: float = 1.0
    per_head: bool = False


def attended(way: Way, parts: Sequence[torch.Tensor], mask: torch.Tensor, rows: slice = slice(None)) -> torch.Tensor:
    """`(batch, length, width)` of attention that is computed in a way, or of some of the queries.

    Raises:
        RuntimeError: the sizes do not fit.
    """
    import torch

    query, key, value = _heads_of(way, parts)
    if way.rotation is not None:
        query, key = (_rotated(each, way) for each in (query, key))
    repeats = query.shape[1] // key.shape[1]
    key, value = (each.repeat_interleave(repeats, 1) for each in (key, value))
    query, mask = query[:, :, rows], mask if mask.shape[-2] == 1 else mask[..., rows, :]
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    mixed: torch.Tensor = scores.softmax(-1) @ value
    return mixed.transpose(1, 2).flatten(2)


def _heads_of(way: Way, parts: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Query, key and value, `(batch, heads, length, size of a head)`."""
    if way.per_head:
        import torch

        together = torch.cat([part.double() for part in parts], -1)
        apart = together.reshape(*together.shape[:-1], way.heads, 3, together.shape[-1] // (3 * way.heads))
        return tuple(apart.permute(3, 0, 2, 1, 4))
    three = parts if len(parts) == 3 else parts[0].tensor_split(3, -1)
    size = three[0].shape[-1] // way.heads
    return tuple(part.double().reshape(*part.shape[:-1], -1, size).transpose(1, 2) for part in three)


def _rotated(states: torch.Tensor, way: Way) -> torch.Tensor:
    import torch

    size = int(states.shape[-1] * way.part)
    turned, rest = states[..., :size], states[..., size:]
    order = torch.tensor(in_turn(size)).argsort()
    for _ in range(abs(way.rotation or 0)):
        turned = turned[..., order if (way.rotation or 0) > 0 else order.argsort()]
    steps = torch.arange(states.shape[-2], dtype=torch.float64)
    angles = torch.outer(steps, way.base ** -(torch.arange(0, size, 2, dtype=torch.float64) / size))
    angles = torch.cat([angles, angles], -1)
    first, second = turned.chunk(2, -1)
    turned = turned * angles.cos() + torch.cat([-second, first], -1) * angles.sin()
    return torch.cat([turned, rest], -1)


class _Ways:
    """The ways in which a place's attention can be computed, and which of them gives a value."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._left = scene, _MOST_WORK
        self.projected = scene.projected
        self.mask: torch.Tensor | None = None

    def of_original(self, rotations: Sequence[int | None]) -> Way | None:
        """The way in which the original computes it."""
        if self.projected is None:
            return None
        width = self._scene.target.shape[-1]
        parts = self.projected.parts
        length = parts[0].shape[1]
        lengths = {part.shape[1] for part in parts}
        allowed = list(masks.candidates(self._scene, length, length)) if len(lengths) == 1 else []
        for heads in self._scene.head_counts(width):
            for way in self._variants(heads, rotations):
                for mask in allowed:
                    if self._gives(way, mask, self._scene.target):
                        self.mask = mask
                        return way
        return None

    def of_new(self, candidates: Iterator[Way]) -> Way | None:
        """The first of some ways that gives what the new model computed."""
        mask = self.mask
        return next(
            (way for way in candidates if mask is not None and self._gives(way, mask, self._scene.found)), None
        )

    def _variants(self, heads: int, rotations: Sequence[int | None]) -> Iterator[Way]:
        for rotation in rotations:
            for base in _bases(self._scene) if rotation is not None else _BASES[:1]:
                for part in (1.0, 0.5, 0.25) if rotation is not None else (1.0,):
                    for per_head in (False, True):
                        yield Way(heads, rotation, base, part, per_head)

    def _gives(self, way: Way, mask: torch.Tensor, wanted: torch.Tensor) -> bool:
        assert self.projected is not None
        parts = self.projected.parts
        batch, length = parts[0].shape[:2]
        one = [part[:1] for part in parts]
        # The last query, which sees most, of the first text: nearly every way that is wrong is so there.
        self._spend(16 * sum(part.numel() for part in one))
        try:
            last = attended(way, one, mask[:1], slice(length - 1, length))
            if last.shape != wanted[:1, -1:].shape or difference(wanted[:1, -1:], last).relative > _NEAR:
                return False
            scores = batch * way.heads * length * length
            rows = slice(0, length, -(-scores // _MOST_SCORES))
            self._spend(8 * min(scores, _MOST_SCORES) + 16 * sum(part.numel() for part in parts))
            value = attended(way, parts, mask, rows)
        except (RuntimeError, ValueError):
            return False
        return self._scene.match([(value, wanted[:, rows])], wanted)

    def _spend(self, elements: int) -> None:
        """Notes work, of which there may be less than other causes may take: they are tested as well."""
        self._left -= elements
        if self._left < 0:
            raise WorkSpent
        self._scene.budget.spend(elements)


def _bases(scene: Scene) -> list[float]:
    named = [value for config in (scene.new.config, scene.original.config) for name, value in config.items() if "theta" in name or "rotary_emb_base" in name]  # fmt: skip
    return list(dict.fromkeys([*(float(value) for value in named if isinstance(value, (int, float))), *_BASES]))


def _reordering(heads: int, size: int, rotated: int, to_halves: bool) -> str:
    """The step of a rule that puts the rows of a query's or key's weight into the other order."""
    rows = "" if rotated == size else f", rows = {rotated}"
    return f"rotary = {heads}{rows}{'' if to_halves else ', back = true'}"


class RotaryLanes:
    """One model rotates lanes in turn, the other in halves, and the rows of query and key are not in the order for it."""

    name = "rotary lanes"
    remedy = "put the rows of the query's and the key's weights into the order of the new model's rotation when the checkpoint is converted"
    examples = (
        Example(lambda: _parts(), lambda m, x: _sketch(m, x, _IN_TURN), lambda m, x: _sketch(m, x, _HALVES), None, lambda: _states()),
        Example(lambda: _parts(), lambda m, x: _sketch(m, x, _HALVES), lambda m, x: _sketch(m, x, _IN_TURN), None, lambda: _states()),
    )  # fmt: skip

    def test(self, scene: Scene) -> Finding | None:
        """Whether both models' attention is the same but for which lanes are rotated together."""
        ways = _Ways(scene)
        original = ways.of_original((_IN_TURN, _HALVES, -1))
        if original is None or original.rotation is None or ways.projected is None:
            return None
        others = (replace(original, rotation=each) for each in (_HALVES, _IN_TURN, -1, 2) if each != original.rotation)
        new = ways.of_new(others)
        if new is None or new.rotation is None:
            return None
        to_halves = original.rotation > new.rotation
        reordered = (
            -1 in (original.rotation, new.rotation) or new.rotation == _IN_TURN and self._is_reordered(scene, ways)
        )
        said = f"the original rotates lanes {_NAMES.get(original.rotation, 'in halves')}, the new model {_NAMES.get(new.rotation, 'in turn')}; with the rows of query and key in the other order the values agree"  # fmt: skip
        if reordered:
            said = "the rows of query and key stand in another order than the rotation needs; with them in the other the values agree"
        return Finding(said, self._remedy(scene, ways.projected, new, to_halves, reordered))

    def _is_reordered(self, scene: Scene, ways: _Ways) -> bool:
        assert ways.projected is not None
        calls = {call.index for call in ways.projected.calls[:2]}
        return any(each.row.new.index in calls for each in scene.comparison.arranged)

    def _remedy(self, scene: Scene, projected: Projected, way: Way, to_halves: bool, reordered: bool) -> str:
        shapes = [scene.parameter_shape(call) for call in projected.calls[:2]]
        size = scene.target.shape[-1] // way.heads
        rotated = int(size * way.part)
        if projected.is_one or not all(shapes):
            return f"{self.remedy}: of each head's {rotated} rotated rows, {'those of even number before those of odd' if to_halves else 'one of the first half, one of the second, in turn'}"  # fmt: skip
        if reordered and not to_halves:
            return "leave the rows of query and key in the original's order when the checkpoint is converted: the rule that reorders them is one too many"  # fmt: skip
        rules = []
        for call, shape in zip(projected.calls[:2], shapes, strict=True):
            rules += fill_rule(scene, call, [_reordering(shape[0] // size, size, rotated, to_halves)])
        return "\n".join(["reorder the rows of query and key when the checkpoint is converted, with these in the rules:", *rules])  # fmt: skip


class FusedHeadByHead:
    """One projection holds query, key and value head by head where the other model has them one after the other."""

    name = "query/key/value fused head by head"
    remedy = "take the projection apart as the original does: head by head, and each head into query, key and value"
    examples = (
        Example(lambda: _fused(), lambda m, x: _sketch(m, x, per_head=True), lambda m, x: _sketch(m, x), None, lambda: _states()),
        Example(lambda: _fused(), lambda m, x: _sketch(m, x), lambda m, x: _sketch(m, x, per_head=True), None, lambda: _states()),
    )  # fmt: skip

    def test(self, scene: Scene) -> Finding | None:
        """Whether both models' attention is the same but for how query, key and value lie beside each other."""
        ways = _Ways(scene)
        original = ways.of_original((_PLAIN, _HALVES, _IN_TURN))
        if original is None or ways.projected is None:
            return None
        new = ways.of_new(iter([replace(original, per_head=not original.per_head)]))
        if new is None:
            return None
        call = ways.projected.calls[0]
        rest = (*scene.parameter_shape(call), 0)[1]
        width, heads = scene.target.shape[-1], original.heads
        size = width // heads
        apart = f"[{heads}, 3, {size}, {rest}]" if original.per_head else f"[3, {heads}, {size}, {rest}]"
        steps = [f"reshape = {apart}", "transpose = [0, 1]", f"reshape = [{3 * width}, {rest}]"]
        if not ways.projected.is_one:
            steps.append("split = 0, parts = 3")
        which = "head by head" if original.per_head else "one after the other"
        return Finding(
            f"the original holds query, key and value {which}, {heads} heads of {size}; so the values agree",
            f"{self.remedy if original.per_head else 'cut the projection into query, key and value as the original does'}, or reorder its rows by the rules: {do(steps)}",
        )


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    names = ("query", "key", "value", "dense")
    return {name: nn.Linear(16, 16, bias=False) for name in names}


def _fused() -> dict[str, nn.Module]:
    from torch import nn

    return {"query_key_value": nn.Linear(16, 48), "dense": nn.Linear(16, 16)}


def _states() -> torch.Tensor:
    import torch

    return torch.randn(2, 5, 16) * 2


def _sketch(parts: Any, states: torch.Tensor, rotation: int | None = None, per_head: bool = False) -> Any:
    """Causal attention of two heads between projections."""
    import torch

    mask = torch.ones(1, 1, states.shape[1], states.shape[1], dtype=torch.bool).tril()
    one = getattr(parts, "query_key_value", None)
    given = [parts.query(states), parts.key(states), parts.value(states)] if one is None else [one(states)]
    return parts.dense(attended(Way(2, rotation, per_head=per_head), given, mask).float())
