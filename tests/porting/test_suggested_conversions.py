"""Rules that were suggested, converted by, and judged by Transformers: the new model says what the original says."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from add_model.porting.rules.reading import load_rules
from add_model.zoo import AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM
from tests.cli.commands import Result, add_model_here
from tests.porting.foreign_checkpoints import (
    BART,
    BERT,
    FOREIGN,
    GPT2,
    ORIGINALS,
    Original,
    logits,
    write_fused_bert,
    write_safetensors,
    write_scrambled,
    write_separate_gpt2,
)

TOLERANCE = 1e-5
LOADERS = {"bert": AutoModelForMaskedLM, "gpt2": AutoModelForCausalLM, "bart": AutoModelForSeq2SeqLM}
pytestmark = pytest.mark.filterwarnings("error::UserWarning")


def convert(folder: Path, *arguments: str) -> Result:
    result = add_model_here(folder, "convert", *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def says_the_same(original: Original, expected: torch.nn.Module, folder: Path) -> bool:
    new = LOADERS[original.name].from_pretrained(folder)
    difference = (logits(new) - logits(expected)).abs().max()
    return bool(difference <= TOLERANCE)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_checkpoint_without_a_word_of_help(name: str, tmp_path: Path) -> None:
    original, write = FOREIGN[name]
    expected = write(tmp_path / "original")
    arguments = [f"zoo:{original.name}", "original", "--class", original.class_name]
    suggested = convert(tmp_path, *arguments, "--suggest")
    assert "unsure" not in suggested.stdout
    convert(tmp_path, *arguments, "--out", "new")
    assert says_the_same(original, expected, tmp_path / "new")


@pytest.mark.parametrize("original, write", [(GPT2, write_separate_gpt2), (BERT, write_fused_bert)], ids=["joined", "split"])  # fmt: skip
def test_query_key_and_value_in_one_here_and_apart_there(
    original: Original, write: Callable[[Path], torch.nn.Module], tmp_path: Path
) -> None:
    expected = write(tmp_path / "original")
    text = convert(tmp_path, f"zoo:{original.name}", "original", "--suggest").stdout
    assert "unsure" not in text
    assert ("concatenate = 0" if original is GPT2 else "split = 0, parts = 3") in text
    convert(tmp_path, f"zoo:{original.name}", "original", "--out", "new")
    assert says_the_same(original, expected, tmp_path / "new")


def test_what_only_moves_to_another_module_is_said_in_one_rule(tmp_path: Path) -> None:
    FOREIGN["BART of fairseq"][1](tmp_path / "original")
    convert(tmp_path, "zoo:bart", "original", "--suggest")
    assert len(load_rules(tmp_path / "bart.rules.toml").rules) == 2


@pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.name)
def test_equal_names_need_no_rules(original: Original, tmp_path: Path) -> None:
    expected = write_safetensors(original, tmp_path / "original")
    convert(tmp_path, f"zoo:{original.name}", "original", "--suggest")
    assert load_rules(tmp_path / f"{original.name}.rules.toml").rules == ()
    convert(tmp_path, f"zoo:{original.name}", "original", "--out", "new")
    assert says_the_same(original, expected, tmp_path / "new")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.name)
def test_names_that_say_nothing_in_the_modules_order(original: Original, seed: int, tmp_path: Path) -> None:
    expected = write_scrambled(original, tmp_path / "original", seed)
    convert(tmp_path, f"zoo:{original.name}", "original", "--suggest")
    refused = add_model_here(tmp_path, "convert", f"zoo:{original.name}", "original", "--out", "new")
    assert refused.returncode == 2 and "unsure" in refused.stderr and not (tmp_path / "new").exists()
    convert(tmp_path, f"zoo:{original.name}", "original", "--out", "new", "--accept-unsure")
    assert says_the_same(original, expected, tmp_path / "new")


@pytest.mark.parametrize("original", [GPT2, BART], ids=lambda original: original.name)
def test_the_base_model_of_a_checkpoint_with_a_head(original: Original, tmp_path: Path) -> None:
    write_safetensors(original, tmp_path / "original")
    class_name = {"gpt2": "GPT2Model", "bart": "BartModel"}[original.name]
    arguments = [f"zoo:{original.name}", "original", "--class", class_name]
    convert(tmp_path, *arguments, "--suggest")
    convert(tmp_path, *arguments, "--out", "new", "--accept-unsure")
    expected = LOADERS[original.name].from_pretrained(tmp_path / "original").base_model.state_dict()
    actual = AutoModel.from_pretrained(tmp_path / "new").state_dict()
    assert actual.keys() == expected.keys()
    assert all(torch.equal(weight, expected[name]) for name, weight in actual.items())


def test_a_part_that_the_checkpoint_lacks_is_not_filled_with_another(tmp_path: Path) -> None:
    write_safetensors(BERT, tmp_path / "original")
    arguments = ["zoo:bert", "original", "--class", "BertModel"]
    convert(tmp_path, *arguments, "--suggest")
    assert "# Nothing was found for pooler.dense.weight [24, 24]." in (tmp_path / "bert.rules.toml").read_text()
    result = add_model_here(tmp_path, "convert", *arguments, "--out", "new", "--accept-unsure")
    assert result.returncode == 2 and not (tmp_path / "new").exists()
    assert "pooler.dense.weight [24, 24] of BertModel is not filled" in result.stdout
