import json
import tempfile
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


@pytest.mark.parametrize("name", ["ruff.toml", ".ruff.toml", "pyproject.toml"])
def test_settings_may_extend_others(tmp_path: Path, name: str) -> None:
    heading, lint = ("[tool.ruff]\n", "tool.ruff.lint") if name == "pyproject.toml" else ("", "lint")
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "ruff.toml").write_text("format.quote-style = 'single'\n")
    (tmp_path / name).write_text(f'{heading}extend = "settings/ruff.toml"\n[{lint}]\nselect = ["E"]\n[{lint}.isort]\n')
    assert formatted(tmp_path, 'x = "a"\n') == "x = 'a'\n"


def test_the_settings_above_a_library_without_any_apply(tmp_path: Path) -> None:
    root = tmp_path / 'a "part" of\\many'
    root.mkdir()
    (tmp_path / "ruff.toml").write_text("format.quote-style = 'single'\n")
    (root / "pyproject.toml").write_text("[tool.add-model]\n")
    assert formatted(root, 'x = "a"\n') == "x = 'a'\n"


def test_the_settings_above_a_library_that_is_to_be_made_do_not(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text("format.quote-style = 'single'\n")
    assert formatted(tmp_path / "new", 'x = "a"\n') == 'x = "a"\n'


@pytest.mark.parametrize("folder", ["", "part"])
def test_imports_of_a_model_that_is_to_be_come_last(tmp_path: Path, folder: str) -> None:
    root = tmp_path / folder
    package = root / "src" / "my_models"
    package.mkdir(parents=True)
    (tmp_path / "ruff.toml").write_text(f'extend = "base.toml"\nsrc = ["{root.relative_to(tmp_path) / "src"}"]\n')
    (tmp_path / "base.toml").write_text("")
    (root / "pyproject.toml").write_text("")
    text = "import torch\nfrom my_models.jay import Jay\nimport zlib\n"
    found, problem = format_files(root, {package / "jay" / "__init__.py": "", root / "tests" / "test_jay.py": text})
    assert problem is None
    assert found[root / "tests" / "test_jay.py"] == "import zlib\n\nimport torch\n\nfrom my_models.jay import Jay\n"


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


@pytest.mark.parametrize("text", ["tool = 1\n", "[tool]\nruff = 1\n", "[tool\n", "\udcff"])
def test_a_configuration_above_that_is_none_is_no_hindrance(tmp_path: Path, text: str) -> None:
    root = tmp_path / "part"
    root.mkdir()
    (root / "pyproject.toml").write_text("")
    (tmp_path / "pyproject.toml").write_bytes(text.encode(errors="surrogateescape"))
    assert format_files(root, {root / "a.py": UGLY})[0][root / "a.py"] in (UGLY, TIDY)


def test_without_ruff_the_texts_are_unchanged_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "_ruff", lambda root: None)
    texts, problem = format_files(tmp_path, {tmp_path / "a.py": UGLY})
    assert texts == {tmp_path / "a.py": UGLY}
    assert problem is not None and "ruff was not found" in problem


def test_without_a_temporary_folder_the_texts_are_unchanged_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / "full"
    monkeypatch.setattr(tempfile, "tempdir", str(full))
    texts, problem = format_files(tmp_path, {tmp_path / "a.py": UGLY})
    assert texts == {tmp_path / "a.py": UGLY}
    assert problem is not None and str(full) in problem and "ruff format" in problem


def test_settings_that_ruff_refuses_leave_the_texts_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text('required-version = "==0.0.1"\n')
    texts, problem = format_files(tmp_path, {tmp_path / "a.py": UGLY})
    assert texts == {tmp_path / "a.py": UGLY}
    assert problem is not None and "ruff failed" in problem


def test_settings_of_the_folders_below_the_root_apply_there(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text("")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/ruff.toml").write_text('extend = "../ruff.toml"\nformat.quote-style = "single"\n')
    paths = [tmp_path / "src/a.py", tmp_path / "tests/models/test_a.py"]
    found, problem = format_files(tmp_path, dict.fromkeys(paths, 'x = "a"\n'))
    assert problem is None and [found[path] for path in paths] == ['x = "a"\n', "x = 'a'\n"]


def test_the_python_that_a_project_requires_counts(tmp_path: Path) -> None:
    files = ", ".join(f"open('{letter * 20}') as {letter}" for letter in "abc")
    text = f"with {files}:\n    pass\n"
    (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.8"\n[tool.ruff]\nline-length = 80\n')
    before = formatted(tmp_path, text)
    (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.12"\n[tool.ruff]\nline-length = 80\n')
    assert formatted(tmp_path, text) != before


def test_settings_of_the_user_apply_where_there_are_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home/ruff").mkdir(parents=True)
    (tmp_path / "home/ruff/ruff.toml").write_text("format.quote-style = 'single'\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    root = tmp_path / "root"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\n")
    assert formatted(root, 'x = "a"\n') == "x = 'a'\n"


def test_a_notebook_is_formatted_as_one(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": ["x=1"]}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    found = json.loads(formatted(tmp_path, json.dumps(notebook), "docs/a.ipynb"))
    assert found["cells"][0]["source"] == ["x = 1"]
