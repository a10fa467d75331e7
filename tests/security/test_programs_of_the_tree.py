"""Git and ruff are never those that a tree, the current folder or a relative entry of `PATH` brings along."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from add_model.copies.fixing.merge import merge
from add_model.programs import find_program
from add_model.scaffold import formatting
from add_model.scaffold.formatting import format_files
from tests.cli.commands import add_model_here

from .planted import Marker, write_drifted

PROGRAMS = ("git", "ruff", "git-merge-file", "sh", "python", "python3", "less", "ps")


@pytest.fixture
def marker(tmp_path: Path) -> Marker:
    return Marker(tmp_path / "marker")


def plant_programs(folder: Path, marker: Marker) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in PROGRAMS:
        (folder / name).write_text(f"#!/bin/sh\n{marker.command(name)}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def tree(tmp_path: Path, marker: Marker) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    write_drifted(folder)
    plant_programs(folder, marker)
    plant_programs(folder / "bin", marker)
    return folder


COMMANDS = [
    ("check-copies",),
    ("check-copies", "--diff"),
    ("check-copies", "--fix", "--base", "HEAD"),
    ("references",),
    ("like", "bert", "--name", "new_bert", "--into", ".", "--yes"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("entry", ["", ".", "bin", "./bin", "{tree}", "{tree}/bin", "{tree}/../tree/bin", "{link}"])
def test_a_program_of_the_tree_does_not_run(
    tree: Path, marker: Marker, command: tuple[str, ...], entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tree.parent / "link"
    link.symlink_to(tree / "bin")
    entry = entry.format(tree=tree, link=link)
    monkeypatch.setenv("PATH", os.pathsep.join([entry, os.environ["PATH"]]))
    result = add_model_here(tree, *command)
    assert marker.ran == []
    if command[0] == "check-copies" and "--diff" not in command:
        assert "moved since HEAD" in result.stdout


def test_where_only_the_tree_has_the_programs_there_are_none(
    tree: Path, marker: Marker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", str(tree), str(tree / "bin")]))
    monkeypatch.setitem(sys.modules, "ruff", None)
    result = add_model_here(tree, "check-copies")
    assert result.returncode == 1 and "moved since" not in result.stdout
    texts, said = format_files(tree, {tree / "a.py": "x  =  1\n"})
    assert texts == {tree / "a.py": "x  =  1\n"} and said is not None and "ruff was not found" in said
    assert merge("a\nb\n", "b\n", "a\nc\n", tree).conflicts
    assert marker.ran == []


def test_a_ruff_beside_this_python_is_used_although_it_lies_in_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a library with `.venv` in it; a ruff of any other folder there is not."""
    import ruff

    beside, other = tmp_path / ".venv/bin/ruff", tmp_path / "tools/ruff"
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setenv("PATH", "")
    for place, expected in ((beside, str(beside)), (other, None)):
        monkeypatch.setattr(ruff, "find_ruff_bin", lambda place=place: str(place))
        assert formatting._ruff(tmp_path) == expected


def test_a_program_is_a_file_that_can_be_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir()
    (folders[0] / "program").mkdir()
    (folders[1] / "program").touch()
    (folders[2] / "program").touch(mode=0o755)
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    assert find_program("program", tmp_path / "tree") == str(folders[2] / "program")
    assert find_program("program", tmp_path) is None
    assert find_program("program", Path("/")) is not None
