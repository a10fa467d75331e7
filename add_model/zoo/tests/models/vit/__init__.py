"""The tests of ViT."""
