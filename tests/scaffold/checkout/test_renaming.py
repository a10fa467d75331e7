"""Renaming a model folder of Transformers: held against the installed release, and against names that are traps."""

import ast
import re
from pathlib import Path, PurePosixPath

import pytest

from add_model.names import ModelName
from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.checkout.reference import CheckoutReference, SourceFile, read_reference
from add_model.scaffold.copied_text.renaming import FolderRenaming
from tests.scaffold.checkout.installed import imports_from_outside, new_modules, reference, renaming

TRAPS = [
    "opt", "led", "sam", "vit", "bit", "git", "mamba", "wav2vec2", "whisper", "gpt2", "clip", "owlvit", "donut",
    "data2vec", "bert", "albert", "roberta", "t5", "mt5", "qwen2_5_vl", "sam3", "distilbert", "falcon_mamba", "pegasus",
    "align", "beam", "encoder_decoder", "esm", "openai", "xlm_roberta", "megatron_bert", "kosmos2_5", "x_clip", "ernie4_5_vl_moe",
    "timm_wrapper", "speech_to_text", "audio_spectrogram_transformer", "nemotron_h_omni", "evolla", "xlstm",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("folder", TRAPS)
def test_what_comes_from_elsewhere_is_still_imported_from_there(folder: str) -> None:
    renamed = renaming(folder)
    for file in renamed.reference.files:
        depth, text = len(file.path.parts), renamed.rename_text(file.text)
        assert set(imports_from_outside(text, depth)) == set(imports_from_outside(file.text, depth)), file.path


@pytest.mark.slow
@pytest.mark.parametrize("folder", TRAPS)
def test_every_public_name_gets_one_of_its_own_and_every_block_a_marker(folder: str) -> None:
    renamed = renaming(folder)
    assert renamed.classes
    assert len({*renamed.classes.values()}) == len(renamed.classes)
    assert not {*renamed.classes} & {*renamed.classes.values()}
    modules = new_modules(renamed).values()
    unmarked = [each for module in modules for each in module.unmarked]
    # What no script of the library can take apart stands below a condition, or is odd in one way or another.
    assert {why for _, why in unmarked} <= {"scripts that read line by line cannot take it apart"}
    # Of a function behind its `@overload`s such a script finds the first of these, which says nothing.
    odd = {"Rotation", "load_stereo_chemical_props", "pseudo_beta_fn", "tree_map"}
    assert {name for name, _ in unmarked if folder != "xlstm"} <= odd
    code = "\n".join(module.text for module in modules)
    code = re.sub(r"(?m)^ *# Copied from .*$", "", code)
    left = {name for name in renamed.classes if re.search(rf"(?<![\w/-]){name}(?![\w/-])", code)}
    assert left == set()
    defined = {node.name for node in ast.walk(ast.parse(code)) if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    assert {new for old, new in renamed.classes.items() if old in renamed.reference.vocabulary.classes} <= defined


@pytest.mark.parametrize(
    ("folder", "types"),
    [
        ("gpt2", {"gpt2": "new_kid"}),
        ("xlm_roberta", {"xlm-roberta": "new_kid"}),
        ("donut", {"donut-swin": "new_kid_swin"}),
        ("clip", {"clip": "new_kid", "clip_text_model": "new_kid_text_model", "clip_vision_model": "new_kid_vision_model"}),
        ("data2vec", {f"data2vec-{kind}": f"new_kid_{kind}" for kind in ("audio", "text", "vision")}),
        ("openai", {"openai-gpt": "new_kid"}),
        ("x_clip", {"xclip": "new_kid", "xclip_text_model": "new_kid_text_model", "xclip_vision_model": "new_kid_vision_model"}),
        ("kosmos2_5", {"kosmos-2.5": "new_kid", "kosmos_2_5_text_model": "new_kid_text_model", "kosmos_2_5_vision_model": "new_kid_vision_model"}),
        ("evolla", {"evolla": "new_kid", "EvollaModel": "NewKidModel"}),
        ("mlcd", {"mlcd": "new_kid", "mlcd_vision_model": "new_kid_vision_model"}),
        ("florence2", {"florence2": "new_kid", "florence_vision": "new_kid_florence_vision"}),
    ],
)  # fmt: skip
def test_every_model_type_of_a_folder_gets_one_of_its_own(folder: str, types: dict[str, str]) -> None:
    assert renaming(folder, "new_kid").model_types == types


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "text", "renamed"),
    [
        ("opt", "Optional[OPTConfig], option, adopt", "Optional[NewKidConfig], option, adopt"),
        ("led", "called, LEDModel, LEDs", "called, NewKidModel, LEDs"),
        ("sam", "sample, SamModel, Sam2Model, SamHQModel", "sample, NewKidModel, Sam2Model, SamHQModel"),
        ("vit", "activity, ViTModel, ViTMAEModel, self.vit", "activity, NewKidModel, ViTMAEModel, self.new_kid"),
        ("bit", "load_in_8bit, BitModel, BitNetModel, self.bit", "load_in_8bit, NewKidModel, BitNetModel, self.new_kid"),
        ("yoso", "yoso = kernel()\n    yoso.hash(self.yoso.encoder)", "yoso = kernel()\n    yoso.hash(self.new_kid.encoder)"),
        ("git", "digit, self.git.encoder, git clone", "digit, self.new_kid.encoder, git clone"),
        ("mamba", "is_mambapy_available(), FalconMambaModel, MambaModel", "is_mambapy_available(), FalconMambaModel, NewKidModel"),
        ("wav2vec2", "Wav2Vec2BaseModelOutput, Wav2Vec2Model", "Wav2Vec2BaseModelOutput, NewKidModel"),
        ("gpt2", 'model_type = "gpt2"', 'model_type = "new_kid"'),
        ("gpt2", 'from_pretrained("gpt2"), "openai-community/gpt2"', 'from_pretrained("gpt2"), "openai-community/gpt2"'),
        ("clip", "torch.clip(x), x.clip(0), CLIPSegModel, CLIPModel", "torch.clip(x), x.clip(0), CLIPSegModel, NewKidModel"),
        ("bert", "albert, RobertaModel, DistilBertModel, TFBertModel", "albert, RobertaModel, DistilBertModel, TFNewKidModel"),
        ("bert", "google-bert/bert-base-uncased, https://x.org/bert", "google-bert/bert-base-uncased, https://x.org/bert"),
        ("bert", '"bert.embeddings.weight", transformers.models.bert.modeling_bert', '"new_kid.embeddings.weight", transformers.models.new_kid.modeling_new_kid'),
        ("bert", "BERT_START_DOCSTRING, BERT, BERT-based, src/transformers/models/bert/modeling_bert.py", "NEW_KID_START_DOCSTRING, NewKid, NewKid-based, src/transformers/models/new_kid/modeling_new_kid.py"),
        ("bert", "normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()", "normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()"),
        ("t5", "T5GemmaModel, MT5Model, T5Model, google-t5/t5-small", "T5GemmaModel, MT5Model, NewKidModel, google-t5/t5-small"),
        ("mt5", "MT5Model, T5Model, mT5", "NewKidModel, T5Model, NewKid"),
        ("pegasus", "PegasusXModel, PegasusModel", "PegasusXModel, NewKidModel"),
        ("distilbert", "DistilBertModel, BertModel, self.distilbert", "NewKidModel, BertModel, self.new_kid"),
        ("align", "align_corners, align(x), AlignModel", "align_corners, align(x), NewKidModel"),
        ("encoder_decoder", "is_encoder_decoder, EncoderDecoderModel, encoder_decoder", "is_encoder_decoder, NewKidModel, encoder_decoder"),
        ("qwen2_5_vl", "Qwen2_5_VLModel, Qwen2VLModel, modeling_qwen2_5_vl", "NewKidModel, Qwen2VLModel, modeling_new_kid"),
        ("sam3", "Sam3Model, SamModel, Sam3VideoModel", "NewKidModel, SamModel, Sam3VideoModel"),
        ("megatron_bert", "MegatronBertModel, BertModel", "NewKidModel, BertModel"),
        # What another package is to look up by a word, and the name of a file; a path to a weight is the model's.
        ("mamba", '@use_kernel_func_from_hub_with_fallback("mamba_inner_fn", "mamba_ssm")\ndef mamba_inner_fn(', '@use_kernel_func_from_hub_with_fallback("mamba_inner_fn", "mamba_ssm")\ndef new_kid_inner_fn('),
        ("qwen3_5", '@use_kernel_forward_from_hub("Qwen3_5GatedDeltaNet")\nclass Qwen3_5GatedDeltaNet', '@use_kernel_forward_from_hub("Qwen3_5GatedDeltaNet")\nclass NewKidGatedDeltaNet'),
        ("prophetnet", '"prophetnet.tokenizer", "prophetnet.word_embeddings.weight"', '"prophetnet.tokenizer", "new_kid.word_embeddings.weight"'),
        # Defined in the folder, so that the name need not end where a word does.
        ("clip", "CLIPMLP, CLIPMSE", "NewKidMLP, CLIPMSE"),
        # A variable is nobody else's business; an attribute or a parameter may be.
        ("distilbert", "distilbert_output[0]", "new_kid_output[0]"),
        ("esm", "self.esm_layers, esm_ablate_sequence", "self.esm_layers, esm_ablate_sequence"),
    ],
)  # fmt: skip
def test_words_are_renamed_and_nothing_else(folder: str, text: str, renamed: str) -> None:
    assert renaming(folder, "new_kid").rename_text(text) == renamed


