"""Positions that are counted from another number than the original's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from add_model.porting.diagnosis.scene import Example, Known, Scene

if TYPE_CHECKING:
    import torch
    from torch import nn


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    return {"positions": nn.Embedding(12, 6), "norm": nn.LayerNorm(6)}


def _counted(parts: nn.Module, states: torch.Tensor, start: int) -> torch.Tensor:
    import torch

    positions = torch.arange(start, start + states.shape[-2])
    return parts.norm(states + parts.positions(positions))  # type: ignore[operator, no-any-return]


def _looked_up(parts: nn.Module, states: torch.Tensor, start: int) -> torch.Tensor:
    table: torch.Tensor = parts.positions.weight  # type: ignore[union-attr, assignment]
    return parts.norm(states + table[start : start + states.shape[-2]])  # type: ignore[operator, no-any-return]


class PositionsShifted:
    """Positions have an offset, such as that of models whose positions begin behind the padding index."""

    name = "positions shifted by an offset"
    remedy = (
        "count the positions from where the original counts them, or cut the rows that it never uses off the table"
    )
    examples = (
        Example(_parts, lambda m, x: _counted(m, x, 0), lambda m, x: _counted(m, x, 2)),
        Example(_parts, lambda m, x: _looked_up(m, x, 2), lambda m, x: _looked_up(m, x, 0)),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the ids differ by a constant, or the embeddings are other rows of the same table."""
        before = scene.place.before
        if not scene.target.is_floating_point():
            gap = scene.target - scene.found if scene.target.dtype == scene.found.dtype else None
            is_lookup = before is not None and "embed" in before.class_name.lower()
            if gap is not None and is_lookup and _counts(scene.target) and bool((gap == gap.reshape(-1)[0]).all()):
                return f"the original's positions are {int(gap.reshape(-1)[0]):+d} to the new model's"
            return None
        if scene.target.dim() < 2:
            return None
        for name, table in _tables(scene):
            for base in (Known("", scene.target.new_zeros(())), *scene.alike()):
                own, theirs = _rows(scene, table, scene.found, base), _rows(scene, table, scene.target, base)
                if own is not None and theirs is not None and own != theirs:
                    return f"the original begins at row {theirs} of {name}, the new model at row {own}"
        return None


def _counts(ids: torch.Tensor) -> bool:
    """Whether ids are mostly those of one position after the other."""
    return ids.dim() > 0 and ids.shape[-1] > 1 and bool((ids.diff(dim=-1) == 1).double().mean() > 0.5)


def _tables(scene: Scene) -> Iterator[tuple[str, torch.Tensor]]:
    """The tables of embeddings whose rows have the target's width."""
    for path, module in scene.new.modules.items():
        if "embed" in module.class_name.lower() or "embed" in path.rpartition(".")[2]:
            name = f"{path}.weight"
            table = scene.new.parameter(name)
            if table is not None and table.dim() == 2 and table.shape[1] == scene.target.shape[-1]:
                yield name, table


def _rows(scene: Scene, table: torch.Tensor, value: torch.Tensor, base: Known) -> int | None:
    """The row of the table at which what is added to a base begins, if that is successive rows of the table."""
    added = (value - base.value).reshape(-1, *value.shape[-2:])
    length = added.shape[1]
    if length < 2 or length > len(table):
        return None
    start = int((table - added[0, 0]).square().sum(1).argmin())
    rows = table[start : start + length]
    if len(rows) < length or not scene.matches((base.value + rows).expand_as(value), value):
        return None
    return start
