"""The tests of the models: one folder a model."""
