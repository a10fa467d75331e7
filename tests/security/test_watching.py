"""A watching check of a tree that changes under it into anything: it starts nothing, waits for nothing, and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .planted import Marker, plant, plant_attributes, touch_everything, write_drifted

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pipes and interrupts as Linux has them")


@pytest.fixture
def marker(tmp_path: Path) -> Marker:
    return Marker(tmp_path / "marker")


@pytest.fixture
def tree(tmp_path: Path, marker: Marker) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    write_drifted(folder)
    plant_attributes(folder)
    plant(folder / ".git", marker)
    touch_everything(folder)
    return folder


@pytest.fixture
def watching(tree: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from add_model.cli import script; script()", "check-copies", "--watch"],
        cwd=tree,
        env=os.environ | {f"XDG_{kind}_HOME": str(tmp_path / "home") for kind in ("CACHE", "STATE")},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    guard = threading.Timer(120, process.kill)
    guard.start()
    yield process
    guard.cancel()
    process.kill()
    process.wait()


def next_line(process: subprocess.Popen[str], word: str) -> str:
    """The next line of what is said that holds a word; the process must not have ended before."""
    assert process.stderr is not None
    for line in process.stderr:
        if word in line:
            return line
    raise AssertionError(f"ended without {word!r}")


def test_a_tree_that_turns_hostile_while_it_is_watched(
    tree: Path, watching: subprocess.Popen[str], marker: Marker
) -> None:
    package = tree / "src/my_models"
    assert " errors, " in next_line(watching, "markers checked")
    next_line(watching, "watching for changes")
    # A pipe in the place of a module, links that lead to each other or out, a file of a terabyte, control characters.
    os.mkfifo(package / "pipe.py")
    (package / "one.py").symlink_to("two.py")
    (package / "two.py").symlink_to("one.py")
    (package / "outside.py").symlink_to("/dev/zero")
    (package / "holes.py").touch()
    os.truncate(package / "holes.py", 1 << 40)
    (package / "a\n::error::b.py").write_text("# Copied from my_models.bert.None\ndef f(): ...\n")
    next_line(watching, "watching for changes")
    project = tree / "pyproject.toml"
    project.unlink(missing_ok=True)
    os.mkfifo(project)
    assert "pyproject.toml" in next_line(watching, "is not a regular file")
    project.unlink()
    project.write_text(f"[tool.add-model]\nx = {'[' * 50_000}\n")
    assert len(next_line(watching, "error: ")) < 500
    project.unlink()
    next_line(watching, "watching for changes")
    # The rest of a repository becomes pipes as well.
    (tree / ".git/HEAD").unlink()
    os.mkfifo(tree / ".git/HEAD")
    (package / "vit.py").write_text((package / "vit.py").read_text() + "\n\nx = 1\n")
    next_line(watching, "watching for changes")
    watching.send_signal(signal.SIGINT)
    assert watching.wait() == 0 and watching.stderr is not None
    assert not [line for line in watching.stderr if line.startswith("::error::")]
    assert marker.ran == []
