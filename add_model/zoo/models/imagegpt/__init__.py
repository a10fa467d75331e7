"""ImageGPT: a decoder that writes images, colour by colour."""

from .image_processing_imagegpt import ImageGPTImageProcessor

__all__ = [
    "ImageGPTImageProcessor",
]
