"""Two masks held against each other: by the positions that they hide, whatever number or truth value they hide them with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from add_model.porting.comparison.differences import Difference, attends, difference, hides, is_mask
from add_model.porting.recording.file import TensorRecord

if TYPE_CHECKING:
    import torch

# What a mask is called of which truth stands for a position that is left out.
_OF_PADDING = ("padding_mask", "pad_mask", "masked_", "ignore_mask")


def could_be_masks(where: str, first: TensorRecord, second: TensorRecord | None) -> bool:
    """Whether two tensors may be masks, by what they are called or their types."""
    return second is None or "mask" in where or "bias" in where or "BOOL" in (first.dtype, second.dtype)


def mask_difference(
    original: torch.Tensor, new: torch.Tensor | None, names: tuple[str, str] = ("", "")
) -> Difference | None:
    """The share of pairs of positions that only one of two masks lets attend; without a mask, all of them attend,
    or, where attention is told so in another way, those in front. `None` if they are not both masks, or do not fit."""
    import torch

    if not is_mask(original) or (new is not None and not is_mask(new)):
        return None if new is None else _beside_a_bias(original, new)
    firsts = list(_with_four_dimensions(_pattern(original, names[0])))
    if new is None:
        first = firsts[0]
        ones = torch.ones_like(first)
        if bool(first.all()) or (first.shape[-2] > 1 and torch.equal(first, ones.tril())):
            return None
        return difference(first.float(), ones.float())
    found = []
    for first in firsts:
        for second in _with_four_dimensions(_pattern(new, names[1])):
            try:
                one, other = torch.broadcast_tensors(first, second)  # type: ignore[no-untyped-call]
            except RuntimeError:
                continue
            found.append(difference(one.float(), other.float()))
    return min(found, key=lambda each: each.largest, default=None)


def forgets_padding(original: torch.Tensor, new: torch.Tensor) -> bool:
    """Whether the original's mask hides positions from all others, as padding is, and the new model's none, but for those
    behind: what was computed may agree by chance, where padding comes last and nothing looks behind."""
    import torch

    if not (is_mask(original) and is_mask(new)) or new.dim() < 3 or new.shape[-1] != original.shape[-1]:
        return False
    first, second = attends(original), attends(new)
    causal = torch.ones(second.shape[-2:], dtype=torch.bool).tril(second.shape[-1] - second.shape[-2])
    padded = not bool(first.any(dim=-2).all())
    return padded and bool((second | ~causal).all())


def _pattern(mask: torch.Tensor, name: str) -> torch.Tensor:
    import torch

    pattern = attends(mask)
    return ~pattern if mask.dtype == torch.bool and any(word in name for word in _OF_PADDING) else pattern


def _with_four_dimensions(pattern: torch.Tensor) -> Iterator[torch.Tensor]:
    """`(batch, heads, queries, keys)`; of two axes, the first may be the texts, or the queries of all of them."""
    two = pattern.dim() == 2
    wider = pattern
    while wider.dim() < 4:
        wider = wider[:, None] if wider.dim() > 1 else wider[None]
    yield wider
    if two and pattern.shape[0] > 1:
        yield pattern[None, None]


def _beside_a_bias(original: torch.Tensor, new: torch.Tensor) -> Difference | None:
    """How far two biases are apart where neither hides a position; `None` if they hide none, or not the same."""
    if not (original.is_floating_point() and new.is_floating_point()) or original.numel() != new.numel():
        return None
    new = new.reshape(original.shape)
    first, second = hides(original), hides(new)
    if not bool(first.any()) or not bool((first == second).all()):
        return None
    return difference(original[~first], new[~second])
