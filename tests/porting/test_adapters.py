"""Adapters of low rank, as PEFT stores them: merged into their weights, and said for what they are where these are missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from add_model.errors import AddModelError
from add_model.porting.checkpoints.checkpoint import open_checkpoint
from tests.cli.commands import add_model_here
from tests.porting.foreign_checkpoints import BERT, write_safetensors

_RANK, _ADAPTED = 2, ("query", "value")
_SETTINGS = {"peft_type": "LORA", "r": _RANK, "lora_alpha": 5, "base_model_name_or_path": "somebody/bert"}


def adapters(weights: dict[str, torch.Tensor], name: str = "") -> dict[str, torch.Tensor]:
    """What PEFT saves for the queries and values of a model; a whole model names its adapter, too."""
    torch.manual_seed(1)
    found = {}
    for weight, tensor in weights.items():
        module = weight.removesuffix(".weight")
        if weight.endswith(".weight") and module.rpartition(".")[2] in _ADAPTED:
            found[f"base_model.model.{module}.lora_A{name}.weight"] = torch.randn(_RANK, tensor.shape[1])
            found[f"base_model.model.{module}.lora_B{name}.weight"] = torch.randn(tensor.shape[0], _RANK)
    return found


def converted(folder: Path, *options: str) -> dict[str, torch.Tensor]:
    result = add_model_here(folder, "convert", "zoo:bert", "original", "--class", BERT.class_name, *options)
    assert result.returncode == 0, result.stdout + result.stderr
    return load_file(folder / "converted/bert/model.safetensors")


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, torch.Tensor]:
    write_safetensors(BERT, tmp_path / "original")
    return load_file(tmp_path / "original/model.safetensors")


def check(found: dict[str, torch.Tensor], weights: dict[str, torch.Tensor], of: dict[str, torch.Tensor], scale: float) -> None:  # fmt: skip
    parts = {name.removeprefix("base_model.model.").replace(".default", ""): tensor for name, tensor in of.items()}
    adapted = [name for name in weights if name.replace(".weight", ".lora_A.weight") in parts]
    assert len(adapted) == len(of) / 2 > 0
    for name, tensor in weights.items():
        if name in adapted:
            down, up = (parts[name.replace(".weight", f".lora_{part}.weight")] for part in "AB")
            tensor = tensor + scale * up @ down
        assert name not in found or torch.allclose(found[name], tensor, atol=1e-5), name


def test_adapters_beside_their_weights_are_merged_into_them(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    added = adapters(weights)
    save_file(added, tmp_path / "original/adapter_model.safetensors")
    (tmp_path / "original/adapter_config.json").write_text(json.dumps(_SETTINGS))
    converted_as = ["convert", "zoo:bert", "original", "--class", BERT.class_name]
    suggested = add_model_here(tmp_path, *converted_as, "--suggest")
    assert "merge = 2.5" in suggested.stdout and "unsure" not in suggested.stdout
    check(converted(tmp_path), weights, added, 2.5)


def test_a_whole_model_with_adapters_leaves_the_factor_open(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    added = adapters(weights, ".default")
    adapted = {name.replace(".lora_A.default", "").removeprefix("base_model.model.") for name in added}
    whole = {f"base_model.model.{name.replace('.weight', '.base_layer.weight') if name in adapted else name}": tensor for name, tensor in weights.items()}  # fmt: skip
    torch.save({**whole, **added}, tmp_path / "original/pytorch_model.bin")
    (tmp_path / "original/model.safetensors").unlink()
    converted_as = ["convert", "zoo:bert", "original", "--class", BERT.class_name]
    suggested = add_model_here(tmp_path, *converted_as, "--suggest").stdout
    assert "merge = 1.0" in suggested and "lora_alpha divided by the rank" in suggested
    rules = tmp_path / "bert.rules.toml"
    rules.write_text(rules.read_text().replace("merge = 1.0", "merge = 0.5"))
    check(converted(tmp_path, "--accept-unsure"), weights, added, 0.5)


def test_adapters_alone_are_said_to_be_that(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    save_file(adapters(weights), tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text(json.dumps(_SETTINGS))
    with pytest.raises(AddModelError, match="holds adapters of PEFT, and not the weights of somebody/bert that they adapt"):  # fmt: skip
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("text", ["[", "[]", '{"r": 0, "lora_alpha": 1}', '{"r": 2, "lora_alpha": "x"}', '{"r": 2, "lora_alpha": 4, "rank_pattern": {"query": 1}}'])  # fmt: skip
def test_settings_that_do_not_say_one_factor_leave_it_open(text: str, tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:  # fmt: skip
    save_file(adapters(weights), tmp_path / "original/adapter_model.safetensors")
    (tmp_path / "original/adapter_config.json").write_text(text)
    suggested = add_model_here(tmp_path, "convert", "zoo:bert", "original", "--class", BERT.class_name, "--suggest")
    assert "merge = 1.0" in suggested.stdout and "unsure = true" in suggested.stdout
