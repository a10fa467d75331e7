from pathlib import Path, PurePosixPath

import pytest

from add_model.errors import AddModelError
from add_model.scaffold.checkout.layout import find_checkout
from add_model.scaffold.checkout.reference import find_checkout_reference, model_folders
from tests.scaffold.checkout.installed import has_as_many_models_as_released, installed, reference
from tests.scaffold.checkout.trees import make_checkout

MODELS = "src/transformers/models"


def test_every_folder_with_a_modeling_file_is_a_reference() -> None:
    models = installed().models_folder
    expected = {path.parent.name for path in models.glob("*/modeling_*.py")} - {"auto"}
    # `auto` has such a file as well, which says what there is and makes none.
    assert model_folders(installed()).keys() == expected and has_as_many_models_as_released(len(expected))


@pytest.mark.parametrize(
    ("folder", "camel", "types"),
    [
        ("xlm_roberta", "XLMRoberta", {"xlm-roberta"}),
        ("openai", "OpenAIGPT", {"openai-gpt"}),
        ("audio_spectrogram_transformer", "AST", {"audio-spectrogram-transformer"}),
        ("megatron_bert", "MegatronBert", {"megatron-bert"}),
        ("encoder_decoder", "EncoderDecoder", {"encoder-decoder"}),
        ("timm_wrapper", "TimmWrapper", {"timm_wrapper"}),
        ("donut", "Donut", {"donut-swin"}),
        ("esm", "Esm", {"esm"}),
        ("speech_to_text", "Speech2Text", {"speech_to_text"}),
        ("qwen2_5_vl", "Qwen2_5_VL", {"qwen2_5_vl", "qwen2_5_vl_text", "qwen2_5_vl_vision"}),
        ("exaone4_5", "Exaone4_5", {"exaone4_5", "exaone4_5_vision"}),
    ],
)
def test_names_and_types_are_read_from_the_folders_own_code(folder: str, camel: str, types: set[str]) -> None:
    assert (reference(folder).name.camel, {*reference(folder).model_types}) == (camel, types)


@pytest.mark.parametrize("wanted", ["xlm_roberta", "xlm-roberta", "transformers:xlm-roberta", "library:xlm_roberta"])
def test_a_reference_is_found_by_folder_and_by_type(wanted: str) -> None:
    assert find_checkout_reference(wanted, installed()).folder == PurePosixPath("xlm_roberta")


def test_a_type_that_is_called_otherwise_than_its_folder_is_found() -> None:
    assert find_checkout_reference("donut-swin", installed()).folder == PurePosixPath("donut")


def test_scripts_that_convert_and_modular_files_are_not_copied() -> None:
    found = reference("qwen2_5_vl")
    assert [str(path) for path in found.not_copied] == ["modular_qwen2_5_vl.py"]
    assert {file.kind for file in found.files} == {"package", "configuration", "modeling", "processing"}


def test_a_retired_model_is_found_below_its_folder(tmp_path: Path) -> None:
    changed = {
        f"{MODELS}/deprecated/dodo/modeling_dodo.py": "class DodoModel: pass\n",
        f"{MODELS}/deprecated/dodo/convert_dodo.py": "",
    }
    checkout = find_checkout(make_checkout(tmp_path, 4, changed))
    assert checkout is not None
    for wanted in ("dodo", "deprecated/dodo"):
        found = find_checkout_reference(wanted, checkout)
        assert (found.folder, found.package) == (
            PurePosixPath("deprecated/dodo"),
            "transformers.models.deprecated.dodo",
        )
        assert [str(path) for path in found.not_copied] == ["convert_dodo.py"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("berrt", "unknown reference 'berrt'; nearest: transformers:bert"),
        ("byt5", "byt5: has no modeling file"),
        ("zoo:bert", "a checkout starts from its own models"),
        ("../bert", "unknown reference"),
        ("", "unknown reference"),
    ],
)
def test_what_is_no_reference_says_what_is(wanted: str, said: str) -> None:
    with pytest.raises(AddModelError, match=said):
        find_checkout_reference(wanted, installed())
