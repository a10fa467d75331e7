"""How far a port has come: the fourteen steps, each with its evidence or with what it still lacks, and what to type."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from add_model.porting.steps.facts import Facts, Held, Looked
from add_model.porting.steps.fourteen_steps import STEPS, Step
from add_model.porting.steps.notes import DONE, NOT_APPLICABLE

OPEN = "open"


@dataclass(frozen=True)
class Progress:
    """Where one step stands.

    Attributes:
        step: the step.
        state: `done`, `open` or `not applicable`.
        evidence: what speaks for that; of an open step, what it lacks.
        made_at: when that was found out, in ISO 8601 and UTC; `None` for what was looked up just now.
        by_hand: whether it is a person's word.
        command: what to type next; `None` where nothing is left to do.
    """

    step: Step
    state: str
    evidence: str
    made_at: str | None = None
    by_hand: bool = False
    command: str | None = None


def progress(facts: Facts) -> tuple[Progress, ...]:
    """Where each of the fourteen steps stands, in order."""
    return tuple(_with_word(facts, _RULES[step.number](facts, step)) for step in STEPS)


def open_steps(steps: tuple[Progress, ...]) -> tuple[Progress, ...]:
    """The steps that a finished model may not leave open, in order."""
    return tuple(found for found in steps if found.state == OPEN and not found.step.optional)


def _with_word(facts: Facts, found: Progress) -> Progress:
    """A person's word counts where nothing was measured; that a step does not apply, it always counts for."""
    held = facts.held.get(f"note-{found.step.number}")
    if held is None:
        return found
    note = held.evidence
    if note.details.get("state") == NOT_APPLICABLE:
        return Progress(found.step, NOT_APPLICABLE, note.figure, note.made_at, by_hand=True)
    if found.state == OPEN and found.step.measured_by is None and found.step.number != _GPU_STEP:
        return Progress(found.step, DONE, note.figure, note.made_at, by_hand=True)
    return found


_GPU_STEP = 10
# What a command leaves to be filled in, beside words in capitals.
_SCRIPT = "SCRIPT.py:FUNCTION"
# The greatest difference at which the step counts two outputs as the same.
_TOLERANCE = 1e-3


def _theory(facts: Facts, step: Step) -> Progress:
    novelty = str(facts.model.answers.get("novelty", ""))
    if novelty.strip():
        return Progress(step, DONE, f"recorded in answers.toml; new in it: {novelty}")
    command = _status(facts, "--done", "1", "--note", "what is new in the model")
    return Progress(step, OPEN, "what is new in the model is not recorded", command=command)


def _environment(facts: Facts, step: Step) -> Progress:
    return _looked(step, facts.environment, 'pip install -e ".[dev]"')


def _original(facts: Facts, step: Step) -> Progress:
    """The original's own model has run here or elsewhere as soon as there is a recording of it."""
    recording = facts.recording
    if recording is not None and recording.stale is None:
        return Progress(step, DONE, f"it ran: {recording.evidence.figure}", recording.evidence.made_at)
    command = _status(facts, "--done", "3", "--note", "how its model is loaded")
    return Progress(step, OPEN, "load the original's model in its own environment", command=command)


def _script(facts: Facts, step: Step) -> Progress:
    words = ["add-model", "record", _SCRIPT, "--out", "original.safetensors", "--original-of", facts.model.name]
    command = shlex.join(words)
    held = facts.recording
    if held is None:
        return Progress(step, OPEN, "no forward pass of the original is recorded", command=command)
    return _measured(step, held, command)


def _skeleton(facts: Facts, step: Step) -> Progress:
    return _looked(step, facts.skeleton, f"add-model verify tests {facts.model.name}")


def _conversion(facts: Facts, step: Step) -> Progress:
    command = f"add-model convert {facts.model.name} CHECKPOINT --suggest"
    return _measured(step, facts.held.get("conversion"), command, "no checkpoint is converted")


def _comparison(facts: Facts, step: Step) -> Progress:
    held = facts.held.get("comparison")
    original, new = (held.evidence.details.get(key) if held else None for key in ("original", "new"))
    names = (_recorded(facts, original), str(new or "new.safetensors"))
    command = shlex.join(["add-model", "compare", *names])
    if held is None or held.stale is not None or held.evidence.details.get("record_again"):
        record = ["add-model", "record", facts.model.name, "--checkpoint", _checkpoint(facts), "--out", names[1]]
        input_ids = facts.recorded_input_ids
        if input_ids is not None:
            record[-2:-2] = ["--input-ids", input_ids]
        command = f"{shlex.join(record)} && {command}"
    found = _measured(step, held, command, "no run of it is compared with the original's")
    tolerance = held.evidence.details.get("tolerance") if held is not None else None
    if found.state == DONE and isinstance(tolerance, (int, float)) and tolerance > _TOLERANCE:
        shown = f"{found.evidence}; compared to within {tolerance:g} only, the step asks for {_TOLERANCE:g}"
        return replace(found, state=OPEN, evidence=shown, command=command)
    return found


def _tests(facts: Facts, step: Step) -> Progress:
    command = f"add-model verify tests {facts.model.name}"
    held = facts.held.get("tests")
    found = _measured(step, held, command, "its tests have not been run")
    if (
        held is not None
        and held.stale is None
        and not held.evidence.passed
        and held.evidence.details.get("failed") == 0
    ):
        # Nothing fails, but nothing holds the original's numbers either.
        return replace(found, command=f"{_end_to_end_command(facts)} && {command}")
    return found


