"""`add-model find-copies`: the copies that nobody marked, each with the marker to write."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from add_model.cli.check_copies import OutputFormat, placed
from add_model.cli.checking import library_of
from add_model.cli.examples import with_examples
from add_model.cli.interrupted import take_back, tell_interrupted
from add_model.cli.output import say_document, tell

if TYPE_CHECKING:
    from add_model.copies.finding import Finding
    from add_model.copies.searching.find import Found

_EXAMPLES = """
Examples:
    add-model find-copies                   the library around this folder
    add-model find-copies src/my_models/models/brand_new_bert
    add-model find-copies --write           writes the markers above what was found
    add-model find-copies --min-lines 10    passes shorter definitions over

Exit codes: 0 nothing found, or all of it written; 1 copies found; 2 wrong request or unreadable file.
What counts as a copy, and which is the original: https://github.com/add-model/add-model/blob/main/docs/find-copies.md
"""
# A line of a header and two behind it: what is shorter is often the same by chance.
_MIN_LINES = 3


@with_examples(_EXAMPLES)
def find_copies(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATHS]...",
            help="Files and folders whose copies are looked for. Default: the whole library.",
            show_default=False,
        ),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the marker above every copy that was found.")] = False,
    min_lines: Annotated[
        int, typer.Option("--min-lines", metavar="N", min=1, help="How many lines a copy has at least.")
    ] = _MIN_LINES,
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            metavar="DIR",
            help="The library's folder. Default: found from the paths, or from here.",
            show_default=False,
        ),
    ] = None,
    output_format: Annotated[
        OutputFormat, typer.Option("--output-format", help="How findings are printed.")
    ] = OutputFormat.TEXT,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 whatever is found.")] = False,
) -> None:
    """Find classes, functions and methods that are copies of others up to a renaming, and carry no `# Copied from` marker.

    Each is shown with the marker to write; check-copies accepts every one of them. Nothing is imported or run.
    """
    from add_model.copies.searching.find import find
    from add_model.copies.searching.find import write as write_markers

    started = time.monotonic()
    library = library_of(root, paths or [])
    if write:
        take_back(library.root)
    else:
        tell_interrupted(library.root)
    found = find(library, paths or [], min_lines)
    if write:
        write_markers(library, found.proven)
    _show(placed(found.findings, library.root, output_format), output_format)
    tell(_summary(found, write, time.monotonic() - started))
    raise typer.Exit(_exit_code(found, write, exit_zero))


def _show(findings: Sequence[Finding], output_format: OutputFormat) -> None:
    from add_model import __version__
    from add_model.copies import report

    if output_format is not OutputFormat.TEXT:
        text = report.DOCUMENTS_OF_SEARCH[output_format](findings, __version__)
        if text:
            say_document(text)
    elif findings:
        from add_model.cli.drawing import draw

        draw(*report.as_text(findings), wraps=False)


def _summary(found: Found, written: bool, seconds: float) -> str:
    from add_model.copies.remembering.recall import timed

    copies, files = len(found.proven.proposals), len(found.proven.after)
    looked_at = f"{_number(found.definitions, 'definition')} in {_number(found.files, 'file')} looked at"
    if not copies:
        return timed(f"no copies found that carry no marker: {looked_at}", seconds)
    if written:
        return timed(f"wrote {_number(copies, 'marker')} in {_number(files, 'file')}: {looked_at}", seconds)
    said = f"{_number(copies, 'copy', 'copies')} without a marker in {_number(files, 'file')}: {looked_at}"
    return f"{timed(said, seconds)}; --write writes the markers"


def _number(count: int, noun: str, plural: str = "") -> str:
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def _exit_code(found: Found, written: bool, exit_zero: bool) -> int:
    from add_model.copies.finding import Code

    if any(finding.code is Code.CP006 for finding in found.findings):
        return 2
    return int(bool(found.proven.proposals) and not written and not exit_zero)
