"""A package of one's own beside a Transformers that moves on: which versions are named, and what a fix brings over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scaffold.out_of_tree.installed import add_model, part_of_transformers

pytestmark = pytest.mark.slow

MODELING = Path("models") / "llama" / "modeling_llama.py"
OLD_LINE = "hidden_states = hidden_states.to(torch.float32)"
NEW_LINE = "hidden_states = hidden_states.to(torch.float64)"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A package with a model like the Llama of Transformers 5.23.0."""
    installed = part_of_transformers(tmp_path / "old", "5.23.0", "llama")
    made = add_model(tmp_path, "like", "transformers:llama", "--name", "my_llama", "--into", "my_models", "--yes", path=installed)  # fmt: skip
    assert made.returncode == 0, made.stderr
    return tmp_path / "my_models"


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A Transformers 5.24.0 in which an original has moved."""
    installed = part_of_transformers(tmp_path / "new", "5.24.0", "llama")
    path = installed / "transformers" / MODELING
    text = path.read_text()
    assert text.count(OLD_LINE) == 1
    path.write_text(text.replace(OLD_LINE, NEW_LINE))
    return installed


def findings(library: Path, installed: Path, *arguments: str) -> list[dict[str, object]]:
    run = add_model(library, "check-copies", "--output-format", "json", *arguments, path=installed)
    found: list[dict[str, object]] = json.loads(run.stdout)
    return found


def modeling(library: Path) -> Path:
    return library / "src" / "my_models" / "my_llama" / "modeling_my_llama.py"


def test_the_version_it_was_copied_from_holds(library: Path, tmp_path: Path) -> None:
    run = add_model(library, "check-copies", "--strict", path=tmp_path / "old")
    assert run.returncode == 0, run.stdout
    assert " 0 markers" not in run.stderr


def test_a_moved_original_is_reported_with_both_versions(library: Path, newer: Path) -> None:
    run = add_model(library, "check-copies", path=newer)
    assert run.returncode == 1
    (finding,) = findings(library, newer)
    message = str(finding["message"])
    assert "transformers 5.23.0" in message and "transformers 5.24.0" in message
    assert (finding["code"], finding["object"], finding["fixable"]) == ("CP001", "MyLlamaRMSNorm", True)
    assert "5.24.0" in run.stdout


def test_a_fix_brings_the_change_over_and_remembers_the_version(library: Path, newer: Path, tmp_path: Path) -> None:
    before = modeling(library).read_text()
    assert add_model(library, "check-copies", "--fix", path=newer).returncode == 0
    assert modeling(library).read_text() == before.replace(OLD_LINE, NEW_LINE)
    assert findings(library, newer) == []
    record = json.loads((library / ".add-model" / "models" / "my_llama" / "copied.json").read_text())
    (blocks,) = [blocks for path, blocks in record.items() if path.endswith("modeling_my_llama.py")]
    assert blocks["MyLlamaRMSNorm"]["version"] == "5.24.0"
    # Back to where it came from: that is a move as well, and the versions are named in its order.
    (finding,) = findings(library, tmp_path / "old")
    assert "from transformers 5.24.0" in str(finding["message"])


def test_an_edited_copy_is_told_from_a_moved_original(library: Path, newer: Path, tmp_path: Path) -> None:
    text = modeling(library).read_text()
    modeling(library).write_text(text.replace("self.variance_epsilon = eps", "self.variance_epsilon = 2 * eps"))
    (finding,) = findings(library, tmp_path / "old")
    assert "the copy moved since it was made from transformers 5.23.0" in str(finding["message"])
    assert finding["fixable"] is False
    (finding,) = findings(library, newer)
    assert "both sides moved since transformers 5.23.0" in str(finding["message"])
    run = add_model(library, "check-copies", "--fix", path=newer)
    assert run.returncode == 1
    assert "2 * eps" in modeling(library).read_text()


def test_a_library_that_follows_nothing_is_warned_only(library: Path, newer: Path) -> None:
    project = library / "pyproject.toml"
    project.write_text(project.read_text().replace('follows = ["transformers"]\n', ""))
    run = add_model(library, "check-copies", path=newer)
    assert run.returncode == 0
    assert "CP009" in run.stdout


def test_a_broken_record_is_none(library: Path, newer: Path) -> None:
    (library / ".add-model" / "models" / "my_llama" / "copied.json").write_text("[1, 2")
    (finding,) = findings(library, newer)
    assert finding["code"] == "CP001" and finding["fixable"] is True
