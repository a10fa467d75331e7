"""The tests of ImageGPT."""
