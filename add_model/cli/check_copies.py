"""`add-model check-copies`: whether every copy still is what its marker says, and on demand makes it so."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from add_model.cli.checking import check, exit_code, leaves_unchecked, library_of
from add_model.cli.examples import with_examples
from add_model.cli.interrupted import take_back, tell_interrupted
from add_model.cli.output import say_code, say_document, tell
from add_model.cli.progress import Progress
from add_model.errors import AddModelError
from add_model.visible import visible

if TYPE_CHECKING:
    from add_model.copies.finding import Counts, Finding
    from add_model.library import Library

# How long after a file was saved a watching run looks at it, at most.
_WATCH_SECONDS = 0.3

_EXAMPLES = """
Examples:
    add-model check-copies            the library around this folder
    add-model check-copies src/my_models/models/brand_new_bert
    add-model check-copies --diff     shows what --fix would change
    add-model check-copies --fix      rewrites what differs, and no copy that somebody has edited
    add-model check-copies --base origin/main    says which side moved since then
    add-model check-copies --root ~/transformers --statistics
    add-model check-copies --output-format github --strict

Exit codes: 0 clean; 1 findings; 2 wrong request or unreadable file.
Copies that nobody has marked yet: add-model find-copies
How a marker is written: https://github.com/add-model/add-model/blob/main/docs/markers.md
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
        bool,
        typer.Option("--force", help="With --fix or --diff: take the original's side where a copy was edited, too."),
    ] = False,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            metavar="REV",
            help="The commit since which a finding says what moved. Default: HEAD.",
            show_default=False,
        ),
    ] = None,
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
    select: Annotated[
        list[str] | None,
        typer.Option("--select", metavar="CODES", help="Report these codes only: CP001,CP002.", show_default=False),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="CODES", help="Do not report these codes.", show_default=False),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--write-baseline",
            metavar="FILE",
            help="Write what is found to a file; `baseline` in the configuration sets it aside from then on.",
            show_default=False,
        ),
    ] = None,
    init: Annotated[
        bool, typer.Option("--init", help="Propose a configuration for this tree; with --fix, write it.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="List every warning, also those that say the same in many places.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Check again whenever a file is saved, until Ctrl-C.")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Rely on no earlier run, and keep nothing for later ones.")
    ] = False,
    python: Annotated[
        Path | None,
        typer.Option(
            "--python",
            metavar="ENV",
            help="The virtual environment whose packages hold the originals outside. Default: the active one, this one, or .venv.",
            show_default=False,
        ),
    ] = None,
    clone: Annotated[
        list[str] | None,
        typer.Option(
            "--clone",
            metavar="OWNER/NAME=DIR",
            help="Where a clone lies of a repository that markers name by its address on GitHub.",
            show_default=False,
        ),
    ] = None,
    strict_external: Annotated[
        bool,
        typer.Option("--strict-external", help="Fail where a copy of another package's code could not be checked."),
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail the run, too.")] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 whatever is found.")] = False,
) -> None:
    """Check that every block below a `# Copied from` marker still is the copy that the marker says.

    Nothing is imported or run. Layout does not count; comments and docstrings do.
    """
    from add_model.copies.finding import Code
    from add_model.copies.reading.selection import read_selection
    from add_model.copies.report import summary

    if force and not (fix or diff):
        raise AddModelError("--force goes with --fix or --diff; add one of them")
    if diff and output_format is not OutputFormat.TEXT:
        raise AddModelError("--diff prints a diff: leave --output-format at text")
    if watch and (fix or diff):
        raise AddModelError("--watch checks only: leave out --fix and --diff")

    if init:
        raise typer.Exit(_propose(library_of(root, paths or [], python, clone or []), write=fix))
    if baseline is not None and (paths or fix or diff):
        raise AddModelError("--write-baseline writes down what a check of the whole library finds: leave out paths, --fix and --diff")  # fmt: skip

    def run() -> int:
        started = time.monotonic()
        library = library_of(root, paths or [], python, clone or [])
        selection = read_selection(library, select or (), ignore or ())
        if (fix or diff) and Code.CP001 not in selection.codes:
            raise AddModelError("--fix and --diff put CP001 right: leave it among the codes")
        if fix and not diff:
            take_back(library.root)
        else:
            tell_interrupted(library.root)
        if base is not None:
            _look_up(base, library)
        progress = Progress(enabled=sys.stderr.isatty())
        with progress:
            if fix or diff:
                findings, counts, changed = _fix(library, paths or [], force, base, not diff, progress.advance)
            else:
                findings, counts = check(library, paths or [], not no_cache, progress.advance, base)
                changed = []
        found = len(findings)
        findings = sorted(filter(selection.reports, findings), key=lambda finding: finding.sort_key)
        if baseline is not None:
            return _write_baseline(library, baseline, findings)
        stale = 0
        if library.configuration.baseline is not None:
            from add_model.copies.baseline import without_baseline

            findings, stale = without_baseline(findings, library.root / library.configuration.baseline)
        if diff:
            _tell_unreadable(findings)
        else:
            _show(placed(findings, library.root, output_format), output_format, statistics, verbose)
        said = summary(findings, counts, time.monotonic() - started, passed_over=found - len(findings))
        if stale and not paths and not select:
            tell(f"{stale} of the baseline's entries stand for nothing any more; write it anew: --write-baseline {library.configuration.baseline}")  # fmt: skip
        _summarise(said, changed, is_outlook=diff and bool(changed))
        code = exit_code(findings, strict, exit_zero, pending=diff and bool(changed))
        return code or int(strict_external and not exit_zero and leaves_unchecked(findings))

    raise typer.Exit(_watch(root, paths or [], run) if watch else run())


