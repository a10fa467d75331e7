"""Tests of Swin."""
