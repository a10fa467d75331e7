"""A caller that has closed one of the streams, as schedulers and daemons do, or whose output finds no room."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .commands import SOURCES, Result, add_model_process, contents

pytestmark = pytest.mark.slow

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


@pytest.fixture(scope="module")
def usually(made_library: Path) -> Callable[..., Result]:
    """What a command says with every stream open; asked once."""
    return functools.cache(lambda *arguments: add_model_process(made_library, *arguments))


@pytest.mark.parametrize("stream", CLOSED)
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_closed_stream_changes_nothing(
    made_library: Path, usually: Callable[..., Result], stream: str, arguments: tuple[str, ...]
) -> None:
    usual = usually(*arguments)
    command = ["sh", "-c", f'exec "$@" {CLOSED[stream]}', "sh", sys.executable, "-m", "add_model", *arguments]
    run = subprocess.run(command, cwd=made_library, env={"PYTHONPATH": str(SOURCES)}, capture_output=True, text=True)
    assert run.returncode == usual.returncode, run.stderr
    assert "Traceback" not in run.stderr
    if stream == "stdin" and "check-copies" not in arguments:
        assert (run.stdout, run.stderr) == (usual.stdout, usual.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("option", ["--yes", "--json"])
def test_what_was_done_is_said_where_its_summary_finds_no_room(library: Path, option: str) -> None:
    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "add_model", *arguments]
        with open("/dev/full", "w") as full:
            done = subprocess.run(command, cwd=library, env={"PYTHONPATH": str(SOURCES)}, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True)  # fmt: skip
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        return line

    before = contents(library)
    assert "written" not in run("like", "gpt2", "--name", "wren", option, "--dry-run")
    assert contents(library) == before
    assert "wren was written, but the summary cannot be shown: No space left" in run("like", "gpt2", "--name", "wren", option)  # fmt: skip
    assert (library / "src/my_models/models/wren").is_dir()
    assert "wren was removed, but the summary cannot be shown" in run("remove", "wren")
    assert contents(library) == before
