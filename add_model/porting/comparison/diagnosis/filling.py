"""A weight that does not hold what the original's holds: it was never filled, or with something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from add_model.porting.comparison.diagnosis.layers import returned
from add_model.porting.comparison.diagnosis.scene import Example, Scene
from add_model.porting.comparison.differences import difference, rounding

if TYPE_CHECKING:
    import torch
    from torch import nn

_NAMES = {"weight": ("weight", "kernel", "gamma", "scale"), "bias": ("bias", "beta")}


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    return {"dense": nn.Linear(6, 8), "norm": nn.LayerNorm(8)}


def _table() -> dict[str, nn.Module]:
    from torch import nn

    return {"table": nn.Embedding(20, 6), "norm": nn.LayerNorm(6)}


def _forget(parts: Any) -> None:
    parts.dense.weight.data.zero_()


def _forget_norm(parts: Any) -> None:
    parts.norm.reset_parameters()


def _forget_row(parts: Any) -> None:
    parts.table.weight.data[7].zero_()


def _ids() -> torch.Tensor:
    import torch

    return torch.arange(5, 11)[None]


class WeightNotTheOriginals:
    """A weight, or a bias, holds other values than the original's: those of its initialisation, or of another weight."""

    name = "weight not the original's"
    remedy = "fill it from the original's when the checkpoint is converted; where that weight stands elsewhere in the new model, see whether forward calls the right submodule"
    examples = (
        Example(_parts, lambda m, x: m.norm(m.dense(x)), None, _forget),
        Example(_parts, lambda m, x: m.norm(m.dense(x)), None, _forget_norm),
        Example(_table, lambda m, x: m.norm(m.table(x)), None, _forget_row, _ids),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the new layer returns what follows from its parameters, and the original's what follows from its own."""
        if not scene.is_leaf or not _is_the_same_layer(scene):
            return None
        own = {name: scene.parameter(scene.place.new, *names) for name, names in _NAMES.items()}
        theirs = {name: scene.original_parameter(*names) for name, names in _NAMES.items()}
        weight, other = own["weight"], theirs["weight"]
        if weight is None or other is None or (own["bias"] is None) != (theirs["bias"] is None):
            return None
        turned = [each for each in (other, other.t() if other.dim() == 2 else other) if each.shape == weight.shape]
        for candidate in [each for each in turned if _equal(each, weight)][:1] or turned:
            made = returned(scene, weight, own["bias"])
            wanted = returned(scene, candidate, theirs["bias"])
            if any(scene.matches(made[formula], scene.found) and scene.explains(wanted[formula]) for formula in made):
                return _said(scene, own, {**theirs, "weight": candidate})
        return None


def _is_the_same_layer(scene: Scene) -> bool:
    """Whether the two submodules are only ever each other's counterparts: else it may be another call that is wrong."""
    original, new = scene.place.original, scene.place.new
    paths = {(first.path, second.path) for first, second in scene.comparison.alignment.pairs}
    return original is not None and {
        pair for pair in paths if pair[0] == original.path or pair[1] == new.path
    } == {(original.path, new.path)}  # fmt: skip


def _equal(first: torch.Tensor, second: torch.Tensor) -> bool:
    return first.shape == second.shape and difference(first, second).relative <= rounding("F32")


def _said(
    scene: Scene, own: Mapping[str, torch.Tensor | None], theirs: Mapping[str, torch.Tensor | None]
) -> str | None:
    wrong = []
    for name, value in own.items():
        wanted = theirs[name]
        if value is not None and wanted is not None and not _equal(wanted, value):
            first = float(value.reshape(-1)[0]) + 0.0  # no minus zero
            away = f"up to {difference(wanted, value).largest:.2g} away from the original's"
            wrong.append(f"its {name} is {f'{first:g} everywhere' if bool((value == first).all()) else away}")
            wrong += [f"which stands in {path}" for path in _where(scene, wanted)][:1]
    return f"with the original's parameters the values agree: {', '.join(wrong)}" if wrong else None


def _where(scene: Scene, value: torch.Tensor) -> list[str]:
    """The parameters of the new model that hold a value which is no mere number."""
    if bool((value == value.reshape(-1)[0]).all()):
        return []
    same = (name for name, record in scene.new.parameters.items() if tuple(record.shape) == tuple(value.shape))
    stored = ((name, scene.new.parameter(name)) for name in same)
    return [name for name, other in stored if other is not None and _equal(value, other)]
