"""The tests of Decision Transformer."""
