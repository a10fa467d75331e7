from pathlib import Path

import pytest

from add_model.scaffold import formatting
from add_model.scaffold.formatting import format_files

UGLY = "import sys\nimport os\nx = {'a':1}\n"
TIDY = 'import os\nimport sys\n\nx = {"a": 1}\n'


def formatted(root: Path, text: str, path: str = "src/my_models/module.py") -> str:
    texts, problem = format_files(root, {root / path: text})
    assert problem is None and texts.keys() == {root / path}
    return texts[root / path]


def test_modules_are_formatted_and_their_imports_sorted(tmp_path: Path) -> None:
    assert formatted(tmp_path, UGLY) == TIDY


def test_nothing_is_written_into_the_library(tmp_path: Path) -> None:
    formatted(tmp_path / "not/there/yet", UGLY)
    assert list(tmp_path.iterdir()) == []


def test_other_files_pass_as_they_are(tmp_path: Path) -> None:
    texts = {tmp_path / "README.md": UGLY, tmp_path / "src/py.typed": "", tmp_path / "answers.toml": "a  =  1"}
    assert format_files(tmp_path, texts) == (texts, None)
    assert format_files(tmp_path, {}) == ({}, None)


def test_a_new_library_has_lines_of_119(tmp_path: Path) -> None:
    line = f"x = [{', '.join(['12345678'] * 11)}]\n"
    assert len(line) <= 119
    assert formatted(tmp_path, line) == line


@pytest.mark.parametrize(("name", "text"), [("pyproject.toml", "[tool.ruff]\nline-length = 40\n[tool.ruff.format]\nquote-style = 'single'\n"), ("ruff.toml", "line-length = 40\nformat.quote-style = 'single'\n"), (".ruff.toml", "line-length = 40\nformat.quote-style = 'single'\n")])  # fmt: skip
def test_the_settings_of_the_library_apply(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert formatted(tmp_path, f'x = ["{"a" * 20}", "{"b" * 20}"]\n') == f"x = [\n    '{'a' * 20}',\n    '{'b' * 20}',\n]\n"  # fmt: skip


def test_imports_of_the_library_itself_come_last(tmp_path: Path) -> None:
    package = tmp_path / "src/my_models"
    texts = {package / "__init__.py": "", package / "module.py": "import my_models\nimport torch\nimport os\n"}
    found, _ = format_files(tmp_path, texts)
    assert found[package / "module.py"] == "import os\n\nimport torch\n\nimport my_models\n"


def test_a_module_that_does_not_parse_passes_as_it_is(tmp_path: Path) -> None:
    texts = {tmp_path / "a.py": "def (\n", tmp_path / "b.py": UGLY}
    assert format_files(tmp_path, texts)[0] == {tmp_path / "a.py": "def (\n", tmp_path / "b.py": TIDY}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_endings_and_other_letters_are_kept(tmp_path: Path, newline: str) -> None:
    text = f'x = "é模😀"{newline}'
    assert formatted(tmp_path, text) == text


def test_without_ruff_the_texts_are_unchanged_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "_ruff", lambda: None)
    texts, problem = format_files(tmp_path, {tmp_path / "a.py": UGLY})
    assert texts == {tmp_path / "a.py": UGLY}
    assert problem is not None and "ruff was not found" in problem


def test_settings_that_ruff_refuses_leave_the_texts_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text('required-version = "==0.0.1"\n')
    texts, problem = format_files(tmp_path, {tmp_path / "a.py": UGLY})
    assert texts == {tmp_path / "a.py": UGLY}
    assert problem is not None and "ruff failed" in problem
