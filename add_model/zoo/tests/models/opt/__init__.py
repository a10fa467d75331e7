"""The tests of OPT."""
