"""Comparison: two recordings held against each other, where the difference begins, and why it does."""
