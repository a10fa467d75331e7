"""What the steps of a port read of a tree: no file of it takes longer than what is on the disk, or waits for anybody."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from add_model.errors import AddModelError
from add_model.porting.evidence import Evidence, fingerprint, make, step_of, store
from add_model.porting.model.documented import parse
from add_model.porting.recording.running import _functions
from add_model.transaction import Change, write_files
from tests.cli.commands import add_model_here

if sys.platform != "linux":
    pytest.skip("pipes and holes as Linux has them", allow_module_level=True)


def hole(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.truncate(path, 1 << 42)
    return path


@pytest.fixture
def library(tmp_path: Path) -> Path:
    assert add_model_here(tmp_path, "like", "bert", "--name", "first_bert", "--into", "lib", "--yes").returncode == 0
    return tmp_path / "lib"


def test_evidence_that_rests_on_a_hole_is_refused_in_one_line(library: Path) -> None:
    hole(library / "weights.safetensors")
    store(
        library,
        "first_bert",
        Evidence("recording", step_of("recording"), "2026-01-01", True, "", {"weights.safetensors": "0" * 64}),
    )
    result = add_model_here(library, "status", "first_bert")
    assert result.returncode == 2
    assert result.stderr.splitlines() == [f"error: {library}/weights.safetensors: cannot be read: is nearly all holes, as no file is that somebody has written"]  # fmt: skip


def test_a_file_that_somebody_has_written_is_read_whatever_its_size(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    with open(path, "wb") as file:
        file.write(bytes(12 << 20))
        # Some file systems leave out what is nothing.
        file.truncate(1 << 30)
    assert len(fingerprint(path)) == 64


def test_what_stands_in_the_place_of_evidence_is_not_read_without_end(library: Path) -> None:
    kept = make(library, "recording", passed=True, figure="")
    path = hole(library / ".add-model/models/first_bert/evidence/recording.json")
    with pytest.raises(AddModelError, match="is larger than 4 MB; remove it and run again"):
        store(library, "first_bert", kept)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(AddModelError, match="is not a regular file; remove it and run again"):
        store(library, "first_bert", kept)


@pytest.mark.parametrize("make_odd", [os.mkfifo, hole], ids=["pipe", "hole"])
@pytest.mark.parametrize("content", [b"new", None])
def test_what_came_into_the_place_of_a_file_meanwhile_is_not_read_without_end(make_odd, content, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # fmt: skip
    path = tmp_path / "module.py"
    make_odd(path)
    with pytest.raises(AddModelError, match=r"module\.py: cannot be written: is (not a regular file|larger than 16 MB); nothing was changed"):  # fmt: skip
        write_files(tmp_path, [Change(path, content, b"old")])
    assert os.path.lexists(path)


@pytest.mark.parametrize("text", ["(" * 100_000, "-" * 500_000 + "1", "1" + " + 1" * 120_000, "a" + ".a" * 200_000])
def test_a_module_without_bottom_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "modeling.py"
    path.write_text(f"x = {text}\n")
    with pytest.raises(AddModelError) as caught:
        parse(path)
    assert str(caught.value).startswith(str(path)) and "does not parse" in str(caught.value)
    assert _functions(path) == []
