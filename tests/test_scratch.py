"""Folders for a while: gone at the end, and gone after the next run where one was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from add_model import scratch
from add_model.scratch import scratch_folder

HOLD = "import sys, time; from add_model.scratch import scratch_folder\nwith scratch_folder() as folder:\n    (folder / 'a').write_text('a'); print(folder, flush=True); time.sleep(60)\n"


@pytest.fixture
def above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    scratch._clear.cache_clear()
    return tmp_path


def hold() -> tuple[subprocess.Popen[str], Path]:
    """A process that has a scratch folder, and the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().rstrip("\n"))


def test_a_folder_is_empty_private_and_gone_at_the_end(above: Path) -> None:
    with scratch_folder() as folder:
        assert list(folder.iterdir()) == []
        assert folder.parent.parent == above and folder.parent.stat().st_mode & 0o077 == 0
        (folder / "sub").mkdir()
        (folder / "sub/link").symlink_to(above)
    assert list(above.iterdir()) == []


def test_the_folder_of_a_process_that_was_killed_is_removed_by_the_next_run(above: Path) -> None:
    process, folder = hold()
    try:
        with scratch_folder():
            assert (folder / "a").exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (folder / "a").exists()
        scratch._clear.cache_clear()
        with scratch_folder():
            assert not folder.parent.exists()
    finally:
        process.kill()
        process.wait()
    assert list(above.iterdir()) == []


def test_what_only_goes_by_such_a_name_is_left_alone(above: Path) -> None:
    own = above / "add-model-scratch-of-mine"
    (own / "work").mkdir(parents=True)
    (above / "add-model-scratch-link").symlink_to(above)
    os.mkfifo(above / "add-model-scratch-pipe")
    before = sorted(above.rglob("*"))
    with scratch_folder():
        pass
    assert sorted(above.rglob("*")) == before
