"""SegFormer: an encoder whose maps get smaller from stage to stage, with a light decoder that classifies every pixel."""

from .configuration_segformer import SegformerConfig
from .image_processing_segformer import SegformerImageProcessor
from .modeling_segformer import (
    SegformerForImageClassification,
    SegformerForSemanticSegmentation,
    SegformerModel,
    SegformerPreTrainedModel,
)

__all__ = [
    "SegformerConfig",
    "SegformerForImageClassification",
    "SegformerForSemanticSegmentation",
    "SegformerImageProcessor",
    "SegformerModel",
    "SegformerPreTrainedModel",
]
