"""Swin: a vision encoder whose attention stays inside windows that shift from block to block."""

from .configuration_swin import SwinConfig
from .image_processing_swin import SwinImageProcessor
from .modeling_swin import (
    SwinBackbone,
    SwinForImageClassification,
    SwinForMaskedImageModeling,
    SwinModel,
    SwinPreTrainedModel,
)

__all__ = [
    "SwinBackbone",
    "SwinConfig",
    "SwinForImageClassification",
    "SwinForMaskedImageModeling",
    "SwinImageProcessor",
    "SwinModel",
    "SwinPreTrainedModel",
]
