"""The image processor of DETR: images in their proportions, padded to one size, with the objects that are in them.

Sizes and values are those of the original code (facebookresearch/detr, `datasets/coco.py` and `datasets/transforms.py`;
Carion et al. 2020, section 4): the shorter edge 800 pixels, the longer one 1333 at most, ImageNet's mean and deviation.
Boxes come as in COCO, (left, top, width, height) in pixels, and leave as (centre x, centre y, width, height) in shares of
the image.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import PIL.Image
import torch
from PIL.Image import Resampling
from torch.nn import functional

from ...image_processing_utils import BaseImageProcessor, BatchFeature, ImageInput, as_batch, to_format
from ...image_transforms import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD, ImageArray, pad, resize

# An annotation as COCO has it, and what the model learns from: arrays by name.
Annotation: TypeAlias = Mapping[str, Any]
Target: TypeAlias = dict[str, ImageArray]
Sizes: TypeAlias = "Sequence[tuple[int, int]] | torch.Tensor"

# What an annotation must have, by the format it is in.
ANNOTATION_KEYS = {
    "coco_detection": ("image_id", "annotations"),
    "coco_panoptic": ("image_id", "file_name", "segments_info"),
}
# How much finer COCO's own code (pycocotools, `rleFrPoly`) follows the outline of a polygon than pixels do.
OUTLINE_SCALE = 5
# Where there is no segment.
NO_SEGMENT = -1


class DetrImageProcessor(BaseImageProcessor):
    """Turns images into the `pixel_values` and the `pixel_mask` of DETR, and annotations into its `labels`.

    Class attributes:
        format: how annotations are written: "coco_detection" or "coco_panoptic".
        do_convert_annotations: whether boxes leave as centres and sizes in shares of the image, rather than as corners
            in pixels; as `do_normalize` if nothing is said.

    Args:
        size: of the shorter edge in pixels, or what `size` may be elsewhere.
        max_size: of the longer edge, for a size of one number; 1333 if nothing is said.
        pad_and_return_pixel_mask: the older name of `do_pad`.
        **options: as in `BaseImageProcessor`.
    """

    model_input_names = ("pixel_values", "pixel_mask")
    own_options = ("format", "do_convert_annotations")

    do_resize = True
    size = {"shortest_edge": 800, "longest_edge": 1333}
    default_to_square = False
    resample = Resampling.BILINEAR
    do_rescale = True
    do_normalize = True
    image_mean = IMAGENET_DEFAULT_MEAN
    image_std = IMAGENET_DEFAULT_STD
    do_pad = True
    format: str = "coco_detection"
    do_convert_annotations: bool | None = None

    def __init__(
        self,
        size: Any = None,
        max_size: int | None = None,
        pad_and_return_pixel_mask: bool | None = None,
        **options: Any,
    ) -> None:
        if isinstance(size, int):
            size = {"shortest_edge": size, "longest_edge": 1333 if max_size is None else max_size}
        if options.get("do_pad") is None:
            options["do_pad"] = pad_and_return_pixel_mask
        super().__init__(size=size, **options)
        if self.do_convert_annotations is None:
            self.do_convert_annotations = bool(self.do_normalize)

    def preprocess(
        self,
        images: ImageInput,
        annotations: Annotation | Sequence[Annotation] | None = None,
        return_segmentation_masks: bool | None = None,
        masks_path: str | Path | None = None,
        *,
        return_tensors: str | None = None,
        **options: Any,
    ) -> BatchFeature:
        """Return the arguments of the model for images.

        Args:
            images: what `ImageInput` says.
            annotations: for every image what is in it, as a dictionary of COCO's.
            return_segmentation_masks: whether labels have `masks`, of shape (objects, height, width); those of
                "coco_panoptic" do if nothing is said.
            masks_path: the folder of the pictures that annotations of "coco_panoptic" name.
            return_tensors: "pt" for tensors, "np" for arrays, `None` for lists of arrays.
            **options: what is done otherwise than usual.

        Returns:
            `pixel_values` of shape (batch size, 3, height, width); where images are padded `pixel_mask` of shape (batch
            size, height, width), 1 where an image is; and with annotations `labels`, a dictionary for every image.

        Raises:
            ValueError: as in `BaseImageProcessor.preprocess`, or annotations and images do not belong together.
        """
        processor = self.with_options(options)
        arrays = processor.to_arrays(images)
        transformed = [processor.transform(array) for array in arrays]
        padded_size = processor.padded_size(transformed)
        data = {"pixel_values": processor.pad(transformed)}
        if processor.do_pad:
            data["pixel_mask"] = [pixel_mask(array.shape[1:], padded_size) for array in transformed]
        batch = as_batch(data, return_tensors)
        if annotations is not None:
            described = [annotations] if isinstance(annotations, Mapping) else list(annotations)
            processor.check_annotations(described, len(arrays))
            batch["labels"] = []
            for array, seen, annotation in zip(arrays, transformed, described, strict=True):
                target = processor.read(annotation, array.shape[1:], return_segmentation_masks, masks_path)
                target = processor.follow(target, array.shape[1:], seen.shape[1:], padded_size)
                values = {name: to_format(value, return_tensors) for name, value in target.items()}
                batch["labels"].append(BatchFeature(values))
        return batch

    def transform(self, array: ImageArray) -> ImageArray:
        """Return one image as the model sees it, but for padding; nothing is cut off."""
        return self.rescale_and_normalize(self.resize(array) if self.do_resize else array)

    def new_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) that an image of this size is resized to.

        Raises:
            ValueError: `size` has a shortest edge only, which may make an image of any length.
        """
        if set(self.size) == {"shortest_edge"}:
            raise ValueError(f"size must have a longest_edge beside the shortest_edge, not {self.size!r}")
        return super().new_size(height, width)

    def check_annotations(self, annotations: Sequence[Any], images: int) -> None:
        """Check that there is an annotation for every image, and that it has what belongs to its format.

        Raises:
            ValueError: one is missing, or lacks something.
        """
        if self.format not in ANNOTATION_KEYS:
            raise ValueError(f"format must be {' or '.join(map(repr, ANNOTATION_KEYS))}, not {self.format!r}")
        if len(annotations) != images:
            raise ValueError(f"there are {images} images and {len(annotations)} annotations; pass one for each")
        keys = ANNOTATION_KEYS[self.format]
        for annotation in annotations:
            missing = [key for key in keys if not isinstance(annotation, Mapping) or key not in annotation]
            if missing:
                raise ValueError(f"an annotation of {self.format!r} must be a dictionary with {missing[0]!r}")

    def read(
        self,
        annotation: Annotation,
        size: tuple[int, ...],
        with_masks: bool | None = None,
        masks_path: str | Path | None = None,
    ) -> Target:
        """Return what an annotation says of an image of (height, width) pixels, with boxes as corners in pixels.

        Raises:
            ValueError: it says what cannot be.
        """
        if self.format == "coco_detection":
            return detection_target(annotation, size[0], size[1], bool(with_masks))
        return panoptic_target(annotation, size[0], size[1], with_masks is not False, masks_path)

    def follow(
        self, target: Target, before: tuple[int, ...], seen: tuple[int, ...], padded: tuple[int, int]
    ) -> Target:
        """Return a target that follows its image from its size through that which the model sees to the padded one."""
        if self.do_resize:
            target = resized_target(target, (before[0], before[1]), (seen[0], seen[1]))
        if self.do_convert_annotations:
            edges = np.asarray([seen[1], seen[0], seen[1], seen[0]], dtype=np.float32)
            target = {**target, "boxes": corners_to_center(target["boxes"]) / edges}
        if self.do_pad and seen != padded:
            target = padded_target(target, (seen[0], seen[1]), padded, bool(self.do_convert_annotations))
        return target

    def post_process_object_detection(
        self, outputs: Any, threshold: float = 0.5, target_sizes: Sizes | None = None
    ) -> list[dict[str, torch.Tensor]]:
        """Return the objects of every image that the model is sure of: their `scores`, `labels` and `boxes`.

        Args:
            outputs: the model's, with `logits` of shape (batch size, queries, classes + 1) and `pred_boxes`.
            threshold: the score that an object must exceed.
            target_sizes: the (height, width) of each image; boxes are corners in its pixels then, otherwise in shares.

        Raises:
            ValueError: there are more or fewer sizes than images.
        """
        # The last class is "no object", which no query is reported for.
        scores, labels = outputs.logits.softmax(-1)[..., :-1].max(-1)
        boxes = center_to_corners(outputs.pred_boxes)
        if target_sizes is not None:
            check_sizes(target_sizes, len(boxes))
            sizes = torch.as_tensor(target_sizes).to(boxes)
            boxes = boxes * sizes.flip(1).repeat(1, 2)[:, None]
        results = []
        for score, label, box in zip(scores, labels, boxes, strict=True):
            is_kept = score > threshold
            results.append({"scores": score[is_kept], "labels": label[is_kept], "boxes": box[is_kept]})
        return results

    def post_process_semantic_segmentation(
        self, outputs: Any, target_sizes: Sizes | None = None, return_segmentation_scores: bool = False
    ) -> list[Any]:
        """Return the most likely class of every pixel of every image, a tensor of shape (height, width).

        Args:
            outputs: the model's, with `logits` and with `pred_masks` of shape (batch size, queries, height, width).
            target_sizes: the (height, width) of each image.
            return_segmentation_scores: whether each one is a dictionary instead, of `segmentation` and
                `segmentation_scores` of shape (classes, height, width).

        Raises:
            ValueError: there are more or fewer sizes than images.
        """
        classes = outputs.logits.softmax(dim=-1)[..., :-1]
        scores = list(torch.einsum("bqc, bqhw -> bchw", classes, outputs.pred_masks.sigmoid()))
        if target_sizes is not None:
            check_sizes(target_sizes, len(scores))
            scores = [enlarged(each, size) for each, size in zip(scores, target_sizes, strict=True)]
        segmentations = [each.argmax(dim=0) for each in scores]
        if not return_segmentation_scores:
            return segmentations
        return [
            BatchFeature({"segmentation": segmentation, "segmentation_scores": each})
            for segmentation, each in zip(segmentations, scores, strict=True)
        ]

    def post_process_instance_segmentation(
        self,
        outputs: Any,
        threshold: float = 0.5,
        mask_threshold: float = 0.5,
        overlap_mask_area_threshold: float = 0.8,
        target_sizes: Sizes | None = None,
        return_coco_annotation: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the objects of every image and which pixels each has; see `post_process_panoptic_segmentation`.

        Args:
            return_coco_annotation: whether `segmentation` is a list of COCO's run lengths instead, one for each number.
        """
        results = self.post_process_panoptic_segmentation(
            outputs, threshold, mask_threshold, overlap_mask_area_threshold, (), target_sizes
        )
        if return_coco_annotation:
            for result in results:
                segmentation = result["segmentation"]
                if not segmentation.eq(NO_SEGMENT).any():
                    result["segmentation"] = [run_lengths(segmentation == number) for number in segmentation.unique()]
        return results

    def post_process_panoptic_segmentation(
        self,
        outputs: Any,
        threshold: float = 0.5,
        mask_threshold: float = 0.5,
        overlap_mask_area_threshold: float = 0.8,
        label_ids_to_fuse: Collection[int] | None = None,
        target_sizes: Sizes | None = None,
    ) -> list[dict[str, Any]]:
        """Return the segments of every image: which one each pixel belongs to, and what they are.

        Args:
            outputs: the model's, with `logits` and with `pred_masks` of shape (batch size, queries, height, width).
            threshold: the score that a query must exceed.
            mask_threshold: what a pixel must reach to belong to a mask.
            overlap_mask_area_threshold: the share of its mask that a segment must be left with by the others.
            label_ids_to_fuse: classes of which an image has one segment only, such as the sky.
            target_sizes: the (height, width) of each image.

        Returns:
            For every image `segmentation`, a tensor of shape (height, width) with the number of the segment, 0 for none;
            -1 throughout where nothing was found. And `segments_info`, for each segment its `id`, its `label_id`,
            whether it `was_fused`, and its `score`.

        Raises:
            ValueError: there are more or fewer sizes than images.
        """
        scores, labels = outputs.logits.softmax(-1).max(-1)
        no_object = outputs.logits.shape[-1] - 1
        if target_sizes is not None:
            check_sizes(target_sizes, len(scores))
        results = []
        for index, masks in enumerate(outputs.pred_masks.sigmoid()):
            is_kept = labels[index].ne(no_object) & (scores[index] > threshold)
            size = masks.shape[1:] if target_sizes is None else tuple(map(int, target_sizes[index]))
            if not is_kept.any():
                results.append({"segmentation": torch.full(size, float(NO_SEGMENT)), "segments_info": []})
                continue
            kept = masks[is_kept] if target_sizes is None else enlarged(masks[is_kept], size)
            segmentation, segments = find_segments(
                *(kept, scores[index][is_kept], labels[index][is_kept]),
                *(mask_threshold, overlap_mask_area_threshold, label_ids_to_fuse or ()),
            )
            results.append({"segmentation": segmentation, "segments_info": segments})
        return results


def pixel_mask(size: tuple[int, ...], padded: tuple[int, int]) -> ImageArray:
    """Return an array of a padded (height, width) that is 1 where an image of (height, width) is, and 0 beside it."""
    mask: ImageArray = pad(np.ones((1, *size), dtype=np.int64), *padded)[0]
    return mask


def values_of(objects: Sequence[Any], key: str, dtype: Any) -> ImageArray:
    """Return what every object of an annotation has under a key.

    Raises:
        ValueError: one has nothing there, or something else than the others.
    """
    if not all(isinstance(each, Mapping) and key in each for each in objects):
        raise ValueError(f"every object of an annotation must be a dictionary with {key!r}")
    try:
        return np.asarray([each[key] for each in objects], dtype=dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{key!r} of the objects of an annotation must be numbers, as many in each: {error}"
        ) from error


def detection_target(annotation: Annotation, height: int, width: int, with_masks: bool) -> Target:
    """Return what an annotation of "coco_detection" says of an image.

    Crowds are left out, and so are boxes without an area, once they are cut off at the edges of the image.

    Raises:
        ValueError: a box lies outside of the image, or is none.
    """
    objects = [
        each for each in annotation["annotations"] if not (isinstance(each, Mapping) and each.get("iscrowd", 0))
    ]
    boxes = values_of(objects, "bbox", np.float32)
    check_boxes(boxes, height, width)
    boxes = boxes.reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    boxes[:, 0::2] = boxes[:, 0::2].clip(min=0, max=width)
    boxes[:, 1::2] = boxes[:, 1::2].clip(min=0, max=height)
    is_kept = (boxes[:, 3] > boxes[:, 1]) & (boxes[:, 2] > boxes[:, 0])
    target = {
        "image_id": np.asarray([annotation["image_id"]], dtype=np.int64),
        "class_labels": values_of(objects, "category_id", np.int64)[is_kept],
        "boxes": boxes[is_kept],
        "area": values_of(objects, "area", np.float32)[is_kept],
        "iscrowd": np.zeros(len(objects), dtype=np.int64)[is_kept],
        "orig_size": np.asarray([height, width], dtype=np.int64),
    }
    if objects and "keypoints" in objects[0]:
        keypoints = values_of(objects, "keypoints", np.float32)[is_kept]
        target["keypoints"] = keypoints.reshape(-1, 3) if len(keypoints) else keypoints
    if with_masks:
        if not all("segmentation" in each for each in objects):
            raise ValueError("masks need the 'segmentation' of every object of an annotation")
        masks = [polygons_to_mask(each["segmentation"], height, width) for each in objects]
        target["masks"] = np.asarray(masks, dtype=bool).reshape(-1, height, width)[is_kept]
    return target


def check_boxes(boxes: ImageArray, height: int, width: int) -> None:
    """Check that every box, (left, top, width, height) in pixels, has at least a part in the image, if it has any area.

    Raises:
        ValueError: one has not.
    """
    if boxes.size and boxes.shape[1:] != (4,):
        raise ValueError("a box must have the four numbers (left, top, width, height)")
    for left, top, box_width, box_height in boxes.tolist():
        named = f"the box {[left, top, box_width, box_height]} of (left, top, width, height)"
        if not (np.isfinite([left, top, box_width, box_height]).all() and box_width >= 0 and box_height >= 0):
            raise ValueError(f"{named} has no such size; boxes are written as in COCO")
        is_beside = left >= width or left + box_width <= 0 or top >= height or top + box_height <= 0
        if is_beside and box_width > 0 and box_height > 0:
            raise ValueError(f"{named} lies outside of an image of height {height} and width {width}")


def panoptic_target(
    annotation: Annotation, height: int, width: int, with_masks: bool, masks_path: str | Path | None
) -> Target:
    """Return what an annotation of "coco_panoptic" says of an image; which pixels are whose stands in a picture.

    Raises:
        ValueError: the folder of the picture is not given, or the picture has another size than the image.
    """
    if masks_path is None:
        raise ValueError("annotations of 'coco_panoptic' name pictures of masks; pass their folder as masks_path")
    segments = annotation["segments_info"]
    with PIL.Image.open(Path(masks_path) / annotation["file_name"]) as picture:
        colors = np.asarray(picture.convert("RGB"), dtype=np.uint32)
    if colors.shape[:2] != (height, width):
        raise ValueError(
            f"{annotation['file_name']} is of height {colors.shape[0]} and width {colors.shape[1]}, "
            f"but its image of height {height} and width {width}"
        )
    # A segment's number is written as a colour, its lowest byte as red (panopticapi, `rgb2id`).
    numbers = colors[..., 0] + 256 * colors[..., 1] + 256 * 256 * colors[..., 2]
    ids = values_of(segments, "id", np.int64)
    masks = (numbers == ids[:, None, None]).astype(np.uint8)
    target: Target = {
        "image_id": np.asarray([annotation["image_id"]], dtype=np.int64),
        "size": np.asarray([height, width], dtype=np.int64),
        "orig_size": np.asarray([height, width], dtype=np.int64),
        "boxes": masks_to_boxes(masks),
        "class_labels": values_of(segments, "category_id", np.int64),
        "iscrowd": values_of(segments, "iscrowd", np.int64),
        "area": values_of(segments, "area", np.float32),
    }
    return {**target, "masks": masks} if with_masks else target


def masks_to_boxes(masks: ImageArray) -> ImageArray:
    """Return the box around each of the masks of shape (masks, height, width): the corners of its outermost pixels."""
    boxes = np.zeros((len(masks), 4), dtype=np.float32)
    for box, mask in zip(boxes, masks, strict=True):
        rows, columns = np.nonzero(mask)
        # A mask without a pixel begins far to the right of where it ends, as in the original's `masks_to_boxes`.
        box[:] = (columns.min(), rows.min(), columns.max(), rows.max()) if len(rows) else (1e8, 1e8, 0, 0)
    return boxes


def polygons_to_mask(polygons: Any, height: int, width: int) -> ImageArray:
    """Return which pixels are inside of one of several polygons, each a list of x and y in turn.

    Raises:
        ValueError: a polygon is no such list of three points at least.
    """
    mask = np.zeros((height, width), dtype=bool)
    if isinstance(polygons, Mapping):
        raise ValueError("a segmentation must be a list of polygons; run lengths are those of crowds")
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(f"a polygon must have x and y of three points at least, not {len(polygon)} numbers")
        mask |= _polygon_to_mask(np.asarray(polygon, dtype=np.float64).reshape(-1, 2), height, width)
    return mask


def _polygon_to_mask(points: ImageArray, height: int, width: int) -> ImageArray:
    """Return the pixels inside of a polygon, as COCO's own code finds them (pycocotools, `rleFrPoly`).

    The outline is followed in steps of a fifth of a pixel. Where it passes the middle of a column of pixels, what is below
    changes from outside to inside, or back.
    """
    corners = np.trunc(OUTLINE_SCALE * points + 0.5).astype(np.int64)
    outline = np.concatenate([_line(*pair) for pair in zip(corners, np.roll(corners, -1, axis=0), strict=True)])
    before, after = outline[:-1], outline[1:]
    moves = after[:, 0] != before[:, 0]
    before, after = before[moves], after[moves]
    x = np.where(after[:, 0] < before[:, 0], after[:, 0], after[:, 0] - 1)
    x = (x + 0.5) / OUTLINE_SCALE - 0.5
    y = np.ceil(np.clip((np.minimum(before[:, 1], after[:, 1]) + 0.5) / OUTLINE_SCALE - 0.5, 0, height))
    is_middle = (np.floor(x) == x) & (x >= 0) & (x <= width - 1)
    changes = (x[is_middle] * height + y[is_middle]).astype(np.int64)
    # From top to bottom, column by column: one that begins at the lower end of a column begins the next.
    parity = np.cumsum(np.bincount(changes, minlength=height * width)[: height * width]) % 2
    return parity.astype(bool).reshape(width, height).T


def _line(start: ImageArray, end: ImageArray) -> ImageArray:
    """Return every point from one to another, both among them, in steps of one along the longer direction."""
    along = 0 if abs(end[0] - start[0]) >= abs(end[1] - start[1]) else 1
    steps = abs(end[along] - start[along])
    # The slope starts from the end that is further left or above, so that both directions give the same points.
    first, last = (start, end) if start[along] <= end[along] else (end, start)
    slope = (last[1 - along] - first[1 - along]) / steps if steps else 0.0
    offsets = np.arange(steps + 1)
    points = np.empty((steps + 1, 2), dtype=np.int64)
    points[:, along] = first[along] + offsets
    points[:, 1 - along] = np.trunc(first[1 - along] + slope * offsets + 0.5)
    return points if first is start else points[::-1]


def resized_target(target: Target, before: tuple[int, int], after: tuple[int, int]) -> Target:
    """Return a target that follows its image from one (height, width) to another."""
    height_ratio, width_ratio = (new / old for new, old in zip(after, before, strict=True))
    ratios = np.asarray([width_ratio, height_ratio, width_ratio, height_ratio], dtype=np.float32)
    result = {**target, "size": np.asarray(after, dtype=np.int64)}
    result["boxes"] = target["boxes"] * ratios
    result["area"] = target["area"] * (width_ratio * height_ratio)
    if "masks" in target:
        masks = [resize(mask[None].astype(np.uint8), *after, Resampling.NEAREST)[0] for mask in target["masks"]]
        result["masks"] = np.asarray(masks, dtype=bool).reshape(-1, *after)
    return result


def padded_target(target: Target, before: tuple[int, int], after: tuple[int, int], in_shares: bool) -> Target:
    """Return a target that follows its image from one (height, width) into a frame of another."""
    result = {**target, "size": np.asarray(after, dtype=np.int64)}
    if "masks" in target:
        result["masks"] = pad(target["masks"], *after)
    if in_shares:
        ratios = np.asarray([before[1] / after[1], before[0] / after[0], before[1] / after[1], before[0] / after[0]])
        result["boxes"] = (target["boxes"] * ratios).astype(target["boxes"].dtype)
    return result


def corners_to_center(boxes: ImageArray) -> ImageArray:
    """Return (left, top, right, bottom) as (centre x, centre y, width, height)."""
    left, top, right, bottom = boxes.T
    return np.stack([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top], axis=-1)


def center_to_corners(boxes: torch.Tensor) -> torch.Tensor:
    """Return (centre x, centre y, width, height) as (left, top, right, bottom)."""
    x, y, width, height = boxes.unbind(-1)
    return torch.stack([x - 0.5 * width, y - 0.5 * height, x + 0.5 * width, y + 0.5 * height], dim=-1)


def check_sizes(target_sizes: Sizes, images: int) -> None:
    """Check that there is a size for every image.

    Raises:
        ValueError: there is not.
    """
    if len(target_sizes) != images:
        raise ValueError(f"there are {images} images and {len(target_sizes)} target_sizes; pass one for each")


def enlarged(maps: torch.Tensor, size: Sequence[int] | torch.Tensor) -> torch.Tensor:
    """Return maps of shape (maps, height, width) that are interpolated to another (height, width)."""
    return functional.interpolate(maps[None], size=tuple(map(int, size)), mode="bilinear", align_corners=False)[0]


def find_segments(
    masks: torch.Tensor,
    scores: torch.Tensor,
    labels: torch.Tensor,
    mask_threshold: float,
    overlap_threshold: float,
    label_ids_to_fuse: Collection[int],
) -> tuple[torch.Tensor, list[dict[str, Any]]]:
    """Give each pixel to the query that is surest of it, and tell which queries are left with a segment.

    Args:
        masks: how sure each query is of each pixel, of shape (queries, height, width).
        scores: how sure each query is of its object.
        labels: the class of each query.
        mask_threshold: what the product of both must reach for a pixel to belong to a query's whole mask.
        overlap_threshold: the share of its whole mask that a query must be left with.
        label_ids_to_fuse: the classes whose queries make one segment together.

    Returns:
        The number of the segment of each pixel, of shape (height, width), and what each segment is.
    """
    weighted = masks * scores.view(-1, 1, 1)
    owners = weighted.argmax(0)
    segmentation = torch.zeros(owners.shape, dtype=torch.int32, device=masks.device)
    segments: list[dict[str, Any]] = []
    fused: dict[int, int] = {}
    number = 0
    for query, label in enumerate(labels.tolist()):
        own = owners == query
        whole = (weighted[query] >= mask_threshold).sum()
        if not own.any() or whole == 0 or not (own.sum() / whole).item() > overlap_threshold:
            continue
        # Counting goes on from what was fused last, as in the published function: a later segment may get a number that
        # another one has.
        number = fused.get(label, number + 1)
        segmentation[own] = number
        is_fused = label in label_ids_to_fuse
        score = round(scores[query].item(), 6)
        segments.append({"id": number, "label_id": label, "was_fused": is_fused, "score": score})
        if is_fused:
            fused[label] = number
    return segmentation, segments


def run_lengths(mask: torch.Tensor) -> list[int]:
    """Return where each run of a mask begins, counted from 1, and how long it is, in turn, row by row."""
    return [int(number) for run in _runs(mask.flatten().tolist()) for number in run]


def _runs(values: Sequence[bool]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.asarray([False, *values, False], dtype=np.int8)))
    for start, end in edges.reshape(-1, 2):
        yield start + 1, end - start
