"""Tests of the conversion of original BEiT checkpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.beit import (
    BeitConfig,
    BeitForImageClassification,
    BeitForMaskedImageModeling,
    BeitForSemanticSegmentation,
    BeitModel,
    BeitPreTrainedModel,
)
from add_model.zoo.models.beit.convert_beit_checkpoint import convert_checkpoint, convert_state_dict, fill_model, main

IMAGES = torch.linspace(-1, 1, 2 * 3 * 12 * 12).reshape(2, 3, 12, 12)


def make_config(**options: Any) -> BeitConfig:
    sizes: dict[str, Any] = {
        "vocab_size": 7,
        "image_size": 12,
        "patch_size": 4,
        "hidden_size": 8,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "intermediate_size": 12,
        "use_relative_position_bias": True,
        "out_indices": [1, 2, 3, 4],
        "pool_scales": [1, 2],
        "auxiliary_channels": 6,
    }
    return BeitConfig(**{**sizes, **options})


def randomize(model: BeitPreTrainedModel) -> dict[str, Tensor]:
    """Give every weight random values, those included that start as ones and zeros; return them without the prefix."""
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.state_dict().values():
            if weight.is_floating_point():
                weight.add_(torch.rand_like(weight) * 0.2)
    model.eval()
    return {name.removeprefix("beit."): weight.clone() for name, weight in model.state_dict().items()}


def in_the_original_layout(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as the original release names and stores them, which is how timm does, too."""
    names = {
        r"^embeddings\.(cls_token|mask_token)": r"\1",
        r"^embeddings\.position_embeddings": "pos_embed",
        r"^embeddings\.patch_embeddings\.projection": "patch_embed.proj",
        r"^shared_position_bias\.": "rel_pos_bias.",
        r"^layers\.": "blocks.",
        r"\.layernorm_before\.": ".norm1.",
        r"\.layernorm_after\.": ".norm2.",
        r"\.lambda_": ".gamma_",
        r"\.relative_position_bias\.": ".attn.",
        r"\.attention\.o_proj\.": ".attn.proj.",
        r"\.attention\.([qv])_proj\.bias": r".attn.\1_bias",
        r"^layernorm\.": "norm.",
        r"^pooler\.layernorm\.": "fc_norm.",
        r"^classifier\.": "head.",
        r"^fpn\.fpn1\.conv_transpose1\.": "fpn1.0.",
        r"^fpn\.fpn1\.normalization\.": "fpn1.1.",
        r"^fpn\.fpn1\.conv_transpose2\.": "fpn1.3.",
        r"^fpn\.fpn2\.": "fpn2.0.",
        r"_head\.classifier\.": "_head.conv_seg.",
        r"\.psp_bottleneck\.": ".bottleneck.",
        r"\.psp_modules\.blocks\.(\d)\.conv\.": r".psp_modules.\1.1.",
        r"\.convolution\.": ".conv.",
        r"^(?!fpn)(.*)\.normalization\.": r"\1.bn.",
    }
    original: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if ".k_proj." in name or ".v_proj.weight" in name:
            continue
        if ".q_proj.weight" in name:
            weight = torch.cat([weights[name.replace("q_proj", f"{letter}_proj")] for letter in "qkv"])
            name = name.replace("attention.q_proj", "attn.qkv")
        for pattern, replacement in names.items():
            name = re.sub(pattern, replacement, name)
        original[name] = weight.clone()
        if name.endswith("relative_position_bias_table"):
            # The original stores which pair has which entry; it follows from the size.
            original[name.replace("bias_table", "index")] = torch.zeros(10, 10, dtype=torch.long)
    return original


