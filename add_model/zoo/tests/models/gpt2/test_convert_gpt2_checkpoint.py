"""Tests of the conversion of original GPT-2 checkpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from add_model.zoo.models.gpt2 import GPT2Config, GPT2LMHeadModel, GPT2Model
from add_model.zoo.models.gpt2.convert_gpt2_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[2, 9, 4, 7, 3], [2, 5, 3, 1, 0]])
PROJECTIONS = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def make_config(**options: Any) -> GPT2Config:
    sizes: dict[str, Any] = {"vocab_size": 11, "n_embd": 8, "n_layer": 2, "n_head": 2, "n_positions": 9}
    return GPT2Config(**{**sizes, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()


def write_config(config: GPT2Config, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertGPT2Checkpoint:
    def test_original_names_and_layout(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = GPT2Model(make_config())
        randomize(model)
        original = {"global_step": torch.zeros(1)}
        for name, weight in model.state_dict().items():
            if name.endswith(PROJECTIONS):
                name, weight = name.removesuffix("weight") + "w", weight.unsqueeze(0)
            name = re.sub(r"^h\.", "h", name).replace("wte.weight", "wte").replace("wpe.weight", "wpe")
            name = re.sub(r"\.bias$", ".b", re.sub(r"\.weight$", ".g", name))
            original["model/" + name.replace(".", "/")] = weight.clone()
        assert {"model/h0/attn/c_attn/w", "model/h1/ln_1/g", "model/wte"} <= original.keys()
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")

        arguments = [str(tmp_path / "original.safetensors"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])

        assert "not used: global_step" in capsys.readouterr().out
        converted = GPT2Model.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_linear_layers_of_a_compiled_model(self, tmp_path: Path) -> None:
        model = GPT2Model(make_config())
        randomize(model)
        original = {
            f"_orig_mod.transformer.{name}": weight.T if name.endswith(PROJECTIONS) else weight
            for name, weight in model.state_dict().items()
        }
        torch.save({"model": original, "step": 3}, tmp_path / "original.pt")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.pt", config_file, tmp_path / "converted") == []
        converted = GPT2Model.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_names_without_prefix(self) -> None:
        model = GPT2Model(make_config())
        weights = model.state_dict()
        converted = convert_state_dict(weights, model.config)
        assert converted.keys() == {f"transformer.{name}" for name in weights}
        assert all(torch.equal(converted[f"transformer.{name}"], weight) for name, weight in weights.items())

    def test_language_model(self, tmp_path: Path) -> None:
        model = GPT2LMHeadModel(make_config(architectures=["GPT2LMHeadModel"]))
        randomize(model)
        weights = {name: weight.clone() for name, weight in model.transformer.state_dict().items()}
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted") == []
        converted = GPT2LMHeadModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = GPT2Model(make_config())
        weights = {name: weight.clone() for name, weight in model.state_dict().items()}
        weights["wpe.weight"] = torch.zeros(3, 8)
        del weights["h.1.ln_2.bias"]
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        assert "wpe.weight: shape (3, 8) in the checkpoint, (9, 8) in the model" in str(caught.value)
        assert "h.1.ln_2.bias: missing in the checkpoint, shape (8,) in the model" in str(caught.value)
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict({"ln_f/g": torch.ones(1), "ln_f.weight": torch.ones(1)}, make_config())
