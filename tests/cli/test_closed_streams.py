"""A caller that has closed one of the streams, as schedulers and daemons do: the command works as with any other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .commands import SOURCES, add_model_process

CLOSED = {"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-", "all of them": "<&- >&- 2>&-"}
COMMANDS = [
    ("like", "gpt2", "--name", "wren", "--dry-run", "--yes"),
    ("like", "gpt2", "--name", "wren", "--dry-run", "--json"),
    ("like", "no_such_model", "--name", "wren"),
    ("references",),
    ("check-copies",),
    ("check-copies", "--statistics"),
    ("status", "brand_new_bert"),
    ("remove", "brand_new_bert", "--dry-run"),
]


@pytest.mark.parametrize("stream", CLOSED)
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_closed_stream_changes_nothing(made_library: Path, stream: str, arguments: tuple[str, ...]) -> None:
    usual = add_model_process(made_library, *arguments)
    command = ["sh", "-c", f'exec "$@" {CLOSED[stream]}', "sh", sys.executable, "-m", "add_model", *arguments]
    run = subprocess.run(command, cwd=made_library, env={"PYTHONPATH": str(SOURCES)}, capture_output=True, text=True)
    assert run.returncode == usual.returncode, run.stderr
    assert "Traceback" not in run.stderr
    if stream == "stdin" and "check-copies" not in arguments:
        assert (run.stdout, run.stderr) == (usual.stdout, usual.stderr)
