"""Putting copies right, so that no edit is lost: what is written, in which order, and with which imports."""
