"""What README.md shows of a terminal is what the commands print, one after the other in one library."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.cli.commands import SOURCES

README = (Path(__file__).parents[1] / "README.md").read_text()
# Those of the commands that need neither torch nor a checkout of Transformers.
FIRST = "Add a model"
LATER = ("Port the weights, and find what differs", "Keep the copies honest")
RUN_LATER = ("sed ", "add-model check-copies")


def shown(section: str) -> Iterator[tuple[str, str]]:
    """Every command that a section of README.md shows, with what it prints."""
    text = README.split(f"\n## {section}\n")[1].split("\n## ")[0]
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"(?m)^\$ ", block)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.rstrip()


def printed(command: str, folder: Path, commands: Path) -> str:
    """What a command prints in a shell, its messages after its findings."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(SOURCES),
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "XDG_STATE_HOME": str(commands.parent / "state"),
    }
    environment.pop("FORCE_COLOR", None)
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ).stdout.rstrip()


def without_times(text: str) -> str:
    return re.sub(r"\b\d+\.\d+ s\b", "… s", text)


def test_what_readme_shows_is_what_is_printed(tmp_path: Path) -> None:
    command = tmp_path / "bin" / "add-model"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m add_model "$@"\n')
    command.chmod(0o755)
    working = tmp_path / "working"
    working.mkdir()
    first, output = next(shown(FIRST))
    assert printed(first, working, command.parent) == output
    later = [entry for section in LATER for entry in shown(section) if entry[0].startswith(RUN_LATER)]
    assert len(later) >= 4
    for line, output in later:
        assert without_times(printed(line, working / "my_models", command.parent)) == without_times(output), line
