"""The tests of BART."""
