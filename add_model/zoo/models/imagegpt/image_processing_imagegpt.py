"""The image processor of ImageGPT: small images as sequences of colours, each the nearest one of a palette.

The palette are the 512 clusters of colours that the original was trained on (Chen et al. 2020, section 3; OpenAI's
image-gpt, `color_quantize_np`); they belong to a checkpoint and are kept in its `preprocessor_config.json`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL.Image import Resampling

from ...image_processing_utils import BaseImageProcessor, BatchFeature, ImageInput, as_array, as_batch
from ...image_transforms import IMAGENET_STANDARD_MEAN, IMAGENET_STANDARD_STD, ImageArray


class ImageGPTImageProcessor(BaseImageProcessor):
    """Turns images into the `input_ids` of ImageGPT: for every pixel, row by row, the number of a colour.

    Class attributes:
        do_color_quantize: whether colours become numbers; otherwise a call returns `pixel_values`.
        clusters: the palette, of shape (number of colours, 3), with values as images have them after normalising.
    """

    model_input_names = ("input_ids",)
    own_options = ("clusters", "do_color_quantize")

    do_resize = True
    size = {"height": 256, "width": 256}
    resample = Resampling.BILINEAR
    do_rescale = True
    do_normalize = True
    image_mean = IMAGENET_STANDARD_MEAN
    image_std = IMAGENET_STANDARD_STD
    do_color_quantize: bool = True
    clusters: Any = None

    def __init__(self, clusters: Any = None, **options: Any) -> None:
        super().__init__(clusters=clusters, **options)

    def preprocess(self, images: ImageInput, *, return_tensors: str | None = None, **options: Any) -> BatchFeature:
        """Return the arguments of the model for images.

        Args:
            images: what `ImageInput` says.
            return_tensors: "pt" for one tensor of shape (batch size, height * width), "np" for an array, `None` for a
                list of arrays.
            **options: what is done otherwise than usual.

        Raises:
            ValueError: as in `BaseImageProcessor.preprocess`, or there is no palette of three channels.
        """
        processor = self.with_options(options)
        if not processor.do_color_quantize:
            return super().preprocess(images, return_tensors=return_tensors, **options)
        palette = processor.palette()
        arrays = [processor.transform(array) for array in processor.to_arrays(images)]
        if len({array.shape for array in arrays}) > 1:
            raise ValueError("images of different sizes make sequences of different lengths; leave do_resize on")
        return as_batch({"input_ids": [nearest_colors(array, palette) for array in arrays]}, return_tensors)

    # Copied from add_model.zoo.models.segformer.image_processing_segformer.SegformerImageProcessor.transform
    def transform(self, array: ImageArray) -> ImageArray:
        """Return one image as the model sees it; nothing is cut off."""
        return self.rescale_and_normalize(self.resize(array) if self.do_resize else array)

    def palette(self) -> ImageArray:
        """Return the clusters as an array of shape (number of colours, 3).

        Raises:
            ValueError: there are none, or they have another shape.
        """
        if self.clusters is None:
            raise ValueError("there are no clusters of colours; pass clusters, or do_color_quantize=False")
        palette = np.array(self.clusters) if isinstance(self.clusters, list) else as_array(self.clusters)
        if palette.ndim != 2 or palette.shape[1] != 3:
            raise ValueError(f"clusters must have the shape (number of colours, 3), not {palette.shape}")
        return palette

    def to_dict(self) -> dict[str, Any]:
        """Return what `preprocessor_config.json` holds."""
        content = super().to_dict()
        if content.get("clusters") is not None:
            content["clusters"] = self.palette().tolist()
        return content


def nearest_colors(array: ImageArray, palette: ImageArray) -> ImageArray:
    """Return the number of the nearest colour for every pixel of an image, row by row.

    Raises:
        ValueError: the image has not three channels.
    """
    if array.shape[0] != 3:
        raise ValueError(f"colours have three channels, but an image has {array.shape[0]}; pass do_convert_rgb=True")
    pixels = array.reshape(3, -1).T
    # The squared distance, multiplied out as in the original: what rounding makes of near ties depends on it.
    distances = (
        np.sum(np.square(pixels), axis=1)[:, None] - 2 * (pixels @ palette.T) + np.sum(np.square(palette.T), axis=0)
    )
    colors: ImageArray = np.argmin(distances, axis=1)
    return colors
