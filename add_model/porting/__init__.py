"""The porter's workbench: a checkpoint converted, two forward passes compared, fourteen steps ticked off.

- Recording: `recording` runs a forward pass and keeps what goes in and out of every submodule, `recording_writer`
  streams it into one file, `recording_file` reads it back. These three need torch and safetensors, no other part of
  the tool but `errors`, so that they run in the original's own environment.
"""
