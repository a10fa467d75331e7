"""Tests of the conversion of original OPT checkpoints."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.opt import OPTConfig, OPTForCausalLM, OPTModel
from add_model.zoo.models.opt.convert_opt_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[2, 9, 4, 7, 3], [2, 5, 3, 1, 1]])
ATTENTION_MASK = (INPUT_IDS != 1).long()


def make_config(**options: Any) -> OPTConfig:
    sizes: dict[str, Any] = {"vocab_size": 11, "hidden_size": 8, "max_position_embeddings": 9, "ffn_dim": 12}
    return OPTConfig(**{**sizes, "num_hidden_layers": 2, "num_attention_heads": 2, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()


def in_the_original_layout(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as the original release names them: key, value and query are one, in this order."""
    original = {"decoder.version": torch.tensor([3.0])}
    for name, weight in weights.items():
        name = re.sub(r"^decoder\.final_layer_norm\.", "decoder.layer_norm.", name)
        name = re.sub(r"project_(in|out)\.", r"project_\1_dim.", name)
        if "q_proj" in name:
            parts = [weights[name.replace("q_proj", part)] for part in ("k_proj", "v_proj", "q_proj")]
            original[name.replace("q_proj", "qkv_proj")] = torch.cat(parts)
        elif "k_proj" not in name and "v_proj" not in name:
            original[name] = weight.clone()
    original["decoder.output_projection.weight"] = weights["decoder.embed_tokens.weight"].clone()
    return original


def write_config(config: OPTConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertOPTCheckpoint:
    @pytest.mark.parametrize("options", [{}, {"do_layer_norm_before": False, "word_embed_proj_dim": 6}])
    def test_original_names_and_layout(
        self, options: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        model = OPTForCausalLM(make_config(**options, architectures=["OPTForCausalLM"]))
        randomize(model)
        original = in_the_original_layout(model.model.state_dict())
        assert original["decoder.layers.1.self_attn.qkv_proj.weight"].shape == (24, 8)
        assert ("decoder.layer_norm.bias" in original) != ("decoder.project_in_dim.weight" in original)
        torch.save({"model": original, "args": argparse.Namespace(arch="small")}, tmp_path / "model.pt")
        config_file = write_config(model.config, tmp_path / "config.json")
        arguments = [str(tmp_path / "model.pt"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])
        assert capsys.readouterr().out.splitlines()[:-1] == ["not used: model.decoder.version"]
        converted = OPTForCausalLM.from_pretrained(tmp_path / "converted")
        expected = model(INPUT_IDS, attention_mask=ATTENTION_MASK).logits
        assert torch.equal(converted(INPUT_IDS, attention_mask=ATTENTION_MASK).logits, expected)

    def test_the_order_of_old_joint_projections(self) -> None:
        parts = {"q_proj": torch.full((2, 2), 1.0), "k_proj": torch.full((2, 2), 2.0), "v_proj": torch.zeros(2, 2)}
        joint = {"decoder.layers.0.self_attn.in_proj_weight": torch.cat(list(parts.values()))}
        converted = convert_state_dict(joint, make_config())
        for part, weight in parts.items():
            assert torch.equal(converted[f"model.decoder.layers.0.self_attn.{part}.weight"], weight)

    def test_model_without_a_head(self, tmp_path: Path) -> None:
        model = OPTModel(make_config())
        randomize(model)
        save_file(in_the_original_layout(model.state_dict()), tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        unused = convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        assert sorted(unused) == ["lm_head.weight", "model.decoder.version"]
        converted = OPTModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = OPTModel(make_config())
        weights = in_the_original_layout(model.state_dict())
        weights["decoder.layers.0.fc1.weight"] = torch.zeros(3, 8)
        del weights["decoder.layers.1.fc2.bias"]
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        assert "decoder.layers.0.fc1.weight: shape (3, 8) in the checkpoint, (12, 8) in the model" in str(caught.value)
        assert "decoder.layers.1.fc2.bias: missing in the checkpoint, shape (8,) in the model" in str(caught.value)
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        weights = {"decoder.output_projection.weight": torch.ones(1), "lm_head.weight": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
