"""How much the search for a cause may take, and what is said where that is not enough."""

import json
from pathlib import Path

import pytest
import torch

from add_model.porting.comparison import diagnosis
from add_model.porting.comparison.comparing import compare
from add_model.porting.comparison.diagnosis import attention, budget, examine
from add_model.porting.comparison.diagnosis.attention import AttentionScale
from add_model.porting.comparison.diagnosis.budget import Budget, WorkSpent
from add_model.porting.comparison.diagnosis.scene import make_scene
from add_model.porting.comparison.differences import Difference, difference
from add_model.porting.recording.file import load_recording
from add_model.porting.recording.writer import sampled_rows
from tests.cli.commands import add_model_here

from .sketches import compared

(EXAMPLE,) = AttentionScale.examples


@pytest.fixture
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "_LEAST", 30_000)


@pytest.mark.usefixtures("little_work")
def test_what_takes_too_much_work_is_told_as_untested(tmp_path: Path) -> None:
    comparison = compared(tmp_path, EXAMPLE)
    found = examine(comparison)
    assert found.cause is None or found.cause.name != "scale missing"
    assert found.spent is not None and "scale missing" in found.spent and "shorter input" in found.spent
    names = ("compare", "original.safetensors", "new.safetensors")
    shown = add_model_here(tmp_path, *names, "--html", "page.html").stdout
    assert "untested: " in shown and "not all of the known ones could be tested" in shown
    assert "scale missing" in json.loads(add_model_here(tmp_path, *names, "--json").stdout)["untested"]
    assert "Not all known causes could be tested" in (tmp_path / "page.html").read_text()


def test_a_value_that_is_too_large_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "MOST_ELEMENTS", 10)
    found = examine(compared(tmp_path, EXAMPLE))
    assert found.cause is None and found.untested is not None and "every one: " in found.untested


def test_with_enough_work_the_cause_is_found(tmp_path: Path) -> None:
    found = examine(compared(tmp_path, EXAMPLE))
    assert found.cause is not None and found.cause.name == "scale missing"
    assert found.untested is None


def test_one_cause_that_takes_all_of_its_work_leaves_that_of_the_others() -> None:
    found = Budget(100_000_000)
    found.begin()
    with pytest.raises(WorkSpent):
        for _ in range(10_000):
            found.spend(1_000_000)
    found.begin()
    found.spend(100_000_000)


def test_all_causes_together_take_a_few_times_what_was_compared() -> None:
    compared_elements, spent = 10**9, 0
    found = Budget(compared_elements)
    for _ in range(25):
        found.begin()
        with pytest.raises(WorkSpent):
            while True:
                found.spend(10_000_000)
                spent += 10_000_000
    assert spent <= 13 * compared_elements


def test_an_attention_that_is_searched_once_is_not_searched_again(
    tmp_path: Path, little_work: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(compared(tmp_path, EXAMPLE))
    assert scene is not None
    scene.budget.begin()
    with pytest.raises(WorkSpent):
        attention.setups(scene)
    monkeypatch.setattr(attention, "_search", None)
    scene.budget.begin()
    with pytest.raises(WorkSpent):
        attention.setups(scene)


def test_a_way_to_attend_is_judged_by_all_queries_and_left_at_the_first_that_is_wrong(tmp_path: Path) -> None:
    scene = make_scene(compared(tmp_path, EXAMPLE))
    assert scene is not None
    parts = torch.zeros(3, 4)
    seen = []

    def values(wrong: int) -> object:
        for number, part in enumerate(parts):
            seen.append(number)
            yield part + (100.0 if number == wrong else 0.0), part

    for wrong, looked_at in ((0, 1), (2, 3)):
        seen.clear()
        assert not scene.match(values(wrong), parts)  # type: ignore[arg-type]
        assert len(seen) == looked_at


def test_large_tensors_are_compared_part_by_part_with_the_same_result() -> None:
    torch.manual_seed(0)
    first = torch.randn(3, 700, 300)
    second = first + torch.randn_like(first) * 1e-3
    calls: list[int] = []
    found = difference(first.transpose(0, 1), second.transpose(0, 1), calls.append)
    gap = (first.double() - second.double()).abs()
    whole = Difference(float(gap.max()), float(gap.mean()), float(gap.norm() / first.double().norm()))
    assert found.largest == whole.largest and len(calls) > 1 and sum(calls) == first.nbytes
    assert found.mean == pytest.approx(whole.mean) and found.relative == pytest.approx(whole.relative)
    second[2, 3, 4] = torch.nan
    assert difference(first, second).largest != difference(first, second).largest


def test_recordings_with_more_dimensions_of_one_are_compared(tmp_path: Path) -> None:
    from add_model.porting.recording import Recorder

    for name, values in (("a", torch.ones(1, 1, 1, 5, 6)), ("b", torch.ones(2, 3, 5, 6))):
        with Recorder(tmp_path / f"{name}.safetensors") as recorder:
            recorder.record("positions", values)
    comparison = compare(*(load_recording(tmp_path / f"{name}.safetensors") for name in "ab"))
    assert comparison.passed


def test_a_sample_costs_what_it_holds() -> None:
    assert sampled_rows(2**60, 4) == (0, 2**59, 2**58, 2**59 + 2**58)
    assert sampled_rows(6, 6) == (0, 4, 2, 1, 5, 3)
