"""The porter's workbench: fill a new model from the original's checkpoint, and find the first place where it differs.

subject     the model that is worked on: found by name in a library, imported, built without allocating its weights
rules       how the weights of a checkpoint become those of the new model, as a TOML file that a person can review;
            made of pattern (names), operations (what is done to tensors), rule (values), expansion (what they come to)
"""
