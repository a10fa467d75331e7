"""`add-model` without a terminal, in a process of its own or in this one, and whole trees to compare."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import NamedTuple

import add_model

SOURCES = Path(add_model.__file__).parents[1]


class Entry(NamedTuple):
    """What a tree holds at a path: everything that a run which touches nothing leaves alone."""

    content: bytes | None
    mode: int
    modified: int


Tree = Mapping[str, Entry]
Contents = Mapping[str, bytes | None]
Result = subprocess.CompletedProcess[str]
Command = Callable[..., Result]


def run(command: list[str], folder: Path) -> Result:
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
    return subprocess.run(
        command,
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(SOURCES), "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )


def add_model_process(folder: Path, *arguments: str) -> Result:
    """Runs `add-model` as a process of its own."""
    return run([sys.executable, "-m", "add_model", *arguments], folder)


def add_model_here(folder: Path, *arguments: str) -> Result:
    """Runs `add-model` in this process, which is many times faster: everything it needs is imported already."""
    from add_model.cli import main

    stdout, stderr, before = io.StringIO(), io.StringIO(), os.getcwd()
    argv, stdin, code = sys.argv, sys.stdin, None
    path, loaded = list(sys.path), dict(sys.modules)
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr), open(os.devnull) as nothing:
        try:
            os.chdir(folder)
            sys.argv, sys.stdin = ["add-model", *arguments], nothing
            main()
        except SystemExit as end:
            code = end.code
        finally:
            os.chdir(before)
            sys.argv, sys.stdin = argv, stdin
            # A library of the same name may have been there before; what has taken its place is new as well.
            forget_modules({name for name, module in sys.modules.items() if loaded.get(name) is not module}, folder)
            sys.path[:] = path
    return subprocess.CompletedProcess(arguments, int(code or 0), stdout.getvalue(), stderr.getvalue())


def forget_modules(names: Set[str], folder: Path) -> None:
    """Forgets the modules of these names that are in this folder: the next test has others of the same name."""
    for name in names:
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None and Path(file).is_relative_to(folder):
            del sys.modules[name]


def done(folder: Path, *arguments: str, command: Command = add_model_here) -> str:
    """Runs `add-model like`, which must succeed without a word on stderr; returns its stdout."""
    result = command(folder, "like", *arguments)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout


def refused(folder: Path, *arguments: str, naming: tuple[str, ...], command: Command = add_model_here) -> str:
    """Runs `add-model like` with bad input; returns the error line.

    It must exit with 2, print one line that holds every text of `naming`, and leave the folder untouched.
    """
    before = tree(folder)
    result = command(folder, "like", *arguments)
    check_refusal(result, naming)
    assert tree(folder) == before
    return result.stderr


def check_refusal(result: Result, naming: tuple[str, ...]) -> None:
    assert result.returncode == 2, (result.returncode, result.stdout, result.stderr)
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
    missing = [text for text in naming if text not in lines[0]]
    assert not missing, f"{missing} not in {lines[0]}"


def tree(folder: Path) -> Tree:
    """Every path below the folder, and the folder itself."""
    return {path.relative_to(folder).as_posix(): _entry(path) for path in (folder, *folder.rglob("*"))}


def contents(folder: Path) -> Contents:
    """The bytes of every file below the folder, by path; `None` for a folder."""
    return {path: entry.content for path, entry in tree(folder).items() if path != "."}


def _entry(path: Path) -> Entry:
    status = path.lstat()
    if path.is_symlink():
        return Entry(os.fsencode(os.readlink(path)), status.st_mode, status.st_mtime_ns)
    return Entry(path.read_bytes() if path.is_file() else None, status.st_mode, status.st_mtime_ns)
