"""`add-model status`: the fourteen steps, with evidence that is checked each time it is shown."""

import json
import sys
from pathlib import Path

import pytest

from add_model.porting.evidence import make, store

from .commands import add_model_here, add_model_process, check_refusal, tree

NAME = "brand_new_bert"
MODELING = f"src/my_models/models/{NAME}/modeling_{NAME}.py"
TITLES = (
    "theory understood",
    "development environment ready",
    "original can be debugged",
    "script runs the original forward()",
    "model skeleton added",
    "checkpoint converted",
    "forward() gives the same output",
    "model tests finished",
    "tokenizer added",
    "end-to-end integration tests",
    "documentation finished",
    "weights uploaded",
    "pull request",
    "demo notebook",
)


def document(library: Path, *arguments: str) -> dict:
    result = add_model_here(library, "status", NAME, "--json", *arguments)
    assert result.stderr == ""
    shown = json.loads(result.stdout)
    assert result.returncode == (0 if shown["complete"] else 1)
    return shown


def step(library: Path, number: int, *arguments: str) -> dict:
    return document(library, *arguments)["steps"][number - 1]


def finish(library: Path, *numbers: int) -> None:
    for number in numbers:
        document(library, "--not-applicable", str(number), "--note", "not for this test")


def test_a_new_model_has_its_skeleton_and_is_told_what_to_type(library: Path) -> None:
    result = add_model_process(library, "status", NAME)
    assert result.returncode == 1
    assert all(title in result.stdout for title in TITLES)
    assert f"BrandNewBertModel in {MODELING}" in result.stdout
    assert f"add-model convert {NAME} CHECKPOINT" in result.stdout
    assert result.stderr == ""


def test_json_is_one_document_with_a_state_evidence_and_command_for_each_step(library: Path) -> None:
    shown = document(library)
    assert [found["number"] for found in shown["steps"]] == list(range(1, 15))
    assert [found["number"] for found in shown["steps"] if found["state"] == "done"] == [5]
    assert [found["number"] for found in shown["steps"] if found["optional"]] == [1, 14]
    assert 14 not in shown["open"] and 13 in shown["open"]
    assert all(found["evidence"] and found["next"] for found in shown["steps"] if found["state"] == "open")


def test_showing_changes_nothing(library: Path) -> None:
    before = tree(library)
    add_model_here(library, "status", NAME)
    assert tree(library) == before


def test_the_library_may_be_named_from_elsewhere(library: Path) -> None:
    result = add_model_here(library.parent, "status", NAME, "--into", "my_models", "--json")
    assert json.loads(result.stdout)["package"] == "my_models"


def test_evidence_counts_while_its_files_are_what_they_were(library: Path) -> None:
    modeling = library / MODELING
    figure = "largest difference 2.4e-07"
    store(library, NAME, make(library, "comparison", passed=True, figure=figure, files=[modeling]))
    done = step(library, 7)
    assert (done["state"], done["evidence"], done["next"]) == ("done", figure, None)
    assert done["made_at"].endswith("+00:00")

    text = modeling.read_text()
    modeling.write_text(text.replace("self.activation(hidden_states)", "hidden_states"))
    stale = step(library, 7)
    assert stale["state"] == "open"
    assert stale["evidence"] == f"{MODELING} has changed since: {figure}"
    assert "add-model compare" in stale["next"]

    modeling.write_text(text)
    assert step(library, 7)["state"] == "done"
    (library / f".add-model/models/{NAME}/evidence/comparison.json").unlink()
    assert step(library, 7)["state"] == "open"


def test_a_result_that_is_not_good_leaves_its_step_open(library: Path) -> None:
    store(library, NAME, make(library, "conversion", passed=False, figure="3 weights are not filled"))
    found = step(library, 6)
    assert (found["state"], found["evidence"]) == ("open", "3 weights are not filled")


