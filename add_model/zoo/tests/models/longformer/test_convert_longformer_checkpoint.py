"""Tests of the conversion of original Longformer checkpoints."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.longformer import (
    LongformerConfig,
    LongformerForMaskedLM,
    LongformerForQuestionAnswering,
    LongformerModel,
)
from add_model.zoo.models.longformer.convert_longformer_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[0, 9, 2, 2, 7, 2], [0, 2, 2, 5, 2, 1]])
ATTENTION_MASK = (INPUT_IDS != 1).long()


def make_config(**options: Any) -> LongformerConfig:
    sizes: dict[str, Any] = {"vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    layout = {"intermediate_size": 12, "max_position_embeddings": 9, "type_vocab_size": 1, "attention_window": 4}
    return LongformerConfig(**{**sizes, **layout, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()


def write_config(config: LongformerConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertLongformerCheckpoint:
    def test_question_answering_of_the_training_script(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        model = LongformerForQuestionAnswering(make_config(architectures=["LongformerForQuestionAnswering"]))
        randomize(model)
        # The script holds the model without a head as `model`, with a pooler that it has no use for.
        original = {f"model.{name}": weight for name, weight in model.base_model.state_dict().items()}
        original |= {f"qa_outputs.{name}": weight for name, weight in model.qa_outputs.state_dict().items()}
        original["model.embeddings.position_ids"] = torch.arange(9)[None]
        original["model.pooler.dense.bias"] = torch.zeros(8)
        content = {"state_dict": original, "hparams": argparse.Namespace(attention_window=4), "epoch": 3}
        torch.save(content, tmp_path / "epoch=3.ckpt")
        config_file = write_config(model.config, tmp_path / "config.json")
        arguments = [str(tmp_path / "epoch=3.ckpt"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])
        printed = capsys.readouterr().out
        assert printed.count("not used") == 1 and "longformer.pooler.dense.bias" in printed
        converted = LongformerForQuestionAnswering.from_pretrained(tmp_path / "converted")
        expected = model(INPUT_IDS, attention_mask=ATTENTION_MASK).start_logits
        assert torch.equal(converted(INPUT_IDS, attention_mask=ATTENTION_MASK).start_logits, expected)

    @pytest.mark.parametrize("outer", ["", "model."])
    def test_masked_language_model_of_the_release(self, tmp_path: Path, outer: str) -> None:
        model = LongformerForMaskedLM(make_config())
        randomize(model)
        original: dict[str, Tensor] = {}
        for name, weight in model.state_dict().items():
            if name != "lm_head.decoder.bias":
                original[outer + name.replace("longformer.", "roberta.")] = weight.clone()
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        checkpoint = tmp_path / "original.safetensors"
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted", "LongformerForMaskedLM") == []
        converted = LongformerForMaskedLM.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_a_roberta_is_made_long(self, tmp_path: Path) -> None:
        model = LongformerModel(make_config())
        randomize(model)
        original = {f"roberta.{name}": weight for name, weight in model.state_dict().items() if "_global." not in name}
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(make_config(max_position_embeddings=19), tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted") == []
        long = LongformerModel.from_pretrained(tmp_path / "converted").state_dict()
        # The rows of the padding token's id and below stand once, those of seven tokens twice and a part.
        positions = model.state_dict()["embeddings.position_embeddings.weight"]
        rows = [0, 1, *range(2, 9), *range(2, 9), 2, 3, 4]
        assert torch.equal(long["embeddings.position_embeddings.weight"], positions[rows])
        for layer in ("encoder.layer.0", "encoder.layer.1"):
            for projection in ("query", "key", "value"):
                for kind in ("weight", "bias"):
                    name = f"{layer}.attention.self.{projection}"
                    assert torch.equal(long[f"{name}_global.{kind}"], original[f"roberta.{name}.{kind}"])

    @pytest.mark.parametrize("prefix", ["", "original.", "encoder_of_somebody_else."])
    def test_the_model_without_a_head_by_another_name(self, tmp_path: Path, prefix: str) -> None:
        model = LongformerModel(make_config())
        randomize(model)
        weights = {f"{prefix}{name}": weight.clone() for name, weight in model.state_dict().items()}
        save_file(weights, tmp_path / "model.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "model.safetensors", config_file, tmp_path / "converted") == []
        for folder in (tmp_path, tmp_path / "converted"):
            loaded = LongformerModel.from_pretrained(folder)
            assert torch.equal(loaded(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = LongformerModel(make_config())
        weights = model.state_dict()
        weights["encoder.layer.0.intermediate.dense.weight"] = torch.zeros(3, 8)
        del weights["pooler.dense.weight"]
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        message = str(caught.value)
        assert "encoder.layer.0.intermediate.dense.weight: shape (3, 8) in the checkpoint, (12, 8)" in message
        assert "pooler.dense.weight: missing in the checkpoint, shape (8, 8) in the model" in message
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        weights = {"model.lm_head.bias": torch.ones(1), "lm_head.bias": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
