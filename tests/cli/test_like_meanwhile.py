"""What somebody else saves while `add-model like` is at work: it is never lost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from add_model.registry import CONFIGURATION_MAPPING, parse_registry
from tests.scaffold.checkout.trees import make_checkout

from .commands import SOURCES, Result, add_model_here, check_refusal, contents

# Between reading a file and writing it: before its text is laid out, and before it is decided what becomes of it.
MOMENTS = ("add_model.scaffold.laying_out.format_files", "add_model.scaffold.tree.decide")
LINE = b"# saved meanwhile\n"


class Place:
    """A place to write a model into: what to type, and the file in it that gets an entry."""

    def __init__(self, folder: Path, arguments: tuple[str, ...], file: Path, entry: bytes) -> None:
        self.folder, self.arguments, self.file, self.entry = folder, arguments, file, entry

    def like(self) -> Result:
        return add_model_here(self.folder, "like", *self.arguments)


@pytest.fixture(params=["library", "index", "own project", "checkout", "package"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param in ("library", "index"):
        library = request.getfixturevalue("library")
        file, entry = ("src/my_models/registry.py", b'"wren": "WrenConfig"') if request.param == "library" else ("docs/index.md", b"(models/wren.md)")  # fmt: skip
        return Place(library, ("gpt2", "--name", "wren"), library / file, entry)
    if request.param == "checkout":
        root = make_checkout(tmp_path / "checkout", 5)
        file = "src/transformers/models/auto/modeling_auto.py"
        return Place(root, ("wren", "--name", "new_wren"), root / file, b'"new_wren"')
    project = tmp_path / "mine" / "pyproject.toml"
    project.parent.mkdir()
    project.write_text('[project]\nname = "mine"\nversion = "1"\n')
    if request.param == "own project":
        arguments = ("zoo:gpt2", "--name", "wren", "--into", ".")
        return Place(project.parent, arguments, project, b"[tool.add-model]")
    arguments = ("transformers:gpt2", "--name", "wren", "--into", ".")
    return Place(project.parent, arguments, project, b"[tool.add-model]")


def saving(monkeypatch: pytest.MonkeyPatch, place: Place, moment: str, times: int) -> None:
    """Lets somebody save the file, a line longer, at a moment of the run; only so many times."""
    module, _, function = moment.rpartition(".")
    __import__(module)
    original: Callable[..., Any] = getattr(sys.modules[module], function)
    left = [None] * times

    def saved_meanwhile(*arguments: Any) -> Any:
        if left:
            left.pop()
            place.file.write_bytes(place.file.read_bytes() + LINE)
        return original(*arguments)

    monkeypatch.setattr(moment, saved_meanwhile)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_what_is_saved_meanwhile_stays_beside_the_new_entry(
    place: Place, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    saving(monkeypatch, place, moment, times=1)
    run = place.like()
    assert run.returncode == 0, run.stderr
    text = place.file.read_bytes()
    assert text.count(LINE) == 1 and place.entry in text


@pytest.mark.slow
def test_a_file_that_is_saved_over_and_over_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    saving(monkeypatch, place, MOMENTS[-1], times=100)
    monkeypatch.setattr("add_model.scaffold.writing._ATTEMPTS", 2)
    before = contents(place.folder)
    check_refusal(place.like(), (str(place.file), "changed while this run was at work", "run again"))
    after = contents(place.folder)
    name = place.file.relative_to(place.folder).as_posix()
    assert {path for path in after if after[path] != before.get(path)} == {name}
    assert place.entry not in (after[name] or b"")


def test_a_library_that_another_run_lays_down_meanwhile_gets_this_model_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import add_model.scaffold.tree as tree

    original, others = tree.decide, [("bert", "--name", "other")]

    def made_meanwhile(*arguments: Any) -> Any:
        if others:
            assert add_model_here(tmp_path, "like", *others.pop(), "--into", "my_models").returncode == 0
        return original(*arguments)

    monkeypatch.setattr(tree, "decide", made_meanwhile)
    run = add_model_here(tmp_path, "like", "bert", "--name", "mine", "--into", "my_models")
    assert run.returncode == 0, run.stderr
    registry = tmp_path / "my_models/src/my_models/registry.py"
    assert {*parse_registry(registry.read_text(), "").mappings[CONFIGURATION_MAPPING]} == {"mine", "other"}


def test_a_model_that_another_run_makes_meanwhile_is_not_replaced(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import add_model.scaffold.tree as tree

    original, others = tree.decide, [("gpt2", "--name", "wren")]

    def made_meanwhile(*arguments: Any) -> Any:
        if others:
            assert add_model_here(library, "like", *others.pop()).returncode == 0
        return original(*arguments)

    monkeypatch.setattr(tree, "decide", made_meanwhile)
    check_refusal(add_model_here(library, "like", "bert", "--name", "wren"), ("wren", "exists"))
    assert "GPT-2" in (library / "docs/index.md").read_text()


@pytest.mark.slow
def test_every_model_of_runs_at_one_time_is_registered(library: Path) -> None:
    names = [f"wren{number}" for number in range(4)]
    command = [sys.executable, "-m", "add_model", "like", "gpt2", "--heads", "none", "--name"]
    runs = []
    for name in names:
        runs.append(subprocess.Popen([*command, name], cwd=library, env={"PYTHONPATH": str(SOURCES)}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))  # fmt: skip
        time.sleep(0.1)
    for run in runs:
        _, error = run.communicate()
        assert run.returncode == 0, error.decode()
    registry = library / "src/my_models/registry.py"
    assert {*names} <= {*parse_registry(registry.read_text(), "").mappings[CONFIGURATION_MAPPING]}