def test_a_comparison_shows_that_the_original_runs(library: Path) -> None:
    original, new = library.parent / "original.safetensors", library.parent / "new.safetensors"
    original.write_bytes(b"1")
    new.write_bytes(b"2")
    details = {"original": str(original), "new": str(new)}
    evidence = make(library, "comparison", passed=True, figure="equal", files=[original, new], details=details)
    store(library, NAME, evidence)
    assert [step(library, number)["state"] for number in (3, 4, 7)] == ["done", "done", "done"]
    new.write_bytes(b"3")
    assert [step(library, number)["state"] for number in (3, 4, 7)] == ["done", "done", "open"]
    original.unlink()
    assert [step(library, number)["state"] for number in (3, 4, 7)] == ["open", "open", "open"]


def test_a_loose_comparison_does_not_do(library: Path) -> None:
    for tolerance, state in ((1e-3, "done"), (1e-5, "done"), (1.0, "open")):
        details = {"tolerance": tolerance}
        store(library, NAME, make(library, "comparison", passed=True, figure="equal", details=details))
        found = step(library, 7)
        assert found["state"] == state
    assert "within 1 only, the step asks for 0.001" in found["evidence"]


def test_the_next_command_names_the_checkpoint_that_is_known(library: Path) -> None:
    assert "--checkpoint DIR" in step(library, 10)["next"]
    folder = library / "converted" / NAME
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    # An original's checkpoint has a configuration as well.
    (library / "original").mkdir()
    (library / "original/config.json").write_text("{}")
    details = {"checkpoint": str(library / "original"), "folder": str(folder)}
    store(library, NAME, make(library, "conversion", passed=True, figure="all filled", details=details))
    assert f"--checkpoint converted/{NAME}" in step(library, 10)["next"]
    assert f"--checkpoint converted/{NAME}" in step(library, 7)["next"]


def test_steps_of_a_person_are_ticked_with_a_note_and_taken_back(library: Path) -> None:
    found = step(library, 13, "--done", "13", "--note", "reviewed in [42]")
    assert (found["state"], found["evidence"], found["by_hand"]) == ("done", "reviewed in [42]", True)
    assert "reviewed in [42] (by hand" in add_model_here(library, "status", NAME).stdout
    assert step(library, 13, "--undo", "13")["state"] == "open"


def test_a_step_can_be_set_aside(library: Path) -> None:
    found = step(library, 12, "--not-applicable", "12", "--note", "never published")
    assert (found["state"], found["evidence"]) == ("not applicable", "never published")
    assert 12 not in document(library)["open"]


def test_a_finished_model_exits_with_0(library: Path) -> None:
    finish(library, *(number for number in range(2, 14) if number != 5))
    result = add_model_here(library, "status", NAME)
    assert (result.returncode, result.stderr) == (0, "")
    assert "every mandatory step is done" in result.stdout
    (library / MODELING).write_text("class Broken(\n")
    assert add_model_here(library, "status", NAME).returncode == 1


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        (MODELING, "class BrandNewBertModel(", "class Renamed(", "BrandNewBertModel, which the registry names, is not exported"),
        (MODELING, "class BrandNewBertModel(", "class BrandNewBertModel((", f"{MODELING}:"),
        ("src/my_models/registry.py", '    "brand_new_bert": "BrandNewBertModel",\n', "", "no class in MODEL_MAPPING_NAMES"),
    ],
)  # fmt: skip
def test_a_skeleton_that_is_broken_is_open_again(library: Path, path: str, old: str, new: str, message: str) -> None:
    text = (library / path).read_text()
    assert old in text
    (library / path).write_text(text.replace(old, new))
    found = step(library, 5)
    assert found["state"] == "open" and message in found["evidence"]


def test_a_model_without_tokenizer_needs_none(tmp_path: Path) -> None:
    add_model_here(
        tmp_path, "like", "gpt2", "--name", NAME, "--tokenizer-like", "none", "--into", "my_models", "--yes"
    )
    assert step(tmp_path / "my_models", 9)["state"] == "not applicable"


def test_what_is_new_counts_as_the_theory(tmp_path: Path) -> None:
    add_model_here(tmp_path, "like", "bert", "--name", NAME, "--novelty", "No biases.", "--into", "my_models", "--yes")
    found = step(tmp_path / "my_models", 1)
    assert found["state"] == "done" and "No biases." in found["evidence"]