@pytest.mark.parametrize("name", ["brand_new_bert", "bertram", "be", "b_ert", "bert2", "x"])
def test_any_new_name_gives_files_in_which_every_block_is_marked(name: str) -> None:
    renamed = renaming("bert", name)
    for module in new_modules(renamed).values():
        ast.parse(module.text)
        assert module.unmarked == ()


def test_files_are_called_after_the_new_model() -> None:
    renamed = renaming("whisper", "new_kid")
    assert sorted(str(renamed.path(file.path)) for file in renamed.reference.files) == [
        "__init__.py",
        "configuration_new_kid.py",
        "english_normalizer.py",
        "feature_extraction_new_kid.py",
        "generation_new_kid.py",
        "modeling_new_kid.py",
        "processing_new_kid.py",
        "tokenization_new_kid.py",
    ]


def test_folders_below_a_model_folder_are_part_of_it() -> None:
    assert PurePosixPath("openfold_utils/protein.py") in {file.path for file in reference("esm").files}


def test_a_file_generated_from_a_modular_one_loses_the_banner_that_says_so() -> None:
    made = {path.name: module.text for path, module in new_modules(renaming("qwen2_5_vl")).items()}
    assert "automatically generated from" not in made["modeling_qwen2_5_vl.py"]
    assert made["modeling_qwen2_5_vl.py"].startswith("# Copyright")
    # The script that generates the list of a folder's modules will find the new one.
    assert "src/transformers/models/brand_new`" in made["__init__.py"]


