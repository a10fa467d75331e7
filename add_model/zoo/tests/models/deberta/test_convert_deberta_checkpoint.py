"""Tests of the conversion of original DeBERTa checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.deberta import DebertaConfig, DebertaForMaskedLM, DebertaModel
from add_model.zoo.models.deberta.convert_deberta_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[1, 9, 4, 7, 2], [1, 5, 2, 0, 0]])
ATTENTION_MASK = (INPUT_IDS != 0).long()
HEADS, HEAD_SIZE = 2, 4


def make_config(**options: Any) -> DebertaConfig:
    sizes: dict[str, Any] = {"vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": HEADS}
    positions = {"relative_attention": True, "position_biased_input": False, "pos_att_type": "c2p|p2c"}
    return DebertaConfig(**{**sizes, **positions, "intermediate_size": 12, "max_position_embeddings": 9, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()


def with_separate_projections(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as the code that followed the original release names and stores them."""
    original: dict[str, Tensor] = {}
    for name, weight in weights.items():
        name = name.replace("pos_q_proj", "pos_query_proj").replace("pos_proj", "pos_key_proj")
        name = name.replace("self.q_bias", "self.query_proj.bias").replace("self.v_bias", "self.value_proj.bias")
        if name.endswith("in_proj.weight"):
            rows = weight.view(HEADS, 3, HEAD_SIZE, -1)
            for index, part in enumerate(("query", "key", "value")):
                original[name.replace("in_proj", f"{part}_proj")] = rows[:, index].flatten(0, 1)
            original[name.replace("in_proj.weight", "key_proj.bias")] = torch.zeros(HEADS * HEAD_SIZE)
        else:
            original[name] = weight.clone()
    return original


def write_config(config: DebertaConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertDebertaCheckpoint:
    @pytest.mark.parametrize("prefix", ["", "deberta.", "module.deberta.", "encoder_of_somebody_else."])
    @pytest.mark.parametrize("is_separate", [False, True])
    def test_original_names(
        self, tmp_path: Path, prefix: str, is_separate: bool, capsys: pytest.CaptureFixture[str]
    ) -> None:
        model = DebertaModel(make_config())
        randomize(model)
        weights = {f"{prefix}{name}": weight for name, weight in model.state_dict().items()}
        original = with_separate_projections(weights) if is_separate else weights
        assert (f"{prefix}encoder.layer.1.attention.self.query_proj.weight" in original) == is_separate
        original["classifier.weight"] = torch.zeros(2, 8)
        torch.save(original, tmp_path / "original.bin")
        config_file = write_config(model.config, tmp_path / "config.json")
        arguments = [str(tmp_path / "original.bin"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])
        assert "not used: classifier.weight" in capsys.readouterr().out
        converted = DebertaModel.from_pretrained(tmp_path / "converted")
        expected = model(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state
        assert torch.equal(converted(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state, expected)

    @pytest.mark.parametrize("is_legacy", [True, False])
    def test_the_published_head_of_the_masked_language_model(self, tmp_path: Path, is_legacy: bool) -> None:
        published = DebertaForMaskedLM(make_config(legacy=False))
        randomize(published)
        save_file(published.state_dict(), tmp_path / "original.safetensors")
        config_file = write_config(make_config(legacy=is_legacy), tmp_path / "config.json")
        checkpoint, name = tmp_path / "original.safetensors", "DebertaForMaskedLM"
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted", name) == []
        converted = DebertaForMaskedLM.from_pretrained(tmp_path / "converted")
        assert converted.config.legacy == is_legacy
        torch.testing.assert_close(converted(INPUT_IDS).logits, published(INPUT_IDS).logits)

    def test_projections_that_do_not_fit_together(self) -> None:
        weights = with_separate_projections(DebertaModel(make_config()).state_dict())
        module = "encoder.layer.0.attention.self"
        with pytest.raises(ValueError, match="key_proj.bias is not zero"):
            convert_state_dict({**weights, f"{module}.key_proj.bias": torch.ones(8)}, make_config())
        del weights[f"{module}.value_proj.weight"]
        with pytest.raises(ValueError, match="value.weight is missing"):
            convert_state_dict(weights, make_config())

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = DebertaModel(make_config())
        weights = {name: weight.clone() for name, weight in model.state_dict().items()}
        weights["encoder.layer.0.intermediate.dense.weight"] = torch.zeros(3, 8)
        del weights["encoder.layer.1.attention.self.pos_q_proj.bias"]
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        message = str(caught.value)
        assert "encoder.layer.0.intermediate.dense.weight: shape (3, 8) in the checkpoint, (12, 8)" in message
        assert "encoder.layer.1.attention.self.pos_q_proj.bias: missing in the checkpoint, shape (8,)" in message
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        weights = {"a.embeddings.x": torch.ones(1), "b.embeddings.x": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
