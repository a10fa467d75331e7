"""The tests of ConvNeXt."""
