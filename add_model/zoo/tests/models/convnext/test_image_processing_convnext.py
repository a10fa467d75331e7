"""Tests of ConvNeXt's image processor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from add_model.zoo.models.convnext.image_processing_convnext import ConvNextImageProcessor

from ...test_image_processing_common import ImageProcessorTesterMixin, random_image


class TestConvNextImageProcessor(ImageProcessorTesterMixin):
    image_processor_class = ConvNextImageProcessor
    small_options: ClassVar[dict[str, Any]] = {"size": {"shortest_edge": 20}}

    def test_a_large_size_takes_the_whole_image(self) -> None:
        image = random_image(30, 50)
        whole = ConvNextImageProcessor()(image, do_rescale=False, do_normalize=False)["pixel_values"][0]
        assert np.array_equal(whole, np.moveaxis(np.array(image.resize((384, 384), resample=3)), -1, 0))

    def test_a_small_size_is_cut_out_of_the_middle(self) -> None:
        image = random_image(30, 50)
        steps = {"do_rescale": False, "do_normalize": False}
        cut = ConvNextImageProcessor(size=14, crop_pct=0.5)(image, **steps)["pixel_values"][0]
        everything = np.moveaxis(np.array(image.resize((46, 28), resample=3)), -1, 0)
        assert np.array_equal(cut, everything[:, 7:21, 16:30])

    def test_another_size_is_refused(self) -> None:
        with pytest.raises(ValueError, match="must have a shortest_edge"):
            ConvNextImageProcessor(size={"height": 20, "width": 20})(random_image(30, 50))
