"""The tests of GPT-2."""
