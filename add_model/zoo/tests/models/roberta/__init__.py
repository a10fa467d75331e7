"""The tests of RoBERTa."""
