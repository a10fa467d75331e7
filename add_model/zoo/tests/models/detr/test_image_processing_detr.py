"""Tests of DETR's image processor."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import PIL.Image
import pytest
import torch

from add_model.zoo.models.detr.image_processing_detr import DetrImageProcessor, polygons_to_mask

from ...test_image_processing_common import ImageProcessorTesterMixin, random_image

TRIANGLE = [1.5, 1.0, 7.2, 2.5, 4.0, 6.9]
RECTANGLES = [[0, 0, 4, 0, 4, 3, 0, 3], [6, 2, 9, 2, 9, 8, 6, 8]]


def small_processor(**options: Any) -> DetrImageProcessor:
    """Return a processor that makes small images."""
    return DetrImageProcessor(**{"size": {"shortest_edge": 20, "longest_edge": 40}, **options})


def annotated(*boxes: list[float], **others: Any) -> dict[str, Any]:
    """Return an annotation of COCO's with these boxes, of the classes 1, 2 and so on."""
    objects = [
        {"bbox": box, "category_id": index, "area": box[2] * box[3], **others} for index, box in enumerate(boxes, 1)
    ]
    return {"image_id": 7, "annotations": objects}


def drawn(mask: Any) -> list[str]:
    """Return a mask as lines of text."""
    return ["".join(".#"[int(value)] for value in row) for row in mask]


