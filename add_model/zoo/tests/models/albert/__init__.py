"""The tests of ALBERT."""
