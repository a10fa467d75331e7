"""Where the commands of a port write: never below a folder of version control, nor through a link out of this folder."""

import os
import shutil
from pathlib import Path

import pytest

from add_model.porting.checkpoints.staged import remove_leftovers, staged_folder
from tests.cli.commands import add_model_here, contents
from tests.porting.foreign_checkpoints import GPT2, write_safetensors
from tests.security.hostile_ports import call, recording

SCRIPT = """
import torch

def make():
    return torch.nn.Linear(2, 2), torch.ones(1, 2)
"""
# The option that says where each command writes, as it is typed before the place.
WRITING = {
    "convert": ("convert", "zoo:gpt2", "original", "--out"),
    "suggest": ("convert", "zoo:gpt2", "original", "--suggest", "--rules"),
    "record": ("record", "run.py:make", "--out"),
    "compare": ("compare", "a.safetensors", "a.safetensors", "--html"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "here"
    here.mkdir()
    write_safetensors(GPT2, here / "original")
    (here / "run.py").write_text(SCRIPT)
    (here / "a.safetensors").write_bytes(recording([call()]))
    for name in (".git/hooks", ".hg", ".svn", ".jj"):
        (here / name).mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (here / "linked").symlink_to("../elsewhere")
    (here / "link_into_git").symlink_to(".git/hooks")
    return here


def refused(folder: Path, *arguments: str) -> str:
    before = contents(folder.parent)
    result = add_model_here(folder, *arguments)
    assert result.returncode == 2, (result.stdout, result.stderr)
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert contents(folder.parent) == before
    return lines[0]


@pytest.mark.parametrize("place", [".git/made", ".git/hooks/made", ".hg/made", ".svn/made", ".jj/made", ".GIT/made", "link_into_git/made"])  # fmt: skip
@pytest.mark.parametrize("command", WRITING)
def test_nothing_is_written_into_version_control(folder: Path, command: str, place: str) -> None:
    assert "version control" in refused(folder, *WRITING[command], place)


@pytest.mark.parametrize("command", WRITING)
def test_nothing_is_written_through_a_link_out_of_the_folder(folder: Path, command: str) -> None:
    said = refused(folder, *WRITING[command], "linked/made")
    assert "linked/made: leads through a link" in said and "out of this folder" in said


def test_the_default_place_of_a_conversion_may_be_no_link_out(folder: Path) -> None:
    (folder / "converted").symlink_to("../elsewhere")
    assert "leads through a link" in refused(folder, "convert", "zoo:gpt2", "original")


@pytest.mark.parametrize("command", WRITING)
def test_a_pipe_is_not_replaced(folder: Path, command: str) -> None:
    os.mkfifo(folder / "pipe")
    refused(folder, *WRITING[command], "pipe")
    assert (folder / "pipe").is_fifo()


def test_a_path_from_the_root_of_the_file_system_may_be_a_link(folder: Path) -> None:
    (folder.parent / "own").symlink_to("elsewhere")
    result = add_model_here(folder, *WRITING["compare"], str(folder.parent / "own" / "page.html"))
    assert result.returncode == 0, result.stderr
    assert (folder.parent / "elsewhere" / "page.html").is_file()


def test_a_page_is_written_whole_or_not_at_all(folder: Path) -> None:
    (folder / "page.html").write_text("before")
    os.chmod(folder / "page.html", 0o640)
    assert add_model_here(folder, *WRITING["compare"], "page.html").returncode == 0
    assert (folder / "page.html").read_text().endswith("</html>\n")
    assert (folder / "page.html").stat().st_mode & 0o777 == 0o640
    assert not [path for path in folder.iterdir() if path.name.endswith(".part")]
    assert "cannot be written" in refused(folder, *WRITING["compare"], "missing/page.html")


def test_a_recording_does_not_choose_where_evidence_is_kept(folder: Path) -> None:
    library = folder.parent / "elsewhere"
    model = {"class": "M", "name": "bert", "library": str(library), "files": {}}
    (folder / "new.safetensors").write_bytes(recording([call()], model=model))
    result = add_model_here(folder, "compare", "a.safetensors", "new.safetensors")
    assert result.returncode == 0 and "not kept as evidence" in result.stderr
    assert not list(library.iterdir())


def test_evidence_is_not_kept_through_a_link(folder: Path) -> None:
    from add_model.errors import AddModelError
    from add_model.porting.evidence import forget, make, store

    (folder / ".add-model" / "models").mkdir(parents=True)
    (folder / ".add-model" / "models" / "bert").symlink_to("../../../elsewhere")
    (folder.parent / "elsewhere" / "evidence").mkdir()
    (folder.parent / "elsewhere" / "evidence" / "note-3.json").write_text("theirs")
    with pytest.raises(AddModelError):
        store(folder, "bert", make(folder, "docs", passed=True, figure="fine"))
    with pytest.raises(AddModelError):
        forget(folder, "bert", "note-3")
    assert (folder.parent / "elsewhere" / "evidence" / "note-3.json").read_text() == "theirs"


def cut_off(target: Path) -> None:
    """What a process leaves that is killed in the middle of the swap: the old folder aside, the new one not in place."""
    over = 2**22 + 1  # no process has such a number
    os.rename(target, target.with_name(f".{target.name}.add-model-{over}.before.abc"))
    shutil.copytree(target.parent / "original", target.with_name(f".{target.name}.add-model-{over}.xyz"))


def test_a_refused_run_puts_back_what_a_killed_one_had_put_aside(folder: Path) -> None:
    assert add_model_here(folder, *WRITING["convert"], "new").returncode == 0
    before = contents(folder / "new")
    cut_off(folder / "new")
    (folder / "rules.toml").write_text('[[drop]]\nfrom = "nothing"\nreason = "none"\n')
    result = add_model_here(folder, *WRITING["convert"], "new", "--force", "--rules", "rules.toml")
    assert result.returncode == 2
    assert "note: " in result.stderr and "new: a run that was cut off had put it aside" in result.stderr
    assert contents(folder / "new") == before
    assert [path.name for path in folder.iterdir() if path.name.startswith(".new")] == []


def test_what_a_link_or_an_odd_name_says_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").write_text("kept")
    names = [f".new.add-model-{2**22 + 1}.before.a", ".new.add-model-99999999999999999999.b", ".new.add-model-²."]
    (tmp_path / names[0]).symlink_to("theirs")
    for name in names[1:]:
        (tmp_path / name).mkdir()
    assert remove_leftovers(tmp_path / "new") is None
    assert all((tmp_path / name).exists() for name in names) and not (tmp_path / "new").exists()
    with staged_folder(tmp_path / "new") as staged:
        staged.create("file").write(b"new")
    assert (tmp_path / "new" / "file").read_bytes() == b"new"
    assert (tmp_path / "theirs" / "file").read_text() == "kept"
