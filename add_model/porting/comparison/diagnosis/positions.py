"""Positions that are counted from another number than the original's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from add_model.porting.comparison.diagnosis.scene import Example, Known, Scene, whole
from add_model.porting.recording.file import tensors_of

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
        return self._of_ids(scene) if not scene.target.is_floating_point() else self._of_rows(scene)

    def _of_ids(self, scene: Scene) -> str | None:
        before = scene.place.before
        if before is None or "embed" not in before.class_name.lower() or scene.target.dtype != scene.found.dtype:
            return None
        gap = (scene.target - scene.found).reshape(-1)
        if not _counts(scene.target) or not bool((gap == gap[0]).all()):
            return None
        if not _is_of_positions(before.path) and any(_are_tokens(scene, ids) for ids in (scene.target, scene.found)):
            return None
        return f"the original's positions are {int(gap[0]):+d} to the new model's"

    def _of_rows(self, scene: Scene) -> str | None:
        if scene.target.dim() < 2:
            return None
        for name, table in _tables(scene):
            for base in (Known("", scene.target.new_zeros(())), *scene.alike()):
                own, theirs = _rows(scene, table, scene.found, base), _rows(scene, table, scene.target, base)
                if own is None or theirs is None or own == theirs:
                    continue
                if _is_of_positions(name) or not any(_are_tokens(scene, _from(row, scene)) for row in (own, theirs)):
                    return f"the original begins at row {theirs} of {name}, the new model at row {own}"
        return None


def _is_of_positions(path: str) -> bool:
    """Whether a table, or the submodule that holds it, is called one of positions."""
    return "pos" in path.removesuffix(".weight").rpartition(".")[2].lower()


def _from(start: int, scene: Scene) -> torch.Tensor:
    """As many ids from a number on as the target has rows."""
    import torch

    return torch.arange(start, start + scene.target.shape[-2])


def _are_tokens(scene: Scene, ids: torch.Tensor) -> bool:
    """Whether ids are those that the model was given, which may follow each other, too, or a part of them; the first may
    be another, as that of a decoder that starts with a token of its own."""
    rows = ids.reshape(-1, ids.shape[-1])
    parts = [rows, rows[:, 1:]] if rows.shape[1] > 2 else [rows]
    return any(_holds(given, part) for given in _given_ids(scene) for part in parts)


def _given_ids(scene: Scene) -> Iterator[torch.Tensor]:
    """The ids that the model was given, `(batch, length)`, but for those of positions."""
    for recording in (scene.original, scene.new):
        for name, record in tensors_of(dict(recording.root.inputs)):
            given = None if "position" in name or "mask" in name else whole(recording, record)
            if given is not None and not given.is_floating_point() and given.dim():
                yield given.reshape(-1, given.shape[-1])


def _holds(given: torch.Tensor, part: torch.Tensor) -> bool:
    """Whether successive columns are a part; one row of it stands for every row."""
    if len(part) not in (1, len(given)):
        return False
    length = part.shape[1]
    return any(bool((given[:, start : start + length] == part).all()) for start in range(given.shape[1] - length + 1))


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
