"""The fourteen steps of a port: what each is called, and who can say that it is done."""

from __future__ import annotations

from dataclasses import dataclass

from add_model.errors import AddModelError


@dataclass(frozen=True)
class Step:
    """One of the fourteen.

    Attributes:
        number: its number, 1 to 14.
        title: what is done in it.
        optional: whether a model is finished without it.
        measured_by: the command that measures it; `None` for a step that a person may tick, with a note.
    """

    number: int
    title: str
    optional: bool = False
    measured_by: str | None = None


STEPS = (
    Step(1, "theory understood", optional=True),
    Step(2, "development environment ready"),
    Step(3, "original can be debugged"),
    Step(4, "script runs the original forward()"),
    Step(5, "model skeleton added", measured_by="add-model like"),
    Step(6, "checkpoint converted", measured_by="add-model convert"),
    Step(7, "forward() gives the same output", measured_by="add-model compare"),
    Step(8, "model tests finished", measured_by="add-model verify tests"),
    Step(9, "tokenizer added", measured_by="add-model verify tokenizer"),
    # What is measured is the run on this machine; that it also ran on a GPU, a person may have to say.
    Step(10, "end-to-end integration tests"),
    Step(11, "documentation finished", measured_by="add-model verify docs"),
    Step(12, "weights uploaded"),
    Step(13, "pull request"),
    Step(14, "demo notebook", optional=True),
)


def step(number: int) -> Step:
    """The step of a number.

    Raises:
        AddModelError: there is no such step.
    """
    if not 1 <= number <= len(STEPS):
        raise AddModelError(f"there is no step {number}; the steps are 1 to {len(STEPS)}")
    return STEPS[number - 1]
