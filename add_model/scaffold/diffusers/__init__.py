"""A source tree of Diffusers, as a kind of library: the same path, answers -> plan -> files -> tree."""
