"""What every image processor has to do: a mixin for the tests of each, and images of many kinds to process."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import torch

from add_model.zoo.auto_preprocessor import AutoImageProcessor
from add_model.zoo.image_processing_utils import BaseImageProcessor, BatchFeature

ORIENTATION = 0x0112


def random_pixels(*shape: int) -> npt.NDArray[np.uint8]:
    """Return numbers from 0 to 255 that are the same every time."""
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def random_image(height: int, width: int) -> PIL.Image.Image:
    """Return an image in red, green and blue."""
    return PIL.Image.fromarray(random_pixels(height, width, 3))


def rotated_image() -> PIL.Image.Image:
    """Return an image that says of itself that it lies on its side, read from a file of a camera's kind."""
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 6
    file = BytesIO()
    random_image(12, 20).save(file, "png", exif=exif)
    return PIL.Image.open(BytesIO(file.getvalue()))


def transparent_palette() -> PIL.Image.Image:
    """Return an image of a palette, one colour of which is transparent."""
    image = random_image(9, 14).convert("P")
    image.info["transparency"] = 3
    return image


def all_images() -> dict[str, PIL.Image.Image]:
    """Return images of every kind that has to be read, by what they are."""
    sixteen_bits = random_pixels(11, 13).astype(np.uint16) * 257
    return {
        "one pixel": random_image(1, 1),
        "tall": random_image(61, 7),
        "wide": random_image(5, 73),
        "larger": random_image(90, 120),
        "greyscale": random_image(21, 34).convert("L"),
        "palette": random_image(18, 15).convert("P"),
        "palette with transparency": transparent_palette(),
        "alpha": PIL.Image.fromarray(random_pixels(17, 23, 4)),
        "grey with alpha": PIL.Image.fromarray(random_pixels(17, 23, 2)),
        "black and white": random_image(24, 16).convert("1"),
        "sixteen bits": PIL.Image.fromarray(sixteen_bits),
        "print": random_image(19, 20).convert("CMYK"),
        "rotated": rotated_image(),
    }


