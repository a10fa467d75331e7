"""How a generated project gets add-model: from where it was installed here, or not at all, and then it says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from add_model import __version__
from add_model.scaffold.surroundings.installation import direct_requirement

GIT = {"url": "https://github.com/add-model/add-model.git", "vcs_info": {"vcs": "git", "commit_id": "0123abc"}}
FROM_GIT = "add-model @ git+https://github.com/add-model/add-model.git@0123abc"
LOCAL = {"url": "file:///home/me/add-model", "dir_info": {"editable": True}}


@pytest.mark.parametrize(
    ("record", "requirement"),
    [
        (GIT, FROM_GIT),
        (GIT | {"subdirectory": "tools/add-model"}, f"{FROM_GIT}#subdirectory=tools/add-model"),
        (GIT | {"url": "ssh://git@host.example/a.git"}, "add-model @ git+ssh://git@host.example/a.git@0123abc"),
        (GIT | {"url": "https://host.example:8443/a"}, "add-model @ git+https://host.example:8443/a@0123abc"),
        ({"url": "https://host.example/a.whl", "archive_info": {}}, "add-model @ https://host.example/a.whl"),
        # What only this machine has.
        (LOCAL, None),
        ({"url": "file:///home/me/add_model-0.1.0-py3-none-any.whl", "archive_info": {}}, None),
        (GIT | {"url": "file:///home/me/add-model"}, None),
    ],
)
def test_where_it_was_installed_from(record: dict[str, Any], requirement: str | None) -> None:
    assert direct_requirement(record) == requirement


@pytest.mark.parametrize("user", ["me:secret", "secret", "x-access-token:secret"])
@pytest.mark.parametrize("scheme", ["https", "ssh"])
def test_what_logs_in_there_is_not_written_down(user: str, scheme: str) -> None:
    found = direct_requirement(GIT | {"url": f"{scheme}://{user}@host.example/a.git"})
    assert found is not None and (scheme == "ssh" or "secret" not in found)
    assert ":secret" not in found


@pytest.mark.parametrize(
    "record",
    [
        GIT | {"url": 'https://host.example/a"; touch marker; "'},
        GIT | {"url": "https://host.example/$(touch marker)"},
        GIT | {"url": "https://host.example/${{ secrets.TOKEN }}"},
        GIT | {"vcs_info": {"vcs": "git", "commit_id": 'main"'}},
        GIT | {"subdirectory": "a b"},
        {"url": "nowhere"},
    ],
)
def test_what_a_shell_would_read_otherwise_is_no_address(record: dict[str, Any]) -> None:
    assert direct_requirement(record) is None


def like(folder: Path, installed: Path, *arguments: str) -> Path:
    """Makes a library with the add-model that a folder says how it was installed."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(installed), str(Path(__file__).parents[2])])}
    command = [sys.executable, "-m", "add_model", "like", *arguments, "--into", "my_models", "--yes"]
    folder.mkdir()
    made = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return folder / "my_models"


def distribution(folder: Path, record: object) -> Path:
    """The metadata of an installed add-model; `None` for one from an index."""
    metadata = folder / "site" / f"add_model-{__version__}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: add-model\nVersion: {__version__}\n")
    if record is not None:
        (metadata / "direct_url.json").write_text(record if isinstance(record, str) else json.dumps(record))
    return metadata.parent


@pytest.mark.slow
@pytest.mark.parametrize(
    ("record", "requirement"), [(GIT, FROM_GIT), (None, f"add-model~={__version__}")], ids=["git", "index"]
)
def test_hook_and_workflow_install_it_from_there(tmp_path: Path, record: object, requirement: str) -> None:
    installed = distribution(tmp_path, record)
    library = like(tmp_path / "first", installed, "gpt2", "--name", "tiny_gpt")
    assert f'run: pip install "{requirement}"\n' in (library / ".github/workflows/ci.yml").read_text()
    hook = (library / ".pre-commit-config.yaml").read_text()
    assert f'language: python\n        additional_dependencies: ["{requirement}"]\n' in hook
    assert f'pip install "{requirement}"\n' in (library / "README.md").read_text()
    # Whoever develops the library has not to have it.
    assert "add-model~=" not in (library / "pyproject.toml").read_text()
    answers = (library / ".add-model/models/tiny_gpt/answers.toml").read_bytes()
    (tmp_path / "answers.toml").write_bytes(answers)
    again = like(tmp_path / "again", installed, "--answers", str(tmp_path / "answers.toml"))
    files = {path.relative_to(library): path.read_bytes() for path in library.rglob("*") if path.is_file()}
    assert files == {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("record", [LOCAL, "no json", [1]], ids=["folder", "broken", "other"])
def test_what_nobody_else_can_get_is_asked_for_nowhere(tmp_path: Path, record: object) -> None:
    library = like(tmp_path / "made", distribution(tmp_path, record), "gpt2", "--name", "tiny_gpt")
    assert "language: python" not in (library / ".pre-commit-config.yaml").read_text()
    assert "nobody else can get it" in " ".join((library / "README.md").read_text().split())
    workflow = (library / ".github/workflows/ci.yml").read_text()
    assert 'pip install "add-model' not in workflow and "::notice" in workflow
