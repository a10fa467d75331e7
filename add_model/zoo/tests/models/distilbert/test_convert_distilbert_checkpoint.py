"""Tests of the conversion of original DistilBERT checkpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.distilbert import DistilBertConfig, DistilBertForMaskedLM, DistilBertModel
from add_model.zoo.models.distilbert.convert_distilbert_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[2, 9, 4, 7, 3], [2, 5, 3, 0, 0]])
ATTENTION_MASK = (INPUT_IDS != 0).long()
# What the parts are called in the model that training starts from.
TEACHER_NAMES = {
    "attention.q_lin": "attention.self.query",
    "attention.k_lin": "attention.self.key",
    "attention.v_lin": "attention.self.value",
    "attention.out_lin": "attention.output.dense",
    "sa_layer_norm": "attention.output.LayerNorm",
    "ffn.lin1": "intermediate.dense",
    "ffn.lin2": "output.dense",
    "output_layer_norm": "output.LayerNorm",
    "transformer.layer": "encoder.layer",
}


def make_config(**options: Any) -> DistilBertConfig:
    sizes: dict[str, Any] = {"vocab_size": 11, "dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 12}
    return DistilBertConfig(**{**sizes, "max_position_embeddings": 9, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()


def in_the_teachers_layout(weights: dict[str, Tensor], layers: tuple[int, ...]) -> dict[str, Tensor]:
    """Return weights as the model that training starts from names them, in the given layers of it."""
    original: dict[str, Tensor] = {}
    for name, weight in weights.items():
        for new, old in TEACHER_NAMES.items():
            name = name.replace(new, old)
        name = re.sub(r"\.layer\.(\d+)\.", lambda match: f".layer.{layers[int(match.group(1))]}.", name)
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        original[f"bert.{name}"] = weight.clone()
    return original


def write_config(config: DistilBertConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertDistilBertCheckpoint:
    @pytest.mark.parametrize("prefix", ["", "module.", "original.", "encoder_of_somebody_else."])
    def test_original_names(self, tmp_path: Path, prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
        model = DistilBertModel(make_config())
        randomize(model)
        original = {f"{prefix}{name}": weight.clone() for name, weight in model.state_dict().items()}
        original["classifier.weight"] = torch.zeros(2, 8)
        torch.save(original, tmp_path / "original.bin")
        config_file = write_config(model.config, tmp_path / "config.json")
        arguments = [str(tmp_path / "original.bin"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])
        assert "not used: classifier.weight" in capsys.readouterr().out
        converted = DistilBertModel.from_pretrained(tmp_path / "converted")
        expected = model(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state
        assert torch.equal(converted(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state, expected)

    def test_masked_language_model(self, tmp_path: Path) -> None:
        model = DistilBertForMaskedLM(make_config(architectures=["DistilBertForMaskedLM"]))
        randomize(model)
        save_file(
            {f"module.{name}": weight.clone() for name, weight in model.state_dict().items()},
            tmp_path / "original.safetensors",
        )
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted") == []
        converted = DistilBertForMaskedLM.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_every_other_layer_of_the_model_that_training_starts_from(self, tmp_path: Path) -> None:
        model = DistilBertForMaskedLM(make_config(n_layers=6))
        randomize(model)
        layers = (0, 2, 4, 7, 9, 11)
        original = in_the_teachers_layout(model.base_model.state_dict(), layers)
        assert "bert.encoder.layer.7.attention.output.LayerNorm.gamma" in original
        for index in sorted({*range(12)} - {*layers}):
            original[f"bert.encoder.layer.{index}.output.dense.bias"] = torch.zeros(8)
        weights = model.state_dict()
        original["cls.predictions.bias"] = weights["vocab_projector.bias"]
        original["cls.predictions.decoder.bias"] = weights["vocab_projector.bias"].clone()
        original["cls.predictions.decoder.weight"] = weights["vocab_projector.weight"].clone()
        for kind in ("weight", "bias"):
            original[f"cls.predictions.transform.dense.{kind}"] = weights[f"vocab_transform.{kind}"]
        original["cls.predictions.transform.LayerNorm.gamma"] = weights["vocab_layer_norm.weight"]
        original["cls.predictions.transform.LayerNorm.beta"] = weights["vocab_layer_norm.bias"]
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        checkpoint, name = tmp_path / "original.safetensors", "DistilBertForMaskedLM"
        unused = convert_checkpoint(checkpoint, config_file, tmp_path / "converted", name)
        assert len(unused) == 7 and "bert.encoder.layer.10.output.dense.bias" in unused
        converted = DistilBertForMaskedLM.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_which_layers_to_take_must_be_known(self) -> None:
        weights = {"bert.encoder.layer.6.output.dense.bias": torch.zeros(8)}
        with pytest.raises(ValueError, match="7 layers, the model has 2; add to STUDENT_LAYERS"):
            convert_state_dict(weights, make_config())

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = DistilBertModel(make_config())
        weights = {name: weight.clone() for name, weight in model.state_dict().items()}
        weights["transformer.layer.0.ffn.lin1.weight"] = torch.zeros(3, 8)
        del weights["transformer.layer.1.ffn.lin2.bias"]
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        message = str(caught.value)
        assert "transformer.layer.0.ffn.lin1.weight: shape (3, 8) in the checkpoint, (12, 8) in the model" in message
        assert "transformer.layer.1.ffn.lin2.bias: missing in the checkpoint, shape (8,) in the model" in message
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict({"a.gamma": torch.ones(1), "a.weight": torch.ones(1)}, make_config())
