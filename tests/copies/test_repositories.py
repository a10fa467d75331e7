"""Repositories of every kind that git makes: what it knows of them is the same without their settings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from add_model.copies.finding import Moved
from add_model.copies.remembering.history import History, uncommitted
from add_model.git import find_repository
from add_model.library import Library, library_at

from .libraries import write_library
from .test_sides import FILES, commit, edit, git, told


def plain(root: Path) -> None:
    git(root, "init", "-q")
    commit(root)


def other_digests(root: Path) -> None:
    git(root, "init", "-q", "--object-format=sha256")
    commit(root)


def packed(root: Path) -> None:
    plain(root)
    git(root, "gc", "-q")
    git(root, "pack-refs", "--all")
    assert not (root / ".git/refs/heads/main").exists() and (root / ".git/packed-refs").exists()


def separate(root: Path) -> None:
    git(root, "init", "-q", "--separate-git-dir", str(root.parent / "elsewhere"))
    commit(root)


def shared_objects(root: Path) -> None:
    other = root.parent / "other"
    plain(root)
    git(root.parent, "clone", "-q", "--shared", str(root), str(other))
    # The clone's folder of git, which has no objects of its own, becomes that of the tree.
    (root / ".git").rename(root.parent / "origin.git")
    (other / ".git").rename(root / ".git")
    (root / ".git/objects/info/alternates").write_text("../../../origin.git/objects\n")


def split_index(root: Path) -> None:
    plain(root)
    git(root, "update-index", "--split-index")


def sparse_index(root: Path) -> None:
    (root / "left/out").mkdir(parents=True)
    (root / "left/out/a.py").touch()
    plain(root)
    git(root, "sparse-checkout", "set", "--cone", "--sparse-index", "src")


def submodule(root: Path) -> None:
    outer = root.parent
    plain(root)
    root.rename(outer / "origin")
    git(outer, "init", "-q")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(outer / "origin"), root.name)
    git(outer, "commit", "-qm", "more")
    assert (root / ".git").is_file()


def detached(root: Path) -> None:
    plain(root)
    git(root, "checkout", "-q", "--detach")


def linked(root: Path) -> None:
    plain(root)
    git(root, "worktree", "add", "-q", str(root.parent / "linked"))
    root.rename(root.parent / "main")
    (root.parent / "linked").rename(root)
    git(root.parent / "main", "worktree", "repair", str(root))


def link(root: Path) -> None:
    plain(root)
    (root / ".git").rename(root.parent / "real.git")
    (root / ".git").symlink_to("../real.git")


KINDS = [plain, other_digests, packed, separate, shared_objects, split_index, sparse_index, submodule, detached, linked, link]  # fmt: skip


@pytest.mark.parametrize("make", KINDS)
def test_which_side_moved_is_told_in_every_kind_of_repository(tmp_path: Path, make: Callable[[Path], None]) -> None:
    root = tmp_path / "tree"
    write_library(root, FILES)
    make(root)
    library = library_at(root)
    assert uncommitted(root) == []
    edit(library, "bert.py", "return 1", "return 2")
    assert told(library).moved is Moved.ORIGINAL
    assert told(library, base="HEAD").moved is Moved.ORIGINAL
    git(root, "mv", "src/my_models/vit.py", "src/my_models/vit2.py")
    edit(library, "vit2.py", "return x", "return y")
    assert told(library).moved is Moved.BOTH
    assert sorted(uncommitted(root)) == ["src/my_models/bert.py", "src/my_models/vit2.py"]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    root = tmp_path / "tree"
    write_library(root, FILES)
    plain(root)
    return library_at(root)


@pytest.mark.parametrize("base", ["main", "v1", "v1^{}", "HEAD~0", "@", "HEAD@{0}", "main@{upstream}", "@{u}", "worktrees/other/HEAD"])  # fmt: skip
def test_a_base_is_named_in_every_way_of_git(library: Library, base: str) -> None:
    git(library.root, "branch", "-M", "main")
    git(library.root, "branch", "other")
    git(library.root, "tag", "-a", "v1", "-m", "v1")
    git(library.root, "worktree", "add", "-q", str(library.root.parent / "other"), "other")
    git(library.root, "branch", "--set-upstream-to", "other")
    edit(library, "bert.py", "return 1", "return 2")
    assert told(library, base=base).moved is Moved.ORIGINAL


def test_a_repository_named_by_the_surroundings_counts_with_its_work_tree(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for those who keep their home under version control."""
    elsewhere = library.root.parent / "elsewhere.git"
    (library.root / ".git").rename(elsewhere)
    edit(library, "bert.py", "return 1", "return 2")
    assert told(library).moved is None
    monkeypatch.setenv("GIT_DIR", str(elsewhere))
    monkeypatch.setenv("GIT_WORK_TREE", str(library.root))
    assert told(library).moved is Moved.ORIGINAL
    assert uncommitted(library.root) == ["src/my_models/bert.py"]
    monkeypatch.setenv("GIT_INDEX_FILE", str(elsewhere / "index.other"))
    assert len(uncommitted(library.root)) > 1


