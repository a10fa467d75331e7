"""What came with a tree and looks like the tool's own notes: journals, records, links to elsewhere. None is believed.

The marker file stands for whatever harm somebody meant; it, and everything outside the library, must stay as it is.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import add_model_here, check_refusal, contents
from tests.copies.libraries import write_library

HOOK = b"#!/bin/sh\ntouch marker\n"
COMMANDS = [
    ("check-copies",),
    ("check-copies", "--diff"),
    ("check-copies", "--fix"),
    ("check-copies", "--no-cache"),
    ("remove", "brand_new_bert", "--force"),
    ("like", "gpt2", "--name", "tiny_gpt", "--yes"),
    ("recover",),
    ("status", "brand_new_bert"),
]


def plant(library: Path, folder: str) -> Path:
    """A folder as a run that was cut off leaves it, with notes that ask for a hook and for somebody's file."""
    (library / ".git/hooks").mkdir(parents=True)
    (library / ".git/config").write_text("[core]\n\tbare = false\n")
    staged = library / ".add-model" / folder
    staged.mkdir(parents=True)
    (staged / "0.old").write_bytes(HOOK)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (library / ".git/hooks/pre-commit").write_bytes(b"")
    steps = [
        {"target": ".git/hooks/pre-commit", "staged": "0.new", "kept": "0.old", "digest": empty},
        {"target": ".git/hooks/post-checkout", "staged": None, "kept": "0.old", "digest": ""},
        {"target": "README.md", "staged": None, "kept": "0.old", "digest": ""},
    ]
    (library / "README.md").unlink()
    (staged / "journal.json").write_text(json.dumps({"steps": steps, "folders": ["docs"]}))
    (staged / "steps.json").write_text(json.dumps({"files": steps, "made": ["docs"], "emptied": []}))
    (staged / "staging.json").write_text(json.dumps({"root": str(library), "staging": folder}))
    return staged


