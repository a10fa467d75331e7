"""Tests of the conversion of original BLOOM checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.bloom import BloomConfig, BloomForCausalLM, BloomModel
from add_model.zoo.models.bloom.convert_bloom_checkpoint import convert_checkpoint, convert_state_dict, main

INPUT_IDS = torch.tensor([[1, 9, 4, 7, 3], [1, 5, 3, 0, 0]])
SPLIT_BY_INPUTS = ("self_attention.dense.weight", "mlp.dense_4h_to_h.weight")
SPLIT_BY_OUTPUTS = ("word_embeddings.weight", "query_key_value.weight", "query_key_value.bias", "h_to_4h.weight", "h_to_4h.bias")  # fmt: skip


def make_config(**options: Any) -> BloomConfig:
    sizes: dict[str, Any] = {"vocab_size": 12, "hidden_size": 8, "n_layer": 2, "n_head": 2}
    return BloomConfig(**{**sizes, **options})


def randomize(model: torch.nn.Module) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()


def layers_of_the_original(weights: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Return the weights of every layer of the original's pipeline, by their names there."""
    layers: dict[int, dict[str, Tensor]] = {}
    for name, weight in weights.items():
        module, _, rest = name.partition(".")
        if module == "h":
            index, _, rest = rest.partition(".")
            layers.setdefault(3 + int(index), {})[rest] = weight
        elif module == "ln_f":
            layers.setdefault(6, {})[rest] = weight
        else:
            layers.setdefault(1, {})[name.replace("_layernorm", ".norm")] = weight
    return layers


def write_folder(folder: Path, layers: dict[int, dict[str, Tensor]], devices: int) -> Path:
    """Write the files of a training on some devices, each of which has a part of the large weights."""
    folder.mkdir()
    for layer, weights in layers.items():
        for device in range(devices):
            parts = {}
            for name, weight in weights.items():
                if name.endswith(SPLIT_BY_INPUTS):
                    weight = weight.chunk(devices, dim=1)[device]
                elif name.endswith(SPLIT_BY_OUTPUTS):
                    weight = weight.chunk(devices, dim=0)[device]
                parts[name] = weight.clone()
            torch.save(parts, folder / f"layer_{layer:02}-model_{device:02}-model_states.pt")
    (folder / "latest").write_text("global_step3", encoding="utf-8")
    return folder


def write_config(config: BloomConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertBloomCheckpoint:
    @pytest.mark.parametrize("devices", [1, 2, 4])
    def test_folder_of_a_training(self, devices: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = BloomForCausalLM(make_config(architectures=["BloomForCausalLM"]))
        randomize(model)
        layers = layers_of_the_original(model.transformer.state_dict())
        assert "word_embeddings.norm.bias" in layers[1] and layers[6].keys() == {"weight", "bias"}
        checkpoint = write_folder(tmp_path / "global_step3", layers, devices)
        config_file = write_config(model.config, tmp_path / "config.json")
        main([str(checkpoint), "--config", str(config_file), "--output", str(tmp_path / "converted")])
        assert "not used" not in capsys.readouterr().out
        converted = BloomForCausalLM.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).logits, model(INPUT_IDS).logits)

    def test_means_of_what_every_device_has(self, tmp_path: Path) -> None:
        model = BloomModel(make_config())
        randomize(model)
        layers = layers_of_the_original(model.state_dict())
        checkpoint = write_folder(tmp_path / "global_step3", layers, 2)
        for device, change in enumerate((0.5, -0.5)):
            file = checkpoint / f"layer_04-model_{device:02}-model_states.pt"
            torch.save({name: w + change if name.endswith("norm.bias") else w for name, w in torch.load(file).items()}, file)  # fmt: skip
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted") == []
        converted = BloomModel.from_pretrained(tmp_path / "converted")
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(converted.state_dict()[name], weight)

    def test_one_file(self, tmp_path: Path) -> None:
        model = BloomModel(make_config())
        randomize(model)
        weights = {name.replace("_layernorm", ".norm", 1): weight for name, weight in model.state_dict().items() if "word" in name}  # fmt: skip
        weights.update({name: weight for name, weight in model.state_dict().items() if "word" not in name})
        original = {f"module.{name}": weight.clone() for name, weight in weights.items()}
        save_file({**original, "step": torch.zeros(1)}, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        checkpoint = tmp_path / "original.safetensors"
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted") == ["step"]
        converted = BloomModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(INPUT_IDS).last_hidden_state, model(INPUT_IDS).last_hidden_state)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = BloomModel(make_config())
        layers = layers_of_the_original(model.state_dict())
        layers[3]["mlp.dense_h_to_4h.weight"] = torch.zeros(3, 8)
        del layers[4]["input_layernorm.bias"]
        checkpoint = write_folder(tmp_path / "global_step3", layers, 1)
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(checkpoint, config_file, tmp_path / "converted")
        assert "h.0.mlp.dense_h_to_4h.weight: shape (3, 8) in the checkpoint, (32, 8)" in str(caught.value)
        assert "h.1.input_layernorm.bias: missing in the checkpoint, shape (8,) in the model" in str(caught.value)
        assert not (tmp_path / "converted").exists()
        (tmp_path / "empty").mkdir()
        with pytest.raises(ValueError, match="layer_03-model_00-model_states.pt"):
            convert_checkpoint(tmp_path / "empty", config_file, tmp_path / "converted")

    def test_names_that_collide(self) -> None:
        weights = {"ln_f.bias": torch.ones(1), "transformer.ln_f.bias": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
