"""Tests of the conversion of original ViT checkpoints."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.vit import (
    ViTConfig,
    ViTForImageClassification,
    ViTForMaskedImageModeling,
    ViTModel,
    ViTPreTrainedModel,
)
from add_model.zoo.models.vit.convert_vit_checkpoint import convert_checkpoint, convert_state_dict, fill_model, main

IMAGES = torch.linspace(-1, 1, 2 * 3 * 8 * 8).reshape(2, 3, 8, 8)
HEADS, HIDDEN_SIZE = 2, 8


def make_config(**options: Any) -> ViTConfig:
    sizes: dict[str, Any] = {"hidden_size": HIDDEN_SIZE, "num_hidden_layers": 2, "num_attention_heads": HEADS}
    return ViTConfig(**{**sizes, "intermediate_size": 12, "image_size": 8, "patch_size": 4, **options})


def randomize(model: ViTPreTrainedModel) -> dict[str, Tensor]:
    """Give every weight random values, those included that start as ones and zeros; return them without the prefix."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.eval()
    prefix = f"{model.base_model_prefix}."
    return {name.removeprefix(prefix): weight.clone() for name, weight in model.state_dict().items()}


def in_the_original_layout(weights: dict[str, Tensor]) -> dict[str, Any]:
    """Return weights as the arrays of the original release, which is written in JAX."""
    names = {
        r"^layers\.(\d+)\.": r"Transformer/encoderblock_\1/",
        r"layernorm_before\.": "LayerNorm_0/",
        r"layernorm_after\.": "LayerNorm_2/",
        r"attention\.q_proj\.": "MultiHeadDotProductAttention_1/query/",
        r"attention\.k_proj\.": "MultiHeadDotProductAttention_1/key/",
        r"attention\.v_proj\.": "MultiHeadDotProductAttention_1/value/",
        r"attention\.o_proj\.": "MultiHeadDotProductAttention_1/out/",
        r"mlp\.fc1\.": "MlpBlock_3/Dense_0/",
        r"mlp\.fc2\.": "MlpBlock_3/Dense_1/",
        r"^layernorm\.": "Transformer/encoder_norm/",
        r"^embeddings\.position_embeddings": "Transformer/posembed_input/pos_embedding",
        r"^embeddings\.patch_embeddings\.projection\.": "embedding/",
        r"^embeddings\.cls_token": "cls",
        r"^classifier\.": "head/",
        r"^pooler\.dense\.": "pre_logits/",
    }
    head_size = HIDDEN_SIZE // HEADS
    arrays = {}
    for name, weight in weights.items():
        for pattern, replacement in names.items():
            name = re.sub(pattern, replacement, name)
        is_attention = "MultiHead" in name
        if name.endswith("weight") and weight.dim() == 1:
            name = name.removesuffix("weight") + "scale"
        elif name.endswith("weight"):
            name = name.removesuffix("weight") + "kernel"
            weight = weight.permute(2, 3, 1, 0) if weight.dim() == 4 else weight.T
            if is_attention:
                shape = (HEADS, head_size, HIDDEN_SIZE) if "/out/" in name else (HIDDEN_SIZE, HEADS, head_size)
                weight = weight.reshape(shape)
        elif is_attention and "/out/" not in name:
            weight = weight.reshape(HEADS, head_size)
        arrays[name] = weight.numpy()
    return arrays


