"""What is done to images before a model sees them: pure functions on arrays of shape (channels, height, width).

Resampling is Pillow's, as in the published processors: it averages over all pixels that a smaller one stands for, and
rounds to whole values from 0 to 255.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

ImageArray = npt.NDArray[Any]

IMAGENET_DEFAULT_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEFAULT_STD = (0.229, 0.224, 0.225)
IMAGENET_STANDARD_MEAN = (0.5, 0.5, 0.5)
IMAGENET_STANDARD_STD = (0.5, 0.5, 0.5)

WHITE = 255


def pillow_to_rgb(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return an image in red, green and blue; what is transparent is laid on white."""
    if "A" in image.getbands() or image.info.get("transparency") is not None:
        white = PIL.Image.new("RGBA", image.size, (WHITE, WHITE, WHITE, WHITE))
        image = PIL.Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")


def array_to_rgb(image: ImageArray) -> ImageArray:
    """Return an image with three channels: one is repeated, a fourth is how opaque the others are on white.

    Raises:
        ValueError: an image of fractions with four channels has values outside of 0 to 1.
    """
    if image.shape[0] == 1:
        return np.repeat(image, 3, axis=0)
    if image.shape[0] != 4:
        return image
    if np.issubdtype(image.dtype, np.integer):
        opacity = image[3:] / WHITE
        on_white: ImageArray = np.round(opacity * image[:3] + (1 - opacity) * WHITE).astype(image.dtype)
        return on_white
    check_range(image, 1, "an image of fractions with an alpha channel")
    blended: ImageArray = image[3:] * image[:3] + (1 - image[3:])
    return blended.astype(image.dtype)


def check_range(image: ImageArray, largest: int, what: str) -> None:
    """Check that every value is a number from 0 to a largest one.

    Raises:
        ValueError: one is not.
    """
    if not (image.min() >= 0 and image.max() <= largest):
        raise ValueError(
            f"{what} must have values from 0 to {largest}, not from {image.min()} to {image.max()}; "
            "scale it, or pass an image of Pillow with do_convert_rgb=True"
        )


def size_for_shortest_edge(height: int, width: int, shortest_edge: int) -> tuple[int, int]:
    """Return (height, width) of the same proportions whose shorter edge has a length; the longer one is rounded down."""
    if width <= height:
        return int(shortest_edge * height / width), shortest_edge
    return shortest_edge, int(shortest_edge * width / height)


def size_between_edges(height: int, width: int, shortest_edge: int, longest_edge: int) -> tuple[int, int]:
    """Return (height, width) of the same proportions whose shorter edge has a length, or less if the longer one needs it.

    Both follow the unrounded length of the shorter edge, as `get_size_with_aspect_ratio` of DETR's original code does.
    """
    exact: float = shortest_edge
    if max(height, width) / min(height, width) * shortest_edge > longest_edge:
        exact = longest_edge * float(min(height, width)) / float(max(height, width))
        shortest_edge = round(exact)
    if shortest_edge == min(height, width):
        return height, width
    if width < height:
        return int(exact * height / width), shortest_edge
    return shortest_edge, int(exact * width / height)


def size_within(height: int, width: int, max_height: int, max_width: int) -> tuple[int, int]:
    """Return the largest (height, width) of the same proportions that fits, rounded down."""
    scale = min(max_height / height, max_width / width)
    return int(height * scale), int(width * scale)


def resize(image: ImageArray, height: int, width: int, resample: int) -> ImageArray:
    """Return an image of another size.

    Args:
        image: whole values from 0 to 255, or fractions from 0 to 1, which come back as float32.
        height, width: the new size in pixels.
        resample: a number of `PIL.Image.Resampling`.

    Raises:
        ValueError: values are outside of their range, or a new edge would have no pixel.
    """
    if height < 1 or width < 1:
        raise ValueError(
            f"an image of {image.shape[1]}x{image.shape[2]} pixels would shrink to {height}x{width}; "
            "its edges are too unlike for this size"
        )
    is_fraction = _is_fraction(image)
    if is_fraction:
        image = rescale(image, WHITE)
    pixels = np.moveaxis(image.astype(np.uint8, copy=False), 0, -1)
    # Pillow has images of one channel without that axis.
    pillow_image = PIL.Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else np.ascontiguousarray(pixels))
    resized = np.array(pillow_image.resize((width, height), resample=PIL.Image.Resampling(resample)))
    resized = resized[None] if resized.ndim == 2 else np.moveaxis(resized, -1, 0)
    return rescale(resized, 1 / WHITE) if is_fraction else resized


