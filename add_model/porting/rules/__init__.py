"""Rules: how the weights of a checkpoint become those of a new model, as values and as a file that a person can review."""
