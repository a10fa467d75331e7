"""ViT: an encoder that reads an image as a sequence of patches."""

from .configuration_vit import ViTConfig
from .image_processing_vit import ViTImageProcessor
from .modeling_vit import (
    ViTForImageClassification,
    ViTForMaskedImageModeling,
    ViTModel,
    ViTPreTrainedModel,
)

__all__ = [
    "ViTConfig",
    "ViTForImageClassification",
    "ViTForMaskedImageModeling",
    "ViTImageProcessor",
    "ViTModel",
    "ViTPreTrainedModel",
]
