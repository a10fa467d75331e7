"""The image processor of ConvNeXt: the middle of an image below 384 pixels, all of it from there on.

Evaluation below 384 pixels resizes to a somewhat larger image and cuts its middle out, the share of which is `crop_pct`;
from 384 on the whole image is warped to a square (the original code's `build_transform`; Liu et al. 2022).
"""

from __future__ import annotations

from PIL.Image import Resampling

from ...image_processing_utils import BaseImageProcessor
from ...image_transforms import (
    IMAGENET_STANDARD_MEAN,
    IMAGENET_STANDARD_STD,
    ImageArray,
    center_crop,
    size_for_shortest_edge,
)

# From this size on nothing is cut off.
WHOLE_IMAGE_SIZE = 384


class ConvNextImageProcessor(BaseImageProcessor):
    """Turns images into the `pixel_values` of ConvNeXt.

    Class attributes:
        crop_pct: the share of the resized image's shorter edge that is left of it, below 384 pixels.
    """

    own_options = ("crop_pct",)

    do_resize = True
    size = {"shortest_edge": 384}
    default_to_square = False
    resample = Resampling.BICUBIC
    crop_pct: float = 224 / 256
    do_rescale = True
    do_normalize = True
    image_mean = IMAGENET_STANDARD_MEAN
    image_std = IMAGENET_STANDARD_STD

    def resize(self, array: ImageArray) -> ImageArray:
        """Return a square image of the size that the model expects.

        Raises:
            ValueError: `size` has no shortest edge.
        """
        if set(self.size) != {"shortest_edge"}:
            raise ValueError(f"size must have a shortest_edge here, not {self.size!r}")
        edge = self.size["shortest_edge"]
        if edge >= WHOLE_IMAGE_SIZE:
            return self.resize_to(array, edge, edge)
        height, width = size_for_shortest_edge(array.shape[1], array.shape[2], int(edge / self.crop_pct))
        return center_crop(self.resize_to(array, height, width), edge, edge)
