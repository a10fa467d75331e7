"""The porter's workbench: from a finished skeleton to the same numbers as the original, with evidence for every step.

What was found out is kept with the model, so that it can be asked for later, and checked again:

- `evidence`: a result with its figure, and the files it rests on; stale as soon as one of them changes.
"""
