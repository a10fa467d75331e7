"""Tests of the conversion of original SegFormer checkpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.segformer import (
    SegformerConfig,
    SegformerForImageClassification,
    SegformerForSemanticSegmentation,
    SegformerModel,
    SegformerPreTrainedModel,
)
from add_model.zoo.models.segformer.convert_segformer_checkpoint import convert_checkpoint, convert_state_dict, main

# What the original release calls the parts of a layer, of a stage and of the decoder.
ORIGINAL_NAMES = (
    (r"^stages\.(\d)\.patch_embeddings\.proj\.", r"patch_embed\1.proj."),
    (r"^stages\.(\d)\.patch_embeddings\.layer_norm\.", r"patch_embed\1.norm."),
    (r"^stages\.(\d)\.layer_norm\.", r"norm\1."),
    (r"^stages\.(\d)\.blocks\.", r"block\1."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.attention\.q_proj\.", ".attn.q."),
    (r"\.attention\.o_proj\.", ".attn.proj."),
    (r"\.attention\.sequence_reduction\.sequence_reduction\.", ".attn.sr."),
    (r"\.attention\.sequence_reduction\.layer_norm\.", ".attn.norm."),
    (r"^decode_head\.linear_projections\.(\d)\.", r"decode_head.linear_c\1."),
    (r"^decode_head\.linear_fuse\.", "decode_head.linear_fuse.conv."),
    (r"^decode_head\.batch_norm\.", "decode_head.linear_fuse.bn."),
    (r"^decode_head\.classifier\.", "decode_head.linear_pred."),
    (r"^classifier\.", "head."),
)


def make_config(**options: Any) -> SegformerConfig:
    sizes: dict[str, Any] = {
        "depths": [1, 2, 1, 1],
        "sr_ratios": [4, 2, 1, 1],
        "hidden_sizes": [4, 6, 8, 10],
        "num_attention_heads": [1, 2, 2, 2],
        "decoder_hidden_size": 6,
        "num_labels": 3,
    }
    return SegformerConfig(**{**sizes, **options})


def randomize(model: SegformerPreTrainedModel) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in model.state_dict().items():
            if weight.is_floating_point():
                weight.normal_()
            if name.endswith("running_var"):
                weight.abs_()
    model.eval()


def in_the_original_layout(model: SegformerPreTrainedModel, prefix: str = "") -> dict[str, Tensor]:
    """Return weights as the original release has them: counted from 1 on, keys and values by one weight.

    Args:
        model: the model.
        prefix: what stands before the names of the stages.
    """
    weights = {name.removeprefix("segformer."): weight.clone() for name, weight in model.state_dict().items()}
    original: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if ".v_proj." in name:
            continue
        if ".k_proj." in name:
            weight = torch.cat((weight, weights[name.replace(".k_proj.", ".v_proj.")]))
            name = name.replace(".attention.k_proj.", ".attn.kv.")
        name = re.sub(
            r"^(stages|decode_head\.linear_projections)\.(\d)\.",
            lambda match: f"{match.group(1)}.{int(match.group(2)) + 1}.",
            name,
        )
        for new, old in ORIGINAL_NAMES:
            name = re.sub(new, old, name)
        is_of_a_stage = name.startswith(("patch_embed", "block", "norm"))
        original[prefix + name if is_of_a_stage else name] = weight
    return original


def write_config(config: SegformerConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertSegformerCheckpoint:
    def test_encoder(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = SegformerModel(make_config())
        randomize(model)
        original = in_the_original_layout(model)
        assert original["block1.0.attn.kv.weight"].shape == (8, 4)
        assert {"patch_embed4.norm.bias", "block2.1.attn.sr.weight", "block2.1.attn.norm.weight"} <= original.keys()
        assert {"norm4.weight", "block4.0.norm2.bias", "block1.0.mlp.dwconv.dwconv.weight"} <= original.keys()
        original["head.weight"] = torch.zeros(1000, 10)
        torch.save(original, tmp_path / "mit_b0.pth")
        config_file = write_config(model.config, tmp_path / "config.json")
        arguments = [str(tmp_path / "mit_b0.pth"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])
        assert "not used: classifier.weight" in capsys.readouterr().out
        converted = SegformerModel.from_pretrained(tmp_path / "converted")
        images = torch.randn(2, 3, 32, 40)
        assert torch.equal(converted(images).last_hidden_state, model(images).last_hidden_state)

    def test_classifier_of_images(self, tmp_path: Path) -> None:
        model = SegformerForImageClassification(make_config(architectures=["SegformerForImageClassification"]))
        randomize(model)
        save_file(in_the_original_layout(model), tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted") == []
        converted = SegformerForImageClassification.from_pretrained(tmp_path / "converted")
        images = torch.randn(1, 3, 32, 32)
        assert torch.equal(converted(images).logits, model(images).logits)

    def test_classifier_of_pixels(self, tmp_path: Path) -> None:
        model = SegformerForSemanticSegmentation(make_config(architectures=["SegformerForSemanticSegmentation"]))
        randomize(model)
        original = in_the_original_layout(model, prefix="backbone.")
        assert {"decode_head.linear_c1.proj.weight", "decode_head.linear_fuse.bn.running_var"} <= original.keys()
        assert {"backbone.block3.0.attn.q.bias", "decode_head.linear_pred.bias"} <= original.keys()
        # A layer of the toolbox that the original does not use.
        original["decode_head.conv_seg.weight"] = torch.zeros(3, 6, 1, 1)
        torch.save({"state_dict": original, "meta": {"epoch": 1}}, tmp_path / "original.pth")
        config_file = write_config(model.config, tmp_path / "config.json")
        unused = convert_checkpoint(tmp_path / "original.pth", config_file, tmp_path / "converted")
        assert unused == ["decode_head.conv_seg.weight"]
        converted = SegformerForSemanticSegmentation.from_pretrained(tmp_path / "converted")
        images = torch.randn(1, 3, 32, 32)
        assert torch.equal(converted(images).logits, model(images).logits)

    def test_earlier_published_names(self) -> None:
        # Those of one layer, behind any name of the model without a head.
        earlier = {
            "encoder.patch_embeddings.0.layer_norm.bias": "stages.0.patch_embeddings.layer_norm.bias",
            "encoder.block.1.0.layer_norm_1.weight": "stages.1.blocks.0.layernorm_before.weight",
            "encoder.block.1.0.layer_norm_2.weight": "stages.1.blocks.0.layernorm_after.weight",
            "encoder.block.1.0.attention.self.key.bias": "stages.1.blocks.0.attention.k_proj.bias",
            "encoder.block.1.0.attention.self.sr.bias": (
                "stages.1.blocks.0.attention.sequence_reduction.sequence_reduction.bias"
            ),
            "encoder.block.1.0.attention.self.layer_norm.bias": (
                "stages.1.blocks.0.attention.sequence_reduction.layer_norm.bias"
            ),
            "encoder.block.1.0.attention.output.dense.bias": "stages.1.blocks.0.attention.o_proj.bias",
            "encoder.block.1.0.mlp.dense1.weight": "stages.1.blocks.0.mlp.fc1.weight",
            "encoder.layer_norm.3.weight": "stages.3.layer_norm.weight",
        }
        prefix = f"{SegformerModel.base_model_prefix}."
        for before in ("", "somebodys_model."):
            converted = convert_state_dict({before + name: torch.ones(1) for name in earlier}, make_config())
            assert list(converted) == [prefix + name for name in earlier.values()]
        of_head = convert_state_dict({"decode_head.linear_c.2.proj.bias": torch.ones(1)}, make_config())
        assert list(of_head) == ["decode_head.linear_projections.2.proj.bias"]

    def test_names_of_today(self) -> None:
        weights = SegformerModel(make_config()).state_dict()
        prefix = f"{SegformerModel.base_model_prefix}."
        assert list(convert_state_dict(weights, make_config())) == [prefix + name for name in weights]

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, tmp_path: Path) -> None:
        model = SegformerModel(make_config())
        weights = in_the_original_layout(model)
        weights["block1.0.attn.q.weight"] = torch.zeros(3, 4)
        del weights["norm2.bias"]
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        message = str(caught.value)
        assert "blocks.0.attention.q_proj.weight: shape (3, 4) in the checkpoint, (4, 4) in the model" in message
        assert "stages.1.layer_norm.bias: missing in the checkpoint, shape (6,) in the model" in message
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict({"norm1.bias": torch.ones(1), "backbone.norm1.bias": torch.ones(1)}, make_config())
