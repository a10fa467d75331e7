"""A weight that does not stand as the original's: transposed, untied, heads in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from add_model.porting.comparison.diagnosis.roles import in_attention
from add_model.porting.comparison.diagnosis.scene import Example, Scene

if TYPE_CHECKING:
    import torch
    from torch import nn

_MOST_HEADS = 128


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    names = ("query", "key", "value")
    return {**{name: nn.Linear(8, 8) for name in names}, "dense": nn.Linear(8, 8), "embed": nn.Embedding(8, 8)}


def _transpose(parts: Any) -> None:
    parts.dense.weight.data = parts.dense.weight.data.t().contiguous()


def _tied() -> dict[str, nn.Module]:
    from torch import nn

    embed, head = nn.Embedding(12, 8), nn.Linear(8, 12, bias=False)
    head.weight = embed.weight
    return {"embed": embed, "head": head}


def _untie(parts: Any) -> None:
    from torch import nn

    parts.head.weight = nn.Parameter(parts.head.weight.detach().flip(0) * 1.5)


def _reorder(parts: Any) -> None:
    parts.query.weight.data = parts.query.weight.data.reshape(4, 2, 8).flip(0).reshape(8, 8)
    parts.query.bias.data = parts.query.bias.data.reshape(4, 2).flip(0).reshape(8)


def _reorder_inputs(parts: Any) -> None:
    parts.dense.weight.data = parts.dense.weight.data.reshape(8, 4, 2).flip(1).reshape(8, 8)


class _Projection:
    """The projection at which the difference arises, as a function of its weight."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.call = scene, scene.place.new
        self.weight = scene.parameter(self.call, "weight", "kernel") if scene.is_leaf else None
        self.bias, self.states = scene.parameter(self.call, "bias"), scene.main_input
        self._transposed: bool | None = None
        if self.usable:
            self._transposed = self._find_layout()

    @property
    def usable(self) -> bool:
        """Whether weight and input are known, and their sizes fit."""
        weight, states = self.weight, self.states
        if weight is None or states is None or weight.dim() != 2 or not states.is_floating_point():
            return False
        return states.shape[-1] in weight.shape and self.scene.target.shape[-1] in weight.shape

    def of(self, weight: torch.Tensor, transposed: bool = False) -> torch.Tensor:
        """What the projection returns with another weight in the place of its own."""
        assert self.states is not None
        turned = weight if bool(self._transposed) != transposed else weight.t()
        value = self.states.double() @ turned.double()
        return value if self.bias is None or self.bias.shape != value.shape[-1:] else value + self.bias

    def _find_layout(self) -> bool | None:
        """Whether the weight is stored as (inputs, outputs): what the module itself returned decides."""
        assert self.weight is not None and self.states is not None
        for transposed in (False, True):
            turned = self.weight if transposed else self.weight.t()
            if turned.shape[0] == self.states.shape[-1]:
                value = self.states.double() @ turned.double()
                value = value + self.bias if self.bias is not None else value
                if value.shape == self.scene.found.shape and self.scene.matches(value, self.scene.found):
                    return transposed
        return None

    @property
    def understood(self) -> bool:
        """Whether the module does what a projection does."""
        return self._transposed is not None


class WeightTransposed:
    """A square weight was stored the other way round."""

    name = "weight transposed"
    remedy = "transpose the weight when the checkpoint is converted (a rule with transpose), or in the projection"
    examples = (Example(_parts, lambda m, x: m.dense(x), None, _transpose, lambda: _states()),)

    def test(self, scene: Scene) -> str | None:
        """Whether the weight's transpose gives the original's value."""
        projection = _Projection(scene)
        weight = projection.weight
        if weight is None or not projection.understood or weight.shape[0] != weight.shape[1]:
            return None
        if scene.explains(projection.of(weight, transposed=True)):
            return "with the transpose of its weight the values agree"
        return None


class EmbeddingsNotTied:
    """The projection on the vocabulary uses a weight of its own, where the original uses the embeddings'."""

    name = "embeddings not tied"
    remedy = "tie the output projection's weight to the word embeddings (tie_word_embeddings, tie_weights)"
    examples = (Example(_tied, lambda m, x: m.head(x), None, _untie, lambda: _states()),)

    def test(self, scene: Scene) -> str | None:
        """Whether the weight of an embedding gives the original's value."""
        projection = _Projection(scene)
        if projection.weight is None or not projection.understood:
            return None
        for name, record in scene.new.parameters.items():
            module = scene.new.modules.get(name.rpartition(".")[0])
            if module is None or "embedding" not in module.class_name.lower():
                continue
            weight = scene.new.parameter(name)
            if weight is not None and tuple(record.shape) == tuple(projection.weight.shape):
                if scene.explains(projection.of(weight)):
                    return f"with {name} as its weight the values agree"
        return None