def _is_fraction(image: ImageArray) -> bool:
    if image.dtype == np.uint8:
        return False
    is_whole = np.issubdtype(image.dtype, np.integer) or (
        bool(np.isfinite(image).all()) and np.allclose(image, image.astype(np.int64))
    )
    check_range(image, WHITE if is_whole else 1, "an image of whole numbers" if is_whole else "an image of fractions")
    return not is_whole


def center_crop(image: ImageArray, height: int, width: int) -> ImageArray:
    """Return the middle of an image, with black around it where the image is smaller."""
    if height > image.shape[1] or width > image.shape[2]:
        framed_height, framed_width = max(height, image.shape[1]), max(width, image.shape[2])
        top, left = math.ceil((framed_height - image.shape[1]) / 2), math.ceil((framed_width - image.shape[2]) / 2)
        framed = np.zeros_like(image, shape=(image.shape[0], framed_height, framed_width))
        framed[:, top : top + image.shape[1], left : left + image.shape[2]] = image
        # The crop is laid around the middle of the image, which rounding may have put beside that of the frame.
        top += (image.shape[1] - height) // 2
        left += (image.shape[2] - width) // 2
        image = framed
    else:
        top, left = (image.shape[1] - height) // 2, (image.shape[2] - width) // 2
    return image[:, max(0, top) : top + height, max(0, left) : left + width]


def rescale(image: ImageArray, factor: float) -> ImageArray:
    """Return an image times a factor, as float32."""
    return (image.astype(np.float64) * factor).astype(np.float32)


def normalize(image: ImageArray, mean: float | Sequence[float], std: float | Sequence[float]) -> ImageArray:
    """Return an image less a mean, divided by a standard deviation, one for all channels or one for each.

    Raises:
        ValueError: there are more or fewer means or deviations than channels.
    """
    if not np.issubdtype(image.dtype, np.floating):
        image = image.astype(np.float32)
    means, deviations = (
        _for_each_channel(image, value, name) for value, name in ((mean, "image_mean"), (std, "image_std"))
    )
    return (image - means) / deviations


def _for_each_channel(image: ImageArray, value: float | Sequence[float], name: str) -> ImageArray:
    channels = image.shape[0]
    values = np.asarray(value, dtype=image.dtype)
    if values.ndim == 1 and len(values) != channels:
        raise ValueError(
            f"an image has {channels} channel{'s' * (channels > 1)}, but {name} has {len(values)} values; "
            "pass do_convert_rgb=True, or one value for each channel"
        )
    return np.broadcast_to(values, (channels,)).reshape(-1, 1, 1)


def rescale_and_normalize(image: ImageArray, factor: float | None, mean: Any = None, std: Any = None) -> ImageArray:
    """Return what `rescale` and then `normalize` make of an image; `None` for a factor or a mean leaves one out.

    A pixel of eight bits has one of 256 values, so that a channel is looked up in a table that the two functions
    themselves have filled: the same numbers to the last bit, in a fraction of the time.
    """
    if image.dtype != np.uint8 or image.size < 4 * 256 * image.shape[0]:
        image = image if factor is None else rescale(image, factor)
        return image if mean is None else normalize(image, mean, std)
    values = np.broadcast_to(np.arange(256, dtype=np.uint8), (image.shape[0], 1, 256))
    table = values if factor is None else rescale(values, factor)
    table = table if mean is None else normalize(table, mean, std)
    result = np.empty(image.shape, table.dtype)
    for channel, pixels in enumerate(image):
        np.take(table[channel, 0], pixels, out=result[channel], mode="clip")
    return result


def pad(image: ImageArray, height: int, width: int) -> ImageArray:
    """Return an image with zeros to the right and below, up to a size.

    Raises:
        ValueError: the image is larger than that.
    """
    missing = (height - image.shape[1], width - image.shape[2])
    if min(missing) < 0:
        raise ValueError(
            f"an image of {image.shape[1]}x{image.shape[2]} pixels does not fit into pad_size {height}x{width}"
        )
    if missing == (0, 0):
        return image
    padded = np.zeros_like(image, shape=(image.shape[0], height, width))
    padded[:, : image.shape[1], : image.shape[2]] = image
    return padded
