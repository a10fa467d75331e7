"""`check-copies` as hooks, editors and CI call it, without the libraries that read options and draw on terminals.

It understands a few plain ways of asking for a check, and answers them with the same functions, and so in the same
words, as the command itself. Everything else, wrong options included, it leaves to the command.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from add_model.values import NamedTuple

_SWITCHES = {"--no-cache", "--strict", "--exit-zero"}
# With one of these set, somebody wants colours where no terminal is, or completion instead of a run.
_SPECIAL_ENVIRONMENT = ("FORCE_COLOR", "TTY_COMPATIBLE", "_ADD_MODEL_COMPLETE")


class _Request(NamedTuple):
    paths: list[Path]
    root: Path | None
    switches: set[str]


def check_copies_quickly(arguments: Sequence[str]) -> int | None:
    """Runs a plain check; the exit code, or `None` where it is not asked for plainly, and nothing has been done.

    Raises:
        AddModelError: what is asked for is no library.
    """
    request = _read(arguments)
    if request is None or sys.stdout.isatty() or any(name in os.environ for name in _SPECIAL_ENVIRONMENT):
        return None
    # What a check keeps, it keeps until its end; looking for rubbish costs a tenth of its time.
    gc.disable()
    try:
        return _run(request)
    finally:
        gc.enable()


def _run(request: _Request) -> int | None:
    from add_model.cli.checking import check, exit_code, failure, library_of
    from add_model.cli.progress import Progress
    from add_model.state import staging_folders

    started = time.monotonic()
    library = library_of(request.root, request.paths)
    if staging_folders(library.root):
        return None  # the command says so
    if library.configuration.per_file_ignores or library.configuration.baseline is not None:
        return None  # the command passes some findings over
    recalled = None
    switches = ("--strict" in request.switches, "--exit-zero" in request.switches)
    if not request.paths and "--no-cache" not in request.switches:
        from add_model.copies.remembering.recall import cache_folder, recall, timed

        recalled = recall(library, cache_folder(), in_full=False)
        if recalled.answer is not None:
            text, outcome, errors, warnings = recalled.answer
            if _is_read(text):
                print(timed(outcome, time.monotonic() - started), file=sys.stderr)
                return failure(errors, warnings, *switches)
            return 1
    from add_model.copies.report import PlainText, as_text, summary

    progress = Progress(enabled=sys.stderr.isatty())
    with progress:
        cached = "--no-cache" not in request.switches
        findings, counts = check(library, request.paths, cached, progress.advance, recalled=recalled)
    if not _is_read("".join(f"{line}\n" for line in as_text(findings, PlainText, folds=True))):
        return 1
    print(summary(findings, counts, time.monotonic() - started), file=sys.stderr)
    return exit_code(findings, *switches)


def _is_read(text: str) -> bool:
    """Prints findings; whether somebody is there to read them."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough; the interpreter must not find that out once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return False
    return True


def _read(arguments: Sequence[str]) -> _Request | None:
    if not arguments or arguments[0] != "check-copies":
        return None
    request = _Request([], None, set())
    rest = iter(arguments[1:])
    for argument in rest:
        if argument in _SWITCHES:
            request.switches.add(argument)
        elif argument == "--root":
            root = next(rest, "")
            if not root or root.startswith("-"):
                return None
            request = request._replace(root=Path(root))
        elif argument and not argument.startswith("-"):
            request.paths.append(Path(argument))
        else:
            return None
    return request
