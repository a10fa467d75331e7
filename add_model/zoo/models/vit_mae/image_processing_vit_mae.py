"""The image processor of ViTMAE, which is ViT's: images of one square size, with values around zero.

The published checkpoints name ViT's class in their files, with the mean and the standard deviation of ImageNet's pixels.
"""

from __future__ import annotations

from PIL.Image import Resampling

from ...image_processing_utils import BaseImageProcessor
from ...image_transforms import IMAGENET_STANDARD_MEAN, IMAGENET_STANDARD_STD


class ViTMAEImageProcessor(BaseImageProcessor):
    """Turns images into the `pixel_values` of ViTMAE."""

    saved_type = "ViTImageProcessor"
    do_resize = True
    size = {"height": 224, "width": 224}
    resample = Resampling.BILINEAR
    do_rescale = True
    do_normalize = True
    image_mean = IMAGENET_STANDARD_MEAN
    image_std = IMAGENET_STANDARD_STD
