"""The image processor of ViT: images of one square size, with values from -1 to 1.

The defaults are those of the checkpoints of Dosovitskiy et al. 2021: pictures of 224 by 224 pixels without regard to
proportions, resampled bilinearly, whose values the input pipeline of the original code (vision_transformer) maps to -1
to 1.
"""

from __future__ import annotations

from PIL.Image import Resampling

from ...image_processing_utils import BaseImageProcessor
from ...image_transforms import IMAGENET_STANDARD_MEAN, IMAGENET_STANDARD_STD


class ViTImageProcessor(BaseImageProcessor):
    """Turns images into the `pixel_values` of ViT."""

    do_resize = True
    size = {"height": 224, "width": 224}
    resample = Resampling.BILINEAR
    do_rescale = True
    do_normalize = True
    image_mean = IMAGENET_STANDARD_MEAN
    image_std = IMAGENET_STANDARD_STD
