"""A library of one's own in plain PyTorch, as a kind of library: what is planned for a model there, and how it is rendered."""
