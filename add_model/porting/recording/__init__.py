"""Recordings: one forward pass, and what went in and out of every submodule.

A pass is recorded in the original's own environment: of the tool, `recorder` and `writer` need no more than `errors`.
"""

from add_model.porting.recording.recorder import Recorder, record_forward

__all__ = ["Recorder", "record_forward"]
