"""The porter's workbench: from a finished skeleton to the same numbers as the original, with evidence for every step.

What was found out is kept with the model, so that it can be asked for later, and checked again:

- `evidence`: a result with its figure, and the files it rests on; stale as soon as one of them changes.

Recording: `recording` runs a forward pass and keeps what goes in and out of every submodule, `recording_writer` streams
it into one file, `recording_file` reads it back. They need torch and safetensors, and of the tool no more than `errors`,
so that they run in the original's own environment.
"""
