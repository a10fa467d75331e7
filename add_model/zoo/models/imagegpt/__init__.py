"""ImageGPT: a decoder that continues an image, colour by colour."""

from .configuration_imagegpt import ImageGPTConfig
from .image_processing_imagegpt import ImageGPTImageProcessor
from .modeling_imagegpt import (
    ImageGPTForCausalImageModeling,
    ImageGPTForImageClassification,
    ImageGPTModel,
    ImageGPTPreTrainedModel,
)

__all__ = [
    "ImageGPTConfig",
    "ImageGPTForCausalImageModeling",
    "ImageGPTForImageClassification",
    "ImageGPTImageProcessor",
    "ImageGPTModel",
    "ImageGPTPreTrainedModel",
]
