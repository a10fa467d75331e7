"""Attention: its mask, its scale, its heads, and which projection is the query, the key and the value.

Query, key and value are known where the projections agree. So attention is computed again, in all the ways that models
are known to compute it, until one gives the original's value, and another that differs from it in one respect gives the
new model's. That respect is the cause.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

from add_model.porting.comparison.diagnosis import masks
from add_model.porting.comparison.diagnosis.budget import WorkSpent
from add_model.porting.comparison.diagnosis.scene import Example, Scene

if TYPE_CHECKING:
    import torch
    from torch import nn

# So many scores are computed at a time: they take a few megabytes.
_MOST_SCORES = 1 << 20
_LAYOUTS = ("heads", "raw", "interleaved")
_NAMES = ("query", "key", "value")
_Tensors = tuple["torch.Tensor", "torch.Tensor", "torch.Tensor"]


@dataclass(frozen=True, eq=False)
class Setup:
    """One way to compute attention (https://arxiv.org/abs/1706.03762).

    Attributes:
        heads: the number of heads.
        scale: the factor of the scores.
        mask: where to attend, `(batch, heads, queries, keys)`.
        order: which of the three projections are query, key and value.
        split, merge: how the heads are taken apart and laid together: "heads" as it should be, "raw" without exchanging
            the dimensions of heads and positions, "interleaved" with the elements of all heads side by side.
    """

    heads: int
    scale: float
    mask: torch.Tensor
    order: tuple[int, ...] = (0, 1, 2)
    split: str = "heads"
    merge: str = "heads"

    def attend(self, projections: _Tensors) -> torch.Tensor:
        """`(batch, queries, hidden)` from query, key and value of these shapes."""
        return _merge(self.attended(self.heads_of(projections), slice(None)), self.merge)

    def heads_of(self, projections: _Tensors) -> _Tensors:
        """Query, key and value, each `(batch, heads, length, size of a head)`."""
        query, key, value = (_split(projections[number], self.heads, self.split) for number in self.order)
        return query, key, value

    def attended(self, heads: _Tensors, rows: slice) -> torch.Tensor:
        """`(batch, heads, queries, size of a head)` for some of the queries."""
        import torch

        query, key, value = heads
        scores = query[:, :, rows] @ key.transpose(-1, -2) * self.scale
        mask = self.mask if self.mask.shape[-2] == 1 else self.mask[..., rows, :]
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        return scores.softmax(-1) @ value


def setups(scene: Scene) -> tuple[Setup, Setup] | None:
    """How the original computes attention and how the new model does; they differ in one respect.

    Raises:
        WorkSpent: to find that out takes more work than a cause may take.
    """
    found = _searched(scene)
    if isinstance(found, WorkSpent):
        raise found
    return found


@functools.lru_cache(maxsize=2)
def _searched(scene: Scene) -> tuple[Setup, Setup] | WorkSpent | None:
    """What `setups` returns or raises: several causes ask for it, and none may search again."""
    try:
        return _search(scene)
    except WorkSpent as error:
        return error


def _search(scene: Scene) -> tuple[Setup, Setup] | None:
    projections = _projections(scene)
    if projections is None:
        return None
    query, key, _ = projections
    allowed = list(masks.candidates(scene, query.shape[1], key.shape[1]))
    original = _first(scene, scene.target, projections, _usual(scene, query.shape[-1], allowed))
    if original is None:
        return None
    new = _first(scene, scene.found, projections, _variations(scene, original, query.shape[-1], allowed))
    return None if new is None else (original, new)


def _first(scene: Scene, wanted: torch.Tensor, projections: _Tensors, candidates: Iterator[Setup]) -> Setup | None:
    for setup in candidates:
        try:
            if scene.match(_parts_of(scene, setup, projections, wanted), wanted):
                return setup
        except RuntimeError:
            continue  # sizes that cannot be laid out so
    return None


def _parts_of(
    scene: Scene, setup: Setup, projections: _Tensors, wanted: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """What a way to compute attention returns, and what is wanted, for some queries after the other.

    The last query, which sees most, comes first: nearly every way that is wrong is so there.
    """
    heads = setup.heads_of(projections)
    expected = _split(wanted, setup.heads, setup.merge)
    query, key, _ = heads
    length = query.shape[2]
    # Two products, and what is done to the scores between them.
    row = query.shape[0] * key.shape[2] * (query.shape[1] * 8 + query.shape[3] * query.shape[1] // 4)
    most = max(1, min(length, _MOST_SCORES // max(1, query.shape[0] * query.shape[1] * key.shape[2])))
    bounds = [(length - 1, length), *((start, min(start + most, length - 1)) for start in range(0, length - 1, most))]
    for start, stop in bounds:
        scene.budget.spend((stop - start) * row)
        rows = slice(start, stop)
        yield setup.attended(heads, rows), expected[:, :, rows]


def _usual(scene: Scene, width: int, allowed: Sequence[torch.Tensor]) -> Iterator[Setup]:
    for order in permutations(range(3)):
        for heads in scene.head_counts(width):
            for mask in allowed:
                for scale in _scales(scene, width, heads):
                    yield Setup(heads, scale, mask, order)


def _variations(scene: Scene, setup: Setup, width: int, allowed: Sequence[torch.Tensor]) -> Iterator[Setup]:
    yield from (replace(setup, mask=mask) for mask in allowed)
    yield from (replace(setup, scale=scale) for scale in _scales(scene, width, setup.heads))
    yield from (replace(setup, order=order) for order in permutations(range(3)))
    yield from (replace(setup, split=split, merge=merge) for split in _LAYOUTS for merge in _LAYOUTS)
    for heads in scene.head_counts(width):
        yield replace(setup, heads=heads)
        yield replace(setup, heads=heads, scale=(width // heads) ** -0.5)


def _scales(scene: Scene, width: int, heads: int) -> list[float]:
    size = width // heads
    own = [value for value in scene.attribute(scene.place.path, "scal") if isinstance(value, float)]
    return list(dict.fromkeys([size**-0.5, 1.0, *own, 1 / size, width**-0.5, size**0.5]))


def _projections(scene: Scene) -> _Tensors | None:
    """Query, key and value, each `(batch, length, hidden)`: three projections, or one cut in three."""
    found = scene.projected
    if found is None:
        return None
    query, key, value = found.parts[0].tensor_split(3, dim=-1) if found.is_one else found.parts
    return (query, key, value) if query.shape[-1] == key.shape[-1] == value.shape[-1] else None


def _split(value: torch.Tensor, heads: int, layout: str) -> torch.Tensor:
    batch, length, width = value.shape
    if layout == "raw":
        return value.reshape(batch, heads, length, width // heads)
    if layout == "interleaved":
        return value.reshape(batch, length, width // heads, heads).permute(0, 3, 1, 2)
    return value.reshape(batch, length, heads, width // heads).transpose(1, 2)


def _merge(value: torch.Tensor, layout: str) -> torch.Tensor:
    batch, heads, length, size = value.shape
    if layout == "raw":
        return value.reshape(batch, length, heads * size)
    if layout == "interleaved":
        return value.permute(0, 2, 3, 1).reshape(batch, length, heads * size)
    return value.transpose(1, 2).reshape(batch, length, heads * size)


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    return {**{name: nn.Linear(8, 8) for name in _NAMES}, "dense": nn.Linear(8, 8)}


def _states() -> torch.Tensor:
    import torch

    return torch.randn(2, 5, 8) * 2


def _sketch(parts: Any, states: torch.Tensor, order: tuple[int, ...] = (0, 1, 2), causal: bool = True, **other: Any) -> Any:  # fmt: skip
    """Causal attention of two heads between four projections, or what is said to differ."""
    import torch

    length = states.shape[1]
    mask = torch.ones(1, 1, length, length, dtype=torch.bool)
    projections = (parts.query(states), parts.key(states), parts.value(states))
    setup = Setup(**{"heads": 2, "scale": 0.5, "mask": mask.tril() if causal else mask, "order": order, **other})
    return parts.dense(setup.attend(projections))


def _upside_down(parts: Any, states: torch.Tensor) -> Any:
    import torch

    length = states.shape[1]
    return _sketch(parts, states, mask=torch.ones(1, 1, length, length, dtype=torch.bool).tril().logical_not())


class MaskInverted:
    """Attention looks at what it must not see, and at nothing else."""

    name = "mask inverted"
    remedy = (
        "turn the mask round: 1 or true stands for a token to attend to, and what is added to the scores is 0 there"
    )
    examples: Sequence[Example] = (Example(_parts, _sketch, _upside_down, None, _states),)

    def test(self, scene: Scene) -> str | None:
        """Whether the new model's mask is the opposite of the original's."""
        both = _two_masks(scene)
        if both is not None and masks.is_inverted(*both):
            return "the new model attends to the positions that the original leaves out"
        return None


class MaskIgnored:
    """Attention sees padding, or what comes later."""

    name = "mask ignored"
    remedy = (
        "hand the attention mask on to every layer and add it to the scores, the causal mask of a decoder included"
    )
    examples: Sequence[Example] = (
        Example(_parts, _sketch, lambda m, x: _sketch(m, x, causal=False), None, _states),
    )  # fmt: skip

    def test(self, scene: Scene) -> str | None:
        """Whether the new model attends to more than the original: without padding, or without the causal mask."""
        both = _two_masks(scene)
        if both is not None and masks.is_ignored(*both):
            return "the new model attends to positions that the original leaves out, and to all others"
        return None


class AttentionScale:
    """The scores have another factor."""

    name = "scale missing"
    remedy = "multiply the scores by one over the root of the size of a head, or by what the original has"
    examples = (Example(_parts, _sketch, lambda m, x: _sketch(m, x, scale=1.0), None, _states),)

    def test(self, scene: Scene) -> str | None:
        """Whether the two models' attention differs by the factor of the scores."""
        both = setups(scene)
        if both is None or both[0].scale == both[1].scale or both[0].heads != both[1].heads:
            return None
        return f"the original multiplies the scores by {both[0].scale:.6g}, the new model by {both[1].scale:.6g}"


class AttentionProjections:
    """What is the query in one model is the key or the value in the other."""

    name = "query/key/value swapped"
    remedy = "use the projections in the original's order: where one is cut in three, see which third is which"
    examples = (Example(_parts, _sketch, lambda m, x: _sketch(m, x, order=(1, 0, 2)), None, _states),)

    def test(self, scene: Scene) -> str | None:
        """Whether the two models' attention differs by which projection is which."""
        both = setups(scene)
        if both is None or both[0].order == both[1].order:
            return None
        pairs = [f"{_NAMES[own]} as {_NAMES[role]}" for role, own in enumerate(both[1].order) if own != role]
        return f"the new model uses {', '.join(pairs)}"


class AttentionHeads:
    """The heads are taken apart, or laid together, in another way, or there are more or fewer."""

    name = "heads in another order"
    remedy = "view as (batch, length, heads, head size) and exchange length and heads, and the same on the way back; compare the number of heads"
    examples = (
        Example(_parts, _sketch, lambda m, x: _sketch(m, x, merge="raw"), None, _states),
        Example(_parts, _sketch, lambda m, x: _sketch(m, x, split="interleaved"), None, _states),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the two models' attention differs by how the heads lie beside each other."""
        both = setups(scene)
        if both is None:
            return None
        original, new = both
        if original.heads != new.heads:
            return f"the original has {original.heads} heads, the new model {new.heads}"
        if (original.split, original.merge) == (new.split, new.merge):
            return None
        return f"the new model's heads are taken apart as {new.split} and laid together as {new.merge}"


def _two_masks(scene: Scene) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The two models' masks, in one shape, where their difference is what explains the values."""
    both = masks.compared(scene)
    if both is not None:
        return both
    computed = setups(scene)
    return None if computed is None else masks.both_shapes(computed[0].mask, computed[1].mask)
