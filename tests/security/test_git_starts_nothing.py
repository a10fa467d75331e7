"""A repository that came with the tree starts nothing, whatever its configuration, its hooks and its attributes say."""

from __future__ import annotations

import os
import shutil
import stat
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from add_model.copies.remembering.history import History, uncommitted
from tests.cli.commands import add_model_here

from .planted import Marker, git, plant, plant_attributes, touch_everything, version_control, write_drifted


@pytest.fixture
def marker(tmp_path: Path) -> Marker:
    return Marker(tmp_path / "marker")


@pytest.fixture(params=["this git", "an older git"])
def version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older git knows no word of what newer ones offer against this: it must not be all that holds."""
    if request.param == "an older git":
        monkeypatch.setattr("add_model.git._SAFELY", {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"})
        monkeypatch.setattr("add_model.git._EXPLICITLY", ())
        monkeypatch.setattr("add_model.git._WITHOUT_SETTINGS", {"GIT_CONFIG_NOSYSTEM": "1"})


@pytest.fixture
def drifted(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    write_drifted(folder)
    return folder


def planted(folder: Path, marker: Marker) -> Path:
    plant_attributes(folder)
    plant(folder / ".git", marker)
    touch_everything(folder)
    return folder


COMMANDS = [
    ("check-copies", "."),
    ("check-copies", "--diff"),
    ("check-copies", "--fix"),
    ("check-copies", "--fix", "--force"),
    ("check-copies", "--base", "HEAD"),
    ("check-copies", "--base", ":/All of it"),
    ("check-copies", "--base", "HEAD@{0}"),
    ("check-copies", "--output-format", "sarif"),
    ("references",),
    ("like", "bert", "--name", "new_bert", "--into", ".", "--yes"),
    ("remove", "new_bert"),
    ("status", "new_bert"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_planted_configuration_starts_nothing(drifted: Path, marker: Marker, command: tuple[str, ...]) -> None:
    planted(drifted, marker)
    before = version_control(drifted)
    result = add_model_here(drifted, *command)
    assert marker.ran == []
    assert version_control(drifted) == before, result


@pytest.mark.usefixtures("version")
def test_the_check_of_a_planted_repository_still_tells_which_side_moved(drifted: Path, marker: Marker) -> None:
    planted(drifted, marker)
    result = add_model_here(drifted, "check-copies")
    assert "both sides moved since HEAD" in result.stdout
    assert "the original moved since HEAD" in result.stdout
    assert marker.ran == []


def test_what_is_not_committed_is_told_without_a_filter(drifted: Path, marker: Marker) -> None:
    planted(drifted, marker)
    before = version_control(drifted)
    names = [Path(name).name for name in uncommitted(drifted)]
    assert sorted(names) == ["bert.py", "deit2.py", "vit.py"]
    assert marker.ran == [] and version_control(drifted) == before


@pytest.mark.usefixtures("version")
def test_a_blob_that_is_missing_is_not_fetched(drifted: Path, marker: Marker) -> None:
    identity = git(drifted, "rev-parse", "HEAD:src/my_models/vit.py").strip()
    blob = drifted / ".git/objects" / identity[:2] / identity[2:]
    blob.unlink()
    planted(drifted, marker)
    result = add_model_here(drifted, "check-copies")
    assert result.returncode == 1 and marker.ran == []


@pytest.mark.usefixtures("version")
def test_a_commit_that_is_missing_is_not_fetched(drifted: Path, marker: Marker) -> None:
    identity = git(drifted, "rev-parse", "HEAD").strip()
    (drifted / ".git/objects" / identity[:2] / identity[2:]).unlink()
    planted(drifted, marker)
    result = add_model_here(drifted, "check-copies")
    assert result.returncode == 1 and "moved since" not in result.stdout and marker.ran == []


@pytest.mark.slow
@pytest.mark.parametrize("work_tree", [".", "..", ""])
@pytest.mark.usefixtures("version")
def test_a_bare_repository_in_a_subfolder_is_none(tmp_path: Path, marker: Marker, work_tree: str) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    write_drifted(folder)
    plant_attributes(folder)
    below = folder / "part"
    for name in ("HEAD", "objects", "refs", "index", "logs"):
        source, target = folder / ".git" / name, below / name
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    shutil.copytree(folder / "src", below / "src")
    plant(below, marker, work_tree=work_tree)
    shutil.rmtree(folder / ".git")
    touch_everything(folder)
    (folder / "pyproject.toml").write_text("[tool.add-model]\n")
    (below / "pyproject.toml").write_text("[tool.add-model]\n")
    for command in COMMANDS[:5]:
        add_model_here(below, *command)
    uncommitted(below)
    assert marker.ran == []


@pytest.mark.usefixtures("version")
def test_a_repository_within_the_tree_starts_nothing(drifted: Path, marker: Marker) -> None:
    """As a submodule, which git looks into with a process of its own, and its own configuration."""
    nested = drifted / "src/nested"
    write_drifted(nested)
    (nested / ".gitattributes").write_text("")
    git(drifted, "-c", "advice.addEmbeddedRepo=false", "add", "src/nested")
    plant_attributes(nested)
    plant(nested / ".git", marker)
    touch_everything(drifted)
    before = version_control(drifted)
    add_model_here(drifted, "check-copies")
    add_model_here(drifted, "check-copies", "--diff")
    uncommitted(drifted)
    History(drifted).content(drifted / "src/my_models/deit2.py")
    assert marker.ran == [] and version_control(drifted) == before


def test_a_linked_work_tree_starts_nothing(drifted: Path, tmp_path: Path, marker: Marker) -> None:
    git(drifted, "worktree", "add", "-q", str(tmp_path / "linked"))
    linked = tmp_path / "linked"
    bert = linked / "src/my_models/bert.py"
    bert.write_text(bert.read_text().replace("return 1", "return 2"))
    plant_attributes(linked)
    plant(drifted / ".git", marker)
    folder = drifted / ".git/worktrees/linked"
    (folder / "config.worktree").write_text(f'[core]\n\tfsmonitor = "{marker.command("worktree")}"\n')
    config = drifted / ".git/config"
    config.write_text(config.read_text().replace("[extensions]", "[extensions]\n\tworktreeConfig = true"))
    touch_everything(linked)
    result = add_model_here(linked, "check-copies")
    assert result.stdout.count("the original moved since HEAD") == 2
    uncommitted(linked)
    assert marker.ran == []


def test_what_the_surroundings_tell_git_to_start_is_not_started(
    drifted: Path, marker: Marker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_EDITOR", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_PROXY_COMMAND"):  # fmt: skip
        monkeypatch.setenv(name, marker.command(name))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(tmp_path / "trace2"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor'='{marker.command('parameters')}'")
    touch_everything(drifted)
    result = add_model_here(drifted, "check-copies")
    uncommitted(drifted)
    assert "both sides moved since HEAD" in result.stdout
    assert marker.ran == []
    assert not (tmp_path / "trace").exists() and not (tmp_path / "trace2").exists()


@pytest.mark.usefixtures("version")
def test_the_users_own_filters_are_not_run_on_a_foreign_tree(
    drifted: Path, marker: Marker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A filter that is well known, such as that for large files, takes further commands from the tree that it is run in."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f'[filter "planted"]\n\tclean = "{marker.command("clean")}"\n')
    monkeypatch.setenv("HOME", str(home))
    plant_attributes(drifted)
    touch_everything(drifted)
    add_model_here(drifted, "check-copies", "--diff")
    uncommitted(drifted)
    History(drifted).content(drifted / "src/my_models/deit2.py")
    assert marker.ran == []


def no_change(config: Path) -> None:
    pass


def rubbish(config: Path) -> None:
    config.write_text("[core\nrubbish")


def pipe(config: Path) -> None:
    config.unlink()
    os.mkfifo(config)


def includes_a_pipe(config: Path) -> None:
    os.mkfifo(config.with_name("pipe"))
    config.write_text(config.read_text() + "[include]\n\tpath = pipe\n")


def elsewhere(config: Path) -> None:
    config.write_text(config.read_text() + "[core]\n\tworktree = /etc\n")


def unreadable(config: Path) -> None:
    config.unlink()
    config.symlink_to("config")


@pytest.mark.parametrize("change", [no_change, rubbish, pipe, includes_a_pipe, elsewhere, unreadable])
def test_gits_configuration_of_the_tree_is_not_so_much_as_read(drifted: Path, change: Callable[[Path], None]) -> None:
    change(drifted / ".git/config")
    result = add_model_here(drifted, "check-copies")
    assert "both sides moved since HEAD" in result.stdout and "the original moved since HEAD" in result.stdout
    assert uncommitted(drifted)[-1] == "src/my_models/vit.py"


@pytest.mark.parametrize("name", ["HEAD", "index", "packed-refs", "shallow", "commondir"])
def test_a_pipe_in_place_of_a_file_of_git_holds_nothing_up(drifted: Path, name: str) -> None:
    path = drifted / ".git" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    assert add_model_here(drifted, "check-copies").returncode == 1
    uncommitted(drifted)
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_file_that_git_holds_of_any_size_is_not_unpacked(tmp_path: Path) -> None:
    """A gigabyte of nothing takes a megabyte of a repository; here it is a tenth of that."""
    folder = tmp_path / "tree"
    folder.mkdir()
    write_drifted(folder)
    text = (folder / "src/my_models/vit.py").read_text()
    (folder / "src/my_models/vit.py").write_text(text + "\n" * 100_000_000)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Nothing, at length")
    (folder / "src/my_models/vit.py").write_text(text)
    tracemalloc.start()
    history = History(folder)
    history.load([folder / "src/my_models" / name for name in ("bert.py", "vit.py")])
    assert history.content(folder / "src/my_models/vit.py") is None
    assert history.content(folder / "src/my_models/bert.py") is not None and not history.is_cut_short
    assert tracemalloc.get_traced_memory()[1] < 80_000_000
    tracemalloc.stop()
    assert add_model_here(folder, "check-copies").returncode == 1


def test_where_git_knows_too_much_to_tell_what_was_edited_nothing_is_fixed(
    drifted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {path: path.read_bytes() for path in drifted.rglob("*.py")}
    monkeypatch.setattr("add_model.copies.remembering.history._KEPT", 0)
    result = add_model_here(drifted, "check-copies", "--fix")
    assert result.returncode == 2 and "name fewer files to fix, or use --force" in result.stderr
    assert {path: path.read_bytes() for path in drifted.rglob("*.py")} == texts
    assert add_model_here(drifted, "check-copies").returncode == 1


def test_git_that_is_stuck_is_not_waited_for_again(drifted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything in a repository may be a pipe: here the reference that the last commit is found by."""
    stuck: list[str] = []
    monkeypatch.setattr("add_model.git._SECONDS", 1)
    monkeypatch.setattr("add_model.git._stuck", stuck)
    reference = drifted / ".git" / (drifted / ".git/HEAD").read_text().removeprefix("ref: ").strip()
    reference.unlink()
    os.mkfifo(reference)
    result = add_model_here(drifted, "check-copies")
    assert result.returncode == 1 and "moved since" not in result.stdout
    assert add_model_here(drifted, "check-copies", "--base", "HEAD").returncode == 2
    assert len(stuck) == 1
