"""A recording that is cut off leaves no unfinished file, or one that the next recording clears away."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from add_model.porting.recording.writer import RecordingWriter

_CUT_OFF = """
import os, signal, sys
from pathlib import Path
from add_model.porting.recording import writer as recording_writer
if sys.argv[2] == "named":
    recording_writer.nameless_file = lambda folder: None
writer = recording_writer.RecordingWriter(Path(sys.argv[1]))
writer.add("F32", [1000], memoryview(bytes(4000)))
print("written", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def cut_off(path: Path, how: str) -> None:
    run = subprocess.run([sys.executable, "-c", _CUT_OFF, str(path), how], capture_output=True, text=True)
    assert run.returncode == -signal.SIGKILL and run.stdout == "written\n", run.stderr


def finish(path: Path) -> None:
    writer = RecordingWriter(path)
    writer.add("F32", [1000], memoryview(bytes(4000)))
    writer.finish({})


@pytest.mark.skipif(sys.platform != "linux", reason="files without a name are Linux's")
def test_a_killed_recording_leaves_nothing(tmp_path: Path) -> None:
    cut_off(tmp_path / "one.safetensors", "nameless")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="kills")
def test_where_files_have_names_the_next_recording_clears_what_a_killed_one_left(tmp_path: Path) -> None:
    cut_off(tmp_path / "one.safetensors", "named")
    (left,) = tmp_path.iterdir()
    alive = tmp_path / f".three.safetensors.add-model-{os.getppid()}.part"
    alive.touch()
    others = [tmp_path / ".one.part", tmp_path / ".a.add-model-x.part"]
    for path in others:
        path.touch()
    link = tmp_path / left.name.replace("one", "link")
    link.symlink_to(alive)
    finish(tmp_path / "two.safetensors")
    assert {path.name for path in tmp_path.iterdir()} == {
        "two.safetensors",
        alive.name,
        link.name,
        *(path.name for path in others),
    }


def test_a_recording_takes_the_place_of_another_under_a_long_name(tmp_path: Path) -> None:
    path = tmp_path / f"{'a' * 200}.safetensors"
    for _ in range(2):
        finish(path)
        assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
