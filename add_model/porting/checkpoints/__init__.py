"""Checkpoints: the original's weights, read one at a time, what their names say, and how weights are written."""
