"""The marker language: what is a marker, what of a block is compared, and what counts as equal."""
