"""Terminal sessions that a page shows: taken from its text, typed into a shell, and held against what is printed."""

from __future__ import annotations

import difflib
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

# Stands on a line of its own for any number of lines that a page leaves out.
LEFT_OUT = "..."
_MARK = "-- end of what that printed: exit code "
_PROGRESS_BAR = re.compile(r"\d+%\|.*\|")
_TOLERATED = (
    (re.compile(r"\b\d+\.\d+ ?s\b( \(\d+:\d\d:\d\d\))?"), "… s"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b"), "… UTC"),
)


class Step(NamedTuple):
    """A command that a page shows, and what it shows of the output; or a file that it shows, to be saved by its name."""

    command: str
    output: str = ""


def steps(page: str) -> Iterator[Step]:
    """What a reader types and saves on the way through a page, from its top to its bottom.

    A `console` block holds commands behind `$ `, each with its output; a `python` block whose first line is a comment
    with a file's name is that file.
    """
    for kind, block in re.findall(r"^```(console|python)\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        if kind == "console":
            for part in re.split(r"(?m)^\$ ", block)[1:]:
                command, _, output = part.partition("\n")
                yield Step(command, output.rstrip())
        elif name := re.match(r"# (\w+\.py)\b", block):
            yield Step(f"printf %s {shlex.quote(block)} > {name[1]}")


def section(page: str, title: str) -> str:
    """The text below a heading of the second level."""
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def typed(commands: Iterable[str], folder: Path, environment: Mapping[str, str]) -> list[tuple[str, int]]:
    """What each of some commands prints, and how it ends, typed one after the other into one shell.

    Messages come in between the output as they come in a terminal; the shell keeps its folder and its variables.
    """
    script = ["exec 2>&1"]
    for command in commands:
        # The code is given back to the next command: a page may show `echo $?`.
        script += [command, f'code=$?; printf "\\n%s%s\\n" {shlex.quote(_MARK)} $code; (exit $code)']
    process = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    parts = re.split(rf"\n{re.escape(_MARK)}(\d+)\n", process.stdout)
    return [(output, int(code)) for output, code in zip(parts[0::2], parts[1::2], strict=False)]


def mismatch(step: Step, printed: str, code: int) -> str | None:
    """How what was printed differs from what the page shows: as lines of a diff, or nothing.

    Times are equal to each other, progress bars are not looked at. Of a command of which nothing is shown, nothing may be
    printed, and it has to end well.
    """
    wanted, found = _comparable(step.output), _comparable(printed)
    pattern = "".join(r"(?:.*\n)*?" if line == LEFT_OUT else re.escape(f"{line}\n") for line in wanted)
    if re.fullmatch(pattern, "".join(f"{line}\n" for line in found)) and (step.output or code == 0):
        return None
    difference = difflib.unified_diff(wanted, found, "shown", "printed", lineterm="", n=99)
    return "\n".join([f"$ {step.command}", *difference, f"exit code {code}", ""])


def _comparable(text: str) -> list[str]:
    text = "\n".join(line for line in text.splitlines() if not _PROGRESS_BAR.search(line)).strip("\n")
    for pattern, instead in _TOLERATED:
        text = pattern.sub(instead, text)
    return text.splitlines()