def write_config(config: BeitConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertBeitCheckpoint:
    def test_original_names(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        options = {"use_relative_position_bias": False, "use_shared_relative_position_bias": True}
        model = BeitModel(make_config(**options, use_absolute_position_embeddings=True, use_mask_token=True))
        original = in_the_original_layout(randomize(model))
        # Some of the names that the original release writes.
        assert {
            "cls_token",
            "mask_token",
            "pos_embed",
            "patch_embed.proj.weight",
            "rel_pos_bias.relative_position_bias_table",
            "blocks.0.gamma_1",
            "blocks.1.attn.q_bias",
            "blocks.1.attn.v_bias",
            "blocks.1.attn.qkv.weight",
            "blocks.1.attn.proj.bias",
            "blocks.3.mlp.fc2.bias",
            "blocks.3.norm2.weight",
            "fc_norm.weight",
        } <= original.keys()
        torch.save({"model": original}, tmp_path / "model.pth")
        config_file = write_config(model.config, tmp_path / "config.json")
        arguments = [str(tmp_path / "model.pth"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])
        assert "not used: shared_position_bias.relative_position_index" in capsys.readouterr().out
        converted = BeitModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES).pooler_output, model(IMAGES).pooler_output)

    def test_masked_image_modeling_has_the_last_normalisation(self, tmp_path: Path) -> None:
        model = BeitForMaskedImageModeling(make_config())
        original = in_the_original_layout(randomize(model))
        assert {"norm.weight", "lm_head.weight", "blocks.0.attn.relative_position_bias_table"} <= original.keys()
        save_file(original, tmp_path / "original.safetensors")
        model.config.architectures = ["BeitForMaskedImageModeling"]
        config_file = write_config(model.config, tmp_path / "config.json")
        unused = convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        assert len(unused) == 4 and all(name.endswith("relative_position_index") for name in unused)
        converted = BeitForMaskedImageModeling.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES).logits, model(IMAGES).logits)

    @pytest.mark.parametrize("use_mean_pooling", [True, False])
    def test_image_classification_by_the_mean_or_the_class_token(self, use_mean_pooling: bool, tmp_path: Path) -> None:
        model = BeitForImageClassification(make_config(use_mean_pooling=use_mean_pooling))
        original = in_the_original_layout(randomize(model))
        assert ("fc_norm.weight" in original, "norm.weight" in original) == (use_mean_pooling, not use_mean_pooling)
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        checkpoint = tmp_path / "original.safetensors"
        convert_checkpoint(checkpoint, config_file, tmp_path / "converted", "BeitForImageClassification")
        converted = BeitForImageClassification.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES).logits, model(IMAGES).logits)

    def test_semantic_segmentation_has_the_encoder_as_its_backbone(self, tmp_path: Path) -> None:
        model = BeitForSemanticSegmentation(make_config())
        original = {
            name if name.startswith(("decode_head.", "auxiliary_head.")) else f"backbone.{name}": weight
            for name, weight in in_the_original_layout(randomize(model)).items()
        }
        assert {
            "backbone.fpn1.0.weight",
            "backbone.fpn1.1.running_mean",
            "backbone.fpn2.0.bias",
            "decode_head.conv_seg.weight",
            "decode_head.psp_modules.1.1.conv.weight",
            "decode_head.psp_modules.1.1.bn.running_var",
            "decode_head.bottleneck.bn.bias",
            "decode_head.lateral_convs.2.conv.weight",
            "auxiliary_head.convs.0.bn.weight",
            "auxiliary_head.conv_seg.bias",
        } <= original.keys()
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        checkpoint = tmp_path / "original.safetensors"
        convert_checkpoint(checkpoint, config_file, tmp_path / "converted", "BeitForSemanticSegmentation")
        converted = BeitForSemanticSegmentation.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES).logits, model(IMAGES).logits)

    def test_what_does_not_fit_is_listed_and_nothing_is_changed(self) -> None:
        model = BeitModel(make_config())
        weights = convert_state_dict(in_the_original_layout(randomize(model)), model.config)
        weights["layers.0.mlp.fc1.weight"] = torch.zeros(3, 8)
        del weights["pooler.layernorm.bias"]
        weights["embeddings.cls_token"] = weights["embeddings.cls_token"] + 1
        before = model.embeddings.cls_token.clone()
        with pytest.raises(ValueError) as caught:
            fill_model(model, weights)
        assert "layers.0.mlp.fc1.weight: shape (3, 8) in the checkpoint, (12, 8) in the model" in str(caught.value)
        assert "pooler.layernorm.bias: missing in the checkpoint, shape (8,) in the model" in str(caught.value)
        assert torch.equal(model.embeddings.cls_token, before)

    def test_names_that_collide(self) -> None:
        weights = {"module.cls_token": torch.ones(1), "embeddings.cls_token": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