@pytest.mark.parametrize("folder", ["transaction", "transaction-0123456789abcdef"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_journal_that_came_with_the_tree_is_reported_and_left_alone(
    library: Path, command: tuple[str, ...], folder: str
) -> None:
    staged = plant(library, folder)
    git, notes = contents(library / ".git"), contents(staged)
    result = add_model_here(library, *command)
    assert contents(library / ".git") == git and contents(staged) == notes
    assert not (library / "README.md").exists() and "Traceback" not in result.stderr
    assert f"{staged}: was left by a run of somebody else" in result.stderr
    assert "taken back" not in result.stderr


def cut_off(library: Path) -> None:
    """Leaves the library as a run of this user does that is killed between two of its files."""
    from add_model import transaction
    from add_model.transaction import Change

    class Killed(BaseException):
        pass

    def killed(*arguments: object) -> None:
        raise Killed

    changes = [Change(library / "a.txt", b"new\n", None), Change(library / "b.txt", b"new\n", None)]
    patch = pytest.MonkeyPatch()
    replace = os.replace

    def replace_once(source: object, target: object) -> None:
        if str(target).endswith("b.txt"):
            raise Killed
        replace(source, target)  # type: ignore[arg-type]

    with patch.context() as context, pytest.raises(Killed):
        context.setattr(os, "replace", replace_once)
        context.setattr(transaction, "_recover_locked", lambda root, journal: [])
        transaction.write_files(library, changes)


@pytest.mark.parametrize("command", [("check-copies",), ("check-copies", "--diff"), ("status", "brand_new_bert")], ids=" ".join)  # fmt: skip
def test_a_command_that_only_reads_says_what_to_type_and_writes_nothing(
    library: Path, command: tuple[str, ...]
) -> None:
    start = contents(library)
    cut_off(library)
    half_done = contents(library)
    result = add_model_here(library, *command)
    assert contents(library) == half_done != start
    assert f"add-model recover --into {library}" in result.stderr
    taken_back = add_model_here(library, "recover", "--into", str(library))
    assert taken_back.returncode == 0 and "taken back from a run that was cut off" in taken_back.stderr
    assert contents(library) == start
    again = add_model_here(library, "recover")
    assert (again.returncode, again.stderr) == (0, f"{library}: nothing was left to take back\n")


def test_notes_about_a_tree_that_is_another_by_now_move_nothing(library: Path) -> None:
    cut_off(library)
    shutil.rmtree(library / ".add-model" / next(path.name for path in (library / ".add-model").glob("transaction-*")))
    (library / "a.txt").write_text("new\n")
    before = contents(library)
    assert add_model_here(library, "recover").returncode == 0
    assert contents(library) == before


# Whole files that are copies of others


CONFIGURATION = '[tool.add-model]\npackage = "pkg"\nsource = "src"\n[tool.add-model.full-copies]\n'
SECRET = "the secret of somebody\n"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.txt").write_text(SECRET)
    return tmp_path / "outside"


@pytest.mark.parametrize(
    ("copy", "original"),
    [
        (".git/config", "src/pkg/a.py"),
        (".GIT/config", "src/pkg/a.py"),
        ("sub/.git/hooks/pre-commit", "src/pkg/a.py"),
        (".hg/hgrc", "src/pkg/a.py"),
        (".add-model/models/a/written.json", "src/pkg/a.py"),
        ("../outside/new.txt", "src/pkg/a.py"),
        ("/tmp/add-model-marker", "src/pkg/a.py"),
        ("linked/new.txt", "src/pkg/a.py"),
        ("src/pkg/b.py", "../outside/secret.txt"),
        ("src/pkg/b.py", "linked/secret.txt"),
        ("src/pkg/b.py", "link.txt"),
        ("src/pkg/b.py", ".git/config"),
        ("src/pkg/b.py", "a\\u0000b"),
        ("src/pkg/b.py", "~/.profile"),
    ],
)
@pytest.mark.parametrize("mode", [(), ("--diff",), ("--fix",), ("--fix", "--force")], ids=str)
def test_full_copies_reach_nothing_but_files_of_the_tree(
    tmp_path: Path, outside: Path, copy: str, original: str, mode: tuple[str, ...]
) -> None:
    root = tmp_path / "root"
    write_library(root, {"pkg/a.py": "x = 1\n", "pkg/b.py": "x = 2\n"})
    (root / ".git").mkdir()
    (root / ".git/config").write_text("[core]\n\tbare = false\n")
    (root / "linked").symlink_to(outside)
    (root / "link.txt").symlink_to(outside / "secret.txt")
    (root / "pyproject.toml").write_text(f'{CONFIGURATION}"{copy}" = "{original}"\n')
    before = contents(tmp_path)
    result = add_model_here(root, "check-copies", *mode)
    check_refusal(result, ("`full-copies` in [tool.add-model] must be a file below",))
    assert contents(tmp_path) == before and SECRET.strip() not in result.stdout + result.stderr


# Configured folders


@pytest.mark.parametrize("key", ["source", "tests", "docs", "templates"])
@pytest.mark.parametrize("value", ["../outside", "/etc", ".git", ".git/hooks", ".GIT", "linked", "a/../../b", "x\\u0000y", "x\\u001by", "C:/x", "x" * 5000])  # fmt: skip
@pytest.mark.parametrize("command", [("check-copies",), ("like", "gpt2", "--name", "tiny_gpt", "--yes"), ("remove", "brand_new_bert")], ids=" ".join)  # fmt: skip
def test_a_configured_folder_lies_in_the_tree(
    library: Path, outside: Path, key: str, value: str, command: tuple[str, ...]
) -> None:
    (library / ".git/hooks").mkdir(parents=True)
    (library / "linked").symlink_to(outside)
    configured = (library / "pyproject.toml").read_text().split("[tool.add-model]")
    rest = "".join(line for line in configured[1].splitlines(keepends=True) if not line.startswith(f"{key} ="))
    (library / "pyproject.toml").write_text(f'{configured[0]}[tool.add-model]\n{key} = "{value}"\n{rest}')
    before = contents(library.parent)
    check_refusal(
        add_model_here(library, *command),
        (f"`{key}` in [tool.add-model] ", "must be a folder below" if len(value) < 500 else "characters"),
    )
    assert contents(library.parent) == before


def test_a_folder_of_templates_that_is_a_link_is_not_followed_out_of_the_tree(library: Path, outside: Path) -> None:
    (outside / "NAME.md.jinja").write_text("{{ name.snake }}\n")
    (library / "mine").mkdir()
    (library / "mine/model").symlink_to(outside)
    text = (library / "pyproject.toml").read_text().replace("[tool.add-model]\n", '[tool.add-model]\ntemplates = "mine"\n')  # fmt: skip
    (library / "pyproject.toml").write_text(text)
    before = contents(library)
    check_refusal(add_model_here(library, "like", "gpt2", "--name", "tiny_gpt", "--yes"), ("mine/model", "outside"))
    assert contents(library) == before


# Records of what was written


def tampered(library: Path, entries: dict[str, object]) -> None:
    path = library / ".add-model/models/brand_new_bert/written.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def digest_of(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("path", ["../outside/secret.txt", "/etc/hostname", ".git/config", "a\u0000b", "linked/secret.txt", "a/../../outside/secret.txt"])  # fmt: skip
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_record_that_names_what_lies_elsewhere_is_refused(
    library: Path, outside: Path, path: str, force: tuple[str, ...]
) -> None:
    (library / ".git").mkdir()
    (library / ".git/config").write_text("[core]\n")
    (library / "linked").symlink_to(outside)
    tampered(library, {path: "0" * 64})
    before = contents(library.parent)
    check_refusal(
        add_model_here(library, "remove", "brand_new_bert", *force), ("written.json", "must be a file below")
    )
    assert contents(library.parent) == before


def test_only_what_like_writes_for_the_model_is_removed(library: Path) -> None:
    other = library / "src/my_models/modeling_utils.py"
    (library / "notes.md").write_text("mine\n")
    (library / "docs/models/mine.md").write_text("mine\n")
    mine = [other, library / "notes.md", library / "docs/models/mine.md", library / "pyproject.toml"]
    tampered(library, {path.relative_to(library).as_posix(): digest_of(path) for path in mine})
    result = add_model_here(library, "remove", "brand_new_bert", "--force")
    assert result.returncode == 0, result.stderr
    assert all(path.exists() for path in mine)
    assert all(f"left: {path.relative_to(library).as_posix()} (written.json names it, but" in result.stdout for path in mine)  # fmt: skip
    assert not (library / "src/my_models/models/brand_new_bert").exists()


@pytest.mark.parametrize(
    ("path", "hunk"),
    [
        ("src/my_models/modeling_utils.py", {"line": 1, "removed": "", "added": "import torch\n"}),
        (".github/workflows/ci.yml", {"line": 1, "removed": "", "added": "on: push\n"}),
    ],
)
def test_entries_are_only_taken_out_of_files_that_like_puts_them_into(library: Path, path: str, hunk: dict[str, object]) -> None:  # fmt: skip
    before = (library / path).read_bytes()
    tampered(library, {path: [hunk]})
    result = add_model_here(library, "remove", "brand_new_bert", "--force")
    assert result.returncode == 0, result.stderr
    assert (library / path).read_bytes() == before and f"left: {path}" in result.stdout


def test_what_a_record_would_bring_in_makes_it_no_record(library: Path) -> None:
    tampered(library, {"docs/index.md": [{"line": 1, "removed": "# planted\n", "added": "## Models\n"}]})
    before = contents(library)
    check_refusal(add_model_here(library, "remove", "brand_new_bert", "--force"), ("written.json: is no record",))
    assert contents(library) == before


def test_the_folder_of_a_model_that_is_a_link_is_not_emptied(library: Path) -> None:
    (library / "precious").mkdir()
    (library / "precious/file.txt").write_text("mine\n")
    state = library / ".add-model/models/brand_new_bert"
    for path in state.iterdir():
        shutil.copy(path, library / "precious")
    shutil.rmtree(state)
    state.symlink_to(library / "precious")
    before = contents(library)
    result = add_model_here(library, "remove", "brand_new_bert", "--force")
    assert result.returncode == 2 and "is a symbolic link" in result.stderr
    assert contents(library) == before


# The user's own folder


def taken_by_a_link(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir()
    folder.symlink_to(folder.parent / "elsewhere")


def taken_open(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def taken_by_a_file(folder: Path) -> None:
    folder.touch()


@pytest.mark.parametrize("take", [taken_by_a_link, taken_open, taken_by_a_file])
def test_what_somebody_made_among_the_temporary_files_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, take: Callable[[Path], None]
) -> None:
    from add_model import state
    from add_model.errors import AddModelError

    temporary = tmp_path / "tmp"
    temporary.mkdir()
    take(temporary / f"add-model-{os.getuid()}")
    monkeypatch.setattr(state.tempfile, "gettempdir", lambda: str(temporary))
    # With a home, nothing among the temporary files is of interest, whoever has taken it.
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_STATE_HOME")
    (tmp_path / "home").mkdir()
    assert state.user_folder() == tmp_path / "home/.local/state/add-model"
    (tmp_path / "no_folder").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "no_folder"))
    with pytest.raises(AddModelError, match="set XDG_STATE_HOME"):
        state.user_folder()


def test_a_user_without_a_home_has_a_folder_that_only_they_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from add_model import state

    (tmp_path / "no_folder").touch()
    monkeypatch.setattr(state.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "no_folder"))
    monkeypatch.setenv("XDG_STATE_HOME", "relative/paths/are/ignored")
    folder = state.user_folder()
    assert folder == tmp_path / f"add-model-{os.getuid()}" and folder.stat().st_mode & 0o777 == 0o700
