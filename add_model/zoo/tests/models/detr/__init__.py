"""Tests of the DETR models."""
