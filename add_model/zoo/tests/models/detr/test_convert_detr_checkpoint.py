"""Tests of the conversion of original DETR checkpoints."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from add_model.zoo.models.detr import (
    DetrConfig,
    DetrForObjectDetection,
    DetrForSegmentation,
    DetrModel,
    DetrPreTrainedModel,
)
from add_model.zoo.models.detr.convert_detr_checkpoint import convert_checkpoint, convert_state_dict, fill_model, main

IMAGES = torch.linspace(-1, 1, 2 * 3 * 40 * 48).reshape(2, 3, 40, 48)
# What stands in front of a name in one of the models.
PREFIX = r"^(?:detr\.)?(?:model\.)?"


def make_config(**options: Any) -> DetrConfig:
    backbone = {"embedding_size": 4, "hidden_sizes": [8, 8, 12, 16], "depths": [1, 2, 1, 1]}
    backbone["out_features"] = ["stage1", "stage2", "stage3", "stage4"]
    sizes: dict[str, Any] = {"d_model": 16, "num_queries": 5, "backbone_config": backbone}
    for part in ("encoder", "decoder"):
        sizes.update({f"{part}_layers": 2, f"{part}_attention_heads": 8, f"{part}_ffn_dim": 12})
    return DetrConfig(**{**sizes, **options})


def randomize(model: DetrPreTrainedModel) -> None:
    """Give every weight random values, those included that start as ones and zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.state_dict().values():
            weight.add_(torch.rand_like(weight) * 0.2)
    model.eval()