def _write_baseline(library: Library, path: Path, findings: Sequence[Finding]) -> int:
    from add_model.copies.baseline import write_baseline

    path = Path(os.path.abspath(path))
    count = write_baseline(library.root, path, findings)
    relative = os.path.relpath(path, library.root)
    tell(f"wrote {count} findings to {path}")
    if library.configuration.baseline is None:
        tell(f'set them aside with `baseline = "{relative}"` in [tool.add-model] of pyproject.toml')
    return 0


def _propose(library: Library, write: bool) -> int:
    """Shows the configuration that a tree calls for, and writes it if that is asked for."""
    from add_model.copies.proposal import propose, written

    proposed = propose(library)
    if not proposed:
        tell("nothing to configure: every marker is reached without")
        return 0
    # Names of folders are whoever's.
    say_document("\n".join(["[tool.add-model]", *(visible(f"{line.toml}  # {line.why}") for line in proposed)]))
    if write:
        tell(f"wrote {len(proposed)} keys to {written(library, proposed)}")
    else:
        tell("--init --fix writes this to pyproject.toml")
    return 0


def _look_up(base: str, library: Library) -> None:
    """Raises an error where git knows no such commit, which nobody might ask about where no copy differs."""
    from add_model.copies.remembering.history import History

    History(library.root, base).verify()


def _watch(root: Path | None, paths: Sequence[Path], run: Callable[[], int]) -> int:
    """Runs now and after every change of a file that is looked at, until Ctrl-C."""
    from add_model.copies.watch import snapshot

    known: object = None
    try:
        while True:
            try:
                # Taken before the run, so that what is saved meanwhile is seen.
                current = snapshot(library_of(root, paths), paths)
                if current != known:
                    known = current
                    run()
                    tell("watching for changes; Ctrl-C ends")
            except AddModelError as error:
                if known != str(error):
                    known = str(error)
                    tell(f"error: {error}")
            time.sleep(_WATCH_SECONDS)
    except KeyboardInterrupt:
        return 0


def _fix(
    library: Library,
    paths: Sequence[Path],
    force: bool,
    base: str | None,
    write: bool,
    progress: Callable[[int, int], None],
) -> tuple[list[Finding], Counts, list[str]]:
    """What is left, what was looked at, and what was changed, in lines for people."""
    from add_model.copies.fixing.fix import fix
    from add_model.copies.reading.files import relative_path

    fixed = fix(library, paths, force, progress, base)
    done = (
        ("rewrote", "would rewrite", fixed.rewritten, ("copy", "copies")),
        ("merged", "would merge", fixed.merged, ("copy", "copies")),
        ("moved", "would move", fixed.moved, ("marker", "markers")),
        ("mended", "would mend", fixed.mended, ("marker", "markers")),
    )
    changed = [
        f"{past if write else future} {count} {names[count != 1]} in {library.root}"
        for past, future, count, names in done
        if count
    ]
    changed += [f"{relative_path(each.path, library.root)}:{each.line} {each.message}" for each in fixed.dangling]
    if write:
        patch = fixed.write()
        if patch is not None:
            changed.append(f"kept what was replaced and is in no commit: `git apply {shlex.quote(str(patch))}` in {library.root} puts it back")  # fmt: skip
    else:
        say_code(line.removesuffix("\n") for line in fixed.diff())
    return fixed.findings, fixed.counts, changed


def placed(findings: Sequence[Finding], root: Path, output_format: OutputFormat) -> Sequence[Finding]:
    """The findings with the paths that a format has: those of annotations are relative to the repository."""
    if output_format not in (OutputFormat.GITHUB, OutputFormat.SARIF):
        return findings
    root = Path(os.path.realpath(root))
    checkout = os.environ.get("GITHUB_WORKSPACE")
    repositories = [Path(os.path.realpath(checkout))] if checkout else []
    repositories += [folder for folder in (root, *root.parents) if (folder / ".git").exists()]
    top = next((folder for folder in repositories if root.is_relative_to(folder)), root)
    below = root.relative_to(top)
    # A path from outside the library is absolute, and stays so.
    return [finding._replace(path=(below / finding.path).as_posix()) for finding in findings]


def _show(findings: Sequence[Finding], output_format: OutputFormat, statistics: bool, verbose: bool) -> None:
    from add_model import __version__
    from add_model.copies import report

    if output_format is not OutputFormat.TEXT:
        counted = statistics and output_format is OutputFormat.JSON
        text = (
            report.statistics_as_json(findings) if counted else report.DOCUMENTS[output_format](findings, __version__)
        )
        if text:
            say_document(text)
    elif findings:
        from add_model.cli.drawing import draw

        draw(
            *(report.statistics_as_text(findings) if statistics else report.as_text(findings, folds=not verbose)),
            wraps=False,
        )


def _tell_unreadable(findings: Sequence[Finding]) -> None:
    """Names what a diff cannot be made of: its other findings are shown by the diff, or by a run without it."""
    from add_model.copies.finding import Code
    from add_model.copies.report import PlainText, as_text

    for line in as_text([finding for finding in findings if finding.code is Code.CP006], PlainText):
        tell(str(line))


def _summarise(said: str, changed: Sequence[str], is_outlook: bool) -> None:
    for line in changed:
        tell(line)
    *notes, outcome = said.split("\n")
    for line in notes:
        tell(line)
    # What a diff is followed by speaks of the library as --fix would leave it.
    tell(f"{'afterwards: ' if is_outlook else ''}{outcome}")
