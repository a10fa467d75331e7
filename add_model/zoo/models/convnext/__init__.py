"""ConvNeXt: a convolutional network brought up to date with the choices of transformers."""

from .configuration_convnext import ConvNextConfig
from .image_processing_convnext import ConvNextImageProcessor
from .modeling_convnext import (
    ConvNextBackbone,
    ConvNextForImageClassification,
    ConvNextModel,
    ConvNextPreTrainedModel,
)

__all__ = [
    "ConvNextBackbone",
    "ConvNextConfig",
    "ConvNextForImageClassification",
    "ConvNextImageProcessor",
    "ConvNextModel",
    "ConvNextPreTrainedModel",
]
