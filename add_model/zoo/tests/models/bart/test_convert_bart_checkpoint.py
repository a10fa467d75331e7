"""Tests of the conversion of original BART checkpoints."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.bart import (
    BartConfig,
    BartForCausalLM,
    BartForConditionalGeneration,
    BartForSequenceClassification,
    BartModel,
)
from add_model.zoo.models.bart.convert_bart_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[0, 9, 4, 7, 2], [0, 5, 2, 1, 1]])
ATTENTION_MASK = (INPUT_IDS != 1).long()


def make_config(**options: Any) -> BartConfig:
    sizes: dict[str, Any] = {"vocab_size": 11, "d_model": 8, "max_position_embeddings": 9}
    for part in ("encoder", "decoder"):
        sizes.update({f"{part}_layers": 2, f"{part}_attention_heads": 2, f"{part}_ffn_dim": 12})
    return BartConfig(**{**sizes, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()


def in_the_original_layout(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as the original release names them: each part holds its embeddings, and nothing is shared."""
    original = {name: weight.clone() for name, weight in weights.items() if name != "shared.weight"}
    original.update({"encoder.version": torch.tensor([3.0]), "decoder.version": torch.tensor([3.0])})
    return original


def write_config(config: BartConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertBartCheckpoint:
    def test_original_names(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = BartModel(make_config())
        randomize(model)
        original = in_the_original_layout(model.state_dict())
        torch.save({"model": original, "args": argparse.Namespace(arch="large")}, tmp_path / "model.pt")
        config_file = write_config(model.config, tmp_path / "config.json")
        arguments = [str(tmp_path / "model.pt"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])
        printed = capsys.readouterr().out
        assert printed.count("not used") == 2 and "not used: model.encoder.version" in printed
        converted = BartModel.from_pretrained(tmp_path / "converted")
        expected = model(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state
        assert torch.equal(converted(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state, expected)

    def test_joint_projections(self, tmp_path: Path) -> None:
        model = BartModel(make_config())
        randomize(model)
        original = in_the_original_layout(model.state_dict())
        for name in list(original):
            if name.endswith(("q_proj.weight", "q_proj.bias")):
                parts = [original.pop(name.replace("q_proj", part)) for part in ("q_proj", "k_proj", "v_proj")]
                original[name.replace("q_proj.", "in_proj_")] = torch.cat(parts)
        assert "decoder.layers.1.encoder_attn.in_proj_bias" in original
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        converted = BartModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_conditional_generation(self, tmp_path: Path) -> None:
        model = BartForConditionalGeneration(make_config(architectures=["BartForConditionalGeneration"]))
        randomize(model)
        original = in_the_original_layout(model.model.state_dict())
        original["decoder.output_projection.weight"] = original["decoder.embed_tokens.weight"].clone()
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        unused = convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        assert sorted(unused) == ["model.decoder.version", "model.encoder.version"]
        converted = BartForConditionalGeneration.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_sequence_classification(self, tmp_path: Path) -> None:
        model = BartForSequenceClassification(make_config(architectures=["BartForSequenceClassification"]))
        randomize(model)
        original = in_the_original_layout(model.model.state_dict())
        for name, weight in model.classification_head.state_dict().items():
            original[f"classification_heads.mnli.{name}"] = weight
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        converted = BartForSequenceClassification.from_pretrained(tmp_path / "converted")
        # Every row has to end with as many end tokens as the others.
        assert torch.equal(converted(INPUT_IDS[:1]).logits, model(INPUT_IDS[:1]).logits)

    def test_causal_language_model(self, tmp_path: Path) -> None:
        model = BartForCausalLM(make_config())
        randomize(model)
        original = {name.removeprefix("model."): weight.clone() for name, weight in model.model.state_dict().items()}
        original["encoder.embed_tokens.weight"] = torch.zeros(11, 8)
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        checkpoint = tmp_path / "original.safetensors"
        unused = convert_checkpoint(checkpoint, config_file, tmp_path / "converted", "BartForCausalLM")
        assert unused == ["model.encoder.embed_tokens.weight"]
        converted = BartForCausalLM.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = BartModel(make_config())
        weights = in_the_original_layout(model.state_dict())
        weights["encoder.layers.0.fc1.weight"] = torch.zeros(3, 8)
        del weights["decoder.layers.1.fc2.bias"]
        weights["decoder.embed_tokens.weight"] += 1
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        assert "encoder.layers.0.fc1.weight: shape (3, 8) in the checkpoint, (12, 8) in the model" in str(caught.value)
        assert "decoder.layers.1.fc2.bias: missing in the checkpoint, shape (8,) in the model" in str(caught.value)
        assert "tie_word_embeddings" in str(caught.value)
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        weights = {"decoder.output_projection.weight": torch.ones(1), "lm_head.weight": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
