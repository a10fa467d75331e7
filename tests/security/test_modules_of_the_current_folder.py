"""No module of the folder that the tool is called from, or looks at, is imported by a command that runs no models."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from add_model.copies.language.syntax import syntax_problem
from add_model.library import installed_package
from add_model.source import Module, decode_module
from tests.cli.commands import SOURCES, add_model_here

from .planted import BERT, VIT

pytestmark = pytest.mark.slow

DEPENDENCIES = ("click", "filelock", "jinja2", "libcst", "questionary", "rich", "ruff", "tomlkit", "typer", "yaml")
COMMANDS = [
    ("check-copies",),
    ("check-copies", "--no-cache", "--output-format", "json"),
    ("check-copies", "--diff"),
    ("references", "--json"),
    ("like", "bert", "--name", "new_bert", "--into", ".", "--dry-run", "--yes"),
    ("--help",),
]


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A library in a folder that holds a module by the name of every one that Python and the tool may import."""
    folder = tmp_path / "tree"
    package = folder / "src/my_models"
    package.mkdir(parents=True)
    for name, text in {"__init__.py": "", "bert.py": BERT, "vit.py": VIT.replace("x = 1", "x = 2")}.items():
        (package / name).write_text(text)
    (package / "newer.py").write_text("type = = 1\n")
    (folder / "pyproject.toml").write_text("[tool.add-model]\n")
    own = f"open({str(tmp_path / 'ran')!r}, 'a').write(__name__ + '\\n')\nraise SystemExit(77)\n"
    for name in (*sys.stdlib_module_names, *DEPENDENCIES):
        (folder / f"{name}.py").write_text(own)
    return folder


def run(folder: Path, *command: str, path: str = str(SOURCES)) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)


def imported_first(tmp_path: Path) -> list[str]:
    """What carries `-m` out, which Python imports before any code of the tool can run, and nobody can stop."""
    (tmp_path / "probe.py").write_text("import sys\nprint(*sys.modules)\n")
    return run(tmp_path, "-m", "probe").stdout.split()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_module_imports_nothing_of_the_current_folder(
    hostile: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    for name in imported_first(tmp_path):
        (hostile / f"{name}.py").unlink(missing_ok=True)
    result = run(hostile, "-m", "add_model", *command)
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()
    assert result.returncode in (0, 1, 2) and "Traceback" not in result.stderr, result.stderr


@pytest.mark.parametrize("option", ["-I", pytest.param("-P", marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="new in 3.11"))])  # fmt: skip
def test_pythons_own_ways_to_leave_the_folder_out_still_work(hostile: Path, tmp_path: Path, option: str) -> None:
    code = f"import sys; sys.path.insert(0, {str(SOURCES)!r}); import runpy; sys.argv = ['add-model', 'check-copies']; runpy.run_module('add_model', run_name='__main__', alter_sys=False)"  # fmt: skip
    result = run(hostile, option, "-c", code)
    assert "CP001 ViT" in result.stdout and not (tmp_path / "ran").exists()


def test_the_path_of_python_is_left_alone_where_the_folder_is_not_on_it(tmp_path: Path) -> None:
    code = f"import sys; sys.argv = ['add-model', '--version']; sys.path.insert(0, {str(SOURCES)!r}); before = list(sys.path); import runpy, atexit; atexit.register(lambda: print(sys.path == before)); runpy.run_module('add_model', run_name='__main__')"  # fmt: skip
    assert run(tmp_path, "-c", code).stdout.endswith("True\n")


def test_newer_syntax_is_looked_at_without_the_current_folder(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser for it runs in a process of its own."""
    monkeypatch.chdir(hostile)
    monkeypatch.setattr(sys, "path", ["", ".", *sys.path])
    assert syntax_problem(module("def (:\n")) is not None
    assert syntax_problem(module("print 1\n")) is not None
    assert not (tmp_path / "ran").exists()


def module(text: str) -> Module:
    return decode_module(Path("module.py"), text.encode())


@pytest.mark.parametrize("entry", ["", ".", "part"])
def test_what_a_relative_entry_leads_to_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    folder = tmp_path / entry / "planted_package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry, *sys.path])
    assert installed_package("planted_package") is None
    # An absolute one is somebody's decision.
    monkeypatch.setattr(sys, "path", [str(tmp_path / entry), *sys.path])
    assert installed_package("planted_package") == folder


@pytest.mark.parametrize("entries", ["", ".", ":/nowhere", "part"])
def test_what_a_relative_entry_of_the_environment_leads_to_is_not_installed(tmp_path: Path, entries: str) -> None:
    """Python makes them absolute when it starts; `PYTHONPATH=$PYTHONPATH:more` has an empty one in many a profile."""
    for folder in (tmp_path, tmp_path / "part"):
        (folder / "planted_package").mkdir(parents=True)
        (folder / "planted_package/__init__.py").touch()
    code = f"import sys; sys.path.insert(0, {str(SOURCES)!r}); from add_model.library import installed_package as i; print(i('planted_package'), i('libcst'))"  # fmt: skip
    found, _, known = run(tmp_path, "-c", code, path=entries).stdout.partition(" ")
    assert found == "None" and "libcst" in known


@pytest.mark.parametrize("command", COMMANDS[:5], ids=" ".join)
def test_the_tree_is_not_put_on_the_path_of_python(
    hostile: Path, tmp_path: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Watched(list[str]):
        def insert(self, index: object, entry: str) -> None:
            assert not entry.startswith(str(hostile))
            super().insert(index, entry)  # type: ignore[arg-type]

    monkeypatch.setattr(sys, "path", Watched(sys.path))
    add_model_here(hostile, *command)
    assert not any(entry.startswith(str(hostile)) for entry in sys.path)
    assert not (tmp_path / "ran").exists()


def test_the_action_installs_without_a_module_of_the_checkout(hostile: Path, tmp_path: Path) -> None:
    lines = (SOURCES / "action.yml").read_text().splitlines()
    installs = [line.partition("run: ")[2] for line in lines if "pip install" in line]
    (hostile / "pip.py").write_text((hostile / "json.py").read_text())
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
        "GITHUB_ACTION_PATH": str(tmp_path / "missing"),
        "REQUIREMENTS": "./missing",
    }
    assert len(installs) == 2
    for install in installs:
        result = subprocess.run(["bash", "-c", install], cwd=hostile, env=environment, capture_output=True, text=True)
        assert "missing" in result.stderr and not (tmp_path / "ran").exists(), result
