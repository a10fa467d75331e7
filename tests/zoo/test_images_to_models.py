"""What image processors return is what models take: from pictures to outputs, losses and answers, out of one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from add_model.zoo import AutoImageProcessor, AutoModel, registry
from add_model.zoo.auto import AutoConfig, import_class
from add_model.zoo.tests.test_image_processing_common import random_image

VIT = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24, "image_size": 32}
SEGFORMER = {
    **{"num_encoder_blocks": 2, "depths": [1, 1], "sr_ratios": [2, 1], "hidden_sizes": [8, 16]},
    **{"patch_sizes": [7, 3], "strides": [4, 2], "num_attention_heads": [1, 2], "mlp_ratios": [2, 2]},
    "decoder_hidden_size": 12,
}
DETR: dict[str, Any] = {
    "backbone_config": {
        "embedding_size": 8,
        "hidden_sizes": [8, 16, 16, 16],
        "depths": [1] * 4,
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
    },
    **{"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16},
    **{"encoder_attention_heads": 8, "decoder_attention_heads": 2, "num_queries": 5, "num_labels": 4},
}
# Values of a small model, and options of a processor that makes images for it.
SMALL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "beit": ({**VIT, "patch_size": 8, "num_hidden_layers": 4, "out_indices": [1, 2, 3, 4]}, {"size": 32}),
    "convnext": ({"depths": [1, 1, 1, 1], "hidden_sizes": [4, 8, 8, 8]}, {"size": {"shortest_edge": 32}}),
    "detr": (DETR, {"size": {"shortest_edge": 32, "longest_edge": 60}}),
    "imagegpt": (
        {"vocab_size": 4, "n_positions": 64, "n_embd": 16, "n_layer": 2, "n_head": 2},
        {"size": 8, "clusters": [[-1.0, -1.0, -1.0], [0.0, 0.5, 0.0], [1.0, 1.0, 1.0]]},
    ),
    "segformer": (SEGFORMER, {"size": 32}),
    "swin": (
        {"image_size": 32, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4},
        {"size": 32},
    ),
    "vit": ({**VIT, "patch_size": 8}, {"size": 32}),
    "vit_mae": (
        {
            **VIT,
            "patch_size": 8,
            "decoder_hidden_size": 16,
            "decoder_num_hidden_layers": 1,
            "decoder_num_attention_heads": 2,
        },
        {"size": 32},
    ),
}
MODEL_TYPES = [
    name for name in sorted(registry.IMAGE_PROCESSOR_MAPPING_NAMES) if name in registry.CONFIG_MAPPING_NAMES
]
# Of few large spots, of which small images keep the colours.
IMAGES = [random_image(3, 5).resize((47, 30)), random_image(5, 3).resize((33, 52))]


def of(model_type: str, class_name: str) -> tuple[Any, Any]:
    """A small model with a head, in evaluation mode, and its processor."""
    torch.manual_seed(0)
    values, options = SMALL[model_type]
    processor = import_class(model_type, registry.IMAGE_PROCESSOR_MAPPING_NAMES[model_type])(**options)
    return import_class(model_type, class_name)(AutoConfig.for_model(model_type, **values)).eval(), processor


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_a_folder_holds_all_that_it_takes(model_type: str, tmp_path: Path) -> None:
    model, processor = of(model_type, registry.MODEL_MAPPING_NAMES[model_type])
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    batch = AutoImageProcessor.from_pretrained(tmp_path)(IMAGES, return_tensors="pt")
    with torch.no_grad():
        outputs = AutoModel.from_pretrained(tmp_path).eval()(**batch)
    hidden_states = outputs.last_hidden_state
    assert len(hidden_states) == 2 and bool(torch.isfinite(hidden_states).all())
    # The two images are told apart.
    assert not torch.allclose(hidden_states[0], hidden_states[1])


@pytest.mark.parametrize("head", ["DetrForObjectDetection", "DetrForSegmentation"])
def test_a_detector_learns_from_annotations_and_answers_in_pixels(head: str) -> None:
    model, processor = of("detr", head)
    objects = [
        {
            "bbox": [2.0, 3.0, 20.0, 15.0],
            "category_id": 1,
            "area": 300.0,
            "segmentation": [[2, 3, 22, 3, 22, 18, 2, 18]],
        },
        {"bbox": [5.0, 5.0, 9.0, 30.0], "category_id": 3, "area": 90.0, "segmentation": [[5, 5, 14, 5, 9, 25]]},
    ]
    annotations = [{"image_id": 1, "annotations": objects}, {"image_id": 2, "annotations": objects[:1]}]
    batch = processor(IMAGES, annotations, head == "DetrForSegmentation", return_tensors="pt")
    outputs = model(**batch)
    outputs.loss.backward()
    assert bool(torch.isfinite(outputs.loss)) and outputs.loss > 0
    sizes = [(image.height, image.width) for image in IMAGES]
    found = processor.post_process_object_detection(outputs, threshold=0.0, target_sizes=sizes)
    assert [len(each["boxes"]) for each in found] == [5, 5]
    if head == "DetrForSegmentation":
        segmented = processor.post_process_panoptic_segmentation(outputs, threshold=0.0, target_sizes=sizes)
        assert [each["segmentation"].shape for each in segmented] == sizes


@pytest.mark.parametrize("model_type", ["beit", "segformer"])
def test_maps_of_classes_are_learned_and_answered(model_type: str) -> None:
    model, processor = of(model_type, registry.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES[model_type])
    maps = [torch.randint(0, 2, (image.height, image.width)) for image in IMAGES]
    batch = processor(IMAGES, maps, return_tensors="pt")
    assert batch["labels"].shape == (2, 32, 32)
    outputs = model(**batch)
    assert bool(torch.isfinite(outputs.loss))
    sizes = [(image.height, image.width) for image in IMAGES]
    assert [each.shape for each in processor.post_process_semantic_segmentation(outputs, sizes)] == sizes
