"""The tests of BLOOM."""
