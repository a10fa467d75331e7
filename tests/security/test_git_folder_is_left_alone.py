"""Nothing below git's own folder is written, moved or deleted, and nothing in it is believed to be the tool's."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from add_model.copies.remembering.written import Written
from tests.cli.commands import add_model_here

from .planted import BERT, git, version_control, write_drifted

pytestmark = pytest.mark.slow


@pytest.fixture
def drifted(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    write_drifted(folder)
    return folder


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def memories(state: Path) -> list[Path]:
    return sorted(state.glob("add-model/written/*.json"))


def move_original(folder: Path, value: int) -> None:
    (folder / "src/my_models/bert.py").write_text(BERT.replace("return 1", f"return {value}"))


def test_a_fix_remembers_what_it_wrote_in_the_users_state_folder(drifted: Path, state: Path) -> None:
    before = version_control(drifted)
    assert add_model_here(drifted, "check-copies", "--fix").returncode == 1
    move_original(drifted, 3)
    again = add_model_here(drifted, "check-copies")
    assert "the original moved since --fix wrote the copy" in again.stdout
    assert version_control(drifted) == before
    (memory,) = memories(state)
    assert memory.stat().st_mode & 0o077 == 0 and memory.parent.stat().st_mode & 0o077 == 0


def test_work_trees_of_one_repository_share_the_memory(drifted: Path, tmp_path: Path, state: Path) -> None:
    git(drifted, "worktree", "add", "-q", str(tmp_path / "linked"))
    before = version_control(drifted)
    for folder in (drifted, tmp_path / "linked"):
        move_original(folder, 2)
        add_model_here(folder, "check-copies", "--fix")
    assert len(memories(state)) == 1 and version_control(drifted) == before


def test_a_memory_that_came_with_the_checkout_is_not_believed(drifted: Path, tmp_path: Path, state: Path) -> None:
    add_model_here(drifted, "check-copies", "--fix")
    (memory,) = memories(state)
    (drifted / ".git/add-model").mkdir()
    memory.rename(drifted / ".git/add-model/written.json")
    move_original(drifted, 3)
    result = add_model_here(drifted, "check-copies")
    assert "since --fix wrote the copy" not in result.stdout
    assert "both sides moved since HEAD" in result.stdout


def number(path: Path) -> None:
    path.write_text("1")


def nested(path: Path) -> None:
    path.write_text("[" * 100_000)


def no_texts(path: Path) -> None:
    path.write_text(json.dumps({"a": 1, "b": None, "c": ["d"]}))


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def endless_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("spoil", [number, nested, no_texts, cut_off, no_text, pipe, folder, endless_device])
def test_a_memory_that_cannot_be_read_is_none(drifted: Path, state: Path, spoil: Callable[[Path], None]) -> None:
    add_model_here(drifted, "check-copies", "--fix")
    (memory,) = memories(state)
    spoil(memory)
    assert not Written(memory).holds("place", "text")
    move_original(drifted, 3)
    assert add_model_here(drifted, "check-copies").returncode == 1
    assert "Traceback" not in add_model_here(drifted, "check-copies", "--fix").stderr


def test_a_model_is_added_and_removed_around_git(drifted: Path) -> None:
    shutil.rmtree(drifted / "src")
    before = version_control(drifted)
    add_model_here(drifted, "like", "bert", "--name", "new_bert", "--into", ".", "--yes")
    assert add_model_here(drifted, "remove", "new_bert").returncode == 0
    assert version_control(drifted) == before
