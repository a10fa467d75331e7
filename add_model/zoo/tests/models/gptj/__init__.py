"""The tests of GPT-J."""
