"""What can be done to weights on their way from a checkpoint into a model: each turns a list of tensors into another.

Every operation says what becomes of shapes before anything is read, and does the same to tensors. What only looks at
a tensor in another way (`transpose`, `permute`, `split`, `unstack`) copies nothing.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import torch

Shape = tuple[int, ...]
# More tensors than any weight is cut into, more axes than any has, and more steps than lead from one to another.
_MOST_PIECES, MOST_AXES, MOST_STEPS = 100_000, 32, 64


class Operation(ABC):
    """One step. Its `name` is its key in a rules file, and `value` what stands there."""

    name: ClassVar[str]
    # Whether its results are new memory, and no views of what it was given.
    copies: ClassVar[bool] = False

    @abstractmethod
    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        """The shapes of the results.

        Raises:
            ValueError: the operation cannot be done to tensors of these shapes.
        """

    @abstractmethod
    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """The results, for tensors whose shapes `shapes` accepts."""

    @abstractmethod
    def table(self) -> dict[str, Any]:
        """The operation as it stands in a rules file."""


@dataclass(frozen=True)
class Transpose(Operation):
    """Swaps two axes of every tensor: `{ transpose = [0, 1] }`."""

    name: ClassVar[str] = "transpose"
    first: int
    second: int

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        return [self._swapped(shape) for shape in shapes]

    def _swapped(self, shape: Shape) -> Shape:
        first, second = axis_of(self.first, shape), axis_of(self.second, shape)
        result = list(shape)
        result[first], result[second] = result[second], result[first]
        return tuple(result)

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [tensor.transpose(self.first, self.second) for tensor in tensors]

    def table(self) -> dict[str, Any]:
        return {self.name: [self.first, self.second]}


@dataclass(frozen=True)
class Permute(Operation):
    """Puts the axes of every tensor in another order: `{ permute = [2, 0, 1] }`."""

    name: ClassVar[str] = "permute"
    axes: tuple[int, ...]

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        for shape in shapes:
            if sorted(axis_of(axis, shape) for axis in self.axes) != list(range(len(shape))):
                raise ValueError(f"permute {list(self.axes)} does not name each axis of {list(shape)} once")
        return [tuple(shape[axis] for axis in self.axes) for shape in shapes]

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [tensor.permute(self.axes) for tensor in tensors]

    def table(self) -> dict[str, Any]:
        return {self.name: list(self.axes)}


@dataclass(frozen=True)
class Reshape(Operation):
    """Gives every tensor another shape of as many elements; one size may be -1: `{ reshape = [12, -1, 768] }`.

    No size at all makes a single number of it: `{ reshape = [] }`.
    """

    name: ClassVar[str] = "reshape"
    copies: ClassVar[bool] = True
    shape: tuple[int, ...]

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        return [self._resolved(shape) for shape in shapes]

    def _resolved(self, shape: Shape) -> Shape:
        elements = math.prod(shape)
        known = math.prod(size for size in self.shape if size != -1)
        fits = elements == known
        if -1 in self.shape:
            fits = known > 0 and elements % known == 0 and self.shape.count(-1) == 1
        fits = fits and min(self.shape, default=0) >= -1
        if not fits:
            raise ValueError(f"{list(shape)} cannot be reshaped to {list(self.shape)}")
        return tuple(elements // known if size == -1 else size for size in self.shape)

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [tensor.reshape(self._resolved(tuple(tensor.shape))) for tensor in tensors]

    def table(self) -> dict[str, Any]:
        return {self.name: list(self.shape)}


@dataclass(frozen=True)
class Cast(Operation):
    """Gives every tensor another type: `{ cast = "float32" }`."""

    name: ClassVar[str] = "cast"
    copies: ClassVar[bool] = True
    dtype: str

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        return list(shapes)

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        import torch

        return [tensor.to(getattr(torch, self.dtype)) for tensor in tensors]

    def table(self) -> dict[str, Any]:
        return {self.name: self.dtype}


@dataclass(frozen=True)
class Split(Operation):
    """Cuts every tensor along an axis, into pieces of the given sizes or into equal `parts`.

    `{ split = 0, parts = 3 }`, `{ split = 1, sizes = [768, 256, 256] }`
    """

    name: ClassVar[str] = "split"
    axis: int
    parts: int | None = None
    sizes: tuple[int, ...] | None = None

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        return [piece for shape in shapes for piece in self._pieces(shape)]

    def _pieces(self, shape: Shape) -> list[Shape]:
        axis = axis_of(self.axis, shape)
        # A part for each element is the most that there can be.
        fits = shape[axis] % self.parts == 0 if self.parts is not None else sum(self.sizes or ()) == shape[axis]
        if not fits or (self.parts or 1) > max(shape[axis], 1):
            into = f"sizes {list(self.sizes or ())}" if self.parts is None else f"{self.parts} equal parts"
            raise ValueError(f"axis {self.axis} of {list(shape)} cannot be split into {into}")
        _refuse_many(self.parts or len(self.sizes or ()))
        sizes = self._sizes(shape[axis])
        return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]

    def _sizes(self, size: int) -> tuple[int, ...]:
        return self.sizes if self.sizes is not None else (size // (self.parts or 1),) * (self.parts or 1)

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [
            piece
            for tensor in tensors
            for piece in tensor.split_with_sizes(list(self._sizes(tensor.shape[self.axis])), self.axis)
        ]

    def table(self) -> dict[str, Any]:
        how = {"parts": self.parts} if self.sizes is None else {"sizes": list(self.sizes)}
        return {self.name: self.axis, **how}


@dataclass(frozen=True)
class Unstack(Operation):
    """Takes every tensor apart along an axis, which is gone then: `{ unstack = 0 }`."""

    name: ClassVar[str] = "unstack"
    axis: int

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        pieces: list[Shape] = []
        for shape in shapes:
            axis = axis_of(self.axis, shape)
            _refuse_many(len(pieces) + shape[axis])
            pieces += [(*shape[:axis], *shape[axis + 1 :])] * shape[axis]
        return pieces

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [piece for tensor in tensors for piece in tensor.unbind(self.axis)]

    def table(self) -> dict[str, Any]:
        return {self.name: self.axis}


@dataclass(frozen=True)
class Concatenate(Operation):
    """Joins tensors along an axis, all of them or so many at a time.

    `{ concatenate = 0 }`, `{ concatenate = 0, every = 2 }`
    """

    name: ClassVar[str] = "concatenate"
    copies: ClassVar[bool] = True
    axis: int
    every: int | None = None

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        return [self._joined(group) for group in _groups(shapes, self.every, self.name)]

    def _joined(self, shapes: Sequence[Shape]) -> Shape:
        axis = axis_of(self.axis, shapes[0])
        others = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
        if len(others) != 1 or len({len(shape) for shape in shapes}) != 1:
            raise ValueError(f"{_listed(shapes)} cannot be concatenated along axis {self.axis}")
        return (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        import torch

        return [torch.cat(list(group), self.axis) for group in _groups(tensors, self.every, self.name)]

    def table(self) -> dict[str, Any]:
        return {self.name: self.axis, **({} if self.every is None else {"every": self.every})}


@dataclass(frozen=True)
class Stack(Operation):
    """Puts tensors of one shape on a new axis, all of them or so many at a time: `{ stack = 0 }`."""

    name: ClassVar[str] = "stack"
    copies: ClassVar[bool] = True
    axis: int
    every: int | None = None

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        return [self._stacked(group) for group in _groups(shapes, self.every, self.name)]

    def _stacked(self, shapes: Sequence[Shape]) -> Shape:
        if len(set(shapes)) != 1:
            raise ValueError(f"{_listed(shapes)} cannot be stacked")
        axis = axis_of(self.axis, (*shapes[0], 0))
        return (*shapes[0][:axis], len(shapes), *shapes[0][axis:])

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        import torch

        return [torch.stack(list(group), self.axis) for group in _groups(tensors, self.every, self.name)]

    def table(self) -> dict[str, Any]:
        return {self.name: self.axis, **({} if self.every is None else {"every": self.every})}


DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")


def output_shapes(operations: Sequence[Operation], shapes: Sequence[Shape]) -> list[Shape]:
    """The shapes that all the steps lead to.

    Raises:
        ValueError: a step cannot be done.
    """
    result = list(shapes)
    for operation in operations:
        result = operation.shapes(result)
        _refuse_many(len(result))
    return result


def _refuse_many(pieces: int) -> None:
    if pieces > _MOST_PIECES:
        raise ValueError(f"would be cut into {pieces} tensors, more than the {_MOST_PIECES} that are written")


def axis_of(axis: int, shape: Shape) -> int:
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"{list(shape)} has no axis {axis}")
    return axis % len(shape)


def _groups(items: Sequence[Any], every: int | None, name: str) -> list[Sequence[Any]]:
    size = every or len(items)
    if not items or len(items) % size:
        raise ValueError(f"{name} takes {every} at a time, but there are {len(items)}")
    return [items[start : start + size] for start in range(0, len(items), size)]


def _listed(shapes: Sequence[Shape]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes)
