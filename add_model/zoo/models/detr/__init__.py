"""DETR: a convolutional network and an encoder-decoder that find the objects in an image, all at once."""

from .configuration_detr import DetrConfig
from .image_processing_detr import DetrImageProcessor
from .modeling_detr import (
    DetrForObjectDetection,
    DetrForSegmentation,
    DetrModel,
    DetrPreTrainedModel,
)

__all__ = [
    "DetrConfig",
    "DetrForObjectDetection",
    "DetrForSegmentation",
    "DetrImageProcessor",
    "DetrModel",
    "DetrPreTrainedModel",
]
