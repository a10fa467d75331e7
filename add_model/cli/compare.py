"""`add-model compare`: two recordings side by side, whether the outputs are the same, and where they begin to differ."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from add_model.cli.examples import with_examples
from add_model.cli.options import JsonOption
from add_model.cli.output import say, say_json, tell
from add_model.errors import AddModelError

if TYPE_CHECKING:
    from rich.table import Table

    from add_model.porting.comparison.comparing import Comparison
    from add_model.porting.comparison.diagnosis import Diagnosis
    from add_model.porting.comparison.report import Line
    from add_model.porting.recording.file import Recording

_EXAMPLES = """
Examples:
    add-model compare original.safetensors new.safetensors
    add-model compare original.safetensors new.safetensors --rules rules.toml
    add-model compare original.safetensors new.safetensors --atol 1e-5 --html report.html
    add-model compare original.safetensors new.safetensors --strict-inside
    add-model compare original.safetensors new.safetensors --json
"""
_STYLES = {"equal": "green", "within": "yellow", "arranged": "cyan", "differs": "red"}
_PIPED_WIDTH = 160
# More places than this are shown in the page and with --all.
_MOST_LINES = 40


@with_examples(_EXAMPLES)
def compare(
    original: Annotated[Path, typer.Argument(metavar="ORIGINAL", help="The original's recording.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The new model's recording.")],
    rules: Annotated[
        Path | None,
        typer.Option(
            "--rules", metavar="FILE", help="The conversion's rules, which say what became what.", show_default=False
        ),
    ] = None,  # fmt: skip
    atol: Annotated[
        float, typer.Option("--atol", help="The largest absolute difference that counts as equal.")
    ] = 1e-3,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Also write a page with every place and a picture.", show_default=False
        ),
    ] = None,  # fmt: skip
    show_all: Annotated[bool, typer.Option("--all", help="Show every place, however many there are.")] = False,
    strict_inside: Annotated[
        bool, typer.Option("--strict-inside", help="Let every place inside count, not the outputs alone.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two recordings: whether the outputs are the same, and if not, where the difference begins, and why.

    Exits with 0 when every output of the original has its counterpart within the tolerance, with 1 when one has not.
    """
    from add_model.porting.comparison.comparing import compare as compare_recordings
    from add_model.porting.comparison.diagnosis import examine
    from add_model.porting.comparison.evidence import keep
    from add_model.porting.comparison.page import page
    from add_model.porting.comparison.report import document
    from add_model.porting.destinations import write_whole
    from add_model.porting.recording.file import load_recording

    if not (math.isfinite(atol) and atol >= 0):
        raise AddModelError(f"--atol {atol}: pass a number that is not negative, such as 1e-3")
    first, second = load_recording(original), load_recording(new)
    weights: list[tuple[str, str]] = []
    if rules is not None:
        weights, first = _by_rules(rules, first, second)
    comparison = compare_recordings(first, second, atol, weights, strict_inside)
    diagnosis = examine(comparison)
    cause = diagnosis.cause
    if html is not None:
        write_whole(html, page(comparison, cause, diagnosis.untested), "--html")
    notes = keep(comparison, cause)
    if as_json:
        say_json(document(comparison, cause, diagnosis.untested))
    else:
        _show(comparison, diagnosis, show_all)
    for note in notes:
        tell(note)
    if html is not None:
        tell(f"every place: {html}")
    raise typer.Exit(0 if comparison.passed else 1)


def _show(comparison: Comparison, diagnosis: Diagnosis, show_all: bool) -> None:
    from rich.table import Table

    from add_model.cli.drawing import draw
    from add_model.porting.comparison.report import (
        arranged,
        lines,
        missing_output,
        outline,
        place_in_words,
        summary,
        unweighed,
        within_rounding,
    )

    every = lines(comparison)
    shown = every if show_all else outline(every, _MOST_LINES)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("place", "largest", "mean", "relative", "verdict"):
        table.add_column(title, justify="left" if title in ("place", "verdict") else "right", overflow="fold")
    for line in shown:
        _add(table, line)
    draw(table, piped=_PIPED_WIDTH)
    if len(shown) < len(every):
        say(f"{len(every) - len(shown)} of {len(every)} places inside these are not shown: --all, or --html FILE")
    say("")
    say(summary(comparison), colour="green" if comparison.passed else "red")
    for said in (missing_output(comparison), within_rounding(comparison), unweighed(comparison)):
        if said is not None:
            say(said, colour="yellow")
    for said in arranged(comparison):
        say(said)
    place = comparison.place
    if place is None:
        return
    found = place.row.difference.largest
    say(f"the difference begins {place_in_words(place)}, with {found:.2g}")
    cause = diagnosis.cause
    if cause is not None:
        say(f"cause: {cause.name}: {cause.explanation}")
        first, *rules = cause.remedy.split("\n")
        say(f"remedy: {first}")
        for rule in rules:
            say(rule)
    else:
        known = (
            "none of the known ones explains it"
            if diagnosis.untested is None
            else "not all of the known ones could be tested"
        )
        say(f"cause: {known}")
    for kind, said in (("missing", diagnosis.missing), ("untested", diagnosis.spent)):
        if said is not None:
            say(f"{kind}: {said}")


def _add(table: Table, line: Line) -> None:
    from add_model.cli.drawing import styled

    original = f"  ({line.original})" if line.original else ""
    place = styled("→ " if line.first else "  ", line.place, (original, "dim"))
    figures = [f"{value:.2g}" for value in (line.largest, line.mean, line.relative)]
    table.add_row(place, *figures, styled((line.verdict, _STYLES[line.verdict])))


def _by_rules(path: Path, original: Recording, new: Recording) -> tuple[list[tuple[str, str]], Recording]:
    """Which weights became which by the rules of a conversion, and the original in the order in which they put rows."""
    from add_model.porting.comparison.reordered import as_the_rules_order
    from add_model.porting.rules.reading import load_rules, weight_pairs

    rules = load_rules(path)
    pairs = weight_pairs(rules, list(original.parameters), list(new.parameters))
    return pairs, as_the_rules_order(rules, original, new)
