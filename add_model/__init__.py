"""Adds models to single-file model libraries, and keeps their copies honest."""

__version__ = "0.1.0"
