"""The base class of all image processors: images in, the arguments of a model out."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np
import PIL.Image
import torch
from huggingface_hub import HfApi

from .configuration_utils import find_file, read_json_file
from .image_transforms import (
    ImageArray,
    array_to_rgb,
    center_crop,
    pad,
    pillow_to_rgb,
    rescale_and_normalize,
    resize,
    size_between_edges,
    size_for_shortest_edge,
    size_within,
)

PREPROCESSOR_FILE_NAME = "preprocessor_config.json"

# One image: Pillow's, or an array or tensor of three axes, the channels first or last; or a batch of these, as a
# sequence or as an array or tensor of four axes.
ImageInput: TypeAlias = Any
Size: TypeAlias = "int | Sequence[int] | Mapping[str, int]"

CHANNEL_AXES = {"channels_first": 0, "channels_last": -1}
# How many channels tell which axis of an array has them.
KNOWN_CHANNEL_COUNTS = (1, 3, 4)
SIZE_KEYS = (
    {"height", "width"},
    {"shortest_edge"},
    {"shortest_edge", "longest_edge"},
    {"longest_edge"},
    {"max_height", "max_width"},
)
COMMON_OPTIONS = (
    *("do_convert_rgb", "do_resize", "size", "resample", "default_to_square", "do_center_crop", "crop_size"),
    *("do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std", "do_pad", "pad_size"),
    "input_data_format",
)
# Keys of files that say who wrote them, and nothing of how images are processed.
IGNORED_KEYS = ("image_processor_type", "feature_extractor_type", "processor_class")

ImageProcessorType = TypeVar("ImageProcessorType", bound="BaseImageProcessor")


class BatchFeature(dict[str, Any]):
    """What an image processor returns: the arguments of a model's `forward`, by name."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}") from None

    def to(self, device: Any) -> BatchFeature:
        """Return the same batch with every tensor on a device; numbers with a fraction follow a dtype."""
        return BatchFeature({name: _moved(value, device) for name, value in self.items()})


def _moved(value: Any, device: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_moved(each, device) for each in value)
    if isinstance(value, torch.Tensor) and isinstance(device, torch.dtype) and not value.is_floating_point():
        return value
    return value.to(device) if isinstance(value, torch.Tensor | BatchFeature) else value


def as_batch(data: Mapping[str, Any], return_tensors: str | None) -> BatchFeature:
    """Return lists of arrays as they are, or stacked: "pt" for tensors of PyTorch, "np" for arrays.

    Raises:
        ValueError: arrays of different shapes cannot be stacked, or there is no such format.
    """
    if return_tensors is None:
        return BatchFeature(data)
    stacked = {}
    for name, arrays in data.items():
        shapes = {array.shape for array in arrays}
        if len(shapes) > 1:
            raise ValueError(
                f"{name!r} have different shapes, {' and '.join(map(str, sorted(shapes)))}, and make no tensor; "
                "resize or pad to one size, or leave return_tensors out"
            )
        stacked[name] = to_format(np.stack(arrays), return_tensors)
    return BatchFeature(stacked)


def to_format(array: ImageArray, return_tensors: str | None) -> ImageArray | torch.Tensor:
    """Return an array as it is, or as a tensor if the format is "pt".

    Raises:
        ValueError: there is no such format.
    """
    if return_tensors not in ("pt", "np", None):
        raise ValueError(f"return_tensors must be 'pt', 'np' or None, not {return_tensors!r}")
    return torch.from_numpy(array) if return_tensors == "pt" else array


def size_dictionary(name: str, size: Size | None, default_to_square: bool = True) -> dict[str, int] | None:
    """Return a size by names of its edges; one number is a square's, or the shortest edge's, a pair height and width.

    Raises:
        ValueError: it is no such size.
    """
    if size is None:
        return None
    if isinstance(size, int):
        size = {"height": size, "width": size} if default_to_square else {"shortest_edge": size}
    elif not isinstance(size, Mapping) and isinstance(size, Sequence) and len(size) == 2:
        size = {"height": size[0], "width": size[1]}
    if not isinstance(size, Mapping) or set(size) not in SIZE_KEYS:
        choices = "; ".join(" and ".join(sorted(keys)) for keys in SIZE_KEYS)
        raise ValueError(f"{name} must be a number of pixels, a pair, or a dictionary with {choices}; not {size!r}")
    if not all(isinstance(value, int) and value > 0 for value in size.values()):
        raise ValueError(f"{name} must have positive whole numbers of pixels, not {dict(size)!r}")
    return dict(size)


