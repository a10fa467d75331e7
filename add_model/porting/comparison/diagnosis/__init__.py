"""Why the values differ: causes that models are known to have, each tested on what was recorded.

A cause is named only if it explains the values: what the new model would have computed without the fault must be what
the original computed, up to rounding. Each hypothesis stands in the file of its group, and brings small models that
differ by it, which are its tests: `scene` says what a hypothesis sees, and what it has to offer.

- `randomness`, `precision`: the run itself.
- `weights`, `swapped`, `filling`, `positions`: what the checkpoint's conversion is about.
- `activations`, `norms`, `sums`, `attention`, `gated`: what `forward` computes.
- `rotary`, `sizes`: what the rules of the conversion have to say: rows in another order, a table padded or cut.

Where none explains the values, `left_out` tells what of the recordings' place some would have needed. Each may take so
much work and no more (`budget`); what is not tested because of that is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from add_model.porting.comparison.comparing import Comparison
from add_model.porting.comparison.diagnosis import (
    activations,
    attention,
    filling,
    gated,
    norms,
    positions,
    precision,
    randomness,
    rotary,
    sizes,
    sums,
    swapped,
    weights,
)
from add_model.porting.comparison.diagnosis.budget import MOST_ELEMENTS, WorkSpent, said
from add_model.porting.comparison.diagnosis.left_out import left_out
from add_model.porting.comparison.diagnosis.scene import Finding, Hypothesis, make_scene

# In this order: the first that explains the values is named, so what is more special comes first.
HYPOTHESES: Sequence[Hypothesis] = (
    randomness.DropoutActive(),
    attention.MaskInverted(),
    attention.MaskIgnored(),
    positions.PositionsShifted(),
    rotary.RotaryLanes(),
    rotary.FusedHeadByHead(),
    weights.EmbeddingsNotTied(),
    weights.WeightTransposed(),
    swapped.ProjectionsSwapped(),
    swapped.NeighboursSwapped(),
    gated.GateAndUpInTurn(),
    gated.GateAndUpSwapped(),
    norms.Epsilon(),
    norms.NormBeforeOrAfter(),
    norms.NormMissing(),
    activations.ActivationMissing(),
    activations.ActivationOfAnotherKind(),
    activations.ActivationTooMany(),
    sums.ResidualMissing(),
    sums.ResidualFromElsewhere(),
    attention.AttentionScale(),
    attention.AttentionProjections(),
    attention.AttentionHeads(),
    weights.HeadsReordered(),
    precision.WeightRounded(),
    filling.WeightNotTheOriginals(),
    # One vector that is divided by its length is a multiple of itself.
    norms.LengthMissing(),
    sums.ScaleMissing(),
    precision.WrongDtype(),
)


@dataclass(frozen=True)
class Cause:
    """Why the values differ.

    Attributes:
        name: the kind of fault.
        explanation: how it explains the values.
        remedy: what to do about it.
    """

    name: str
    explanation: str
    remedy: str


@dataclass(frozen=True)
class Diagnosis:
    """What the search for a cause comes to.

    Attributes:
        cause: the cause, if one was found.
        missing: what the recordings lack, so that some causes could not be tested; `None` where one was found, too.
        spent: which causes were not tested to the end, as they would take too much work; `None` where all of them were.
    """

    cause: Cause | None
    missing: str | None = None
    spent: str | None = None

    @property
    def untested(self) -> str | None:
        """Why some causes were not tested, or not in every way that they could explain the values."""
        return "; ".join(filter(None, (self.missing, self.spent))) or None


def examine(comparison: Comparison) -> Diagnosis:
    """Searches the cause of a comparison's first difference."""
    longer = sizes.cut(comparison)
    if longer is not None:
        return Diagnosis(Cause(sizes.NAME, *longer))
    scene = make_scene(comparison)
    if scene is None:
        return Diagnosis(None, left_out(comparison))
    if scene.target.numel() > MOST_ELEMENTS:
        spent = f"every one: {scene.target.numel()} elements are more than the {MOST_ELEMENTS} that causes are tested on; record a shorter input"  # fmt: skip
        return Diagnosis(None, left_out(comparison), spent)
    budget = scene.budget
    for hypothesis in HYPOTHESES:
        budget.begin()
        try:
            explanation = hypothesis.test(scene)
        except WorkSpent:
            budget.untested.append(hypothesis.name)
            continue
        if explanation is not None:
            found = explanation if isinstance(explanation, Finding) else Finding(explanation, hypothesis.remedy)
            return Diagnosis(Cause(hypothesis.name, *found), spent=said(budget.untested))
    return Diagnosis(None, left_out(comparison), said(budget.untested))


def diagnose(comparison: Comparison) -> Cause | None:
    """The cause of a comparison's first difference; `None` if no known cause explains it, or nothing differs."""
    return examine(comparison).cause
