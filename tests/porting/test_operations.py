"""What is done to weights on their way: shapes foretold, values kept, and undone by the opposite."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from add_model.porting.rules.operations import (
    Cast,
    Concatenate,
    Operation,
    Permute,
    Reshape,
    Split,
    Stack,
    Transpose,
    Unstack,
    output_shapes,
)
from add_model.porting.rules.parsing import parse_operation

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def counted(shape: Sequence[int]) -> torch.Tensor:
    """A tensor whose every element is another number."""
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape)


def inverse(operation: Operation, shape: Sequence[int]) -> list[Operation]:
    """The steps that undo an operation on one tensor of this shape."""
    if isinstance(operation, Transpose):
        return [operation]
    if isinstance(operation, Permute):
        axes = [axis % len(shape) for axis in operation.axes]
        return [Permute(tuple(axes.index(axis) for axis in range(len(shape))))]
    if isinstance(operation, Reshape):
        return [Reshape(tuple(shape))]
    if isinstance(operation, Split):
        return [Concatenate(operation.axis)]
    if isinstance(operation, Unstack):
        return [Stack(operation.axis)]
    raise AssertionError(operation)


@st.composite
def operations_on(draw: st.DrawFn, shape: tuple[int, ...]) -> Operation:
    axes = st.integers(-len(shape), len(shape) - 1)
    axis = draw(axes)
    kind = draw(st.sampled_from(["transpose", "permute", "reshape", "split", "parts", "unstack"]))
    if kind == "transpose":
        return Transpose(axis, draw(axes))
    if kind == "permute":
        return Permute(tuple(draw(st.permutations(range(len(shape))))))
    if kind == "reshape":
        return Reshape((*shape[:-1], 1, -1) if draw(st.booleans()) else (-1,))
    if kind == "split":
        first = draw(st.integers(0, shape[axis]))
        return Split(axis, sizes=(first, shape[axis] - first))
    if kind == "parts":
        return Split(axis, parts=draw(st.sampled_from([n for n in range(1, 5) if shape[axis] % n == 0])))
    return Unstack(axis)


@given(st.data(), SHAPES)
def test_every_operation_is_undone_by_its_opposite_and_foretells_its_shapes(
    data: st.DataObject, shape: tuple[int, ...]
) -> None:
    operation = data.draw(operations_on(shape))
    original = counted(shape)
    pieces = operation.apply([original])
    assert [tuple(piece.shape) for piece in pieces] == operation.shapes([shape])
    assert sorted(number for piece in pieces for number in piece.flatten().tolist()) == original.flatten().tolist()
    for step in inverse(operation, shape):
        assert [tuple(piece.shape) for piece in step.apply(pieces)] == step.shapes([tuple(p.shape) for p in pieces])
        pieces = step.apply(pieces)
    assert len(pieces) == 1 and torch.equal(pieces[0], original)


@given(st.data(), SHAPES)
def test_an_operation_is_read_as_it_is_written(data: st.DataObject, shape: tuple[int, ...]) -> None:
    operation = data.draw(operations_on(shape))
    assert parse_operation(operation.table()) == operation


@given(st.lists(st.integers(-2, 3), min_size=1, max_size=3), SHAPES)
def test_what_is_foretold_for_a_reshape_is_what_torch_does(sizes: list[int], shape: tuple[int, ...]) -> None:
    try:
        foretold = Reshape(tuple(sizes)).shapes([shape])
    except ValueError:
        with pytest.raises(RuntimeError):
            counted(shape).reshape(sizes)
    else:
        assert foretold == [tuple(counted(shape).reshape(sizes).shape)]


def test_groups_are_joined_one_after_the_other() -> None:
    tensors = [torch.full((2,), number) for number in range(4)]
    assert [tensor.tolist() for tensor in Concatenate(0, every=2).apply(tensors)] == [[0, 0, 1, 1], [2, 2, 3, 3]]
    assert output_shapes([Concatenate(0, every=2), Stack(0)], [(2,)] * 4) == [(2, 4)]


def test_a_cast_changes_the_type_alone() -> None:
    assert Cast("float16").apply([torch.ones(2)])[0].dtype == torch.float16
    assert Cast("float16").shapes([(2,)]) == [(2,)]


@pytest.mark.parametrize(
    "operations, shapes, said",
    [
        ([Transpose(0, 2)], [(2, 3)], "[2, 3] has no axis 2"),
        ([Permute((0, 0))], [(2, 3)], "permute [0, 0]"),
        ([Reshape((4, -1))], [(2, 3)], "[2, 3] cannot be reshaped to [4, -1]"),
        ([Split(0, parts=4)], [(6, 3)], "axis 0 of [6, 3] cannot be split into 4 equal parts"),
        ([Split(1, sizes=(1, 1))], [(6, 3)], "sizes [1, 1]"),
        ([Concatenate(0)], [(2, 3), (2, 4)], "[2, 3], [2, 4] cannot be concatenated along axis 0"),
        ([Stack(0)], [(2, 3), (2, 4)], "cannot be stacked"),
        ([Stack(0, every=2)], [(2, 3)] * 3, "takes 2 at a time, but there are 3"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_shapes(
    operations: list[Operation], shapes: list[tuple[int, ...]], said: str
) -> None:
    with pytest.raises(ValueError) as raised:
        output_shapes(operations, shapes)
    assert said in str(raised.value)


def test_a_single_number_has_no_size() -> None:
    step = parse_operation({"reshape": []})
    assert step.table() == {"reshape": []}
    assert step.shapes([(1,), (1, 1)]) == [(), ()]
    assert step.apply([torch.ones(1)])[0].shape == ()
    with pytest.raises(ValueError, match="cannot be reshaped"):
        step.shapes([(2,)])
