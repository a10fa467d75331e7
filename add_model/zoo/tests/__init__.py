"""The tests of the library; each model has a folder of its own under `models`."""