class TestDetrImageProcessor(ImageProcessorTesterMixin):
    image_processor_class = DetrImageProcessor
    small_options: ClassVar[dict[str, Any]] = {"size": {"shortest_edge": 20, "longest_edge": 40}}

    def test_sizes_keep_proportions_within_both_limits(self) -> None:
        processor = small_processor(do_pad=False)
        sizes = {(30, 60): (20, 40), (30, 90): (13, 40), (90, 31): (40, 14), (20, 25): (20, 25), (10, 10): (20, 20)}
        for before, after in sizes.items():
            assert processor(random_image(*before))["pixel_values"][0].shape == (3, *after)

    def test_smaller_images_are_padded_and_masked(self) -> None:
        batch = small_processor()([random_image(20, 30), random_image(40, 20)], return_tensors="pt")
        assert batch["pixel_values"].shape == (2, 3, 40, 30)
        assert batch["pixel_mask"].dtype is torch.int64
        assert batch["pixel_mask"][0].sum() == 20 * 30 and batch["pixel_mask"][1].sum() == 40 * 20
        assert batch["pixel_mask"][0, :20, :30].all() and batch["pixel_mask"][1, :40, :20].all()
        assert batch["pixel_values"][batch["pixel_mask"][:, None].expand(-1, 3, -1, -1) == 0].eq(0).all()
        framed = small_processor(pad_size={"height": 50, "width": 60})(random_image(20, 30))
        assert framed["pixel_values"][0].shape == (3, 50, 60)
        with pytest.raises(ValueError, match="does not fit into pad_size 10x10"):
            small_processor(pad_size=10)(random_image(20, 30))

    def test_boxes_follow_their_image(self) -> None:
        annotation = annotated([0.0, 0.0, 20.0, 10.0], [30.0, 20.0, 30.0, 20.0])
        (target,) = small_processor()(random_image(40, 60), annotation, return_tensors="pt")["labels"]
        # The image is halved, which shares do not notice; its right and lower edge are those of the second box.
        expected = torch.tensor([[1 / 6, 1 / 8, 1 / 3, 1 / 4], [3 / 4, 3 / 4, 1 / 2, 1 / 2]])
        assert torch.allclose(target["boxes"], expected)
        assert target["class_labels"].tolist() == [1, 2]
        assert target["area"].tolist() == [50.0, 150.0]
        assert target["orig_size"].tolist() == [40, 60] and target["size"].tolist() == [20, 30]
        corners = small_processor(do_convert_annotations=False)(random_image(40, 60), annotation)["labels"][0]["boxes"]
        assert corners.tolist() == [[0, 0, 10, 5], [15, 10, 30, 20]]

    def test_boxes_are_shares_of_the_padded_image(self) -> None:
        annotations = [annotated([0.0, 0.0, 30.0, 20.0]), annotated()]
        labels = small_processor()([random_image(20, 30), random_image(40, 20)], annotations)["labels"]
        assert np.allclose(labels[0]["boxes"], [[0.5, 0.25, 1.0, 0.5]])
        assert labels[0]["size"].tolist() == [40, 30]
        assert labels[1]["boxes"].shape == (0, 4)

    def test_what_reaches_beyond_the_image_is_cut_off(self) -> None:
        annotation = annotated([-5.0, 10.0, 15.0, 50.0], [3.0, 3.0, 0.0, 4.0], [4.0, 4.0, 1.0, 1.0])
        annotation["annotations"][2]["iscrowd"] = 1
        target = small_processor(do_convert_annotations=False)(random_image(20, 30), annotation)["labels"][0]
        assert target["boxes"].tolist() == [[0.0, 10.0, 10.0, 20.0]]
        assert target["class_labels"].tolist() == [1]

    def test_boxes_that_cannot_be_are_refused(self) -> None:
        for box in ([31.0, 0.0, 5.0, 5.0], [0.0, -9.0, 5.0, 5.0]):
            with pytest.raises(ValueError, match="lies outside of an image of height 20 and width 30"):
                small_processor()(random_image(20, 30), annotated(box))
        for box in ([5.0, 5.0, -2.0, 5.0], [float("nan"), 0.0, 5.0, 5.0]):
            with pytest.raises(ValueError, match="has no such size"):
                small_processor()(random_image(20, 30), annotated(box))
        with pytest.raises(ValueError, match="the four numbers"):
            small_processor()(random_image(20, 30), {"image_id": 1, "annotations": [{"bbox": [1.0, 2.0, 3.0]}]})

    def test_annotations_that_do_not_belong_to_images_are_refused(self) -> None:
        image = random_image(20, 30)
        with pytest.raises(ValueError, match="1 images and 2 annotations"):
            small_processor()(image, [annotated()] * 2)
        with pytest.raises(ValueError, match="must be a dictionary with 'annotations'"):
            small_processor()(image, {"image_id": 1})
        with pytest.raises(ValueError, match="must be a dictionary with 'bbox'"):
            small_processor()(image, {"image_id": 1, "annotations": [{"category_id": 1}]})
        with pytest.raises(ValueError, match="masks need the 'segmentation'"):
            small_processor()(image, annotated([1.0, 1.0, 2.0, 2.0]), return_segmentation_masks=True)
        with pytest.raises(ValueError, match="format must be 'coco_detection' or 'coco_panoptic'"):
            small_processor(format="voc")(image, annotated())
        with pytest.raises(ValueError, match="pass their folder as masks_path"):
            small_processor(format="coco_panoptic")(image, {"image_id": 1, "file_name": "a.png", "segments_info": []})
        with pytest.raises(ValueError, match="must have a longest_edge"):
            small_processor()(image, size=20)

    def test_polygons_become_the_masks_of_the_original(self) -> None:
        # What pycocotools makes of them.
        assert drawn(polygons_to_mask([TRIANGLE], 8, 9)) == [
            *(".........", "..#......", "..#####..", "...###...", "...###...", "...##....", ".........", "........."),
        ]
        assert drawn(polygons_to_mask(RECTANGLES, 8, 10)) == [
            *("####......", "####......", "####..###.", "......###.", "......###.", "......###.", "......###."),
            "......###.",
        ]
        assert not polygons_to_mask([], 3, 4).any()
        with pytest.raises(ValueError, match="three points at least"):
            polygons_to_mask([[1, 2, 3, 4]], 8, 9)
        with pytest.raises(ValueError, match="a list of polygons"):
            polygons_to_mask({"counts": [1], "size": [8, 9]}, 8, 9)

    def test_masks_follow_their_image(self) -> None:
        annotation = annotated([0.0, 0.0, 8.0, 7.0], segmentation=RECTANGLES)
        options = {"return_segmentation_masks": True, "size": {"height": 16, "width": 20}}
        batch = small_processor(pad_size={"height": 18, "width": 20})(random_image(8, 10), annotation, **options)
        masks = batch["labels"][0]["masks"]
        assert masks.shape == (1, 18, 20) and masks.dtype == bool
        enlarged = polygons_to_mask(RECTANGLES, 8, 10).repeat(2, axis=0).repeat(2, axis=1)
        assert np.array_equal(masks[0, :16], enlarged) and not masks[0, 16:].any()
        nothing = small_processor()(random_image(8, 10), annotated(), return_segmentation_masks=True)
        assert nothing["labels"][0]["masks"].shape[0] == 0

    def test_segments_of_a_picture(self, tmp_path: Path) -> None:
        colors = np.zeros((20, 30, 3), dtype=np.uint8)
        colors[:10, :, 0], colors[10:, 15:, 1] = 9, 2
        PIL.Image.fromarray(colors).save(tmp_path / "segments.png")
        segments = [
            {"id": number, "category_id": index, "iscrowd": 0, "area": 1} for index, number in enumerate((9, 512))
        ]
        annotation = {"image_id": 3, "file_name": "segments.png", "segments_info": segments}
        processor = small_processor(format="coco_panoptic", do_convert_annotations=False)
        target = processor(random_image(20, 30), annotation, masks_path=tmp_path)["labels"][0]
        assert target["masks"].sum(axis=(1, 2)).tolist() == [300, 150]
        assert target["boxes"].tolist() == [[0, 0, 29, 9], [15, 10, 29, 19]]
        without = processor(random_image(20, 30), annotation, False, tmp_path)["labels"][0]
        assert "masks" not in without and without["class_labels"].tolist() == [0, 1]
        with pytest.raises(ValueError, match="segments.png is of height 20 and width 30, but its image of height 21"):
            processor(random_image(21, 30), annotation, masks_path=tmp_path)

    def test_older_files_are_read(self) -> None:
        older = DetrImageProcessor(size=300, max_size=500, pad_and_return_pixel_mask=False, do_normalize=False)
        assert older.size == {"shortest_edge": 300, "longest_edge": 500}
        assert older.do_pad is False and older.do_convert_annotations is False
        assert DetrImageProcessor(size=300).size == {"shortest_edge": 300, "longest_edge": 1333}

    def test_objects_are_reported_where_the_model_is_sure(self) -> None:
        logits = torch.tensor([[[5.0, 0.0, 0.0], [0.0, 0.0, 5.0], [0.0, 4.0, 0.0]]])
        boxes = torch.tensor([[[0.5, 0.5, 0.2, 0.4], [0.1, 0.1, 0.1, 0.1], [0.5, 0.25, 1.0, 0.5]]])
        outputs = SimpleNamespace(logits=logits, pred_boxes=boxes)
        (found,) = small_processor().post_process_object_detection(outputs, target_sizes=[(100, 200)])
        assert found["labels"].tolist() == [0, 1]
        assert torch.allclose(found["boxes"], torch.tensor([[80.0, 30, 120, 70], [0, 0, 200, 50]]))
        with pytest.raises(ValueError, match="1 images and 2 target_sizes"):
            small_processor().post_process_object_detection(outputs, target_sizes=[(1, 1), (2, 2)])

    def test_segments_share_the_pixels_among_them(self) -> None:
        masks = torch.full((1, 3, 4, 6), -9.0)
        masks[0, 0, :2], masks[0, 1, 2:, :3], masks[0, 2, 2:, 3:] = 9.0, 9.0, 9.0
        logits = torch.full((1, 3, 3), -9.0)
        logits[0, 0, 0] = logits[0, 1, 1] = logits[0, 2, 1] = 9.0
        outputs = SimpleNamespace(logits=logits, pred_masks=masks)
        processor = small_processor()
        (apart,) = processor.post_process_instance_segmentation(outputs)
        assert [each["label_id"] for each in apart["segments_info"]] == [0, 1, 1]
        assert apart["segmentation"].tolist() == [[1] * 6, [1] * 6, [2] * 3 + [3] * 3, [2] * 3 + [3] * 3]
        (together,) = processor.post_process_panoptic_segmentation(outputs, label_ids_to_fuse={1})
        assert together["segmentation"].tolist() == [[1] * 6, [1] * 6, [2] * 6, [2] * 6]
        (runs,) = processor.post_process_instance_segmentation(outputs, return_coco_annotation=True)
        assert runs["segmentation"] == [[1, 12], [13, 3, 19, 3], [16, 3, 22, 3]]
        (classes,) = processor.post_process_semantic_segmentation(outputs, target_sizes=[(8, 12)])
        assert classes.shape == (8, 12) and classes[:3].eq(0).all() and classes[5:].eq(1).all()
        (nothing,) = processor.post_process_panoptic_segmentation(outputs, threshold=1.0, target_sizes=[(2, 3)])
        assert nothing["segmentation"].eq(-1).all() and nothing["segments_info"] == []
