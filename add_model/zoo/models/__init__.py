"""The models of the library: one package a model, each readable on its own."""
