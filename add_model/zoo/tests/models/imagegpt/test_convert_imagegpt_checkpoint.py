"""Tests of the conversion of original ImageGPT checkpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from add_model.zoo import PreTrainedModel
from add_model.zoo.models.imagegpt import ImageGPTConfig, ImageGPTForCausalImageModeling, ImageGPTModel
from add_model.zoo.models.imagegpt.convert_imagegpt_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[10, 9, 4, 7, 3], [10, 5, 3, 1, 0]])
HEADS, HEAD_SIZE, HIDDEN_SIZE = 2, 4, 8


def make_config(**options: Any) -> ImageGPTConfig:
    sizes: dict[str, Any] = {"vocab_size": 11, "n_embd": HIDDEN_SIZE, "n_layer": 2, "n_head": HEADS, "n_positions": 9}
    return ImageGPTConfig(**{**sizes, **options})


def make_model(model_class: type[PreTrainedModel]) -> PreTrainedModel:
    """Return a model with random values for every weight but the biases that the original does not have."""
    torch.manual_seed(0)
    model = model_class(make_config(architectures=[model_class.__name__]))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".attn." not in name or not name.endswith(".bias"):
                parameter.normal_()
    return model.eval()


def original_weights(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Return the weights as the variables of the original release."""
    original = {"model/global_step": torch.zeros(1)}
    for name, weight in model.state_dict().items():
        name = re.sub(r"^h\.(\d+)\.", r"h\1/", name.removeprefix("transformer.")).replace(".", "/")
        if name.endswith("attn/c_attn/weight"):
            for letter, part in zip("qkv", weight.chunk(3, dim=1), strict=True):
                variable = part.T.reshape(HEADS, HEAD_SIZE, HIDDEN_SIZE)
                original[f"model/{name.removesuffix('c_attn/weight')}{letter}_proj"] = variable.contiguous()
        elif name.endswith("attn/c_proj/weight"):
            variable = weight.reshape(HEADS, HEAD_SIZE, HIDDEN_SIZE)
            original[f"model/{name.removesuffix('/weight')}"] = variable.clone()
        elif name == "wte/weight":
            original["model/wte"], original["model/sos"] = weight[:-1].clone(), weight[-1].clone()
        elif name == "lm_head/weight":
            original["model/wtet"] = weight.clone()
        elif "/attn/" not in name:
            name = name.replace("wpe/weight", "wpe")
            name = re.sub(r"(ln_\w)/weight$", r"\1/g", name)
            original["model/" + re.sub(r"/bias$", "/b", re.sub(r"/weight$", "/w", name))] = weight.clone()
    return original


class TestConvertImageGPTCheckpoint:
    def test_original_names_and_layout(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = make_model(ImageGPTModel)
        original = original_weights(model)
        expected = {"model/h0/attn/q_proj", "model/h1/attn/c_proj", "model/h0/mlp/c_fc/w", "model/sos", "model/ln_f/g"}
        assert expected <= original.keys()
        save_file(original, tmp_path / "original.safetensors")
        (tmp_path / "config.json").write_text(model.config.to_json_string(), encoding="utf-8")
        arguments = [str(tmp_path / "original.safetensors"), "--config", str(tmp_path / "config.json")]
        main([*arguments, "--output", str(tmp_path / "converted")])
        assert "not used: global_step" in capsys.readouterr().out
        converted = ImageGPTModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_scores_of_colours(self, tmp_path: Path) -> None:
        model = make_model(ImageGPTForCausalImageModeling)
        torch.save(original_weights(model), tmp_path / "original.pt")
        (tmp_path / "config.json").write_text(model.config.to_json_string(), encoding="utf-8")
        unused = convert_checkpoint(tmp_path / "original.pt", tmp_path / "config.json", tmp_path / "converted")
        assert unused == ["global_step"]
        converted = ImageGPTForCausalImageModeling.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_names_of_today_and_of_a_compiled_model(self) -> None:
        model = make_model(ImageGPTModel)
        weights = model.state_dict()
        compiled = {f"_orig_mod.transformer.{name}": weight for name, weight in weights.items()}
        converted = convert_state_dict(compiled, make_config())
        assert converted.keys() == {f"transformer.{name}" for name in weights}
        assert all(torch.equal(converted[f"transformer.{name}"], weight) for name, weight in weights.items())
        assert convert_state_dict(weights, make_config()).keys() == converted.keys()

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = make_model(ImageGPTModel)
        weights = original_weights(model)
        weights["model/wpe"] = torch.zeros(3, 8)
        del weights["model/sos"], weights["model/h1/ln_2/g"]
        save_file(weights, tmp_path / "original.safetensors")
        (tmp_path / "config.json").write_text(model.config.to_json_string(), encoding="utf-8")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", tmp_path / "config.json", tmp_path / "converted")
        assert "wpe.weight: shape (3, 8) in the checkpoint, (9, 8) in the model" in str(caught.value)
        assert "wte.weight: shape (10, 8) in the checkpoint, (11, 8) in the model" in str(caught.value)
        assert "h.1.ln_2.weight: missing in the checkpoint, shape (8,) in the model" in str(caught.value)
        assert not (tmp_path / "converted").exists()

    def test_a_projection_that_is_missing(self) -> None:
        weights = original_weights(make_model(ImageGPTModel))
        del weights["model/h1/attn/k_proj"]
        with pytest.raises(ValueError, match=r"h\.1\.attn\.k_proj is missing"):
            convert_state_dict(weights, make_config())

    def test_names_that_collide(self) -> None:
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict({"ln_f/g": torch.ones(1), "ln_f.weight": torch.ones(1)}, make_config())
