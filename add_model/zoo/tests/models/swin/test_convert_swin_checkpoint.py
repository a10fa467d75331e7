"""Tests of the conversion of original Swin checkpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from add_model.zoo import PreTrainedModel
from add_model.zoo.models.swin import (
    SwinBackbone,
    SwinConfig,
    SwinForImageClassification,
    SwinForMaskedImageModeling,
    SwinModel,
)
from add_model.zoo.models.swin.convert_swin_checkpoint import convert_checkpoint, convert_state_dict, main

# Names here, and those of the original release, whose blocks timm names alike.
ORIGINAL_NAMES = (
    ("swin.embeddings.patch_embeddings.projection.", "patch_embed.proj."),
    ("swin.embeddings.norm.", "patch_embed.norm."),
    ("swin.embeddings.position_embeddings", "absolute_pos_embed"),
    ("swin.embeddings.mask_token", "mask_token"),
    ("swin.encoder.layers.", "layers."),
    ("swin.layernorm.", "norm."),
    (".layernorm_before.", ".norm1."),
    (".layernorm_after.", ".norm2."),
    (".attention.o_proj.", ".attn.proj."),
    (".attention.relative_position_bias.", ".attn."),
    (".attention.", ".attn."),
    ("classifier.", "head."),
)


def make_config(**options: Any) -> SwinConfig:
    sizes: dict[str, Any] = {
        "image_size": 16,
        "patch_size": 2,
        "embed_dim": 4,
        "depths": [1, 2, 1],
        "num_heads": [1, 2, 2],
        "window_size": 2,
        "encoder_stride": 8,
        "num_labels": 3,
    }
    return SwinConfig(**{**sizes, **options})


def make_model(model_class: type[PreTrainedModel], **options: Any) -> PreTrainedModel:
    """Return a model with random values for every weight, those included that start as ones and zeros."""
    torch.manual_seed(0)
    model = model_class(make_config(architectures=[model_class.__name__], **options))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model.eval()


def original_weights(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Return the weights as the original release has them: queries, keys and values in one, and what follows from sizes."""
    weights: dict[str, torch.Tensor] = {}
    prefix = "" if hasattr(model, "swin") else "swin."
    for name, weight in model.state_dict().items():
        name = prefix + name
        for own, original in ORIGINAL_NAMES:
            name = name.replace(own, original)
        name = name.replace("hidden_states_norms.stage", "norm")
        if (match := re.fullmatch(r"(.*\.attn\.)([qkv])_proj\.(\w+)", name)) is None:
            weights[name] = weight.clone()
            continue
        fused = f"{match.group(1)}qkv.{match.group(3)}"
        weights[fused] = torch.cat((weights[fused], weight)) if fused in weights else weight.clone()
    weights["layers.1.blocks.1.attn_mask"] = torch.zeros(4, 4, 4)
    weights["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(4, 4)
    return weights


def convert(weights: dict[str, torch.Tensor], model: PreTrainedModel, folder: Path) -> list[str]:
    """Convert weights from files, and return the names of those that were not used."""
    torch.save({"model": weights, "epoch": 3}, folder / "original.pth")
    (folder / "config.json").write_text(model.config.to_json_string(), encoding="utf-8")
    return convert_checkpoint(folder / "original.pth", folder / "config.json", folder / "converted")


def assert_same_weights(converted: PreTrainedModel, model: PreTrainedModel) -> None:
    for name, weight in model.state_dict().items():
        assert torch.equal(converted.state_dict()[name], weight), name


class TestConvertSwinCheckpoint:
    def test_original_names_and_layout(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = make_model(SwinForImageClassification, use_absolute_embeddings=True)
        weights = original_weights(model)
        expected = {
            "patch_embed.proj.weight",
            "absolute_pos_embed",
            "layers.0.downsample.reduction.weight",
            "layers.1.blocks.1.attn.qkv.bias",
            "layers.1.blocks.0.attn.relative_position_bias_table",
            "norm.weight",
            "head.bias",
        }
        assert expected <= weights.keys()
        save_file(weights, tmp_path / "original.safetensors")
        (tmp_path / "config.json").write_text(model.config.to_json_string(), encoding="utf-8")
        arguments = [str(tmp_path / "original.safetensors"), "--config", str(tmp_path / "config.json")]
        main([*arguments, "--output", str(tmp_path / "converted")])
        assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("not used: ")] == [
            "not used: swin.encoder.layers.0.blocks.0.attention.relative_position_index",
            "not used: swin.encoder.layers.1.blocks.1.attn_mask",
        ]
        converted = SwinForImageClassification.from_pretrained(tmp_path / "converted")
        assert_same_weights(converted, model)
        images = torch.randn(2, 3, 16, 16)
        assert torch.equal(converted(images).logits, model(images).logits)

    def test_names_of_newer_timm(self, tmp_path: Path) -> None:
        model = make_model(SwinForImageClassification)
        weights = {}
        for name, weight in original_weights(model).items():
            # The merging of patches stands in the stage behind it.
            name = re.sub(
                r"layers\.(\d+)\.downsample", lambda match: f"layers.{int(match.group(1)) + 1}.downsample", name
            )
            weights[name.replace("head.", "head.fc.")] = weight
        assert "layers.2.downsample.norm.weight" in weights
        convert(weights, model, tmp_path)
        assert_same_weights(SwinForImageClassification.from_pretrained(tmp_path / "converted"), model)

    def test_masked_image_modeling_of_the_original(self, tmp_path: Path) -> None:
        model = make_model(SwinForMaskedImageModeling)
        weights = {
            name if name.startswith("decoder.") else f"encoder.{name}": weight
            for name, weight in original_weights(model).items()
        }
        assert {"encoder.mask_token", "encoder.layers.0.blocks.0.norm1.weight", "decoder.0.weight"} <= weights.keys()
        convert(weights, model, tmp_path)
        assert_same_weights(SwinForMaskedImageModeling.from_pretrained(tmp_path / "converted"), model)

    def test_backbone_of_a_segmenter(self, tmp_path: Path) -> None:
        model = make_model(SwinBackbone, out_features=["stage1", "stage3"])
        numbered = {
            re.sub(r"^norm(\d)", lambda match: f"norm{int(match.group(1)) - 1}", name): weight
            for name, weight in original_weights(model).items()
        }
        weights = {f"backbone.{name}": weight for name, weight in numbered.items()}
        assert {"backbone.norm0.weight", "backbone.norm2.bias"} <= weights.keys()
        convert(weights, model, tmp_path)
        assert_same_weights(SwinBackbone.from_pretrained(tmp_path / "converted"), model)

    def test_model_without_a_head(self, tmp_path: Path) -> None:
        model = make_model(SwinModel)
        weights = {**original_weights(model), "head.weight": torch.zeros(1000, 16)}
        assert "classifier.weight" in convert(weights, model, tmp_path)
        assert_same_weights(SwinModel.from_pretrained(tmp_path / "converted"), model)

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = make_model(SwinModel)
        weights = original_weights(model)
        weights["patch_embed.proj.weight"] = torch.zeros(4, 3, 4, 4)
        del weights["layers.1.blocks.1.norm2.bias"]
        with pytest.raises(ValueError) as caught:
            convert(weights, model, tmp_path)
        assert "shape (4, 3, 4, 4) in the checkpoint, (4, 3, 2, 2) in the model" in str(caught.value)
        assert "encoder.layers.1.blocks.1.layernorm_after.bias: missing in the checkpoint" in str(caught.value)
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        weights = {"head.weight": torch.ones(1), "head.fc.weight": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
