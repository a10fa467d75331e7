"""Finding a model by its name, importing it, and building it without values."""

import shutil
import sys
from pathlib import Path

import pytest
import torch

from add_model.errors import AddModelError
from add_model.porting.model.subject import find_subject
from add_model.scaffold.destination import find_holder
from tests.cli.commands import done


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with two models; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    done(folder, "bert", "--name", "brand_new_bert", "--into", "my_models", "--yes")
    done(folder / "my_models", "gpt2", "--name", "tiny_gpt", "--heads", "causal-lm", "--yes")
    return folder / "my_models"


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed at will."""
    return Path(shutil.copytree(made, tmp_path / "my_models"))


def test_a_model_of_the_library_around_here(library: Path) -> None:
    subject = find_subject(find_holder(library / "src" / "my_models"), "tiny_gpt")
    assert (subject.origin, subject.library.root, subject.package) == ("library", library, "my_models.models.tiny_gpt")
    assert subject.class_names == ("TinyGptModel", "TinyGptLMHeadModel")
    assert subject.load().__file__ == str(library / "src" / "my_models" / "models" / "tiny_gpt" / "__init__.py")


def test_a_model_on_meta_has_names_shapes_and_types_but_no_values(library: Path) -> None:
    subject = find_subject(find_holder(library), "brand_new_bert")
    model = subject.build(subject.configure({"hidden_size": 24, "num_hidden_layers": 1}), "BrandNewBertForMaskedLM")
    weights = model.state_dict()
    assert all(weight.is_meta for weight in weights.values())
    shape = weights["brand_new_bert.encoder.layer.0.attention.self.query.weight"].shape
    assert shape == (24, 24)


def test_a_model_on_the_cpu_has_values(library: Path) -> None:
    subject = find_subject(find_holder(library), "tiny_gpt")
    config = subject.configure({"n_embd": 8, "n_head": 2, "n_layer": 1, "vocab_size": 11, "n_positions": 5})
    model = subject.build(config, device="cpu")
    assert model.get_parameter("wte.weight").std() > 0


@pytest.mark.parametrize("name", ["zoo:bert", "zoo:gpt2", "transformers:bart"])
def test_a_model_of_another_library(name: str, tmp_path: Path) -> None:
    subject = find_subject(find_holder(tmp_path), name)
    config = subject.configuration_class()(vocab_size=40)
    weights = subject.build(config).state_dict()
    assert any(40 in weight.shape and weight.is_meta for weight in weights.values())


def test_two_libraries_of_the_same_name_are_not_mistaken_for_each_other(made: Path, library: Path) -> None:
    first = find_subject(find_holder(made), "brand_new_bert").load()
    second = find_subject(find_holder(library), "brand_new_bert").load()
    assert Path(str(first.__file__)).is_relative_to(made)
    assert Path(str(second.__file__)).is_relative_to(library)


def test_an_unknown_model_is_refused_with_the_nearest(library: Path) -> None:
    with pytest.raises(AddModelError, match="its models, nearest first: brand_new_bert"):
        find_subject(find_holder(library), "brand_new_brt")
    with pytest.raises(AddModelError, match="nearest: .*bert"):
        find_subject(find_holder(library), "transformers:brt")


@pytest.mark.parametrize(
    "text, said",
    [
        ("\n\nimport nothing_of_that_name\n", "nothing_of_that_name"),
        ("\n\ndef broken(:\n", "SyntaxError"),
        ("\n\nraise ValueError('two\\nlines')\n", "two lines"),
    ],
)
def test_a_model_that_does_not_import_is_named_with_its_line(library: Path, text: str, said: str) -> None:
    path = library / "src" / "my_models" / "models" / "tiny_gpt" / "modeling_tiny_gpt.py"
    path.write_text(text)
    with pytest.raises(AddModelError) as raised:
        find_subject(find_holder(library), "tiny_gpt").load()
    message = str(raised.value)
    assert f"{path}:3: " in message and said in message and "\n" not in message


def test_a_model_that_cannot_be_built_is_named_with_its_line(library: Path) -> None:
    path = library / "src" / "my_models" / "models" / "tiny_gpt" / "modeling_tiny_gpt.py"
    text = path.read_text()
    path.write_text(text.replace("self.post_init()", "self.pots_init()", 1))
    line = path.read_text()[: path.read_text().index("self.pots_init()")].count("\n") + 1
    subject = find_subject(find_holder(library), "tiny_gpt")
    with pytest.raises(AddModelError) as raised:
        subject.build(subject.configuration_class()(), "TinyGptModel")
    assert f"{path}:{line}: " in str(raised.value)


def test_a_class_or_a_value_that_does_not_exist_is_refused(library: Path) -> None:
    subject = find_subject(find_holder(library), "tiny_gpt")
    with pytest.raises(AddModelError, match="TinyGptModel, TinyGptLMHeadModel"):
        subject.model_class("TinyGptForMaskedLM")
    with pytest.raises(AddModelError, match="attention_implementation"):
        subject.configure({"attention_implementation": "flesh"})


def teardown_module() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_models"]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if "my_models" not in Path(path).parts]


def test_building_does_not_change_how_tensors_are_made(library: Path) -> None:
    subject = find_subject(find_holder(library), "zoo:gpt2")
    subject.build(subject.configuration_class()())
    assert torch.zeros(2).fill_(1).tolist() == [1, 1]
