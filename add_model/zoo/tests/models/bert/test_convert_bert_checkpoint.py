"""Tests of the conversion of original BERT checkpoints."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.bert import BertConfig, BertForMaskedLM, BertModel
from add_model.zoo.models.bert.convert_bert_checkpoint import convert_checkpoint, convert_state_dict, fill_model, main

INPUT_IDS = torch.tensor([[2, 9, 4, 7, 3], [2, 5, 3, 0, 0]])
ATTENTION_MASK = (INPUT_IDS != 0).long()


def make_config(**options: Any) -> BertConfig:
    sizes: dict[str, Any] = {"vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    return BertConfig(**{**sizes, "intermediate_size": 12, "max_position_embeddings": 9, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()


def in_the_original_layout(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as the original release names and stores them."""
    original = {}
    for name, weight in weights.items():
        name = name.replace("encoder.layer.", "encoder.layer_").replace("LayerNorm.weight", "LayerNorm.gamma")
        name = name.replace("LayerNorm.bias", "LayerNorm.beta").replace("_embeddings.weight", "_embeddings")
        if name.endswith(".weight"):
            name, weight = name.removesuffix("weight") + "kernel", weight.T.contiguous()
        original[name.replace(".", "/")] = weight.clone()
    return original


def write_config(config: BertConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertBertCheckpoint:
    def test_original_names_and_layout(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = BertModel(make_config())
        randomize(model)
        original = in_the_original_layout({f"bert.{name}": weight for name, weight in model.state_dict().items()})
        assert "bert/encoder/layer_0/attention/self/query/kernel" in original
        original["cls/seq_relationship/output_bias"] = torch.zeros(2)
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")

        arguments = [str(tmp_path / "original.safetensors"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])

        assert "not used: cls.seq_relationship.bias" in capsys.readouterr().out
        assert (tmp_path / "converted" / "config.json").is_file()
        converted = BertModel.from_pretrained(tmp_path / "converted")
        expected = model(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state
        assert torch.equal(converted(INPUT_IDS, attention_mask=ATTENTION_MASK).last_hidden_state, expected)

    def test_early_names_without_prefix(self, tmp_path: Path) -> None:
        model = BertModel(make_config())
        randomize(model)
        original = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): weight
            for name, weight in model.state_dict().items()
        }
        assert fill_model(BertModel(model.config), convert_state_dict(original, model.config)) == []
        # What a training script leaves beside the weights.
        torch.save({"model": original, "args": argparse.Namespace(epochs=3), "step": 7}, tmp_path / "original.bin")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.bin", config_file, tmp_path / "converted") == []
        converted = BertModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_masked_language_model(self, tmp_path: Path) -> None:
        model = BertForMaskedLM(make_config(architectures=["BertForMaskedLM"]))
        randomize(model)
        tied = model.tied_weights()
        weights = {name: weight for name, weight in model.state_dict().items() if name not in tied}
        original = in_the_original_layout(weights)
        original["cls/predictions/output_bias"] = original.pop("cls/predictions/bias")
        torch.save(original, tmp_path / "original.pt")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.pt", config_file, tmp_path / "converted") == []
        converted = BertForMaskedLM.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    @pytest.mark.parametrize("prefix", ["original", "encoder_of_somebody_else"])
    def test_the_model_without_a_head_by_another_name(self, tmp_path: Path, prefix: str) -> None:
        model = BertForMaskedLM(make_config())
        randomize(model)
        own = f"{model.base_model_prefix}."
        weights = {
            f"{prefix}.{name.removeprefix(own)}" if name.startswith(own) else name: weight.clone()
            for name, weight in model.state_dict().items()
        }
        save_file(weights, tmp_path / "model.safetensors")
        config = make_config(architectures=["OriginalForMaskedLM"])
        config_file = write_config(config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "model.safetensors", config_file, tmp_path / "converted") == []
        for folder in (tmp_path, tmp_path / "converted"):
            loaded = BertForMaskedLM.from_pretrained(folder)
            assert torch.equal(loaded(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_a_class_that_is_not_there_is_asked_for(self, tmp_path: Path) -> None:
        model = BertForMaskedLM(make_config())
        save_file(
            {name: weight.clone() for name, weight in model.state_dict().items()}, tmp_path / "model.safetensors"
        )
        config_file = write_config(make_config(architectures=["OriginalForPreTraining"]), tmp_path / "config.json")
        with pytest.raises(ValueError, match="OriginalForPreTraining.*--model-class"):
            convert_checkpoint(tmp_path / "model.safetensors", config_file, tmp_path / "converted")

    def test_what_has_no_place_is_listed_beside_what_is_missing(self) -> None:
        model = BertModel(make_config())
        weights = {name.replace("pooler", "summary"): weight for name, weight in model.state_dict().items()}
        with pytest.raises(
            ValueError, match=r"pooler.dense.weight: missing(.|\n)*summary.dense.weight: no such weight"
        ):
            fill_model(model, weights)

    def test_masked_language_model_whose_tied_weights_differ(self) -> None:
        model = BertForMaskedLM(make_config())
        weights = {name: weight.clone() for name, weight in model.state_dict().items()}
        weights["cls.predictions.decoder.weight"] += 1
        with pytest.raises(ValueError, match="tie_word_embeddings"):
            fill_model(model, weights)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        model = BertModel(make_config())
        weights = {name: weight.clone() for name, weight in model.state_dict().items()}
        weights["pooler.dense.weight"] = torch.zeros(3, 5)
        del weights["encoder.layer.1.output.dense.bias"]
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        arguments = [str(tmp_path / "original.safetensors"), "--config", str(config_file)]
        with pytest.raises(SystemExit) as stopped:
            main([*arguments, "--output", str(tmp_path / "converted")])
        assert stopped.value.code == 2
        message = capsys.readouterr().err
        assert "pooler.dense.weight: shape (3, 5) in the checkpoint, (8, 8) in the model" in message
        assert "encoder.layer.1.output.dense.bias: missing in the checkpoint, shape (8,) in the model" in message
        assert "pooler.dense.weight: missing" not in message
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict({"a.gamma": torch.ones(1), "a.weight": torch.ones(1)}, make_config())

    def test_unreadable_checkpoints(self, tmp_path: Path) -> None:
        config_file = write_config(make_config(), tmp_path / "config.json")
        broken = tmp_path / "broken.safetensors"
        broken.write_bytes(b"no checkpoint")
        no_weights = tmp_path / "numbers.bin"
        torch.save({"step": 3}, no_weights)
        with_code = tmp_path / "code.bin"
        torch.save({"weight": torch.ones(1), "path": Path("/")}, with_code)
        for path, reason in ((broken, "no checkpoint"), (no_weights, "no weights"), (with_code, "run code")):
            with pytest.raises(ValueError, match=reason):
                convert_checkpoint(path, config_file, tmp_path / "converted")
        with pytest.raises(FileNotFoundError):
            convert_checkpoint(tmp_path / "absent.bin", config_file, tmp_path / "converted")
        save_file({"weight": torch.ones(1)}, tmp_path / "some.safetensors")
        with pytest.raises(ValueError, match="unknown class"):
            convert_checkpoint(tmp_path / "some.safetensors", config_file, tmp_path / "converted", "NoSuchModel")

    def test_saved_configuration_names_the_class(self, tmp_path: Path) -> None:
        model = BertModel(make_config())
        save_file(model.state_dict(), tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted", "BertModel")
        saved = json.loads((tmp_path / "converted" / "config.json").read_text(encoding="utf-8"))
        assert saved["architectures"] == ["BertModel"] and saved["hidden_size"] == 8
