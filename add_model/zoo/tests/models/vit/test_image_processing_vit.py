"""Tests of ViT's image processor."""

from __future__ import annotations

import torch

from add_model.zoo.models.vit.image_processing_vit import ViTImageProcessor

from ...test_image_processing_common import ImageProcessorTesterMixin, random_image


class TestViTImageProcessor(ImageProcessorTesterMixin):
    image_processor_class = ViTImageProcessor

    def test_published_defaults(self) -> None:
        values = ViTImageProcessor()(random_image(48, 64), return_tensors="pt")["pixel_values"]
        assert values.shape == (1, 3, 224, 224)
        assert -1 <= float(values.min()) < -0.9
        assert 0.9 < float(values.max()) <= 1

    def test_black_and_white_are_the_ends_of_the_range(self) -> None:
        processor = ViTImageProcessor(size=2)
        for value, expected in ((0, -1.0), (255, 1.0)):
            image = torch.full((3, 5, 5), value, dtype=torch.uint8)
            assert torch.allclose(processor(image, return_tensors="pt")["pixel_values"], torch.tensor(expected))