def test_a_check_in_a_hook_of_a_commit_is_told_of_the_repository_that_it_is_in(library: Library) -> None:
    edit(library, "bert.py", "return 1", "return 2")
    hook = library.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f'#!/bin/sh\n"{sys.executable}" -m add_model check-copies > "{library.root.parent}/said"\nexit 1\n'
    )
    hook.chmod(0o755)
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-am", "No"]
    run = subprocess.run(command, cwd=library.root / "src", capture_output=True, text=True)
    assert run.returncode == 1
    assert "the original moved since HEAD" in (library.root.parent / "said").read_text()


def test_git_looks_no_further_up_than_it_is_told(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    below = library.root / "src/my_models"
    assert find_repository(below) is not None
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", f"relative:{library.root / 'src'}")
    assert find_repository(library.root / "src") is not None
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(library.root))
    assert find_repository(below) is None and find_repository(library.root) is not None


def test_a_folder_of_git_that_holds_nothing_is_passed_over(library: Library) -> None:
    (library.root / "src/.git").mkdir()
    edit(library, "bert.py", "return 1", "return 2")
    assert told(library).moved is Moved.ORIGINAL
    found = find_repository(library.root / "src")
    assert found is not None and found.top == library.root


@pytest.mark.parametrize("text", ["gitdir: \0\n", "gitdir: missing\n", "gitdir: .\n", "nonsense", "", "gitdir: \n"])
def test_a_file_of_git_that_names_nothing_is_passed_over(library: Library, text: str) -> None:
    (library.root / "src/.git").write_text(text)
    found = find_repository(library.root / "src")
    assert found is not None and found.top == library.root


def test_settings_that_say_how_files_are_read_are_kept_to(library: Library) -> None:
    root, vit = library.root, library.root / "src/my_models/vit.py"
    git(root, "config", "core.fileMode", "false")
    vit.chmod(0o755)
    assert uncommitted(root) == []
    git(root, "config", "core.fileMode", "true")
    assert uncommitted(root) == ["src/my_models/vit.py"]


def test_a_folder_below_another_file_system_or_gone_is_in_no_repository(tmp_path: Path) -> None:
    assert find_repository(tmp_path / "missing") is None
    assert History(tmp_path / "missing").content(tmp_path / "missing/a.py") is None
    assert uncommitted(tmp_path) == []
    assert os.listdir(tmp_path) == []


def test_the_branch_that_a_clone_follows_is_known(library: Library) -> None:
    clone = library.root.parent / "clone"
    git(library.root.parent, "clone", "-q", str(library.root), str(clone))
    edit(library_at(clone), "bert.py", "return 1", "return 2")
    commit(clone)
    edit(library_at(clone), "vit.py", "return 1", "return 3")
    assert told(library_at(clone), base="@{u}").moved is Moved.BOTH
    assert told(library_at(clone)).moved is Moved.COPY
