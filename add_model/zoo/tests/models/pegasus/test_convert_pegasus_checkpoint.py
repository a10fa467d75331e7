"""Tests of the conversion of original Pegasus checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.pegasus import (
    PegasusConfig,
    PegasusForCausalLM,
    PegasusForConditionalGeneration,
    PegasusModel,
)
from add_model.zoo.models.pegasus.convert_pegasus_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[9, 4, 7, 8, 1], [5, 6, 1, 0, 0]])
ATTENTION_MASK = (INPUT_IDS != 0).long()
# Parts of names here and in the original release.
NORMS = (
    ("self_attn_layer_norm", "self_attention/LayerNorm"),
    ("encoder_attn_layer_norm", "memory_attention/LayerNorm"),
    ("final_layer_norm", "ffn/LayerNorm"),
    ("layer_norm", "LayerNorm"),
)
MODULES = (
    ("self_attn.", "self_attention/"),
    ("encoder_attn.", "memory_attention/"),
    ("out_proj", "output_proj"),
    ("fc1", "ffn/dense"),
    ("fc2", "ffn/dense_1"),
    ("layers.", "layer_"),
)


def make_config(**options: Any) -> PegasusConfig:
    sizes: dict[str, Any] = {"vocab_size": 11, "d_model": 8, "max_position_embeddings": 9, "scale_embedding": True}
    for part in ("encoder", "decoder"):
        sizes.update({f"{part}_layers": 2, f"{part}_attention_heads": 2, f"{part}_ffn_dim": 12})
    return PegasusConfig(**{**sizes, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, but zeros where the original has nothing."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_()
            if name.endswith("proj.bias"):
                parameter.zero_()
            elif parameter.shape[0] == 11:
                parameter[0].zero_()
    model.eval()


def in_the_original_layout(model: torch.nn.Module) -> dict[str, Tensor]:
    """Return the weights of a base model as the original release names them, with what its optimizer keeps beside."""
    original = {"global_step": torch.tensor(1000)}
    for name, weight in model.named_parameters():
        path, _, kind = name.rpartition(".")
        if path == "shared":
            # What stands in the row of padding is not read.
            original["embeddings/weights"] = weight.detach().index_fill(0, torch.tensor([0]), 7.0)
            continue
        if name.endswith("proj.bias"):
            continue
        norm = next((theirs for ours, theirs in NORMS if path.endswith(ours)), None)
        if norm is not None:
            path = path.removesuffix(next(ours for ours, _ in NORMS if path.endswith(ours))) + norm
            kind = {"weight": "gamma", "bias": "beta"}[kind]
        for ours, theirs in MODULES:
            path = path.replace(ours, theirs)
        path = path.replace(".", "/")
        if norm is None and kind == "weight":
            original[f"{path}/kernel"] = weight.detach().T
        else:
            original[f"{path}/{kind}"] = weight.detach()
        original[f"{path}/{kind}/Adafactor"] = torch.zeros(3)
    return original


def write_config(config: PegasusConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


def write_arrays(weights: dict[str, Tensor], path: Path) -> Path:
    numpy.savez(path, **{name: weight.numpy() for name, weight in weights.items()})  # type: ignore[arg-type]
    return path


class TestConvertPegasusCheckpoint:
    def test_the_fixture_has_the_names_of_the_original(self) -> None:
        names = in_the_original_layout(PegasusModel(make_config()))
        assert {
            *("embeddings/weights", "encoder/LayerNorm/gamma", "decoder/LayerNorm/beta"),
            *("encoder/layer_0/self_attention/q_proj/kernel", "encoder/layer_1/self_attention/LayerNorm/beta"),
            *(
                "decoder/layer_0/memory_attention/output_proj/kernel",
                "decoder/layer_1/memory_attention/LayerNorm/gamma",
            ),
            *(
                "decoder/layer_0/ffn/dense/kernel",
                "decoder/layer_0/ffn/dense_1/bias",
                "decoder/layer_0/ffn/LayerNorm/beta",
            ),
        } <= names.keys()

    def test_original_names(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = PegasusModel(make_config())
        randomize(model)
        checkpoint = write_arrays(in_the_original_layout(model), tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        main([str(checkpoint), "--config", str(config_file), "--output", str(tmp_path / "converted")])
        assert "not used" not in capsys.readouterr().out
        converted = PegasusModel.from_pretrained(tmp_path / "converted")
        expected = model(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state
        assert torch.equal(converted(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state, expected)

    def test_conditional_generation(self, tmp_path: Path) -> None:
        model = PegasusForConditionalGeneration(make_config(architectures=["PegasusForConditionalGeneration"]))
        randomize(model)
        checkpoint = write_arrays(in_the_original_layout(model.model), tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted") == []
        converted = PegasusForConditionalGeneration.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_causal_language_model(self, tmp_path: Path) -> None:
        base = PegasusModel(make_config())
        randomize(base)
        checkpoint = write_arrays(in_the_original_layout(base), tmp_path / "original.npz")
        config_file = write_config(base.config, tmp_path / "config.json")
        unused = convert_checkpoint(checkpoint, config_file, tmp_path / "converted", "PegasusForCausalLM")
        assert unused and all(name.startswith(("model.encoder.", "model.shared.")) for name in unused)
        converted = PegasusForCausalLM.from_pretrained(tmp_path / "converted")
        expected = base.decoder(INPUT_IDS).last_hidden_state @ base.shared.weight.T
        torch.testing.assert_close(converted(INPUT_IDS).logits, expected)

    def test_names_and_layout_of_research_code_stay(self, tmp_path: Path) -> None:
        model = PegasusModel(make_config())
        randomize(model)
        weights = {name: weight.clone() for name, weight in model.state_dict().items() if "embed_tokens" not in name}
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted") == []
        converted = PegasusModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = PegasusModel(make_config())
        weights = in_the_original_layout(model)
        weights["encoder/layer_0/ffn/dense/kernel"] = torch.zeros(3, 8)
        del weights["decoder/LayerNorm/beta"]
        checkpoint = write_arrays(weights, tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(checkpoint, config_file, tmp_path / "converted")
        assert "encoder.layers.0.fc1.weight: shape (8, 3) in the checkpoint, (12, 8) in the model" in str(caught.value)
        assert "decoder.layer_norm.bias: missing in the checkpoint, shape (8,) in the model" in str(caught.value)
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        weights = {"embeddings/weights": torch.ones(1, 1), "shared.weight": torch.ones(1, 1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
