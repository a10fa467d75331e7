"""Tests of the conversion of original ConvNeXt checkpoints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from add_model.zoo.models.convnext import (
    ConvNextBackbone,
    ConvNextConfig,
    ConvNextForImageClassification,
    ConvNextModel,
)
from add_model.zoo.models.convnext.convert_convnext_checkpoint import convert_checkpoint, convert_state_dict, main

CHANNELS, DEPTHS, LABELS = (4, 6, 8, 5), (1, 2, 1, 1), 3


def make_config(**options: Any) -> ConvNextConfig:
    sizes: dict[str, Any] = {"hidden_sizes": CHANNELS, "depths": DEPTHS, "num_labels": LABELS}
    return ConvNextConfig(**{**sizes, "layer_norm_eps": 1e-6, **options})


class FirstNorm(nn.LayerNorm):
    """Normalisation over channels that stand first."""

    def forward(self, maps: Tensor) -> Tensor:
        normalized: Tensor = super().forward(maps.movedim(1, -1))
        return normalized.movedim(-1, 1)


class Block(nn.Module):
    """A layer, in the layout of the original release."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.pwconv2 = nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, maps: Tensor) -> Tensor:
        added = self.norm(self.dwconv(maps).movedim(1, -1))
        added = self.gamma * self.pwconv2(nn.functional.gelu(self.pwconv1(added)))
        result: Tensor = maps + added.movedim(-1, 1)
        return result


class Original(nn.Module):
    """The model in the layout of the original release: the stem is the first of four downsampling layers."""

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, CHANNELS[0], 4, stride=4), FirstNorm(CHANNELS[0], eps=1e-6))
        between = [
            nn.Sequential(FirstNorm(before, eps=1e-6), nn.Conv2d(before, after, 2, stride=2))
            for before, after in zip(CHANNELS[:-1], CHANNELS[1:], strict=True)
        ]
        self.downsample_layers = nn.ModuleList([stem, *between])
        self.stages = nn.ModuleList(
            [
                nn.Sequential(*[Block(channels) for _ in range(depth)])
                for channels, depth in zip(CHANNELS, DEPTHS, strict=True)
            ]
        )
        self.norm = nn.LayerNorm(CHANNELS[-1], eps=1e-6)
        self.head = nn.Linear(CHANNELS[-1], LABELS)

    def forward(self, maps: Tensor) -> Tensor:
        for downsample, stage in zip(self.downsample_layers, self.stages, strict=True):
            maps = stage(downsample(maps))
        logits: Tensor = self.head(self.norm(maps.mean(dim=(2, 3))))
        return logits


@pytest.fixture
def original() -> Original:
    """The original, with random values in every weight."""
    torch.manual_seed(0)
    model = Original()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5)
    return model.eval()


