"""Tests of SegFormer's image processor."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

from add_model.zoo.models.segformer.image_processing_segformer import SegformerImageProcessor

from ...test_image_processing_common import ImageProcessorTesterMixin, random_image, random_pixels


def small_processor(**options: Any) -> SegformerImageProcessor:
    """Return a processor that makes small images."""
    return SegformerImageProcessor(**{"size": {"height": 20, "width": 24}, **options})


class TestSegformerImageProcessor(ImageProcessorTesterMixin):
    image_processor_class = SegformerImageProcessor

    def test_maps_become_labels_whatever_holds_them(self) -> None:
        images = [random_image(20, 24), random_image(20, 24)]
        maps = random_pixels(2, 20, 24) % 7
        processor = small_processor()
        batch = processor(images, maps, return_tensors="pt")
        assert batch["labels"].dtype is torch.int64
        assert np.array_equal(batch["labels"].numpy(), maps)
        for others in (list(maps), torch.from_numpy(maps), [PIL.Image.fromarray(each) for each in maps]):
            assert torch.equal(processor(images, others, return_tensors="pt")["labels"], batch["labels"])
        assert torch.equal(batch["pixel_values"], processor(images, return_tensors="pt")["pixel_values"])

    def test_background_is_ignored_and_other_classes_count_from_zero(self) -> None:
        classes = np.array([[0, 1, 2], [150, 254, 255]], dtype=np.uint8)
        before = classes.copy()
        processor = small_processor(do_resize=False, do_reduce_labels=True)
        labels = processor(random_image(2, 3), classes)["labels"][0]
        assert labels.tolist() == [[255, 0, 1], [149, 253, 255]]
        assert np.array_equal(classes, before)

    def test_resizing_makes_no_class_that_a_map_has_not(self) -> None:
        classes = np.kron(np.array([[3, 90], [180, 7]], dtype=np.uint8), np.ones((15, 11), dtype=np.uint8))
        labels = small_processor()(random_image(30, 22), classes)["labels"][0]
        assert labels.shape == (20, 24)
        assert set(np.unique(labels)) == {3, 7, 90, 180}

    def test_maps_that_do_not_belong_to_images_are_refused(self) -> None:
        processor = small_processor()
        with pytest.raises(ValueError, match="1 images and 2 segmentation maps"):
            processor(random_image(4, 4), [random_pixels(4, 4)] * 2)
        with pytest.raises(ValueError, match="one number for each pixel"):
            processor(random_image(4, 4), random_image(4, 4))
        with pytest.raises(ValueError, match="an image must have 2 axes"):
            processor(random_image(4, 4), random_pixels(1, 1, 4, 4))

    def test_logits_become_maps_of_the_size_of_their_images(self) -> None:
        logits = torch.zeros(2, 3, 4, 4)
        logits[0, 1], logits[1, 2, :, 2:] = 5.0, 5.0
        outputs = SimpleNamespace(logits=logits)
        processor = small_processor()
        first, second = processor.post_process_semantic_segmentation(outputs, target_sizes=[(8, 6), (3, 12)])
        assert torch.equal(first, torch.full((8, 6), 1))
        assert second.shape == (3, 12) and second[:, 6:].eq(2).all() and second[:, :5].eq(0).all()
        assert [each.shape for each in processor.post_process_semantic_segmentation(outputs)] == [(4, 4)] * 2
        scored = processor.post_process_semantic_segmentation(outputs, torch.tensor([[8, 6], [8, 6]]), True)
        assert scored[0].segmentation_scores.shape == (3, 8, 6)
        assert torch.equal(scored[0].segmentation, first)
        with pytest.raises(ValueError, match="2 images and 1 target_sizes"):
            processor.post_process_semantic_segmentation(outputs, target_sizes=[(8, 6)])
