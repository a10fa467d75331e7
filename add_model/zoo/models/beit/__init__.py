"""BEiT: a vision encoder that is trained on visual words of masked patches."""

from .configuration_beit import BeitConfig
from .image_processing_beit import BeitImageProcessor
from .modeling_beit import (
    BeitForImageClassification,
    BeitForMaskedImageModeling,
    BeitForSemanticSegmentation,
    BeitModel,
    BeitPreTrainedModel,
)

__all__ = [
    "BeitConfig",
    "BeitForImageClassification",
    "BeitForMaskedImageModeling",
    "BeitForSemanticSegmentation",
    "BeitImageProcessor",
    "BeitModel",
    "BeitPreTrainedModel",
]
