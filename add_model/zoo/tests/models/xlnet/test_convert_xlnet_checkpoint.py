"""Tests of the conversion of original XLNet checkpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.xlnet import XLNetConfig, XLNetForSequenceClassification, XLNetLMHeadModel, XLNetModel
from add_model.zoo.models.xlnet.convert_xlnet_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[9, 6, 7, 4, 3], [5, 5, 8, 4, 3]])
INPUTS = {
    "attention_mask": (INPUT_IDS != 5).long(),
    "token_type_ids": torch.tensor([[0, 1, 1, 1, 2], [3, 3, 0, 0, 2]]),
}
# From the new names to those of the original, the first that fits.
ORIGINAL_NAMES = (
    (r"transformer\.word_embedding\.weight", "model/transformer/word_embedding/lookup_table"),
    (r"transformer\.mask_emb", "model/transformer/mask_emb/mask_emb"),
    (r"transformer\.layer\.(\d+)\.rel_attn\.([qkvor])", r"model/transformer/layer_\1/rel_attn/\2/kernel"),
    (r"transformer\.layer\.(\d+)\.(\w+)\.layer_norm\.weight", r"model/transformer/layer_\1/\2/LayerNorm/gamma"),
    (r"transformer\.layer\.(\d+)\.(\w+)\.layer_norm\.bias", r"model/transformer/layer_\1/\2/LayerNorm/beta"),
    (r"transformer\.layer\.(\d+)\.ff\.(layer_\d)\.weight", r"model/transformer/layer_\1/ff/\2/kernel"),
    (r"transformer\.layer\.(\d+)\.ff\.(layer_\d)\.bias", r"model/transformer/layer_\1/ff/\2/bias"),
    (r"sequence_summary\.summary\.weight", "model/sequnece_summary/summary/kernel"),
    (r"sequence_summary\.summary\.bias", "model/sequnece_summary/summary/bias"),
    (r"logits_proj\.weight", "model/classification_imdb/logit/kernel"),
    (r"logits_proj\.bias", "model/classification_imdb/logit/bias"),
    (r"lm_loss\.(\w+)", r"model/lm_loss/\1"),
)
OF_ALL_LAYERS = ("r_r_bias", "r_s_bias", "r_w_bias", "seg_embed")


def make_config(**options: Any) -> XLNetConfig:
    sizes: dict[str, Any] = {"vocab_size": 11, "d_model": 8, "n_layer": 2, "n_head": 2, "d_inner": 12, "num_labels": 3}
    return XLNetConfig(**{**sizes, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()


def in_the_layout_of_tensorflow(
    model: XLNetModel | XLNetLMHeadModel | XLNetForSequenceClassification,
) -> dict[str, Tensor]:
    """Return the weights of a model as the original release has them, with what its optimizer keeps beside them."""
    original: dict[str, Tensor] = {"global_step": torch.tensor(1000)}
    tied = model.tied_weights()
    weights = {name: weight.clone() for name, weight in model.state_dict().items() if name not in tied}
    if isinstance(model, XLNetModel):
        weights = {f"transformer.{name}": weight for name, weight in weights.items()}
    for kind in OF_ALL_LAYERS:
        layers = [weights.pop(f"transformer.layer.{index}.rel_attn.{kind}") for index in range(model.config.n_layer)]
        original[f"model/transformer/{kind}"] = torch.stack(layers)
    for name, weight in weights.items():
        pattern, replacement = next(pair for pair in ORIGINAL_NAMES if re.fullmatch(pair[0], name))
        old_name = re.sub(pattern, replacement, name)
        # Dense layers are (input size, output size) there.
        original[old_name] = weight.T if old_name.endswith("/kernel") and weight.ndim == 2 else weight
        original[f"{old_name}/adam_m"] = original[f"{old_name}/adam_v"] = torch.zeros(3)
    return original


def write_config(config: XLNetConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


def write_arrays(weights: dict[str, Tensor], path: Path) -> Path:
    numpy.savez(path, **{name: weight.numpy() for name, weight in weights.items()})  # type: ignore[arg-type]
    return path


class TestConvertXLNetCheckpoint:
    def test_original_names(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        # Of more than ten layers the numbers have two digits.
        model = XLNetModel(make_config(n_layer=11))
        randomize(model)
        original = in_the_layout_of_tensorflow(model)
        original["model/lm_loss/bias"] = torch.zeros(11)
        checkpoint = write_arrays(original, tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        main([str(checkpoint), "--config", str(config_file), "--output", str(tmp_path / "converted")])
        output = capsys.readouterr().out
        assert "not used: lm_loss.bias" in output and output.count("not used") == 1
        converted = XLNetModel.from_pretrained(tmp_path / "converted")
        expected = model(INPUT_IDS, **INPUTS).last_hidden_state
        assert torch.equal(converted(INPUT_IDS, **INPUTS).last_hidden_state, expected)

    @pytest.mark.parametrize("tie_word_embeddings", [True, False])
    def test_language_model(self, tie_word_embeddings: bool, tmp_path: Path) -> None:
        config = make_config(tie_word_embeddings=tie_word_embeddings, architectures=["XLNetLMHeadModel"])
        model = XLNetLMHeadModel(config)
        randomize(model)
        checkpoint = write_arrays(in_the_layout_of_tensorflow(model), tmp_path / "original.npz")
        config_file = write_config(config, tmp_path / "config.json")
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted") == []
        converted = XLNetLMHeadModel.from_pretrained(tmp_path / "converted")
        predictions = {"target_mapping": torch.eye(5).expand(2, 5, 5), **INPUTS}
        assert torch.equal(converted(INPUT_IDS, **predictions).logits, model(INPUT_IDS, **predictions).logits)

    def test_classifier_of_a_task(self, tmp_path: Path) -> None:
        model = XLNetForSequenceClassification(make_config(architectures=["XLNetForSequenceClassification"]))
        randomize(model)
        checkpoint = write_arrays(in_the_layout_of_tensorflow(model), tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted") == []
        converted = XLNetForSequenceClassification.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS, **INPUTS).logits, model(INPUT_IDS, **INPUTS).logits)

    def test_biases_that_the_layers_share(self) -> None:
        bias = torch.randn(2, 4)
        converted = convert_state_dict({"model/transformer/r_w_bias": bias}, make_config())
        assert list(converted) == [f"transformer.layer.{index}.rel_attn.r_w_bias" for index in range(2)]
        assert all(torch.equal(weight, bias) for weight in converted.values())
        with pytest.raises(ValueError, match=r"r_w_bias is for 3 layers, the model has 2 \(n_layer\)"):
            convert_state_dict({"model/transformer/r_w_bias": torch.zeros(3, 2, 4)}, make_config())

    def test_names_and_layout_of_research_code_stay(self, tmp_path: Path) -> None:
        model = XLNetModel(make_config())
        randomize(model)
        weights = {f"module.transformer.{name}": weight for name, weight in model.state_dict().items()}
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted") == []
        converted = XLNetModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = XLNetModel(make_config())
        weights = in_the_layout_of_tensorflow(model)
        weights["model/transformer/layer_0/ff/layer_1/kernel"] = torch.zeros(8, 3)
        del weights["model/transformer/layer_1/rel_attn/o/kernel"]
        checkpoint = write_arrays(weights, tmp_path / "original.npz")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(checkpoint, config_file, tmp_path / "converted")
        message = str(caught.value)
        assert "layer.0.ff.layer_1.weight: shape (3, 8) in the checkpoint, (12, 8) in the model" in message
        assert "layer.1.rel_attn.o: missing in the checkpoint, shape (8, 2, 4) in the model" in message
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        weights = {"model/lm_loss/bias": torch.ones(1), "lm_loss.bias": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
