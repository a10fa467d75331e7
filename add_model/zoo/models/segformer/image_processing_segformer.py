"""The image processor of SegFormer: images with the maps that say to which class each pixel belongs.

Values follow ImageNet's mean and deviation; maps keep their classes, so that they are resized to the nearest pixel, and
lose the background where class 0 is none (`reduce_zero_label` in the original's mmsegmentation; Xie et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL.Image import Resampling
from torch.nn import functional

from ...image_processing_utils import BaseImageProcessor, BatchFeature, ImageInput, as_array, as_batch, flat_list
from ...image_transforms import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD, ImageArray

# What the loss ignores.
IGNORED_LABEL = 255


class SegformerImageProcessor(BaseImageProcessor):
    """Turns images into the `pixel_values` of SegFormer, and maps of classes into its `labels`.

    Class attributes:
        do_reduce_labels: whether class 0 of a map is background that is ignored, and the others count from 0.
    """

    own_options = ("do_reduce_labels",)

    do_resize = True
    size = {"height": 512, "width": 512}
    resample = Resampling.BILINEAR
    do_rescale = True
    do_normalize = True
    image_mean = IMAGENET_DEFAULT_MEAN
    image_std = IMAGENET_DEFAULT_STD
    do_reduce_labels: bool = False

    def preprocess(
        self,
        images: ImageInput,
        segmentation_maps: ImageInput | None = None,
        *,
        return_tensors: str | None = None,
        **options: Any,
    ) -> BatchFeature:
        """Return the arguments of the model for images and, with maps, its labels of shape (height, width).

        Args:
            images: what `ImageInput` says.
            segmentation_maps: for every image the class of each pixel: images of Pillow with one channel, arrays or
                tensors of two axes, or a batch of these.
            return_tensors: "pt" for tensors, "np" for arrays, `None` for lists of arrays.
            **options: what is done otherwise than usual.

        Raises:
            ValueError: as in `BaseImageProcessor.preprocess`, or maps and images do not belong together.
        """
        processor = self.with_options(options)
        arrays = processor.to_arrays(images)
        data = {"pixel_values": [processor.transform(array) for array in arrays]}
        if segmentation_maps is not None:
            maps = [as_array(each) for each in flat_list(segmentation_maps, dimensions=2)]
            if len(maps) != len(arrays):
                raise ValueError(
                    f"there are {len(arrays)} images and {len(maps)} segmentation maps; pass one for each"
                )
            data["labels"] = [processor.to_labels(each) for each in maps]
        return as_batch(data, return_tensors)

    def transform(self, array: ImageArray) -> ImageArray:
        """Return one image as the model sees it; nothing is cut off."""
        return self.rescale_and_normalize(self.resize(array) if self.do_resize else array)

    def to_labels(self, segmentation_map: ImageArray) -> ImageArray:
        """Return the labels of a map, as large as its image is after resizing.

        Raises:
            ValueError: it has channels.
        """
        if segmentation_map.ndim != 2:
            raise ValueError(
                f"a segmentation map has one number for each pixel, but this one has the shape {segmentation_map.shape}"
            )
        labels = reduced_labels(segmentation_map) if self.do_reduce_labels else segmentation_map
        transformed: ImageArray = self.transform_labels(labels[None])[0]
        return transformed.astype(np.int64)

    def transform_labels(self, labels: ImageArray) -> ImageArray:
        """Return labels of shape (1, height, width) as large as the image."""
        nearest = self.with_options({"resample": Resampling.NEAREST})
        return nearest.resize(labels) if self.do_resize else labels

    def post_process_semantic_segmentation(
        self,
        outputs: Any,
        target_sizes: Sequence[tuple[int, int]] | torch.Tensor | None = None,
        return_segmentation_scores: bool = False,
    ) -> list[Any]:
        """Return the most likely class of every pixel of every image, a tensor of shape (height, width).

        Args:
            outputs: the model's, with `logits` of shape (batch size, classes, height, width).
            target_sizes: the (height, width) of each image, to which logits are resized first.
            return_segmentation_scores: whether each one is a dictionary instead, of `segmentation` and
                `segmentation_scores`, the logits.

        Raises:
            ValueError: there are more or fewer sizes than images.
        """
        scores = list(outputs.logits)
        if target_sizes is not None:
            if len(target_sizes) != len(scores):
                raise ValueError(
                    f"there are {len(scores)} images and {len(target_sizes)} target_sizes; pass one for each"
                )
            scores = [
                functional.interpolate(each[None], size=tuple(map(int, size)), mode="bilinear", align_corners=False)[0]
                for each, size in zip(scores, target_sizes, strict=True)
            ]
        segmentations = [each.argmax(dim=0) for each in scores]
        if not return_segmentation_scores:
            return segmentations
        return [
            BatchFeature({"segmentation": segmentation, "segmentation_scores": each})
            for segmentation, each in zip(segmentations, scores, strict=True)
        ]


def reduced_labels(segmentation_map: ImageArray) -> ImageArray:
    """Return a map in which class 0 is ignored and every other one counts one less; what is ignored stays so."""
    is_ignored = (segmentation_map == 0) | (segmentation_map == IGNORED_LABEL)
    # One is not taken from zero first: whole numbers without a sign would run over.
    return np.where(is_ignored, IGNORED_LABEL, segmentation_map - 1).astype(segmentation_map.dtype)
