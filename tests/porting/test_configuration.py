"""Where the configuration of a converted model comes from."""

import json
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.cli.commands import Result, add_model_here
from tests.porting.foreign_checkpoints import BERT, FOREIGN, GPT2, write_safetensors


def converted(folder: Path, *arguments: str) -> Result:
    result = add_model_here(folder, "convert", *arguments, "--out", "new")
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def config(folder: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((folder / "new" / "config.json").read_text())
    return content


def test_the_original_says_its_class_by_another_models_name(tmp_path: Path) -> None:
    write_safetensors(BERT, tmp_path / "original")
    arguments = ["bert", "--name", "brand_new_bert", "--into", "my_models", "--yes"]
    assert add_model_here(tmp_path, "like", *arguments).returncode == 0
    more = ["--into", "my_models"]
    assert add_model_here(tmp_path, "convert", "brand_new_bert", "original", "--suggest", *more).returncode == 0
    result = converted(tmp_path, "brand_new_bert", "original", *more)
    assert "BrandNewBertForMaskedLM: 42 of 42 weights filled" in result.stderr
    assert config(tmp_path)["architectures"] == ["BrandNewBertForMaskedLM"]
    assert config(tmp_path)["model_type"] == "brand_new_bert"
    evidence = json.loads(
        (tmp_path / "my_models/.add-model/models/brand_new_bert/evidence/conversion.json").read_text()
    )
    assert evidence["passed"] and evidence["step"] == 6 and "42 of 42" in evidence["figure"]


def test_names_of_another_code_base_are_translated_and_said(tmp_path: Path) -> None:
    FOREIGN["GPT-2 of research code"][1](tmp_path / "original")
    arguments = ["zoo:gpt2", "original", "--class", "GPT2LMHeadModel"]
    suggested = add_model_here(tmp_path, "convert", *arguments, "--suggest")
    assert "note: block_size = 20 was taken for max_position_embeddings" in suggested.stderr
    converted(tmp_path, *arguments)
    assert config(tmp_path)["n_positions"] == 20 and config(tmp_path)["n_head"] == 2


def test_without_a_file_sizes_are_read_off_the_shapes_and_said(tmp_path: Path) -> None:
    write_safetensors(GPT2, tmp_path / "original")
    (tmp_path / "original" / "config.json").unlink()
    result = converted(tmp_path, "zoo:gpt2", "original", "--class", "GPT2LMHeadModel")
    assert "read off the shapes of the weights: vocab_size = 40, n_positions = 20, n_embd = 24, n_layer = 2" in result.stderr  # fmt: skip
    assert "n_head = 12" in result.stderr and "defaults: check them" in result.stderr
    assert config(tmp_path)["n_embd"] == 24 and config(tmp_path)["n_head"] == 12


def test_the_class_that_nobody_asked_for_is_said(tmp_path: Path) -> None:
    write_safetensors(GPT2, tmp_path / "original")
    (tmp_path / "original" / "config.json").unlink()
    arguments = ["convert", "zoo:gpt2", "original", "--suggest"]
    by_default = add_model_here(tmp_path, *arguments).stderr
    assert "note: the rules are for GPT2Model" in by_default and "pass --class with" in by_default
    assert "GPT2LMHeadModel" in by_default
    asked = add_model_here(tmp_path, *arguments, "--force", "--class", "GPT2LMHeadModel").stderr
    assert "the rules are for" not in asked


def test_sizes_that_do_not_go_with_the_defaults_ask_for_the_file(tmp_path: Path) -> None:
    FOREIGN["BART of fairseq"][1](tmp_path / "original")
    (tmp_path / "original" / "config.json").unlink()
    result = add_model_here(tmp_path, "convert", "zoo:bart", "original", "--suggest")
    assert result.returncode == 2 and result.stdout == ""
    assert "d_model = 24" in result.stderr and "encoder_attention_heads = 16" in result.stderr
    assert "pass --config FILE" in result.stderr


@pytest.mark.parametrize("content", ['{"color": "red"}', "{}"])
def test_a_file_of_something_else_is_left_aside_and_said(content: str, tmp_path: Path) -> None:
    write_safetensors(GPT2, tmp_path / "original")
    (tmp_path / "original" / "config.json").write_text(content)
    result = converted(tmp_path, "zoo:gpt2", "original", "--class", "GPT2LMHeadModel")
    assert "was left aside" in result.stderr


@pytest.mark.parametrize("kind", ["params.json", "model_config.yaml", "args", "hyper_parameters"])
def test_settings_of_the_original_are_taken_under_the_new_names_and_said(kind: str, tmp_path: Path) -> None:
    write_safetensors(GPT2, tmp_path / "original")
    (tmp_path / "original" / "config.json").unlink()
    # What is seen in the weights counts more than what is said of them.
    settings = {"n_heads": 3, "norm_eps": 1e-3, "dim": 96, "lr": 0.1, "name": "tiny"}
    if "." in kind:
        text = json.dumps(settings) if kind.endswith("json") else "".join(f"{key}: {value}\n" for key, value in settings.items())  # fmt: skip
        (tmp_path / "original" / kind).write_text(text)
    else:
        weights = load_file(tmp_path / "original" / "model.safetensors")
        (tmp_path / "original" / "model.safetensors").unlink()
        values = Namespace(**settings) if kind == "args" else {"model": settings}
        torch.save({"model": weights, kind: values}, tmp_path / "original" / "checkpoint.pt")
    result = converted(tmp_path, "zoo:gpt2", "original", "--class", "GPT2LMHeadModel")
    made = config(tmp_path)
    assert (made["n_head"], made["layer_norm_epsilon"], made["n_embd"]) == (3, 1e-3, 24)
    said = next(line for line in result.stderr.splitlines() if line.startswith("note: from "))
    assert kind in said and "n_heads = 3 was taken for num_attention_heads" in said and "lr" not in said
    assert "n_head = 12" not in result.stderr


@pytest.mark.parametrize("text", ["[", "3", '{"n_heads": 9000000000}', '{"n_heads": {"x": 1}}'])
def test_settings_that_say_nothing_are_left(text: str, tmp_path: Path) -> None:
    write_safetensors(GPT2, tmp_path / "original")
    (tmp_path / "original" / "config.json").unlink()
    (tmp_path / "original" / "params.json").write_text(text)
    converted(tmp_path, "zoo:gpt2", "original", "--class", "GPT2LMHeadModel")
    assert config(tmp_path)["n_head"] == 12
