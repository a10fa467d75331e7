"""The tests of Longformer."""
