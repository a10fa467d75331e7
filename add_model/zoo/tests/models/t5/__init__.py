"""The tests of T5."""