def in_timms_layout(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights of the original release under the names that timm has for them."""
    renamed = {}
    for name, weight in weights.items():
        name = re.sub(r"^downsample_layers\.0\.", "stem.", name)
        name = re.sub(r"^downsample_layers\.(\d)\.", r"stages.\1.downsample.", name)
        name = re.sub(r"^stages\.(\d)\.(\d)\.", r"stages.\1.blocks.\2.", name)
        name = name.replace("dwconv", "conv_dw").replace("pwconv", "mlp.fc")
        name = re.sub(r"^norm\.", "head.norm.", re.sub(r"^head\.", "head.fc.", name))
        renamed[name] = weight
    return renamed


def write_config(config: ConvNextConfig, path: Path) -> Path:
    path.write_text(config.to_json_string(), encoding="utf-8")
    return path


class TestConvertConvNextCheckpoint:
    @pytest.mark.parametrize("layout", ["original", "distributed", "timm", "timm with convolutions"])
    def test_layouts(
        self, original: Original, layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        weights = dict(original.state_dict())
        if layout == "distributed":
            weights = {f"module.{name}": weight for name, weight in weights.items()}
        if layout.startswith("timm"):
            weights = in_timms_layout(weights)
            assert {"stem.1.bias", "stages.3.downsample.1.weight", "stages.1.blocks.1.mlp.fc1.bias"} <= weights.keys()
            assert {"stages.0.blocks.0.conv_dw.weight", "head.norm.bias", "head.fc.bias"} <= weights.keys()
        if layout.endswith("convolutions"):
            weights = {
                name: weight[..., None, None] if "mlp" in name and weight.dim() == 2 else weight
                for name, weight in weights.items()
            }
        torch.save({"model": weights, "epoch": 300}, tmp_path / "original.pth")
        config_file = write_config(
            make_config(architectures=["ConvNextForImageClassification"]), tmp_path / "config.json"
        )
        arguments = [str(tmp_path / "original.pth"), "--config", str(config_file)]
        main([*arguments, "--output", str(tmp_path / "converted")])
        assert "not used" not in capsys.readouterr().out
        converted = ConvNextForImageClassification.from_pretrained(tmp_path / "converted")
        images = torch.randn(2, 3, 40, 36)
        with torch.no_grad():
            torch.testing.assert_close(converted(images).logits, original(images), rtol=1e-4, atol=1e-5)

    def test_model_without_a_head(self, original: Original, tmp_path: Path) -> None:
        save_file(original.state_dict(), tmp_path / "original.safetensors")
        config_file = write_config(make_config(), tmp_path / "config.json")
        unused = convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        assert unused == ["classifier.bias", "classifier.weight"]
        converted = ConvNextModel.from_pretrained(tmp_path / "converted")
        images = torch.randn(1, 3, 32, 32)
        with torch.no_grad():
            logits = original.head(converted(images).pooler_output)
            torch.testing.assert_close(logits, original(images), rtol=1e-4, atol=1e-5)

    def test_backbone_of_a_detector(self, original: Original, tmp_path: Path) -> None:
        weights = {
            f"backbone.{name}": weight
            for name, weight in original.state_dict().items()
            if not name.startswith(("norm", "head"))
        }
        for index, channels in enumerate(CHANNELS):
            weights[f"backbone.norm{index}.weight"] = torch.full((channels,), 2.0 + index)
            weights[f"backbone.norm{index}.bias"] = torch.zeros(channels)
        weights["decode_head.conv_seg.weight"] = torch.zeros(3, 2, 1, 1)
        torch.save({"state_dict": weights}, tmp_path / "original.pth")
        config_file = write_config(make_config(out_indices=[1, 2, 3, 4]), tmp_path / "config.json")
        checkpoint, output = tmp_path / "original.pth", tmp_path / "converted"
        assert convert_checkpoint(checkpoint, config_file, output, "ConvNextBackbone") == [
            "decode_head.conv_seg.weight"
        ]
        converted = ConvNextBackbone.from_pretrained(output)
        images = torch.randn(1, 3, 64, 64)
        with torch.no_grad():
            maps = images
            for index, found in enumerate(converted(images).feature_maps):
                maps = original.stages[index](original.downsample_layers[index](maps))
                norm = FirstNorm(CHANNELS[index], eps=1e-6)
                torch.testing.assert_close(found, (2.0 + index) * norm(maps), rtol=1e-4, atol=1e-4)

    def test_names_of_today(self, tmp_path: Path) -> None:
        weights = ConvNextForImageClassification(make_config()).state_dict()
        assert convert_state_dict(weights, make_config()).keys() == weights.keys()
        renamed = {name.replace("convnext.", "somebodys_model."): weight for name, weight in weights.items()}
        assert convert_state_dict(renamed, make_config()).keys() == weights.keys()

    def test_what_does_not_fit_is_listed_and_nothing_is_written(self, original: Original, tmp_path: Path) -> None:
        weights = dict(original.state_dict())
        weights["norm.weight"] = torch.zeros(9)
        del weights["stages.1.1.gamma"]
        save_file(weights, tmp_path / "original.safetensors")
        config_file = write_config(make_config(), tmp_path / "config.json")
        with pytest.raises(ValueError) as caught:
            convert_checkpoint(tmp_path / "original.safetensors", config_file, tmp_path / "converted")
        message = str(caught.value)
        assert "layernorm.weight: shape (9,) in the checkpoint, (5,) in the model" in message
        assert "stages.1.layers.1.layer_scale_parameter: missing in the checkpoint, shape (6,)" in message
        assert not (tmp_path / "converted").exists()

    def test_names_that_collide(self) -> None:
        with pytest.raises(ValueError, match="second weight"):
            convert_state_dict({"norm.bias": torch.ones(1), "head.norm.bias": torch.ones(1)}, make_config())

    def test_command_says_what_is_wrong(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        config_file = write_config(make_config(), tmp_path / "config.json")
        with pytest.raises(SystemExit) as stopped:
            main([str(tmp_path / "absent"), "--config", str(config_file), "--output", str(tmp_path / "converted")])
        assert stopped.value.code == 2
        assert "absent" in capsys.readouterr().err
