"""The tests of BEiT."""
