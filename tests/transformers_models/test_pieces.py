"""The judge's own parts: what it must see, and what it must not take for a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.transformers_models.facts import Facts
from tests.transformers_models.folders import NAMED, SAMPLE, model_folders, new_name
from tests.transformers_models.judge import parameter_problems
from tests.transformers_models.lines import line_of, with_checks
from tests.transformers_models.linter import is_there, linter_problems
from tests.transformers_models.names import lost_names
from tests.transformers_models.pairing import pair_folders
from tests.transformers_models.scratch import changes_elsewhere, make_scratch
from tests.transformers_models.table import append_line, read_lines, rows, summary, table_of_checks

CONFIGURATION = "class BertConfig:\n    model_type = 'bert'\n"
MODELING = "from .configuration_bert import BertConfig\n\nSIZE = 3\n\nif SIZE:\n    class BertModel:\n        pass\n\ndef bert_loss(x):\n    return x\n"


def folder(path: Path, files: dict[str, str]) -> Path:
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def test_names_pair_up_by_position_whatever_they_were_renamed_to(tmp_path: Path) -> None:
    old = folder(tmp_path / "bert", {"configuration_bert.py": CONFIGURATION, "modeling_bert.py": MODELING})
    new = folder(
        tmp_path / "quokka",
        {
            "modeling_quokka.py": MODELING.replace("BertModel", "Quokka").replace("bert_loss", "loss_of_it"),
            "configuration_quokka.py": CONFIGURATION.replace("BertConfig", "QuokkaSettings"),
        },
    )
    pairing = pair_folders(old, new)
    assert pairing.problems == ()
    assert pairing.files["modeling_bert.py"] == "modeling_quokka.py"
    assert pairing.names == {
        "BertConfig": "QuokkaSettings", "SIZE": "SIZE", "BertModel": "Quokka", "bert_loss": "loss_of_it"
    }  # fmt: skip


def test_files_of_one_shape_pair_up_by_the_words_of_their_names(tmp_path: Path) -> None:
    old = folder(
        tmp_path / "vit", {"image_processing_vit.py": CONFIGURATION, "image_processing_pil_vit.py": CONFIGURATION}
    )
    names = {
        "image_processing_brand_new_vit.py": CONFIGURATION,
        "image_processing_pil_brand_new_vit.py": CONFIGURATION,
    }
    pairing = pair_folders(old, folder(tmp_path / "brand_new_vit", names))
    assert pairing.files == {
        "image_processing_vit.py": "image_processing_brand_new_vit.py",
        "image_processing_pil_vit.py": "image_processing_pil_brand_new_vit.py",
    }


def test_a_missing_file_and_a_missing_definition_are_problems(tmp_path: Path) -> None:
    old = folder(tmp_path / "bert", {"configuration_bert.py": CONFIGURATION, "modeling_bert.py": MODELING})
    new = folder(tmp_path / "new", {"modeling_new.py": MODELING.replace("def bert_loss(x):\n    return x\n", "")})
    problems = " ".join(pair_folders(old, new).problems)
    assert "configuration_bert.py has no counterpart" in problems
    assert "modeling_new.py binds" in problems


def test_a_package_may_add_what_its_configurations_are_saved_with(tmp_path: Path) -> None:
    old = folder(tmp_path / "bert", {"configuration_bert.py": CONFIGURATION + "NAMES = 1\n"})
    saved = CONFIGURATION + "def _bert_config_to_dict(self):\n    return {}\nNAMES = 1\n"
    new = folder(tmp_path / "ours", {"configuration_ours.py": saved})
    assert pair_folders(old, new).problems != ()
    paired = pair_folders(old, new, may_add=True)
    assert paired.problems == () and paired.names == {"BertConfig": "BertConfig", "NAMES": "NAMES"}


def test_a_name_that_was_renamed_and_is_not_bound_is_lost(tmp_path: Path) -> None:
    text = "from tokenizers import normalizers\nclass BertTokenizer:\n    made = normalizers.BertNormalizer(lowercase=True)\n"
    old = folder(tmp_path / "bert", {"tokenization_bert.py": text})
    kept = folder(tmp_path / "kept", {"tokenization_new.py": text.replace("BertTokenizer", "NewTokenizer")})
    lost = folder(tmp_path / "lost", {"tokenization_new.py": text.replace("Bert", "New")})
    assert lost_names(old, kept) == []
    assert lost_names(old, lost) == ["tokenization_new.py:3 NewNormalizer is bound nowhere"]


@pytest.mark.skipif(not is_there(), reason="transformers-mlinter, a test dependency, is not installed")
def test_the_linter_asks_a_copy_what_it_spares_its_reference_by_name(tmp_path: Path) -> None:
    bar = "#" + " " * 16 + "🚨" * 48 + "\n"
    banner = f"{bar}#  This file was automatically generated from models/bart/modular_bart.py.\n{bar}"
    text = "from torch import nn\n\n\nclass Layer(nn.Module):\n    def forward(self, output_attentions=None):\n        pass\n"
    reference = folder(tmp_path / "models" / "bart", {"modeling_bart.py": banner + text, "modular_bart.py": text})
    same = folder(tmp_path / "models" / "new", {"modeling_new.py": text})
    worse = folder(tmp_path / "models" / "worse", {"modeling_worse.py": text + text.replace("Layer", "Other")})
    found = set(linter_problems({"new": (reference, same), "worse": (reference, worse)}))
    assert {name for name, _ in found} == {"worse"} and found


@pytest.mark.parametrize(
    ("names", "seen"),
    [
        ((("quokka.weight", "3x4", "float32"), ("quokka.bias", "4", "float32")), ""),
        ((("quokka.weight", "4x3", "float32"), ("quokka.bias", "4", "float32")), "where the reference has"),
        ((("quokka.weight", "3x4", "float16"), ("quokka.bias", "4", "float32")), "where the reference has"),
        ((("quokka.weight", "3x4", "float32"), ("bert.bias", "4", "float32")), "calls bert both"),
        ((("quokka.weight", "3x4", "float32"),), "has 1 tensors"),
        ((("quokka.weight", "3x4", "float32"), ("quokka.weight", "4", "float32")), "one name for two"),
    ],
)
def test_parameters_may_differ_in_renamed_words_alone(names: tuple[tuple[str, str, str], ...], seen: str) -> None:
    before = Facts(None, 16, (("bert.weight", "3x4", "float32"), ("bert.bias", "4", "float32")))
    problems = " ".join(parameter_problems(before, Facts(None, 16, names)))
    assert (seen in problems) if seen else problems == ""


def test_a_tree_may_gain_lines_and_lose_none(tmp_path: Path) -> None:
    package = folder(tmp_path / "tree" / "src" / "transformers" / "models", {"__init__.py": "a = 1\nb = 2\n"}).parent
    (package / "data.json").write_text("{}")
    scratch = make_scratch(tmp_path / "tree", tmp_path / "scratch")
    listing = scratch / "src" / "transformers" / "models" / "__init__.py"
    assert list(changes_elsewhere(tmp_path / "tree", scratch)) == []
    listing.write_text("a = 1\nnew = 3\nb = 2\n")
    assert list(changes_elsewhere(tmp_path / "tree", scratch)) == []
    listing.write_text("b = 2\na = 1\n")
    assert list(changes_elsewhere(tmp_path / "tree", scratch)) == ["models/__init__.py lost something of its line 2"]
    (scratch / "src" / "transformers" / "data.json").unlink()
    assert "data.json has gone" in list(changes_elsewhere(tmp_path / "tree", scratch))


def test_the_state_survives_a_line_that_was_cut_off(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    append_line(state, {"reference": "bert", "name": "new", "problems": [], "counts": {"classes": 3}})
    with open(state, "a") as file:
        file.write('{"reference": "opt", "prob')
    append_line(state, {"reference": "clip", "name": "new", "problems": ["x"], "counts": {}})
    lines = read_lines(state)
    assert set(lines) == {"bert", "clip"}
    assert "bert" in next(iter(rows(lines.values()))) and "ok" in next(iter(rows(lines.values())))
    assert summary([{"reference": "a", "problems": []}, {"reference": "b", "problems": ["x"]}]).startswith("1 of 2 models pass (50.0 %)")  # fmt: skip


def test_the_sample_holds_forty_models_and_the_traps() -> None:
    assert len(set(SAMPLE)) == 40
    traps = "opt led sam vit bit git mamba wav2vec2 whisper gpt2 clip owlvit donut data2vec bert albert roberta t5 mt5 qwen2_5_vl sam3"
    assert set(traps.split()) <= set(SAMPLE)
    assert len(set(NAMED)) == len(NAMED)
    assert new_name("deprecated/trajectory_transformer") == "brand_new_trajectory_transformer"


def test_every_folder_with_a_modeling_file_is_found() -> None:
    from tests.copies.released import released
    from tests.scaffold.checkout.installed import has_as_many_models_as_released

    folders = model_folders(released("transformers-5.23.0").packages["transformers"])
    # `auto`, which holds the auto classes and no model, has a modeling file as well.
    assert has_as_many_models_as_released(len(folders), "5.23.0") and "auto" not in folders
    assert set(SAMPLE) <= set(folders)


def test_the_table_counts_each_question_of_each_kind_of_library() -> None:
    passed = with_checks(line_of("bert", "new", {"imports": []}, {}), {"ruff": []}) | {"kind": "package"}
    failed = line_of("opt", "new", {"imports": ["x", "x"]}, {}) | {"kind": "checkout"}
    assert failed["problems"] == ["imports: x"]
    header, imports, *others = table_of_checks([passed, failed])
    assert header.split() == ["package", "checkout"]
    assert imports.split() == ["imports", "1", "of", "1", "0", "of", "1"]
    assert [line.split()[1:] for line in others if line.startswith("ruff")] == [["1", "of", "1", "not", "asked"]]
