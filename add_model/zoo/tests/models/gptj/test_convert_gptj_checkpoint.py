"""Tests of the conversion of original GPT-J checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.gptj import GPTJConfig, GPTJForCausalLM, GPTJModel
from add_model.zoo.models.gptj.convert_gptj_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[2, 9, 4, 7, 3], [2, 5, 3, 1, 0]])
# The linear layers of a block in the order in which the original makes them, and hence numbers them.
LINEAR_LAYERS = ("attn.q_proj", "attn.v_proj", "attn.k_proj", "attn.out_proj", "mlp.fc_in", "mlp.fc_out")
SUMMED = ("attn.out_proj", "mlp.fc_out")


def make_config(**options: Any) -> GPTJConfig:
    sizes: dict[str, Any] = {"vocab_size": 12, "n_embd": 8, "n_layer": 2, "n_head": 2, "n_positions": 9}
    return GPTJConfig(**{**sizes, "rotary_dim": 2, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5)
    model.eval()


def on_cores(weight: Tensor, dimension: int, parts: int) -> Tensor:
    """Return a weight as it is spread over cores: with a first dimension of parts, or as it is on a single one."""
    return torch.stack(weight.chunk(parts, dim=dimension)) if parts > 1 else weight


def summands(bias: Tensor, parts: int) -> Tensor:
    """Return a bias that is summed up over cores."""
    if parts == 1:
        return bias
    spread = torch.randn(parts, *bias.shape)
    spread[0] += bias - spread.sum(dim=0)
    return spread


def in_the_original_layout(model: GPTJForCausalLM, parts: int) -> dict[str, Tensor]:
    """Return weights as the tree of the original names them, spread over cores."""
    weights = model.state_dict()
    root = "causal_transformer_shard/~/"
    offset = torch.randn(8)
    original = {
        f"{root}embedding_shard/~/linear/w": on_cores(weights["transformer.wte.weight"] - offset, 0, parts),
        f"{root}embedding_shard/~/linear/b": summands(offset, parts),
        f"{root}projection_shard/~/linear/w": on_cores(weights["lm_head.weight"].T, 1, parts),
        f"{root}projection_shard/~/linear/b": on_cores(weights["lm_head.bias"], 0, parts),
    }
    norms = {f"{root}projection_shard": "transformer.ln_f"}
    for index in range(2):
        norms[f"{root}layer_{index}"] = f"transformer.h.{index}.ln_1"
        for number, layer in enumerate(LINEAR_LAYERS):
            name = f"{root}layer_{index}/~/linear" + (f"_{number}" if number else "")
            weight = weights[f"transformer.h.{index}.{layer}.weight"].T
            original[f"{name}/w"] = on_cores(weight, 0 if layer in SUMMED else 1, parts)
            bias = weights.get(f"transformer.h.{index}.{layer}.bias")
            if bias is not None:
                original[f"{name}/b"] = summands(bias, parts) if layer in SUMMED else on_cores(bias, 0, parts)
    for module, name in norms.items():
        for kind, published in (("scale", "weight"), ("offset", "bias")):
            weight = weights[f"{name}.{published}"]
            original[f"{module}/~/replicated_layer_norm/{kind}"] = weight.repeat(parts, 1) if parts > 1 else weight
    return {name: weight.clone().contiguous() for name, weight in original.items()}


def write_config(config: GPTJConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertGPTJCheckpoint:
    @pytest.mark.parametrize("parts", [1, 2])
    def test_original_names_and_layout(self, parts: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = GPTJForCausalLM(make_config(architectures=["GPTJForCausalLM"]))
        randomize(model)
        original = {**in_the_original_layout(model, parts), "step": torch.zeros(1)}
        assert original["causal_transformer_shard/~/layer_1/~/linear_4/w"].shape[-1] == 32 // parts
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        arguments = [str(tmp_path / "original.safetensors"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])
        assert capsys.readouterr().out.splitlines()[:-1] == ["not used: step"]
        converted = GPTJForCausalLM.from_pretrained(tmp_path / "converted")
        torch.testing.assert_close(converted(INPUT_IDS).logits, model(INPUT_IDS).logits, rtol=1e-4, atol=1e-5)

    def test_names_without_prefix(self) -> None:
        model = GPTJModel(make_config())
        weights = model.state_dict()
        converted = convert_state_dict(weights, model.config)
        assert converted.keys() == {f"transformer.{name}" for name in weights}
        assert all(torch.equal(converted[f"transformer.{name}"], weight) for name, weight in weights.items())

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = GPTJForCausalLM(make_config())
        weights = in_the_original_layout(model, 1)
        weights["causal_transformer_shard/~/layer_0/~/linear_4/w"] = torch.zeros(8, 3)
        del weights["causal_transformer_shard/~/layer_1/~/replicated_layer_norm/offset"]
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        assert "h.0.mlp.fc_in.weight: shape (3, 8) in the checkpoint, (32, 8) in the model" in str(caught.value)
        assert "h.1.ln_1.bias: missing in the checkpoint, shape (8,) in the model" in str(caught.value)
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        weights = {"transformer.ln_f.bias": torch.ones(1), "ln_f.bias": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(
                {**weights, "h.0.ln_1.bias": torch.ones(1), "transformer.h.0.ln_1.bias": torch.ones(1)}, make_config()
            )