class HeadsReordered:
    """The heads stand in another order, or the elements of all heads are interleaved."""

    name = "heads in another order"
    remedy = "permute the weight's rows when the checkpoint is converted (reshape to heads, permute, reshape back), or view and transpose the heads as the original does"
    examples = (
        Example(_parts, lambda m, x: m.query(x), None, _reorder, lambda: _states()),
        Example(_parts, lambda m, x: m.dense(x), None, _reorder_inputs, lambda: _states()),
        Example(
            _parts,
            lambda m, x: m.dense(m.query(x)),
            lambda m, x: m.dense(m.query(x).unflatten(-1, (2, 4)).transpose(-1, -2).flatten(-2)),
            None,
            lambda: _states(),
        ),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the values, or the weights that act on the input, agree once whole heads are put in another order."""
        if scene.target.dim() < 2 or not scene.target.is_floating_point() or scene.target.shape != scene.found.shape:
            return None
        if not in_attention(scene):
            return None
        return self._of_outputs(scene) or self._of_inputs(scene)

    def _of_outputs(self, scene: Scene) -> str | None:
        width = scene.target.shape[-1]
        target, found = scene.target.reshape(-1, width).double(), scene.found.reshape(-1, width).double()
        bias = scene.parameter(scene.place.new, "bias") if scene.is_leaf else None
        shifts = [target.new_zeros(width)]
        if bias is not None and bias.shape == (width,):
            shifts.append(bias.double())
        for shift in shifts:
            order = _order_of_columns(target - shift, found - shift)
            pattern = None if order is None else _pattern(order)
            if order is not None and pattern is not None and scene.explains((found - shift)[:, order] + shift):
                return f"with the columns in another order the values agree: {pattern}"
        return None

    def _of_inputs(self, scene: Scene) -> str | None:
        projection = _Projection(scene)
        theirs = scene.original_parameter("weight", "kernel")
        own = projection.weight
        if own is None or theirs is None or not projection.understood:
            return None
        for candidate in (theirs, theirs.t()):
            if candidate.shape != own.shape:
                continue
            for sideways in (False, True):
                first, second = (candidate.t(), own.t()) if sideways else (candidate, own)
                order = _order_of_columns(first.double(), second.double())
                pattern = None if order is None else _pattern(order)
                if order is not None and pattern is not None:
                    repaired = second[:, order]
                    if scene.explains(projection.of(repaired.t() if sideways else repaired)):
                        return f"with the weight's inputs in another order the values agree: {pattern}"
        return None


def _states() -> torch.Tensor:
    import torch

    return torch.randn(2, 5, 8)


def _order_of_columns(target: torch.Tensor, found: torch.Tensor) -> torch.Tensor | None:
    """The order in which the columns of `found` are those of `target`, both `(rows, columns)`; `None` without one.

    A sum over the rows, each row weighed by a fixed random number, tells the columns apart.
    """
    import torch

    weights = torch.randn(len(target), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    first, second = (weights @ target).sort(), (weights @ found).sort()
    if not torch.allclose(first.values, second.values, rtol=1e-4, atol=1e-5 * float(first.values.abs().max())):
        return None
    order = torch.empty_like(first.indices)
    order[first.indices] = second.indices
    return order


def _pattern(order: torch.Tensor) -> str | None:
    """What an order of columns does to heads: moves them as blocks, or interleaves their elements."""
    import torch

    width = len(order)
    steps = torch.arange(width)
    if torch.equal(order, steps):
        return None
    for heads in range(2, min(width // 2, _MOST_HEADS) + 1):
        if width % heads:
            continue
        size = width // heads
        blocks = order.reshape(heads, size)
        if bool((blocks == blocks[:, :1] + steps[:size]).all()) and bool((blocks[:, 0] % size == 0).all()):
            return f"{heads} blocks of {size}, the original's being {', '.join(str(int(first) // size + 1) for first in blocks[:8, 0])}{' ...' if heads > 8 else ''}"
        if torch.equal(order, steps.reshape(heads, size).t().reshape(-1)):
            return f"as {size} x {heads} instead of {heads} x {size}"
    return None
