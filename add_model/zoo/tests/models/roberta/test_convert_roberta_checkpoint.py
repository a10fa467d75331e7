"""Tests of the conversion of original RoBERTa checkpoints."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.roberta import (
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaModel,
)
from add_model.zoo.models.roberta.convert_roberta_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[0, 9, 4, 7, 2], [0, 5, 2, 1, 1]])
ATTENTION_MASK = (INPUT_IDS != 1).long()
# What the original calls the parts of a layer.
LAYER_NAMES = {
    "attention.self.query": "self_attn.q_proj",
    "attention.self.key": "self_attn.k_proj",
    "attention.self.value": "self_attn.v_proj",
    "attention.output.dense": "self_attn.out_proj",
    "attention.output.LayerNorm": "self_attn_layer_norm",
    "intermediate.dense": "fc1",
    "output.dense": "fc2",
    "output.LayerNorm": "final_layer_norm",
}
NAMES = {
    "embeddings.word_embeddings": "embed_tokens",
    "embeddings.position_embeddings": "embed_positions",
    "embeddings.LayerNorm": "emb_layer_norm",
}


def make_config(**options: Any) -> RobertaConfig:
    sizes: dict[str, Any] = {"vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    return RobertaConfig(
        **{**sizes, "intermediate_size": 12, "max_position_embeddings": 9, "type_vocab_size": 1, **options}
    )


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros; the original has no segments."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_()
            if name.endswith("token_type_embeddings.weight"):
                parameter.zero_()
    model.eval()


def in_the_original_layout(model: torch.nn.Module, part: str, has_joint_projections: bool) -> dict[str, Tensor]:
    """Return the weights of a base model as the original release names them.

    Args:
        part: what stands before the sentence encoder: "decoder" first, "encoder" in later releases.
        has_joint_projections: whether the projections of an attention are stored as one, as in the first releases.
    """
    original: dict[str, Tensor] = {}
    for name, weight in model.state_dict().items():
        module, _, kind = name.rpartition(".")
        if module.startswith("encoder.layer."):
            _, _, index, inner = module.split(".", maxsplit=3)
            original[f"{part}.sentence_encoder.layers.{index}.{LAYER_NAMES[inner]}.{kind}"] = weight.clone()
        elif module in NAMES:
            original[f"{part}.sentence_encoder.{NAMES[module]}.{kind}"] = weight.clone()
    for name in list(original) if has_joint_projections else ():
        if ".q_proj." in name:
            parts = [original.pop(name.replace("q_proj", projection)) for projection in ("q_proj", "k_proj", "v_proj")]
            original[name.replace("q_proj.", "in_proj_")] = torch.cat(parts)
    return original


def write_config(config: RobertaConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertRobertaCheckpoint:
    @pytest.mark.parametrize(("part", "has_joint_projections"), [("decoder", True), ("encoder", False)])
    def test_masked_language_model(
        self, tmp_path: Path, part: str, has_joint_projections: bool, capsys: pytest.CaptureFixture[str]
    ) -> None:
        model = RobertaForMaskedLM(make_config(architectures=["RobertaForMaskedLM"]))
        randomize(model)
        original = in_the_original_layout(model.base_model, part, has_joint_projections)
        joint = f"{part}.sentence_encoder.layers.1.self_attn.in_proj_bias"
        assert (joint in original) == has_joint_projections
        for name, weight in model.get_submodule("lm_head").state_dict().items():
            if not name.startswith("decoder."):
                original[f"{part}.lm_head.{name}"] = weight
        original[f"{part}.lm_head.weight"] = original[f"{part}.sentence_encoder.embed_tokens.weight"].clone()
        original[f"{part}.sentence_encoder.version"] = torch.tensor([3.0])
        torch.save({"model": original, "args": argparse.Namespace(arch="base")}, tmp_path / "model.pt")
        config_file = write_config(model.config, tmp_path / "config.json")
        arguments = [str(tmp_path / "model.pt"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])
        printed = capsys.readouterr().out
        assert printed.count("not used") == 1 and "sentence_encoder.version" in printed
        converted = RobertaForMaskedLM.from_pretrained(tmp_path / "converted")
        expected = model(INPUT_IDS, attention_mask=ATTENTION_MASK).logits
        assert torch.equal(converted(INPUT_IDS, attention_mask=ATTENTION_MASK).logits, expected)

    def test_sequence_classification(self, tmp_path: Path) -> None:
        model = RobertaForSequenceClassification(make_config(num_labels=3))
        randomize(model)
        original = in_the_original_layout(model.base_model, "decoder", True)
        for name, weight in model.classifier.state_dict().items():
            original[f"classification_heads.mnli.{name}"] = weight
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        checkpoint, name = tmp_path / "original.safetensors", "RobertaForSequenceClassification"
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted", name) == []
        converted = RobertaForSequenceClassification.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    @pytest.mark.parametrize("prefix", ["", "original.", "encoder_of_somebody_else."])
    def test_the_model_without_a_head_by_another_name(self, tmp_path: Path, prefix: str) -> None:
        model = RobertaModel(make_config())
        randomize(model)
        weights = {f"{prefix}{name}": weight.clone() for name, weight in model.state_dict().items()}
        save_file(weights, tmp_path / "model.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "model.safetensors", config_file, tmp_path / "converted") == []
        for folder in (tmp_path, tmp_path / "converted"):
            loaded = RobertaModel.from_pretrained(folder)
            assert torch.equal(loaded(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = RobertaModel(make_config())
        weights = in_the_original_layout(model, "decoder", False)
        weights["decoder.sentence_encoder.layers.0.fc1.weight"] = torch.zeros(3, 8)
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        message = str(caught.value)
        assert "encoder.layer.0.intermediate.dense.weight: shape (3, 8) in the checkpoint, (12, 8)" in message
        assert "pooler.dense.weight: missing in the checkpoint, shape (8, 8) in the model" in message
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        weights = {"decoder.lm_head.bias": torch.ones(1), "encoder.lm_head.bias": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
