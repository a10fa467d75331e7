"""The tests of DeBERTa."""