def in_memory(folder: str, files: dict[str, str], tree: Checkout, registered: dict[str, str]) -> CheckoutReference:
    sources = tuple(SourceFile(PurePosixPath(name), "modeling", text) for name, text in files.items())
    return CheckoutReference(tree, PurePosixPath(folder), sources, (), registered)


def test_imports_of_a_retired_model_lead_to_the_same_modules_from_one_folder_higher() -> None:
    text = "from ....utils import logging\nfrom ...bert import BertModel\nfrom ..van import VanModel\nfrom .modeling_ago import Ago\n__all__ = ['AgoModel']\nclass AgoModel: pass\n"  # fmt: skip
    checkout = Checkout(*(PurePosixPath("x"),) * 2, 4)  # type: ignore[arg-type]
    old = in_memory("deprecated/ago", {"modeling_ago.py": text}, checkout, {"ago": "AgoConfig"})
    lines = FolderRenaming(old, ModelName.from_snake("now")).rename_text(text).splitlines()
    assert lines[:4] == [
        "from ...utils import logging",
        "from ..bert import BertModel",
        "from ..deprecated.van import VanModel",
        "from .modeling_now import Now",
    ]


def test_names_of_other_packages_stay_theirs_also_where_the_folder_defines_the_same() -> None:
    text = "import tokenizers\nfrom tokenizers import normalizers as others\nfrom x import known\n\n\nclass WrenConfig:\n    model_type = 'wren'\n\n\nclass WrenNormalizer(others.WrenNormalizer):\n    pass\n\n\n@known('WrenNormalizer')\nclass WrenLayer:\n    one = WrenNormalizer\n    other = tokenizers.normalizers.WrenNormalizer\n    third = others.WrenThing\n    fourth = tokenizers.models.WrenOther\n"  # fmt: skip
    checkout = Checkout(*(PurePosixPath("x"),) * 2, 5)  # type: ignore[arg-type]
    old = in_memory("wren", {"modeling_wren.py": text}, checkout, {"wren": "WrenConfig"})
    renamed = FolderRenaming(old, ModelName.from_snake("new_kid")).rename_text(text)
    assert "class NewKidNormalizer(others.WrenNormalizer)" in renamed and "one = NewKidNormalizer" in renamed
    assert "tokenizers.normalizers.WrenNormalizer\n" in renamed and "others.WrenThing\n" in renamed
    assert "tokenizers.models.WrenOther\n" in renamed and "@known('WrenNormalizer')\nclass NewKidLayer" in renamed