def flat_list(images: ImageInput, dimensions: int = 3) -> list[Any]:
    """Return every image of a batch, of a sequence of batches, or of one image.

    Args:
        images: what `ImageInput` says.
        dimensions: how many axes one image has: 3, or 2 for a map without channels.

    Raises:
        ValueError: there is no image, or something is none.
    """
    if isinstance(images, list | tuple):
        found = [image for each in images for image in flat_list(each, dimensions)]
    elif isinstance(images, PIL.Image.Image):
        found = [images]
    elif isinstance(images, np.ndarray | torch.Tensor) and images.ndim == dimensions + 1:
        found = list(images)
    elif isinstance(images, np.ndarray | torch.Tensor) and images.ndim == dimensions:
        found = [images]
    elif isinstance(images, np.ndarray | torch.Tensor):
        raise ValueError(
            f"an image must have {dimensions} axes, and a batch {dimensions + 1}; "
            f"this array has the shape {tuple(images.shape)}"
        )
    else:
        raise ValueError(f"{images!r:.80} is no image: pass images of Pillow, arrays, tensors, or lists of these")
    if not found:
        raise ValueError("there is no image in the batch; pass at least one")
    return found


def as_array(image: Any) -> ImageArray:
    """Return an image's values, in the order of axes that it has them in."""
    if isinstance(image, torch.Tensor):
        image = image.detach().cpu()
        array: ImageArray = (image.float() if image.dtype is torch.bfloat16 else image).numpy()
        return array
    return np.array(image) if isinstance(image, PIL.Image.Image) else image


def channels_first(array: ImageArray, data_format: str | None = None) -> ImageArray:
    """Return an array of shape (channels, height, width), from one that has its channels first or last.

    Where no format says which, it is the axis of one, three or four; the first if both are.

    Raises:
        ValueError: there is no such axis, or no such format.
    """
    if data_format is None:
        known = [name for name, axis in CHANNEL_AXES.items() if array.shape[axis] in KNOWN_CHANNEL_COUNTS]
        if not known:
            raise ValueError(
                f"an array of shape {array.shape} has no axis of 1, 3 or 4 channels, neither first nor last; "
                "say which by input_data_format"
            )
        data_format = known[0]
    if data_format not in CHANNEL_AXES:
        raise ValueError(f"input_data_format must be 'channels_first' or 'channels_last', not {data_format!r}")
    return np.moveaxis(array, CHANNEL_AXES[data_format], 0)


