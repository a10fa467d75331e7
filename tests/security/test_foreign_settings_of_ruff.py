"""What a tree's settings of ruff say of files outside shows neither in a layout nor in a complaint."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from add_model.scaffold.formatting import format_files
from tests.cli.commands import add_model_here

TEXT = "x = 'a'\n"
TIDY = 'x = "a"\n'
SECRET = "password = [hunter2\n"
SINGLE = "format.quote-style = 'single'\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "outside.toml").write_text(SINGLE)
    return folder


def layout(root: Path, path: str = "src/a.py") -> tuple[str, str]:
    """A module as it is laid out, and what is said of it."""
    texts, problem = format_files(root, {root / path: TEXT})
    assert "\n" not in (problem or "")
    return texts[root / path], problem or ""


OUT = ["../outside.toml", "../secret", "{parent}/outside.toml", "{parent}/secret", "/etc/passwd", "~/.netrc", "$HOME/x", "${{SECRET}}", "src/../../outside.toml", "missing.toml", "/dev/zero", "src"]  # fmt: skip


@pytest.mark.parametrize("name", ["ruff.toml", ".ruff.toml", "pyproject.toml"])
@pytest.mark.parametrize("value", OUT)
def test_settings_outside_the_tree_are_not_extended(
    root: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "../outside.toml")
    (root / "src").mkdir()
    heading = "[tool.ruff]\n" if name == "pyproject.toml" else ""
    value = value.format(parent=root.parent)
    (root / name).write_text(f'{heading}extend = "{value}"\n')
    text, said = layout(root)
    assert text == TIDY
    assert f"`extend = '{value}'` is not followed" in said and str(root / name) in said
    assert "hunter2" not in said and "root:" not in said


def linked(root: Path, target: str) -> None:
    (root / "ruff.toml").symlink_to(target)


def extended_link(root: Path, target: str) -> None:
    (root / "base.toml").symlink_to(target)
    (root / "ruff.toml").write_text('extend = "base.toml"\n')


def extended_through_a_folder(root: Path, target: str) -> None:
    (root / "settings").symlink_to("..")
    (root / "ruff.toml").write_text(f'extend = "settings/{Path(target).name}"\n')


def second_step(root: Path, target: str) -> None:
    (root / "base.toml").write_text(f'extend = "{target}"\n')
    (root / "ruff.toml").write_text('extend = "base.toml"\n')


def below(root: Path, target: str) -> None:
    (root / "ruff.toml").write_text("")
    (root / "src").mkdir()
    (root / "src/ruff.toml").symlink_to(f"../{target}")


def folder_below(root: Path, target: str) -> None:
    (root / "ruff.toml").write_text("")
    (root.parent / "ruff.toml").write_bytes((root / target).read_bytes())
    (root / "src").symlink_to("..")


@pytest.mark.parametrize("target", ["../outside.toml", "../secret"])
@pytest.mark.parametrize("plant", [linked, extended_link, extended_through_a_folder, second_step, below, folder_below])
def test_no_link_leads_out(root: Path, target: str, plant: Callable[[Path, str], None]) -> None:
    plant(root, target)
    text, said = layout(root)
    assert text == TIDY and "hunter2" not in said


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "large"])
def test_only_files_are_read(root: Path, kind: str) -> None:
    path = root / "ruff.toml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.write_text("#" * 10_000_000)
    text, said = layout(root)
    assert text == TIDY and str(path) in said and "is not followed" in said


@pytest.mark.parametrize(
    "content", ["extend = [\n", "extend = '/etc/passwd'\nextend = ''\n", f"a = {'[' * 100_000}", "\0"]
)
def test_settings_that_are_no_toml_are_not_handed_to_ruff(root: Path, content: str) -> None:
    """It might read them in another way, and see something in them that was not looked at here."""
    (root / "ruff.toml").write_text(content)
    text, said = layout(root)
    assert text == TEXT and "is not valid TOML" in said and "root:" not in said


@pytest.mark.parametrize("value", ['["/etc/passwd"]', "1", "{ path = '/etc/passwd' }"])
def test_an_extend_of_another_kind_is_not_followed(root: Path, value: str) -> None:
    (root / "ruff.toml").write_text(f"extend = {value}\n")
    text, said = layout(root)
    assert text == TIDY and "is not followed" in said and "root:" not in said


def test_modules_outside_the_tree_are_nobodys_own(root: Path) -> None:
    """How imports are sorted would tell what lies in a folder."""
    (root.parent / "private").mkdir()
    (root.parent / "private/alpha.py").touch()
    text = "import alpha\nimport torch\n"
    for source in ("../private", str(root.parent / "private"), "~", "$HOME"):
        (root / "ruff.toml").write_text(f'src = ["{source}", "src"]\n')
        texts, said = format_files(root, {root / "a.py": text})
        assert texts[root / "a.py"] == text
        assert said is not None and "`src` is followed only as far as it stays below" in said


def test_ruff_writes_nothing_where_its_environment_says(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUFF_OUTPUT_FILE", str(root / "planted"))
    assert layout(root) == (TIDY, "")
    assert list(root.iterdir()) == []


def test_like_says_in_one_line_what_it_did_not_follow(root: Path) -> None:
    made = add_model_here(root, "like", "bert", "--name", "one", "--into", ".", "--yes")
    assert made.returncode == 0, made.stderr
    path = root / "pyproject.toml"
    path.write_text(path.read_text().replace("[tool.ruff]", '[tool.ruff]\nextend = "../secret"'))
    result = add_model_here(root, "like", "bert", "--name", "two", "--into", ".", "--yes")
    said = [line for line in (result.stdout + result.stderr).splitlines() if "is not followed" in line]
    assert result.returncode == 0 and len(said) == 1 and "'../secret'" in said[0]
    assert "hunter2" not in result.stdout + result.stderr