class ImageProcessorTesterMixin:
    """Tests for an image processor; a subclass says how to make one.

    Class attributes:
        image_processor_class: the class under test.
        small_options: what makes one of a small size, so that tests are quick.
        main_output: what a call returns of each image; others may stand beside it.
    """

    image_processor_class: ClassVar[type[BaseImageProcessor]]
    small_options: ClassVar[dict[str, Any]] = {"size": {"height": 20, "width": 24}}
    main_output: ClassVar[str] = "pixel_values"

    def get_image_processor(self, **options: Any) -> BaseImageProcessor:
        """Return a processor that makes small images."""
        return self.image_processor_class(**{**self.small_options, **options})

    def processed(self, images: Any, **options: Any) -> Any:
        """Return what a small processor makes of images, stacked where they are of one size."""
        return self.get_image_processor()(images, **{"return_tensors": "pt", **options})[self.main_output]

    def test_every_kind_of_image_in_colour(self) -> None:
        for image in all_images().values():
            values = self.processed(image, do_convert_rgb=True)
            assert len(values) == 1
            assert values.dtype is torch.float32 or self.main_output == "input_ids"
            assert bool(torch.isfinite(values.float()).all())

    def test_images_without_colour_are_refused_where_they_are_not_converted(self) -> None:
        with pytest.raises(ValueError, match="1 channel, but image_mean has 3 values; pass do_convert_rgb=True"):
            self.processed(all_images()["greyscale"])
        with pytest.raises(ValueError, match="4 channels"):
            self.processed(all_images()["alpha"])

    def test_an_image_is_the_same_whatever_holds_it(self) -> None:
        image = random_image(30, 40)
        values = self.processed(image)
        last = np.array(image)
        first = np.moveaxis(last, -1, 0)
        batches: list[Any] = [last, first, [last], (image,), last[None], torch.from_numpy(last), [[image]]]
        for batch in [*batches, torch.from_numpy(first.copy()), torch.from_numpy(first.copy())[None]]:
            assert torch.equal(self.processed(batch), values)
        fractions = (torch.from_numpy(first.copy()).double() / 255).requires_grad_()
        assert self.processed(fractions, do_rescale=False).shape == values.shape

    def test_channels_where_the_number_does_not_tell(self) -> None:
        ambiguous = random_pixels(3, 40, 3)
        last = self.processed(ambiguous, input_data_format="channels_last")
        assert torch.equal(last, self.processed(PIL.Image.fromarray(ambiguous)))
        assert torch.equal(self.processed(ambiguous), self.processed(ambiguous, input_data_format="channels_first"))

    def test_batches_of_different_sizes(self) -> None:
        images = [random_image(30, 40), random_image(41, 22), random_image(8, 9)]
        together = self.get_image_processor()(images)[self.main_output]
        assert len(together) == 3
        for image, values in zip(images, together, strict=True):
            alone = self.get_image_processor()(image)[self.main_output][0]
            padding = [(0, most - size) for size, most in zip(alone.shape, values.shape, strict=True)]
            assert np.array_equal(np.pad(alone, padding), values)

    def test_images_are_left_as_they_are(self) -> None:
        pixels = random_pixels(3, 20, 24)
        before = pixels.copy()
        self.processed(pixels)
        self.processed(pixels, do_resize=False, do_rescale=False, do_normalize=False, do_convert_rgb=True)
        assert np.array_equal(pixels, before)

    def test_steps_can_be_left_out_for_one_call(self) -> None:
        processor = self.get_image_processor()
        before = processor.to_dict()
        steps = {
            name: False for name in ("do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_color_quantize")
        }
        known = {name: value for name, value in steps.items() if name in processor.option_names()}
        pixels = random_pixels(3, 20, 24)
        assert np.array_equal(processor(pixels, **known)["pixel_values"][0], pixels)
        assert processor.to_dict() == before

    def test_what_is_no_image_is_refused(self) -> None:
        for nothing in ("an image.png", None, 5, [random_image(4, 4), "other"], {"image": random_image(4, 4)}):
            with pytest.raises(ValueError, match="is no image"):
                self.processed(nothing)
        empty_batches: list[Any] = [[], [[]], np.zeros((0, 3, 4, 4))]
        for empty in empty_batches:
            with pytest.raises(ValueError, match="no image in the batch"):
                self.processed(empty)
        with pytest.raises(ValueError, match="an image must have 3 axes, and a batch 4"):
            self.processed(random_pixels(20, 30))
        with pytest.raises(ValueError, match="no axis of 1, 3 or 4 channels"):
            self.processed(random_pixels(20, 30, 5))
        with pytest.raises(ValueError, match="has no pixel"):
            self.processed(random_pixels(3, 0, 5))
        with pytest.raises(ValueError, match="from 0 to 255"):
            self.processed(np.full((3, 4, 4), 256), do_resize=True)
        with pytest.raises(ValueError, match="from 0 to 1"):
            self.processed(np.full((3, 4, 4), 1.5), do_resize=True)

    def test_options_that_do_not_exist_are_refused(self) -> None:
        with pytest.raises(ValueError, match="no option 'do_rotate'"):
            self.processed(random_image(4, 4), do_rotate=True)
        with pytest.raises(ValueError, match="size must"):
            self.get_image_processor(size={"depth": 3})
        with pytest.raises(ValueError, match="positive whole numbers"):
            self.get_image_processor(size={"height": 0, "width": 3})
        with pytest.raises(ValueError, match="return_tensors must be"):
            self.processed(random_image(4, 4), return_tensors="jax")
        with pytest.raises(ValueError, match="do_normalize needs image_mean"):
            self.processed(random_image(4, 4), do_normalize=True, image_mean=None)

    def test_saved_and_read(self, tmp_path: Path) -> None:
        processor = self.get_image_processor(do_convert_rgb=True, key_of_another_library=[1, 2])
        assert [path.name for path in processor.save_pretrained(tmp_path)] == ["preprocessor_config.json"]
        content = json.loads((tmp_path / "preprocessor_config.json").read_text(encoding="utf-8"))
        assert content["key_of_another_library"] == [1, 2]
        read = self.image_processor_class.from_pretrained(tmp_path)
        assert read.to_dict() == processor.to_dict() == content
        image = random_image(33, 21)
        assert np.array_equal(read(image)[self.main_output][0], processor(image)[self.main_output][0])
        found = type(AutoImageProcessor.from_pretrained(tmp_path))
        # Several classes may have one name in files, such as that of the published class that they are all like.
        assert (found.saved_type or found.__name__) == content["image_processor_type"]
        assert self.image_processor_class.from_pretrained(tmp_path, do_convert_rgb=False).do_convert_rgb is False
        with pytest.raises(FileNotFoundError, match="preprocessor_config.json"):
            self.image_processor_class.from_pretrained(tmp_path.parent)

    def test_what_a_call_returns(self) -> None:
        batch = self.get_image_processor()([random_image(9, 9)] * 2, return_tensors="pt")
        assert isinstance(batch, BatchFeature)
        assert batch.to("cpu")[self.main_output] is getattr(batch, self.main_output)
        assert set(self.image_processor_class.model_input_names) <= batch.keys()
        with pytest.raises(AttributeError, match="no attribute 'input_words'"):
            _ = batch.input_words
        arrays = self.get_image_processor()([random_image(9, 9)] * 2, return_tensors="np")[self.main_output]
        assert np.array_equal(arrays, batch[self.main_output].numpy())