def test_the_environment_is_looked_at(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nor can one that another test has made.
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "my_models" not in entry])
    assert step(library, 2)["evidence"] == "my_models cannot be imported here"
    monkeypatch.syspath_prepend(str(library / "src"))
    found = step(library, 2)
    assert found["state"] == "done" and "torch" in found["evidence"] and "ruff" in found["evidence"]


def test_another_package_of_that_name_is_not_the_library(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    other = tmp_path / "elsewhere" / "my_models"
    other.mkdir(parents=True)
    (other / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(other.parent))
    assert f"imported from {other}" in step(library, 2)["evidence"]


def test_a_model_of_a_transformers_tree_has_a_status_too(tmp_path: Path) -> None:
    folder = tmp_path / "src/transformers/models/tiny"
    folder.mkdir(parents=True)
    for package in (folder.parents[1], folder.parent, folder):
        (package / "__init__.py").touch()
    (folder.parent / "auto").mkdir()
    for name in ("configuration_auto.py", "modeling_auto.py"):
        (folder.parent / "auto" / name).write_text("CONFIG_MAPPING_NAMES = {}\n")
    (folder / "configuration_tiny.py").write_text('__all__ = ["TinyConfig"]\nclass TinyConfig:\n    """Tiny."""\n')
    (folder / "modeling_tiny.py").write_text('__all__ = ["TinyModel"]\nclass TinyModel:\n    """Tiny."""\n')
    page = tmp_path / "docs/source/en/model_doc/tiny.md"
    page.parent.mkdir(parents=True)
    page.write_text(
        "# Tiny\n\n<INSERT PAPER NAME HERE>\n\n## TinyConfig\n\n[[autodoc]] TinyConfig\n\n## TinyModel\n\n[[autodoc]] TinyModel\n"
    )
    shown = json.loads(add_model_here(tmp_path, "status", "tiny", "--json").stdout)
    assert shown["package"] == "transformers"
    assert "TinyModel in src/transformers/models/tiny/modeling_tiny.py" in shown["steps"][4]["evidence"]
    assert shown["steps"][8]["state"] == "not applicable"
    assert "docs/source/en/model_doc/tiny.md:3 placeholder is left" in shown["steps"][10]["evidence"]


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (["brand_new_bart"], ("no model 'brand_new_bart'", "nearest first: brand_new_bert")),
        (["../x"], ("no model '../x'", "its models, nearest first: brand_new_bert")),
        ([NAME, "--into", "nowhere"], ("--into nowhere is no folder",)),
        ([NAME, "--done", "7", "--note", "yes"], ("step 7", "measured", "add-model compare")),
        ([NAME, "--done", "13"], ("step 13", "--note TEXT")),
        ([NAME, "--done", "13", "--note", "  "], ("step 13", "--note TEXT")),
        ([NAME, "--done", "15", "--note", "x"], ("no step 15", "1 to 14")),
        ([NAME, "--undo", "13"], ("step 13 is not ticked", "no step is")),
        ([NAME, "--note", "x"], ("--note belongs to",)),
        ([NAME, "--done", "3", "--undo", "3", "--note", "x"], ("exclude each other",)),
    ],
)
def test_a_wrong_request_is_one_line_with_the_remedy(library: Path, arguments: list[str], naming: tuple[str, ...]) -> None:  # fmt: skip
    before = tree(library)
    check_refusal(add_model_here(library, "status", *arguments), naming)
    assert tree(library) == before


def test_evidence_that_cannot_be_read_is_named(library: Path) -> None:
    path = store(library, NAME, make(library, "tests", passed=True, figure=""))
    path.write_text("{")
    check_refusal(add_model_here(library, "status", NAME), ("evidence/tests.json", "remove it"))


def test_outside_of_a_library_it_says_how_to_name_one(tmp_path: Path) -> None:
    check_refusal(add_model_here(tmp_path, "status", NAME), ("--into DIR",))
