"""Tests of ImageGPT's image processor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from add_model.zoo.models.imagegpt.image_processing_imagegpt import ImageGPTImageProcessor

from ...test_image_processing_common import ImageProcessorTesterMixin, random_image

BLACK, WHITE, RED = [-1.0, -1.0, -1.0], [1.0, 1.0, 1.0], [1.0, -1.0, -1.0]


class TestImageGPTImageProcessor(ImageProcessorTesterMixin):
    image_processor_class = ImageGPTImageProcessor
    small_options: ClassVar[dict[str, Any]] = {"size": {"height": 8, "width": 10}, "clusters": [BLACK, WHITE, RED]}
    main_output = "input_ids"

    def test_every_pixel_becomes_the_number_of_the_nearest_colour(self) -> None:
        image = torch.tensor([[[0, 255], [250, 90]], [[10, 250], [20, 100]], [[0, 240], [3, 80]]], dtype=torch.uint8)
        ids = self.get_image_processor()(image, do_resize=False, return_tensors="pt")["input_ids"]
        assert ids.tolist() == [[0, 1, 2, 0]]
        assert ids.dtype is torch.int64

    def test_a_palette_is_needed(self) -> None:
        with pytest.raises(ValueError, match="no clusters of colours"):
            ImageGPTImageProcessor()(random_image(4, 4))
        with pytest.raises(ValueError, match=r"shape \(number of colours, 3\), not \(1, 2\)"):
            ImageGPTImageProcessor([[1, 2]])(random_image(4, 4))

    def test_a_palette_of_any_kind_is_written_as_numbers(self) -> None:
        for clusters in ([BLACK, RED], np.array([BLACK, RED]), torch.tensor([BLACK, RED])):
            assert ImageGPTImageProcessor(clusters).to_dict()["clusters"] == [BLACK, RED]

    def test_images_of_different_sizes_make_no_batch(self) -> None:
        with pytest.raises(ValueError, match="leave do_resize on"):
            self.get_image_processor()([random_image(4, 4), random_image(4, 5)], do_resize=False)