def _tokenizer(facts: Facts, step: Step) -> Progress:
    if not facts.model.has_tokenizer:
        own = (
            "reads images: it has an image processor"
            if facts.model.has_image_processor
            else "has no tokenizer of its own"
        )
        return Progress(step, NOT_APPLICABLE, f"the model {own}")
    words = ["add-model", "verify", "tokenizer", facts.model.name, "ORIGINAL", "--checkpoint", _checkpoint(facts)]
    command = shlex.join(words)
    return _measured(step, facts.held.get("tokenizer"), command, "its tokenizer is not compared with the original's")


def _end_to_end(facts: Facts, step: Step) -> Progress:
    held = facts.held.get("end-to-end")
    found = _measured(step, held, _end_to_end_command(facts), "no end-to-end test is written and run")
    if held is None or found.state != DONE or "cuda" in held.evidence.details.get("devices", ()):
        return found
    word = facts.held.get(f"note-{_GPU_STEP}")
    if word is not None:
        return replace(found, evidence=f"{found.evidence}; GPU: {word.evidence.figure}", by_hand=True)
    command = _status(facts, "--done", str(_GPU_STEP), "--note", "on which GPU it ran")
    return replace(found, state=OPEN, evidence=f"{found.evidence}; not run on a GPU yet", command=command)


def _end_to_end_command(facts: Facts) -> str:
    held = facts.held.get("comparison")
    if facts.model.integration_test.is_file():
        return shlex.join(["add-model", "verify", "end-to-end", facts.model.name])
    original = _recorded(facts, held.evidence.details.get("original") if held else None)
    words = ["add-model", "verify", "end-to-end", facts.model.name, "--from", original]
    words += ["--checkpoint", _checkpoint(facts)]
    return shlex.join([*words, "--text", "TEXT"] if facts.model.has_tokenizer else words)


def _recorded(facts: Facts, compared: object) -> str:
    """The original's recording: the one that was compared, or that is kept, or else a word to put its name for."""
    kept = facts.recording
    known = [str(compared)] if compared else list(kept.evidence.files) if kept is not None else []
    there = [path for path in known if (facts.model.root / path).is_file()]
    return facts.model.shown(facts.model.root / there[0]) if there else "RECORDING"


def _checkpoint(facts: Facts) -> str:
    """The folder of the converted checkpoint, as far as it is known."""
    return facts.checkpoint or "DIR"


def _docs(facts: Facts, step: Step) -> Progress:
    if facts.skeleton.missing:
        return Progress(step, OPEN, "cannot be checked while the skeleton is broken")
    page = facts.model.shown(facts.model.docs_page)
    if not facts.docs:
        return Progress(step, DONE, f"{page}: no placeholder left, every public class and argument described")
    first, number = facts.docs[0], len(facts.docs)
    place = f"{facts.model.shown(first.path)}:{first.line}"
    return Progress(
        step,
        OPEN,
        f"{number} left to do, the first: {place} {first.message}",
        command=f"add-model verify docs {facts.model.name}",
    )


def _publication(facts: Facts, step: Step) -> Progress:
    words = ["add-model", "publish", facts.model.name, "--repository", "USER/NAME", "--upload"]
    command = shlex.join(words if facts.checkpoint else [*words, "--checkpoint", _checkpoint(facts)])
    return _measured(step, facts.held.get("publish"), command, "no checkpoint is uploaded")


def _pull_request(facts: Facts, step: Step) -> Progress:
    command = _status(facts, "--done", "13", "--note", "its address")
    return Progress(step, OPEN, "style and quality checks green, rebased, choices explained", command=command)


def _notebook(facts: Facts, step: Step) -> Progress:
    words = ["add-model", "verify", "notebook", facts.model.name]
    known = facts.checkpoint or facts.model.notebook.is_file()
    command = shlex.join(words if known else [*words, "--checkpoint", _checkpoint(facts)])
    return _measured(step, facts.held.get("notebook"), command, "no notebook is written and run")


_RULES: Mapping[int, Callable[[Facts, Step], Progress]] = dict(
    enumerate(
        (
            _theory,
            _environment,
            _original,
            _script,
            _skeleton,
            _conversion,
            _comparison,
            _tests,
            _tokenizer,
            _end_to_end,
            _docs,
            _publication,
            _pull_request,
            _notebook,
        ),
        start=1,
    )
)


def _looked(step: Step, looked: Looked, command: str) -> Progress:
    if looked.missing:
        return Progress(step, OPEN, looked.missing, command=command)
    return Progress(step, DONE, looked.found)


def _measured(step: Step, held: Held | None, command: str, absent: str = "") -> Progress:
    """A step that a command measures: done while its result is good and still holds."""
    if held is None:
        return Progress(step, OPEN, absent, command=command)
    evidence = held.evidence
    if held.stale is not None:
        shown = f"{held.stale} since: {evidence.figure}" if evidence.figure else f"{held.stale} since"
        return Progress(step, OPEN, shown, evidence.made_at, command=command)
    if not evidence.passed:
        return Progress(step, OPEN, evidence.figure, evidence.made_at, command=command)
    return Progress(step, DONE, evidence.figure, evidence.made_at)


def _status(facts: Facts, *arguments: str) -> str:
    return shlex.join(["add-model", "status", facts.model.name, *arguments])