class BaseImageProcessor:
    """Images to the arguments of a model, as a published `preprocessor_config.json` says.

    A subclass sets the class attributes below that its model is published with, and overrides the methods that do
    something else. Every one of them can be given to the constructor, and to a call for that call alone.

    Class attributes:
        model_input_names: what a call returns.
        own_options: names of the attributes that only the subclass has.
        saved_type: the class that files name, where it is not the subclass itself.
        do_convert_rgb: whether images become red, green and blue first.
        do_resize, size, resample: whether, to what size, and with which number of `PIL.Image.Resampling`.
        default_to_square: whether a size of one number is that of both edges, or of the shorter one.
        do_center_crop, crop_size: whether, and which size is cut out of the middle.
        do_rescale, rescale_factor: whether, and what values are multiplied by.
        do_normalize, image_mean, image_std: whether, and with which mean and standard deviation of each channel.
        do_pad, pad_size: whether smaller images get zeros to the right and below, up to this size, or to that of the
            largest one of the batch.
        input_data_format: "channels_first" or "channels_last", or `None` to tell by the number of channels.

    Args:
        **options: values for these attributes; `None` leaves the published one. Keys of other libraries are kept as
            they are.

    Raises:
        ValueError: a size is none.
    """

    model_input_names: ClassVar[tuple[str, ...]] = ("pixel_values",)
    own_options: ClassVar[tuple[str, ...]] = ()
    saved_type: ClassVar[str | None] = None

    do_convert_rgb: bool | None = None
    do_resize: bool | None = None
    size: Any = None
    resample: int | None = None
    default_to_square: bool | None = True
    do_center_crop: bool | None = None
    crop_size: Any = None
    do_rescale: bool | None = None
    rescale_factor: float = 1 / 255
    do_normalize: bool | None = None
    image_mean: float | Sequence[float] | None = None
    image_std: float | Sequence[float] | None = None
    do_pad: bool | None = None
    pad_size: Any = None
    input_data_format: str | None = None

    def __init__(self, **options: Any) -> None:
        names = self.option_names()
        self.other_options = {
            key: value for key, value in options.items() if key not in names and key not in IGNORED_KEYS
        }
        self._set({name: copy.deepcopy(getattr(self, name)) for name in names})
        self._set({key: value for key, value in options.items() if key in names and value is not None})

    @classmethod
    def option_names(cls) -> tuple[str, ...]:
        """Return the names of everything that can be given to the constructor and to a call."""
        return (*COMMON_OPTIONS, *cls.own_options)

    def _set(self, options: Mapping[str, Any]) -> None:
        for name, value in options.items():
            setattr(self, name, list(value) if isinstance(value, tuple) else value)
        self.size = size_dictionary("size", self.size, bool(self.default_to_square))
        self.crop_size = size_dictionary("crop_size", self.crop_size)
        self.pad_size = size_dictionary("pad_size", self.pad_size)

    def with_options(self: ImageProcessorType, options: Mapping[str, Any]) -> ImageProcessorType:
        """Return a processor that differs in these options.

        Raises:
            ValueError: there is no such option, or what is to be done lacks another one.
        """
        unknown = sorted(options.keys() - self.option_names())
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no option {unknown[0]!r}; it has {', '.join(self.option_names())}"
            )
        changed = copy.copy(self)
        changed._set(options)
        needed = {
            "do_resize": ("size", "resample"),
            "do_center_crop": ("crop_size",),
            "do_rescale": ("rescale_factor",),
            "do_normalize": ("image_mean", "image_std"),
        }
        for step, names in needed.items():
            missing = [name for name in names if getattr(changed, name) is None]
            if getattr(changed, step) and missing:
                raise ValueError(f"{step} needs {' and '.join(missing)}")
        return changed

    def __call__(self, images: ImageInput, *args: Any, **options: Any) -> BatchFeature:
        """Return the arguments of the model for images; what there is besides images says `preprocess`."""
        return self.preprocess(images, *args, **options)

    def preprocess(self, images: ImageInput, *, return_tensors: str | None = None, **options: Any) -> BatchFeature:
        """Return the arguments of the model for images.

        Args:
            images: what `ImageInput` says.
            return_tensors: "pt" for one tensor of shape (batch size, channels, height, width), "np" for an array,
                `None` for a list of arrays.
            **options: what is done otherwise than usual.

        Raises:
            ValueError: something is no image, has channels that do not fit, or the batch is empty or makes no tensor.
        """
        processor = self.with_options(options)
        arrays = [processor.transform(array) for array in processor.to_arrays(images)]
        return as_batch({"pixel_values": processor.pad(arrays)}, return_tensors)

    def to_arrays(self, images: ImageInput) -> list[ImageArray]:
        """Return every image as an array of shape (channels, height, width).

        Raises:
            ValueError: something is no image, or it is not told which axis has the channels.
        """
        return [self._to_array(image) for image in flat_list(images)]

    def _to_array(self, image: Any) -> ImageArray:
        if isinstance(image, PIL.Image.Image):
            array = as_array(pillow_to_rgb(image) if self.do_convert_rgb else image)
            array = array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)
        else:
            array = channels_first(as_array(image), self.input_data_format)
            array = array_to_rgb(array) if self.do_convert_rgb and array.size else array
        if array.size == 0:
            raise ValueError(f"an image of shape {array.shape} has no pixel")
        return array

    def transform(self, array: ImageArray) -> ImageArray:
        """Return one image as the model sees it, but for padding."""
        if self.do_resize:
            array = self.resize(array)
        if self.do_center_crop:
            array = center_crop(array, *self.edges(self.crop_size, "crop_size"))
        return self.rescale_and_normalize(array)

    def resize(self, array: ImageArray) -> ImageArray:
        """Return an image of the size that the model expects."""
        return self.resize_to(array, *self.new_size(array.shape[1], array.shape[2]))

    def resize_to(self, array: ImageArray, height: int, width: int) -> ImageArray:
        """Return an image of a size, with the resampling of this processor."""
        return resize(array, height, width, PIL.Image.Resampling.BILINEAR if self.resample is None else self.resample)

    def new_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) that an image of this size is resized to.

        Raises:
            ValueError: `size` does not say.
        """
        if set(self.size) == {"shortest_edge", "longest_edge"}:
            return size_between_edges(height, width, self.size["shortest_edge"], self.size["longest_edge"])
        if set(self.size) == {"shortest_edge"}:
            return size_for_shortest_edge(height, width, self.size["shortest_edge"])
        if set(self.size) == {"max_height", "max_width"}:
            return size_within(height, width, self.size["max_height"], self.size["max_width"])
        return self.edges(self.size, "size")

    def edges(self, size: Mapping[str, int], name: str) -> tuple[int, int]:
        """Return the height and width that a size says.

        Raises:
            ValueError: it says others.
        """
        if set(size) != {"height", "width"}:
            raise ValueError(f"{name} must have a height and a width here, not {dict(size)!r}")
        return size["height"], size["width"]

    def rescale_and_normalize(self, array: ImageArray) -> ImageArray:
        """Return an image with the values that the model expects."""
        factor = self.rescale_factor if self.do_rescale else None
        if self.do_normalize:
            return rescale_and_normalize(array, factor, self.image_mean, self.image_std)
        return rescale_and_normalize(array, factor)

    def pad(self, arrays: list[ImageArray]) -> list[ImageArray]:
        """Return images of one size, where padding is on."""
        return [pad(array, *self.padded_size(arrays)) for array in arrays] if self.do_pad else arrays

    def padded_size(self, arrays: Sequence[ImageArray]) -> tuple[int, int]:
        """Return the (height, width) that images are padded to."""
        if self.pad_size is not None:
            return self.edges(self.pad_size, "pad_size")
        return max(array.shape[1] for array in arrays), max(array.shape[2] for array in arrays)

    def to_dict(self) -> dict[str, Any]:
        """Return what `preprocessor_config.json` holds."""
        options = {name: getattr(self, name) for name in self.option_names() if name != "default_to_square"}
        present = {
            name: value
            for name, value in options.items()
            if value is not None or getattr(type(self), name) is not None
        }
        return copy.deepcopy(
            {**self.other_options, **present, "image_processor_type": self.saved_type or type(self).__name__}
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({json.dumps(self.to_dict(), sort_keys=True)})"

    def save_pretrained(self, folder: str | Path) -> list[Path]:
        """Write `preprocessor_config.json` into a folder, which is made if it is not there; return its path."""
        path = Path(folder) / PREPROCESSOR_FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return [path]

    def push_to_hub(self, repo_id: str, *, private: bool | None = None, token: str | bool | None = None) -> str:
        """Upload what `save_pretrained` writes into a repository on the Hub, and return its address."""
        hub = HfApi(token=token)
        url = hub.create_repo(repo_id, private=private, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            hub.upload_folder(repo_id=repo_id, folder_path=folder, commit_message="Upload image processor")
        return str(url)

    @classmethod
    def from_pretrained(
        cls: type[ImageProcessorType],
        folder_or_hub_id: str | Path,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        **options: Any,
    ) -> ImageProcessorType:
        """Read an image processor from a folder or from a repository on the Hub; keyword arguments win over its file.

        Raises:
            FileNotFoundError: there is no such folder or repository, or it has no such file.
            ValueError: the file does not hold what it should.
        """
        path = find_file(
            folder_or_hub_id,
            PREPROCESSOR_FILE_NAME,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            force_download=force_download,
            local_files_only=local_files_only,
        )
        if path is None:
            raise FileNotFoundError(f"{folder_or_hub_id} has no {PREPROCESSOR_FILE_NAME}")
        return cls(**{**read_json_file(path), **options})
