"""What the auto classes answer for the models of a package: the same as for their references, wherever the library says it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scaffold.out_of_tree.installed import add_model
from tests.scaffold.rendered import in_a_package, modules


def module(folder: str, name: str, tmp_path: Path) -> str:
    return modules(in_a_package(folder, f"my_{folder}", tmp_path))[f"transformers.models.my_{folder}.{name}"]


def test_a_tokenizer_that_a_loop_gives_to_a_list_of_models_is_registered(tmp_path: Path) -> None:
    assert "AutoTokenizer.register(MyNemotronConfig, tokenizer_class=TokenizersBackend)" in module("nemotron", "__init__", tmp_path)  # fmt: skip


def test_a_processor_that_stands_under_another_type_of_the_configuration_is_registered(tmp_path: Path) -> None:
    text = module("mlcd", "__init__", tmp_path)
    for speed, name in (("fast", "CLIPImageProcessor"), ("slow", "CLIPImageProcessorPil")):
        assert f"{speed}_image_processor_class={name}" in text


def test_a_mapping_that_begins_with_all_of_another_answers_for_what_that_one_has(tmp_path: Path) -> None:
    text = module("idefics2", "__init__", tmp_path)
    for auto_class in ("AutoModelForImageTextToText", "AutoModelForMultimodalLM"):
        assert f"{auto_class}.register(MyIdefics2Config, MyIdefics2ForConditionalGeneration)" in text


def test_a_configuration_leads_to_the_model_of_another_folder(tmp_path: Path) -> None:
    text = module("gemma3n", "modeling_my_gemma3n", tmp_path)
    assert "MODEL_MAPPING.register(MyGemma3nVisionConfig, TimmWrapperModel, exist_ok=True)" in text
    assert "from transformers import TimmWrapperModel" in text


def test_a_configuration_leads_to_a_model_of_its_own_that_names_a_part_of_it(tmp_path: Path) -> None:
    text = module("qwen3_5", "modeling_my_qwen3_5", tmp_path)
    assert "MODEL_FOR_CAUSAL_LM_MAPPING.register(MyQwen35Config, MyQwen35ForCausalLM, exist_ok=True)" in text


@pytest.mark.parametrize("folder", ["llama", "bert"])
def test_what_register_takes_goes_through_it_alone(folder: str, tmp_path: Path) -> None:
    assert "_MAPPING" not in module(folder, f"modeling_my_{folder}", tmp_path)


ANSWERS = """
import my_models
from transformers import AutoConfig, AutoModelForMaskGeneration

configuration = AutoConfig.for_model("my_sam2_video")
assert AutoModelForMaskGeneration._model_mapping[type(configuration)].__name__ == "Sam2Model"
"""


@pytest.mark.slow
def test_the_auto_classes_answer_once_the_package_is_imported(tmp_path: Path) -> None:
    made = add_model(tmp_path, "like", "transformers:sam2_video", "--name", "my_sam2_video", "--into", "my_models", "--yes")  # fmt: skip
    assert made.returncode == 0, made.stderr
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(tmp_path / "my_models" / "src")}
    run = subprocess.run([sys.executable, "-c", ANSWERS], cwd=tmp_path, env=environment, capture_output=True, text=True)  # fmt: skip
    assert run.returncode == 0, run.stderr
