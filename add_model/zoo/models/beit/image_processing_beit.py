"""The image processor of BEiT: square images, with the maps that say to which class each pixel belongs.

Values go from -1 to 1, resampled bicubically (Bao et al. 2021; unilm's BEiT, `imagenet_default_mean_and_std` off). Maps
are resampled like images, as the published processor does it: one that is resized has in-between numbers along the
borders of classes. Whoever trains on maps brings them and their images to one size beforehand, by
`Resampling.NEAREST`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL.Image import Resampling
from torch.nn import functional

from ...image_processing_utils import BaseImageProcessor, BatchFeature, ImageInput, as_array, as_batch, flat_list
from ...image_transforms import IMAGENET_STANDARD_MEAN, IMAGENET_STANDARD_STD, ImageArray, center_crop

# What the loss ignores.
IGNORED_LABEL = 255


class BeitImageProcessor(BaseImageProcessor):
    """Turns images into the `pixel_values` of BEiT, and maps of classes into its `labels`.

    Class attributes:
        do_reduce_labels: whether class 0 of a map is background that is ignored, and the others count from 0.
    """

    own_options = ("do_reduce_labels",)

    do_resize = True
    size = {"height": 224, "width": 224}
    resample = Resampling.BICUBIC
    do_center_crop = False
    crop_size = {"height": 224, "width": 224}
    do_rescale = True
    do_normalize = True
    image_mean = IMAGENET_STANDARD_MEAN
    image_std = IMAGENET_STANDARD_STD
    do_reduce_labels: bool = False

    # Copied from add_model.zoo.models.segformer.image_processing_segformer.SegformerImageProcessor.preprocess
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

    # Copied from add_model.zoo.models.segformer.image_processing_segformer.SegformerImageProcessor.to_labels
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
        labels = self.resize(labels) if self.do_resize else labels
        return center_crop(labels, *self.edges(self.crop_size, "crop_size")) if self.do_center_crop else labels

    # Copied from add_model.zoo.models.segformer.image_processing_segformer.SegformerImageProcessor.post_process_semantic_segmentation
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


# Copied from add_model.zoo.models.segformer.image_processing_segformer.reduced_labels
def reduced_labels(segmentation_map: ImageArray) -> ImageArray:
    """Return a map in which class 0 is ignored and every other one counts one less; what is ignored stays so."""
    is_ignored = (segmentation_map == 0) | (segmentation_map == IGNORED_LABEL)
    # One is not taken from zero first: whole numbers without a sign would run over.
    return np.where(is_ignored, IGNORED_LABEL, segmentation_map - 1).astype(segmentation_map.dtype)
