"""The models that a library of each kind holds, as the workbench asks for them."""

from __future__ import annotations

from pathlib import Path

from add_model.held_model import HeldModel
from add_model.registry import CONFIGURATION_MAPPING, MODEL_MAPPING, TOKENIZER_MAPPING
from add_model.scaffold.checkout.target import CheckoutTarget
from add_model.scaffold.destination import find_holder
from add_model.scaffold.out_of_tree.target import OutOfTreeKind

from .checkout.installed import installed
from .libraries import make_library

INIT = """
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer

from .configuration_wren import WrenConfig
from .modeling_wren import WrenForCausalLM, WrenModel
from .tokenization_wren import WrenTokenizer

AutoConfig.register("wren", WrenConfig)
AutoModelForCausalLM.register(WrenConfig, WrenForCausalLM)
AutoModel.register(WrenConfig, WrenModel)
AutoTokenizer.register(WrenConfig, tokenizer_class=WrenTokenizer)
"""


def held_by_the_tree(name: str) -> HeldModel:
    """A model of the installed release, as that of a source tree."""
    found = CheckoutTarget(installed()).find_model(name)
    assert found is not None
    return found


def test_a_class_in_a_tuple_of_an_auto_mapping_is_one_of_its_model() -> None:
    deit = held_by_the_tree("deit")
    assert {"DeiTForImageClassification", "DeiTForImageClassificationWithTeacher"} <= set(deit.class_names)
    assert deit.class_names[0] == "DeiTModel"


def test_a_model_of_a_tree_is_found_by_its_folder_and_by_its_type() -> None:
    by_type, by_folder = held_by_the_tree("xlm-roberta"), held_by_the_tree("xlm_roberta")
    assert by_type == by_folder and by_folder.name == "xlm_roberta"
    assert by_folder.package == "transformers.models.xlm_roberta"
    assert (
        by_folder.configuration_name == "XLMRobertaConfig" and by_folder.heads["masked-lm"] == "XLMRobertaForMaskedLM"
    )
    assert CheckoutTarget(installed()).find_model("no_such_model") is None


def test_a_model_without_one_that_has_no_head_is_that_of_its_first_head() -> None:
    whisper = held_by_the_tree("whisper")
    assert whisper.class_names[:1] == ("WhisperModel",)
    assert "WhisperForConditionalGeneration" in whisper.heads.values()


def test_a_model_of_a_package_has_the_classes_that_its_folder_registers(tmp_path: Path) -> None:
    package = OutOfTreeKind().new(tmp_path, "my_models")
    folder = tmp_path / "src" / "my_models" / "wren"
    folder.mkdir(parents=True)
    (folder / "modeling_wren.py").touch()
    (folder / "__init__.py").write_text(INIT)
    wren = package.find_model("wren")
    assert wren is not None and wren.package == "my_models.wren" and package.model_names() == ("wren",)
    names = {CONFIGURATION_MAPPING: "WrenConfig", MODEL_MAPPING: "WrenModel", TOKENIZER_MAPPING: "WrenTokenizer"}
    assert names.items() <= wren.classes.items()
    assert wren.heads == {"causal-lm": "WrenForCausalLM"}
    assert wren.auto_classes["AutoModelForCausalLM"] == "WrenForCausalLM"
    assert package.find_model("../wren") is None


def test_a_library_in_plain_pytorch_is_asked_by_its_registry(tmp_path: Path) -> None:
    make_library(tmp_path, {"bert": "Bert"})
    holder = find_holder(tmp_path / "src")
    bert = holder.find_model("bert")
    assert bert is not None and bert.class_names == ("BertModel", "BertForMaskedLM") and not bert.auto_classes
    assert holder.find_model("gpt2") is None
