"""Image processors against the published ones on Pillow: the same numbers to the last bit, and the same refusals."""

from __future__ import annotations

import copy
import importlib
import json
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from add_model.zoo import AutoImageProcessor, registry
from add_model.zoo.auto import import_class
from add_model.zoo.tests.test_image_processing_common import all_images, random_image, random_pixels

from .parity import PARITY_SETTINGS

# Options that change what is done, each drawn or not; every processor ignores those it does not have.
SIZES = {
    "default": [{"height": 20, "width": 31}, 24, [17, 40]],
    "convnext": [{"shortest_edge": 20}, 30, {"shortest_edge": 384}],
    "detr": [
        {"shortest_edge": 20, "longest_edge": 33},
        {"shortest_edge": 50, "longest_edge": 60},
        {"height": 20, "width": 31},
        {"max_height": 40, "max_width": 25},
    ],
}
# A palette for ImageGPT, which has to be given one.
OWN_OPTIONS: dict[str, dict[str, Any]] = {"imagegpt": {"clusters": (random_pixels(12, 3) / 127.5 - 1).tolist()}}
# Whose class a model takes that has none of its own in the published library.
SHARED = {"swin": "vit", "vit_mae": "vit"}

MODEL_TYPES = sorted(registry.IMAGE_PROCESSOR_MAPPING_NAMES)


def published_class(model_type: str) -> Any:
    """The published class that runs on Pillow."""
    owner = SHARED.get(model_type, model_type)
    name = registry.IMAGE_PROCESSOR_MAPPING_NAMES[owner]
    return getattr(importlib.import_module(f"transformers.models.{owner}.image_processing_pil_{owner}"), f"{name}Pil")


def pair(model_type: str, **options: Any) -> tuple[Any, Any]:
    """Ours and the published one, with the same options."""
    options = {**OWN_OPTIONS.get(model_type, {}), **options}
    ours = import_class(model_type, registry.IMAGE_PROCESSOR_MAPPING_NAMES[model_type])
    return ours(**options), published_class(model_type)(**options)


