"""That a package of one's own can be imported: whatever its reference is, and whichever optional packages are missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.out_of_tree.definitions import Definitions
from add_model.scaffold.out_of_tree.imports import with_absolute_imports
from tests.scaffold.out_of_tree.installed import add_model, part_of_transformers

MODELING = """
from transformers.models.finch.modeling_finch import FinchModel
from transformers.utils.import_utils import requires
from .configuration_wren import WrenConfig, WrenTextConfig

class WrenPreTrainedModel(PreTrainedModel):
    config: WrenConfig

class WrenModel(WrenPreTrainedModel): ...

class WrenTextModel(WrenPreTrainedModel):
    config: "WrenTextConfig"

class WrenOldModel(WrenPreTrainedModel):
    config_class = WrenTextConfig
    config: WrenConfig

class WrenForFinches(FinchModel): ...

class WrenWithout(PreTrainedModel):
    config: WrenConfig | WrenTextConfig

@requires(backends=("torchaudio", "torch", "scipy>=1.2"))
class WrenForAudio(WrenPreTrainedModel): ...

class WrenTokenizer:
    def __init__(self): ...

class WrenTokenizerFast(WrenTokenizer): ...
"""
FINCH = "from .base import FinchBase\n\nclass FinchModel(FinchBase): ...\n"
BASE = "class FinchBase(PreTrainedModel):\n    config_class = FinchConfig\n"
IMAGES = "class WrenImageProcessor(TorchvisionBackend): ...\n\nclass WrenImageProcessorPil(PilBackend): ...\n"


@pytest.fixture
def definitions(tmp_path: Path) -> Definitions:
    package = tmp_path / "transformers"
    (package / "models" / "finch").mkdir(parents=True)
    (package / "models" / "finch" / "modeling_finch.py").write_text(FINCH)
    (package / "models" / "finch" / "base.py").write_text(BASE)
    texts = {"modeling_wren": MODELING, "image_processing_wren": IMAGES, "video_processing_wren": "class WrenVideoProcessor: ...\n"}  # fmt: skip
    return Definitions(Checkout(tmp_path, package, 5), "transformers.models.wren", texts)


@pytest.mark.parametrize(
    ("name", "configuration"),
    [
        ("WrenModel", "WrenConfig"),
        ("WrenTextModel", "WrenTextConfig"),
        ("WrenOldModel", "WrenTextConfig"),
        ("WrenForFinches", "FinchConfig"),
        ("WrenWithout", None),
    ],
)
def test_the_configuration_that_a_class_says_is_its_own(
    definitions: Definitions, name: str, configuration: str | None
) -> None:
    assert definitions.configuration(name) == configuration


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("WrenModel", ()),
        ("WrenForAudio", ("scipy", "torchaudio")),
        ("WrenImageProcessor", ("torchvision", "vision")),
        ("WrenImageProcessorPil", ("vision",)),
        ("WrenVideoProcessor", ("torchvision", "vision")),
    ],
)
def test_what_a_class_needs_beside_torch(definitions: Definitions, name: str, needs: tuple[str, ...]) -> None:
    assert definitions.needs(name) == needs


def test_what_derives_from_nothing_is_told(definitions: Definitions) -> None:
    derived = {name for name in definitions.defined_in if definitions.derives(name)}
    assert not derived & {"WrenTokenizer", "WrenTokenizerFast", "WrenVideoProcessor"}
    assert {"WrenModel", "WrenForFinches", "WrenImageProcessor"} <= derived


@pytest.mark.parametrize(
    ("below", "before", "after"),
    [
        ((), "from transformers.models.my.configuration_my import A", "from .configuration_my import A"),
        (("parts",), "from transformers.models.my.configuration_my import A", "from ..configuration_my import A"),
        (("parts",), "from ..configuration_my import A", "from ..configuration_my import A"),
        (("parts",), "from ...bert import A", "from transformers.models.bert import A"),
        (
            (),
            "from transformers.models.my_other.modeling import A",
            "from transformers.models.my_other.modeling import A",
        ),  # fmt: skip
        ((), "from torch import nn", "from torch import nn"),
        ((), "from transformers import MyConfig", "from .configuration_my import MyConfig"),
        (("parts",), "from transformers import MyConfig", "from ..configuration_my import MyConfig"),
        ((), "from transformers import PreTrainedModel", "from transformers import PreTrainedModel"),
    ],
)
def test_a_model_imports_itself_from_where_it_is(below: tuple[str, ...], before: str, after: str) -> None:
    own = {"MyConfig": "configuration_my", "MyModel": "modeling_my"}
    assert with_absolute_imports(f"{before}\n", "transformers.models.my", below, own) == f"{after}\n"


def test_what_a_processor_of_the_tree_needs(definitions: Definitions) -> None:
    finch = definitions.checkout.models_folder / "finch"
    (finch / "image_processing_finch.py").write_text("class FinchImageProcessor(TorchvisionBackend): ...\n")
    assert definitions.needs("FinchImageProcessor") == ("torchvision", "vision")
    assert definitions.needs("FinchUnheardOf") == ()


def test_a_layer_that_is_called_as_the_feature_extractor_is_stands_behind_it(definitions: Definitions) -> None:
    modeling = f"{MODELING}\nclass WrenFeatureExtractor(WrenModel): ...\n"
    texts = {"feature_extraction_wren": "class WrenFeatureExtractor(Extractor): ...\n", "modeling_wren": modeling}
    found = Definitions(definitions.checkout, definitions.folder, texts)
    assert found.defined_in["WrenFeatureExtractor"] == "feature_extraction_wren"


def registered(folder: Path, reference: str, *arguments: str) -> str:
    """The package file of a model like one of the installed Transformers."""
    installed = part_of_transformers(folder / "installed", "5.23.0", reference, "gpt2")
    made = add_model(folder, "like", f"transformers:{reference}", "--name", "wren", "--into", "mine", "--yes", *arguments, path=installed)  # fmt: skip
    assert made.returncode == 0, made.stderr
    return (folder / "mine/src/mine/wren/__init__.py").read_text()


def test_a_class_is_registered_for_the_configuration_that_is_its_own(tmp_path: Path) -> None:
    text = registered(tmp_path, "emu3")
    assert "AutoModelForTextEncoding.register(WrenTextConfig, WrenTextModel)" in text
    assert "AutoModelForImageTextToText.register(WrenConfig, WrenForConditionalGeneration)" in text
    assert "register(WrenConfig, WrenTextModel)" not in text
    configurations = (tmp_path / "mine/src/mine/wren/configuration_wren.py").read_text()
    *_, main = configurations.split("class WrenConfig")
    assert "WrenForConditionalGeneration" in main and "WrenTextModel" not in main


def test_a_tokenizer_of_no_class_of_transformers_is_registered_only(tmp_path: Path) -> None:
    text = registered(tmp_path, "rag")
    assert "AutoTokenizer.register(WrenConfig, tokenizer_class=WrenTokenizer)" in text
    assert "WrenTokenizer.register_for_auto_class" not in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "module", "tokenizer"),
    [
        ((), "transformers", "RobertaTokenizer"),
        (("--tokenizer-like", "gpt2"), ".tokenization_wren", "WrenTokenizer"),
        (("--tokenizer-like", "none"), "", ""),
    ],
)
def test_a_tokenizer_that_is_not_the_references_own_is_registered(
    tmp_path: Path, arguments: tuple[str, ...], module: str, tokenizer: str
) -> None:
    text = registered(tmp_path, "bart", *arguments)
    assert ("AutoTokenizer" in text) is bool(tokenizer)
    assert not tokenizer or f"    from {module} import {tokenizer}\n" in text
    assert not tokenizer or f"AutoTokenizer.register(WrenConfig, tokenizer_class={tokenizer})" in text
    assert "RobertaTokenizer.register_for_auto_class" not in text


@pytest.mark.slow
def test_a_package_of_the_oddest_models_is_imported(tmp_path: Path) -> None:
    references = ("emu3", "esm", "gemma4", "higgs_audio_v2_tokenizer", "llama4", "mllama", "musicgen", "qwen3_5", "rag", "udop")  # fmt: skip
    for reference in references:
        made = add_model(tmp_path, "like", f"transformers:{reference}", "--name", f"my_{reference}", "--into", "mine", "--yes")  # fmt: skip
        assert made.returncode == 0, made.stderr
    code = "import mine, mine.my_esm.modeling_esmfold"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "mine" / "src", capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
