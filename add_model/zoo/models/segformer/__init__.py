"""SegFormer: an encoder of shrinking stages and a light decoder that says what each pixel belongs to."""

from .image_processing_segformer import SegformerImageProcessor

__all__ = [
    "SegformerImageProcessor",
]