def in_the_layout_of_timm(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as timm names and stores them."""
    names = {
        r"^layers\.": "blocks.",
        r"\.layernorm_before\.": ".norm1.",
        r"\.layernorm_after\.": ".norm2.",
        r"\.attention\.o_proj\.": ".attn.proj.",
        r"^layernorm\.": "norm.",
        r"^embeddings\.position_embeddings": "pos_embed",
        r"^embeddings\.patch_embeddings\.projection\.": "patch_embed.proj.",
        r"^embeddings\.cls_token": "cls_token",
        r"^classifier\.": "head.",
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


def write_config(config: ViTConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertViTCheckpoint:
    def test_original_names_and_layout(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = ViTModel(make_config())
        arrays = in_the_original_layout(randomize(model))
        assert "Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel" in arrays
        assert arrays["embedding/kernel"].shape == (4, 4, 3, 8)
        arrays["head/bias"] = np.zeros(2, dtype=np.float32)
        np.savez(tmp_path / "original.npz", **arrays)
        config_file = write_config(model.config, tmp_path / "config.json")

        arguments = [str(tmp_path / "original.npz"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])

        assert "not used: classifier.bias" in capsys.readouterr().out
        converted = ViTModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES).last_hidden_state, model(IMAGES).last_hidden_state)
        assert torch.equal(converted(IMAGES).pooler_output, model(IMAGES).pooler_output)

    @pytest.mark.parametrize("qkv_bias", [True, False])
    def test_names_and_layout_of_timm(self, tmp_path: Path, qkv_bias: bool) -> None:
        model = ViTForImageClassification(make_config(num_labels=3, qkv_bias=qkv_bias))
        original = in_the_layout_of_timm(randomize(model))
        assert original["blocks.0.attn.qkv.weight"].shape == (24, 8)
        assert {"head.weight", "patch_embed.proj.weight", "pos_embed"} <= original.keys()
        # What a training script leaves beside the weights.
        torch.save({"model": original, "args": argparse.Namespace(epochs=3)}, tmp_path / "original.pth")
        config = make_config(num_labels=3, qkv_bias=qkv_bias, architectures=["OriginalForImageClassification"])
        config_file = write_config(config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.pth", config_file, tmp_path / "converted") == []
        converted = ViTForImageClassification.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES).logits, model(IMAGES).logits)

    @pytest.mark.parametrize("prefix", ["original", "encoder_of_somebody_else"])
    def test_the_model_without_a_head_by_another_name(self, tmp_path: Path, prefix: str) -> None:
        model = ViTForMaskedImageModeling(make_config(encoder_stride=4))
        randomize(model)
        own = f"{model.base_model_prefix}."
        weights = {
            f"{prefix}.{name.removeprefix(own)}" if name.startswith(own) else name: weight.clone()
            for name, weight in model.state_dict().items()
        }
        save_file(weights, tmp_path / "model.safetensors")
        config_file = write_config(
            make_config(encoder_stride=4, architectures=["OriginalForMaskedImageModeling"]), tmp_path / "config.json"
        )
        assert convert_checkpoint(tmp_path / "model.safetensors", config_file, tmp_path / "converted") == []
        converted = ViTForMaskedImageModeling.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES).reconstruction, model(IMAGES).reconstruction)

    def test_a_class_that_is_not_there_is_asked_for(self, tmp_path: Path) -> None:
        save_file(randomize(ViTModel(make_config())), tmp_path / "model.safetensors")
        config_file = write_config(make_config(architectures=["OriginalForPreTraining"]), tmp_path / "config.json")
        with pytest.raises(ValueError, match="OriginalForPreTraining.*--model-class"):
            convert_checkpoint(tmp_path / "model.safetensors", config_file, tmp_path / "converted")

    def test_positions_of_another_size_are_listed_and_nothing_is_written(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        original = in_the_layout_of_timm(randomize(ViTModel(make_config(image_size=12))))
        del original["blocks.1.mlp.fc2.bias"]
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(make_config(), tmp_path / "config.json")
        arguments = [str(tmp_path / "original.safetensors"), "--config", str(config_file)]
        with pytest.raises(SystemExit) as stopped:
            main([*arguments, "--output", str(tmp_path / "converted")])
        assert stopped.value.code == 2
        message = capsys.readouterr().err
        assert "embeddings.position_embeddings: shape (1, 10, 8) in the checkpoint, (1, 5, 8) in the model" in message
        assert "layers.1.mlp.fc2.bias: missing in the checkpoint, shape (8,) in the model" in message
        assert not (tmp_path / "converted").exists()

    def test_what_has_no_place_is_listed_beside_what_is_missing(self) -> None:
        model = ViTModel(make_config())
        weights = {name.replace("pooler", "summary"): weight for name, weight in model.state_dict().items()}
        with pytest.raises(
            ValueError, match=r"pooler.dense.weight: missing(.|\n)*summary.dense.weight: no such weight"
        ):
            fill_model(model, weights)

    def test_names_that_collide(self) -> None:
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict({"cls": torch.ones(1), "cls_token": torch.ones(1)}, make_config())

    def test_unreadable_checkpoints(self, tmp_path: Path) -> None:
        config_file = write_config(make_config(), tmp_path / "config.json")
        broken = tmp_path / "broken.safetensors"
        broken.write_bytes(b"no checkpoint")
        broken_arrays = tmp_path / "broken.npz"
        broken_arrays.write_bytes(b"PK no checkpoint")
        objects = tmp_path / "objects.npz"
        np.savez(objects, cls=np.array([{"a": 1}], dtype=object))
        no_weights = tmp_path / "numbers.bin"
        torch.save({"step": 3}, no_weights)
        with_code = tmp_path / "code.bin"
        torch.save({"weight": torch.ones(1), "path": Path("/")}, with_code)
        for path, reason in (
            (broken, "no checkpoint"),
            (broken_arrays, "no checkpoint|pickle"),
            (objects, "pickle"),
            (no_weights, "no weights"),
            (with_code, "run code"),
        ):
            with pytest.raises(ValueError, match=reason):
                convert_checkpoint(path, config_file, tmp_path / "converted")
        with pytest.raises(FileNotFoundError):
            convert_checkpoint(tmp_path / "absent.bin", config_file, tmp_path / "converted")
        save_file({"weight": torch.ones(1)}, tmp_path / "some.safetensors")
        with pytest.raises(ValueError, match="unknown class"):
            convert_checkpoint(tmp_path / "some.safetensors", config_file, tmp_path / "converted", "NoSuchModel")

    def test_saved_configuration_names_the_class(self, tmp_path: Path) -> None:
        save_file(randomize(ViTModel(make_config())), tmp_path / "original.safetensors")
        config_file = write_config(make_config(), tmp_path / "config.json")
        convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted", "ViTModel")
        saved = json.loads((tmp_path / "converted" / "config.json").read_text(encoding="utf-8"))
        assert saved["architectures"] == ["ViTModel"] and saved["hidden_size"] == 8
