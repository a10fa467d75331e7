"""Tests of Swin's image processor."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from add_model.zoo.models.swin.image_processing_swin import SwinImageProcessor

from ...test_image_processing_common import ImageProcessorTesterMixin


class TestSwinImageProcessor(ImageProcessorTesterMixin):
    image_processor_class = SwinImageProcessor

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
        processor = SwinImageProcessor.from_pretrained(tmp_path)
        black = torch.zeros(3, 5, 5, dtype=torch.uint8)
        values = processor(black, return_tensors="pt")["pixel_values"]
        assert values.shape == (1, 3, 224, 224)
        torch.testing.assert_close(values[0, :, 0, 0], -torch.tensor([0.485 / 0.229, 0.456 / 0.224, 0.406 / 0.225]))
        processor.save_pretrained(tmp_path)
        assert json.loads((tmp_path / "preprocessor_config.json").read_text()) == processor.to_dict()
        assert processor.to_dict()["image_processor_type"] == "ViTImageProcessor"
