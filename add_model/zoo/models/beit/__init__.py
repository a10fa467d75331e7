"""BEiT: a vision encoder that is trained on visual words of masked patches."""

from .image_processing_beit import BeitImageProcessor

__all__ = [
    "BeitImageProcessor",
]
