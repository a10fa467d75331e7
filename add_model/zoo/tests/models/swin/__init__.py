"""The tests of Swin."""
