"""Tests of ViTMAE's image processor."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from add_model.zoo.models.vit_mae import ViTMAEConfig, ViTMAEModel
from add_model.zoo.models.vit_mae.image_processing_vit_mae import ViTMAEImageProcessor

from ...test_image_processing_common import ImageProcessorTesterMixin, random_image


class TestViTMAEImageProcessor(ImageProcessorTesterMixin):
    image_processor_class = ViTMAEImageProcessor

    def test_a_model_takes_what_comes_out(self) -> None:
        config = ViTMAEConfig(
            image_size=32,
            patch_size=8,
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=4,
        )
        inputs = ViTMAEImageProcessor(size=32)([random_image(48, 64), random_image(20, 33)], return_tensors="pt")
        with torch.no_grad():
            # A quarter of 16 patches, and the class token.
            assert ViTMAEModel(config).eval()(**inputs).last_hidden_state.shape == (2, 5, 8)

    def test_options_of_the_published_checkpoints(self, tmp_path: Path) -> None:
        content = {
            "do_normalize": True,
            "do_resize": True,
            "image_mean": [0.485, 0.456, 0.406],
            "image_processor_type": "ViTImageProcessor",
            "image_std": [0.229, 0.224, 0.225],
            "resample": 3,
            "size": 224,
        }
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(content), encoding="utf-8")
        processor = ViTMAEImageProcessor.from_pretrained(tmp_path)
        black = torch.zeros(3, 5, 5, dtype=torch.uint8)
        values = processor(black, return_tensors="pt")["pixel_values"]
        assert values.shape == (1, 3, 224, 224)
        torch.testing.assert_close(values[0, :, 0, 0], -torch.tensor([0.485 / 0.229, 0.456 / 0.224, 0.406 / 0.225]))
        assert processor.to_dict()["image_processor_type"] == "ViTImageProcessor"