def test_names_that_would_fall_into_one_are_kept_apart() -> None:
    text = "class XClipConfig:\n    model_type = 'xclip'\ndef load_x_clip(): pass\ndef load_xclip(): pass\nclass Helper: pass\nBASE_URL = ''\ndef squeeze(): pass\n__all__ = ['XClipConfig', 'Helper', 'BASE_URL', 'squeeze']\n"  # fmt: skip
    checkout = Checkout(*(PurePosixPath("x"),) * 2, 5)  # type: ignore[arg-type]
    old = in_memory("x_clip", {"modeling_x_clip.py": text}, checkout, {"xclip": "XClipConfig"})
    renamed = FolderRenaming(old, ModelName.from_snake("new_kid"))
    new = [renamed.identifier(name) for name in ("load_x_clip", "load_xclip")]
    assert len({*new}) == 2 and all(name.startswith("load_new_kid") for name in new)
    # What everybody can import must not be the reference's under the same name.
    assert renamed.classes == {
        "BASE_URL": "NEW_KID_BASE_URL",
        "Helper": "NewKidHelper",
        "XClipConfig": "NewKidConfig",
        "squeeze": "new_kid_squeeze",
    }


@pytest.mark.parametrize(
    ("folder", "said", "text", "renamed"),
    [
        ("blip_2", '"""PyTorch BLIP-2 model."""', "a BLIP-2 model, as BLIP-2.", "a NewKid model, as NewKid."),
        ("blip_2", "# BLIP-2", "Salesforce/BLIP-2, BLIP-2-opt, blip2-opt-2.7b", "Salesforce/BLIP-2, BLIP-2-opt, blip2-opt-2.7b"),
        ("blip_2", "# BLIP-2", "[BLIP-2: Bootstrapping](https://x.org/BLIP-2)", "[BLIP-2: Bootstrapping](https://x.org/BLIP-2)"),
        ("blip_2", "# BLIP-2", "title={BLIP-2: Bootstrapping}", "title={BLIP-2: Bootstrapping}"),
        ("x_clip", "# an X-CLIP model", "`X-CLIP` vision", "`NewKid` vision"),
        ("xlm_roberta", "# XLM-RoBERTa.", "XLM-RoBERTa, XLM-RoBERTa-XL, xlm-roberta-base", "NewKid, XLM-RoBERTa-XL, xlm-roberta-base"),
        ("qwen2_vl", "# Qwen2-VL", "Qwen2-VL, Qwen2-VL-7B, Qwen/Qwen2-VL", "NewKid, Qwen2-VL-7B, Qwen/Qwen2-VL"),
        ("bert", "# BERT", "GPT-BERT, BERT-base, BERT-based", "GPT-BERT, NewKid-base, NewKid-based"),
    ],
)  # fmt: skip
def test_a_title_with_hyphens_is_renamed_and_no_checkpoint_or_paper_is(
    folder: str, said: str, text: str, renamed: str
) -> None:
    camel = folder.title().replace("_", "")
    code = f"{said}\nclass {camel}Config:\n    model_type = '{folder}'\n\nclass {camel}Model: pass\n"
    checkout = Checkout(*(PurePosixPath("x"),) * 2, 5)  # type: ignore[arg-type]
    with_title = FolderRenaming(
        in_memory(folder, {f"modeling_{folder}.py": code}, checkout, {folder: f"{camel}Config"}),
        ModelName.from_snake("new_kid"),
    )
    assert with_title.rename_text(text) == renamed


CODE_OF_WREN = """
class WrenEyeConfig:
    model_type = "wren_eye"

class WrenConfig:
    model_type = "wren"

class WrenModel: pass
"""


def test_the_title_that_the_tree_gives_a_model_is_renamed(tmp_path: Path) -> None:
    auto = tmp_path / "src/transformers/models/auto"
    page = tmp_path / "docs/source/en/model_doc/wren.md"
    for folder in (auto, page.parent):
        folder.mkdir(parents=True)
    titles = (
        '[("wren", "Troglodytes-T"), ("wren_eye", "Troglodytes-T-Eye"), ("finch", "Finch-F"), ("robin", "Robin-R")]'
    )
    (auto / "configuration_auto.py").write_text(f"\nMODEL_NAMES_MAPPING = OrderedDict(\n    {titles}\n)\n")
    page.write_text("<!-- of old -->\n\n# King-Bird\n")
    models = auto.parent / "wren"
    models.mkdir()
    (models / "modeling_wren.py").write_text(CODE_OF_WREN)
    checkout = Checkout(tmp_path, tmp_path / "src/transformers", 4)
    registered = {"wren": "WrenConfig", "wren_eye": "WrenEyeConfig"}
    old = read_reference(checkout, PurePosixPath("wren"), registered)
    renamed = FolderRenaming(old, ModelName.from_snake("new_kid"))
    text = "Troglodytes-T, Troglodytes-T-Eye, King-Bird, Finch-F, Robin-R"
    assert renamed.rename_text(text) == "NewKid, NewKid-Eye, NewKid, Finch-F, Robin-R"
