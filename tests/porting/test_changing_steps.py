"""Steps of rules that reorder rows, make tables longer or shorter, and merge adapters."""

import pytest
import torch

from add_model.porting.rules.changing import Merge, Resize, Rows
from add_model.porting.rules.operations import Operation, output_shapes
from add_model.porting.rules.parsing import parse_operation
from add_model.porting.rules.rearranging import Rotary


@pytest.mark.parametrize("rows", [None, 4])
def test_rows_in_turn_become_halves_and_come_back(rows: int | None) -> None:
    weight = torch.arange(2 * 6.0)[:, None].expand(12, 3)
    halves = Rotary(2, rows).apply([weight])[0]
    first = [0, 2, 4, 1, 3, 5] if rows is None else [0, 2, 1, 3, 4, 5]
    assert halves[:6, 0].tolist() == first and halves[6:, 0].tolist() == [6 + number for number in first]
    assert torch.equal(Rotary(2, rows, back=True).apply([halves])[0], weight)
    assert Rotary(2, rows).apply([weight[:, 0]])[0].shape == (12,)


def test_a_table_is_cut_and_padded() -> None:
    table = torch.arange(6.0).view(3, 2)
    assert Rows(2).apply([table])[0].tolist() == [[0, 1], [2, 3]]
    assert Rows(4, 7.0).apply([table.half()])[0].tolist() == [[0, 1], [2, 3], [4, 5], [7, 7]]
    assert Rows(4, 7.0).apply([table.half()])[0].dtype == torch.float16


@pytest.mark.parametrize("shape", [(5, 3), (1, 5, 3)])
def test_positions_are_interpolated_behind_the_first_rows(shape: tuple[int, ...]) -> None:
    table = torch.tensor([[9.0] * 3, *[[float(number)] * 3 for number in range(4)]]).view(shape)
    step = Resize((4, 4), first=1, method="nearest")
    resized = step.apply([table])[0]
    assert tuple(resized.shape) == step.shapes([shape])[0] == (*shape[:-2], 17, 3)
    rows = resized.reshape(17, 3)[:, 0].tolist()
    assert rows == [9, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3]
    same = Resize((2, 2), first=1).apply([table])[0]
    assert torch.allclose(same, table)


def test_an_adapter_becomes_part_of_its_weight() -> None:
    weight, down, up = torch.randn(4, 3), torch.randn(2, 3), torch.randn(4, 2)
    merged = Merge(0.5).apply([weight, down, up])[0]
    given = torch.randn(3)
    assert torch.allclose(merged @ given, weight @ given + 0.5 * (up @ (down @ given)), atol=1e-5)


@pytest.mark.parametrize("step", [Rotary(4), Rotary(4, 8, True), Rows(9), Rows(9, 0.5), Resize((3, 2), 1, "bilinear"), Merge(2.0)])  # fmt: skip
def test_each_is_read_as_it_is_written(step: Operation) -> None:
    assert parse_operation(step.table()) == step


@pytest.mark.parametrize(
    "steps, shapes, said",
    [
        ([Rotary(5)], [(12, 3)], "has no 5 heads"),
        ([Rotary(4)], [(12, 3)], "an even number of"),
        ([Rows(9)], [(3, 2)], "say what the others hold: { rows = 9, fill = 0.0 }"),
        ([Resize((2, 2), 1)], [(4, 3)], "is no table of 1 rows and a square grid"),
        ([Merge(1.0)], [(4, 3), (2, 3)], "merge takes a weight, its lora_A and its lora_B"),
        ([Merge(1.0)], [(4, 3), (4, 2), (2, 3)], "is not of the shape [4, 3]"),
    ],
)
def test_what_cannot_be_done_is_said(steps: list[Operation], shapes: list[tuple[int, ...]], said: str) -> None:
    with pytest.raises(ValueError) as raised:
        output_shapes(steps, shapes)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "table",
    [{"rows": 0}, {"rows": 1 << 40}, {"rows": 2, "fill": "x"}, {"resize": [1]}, {"resize": [1 << 20, 2]}, {"resize": [2, 2], "method": "x"}, {"merge": "x"}, {"rotary": 0}, {"rotary": 2, "back": 1}],
)  # fmt: skip
def test_values_of_the_wrong_kind_are_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        parse_operation(table)
