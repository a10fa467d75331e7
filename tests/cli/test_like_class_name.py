"""The casing of a model's classes can be given: `MyGPT` rather than `MyGpt`, in every kind of library."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from add_model.scaffold.answers import load_answers
from tests.scaffold.checkout.trees import make_checkout
from tests.scaffold.out_of_tree.installed import add_model, part_of_transformers

from .commands import add_model_here, contents, done, refused

CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
MY_GPT = ("gpt2", "--name", "my_gpt", "--class-name", "MyGPT", "--into", "library")


def classes(folder: Path) -> set[str]:
    return {name for path in folder.rglob("*.py") for name in CLASS.findall(path.read_text())}


def code(folder: Path) -> str:
    """Everything that the modules of a folder say, but for their markers."""
    lines = (line for path in sorted(folder.rglob("*.py")) for line in path.read_text().splitlines())
    return "\n".join(line for line in lines if "# Copied from" not in line)


def check_copies(folder: Path) -> str:
    result = add_model_here(folder, "check-copies", "--strict")
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stderr


def test_a_standalone_models_classes_are_called_as_asked(tmp_path: Path) -> None:
    shown = done(tmp_path, *MY_GPT)
    assert "MyGPT, like zoo:gpt2" in shown and "left out" not in shown
    library = tmp_path / "library"
    model = library / "src/library/models/my_gpt"
    assert {"MyGPTConfig", "MyGPTMLP", "MyGPTModel", "MyGPTLMHeadModel", "MyGPTTokenizer"} <= classes(model)
    assert "MyGpt" not in code(library) and '"my_gpt": "MyGPTLMHeadModel"' in code(library)
    assert "MyGPT" in (library / "docs/models/my_gpt.md").read_text()
    assert "markers checked" in check_copies(library)


def test_the_casing_is_stored_and_replayed(tmp_path: Path) -> None:
    done(tmp_path, *MY_GPT)
    stored = tmp_path / "library/.add-model/models/my_gpt/answers.toml"
    assert load_answers(stored).class_name == "MyGPT"
    done(tmp_path, "--answers", str(stored), "--into", "again/library")
    assert contents(tmp_path / "again/library") == contents(tmp_path / "library")


def test_the_usual_casing_is_stored_as_no_answer_at_all(tmp_path: Path) -> None:
    done(tmp_path, "gpt2", "--name", "my_gpt", "--into", "one/library")
    done(tmp_path, "gpt2", "--name", "my_gpt", "--class-name", "MyGpt", "--into", "two/library")
    assert contents(tmp_path / "one/library") == contents(tmp_path / "two/library")
    assert "class_name" not in (tmp_path / "one/library/.add-model/models/my_gpt/answers.toml").read_text()


def test_another_name_for_stored_answers_has_its_usual_casing(tmp_path: Path) -> None:
    done(tmp_path, *MY_GPT)
    stored = "library/.add-model/models/my_gpt/answers.toml"
    done(tmp_path, "--answers", stored, "--name", "your_gpt", "--into", "library")
    assert "YourGptModel" in classes(tmp_path / "library/src/library/models/your_gpt")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "camel"), [("my_gpt", "MyGPT"), ("gpt", "GPT"), ("gpt_neox", "GPTNeoX")])
def test_a_model_of_such_a_casing_is_itself_a_reference(tmp_path: Path, name: str, camel: str) -> None:
    done(tmp_path, "gpt2", "--name", name, "--class-name", camel, "--into", "library")
    library = tmp_path / "library"
    first = classes(library / f"src/library/models/{name}")
    # A run of capitals goes on behind the model's name in some of them.
    assert {f"{camel}LMHeadModel", f"{camel}MLP", f"{camel}Config"} <= first
    shown = done(library, name, "--name", "newer_model")
    assert "left out" not in shown
    assert classes(library / "src/library/models/newer_model") == {
        each.replace(camel, "NewerModel", 1) for each in first
    }
    assert camel not in code(library / "src/library/models/newer_model").replace("NewerModelLMHead", "")
    check_copies(library)
    # And the other way round.
    done(library, "newer_model", "--name", "last_net", "--class-name", "LastNET")
    assert "LastNETMLP" in classes(library / "src/library/models/last_net")
    check_copies(library)


@pytest.mark.parametrize("generation", [4, 5])
def test_in_a_checkout(tmp_path: Path, generation: int) -> None:
    checkout = make_checkout(tmp_path / "checkout", generation)
    done(tmp_path, "wren", "--name", "my_wren", "--class-name", "MyWREN", "--into", "checkout")
    models = checkout / "src/transformers/models"
    found = classes(models / "my_wren")
    assert "MyWRENConfig" in found and "MyWRENModel" in found and not any("MyWren" in name for name in found)
    assert "MyWRENConfig" in "".join(path.read_text() for path in (models / "auto").glob("*.py"))
    check_copies(checkout)
    done(tmp_path, "my_wren", "--name", "newer_wren", "--into", "checkout")
    assert classes(models / "newer_wren") == {name.replace("MyWREN", "NewerWren") for name in found}
    check_copies(checkout)


def test_in_a_package_that_depends_on_transformers(tmp_path: Path) -> None:
    installed = part_of_transformers(tmp_path / "installed", "5.23.0", "gpt_neox")
    asked = ("--name", "my_neox", "--class-name", "MyNeoX", "--into", "my_models", "--yes")
    made = add_model(tmp_path, "like", "transformers:gpt_neox", *asked, path=installed)
    assert made.returncode == 0, made.stderr
    package = tmp_path / "my_models/src/my_models/my_neox"
    assert {"MyNeoXConfig", "MyNeoXMLP", "MyNeoXForCausalLM"} <= classes(package)
    assert 'AutoConfig.register("my_neox", MyNeoXConfig)' in (package / "__init__.py").read_text()
    check = add_model(tmp_path / "my_models", "check-copies", "--strict", path=installed)
    assert check.returncode == 0, check.stdout
    assert load_answers(tmp_path / "my_models/.add-model/models/my_neox/answers.toml").class_name == "MyNeoX"


@pytest.mark.parametrize(
    "wrong", ["YourGPT", "myGPT", "My_GPT", "MyGPTModel", "My GPT", "MyGPT;import os", "", "Mygp"]
)
def test_what_does_not_spell_the_name_is_refused(tmp_path: Path, wrong: str) -> None:
    asked = ("gpt2", "--name", "my_gpt", "--class-name", wrong, "--into", "library")
    refused(tmp_path, *asked, naming=("--class-name", "my_gpt", "MyGpt or MyGPT"))


def test_classes_that_the_library_has_already_are_refused(tmp_path: Path) -> None:
    asked = ("gpt2", "--name", "pretrained", "--class-name", "PreTrained", "--into", "library")
    refused(tmp_path, *asked, naming=("PreTrained", "choose another"))


def test_classes_that_another_model_has_already_are_refused(tmp_path: Path) -> None:
    done(tmp_path, "gpt2", "--name", "gpt", "--class-name", "GPT", "--into", "library")
    text = (tmp_path / "library/src/library/registry.py").read_text()
    assert '"GPTLMHeadModel"' in text
    # Somebody's own model, whose base model is called as the first one's head would be.
    edited = text.replace('"gpt": "GPTModel"', '"gpt": "GPTLMModel"')
    (tmp_path / "library/src/library/registry.py").write_text(edited)
    asked = ("zoo:gpt2", "--name", "gptlm", "--class-name", "GPTLM", "--into", "library")
    refused(tmp_path, *asked, naming=("GPTLMModel", "class of gpt", "choose another casing"))
