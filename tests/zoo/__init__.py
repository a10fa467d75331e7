"""Tests of the bundled library against the published implementations."""
