"""`add-model check-copies`: whether every copy still is what its marker says, and on demand makes it so."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from add_model.cli.checking import check, exit_code, library_of
from add_model.cli.examples import with_examples
from add_model.cli.progress import Progress

if TYPE_CHECKING:
    from add_model.copies.finding import Counts, Finding
    from add_model.library import Library

_EXAMPLES = """
Examples:
    add-model check-copies            the library around this folder
    add-model check-copies src/my_models/models/brand_new_bert
    add-model check-copies --diff     shows what --fix would change
    add-model check-copies --fix      rewrites what differs
    add-model check-copies --root ~/transformers --statistics
    add-model check-copies --output-format github --strict

Exit codes: 0 clean; 1 findings; 2 wrong request or unreadable file.
"""


class OutputFormat(str, Enum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


@with_examples(_EXAMPLES)
def check_copies(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATHS]...", help="Files and folders to check. Default: the whole library.", show_default=False
        ),
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Rewrite every copy that differs from its original.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what --fix would change; write nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --fix or --diff: rewrite copies edited since the last commit, too.")
    ] = False,
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
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Print counts by code instead of the findings.")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Rely on no earlier run, and keep nothing for later ones.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail the run, too.")] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 whatever is found.")] = False,
) -> None:
    """Check that every block below a `# Copied from` marker still is the copy that the marker says.

    Nothing is imported or run. Layout does not count; comments and docstrings do.
    """
    from add_model.errors import AddModelError
    from add_model.transaction import recover

    started = time.monotonic()
    if force and not (fix or diff):
        raise AddModelError("--force goes with --fix or --diff; add one of them")
    if diff and output_format is not OutputFormat.TEXT:
        raise AddModelError("--diff prints a diff: leave --output-format at text")
    library = library_of(root, paths or [])
    for path in recover(library.root):
        typer.echo(f"taken back from a run that was cut off: {path}", err=True)
    progress = Progress(enabled=sys.stderr.isatty())
    with progress:
        if fix or diff:
            findings, counts, rewritten = _fix(library, paths or [], force, not diff, progress.advance)
        else:
            findings, counts = check(library, paths or [], not no_cache, progress.advance)
            rewritten = 0
    findings.sort(key=lambda finding: finding.sort_key)
    if not diff:
        _show(findings, output_format, statistics)
    _summarise(library, findings, counts, rewritten, diff, time.monotonic() - started)
    raise typer.Exit(exit_code(findings, strict, exit_zero, pending=diff and rewritten > 0))


def _fix(
    library: Library, paths: Sequence[Path], force: bool, write: bool, progress: Callable[[int, int], None]
) -> tuple[list[Finding], Counts, int]:
    from add_model.copies.fix import fix

    fixed = fix(library, paths, force, progress)
    if write:
        fixed.write()
    else:
        sys.stdout.writelines(fixed.diff())
    return fixed.findings, fixed.counts, fixed.rewritten


def _show(findings: Sequence[Finding], output_format: OutputFormat, statistics: bool) -> None:
    from add_model import __version__
    from add_model.copies import report

    if output_format is not OutputFormat.TEXT:
        counted = statistics and output_format is OutputFormat.JSON
        text = (
            report.statistics_as_json(findings) if counted else report.DOCUMENTS[output_format](findings, __version__)
        )
        if text:
            typer.echo(text)
    elif findings:
        from rich.console import Console

        console = Console(soft_wrap=True, highlight=False)
        for line in report.statistics_as_text(findings) if statistics else report.as_text(findings):
            console.print(line)


def _summarise(
    library: Library, findings: Sequence[Finding], counts: Counts, rewritten: int, diff: bool, seconds: float
) -> None:
    from add_model.copies.report import summary

    if rewritten:
        would = "would rewrite" if diff else "rewrote"
        typer.echo(f"{would} {rewritten} {'copy' if rewritten == 1 else 'copies'} in {library.root}", err=True)
    typer.echo(summary(findings, counts, seconds), err=True)
