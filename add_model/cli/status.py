"""`add-model status`: how far a port has come, and by what evidence."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from add_model.cli.examples import with_examples
from add_model.cli.interrupted import tell_interrupted
from add_model.cli.options import IntoOption, JsonOption
from add_model.cli.output import say, say_json, tell
from add_model.errors import AddModelError

if TYPE_CHECKING:
    from add_model.porting.model.ported_model import PortedModel
    from add_model.porting.steps.progress import Progress

_EXAMPLES = """
Examples:
    add-model status                                              every model, and how far it is
    add-model status brand_new_bert
    add-model status brand_new_bert --json                        for a script
    add-model status brand_new_bert --done 3 --note "runs in its own container, see README"
    add-model status brand_new_bert --not-applicable 12 --note "an internal model, never published"
    add-model status brand_new_bert --undo 3
"""
_STYLES = {"done": "green", "open": "yellow", "not applicable": "dim"}
# Rich takes a pipe for 80 columns wide; a line that is not folded is easier to search.
_PIPED_WIDTH = 200


@with_examples(_EXAMPLES)
def status(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="The model; without it, every model and how far it is.", show_default=False
        ),
    ] = None,  # fmt: skip
    done: Annotated[
        int | None,
        typer.Option("--done", metavar="STEP", help="Tick a step that only a person can judge.", show_default=False),
    ] = None,  # fmt: skip
    not_applicable: Annotated[
        int | None,
        typer.Option("--not-applicable", metavar="STEP", help="Set a step aside for this model.", show_default=False),
    ] = None,  # fmt: skip
    note: Annotated[
        str | None,
        typer.Option("--note", metavar="TEXT", help="What was done, or why it does not apply.", show_default=False),
    ] = None,  # fmt: skip
    undo: Annotated[
        int | None,
        typer.Option("--undo", metavar="STEP", help="Take back what was ticked or set aside.", show_default=False),
    ] = None,  # fmt: skip
    into: IntoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which of the fourteen steps are done, by what evidence, and what to type next.

    What stands in capitals is yours to fill in; the commands are typed in the library's folder.
    Nothing of the model is run. Evidence counts only while the files it rests on are what they were.
    Exits with 0 when every mandatory step is done, with 1 while one is open.
    """
    from add_model.porting.model.ported_model import find_ported_model, find_ported_models
    from add_model.porting.steps.facts import gather
    from add_model.porting.steps.progress import open_steps, progress
    from add_model.scaffold.destination import find_holder

    if sum(step is not None for step in (done, not_applicable, undo)) > 1:
        raise AddModelError("--done, --not-applicable and --undo exclude each other; pass one at a time")
    if note is not None and done is None and not_applicable is None:
        raise AddModelError("--note belongs to --done STEP or --not-applicable STEP; pass one of them")
    holder = find_holder(into or Path.cwd())
    if name is None:
        if done or not_applicable or undo:
            raise AddModelError("which model? --done, --not-applicable and --undo go with its name: add-model status NAME --done STEP")  # fmt: skip
        every = [(model, progress(gather(model))) for model in find_ported_models(holder)]
        _show_every(every, as_json)
        raise typer.Exit(1 if any(open_steps(steps) for _, steps in every) else 0)
    model = find_ported_model(holder, name)
    tell_interrupted(model.root)
    _keep_word(model, done, not_applicable, undo, note)
    steps = progress(gather(model))
    if as_json:
        say_json(_document(model, steps))
    else:
        _show(model, steps)
    raise typer.Exit(1 if open_steps(steps) else 0)


def _keep_word(
    model: PortedModel, done: int | None, not_applicable: int | None, undo: int | None, note: str | None
) -> None:
    from add_model.porting.steps import notes

    if done is not None:
        notes.tick(model.root, model.name, done, note)
    if not_applicable is not None:
        notes.set_aside(model.root, model.name, not_applicable, note)
    if undo is not None:
        notes.undo(model.root, model.name, undo)


def _show_every(every: Sequence[tuple[PortedModel, tuple[Progress, ...]]], as_json: bool) -> None:
    """Every model of the library, one a line, with how far it is and what to type for more."""
    from add_model.porting.steps.progress import open_steps

    if as_json:
        say_json([_document(model, steps) for model, steps in every])
        return
    width = max(len(model.name) for model, _ in every)
    for model, steps in every:
        wanted = [found for found in steps if not found.step.optional and found.state != "not applicable"]
        left = open_steps(steps)
        said = f"{len(wanted) - len(left)} of {len(wanted)} mandatory steps done"
        rest = f"; open next: {left[0].step.number} {left[0].step.title}" if left else ""
        say(f"{model.name:<{width}}  {said}{rest}")
    tell("more about one: add-model status NAME")


def _document(model: PortedModel, steps: tuple[Progress, ...]) -> dict[str, Any]:
    from add_model.porting.steps.progress import open_steps

    left = open_steps(steps)
    return {
        "name": model.name,
        "root": str(model.root),
        "package": model.library.package,
        "complete": not left,
        "open": [found.step.number for found in left],
        "next": left[0].command if left else None,
        "steps": [
            {
                "number": found.step.number,
                "title": found.step.title,
                "optional": found.step.optional,
                "state": found.state,
                "evidence": found.evidence,
                "made_at": found.made_at,
                "by_hand": found.by_hand,
                "next": found.command,
            }
            for found in steps
        ],
    }


def _show(model: PortedModel, steps: tuple[Progress, ...]) -> None:
    from rich.table import Table

    from add_model.cli.drawing import draw, joined, styled
    from add_model.porting.steps.progress import open_steps

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column("#", justify="right")
    table.add_column("step", min_width=20, ratio=2)
    table.add_column("state", min_width=14, no_wrap=True)
    table.add_column("evidence, and what to type next", ratio=5, overflow="fold")
    for found in steps:
        title = f"{found.step.title} (optional)" if found.step.optional else found.step.title
        when = f" ({'by hand, ' if found.by_hand else ''}{_when(found.made_at)})" if found.made_at is not None else ""
        cell = styled(found.evidence, (when, "dim"))
        if found.command is not None:
            cell = joined((cell, styled((found.command, "cyan"))), "\n")
        table.add_row(str(found.step.number), title, styled((found.state, _STYLES[found.state])), cell)
    draw(table, piped=_PIPED_WIDTH)
    left = open_steps(steps)
    if not left:
        draw("", styled((model.name, "bold green"), ": every mandatory step is done"), wraps=False)
        return
    number = len(left)
    said = f": {number} mandatory step{'s are' if number > 1 else ' is'} open; next:"
    elsewhere = _way_to(model.root) if left[0].command is not None else ""
    command = styled(f"  {elsewhere}{left[0].command or left[0].evidence}")
    draw("", styled((model.name, "bold"), said), command, wraps=False)


def _way_to(root: Path) -> str:
    """What to type before a command of a library, whose folder it is to be typed in."""
    if root.resolve() == Path.cwd().resolve():
        return ""
    inside = root.resolve().is_relative_to(Path.cwd().resolve())
    return f"cd {shlex.quote(str(root.resolve().relative_to(Path.cwd().resolve()) if inside else root))} && "


def _when(made_at: str) -> str:
    """A moment in ISO 8601, to the minute."""
    return f"{made_at[:16].replace('T', ' ')} UTC"
