"""The order in which the columns of two values stand, and the lanes of every head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from add_model.porting.comparison.differences import difference

if TYPE_CHECKING:
    import torch

# More lanes than a head has.
_MOST_LANES = 1024


def order_of_columns(target: torch.Tensor, found: torch.Tensor) -> torch.Tensor | None:
    """The order in which the columns of `found` are those of `target`, both `(rows, columns)`; `None` without one.

    A sum over the rows, each row weighed by a fixed random number, tells the columns apart.
    """
    import torch

    weights = torch.randn(len(target), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    first, second = (weights @ target.double()).sort(), (weights @ found.double()).sort()
    if not torch.allclose(first.values, second.values, rtol=1e-4, atol=1e-5 * float(first.values.abs().max())):
        return None
    order = torch.empty_like(first.indices)
    order[first.indices] = second.indices
    return order


def lanes_between(target: torch.Tensor, found: torch.Tensor, most: float) -> tuple[int, ...] | None:
    """The order of the lanes of every head, the same in all of them: lane `i` of the target is lane `order[i]` of what
    was found. `None` where the columns are not those of the target, or move from head to head, or not at all.

    Args:
        target, found: `(..., columns)`.
        most: the relative difference that rounding may have made.
    """
    import torch

    width = target.shape[-1]
    target, found = target.reshape(-1, width), found.reshape(-1, width)
    order = order_of_columns(target, found)
    if order is None or difference(target, found[:, order]).relative > most:
        return None
    steps = torch.arange(width)
    if torch.equal(order, steps):
        return None
    for size in range(2, min(width, _MOST_LANES) + 1):
        if width % size:
            continue
        heads = order.reshape(-1, size) - steps.reshape(-1, size)[:, :1]
        if bool(((heads >= 0) & (heads < size)).all()) and bool((heads == heads[:1]).all()):
            return tuple(heads[0].tolist())
    return None


def in_turn(size: int) -> tuple[int, ...]:
    """Where the lanes that are rotated in pairs of neighbours stand, once those of each pair are half a head apart."""
    return tuple(lane // 2 + (size // 2 if lane % 2 else 0) for lane in range(size))
