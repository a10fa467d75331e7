"""Tests of the conversion of original ViTMAE checkpoints."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.vit_mae import ViTMAEConfig, ViTMAEForPreTraining, ViTMAEModel, ViTMAEPreTrainedModel
from add_model.zoo.models.vit_mae.convert_vit_mae_checkpoint import (
    convert_checkpoint,
    convert_state_dict,
    fill_model,
    main,
)

IMAGES = torch.linspace(-1, 1, 2 * 3 * 8 * 8).reshape(2, 3, 8, 8)
NOISE = torch.tensor([[0.1, 0.7, 0.3, 0.2], [0.9, 0.4, 0.8, 0.6]])


def make_config(**options: Any) -> ViTMAEConfig:
    sizes: dict[str, Any] = {
        **{"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12},
        **{"decoder_hidden_size": 12, "decoder_num_hidden_layers": 2, "decoder_num_attention_heads": 3},
        **{"decoder_intermediate_size": 5, "image_size": 8, "patch_size": 4, "mask_ratio": 0.5},
    }
    return ViTMAEConfig(**{**sizes, **options})


def randomize(model: ViTMAEPreTrainedModel) -> dict[str, Tensor]:
    """Give every weight random values, those included that start as ones and zeros; return them without the prefix."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()
    prefix = f"{model.base_model_prefix}."
    return {name.removeprefix(prefix): weight.clone() for name, weight in model.state_dict().items()}


def in_the_original_layout(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as the original release names and stores them."""
    names = {
        r"^layers\.": "blocks.",
        r"^decoder\.decoder_layers\.": "decoder_blocks.",
        r"^decoder\.": "",
        r"\.layernorm_before\.": ".norm1.",
        r"\.layernorm_after\.": ".norm2.",
        r"\.attention\.o_proj\.": ".attn.proj.",
        r"^layernorm\.": "norm.",
        r"^embeddings\.position_embeddings": "pos_embed",
        r"^embeddings\.patch_embeddings\.projection\.": "patch_embed.proj.",
        r"^embeddings\.cls_token": "cls_token",
    }
    original = {}
    for name, weight in weights.items():
        if ".k_proj." in name or ".v_proj." in name:
            continue
        if ".q_proj." in name:
            weight = torch.cat([weights[name.replace("q_proj", f"{letter}_proj")] for letter in "qkv"])
            name = name.replace("attention.q_proj", "attn.qkv")
        for pattern, replacement in names.items():
            name = re.sub(pattern, replacement, name)
        original[name] = weight.clone()
    return original


def write_config(config: ViTMAEConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertViTMAECheckpoint:
    def test_original_names_and_layout(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = ViTMAEForPreTraining(make_config())
        original = in_the_original_layout(randomize(model))
        assert original["decoder_blocks.1.attn.qkv.weight"].shape == (36, 12)
        assert {"mask_token", "decoder_pos_embed", "decoder_pred.weight", "blocks.0.norm1.bias"} <= original.keys()
        original["head.weight"] = torch.zeros(2, 8)
        # What a training script leaves beside the weights.
        torch.save({"model": original, "args": argparse.Namespace(epochs=3)}, tmp_path / "original.pth")
        config = make_config(architectures=["OriginalForPreTraining"])
        config_file = write_config(config, tmp_path / "config.json")

        arguments = [str(tmp_path / "original.pth"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])

        assert "not used: head.weight" in capsys.readouterr().out
        converted = ViTMAEForPreTraining.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES, noise=NOISE).logits, model(IMAGES, noise=NOISE).logits)

    def test_the_encoder_alone(self, tmp_path: Path) -> None:
        model = ViTMAEModel(make_config())
        save_file(in_the_original_layout(randomize(model)), tmp_path / "original.safetensors")
        config_file = write_config(make_config(), tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted") == []
        converted = ViTMAEModel.from_pretrained(tmp_path / "converted")
        expected = model(IMAGES, noise=NOISE).last_hidden_state
        assert torch.equal(converted(IMAGES, noise=NOISE).last_hidden_state, expected)

    @pytest.mark.parametrize("prefix", ["original", "encoder_of_somebody_else"])
    def test_the_encoder_by_another_name(self, tmp_path: Path, prefix: str) -> None:
        model = ViTMAEForPreTraining(make_config())
        randomize(model)
        own = f"{model.base_model_prefix}."
        weights = {
            f"{prefix}.{name.removeprefix(own)}" if name.startswith(own) else name: weight.clone()
            for name, weight in model.state_dict().items()
        }
        save_file(weights, tmp_path / "model.safetensors")
        config_file = write_config(make_config(architectures=["OriginalForPreTraining"]), tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "model.safetensors", config_file, tmp_path / "converted") == []
        converted = ViTMAEForPreTraining.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES, noise=NOISE).logits, model(IMAGES, noise=NOISE).logits)

    def test_a_class_that_is_not_there_is_asked_for(self, tmp_path: Path) -> None:
        save_file(randomize(ViTMAEModel(make_config())), tmp_path / "model.safetensors")
        config_file = write_config(make_config(architectures=["OriginalForMaskedLM"]), tmp_path / "config.json")
        with pytest.raises(ValueError, match="OriginalForMaskedLM.*--model-class"):
            convert_checkpoint(tmp_path / "model.safetensors", config_file, tmp_path / "converted")

    def test_what_does_not_fit_is_listed_and_nothing_is_written(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        original = in_the_original_layout(randomize(ViTMAEForPreTraining(make_config(image_size=12))))
        del original["decoder_blocks.1.mlp.fc2.bias"]
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(make_config(), tmp_path / "config.json")
        arguments = [str(tmp_path / "original.safetensors"), "--config", str(config_file)]
        arguments += ["--model-class", "ViTMAEForPreTraining"]
        with pytest.raises(SystemExit) as stopped:
            main([*arguments, "--output", str(tmp_path / "converted")])
        assert stopped.value.code == 2
        message = capsys.readouterr().err
        assert "decoder.decoder_pos_embed: shape (1, 10, 12) in the checkpoint, (1, 5, 12) in the model" in message
        assert "decoder.decoder_layers.1.mlp.fc2.bias: missing in the checkpoint, shape (12,)" in message
        assert not (tmp_path / "converted").exists()

    def test_what_has_no_place_is_listed_beside_what_is_missing(self) -> None:
        model = ViTMAEModel(make_config())
        weights = {name.replace("layernorm.", "summary."): weight for name, weight in model.state_dict().items()}
        with pytest.raises(ValueError, match=r"layernorm.weight: missing(.|\n)*summary.weight: no such weight"):
            fill_model(model, weights)

    def test_names_that_collide(self) -> None:
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict({"mask_token": torch.ones(1), "decoder.mask_token": torch.ones(1)})

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
        save_file(randomize(ViTMAEModel(make_config())), tmp_path / "original.safetensors")
        config_file = write_config(make_config(), tmp_path / "config.json")
        convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted", "ViTMAEModel")
        saved = json.loads((tmp_path / "converted" / "config.json").read_text(encoding="utf-8"))
        assert saved["architectures"] == ["ViTMAEModel"] and saved["hidden_size"] == 8
