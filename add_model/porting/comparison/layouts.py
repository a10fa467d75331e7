"""Two tensors that hold the same numbers in another layout: axes in another order, heads merged or apart, channels last.

Which layout it is, the values decide: one is named only where every number agrees in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from add_model.porting.comparison.differences import Difference, difference, values_of_both
from add_model.porting.recording.file import Recording, TensorRecord

if TYPE_CHECKING:
    import torch

Shape = tuple[int, ...]
# Of so many axes, all orders are tried.
_MOST_AXES = 5
# So many elements of two tensors, evenly spread, tell whether it is worth to look at all of them.
_SAMPLE = 256
_SAME = 1e-4


@dataclass(frozen=True, eq=False)
class Both:
    """Two tensors in one shape.

    Attributes:
        original, new: views of the two.
        order: the order in which the original's axes stand in the new model, where it is another one.
        is_reshaped: whether an axis of one is several of the other, the last one among them.
    """

    original: torch.Tensor
    new: torch.Tensor
    order: Shape | None = None
    is_reshaped: bool = False

    def difference(self) -> Difference:
        """How far they are apart."""
        return difference(self.original, self.new)

    @property
    def agrees(self) -> bool:
        """Whether a sample of the numbers is the same."""
        return sample_agrees(self.original, self.new)


def in_one_shape(original: Recording, first: TensorRecord, new: Recording, second: TensorRecord) -> Both | None:
    """The values of two tensors in one shape: in that layout in which they agree, else in the first that their shapes
    allow; `None` if there is none."""
    plain = None
    if not _is_reordered(first, second):
        both = values_of_both(original, first, new, second)
        plain = None if both is None else Both(*both)
        if plain is not None and (plain.agrees or first.rows is not None or second.rows is not None):
            return plain
    if first.rows is not None or second.rows is not None:
        return None
    found = plain
    for number, candidate in enumerate(_candidates(original.values(first), new.values(second))):
        if candidate.agrees:
            return candidate
        # Numbers that differ in every layout are held against each other in the one that is most usual.
        found = found or (candidate if number == 0 or candidate.order is not None else None)
    return found


def sample_agrees(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Whether some numbers of two tensors of one shape, evenly spread, are the same up to rounding."""
    return difference(sample_of(first), sample_of(second)).relative < _SAME


def sample_of(values: torch.Tensor) -> torch.Tensor:
    """Some numbers of a tensor, evenly spread; of tensors of one shape, those of the same places."""
    count = values.numel()
    if count <= _SAMPLE:
        return values.reshape(-1)
    import torch

    numbers = torch.linspace(0, count - 1, _SAMPLE, dtype=torch.float64).long()
    return values[torch.unravel_index(numbers, values.shape)]


def squeezed(shape: Shape) -> Shape:
    """A shape without axes of one."""
    return tuple(size for size in shape if size != 1)


def said(first: TensorRecord, second: TensorRecord, both: Both, batch: int | None) -> str:
    """In which layout two tensors agree, in words; "" if it is the same.

    Args:
        first, second: the original's tensor and the new model's.
        both: how they agree.
        batch: how many texts or images there are, if that is known.
    """
    if both.order is None:
        if both.is_reshaped:
            original_is_split = len(squeezed(first.shape)) > len(squeezed(second.shape))
            return f"{'the original' if original_is_split else 'the new model'} keeps an axis split that is one in the other, as heads are"
        return ""
    order, count = both.order, len(both.order)
    if order == (1, 0, *range(2, count)):
        own = batch is not None and first.shape[:1] == (batch,) and second.shape[:1] != (batch,)
        return f"{'the new model' if own else 'the original'} keeps length before batch"
    if count >= 3 and order == (0, *range(2, count), 1):
        return "the new model keeps channels last"
    if count >= 3 and order == (0, count - 1, *range(1, count - 1)):
        return "the original keeps channels last"
    return f"axes in another order: the original's stand as {', '.join(map(str, order))} in the new model"


def _is_reordered(first: TensorRecord, second: TensorRecord) -> bool:
    """Whether two shapes are no more than an order of axes apart, so that laying rows together would mix them up."""
    one, other = squeezed(first.shape), squeezed(second.shape)
    return one != other and sorted(one) == sorted(other)


def _candidates(original: torch.Tensor, new: torch.Tensor) -> Iterator[Both]:
    """The ways in which two tensors of as many elements can be laid beside each other, but for that without a change."""
    if original.numel() != new.numel() or original.numel() < 2:
        return
    first, second = original.squeeze(), new.squeeze()
    if max(first.dim(), second.dim()) > _MOST_AXES:
        return
    if first.dim() >= second.dim():
        for order in _orders(first.dim()):
            moved = first.permute(order)
            if _merges(tuple(moved.shape), tuple(second.shape)):
                yield _both(first, moved, second.reshape(moved.shape), order, second.dim())
        return
    for order in _orders(second.dim()):
        moved = second.permute(order)
        if _merges(tuple(moved.shape), tuple(first.shape)):
            back = tuple(sorted(range(len(order)), key=order.__getitem__))
            yield _both(second, first.reshape(moved.shape), moved, back, first.dim())


def _both(fine: torch.Tensor, original: torch.Tensor, new: torch.Tensor, order: Shape, coarse: int) -> Both:
    same_order = order == tuple(range(len(order)))
    merged = coarse != fine.dim()
    return Both(original, new, None if same_order or merged else order, merged)


def _orders(count: int) -> list[Shape]:
    """All orders of so many axes; the first two exchanged, and the second moved to the end, come first."""
    usual = [
        tuple(range(count)),
        (1, 0, *range(2, count)),
        (0, *range(2, count), 1),
        (0, count - 1, *range(1, count - 1)),
    ]
    known = [order for order in usual if sorted(order) == list(range(count))]
    return list(dict.fromkeys([*known, *permutations(range(count))]))


def _merges(fine: Sequence[int], coarse: Sequence[int]) -> bool:
    """Whether one shape becomes the other by laying neighbouring axes together."""
    sizes = list(fine)
    for size in coarse:
        total = 1
        while sizes and total < size:
            total *= sizes.pop(0)
        if total != size:
            return False
    return not sizes
