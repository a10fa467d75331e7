"""Each hypothesis on the examples that it brings along, and what none may say anything about."""

from pathlib import Path

import pytest

from add_model.porting.diagnosis import HYPOTHESES, diagnose
from add_model.porting.diagnosis.scene import Example, Hypothesis

from .sketches import compared

EXAMPLES = [
    pytest.param(hypothesis, example, id=f"{hypothesis.name}-{number}")
    for hypothesis in HYPOTHESES
    for number, example in enumerate(hypothesis.examples)
]


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
