"""The tests of BERT."""
