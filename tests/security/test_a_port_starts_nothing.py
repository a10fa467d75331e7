"""The commands of a port run the library's code where they are asked to, and nothing of its repository."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.commands import add_model_process

from .planted import Marker, git, plant, plant_attributes, version_control
from .test_programs_of_the_tree import plant_programs

pytestmark = pytest.mark.slow

CARD = """---
license: apache-2.0
---
# Brand new
## What it is used for
Tests.
## Data
None.
## Limits
All.
```python
open("{ran}", "w").close()
```
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    made = add_model_process(tmp_path, "like", "bert", "--name", "new_bert", "--into", "tree", "--yes")
    assert made.returncode == 0, made.stderr
    (folder / "docs/model_cards/new_bert.md").write_text(CARD.format(ran=tmp_path / "the card"))
    (folder / "converted").mkdir()
    (folder / "converted/config.json").write_text(json.dumps({"model_type": "new_bert"}))
    (folder / "converted/model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (folder / "converted/vocab.txt").write_text("[PAD]\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "All of it")
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("status", "new_bert"),
        ("publish", "new_bert", "--checkpoint", "converted", "--repository", "somebody/new-bert"),
        ("publish", "new_bert", "--checkpoint", "converted", "--run-code"),
        ("verify", "docs", "new_bert"),
        ("remove", "new_bert", "--force"),
    ],
    ids=" ".join,
)
def test_a_port_starts_nothing_of_a_planted_repository(
    library: Path, tmp_path: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = Marker(tmp_path / "marker")
    plant_attributes(library)
    plant(library / ".git", marker)
    plant_programs(library, marker)
    monkeypatch.setenv("PATH", os.pathsep.join([".", os.environ["PATH"]]))
    before = version_control(library)
    result = add_model_process(library, *command)
    assert "Traceback" not in result.stderr, result.stderr
    assert marker.ran == [] and version_control(library) == before
    # What the command is asked to run, it has run.
    assert (tmp_path / "the card").exists() == ("--run-code" in command)
