"""The tests of ViTMAE."""
