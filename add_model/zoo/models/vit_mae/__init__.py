"""ViTMAE: an encoder that sees a quarter of the patches of an image, and a small decoder that paints the rest."""

from .configuration_vit_mae import ViTMAEConfig
from .image_processing_vit_mae import ViTMAEImageProcessor
from .modeling_vit_mae import (
    ViTMAEForPreTraining,
    ViTMAEModel,
    ViTMAEPreTrainedModel,
)

__all__ = [
    "ViTMAEConfig",
    "ViTMAEForPreTraining",
    "ViTMAEImageProcessor",
    "ViTMAEModel",
    "ViTMAEPreTrainedModel",
]
