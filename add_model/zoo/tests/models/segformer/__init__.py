"""The tests of SegFormer."""