def in_the_original_layout(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as the original release names and stores them, without the `detr.` of a model for masks."""
    names = {
        PREFIX: "",
        r"^backbone\.model\.embedder\.embedder\.convolution": "backbone.0.body.conv1",
        r"^backbone\.model\.embedder\.embedder\.normalization": "backbone.0.body.bn1",
        r"shortcut\.convolution": "downsample.0",
        r"shortcut\.normalization": "downsample.1",
        r"^(position_embedding)\.row_embeddings": "backbone.1.row_embed",
        r"^(position_embedding)\.column_embeddings": "backbone.1.col_embed",
        r"^input_projection": "input_proj",
        r"^query_position_embeddings": "query_embed",
        r"^class_labels_classifier": "class_embed",
        r"^bbox_predictor": "bbox_embed",
        r"^encoder\.(.*)\.final_layer_norm": r"encoder.\1.norm2",
        r"^decoder\.(.*)\.final_layer_norm": r"decoder.\1.norm3",
        r"\.encoder_attn_layer_norm": ".norm2",
        r"\.self_attn_layer_norm": ".norm1",
        r"\.encoder_attn\.": ".multihead_attn.",
        r"\.o_proj\.": ".out_proj.",
        r"\.mlp\.fc": ".linear",
        r"^decoder\.layernorm": "decoder.norm",
        r"^(encoder|decoder)\.": r"transformer.\1.",
        r"^bbox_attention\.([qk])_proj": r"bbox_attention.\1_linear",
        r"^mask_head\.output_conv": "mask_head.out_lay",
        r"^mask_head\.conv(\d)\.conv": r"mask_head.lay\1",
        r"^mask_head\.conv(\d)\.norm": r"mask_head.gn\1",
    }
    original: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if ".k_proj." in name and "bbox_attention" not in name or ".v_proj." in name:
            continue
        if ".q_proj." in name and "bbox_attention" not in name:
            weight = torch.cat([weights[name.replace("q_proj", f"{letter}_proj")] for letter in "qkv"])
            name = name.replace("q_proj.", "in_proj_")
        for pattern, replacement in names.items():
            name = re.sub(pattern, replacement, name)
        if found := re.match(
            r"backbone\.model\.encoder\.stages\.(\d)\.layers\.(\d+)\.(?:layer\.(\d)\.(\w+))?(.*)", name
        ):
            stage, layer, number, kind, rest = found.groups()
            part = f"{'conv' if kind == 'convolution' else 'bn'}{int(number) + 1}" if number else ""
            name = f"backbone.0.body.layer{int(stage) + 1}.{layer}.{part}{rest}"
        if found := re.match(r"mask_head\.fpn_stages\.(\d)\.(\w+)\.?(conv|norm)?\.(\w+)$", name):
            stage, part, kind, rest = found.groups()
            kinds = {"conv": f"lay{int(stage) + 3}", "norm": f"gn{int(stage) + 3}", None: f"adapter{int(stage) + 1}"}
            name = f"mask_head.{kinds[kind]}.{rest}"
        original[name] = weight.clone()
    return original


def write_config(config: DetrConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertDetrCheckpoint:
    def test_original_names(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        model = DetrModel(make_config(position_embedding_type="learned"))
        randomize(model)
        original = in_the_original_layout(model.state_dict())
        # Some of the names that the original release writes.
        assert {
            "transformer.encoder.layers.1.self_attn.in_proj_weight",
            "transformer.decoder.layers.0.multihead_attn.out_proj.bias",
            "transformer.decoder.layers.0.norm3.weight",
            "transformer.decoder.norm.bias",
            "transformer.encoder.layers.0.linear2.weight",
            "backbone.0.body.conv1.weight",
            "backbone.0.body.bn1.running_var",
            "backbone.0.body.layer2.1.bn3.running_mean",
            "backbone.0.body.layer4.0.downsample.0.weight",
            "backbone.1.col_embed.weight",
            "input_proj.weight",
            "query_embed.weight",
        } <= original.keys()
        original.update({"class_embed.weight": torch.zeros(3, 16), "class_embed.bias": torch.zeros(3)})
        torch.save({"model": original, "args": argparse.Namespace(backbone="resnet50")}, tmp_path / "model.pth")
        config_file = write_config(model.config, tmp_path / "config.json")
        arguments = [str(tmp_path / "model.pth"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])
        assert capsys.readouterr().out.count("not used: class_labels_classifier") == 2
        converted = DetrModel.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES).last_hidden_state, model(IMAGES).last_hidden_state)

    def test_object_detection_is_chosen_by_the_configuration(self, tmp_path: Path) -> None:
        model = DetrForObjectDetection(make_config(num_labels=4))
        randomize(model)
        original = in_the_original_layout(model.state_dict())
        assert original["class_embed.weight"].shape == (5, 16)
        save_file(original, tmp_path / "original.safetensors")
        model.config.architectures = ["DetrForObjectDetection"]
        config_file = write_config(model.config, tmp_path / "config.json")
        assert convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted") == []
        converted = DetrForObjectDetection.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES).pred_boxes, model(IMAGES).pred_boxes)

    def test_segmentation_holds_the_model_for_boxes_as_a_part(self, tmp_path: Path) -> None:
        model = DetrForSegmentation(make_config())
        randomize(model)
        original = {
            name if name.startswith(("mask_head.", "bbox_attention.")) else f"detr.{name}": weight
            for name, weight in in_the_original_layout(model.state_dict()).items()
        }
        assert {"mask_head.lay5.weight", "mask_head.adapter1.bias", "mask_head.gn3.weight"} <= original.keys()
        assert {
            "detr.class_embed.weight",
            "bbox_attention.q_linear.weight",
            "mask_head.out_lay.bias",
        } <= original.keys()
        save_file(original, tmp_path / "original.safetensors")
        config_file = write_config(model.config, tmp_path / "config.json")
        checkpoint = tmp_path / "original.safetensors"
        assert convert_checkpoint(checkpoint, config_file, tmp_path / "converted", "DetrForSegmentation") == []
        converted = DetrForSegmentation.from_pretrained(tmp_path / "converted")
        assert torch.equal(converted(IMAGES).pred_masks, model(IMAGES).pred_masks)

    def test_what_does_not_fit_is_listed_and_nothing_is_changed(self) -> None:
        model = DetrModel(make_config())
        weights = convert_state_dict(in_the_original_layout(model.state_dict()), model.config)
        weights["encoder.layers.0.mlp.fc1.weight"] = torch.zeros(3, 16)
        del weights["backbone.model.embedder.embedder.normalization.running_var"]
        weights["query_position_embeddings.weight"] = weights["query_position_embeddings.weight"] + 1
        before = model.query_position_embeddings.weight.clone()
        with pytest.raises(ValueError) as caught:
            fill_model(model, weights)
        assert "encoder.layers.0.mlp.fc1.weight: shape (3, 16) in the checkpoint, (12, 16) in the model" in str(
            caught.value
        )
        assert "normalization.running_var: missing in the checkpoint, shape (4,) in the model" in str(caught.value)
        assert torch.equal(model.query_position_embeddings.weight, before)

    def test_names_that_collide(self) -> None:
        weights = {"module.input_proj.bias": torch.ones(1), "input_projection.bias": torch.ones(1)}
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict(weights, make_config())
