"""DETR's annotations and post-processing against the published processor on Pillow."""

from __future__ import annotations

import copy
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
from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil

from add_model.zoo.models.detr.image_processing_detr import DetrImageProcessor
from add_model.zoo.tests.test_image_processing_common import random_image

from .parity import PARITY_SETTINGS

SIZES = [(24, 36), (40, 18), (21, 21)]


@st.composite
def options_drawn(draw: st.DrawFn) -> dict[str, Any]:
    """What is done to images and boxes."""
    size = draw(st.sampled_from([{"shortest_edge": 20, "longest_edge": 33}, {"height": 25, "width": 31}]))
    flags = draw(st.dictionaries(st.sampled_from(("do_resize", "do_normalize", "do_pad", "do_convert_annotations")), st.booleans()))  # fmt: skip
    padding = {"pad_size": {"height": 45, "width": 50}} if draw(st.booleans()) else {}
    return {"size": size, **flags, **padding}


@st.composite
def detections(draw: st.DrawFn, size: tuple[int, int]) -> dict[str, Any]:
    """An annotation of an image of this (height, width): objects that lie in it at least in part, or have no area."""
    objects = []
    for _ in range(draw(st.integers(0, 4))):
        left, top = draw(st.floats(-3, size[1] - 1)), draw(st.floats(-3, size[0] - 1))
        width, height = draw(st.sampled_from([0.0, 4.0, 7.25, 60.5])), draw(st.sampled_from([0.0, 3.5, 80.0]))
        objects.append(
            {
                "bbox": [left, top, width, height],
                "category_id": draw(st.integers(0, 90)),
                "area": width * height,
                "iscrowd": draw(st.sampled_from([0, 0, 0, 1])),
                "keypoints": [1.0, 2.0, 2.0, 3.5, 1.0, 0.0],
            }
        )
    return {"image_id": draw(st.integers(0, 10**6)), "annotations": objects}


def assert_same_batch(ours: Any, theirs: Any) -> None:
    """Two batches have the same arrays, and the same labels."""
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert len(ours[name]) == len(theirs[name])
        for mine, other in zip(ours[name], theirs[name], strict=True):
            if name == "labels":
                assert mine.keys() == set(other.keys())
                pairs = [(np.asarray(mine[key]), np.asarray(other[key])) for key in mine]
            else:
                pairs = [(np.asarray(mine), np.asarray(other))]
            for array, expected in pairs:
                assert array.dtype == expected.dtype and np.array_equal(array, expected)


@given(data=st.data())
@PARITY_SETTINGS
def test_detections(data: st.DataObject) -> None:
    options = data.draw(options_drawn())
    annotations = [data.draw(detections(size)) for size in SIZES]
    images = [random_image(*size) for size in SIZES]
    mine = DetrImageProcessor(**options)(images, annotations)
    assert_same_batch(mine, DetrImageProcessorPil(**options)(images, copy.deepcopy(annotations)))
    if options.get("do_pad", True):
        tensors = DetrImageProcessor(**options)(images, annotations, return_tensors="pt")
        assert_same_batch(tensors, DetrImageProcessorPil(**options)(images, copy.deepcopy(annotations), return_tensors="pt"))  # fmt: skip


@given(data=st.data())
@PARITY_SETTINGS
def test_panoptic_annotations(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("masks")
    options = {**data.draw(options_drawn()), "format": "coco_panoptic"}
    annotations = []
    for index, size in enumerate(SIZES):
        numbers = [3, 700, 70_000][: data.draw(st.integers(1, 3))]
        generator = np.random.default_rng(data.draw(st.integers(0, 9)))
        owners = (
            generator.choice(numbers, size=(3, 3)).repeat(size[0] // 3 + 1, axis=0).repeat(size[1] // 3 + 1, axis=1)
        )
        owners = owners[: size[0], : size[1]]
        colors = np.stack([owners % 256, owners // 256 % 256, owners // 256**2], axis=-1).astype(np.uint8)
        PIL.Image.fromarray(colors).save(folder / f"{index}.png")
        segments = [{"id": each, "category_id": each % 90, "iscrowd": 0, "area": each} for each in numbers]
        annotations.append({"image_id": index, "file_name": f"{index}.png", "segments_info": segments})
    with_masks = data.draw(st.sampled_from([None, True, False]))
    images = [random_image(*size) for size in SIZES]
    ours = DetrImageProcessor(**options)(images, annotations, with_masks, folder)
    theirs = DetrImageProcessorPil(**options)(
        images, copy.deepcopy(annotations), return_segmentation_masks=with_masks, masks_path=folder
    )
    assert_same_batch(ours, theirs)


def model_outputs(seed: int, sureness: float) -> Any:
    """What a model of two images, 12 queries and 5 classes might return."""
    generator = torch.Generator().manual_seed(seed)
    centers = torch.rand(2, 12, 2, 1, 1, generator=generator)
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 9), torch.linspace(0, 1, 13), indexing="ij")
    distances = (rows - centers[:, :, 0]) ** 2 + (columns - centers[:, :, 1]) ** 2
    return SimpleNamespace(
        logits=torch.randn(2, 12, 6, generator=generator) * sureness,
        pred_boxes=torch.rand(2, 12, 4, generator=generator),
        pred_masks=5 - 60 * distances,
    )


@given(data=st.data())
@PARITY_SETTINGS
def test_post_processing(data: st.DataObject) -> None:
    seed, sureness = data.draw(st.integers(0, 10_000)), data.draw(st.sampled_from([0.1, 3.0, 8.0]))
    outputs = model_outputs(seed, sureness)
    sizes = data.draw(st.sampled_from([None, [(20, 30), (7, 5)]]))
    threshold = data.draw(st.sampled_from([0.1, 0.5, 0.9]))
    overlap = data.draw(st.sampled_from([0.0, 0.5, 0.8]))
    fused = data.draw(st.sets(st.integers(0, 4)))
    ours, theirs = DetrImageProcessor(), DetrImageProcessorPil()
    for found, expected in zip(
        ours.post_process_object_detection(outputs, threshold, sizes),
        theirs.post_process_object_detection(outputs, threshold, sizes),
        strict=True,
    ):
        assert found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in found)
    scored = ours.post_process_semantic_segmentation(outputs, sizes, return_segmentation_scores=True)
    their_scored = theirs.post_process_semantic_segmentation(outputs, sizes, return_segmentation_scores=True)
    for mine, other in zip(scored, their_scored, strict=True):
        assert torch.equal(mine.segmentation, other.segmentation)
        assert torch.equal(mine.segmentation_scores, other.segmentation_scores)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("instance", {}),
        ("instance", {"return_coco_annotation": True}),
        ("panoptic", {"label_ids_to_fuse": fused}),
    ]
    for name, options in calls:
        given_options = {
            "threshold": threshold,
            "overlap_mask_area_threshold": overlap,
            "target_sizes": sizes,
            **options,
        }
        mine_found, other_found = (
            getattr(processor, f"post_process_{name}_segmentation")(outputs, **given_options)
            for processor in (ours, theirs)
        )
        for mine, other in zip(mine_found, other_found, strict=True):
            assert mine["segments_info"] == other["segments_info"]
            with warnings.catch_warnings():
                assert np.array_equal(
                    np.asarray(mine["segmentation"], object), np.asarray(other["segmentation"], object)
                )
