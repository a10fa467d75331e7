"""Where attention may look: which masks there are at a place, and how two of them differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from add_model.porting.comparison.diagnosis.scene import Scene, whole
from add_model.porting.comparison.differences import attends, is_mask
from add_model.porting.recording.file import tensors_of

if TYPE_CHECKING:
    import torch


def with_four_dimensions(mask: torch.Tensor) -> torch.Tensor:
    """Truth values, `(batch, heads, queries, keys)`, each of the first three 1 where it makes no difference."""
    pattern = attends(mask)
    while pattern.dim() < 4:
        pattern = pattern[:, None] if pattern.dim() > 1 else pattern[None]
    return pattern


def compared(scene: Scene) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The original's mask and the new model's, where the first difference is one of masks."""
    import torch

    first, second = scene.place.row.records
    if "mask" not in scene.place.row.name:
        return None
    one = whole(scene.original, first)
    other = None if second is None else whole(scene.new, second)
    if one is None or not is_mask(one) or (other is not None and not is_mask(other)):
        return None
    pattern = with_four_dimensions(one)
    own = torch.ones_like(pattern) if other is None else with_four_dimensions(other)
    return _broadcast(pattern, own)


def candidates(scene: Scene, queries: int, keys: int) -> Iterator[torch.Tensor]:
    """Masks that a model could use at a place: those it is given, those of the texts' padding, and the positions that
    are not behind; each as it is and inverted, the padding's with the positions behind left out as well; and none."""
    import torch

    causal = torch.ones(1, 1, queries, keys, dtype=torch.bool).tril(keys - queries)
    everything = torch.ones_like(causal)
    given = [mask for mask in _given(scene, scene.place.new.inputs) if _fits(mask, queries, keys)]
    found = [*given, everything, causal, ~causal]
    for padding in _given(scene, scene.new.root.inputs):
        if _fits(padding, queries, keys):
            found += [padding, padding & causal, ~padding, ~padding & causal]
    seen: list[torch.Tensor] = []
    for mask in (*found, *(~mask for mask in given)):
        if not any(torch.equal(mask, other) for other in seen):
            seen.append(mask)
            yield mask


def is_inverted(original: torch.Tensor, new: torch.Tensor) -> bool:
    """Whether the new mask lets attend exactly where the original does not, among the positions that are not behind."""
    import torch

    if torch.equal(original, ~new):
        return True
    causal = torch.ones(new.shape[-2:], dtype=torch.bool).tril(new.shape[-1] - new.shape[-2])
    behind_too = bool((original & ~causal).any()) or bool((new & ~causal).any())
    return not behind_too and torch.equal(original, causal & ~new)


def is_ignored(original: torch.Tensor, new: torch.Tensor) -> bool:
    """Whether the new mask leaves a part of the original's out: the padding, the positions behind, or both."""
    import torch

    if bool((original & ~new).any()) or torch.equal(original, new):
        return False
    causal = torch.ones(new.shape[-2:], dtype=torch.bool).tril(new.shape[-1] - new.shape[-2]).expand_as(new)
    columns = new.any(dim=-2, keepdim=True).expand_as(new)
    return bool(new.all()) or torch.equal(new, causal) or torch.equal(new, columns)


def both_shapes(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two masks in one shape."""
    both = _broadcast(first, second)
    assert both is not None
    return both


def _fits(mask: torch.Tensor, queries: int, keys: int) -> bool:
    return mask.shape[-1] == keys and mask.shape[-2] in (1, queries)


def _given(scene: Scene, inputs: object) -> list[torch.Tensor]:
    masks = []
    for name, record in tensors_of(dict(inputs)):  # type: ignore[call-overload]
        value = whole(scene.new, record) if "mask" in name else None
        if value is not None and value.dim() >= 2 and is_mask(value):
            masks.append(with_four_dimensions(value))
    return masks


def _broadcast(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    import torch

    try:
        one, other = torch.broadcast_tensors(first, second)  # type: ignore[no-untyped-call]
    except RuntimeError:
        return None
    return one, other
