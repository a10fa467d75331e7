"""What a person says about a step: that it is done, or that it does not apply, each with a note that says why."""

from __future__ import annotations

from pathlib import Path

from add_model.errors import AddModelError
from add_model.porting.evidence import Evidence, forget, load, make, store
from add_model.porting.steps.fourteen_steps import step

NOT_APPLICABLE = "not applicable"
DONE = "done"


def tick(root: Path, model: str, number: int, note: str | None) -> Evidence:
    """Keeps a person's word that a step is done.

    Raises:
        AddModelError: the step is unknown or measured, or the note is missing.
    """
    found = step(number)
    if found.measured_by is not None:
        raise AddModelError(f"step {number} ({found.title}) is measured, not ticked by hand; run {found.measured_by}, or say why it does not apply: --not-applicable {number} --note TEXT")  # fmt: skip
    return _keep(root, model, number, DONE, note)


def set_aside(root: Path, model: str, number: int, note: str | None) -> Evidence:
    """Keeps a person's word that a step does not apply to this model.

    Raises:
        AddModelError: the step is unknown, or the note is missing.
    """
    step(number)
    return _keep(root, model, number, NOT_APPLICABLE, note)


def undo(root: Path, model: str, number: int) -> None:
    """Takes a person's word back.

    Raises:
        AddModelError: the step is unknown, or nobody has ticked it by hand.
    """
    step(number)
    if not forget(root, model, f"note-{number}"):
        by_hand = sorted(evidence.step for kind, evidence in load(root, model).items() if kind.startswith("note-"))
        ticked = f"ticked are: {', '.join(map(str, by_hand))}" if by_hand else "no step is"
        raise AddModelError(f"step {number} is not ticked by hand, so there is nothing to undo; {ticked}")


def _keep(root: Path, model: str, number: int, state: str, note: str | None) -> Evidence:
    text = " ".join((note or "").split())
    if not text:
        raise AddModelError(f"step {number} needs a note that says what was done, or why: --note TEXT")
    evidence = make(root, f"note-{number}", passed=True, figure=text, details={"state": state})
    store(root, model, evidence)
    return evidence
