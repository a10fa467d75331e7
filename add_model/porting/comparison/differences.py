"""How far two tensors are apart, and what of it is more than rounding."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from add_model.errors import AddModelError
from add_model.porting.recording.file import Recording, TensorRecord
from add_model.porting.recording.writer import row_count, sampled_rows

if TYPE_CHECKING:
    import torch

# Two implementations of one formula round differently, by a few of the data type's last digits.
_ROUNDING_STEPS = 10.0
_PRECISION = {"F64": 2.0**-52, "F32": 2.0**-23, "F16": 2.0**-10, "BF16": 2.0**-7}
# What attention adds to the scores of a position that is not attended to: this or less, where it adds nothing else; where
# it adds a bias as well, this or less.
_MASKED_FROM, _HIDDEN_FROM = -99.0, -9e3
# So many elements are looked at at a time: in double precision they fit into a processor's cache, and what is made of
# them on the way takes no memory to speak of, however large the tensors are.
_PIECE = 1 << 18


@dataclass(frozen=True)
class Difference:
    """How far two tensors are apart.

    Attributes:
        largest: the largest absolute difference of two elements.
        mean: the mean absolute difference.
        relative: root of the mean squared difference, divided by the root of the mean square of the first tensor.
    """

    largest: float
    mean: float
    relative: float


def difference(
    original: torch.Tensor, new: torch.Tensor, give_back: Callable[[int], object] = lambda size: None
) -> Difference:
    """Compares two tensors of the same shape, in double precision.

    Args:
        original, new: the tensors.
        give_back: told how many bytes of each were looked at, from time to time; see `Recording.give_back`.
    """
    count = original.numel()
    if count == 0 or _is_the_same(original, new, give_back):
        return Difference(0.0, 0.0, 0.0)
    largest = total = squares_of_gap = squares = 0.0
    for first, second in pieces_of_both(original, new):
        first = first.double()
        gap = first - second.double()
        squares += float(first.square().sum())
        squares_of_gap += float(gap.square().sum())
        gap.abs_()
        largest = max(largest, float(gap.max()))
        total += float(gap.sum())
        give_back(second.nbytes)
    # What is no number may not be the greater of two; every sum tells of it.
    largest = math.nan if math.isnan(total) else largest
    size, apart = math.sqrt(squares / count), math.sqrt(squares_of_gap / count)
    relative = 0.0 if apart == 0 else apart / size if size > 0 else float("inf")
    return Difference(largest, total / count, relative)


def _is_the_same(original: torch.Tensor, new: torch.Tensor, give_back: Callable[[int], object]) -> bool:
    """Whether two tensors hold the same numbers, to the bit, and nothing that is no number: most of a right port does."""
    import torch

    if original.dtype != new.dtype:
        return False
    for first, second in pieces_of_both(original, new):
        if not torch.equal(first, second) or not math.isfinite(float(first.sum())):
            return False
        give_back(second.nbytes)
    return True


def pieces_of_both(first: torch.Tensor, second: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Two tensors of one shape, part by part; nothing is copied."""
    if first.numel() <= _PIECE or first.dim() == 0:
        if first.numel():
            yield first, second
        return
    row = first[0].numel()
    if row > _PIECE:
        for number in range(len(first)):
            yield from pieces_of_both(first[number], second[number])
        return
    rows = _PIECE // row
    for start in range(0, len(first), rows):
        yield first[start : start + rows], second[start : start + rows]


def pieces(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """A tensor, part by part; nothing is copied."""
    yield from (first for first, _ in pieces_of_both(tensor, tensor))


def rounding(dtype: str) -> float:
    """The relative difference that rounding alone may make in one step, for a data type as safetensors names it."""
    return _ROUNDING_STEPS * _PRECISION.get(dtype, 0.0)


def values_of_both(
    original: Recording, first: TensorRecord, new: Recording, second: TensorRecord
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The values of two tensors, in one shape; where one was sampled, of the rows that both have.

    `None` if the shapes differ by more than dimensions of size one, leading dimensions laid together, and a leading
    dimension that one of them has not been expanded along.
    """
    if first.rows is None and second.rows is None and _expands(first.shape, second.shape):
        one, other = original.values(first), new.values(second)
        shape = max(first.shape, second.shape, key=row_count)
        return _expanded(one, shape), _expanded(other, shape)
    if row_count(first.shape) != row_count(second.shape) or first.shape[-1:] != second.shape[-1:]:
        return None
    one, other = original.values(first), new.values(second)
    if first.rows is None and second.rows is None:
        shape = max(first.shape, second.shape, key=len)
        return one.reshape(shape), other.reshape(shape)
    count, last = row_count(first.shape), first.shape[-1]
    shared = min(first.rows or count, second.rows or count)
    return _rows(one.reshape(-1, last), first, shared), _rows(other.reshape(-1, last), second, shared)


def _expands(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Whether one shape is the other one's end, such as that of one position embedding for all texts."""
    short, long = sorted((first, second), key=row_count)
    while short and short[0] == 1:
        short = short[1:]
    return 2 <= len(short) < len(long) and long[-len(short) :] == short


def _expanded(values: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    # Dimensions of size one in front may be more than those that are to be.
    while values.dim() > len(shape):
        values = values[0]
    return values.expand(shape)


def _rows(values: torch.Tensor, record: TensorRecord, shared: int) -> torch.Tensor:
    if record.rows is not None:
        return values[:shared]
    return values[list(sampled_rows(len(values), shared))]


def refuse_not_finite(recording: Recording, where: str, values: torch.Tensor) -> None:
    """Raises an error that names the place where a tensor holds NaN or infinity; a mask may hold minus infinity."""
    if not values.is_floating_point() or all(bool(piece.isfinite().all()) for piece in pieces(values)):
        return
    kind = "NaN" if any(bool(piece.isnan().any()) for piece in pieces(values)) else "infinity"
    if kind == "infinity" and is_mask(values):
        return
    raise AddModelError(f"{recording.path}: {kind} in {where}; look there first: at the weights, the data type, or a division by zero")  # fmt: skip


def is_mask(values: torch.Tensor) -> bool:
    """Whether a tensor says where to attend: truth values, zeros and ones, or zeros and very low numbers."""
    import torch

    if values.dtype == torch.bool:
        return True
    if not values.is_floating_point():
        return all(bool(((piece == 0) | (piece == 1)).all()) for piece in pieces(values))
    return all(bool(((piece == 0) | (piece <= _MASKED_FROM)).all()) for piece in pieces(values))


def attends(mask: torch.Tensor) -> torch.Tensor:
    """A mask as truth values: true where it lets attend."""
    return mask > _MASKED_FROM if mask.is_floating_point() else mask != 0


def hides(values: torch.Tensor) -> torch.Tensor:
    """Where what is added to the scores of attention, a mask or one together with a bias, leaves a position out."""
    return values <= _HIDDEN_FROM
