"""Conversion: a new model filled by rules from a checkpoint, every weight once, or told what keeps it from being filled."""
