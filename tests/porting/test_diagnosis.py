"""Each hypothesis on the examples that it brings along, and what none may say anything about."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from add_model.porting.comparison.comparing import compare
from add_model.porting.comparison.diagnosis import HYPOTHESES, diagnose
from add_model.porting.comparison.diagnosis.gated import GateAndUpInTurn
from add_model.porting.comparison.diagnosis.scene import Example, Hypothesis, Sketch
from add_model.porting.recording import record_forward
from add_model.porting.recording.file import load_recording
from add_model.porting.rules.reading import load_rules
from add_model.porting.rules.rule import Fill

from .sketches import compared

EXAMPLES = [
    pytest.param(hypothesis, example, id=f"{hypothesis.name}-{number}")
    for hypothesis in HYPOTHESES
    for number, example in enumerate(hypothesis.examples)
]


def test_every_hypothesis_brings_an_example() -> None:
    assert [hypothesis.name for hypothesis in HYPOTHESES if not hypothesis.examples] == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("hypothesis", "example"), EXAMPLES)
def test_a_cause_is_named_in_the_examples_of_its_hypothesis(
    hypothesis: Hypothesis, example: Example, seed: int, tmp_path: Path
) -> None:
    cause = diagnose(compared(tmp_path, example, seed))
    assert cause is not None
    assert (cause.name, cause.remedy) == (hypothesis.name, cause.remedy)


@pytest.mark.parametrize(("hypothesis", "example"), EXAMPLES)
def test_nothing_is_found_where_nothing_differs(hypothesis: Hypothesis, example: Example, tmp_path: Path) -> None:
    comparison = compared(tmp_path, example, faultless=True)
    assert comparison.passed and comparison.place is None
    assert diagnose(comparison) is None


@pytest.mark.parametrize("training", [(True, True), (True, False), (False, True)])
def test_two_runs_of_one_model_that_differ_are_told_from_a_fault(training: tuple[bool, bool], tmp_path: Path) -> None:
    model, states = nn.Sequential(nn.Linear(6, 6), nn.Dropout(0.3), nn.Linear(6, 6)), torch.randn(2, 5, 6)
    recordings = []
    for name, mode in zip("ab", training, strict=True):
        with record_forward(model.train(mode), tmp_path / name):
            model(states)
        recordings.append(load_recording(tmp_path / name))
    comparison = compare(*recordings)
    cause = diagnose(comparison)
    assert comparison.place is not None and comparison.place.path == "1"
    assert cause is not None and cause.name == "dropout active"


@pytest.mark.parametrize("right", [lambda model, states: model.dense(states) + states.square().sum(-1, keepdim=True), lambda model, states: torch.full_like(model.dense(states), 3.0)])  # fmt: skip
def test_of_one_number_any_other_is_a_multiple(right: Sketch, tmp_path: Path) -> None:
    """So that it is one shows nothing."""

    def wrong(model: nn.Module, states: torch.Tensor) -> torch.Tensor:
        return model.dense(states).abs()

    example = Example(lambda: {"dense": nn.Linear(6, 1)}, right, wrong, inputs=lambda: torch.randn(1, 6))
    assert diagnose(compared(tmp_path, example)) is None


@pytest.mark.parametrize("number", [0, 1])
def test_the_rule_for_gate_and_up_puts_the_rows_where_the_new_model_takes_them(number: int, tmp_path: Path) -> None:
    example = GateAndUpInTurn.examples[number]
    cause = diagnose(compared(tmp_path, example))
    assert cause is not None and cause.name == GateAndUpInTurn.name
    (tmp_path / "rules.toml").write_text(cause.remedy.partition("\n")[2])
    rule = load_rules(tmp_path / "rules.toml").rules[0]
    assert isinstance(rule, Fill) and rule.targets[0].text == rule.sources[0].text == "inner.gate_up.weight"
    parts, states = torch.nn.ModuleDict(example.parts()), torch.randn(2, 5, 8)
    parts["gate_up"].bias.data.zero_()
    expected = example.right(SimpleNamespace(**parts), states)
    weights = [parts["gate_up"].weight.data]
    for step in rule.operations:
        weights = step.apply(weights)
    parts["gate_up"].weight.data = weights[0]
    assert torch.allclose(example.wrong(SimpleNamespace(**parts), states), expected, atol=1e-6)  # type: ignore[misc]