def outcome(processor: Any, images: Any, **options: Any) -> dict[str, list[Any]] | None:
    """What a processor makes of images: every array; `None` where it refuses them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            batch = processor(images, **options)
        except (ValueError, TypeError):
            return None
    return {name: [np.asarray(value) for value in values] for name, values in batch.items()}


def assert_same(ours: dict[str, list[Any]] | None, theirs: dict[str, list[Any]] | None) -> None:
    """Two outcomes are the same to the last bit."""
    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        assert ours.keys() == theirs.keys()
        for name, arrays in ours.items():
            assert [array.dtype for array in arrays] == [array.dtype for array in theirs[name]]
            assert [array.shape for array in arrays] == [array.shape for array in theirs[name]]
            assert all(
                np.array_equal(array, other, equal_nan=True) for array, other in zip(arrays, theirs[name], strict=True)
            )


@st.composite
def drawn_options(draw: st.DrawFn, model_type: str) -> dict[str, Any]:
    """Options of one call or constructor."""
    flags = draw(st.dictionaries(st.sampled_from(("do_resize", "do_rescale", "do_normalize", "do_convert_rgb")), st.booleans()))  # fmt: skip
    options: dict[str, Any] = {**flags, "size": draw(st.sampled_from(SIZES.get(model_type, SIZES["default"])))}
    if draw(st.booleans()):
        options["resample"] = draw(st.sampled_from(range(6)))
    if draw(st.booleans()):
        options |= {"do_center_crop": True, "crop_size": draw(st.sampled_from([12, {"height": 45, "width": 8}, {"height": 9, "width": 50}]))}  # fmt: skip
    if draw(st.booleans()):
        options |= {"image_mean": [0.1, 0.25, 0.7], "image_std": [0.3, 0.5, 0.9]}
    if draw(st.booleans()):
        options["rescale_factor"] = draw(st.sampled_from([1 / 128, 2.0]))
    return options


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_published_defaults(model_type: str) -> None:
    ours, theirs = pair(model_type)
    image = random_image(48, 64)
    assert_same(outcome(ours, image), outcome(theirs, image))
    assert json.loads(json.dumps(ours.to_dict())) == json.loads(theirs.to_json_string())


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@given(data=st.data())
@PARITY_SETTINGS
def test_every_kind_of_image(model_type: str, data: st.DataObject) -> None:
    options = data.draw(drawn_options(model_type))
    ours, theirs = pair(model_type, **options)
    images = list(all_images().values())
    for image in images:
        assert_same(outcome(ours, image), outcome(theirs, image))
    in_colour = {"do_convert_rgb": True, "do_rescale": True}
    assert_same(outcome(ours, images, **in_colour), outcome(theirs, images, **in_colour))


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_arrays_and_tensors(model_type: str) -> None:
    ours, theirs = pair(model_type, size=SIZES.get(model_type, SIZES["default"])[0])
    pixels = random_pixels(3, 14, 22)
    arrays: list[Any] = [
        *(pixels, np.moveaxis(pixels, 0, -1), pixels.astype(np.int64), pixels.astype(np.float64), pixels / 255),
        *((pixels / 255).astype(np.float16), pixels[:1], random_pixels(4, 14, 22), random_pixels(4, 14, 22) / 255),
        *(random_pixels(14, 22), random_pixels(2, 14, 22), random_pixels(3, 5, 3), pixels - 300.0, pixels / 100),
        *(
            pixels > 99,
            np.full((3, 4, 4), np.nan),
            pixels[None],
            [pixels, pixels[:, :9]],
            [[pixels], [pixels, pixels]],
        ),
    ]
    arrays += [torch.from_numpy(pixels), torch.from_numpy(pixels)[None].float(), [torch.from_numpy(pixels / 255)]]
    for array in arrays:
        for options in (
            {},
            {"do_convert_rgb": True},
            {"do_rescale": False},
            {"do_resize": False, "do_normalize": False},
        ):
            assert_same(outcome(ours, array, **options), outcome(theirs, array, **options))


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@given(data=st.data())
@PARITY_SETTINGS
def test_files_are_read_both_ways(
    model_type: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("processor")
    ours, theirs = pair(model_type, **data.draw(drawn_options(model_type)))
    image = random_image(26, 37)
    ours.save_pretrained(folder)
    expected = outcome(ours, image)
    assert_same(outcome(type(theirs).from_pretrained(folder), image), expected)
    theirs.save_pretrained(folder)
    assert_same(outcome(AutoImageProcessor.from_pretrained(folder), image), expected)


@pytest.mark.parametrize("model_type", ["beit", "segformer"])
@given(data=st.data())
@PARITY_SETTINGS
def test_maps_of_classes(model_type: str, data: st.DataObject) -> None:
    options = {**data.draw(drawn_options(model_type)), "do_reduce_labels": data.draw(st.booleans())}
    ours, theirs = pair(model_type, **options)
    sizes = data.draw(st.lists(st.sampled_from([(1, 1), (5, 40), (33, 8), (21, 24)]), min_size=1, max_size=3))
    images = [random_image(*size) for size in sizes]
    kind = data.draw(st.sampled_from((np.uint8, np.int32, np.int64, np.uint16)))
    # The published processor changes the maps that it is given.
    maps = [(random_pixels(*size) % np.uint8(5) * 63).astype(kind) for size in sizes]
    pictures = [PIL.Image.fromarray(each.astype(np.uint8)) for each in maps]
    tensors = [torch.from_numpy(each.astype(np.int64)) for each in maps]
    for given_maps in (pictures, tensors, [each.copy() for each in maps]):
        expected = outcome(theirs, images, segmentation_maps=copy.deepcopy(given_maps))
        assert_same(outcome(ours, images, segmentation_maps=given_maps), expected)


@pytest.mark.parametrize("model_type", ["beit", "segformer"])
def test_post_processing_of_semantic_segmentation(model_type: str) -> None:
    ours, theirs = pair(model_type)
    outputs = SimpleNamespace(logits=torch.randn(3, 5, 7, 9, generator=torch.Generator().manual_seed(0)))
    sizes = [(20, 30), (1, 1), (7, 9)]
    for target_sizes in (None, sizes, torch.tensor(sizes)):
        segmentations = ours.post_process_semantic_segmentation(outputs, target_sizes)
        # The published ones take no tensor.
        their_sizes = None if target_sizes is None else sizes
        expected = theirs.post_process_semantic_segmentation(outputs, their_sizes, return_segmentation_scores=True)
        scored = ours.post_process_semantic_segmentation(outputs, target_sizes, return_segmentation_scores=True)
        for segmentation, mine, other in zip(segmentations, scored, expected, strict=True):
            assert torch.equal(segmentation, other.segmentation)
            assert torch.equal(mine.segmentation, other.segmentation)
            assert torch.equal(mine.segmentation_scores, other.segmentation_scores)
    for processor in (ours, theirs):
        with pytest.raises(ValueError):
            processor.post_process_semantic_segmentation(outputs, sizes[:1])
