"""Small configurations and inputs as generated packages find them, so that what is judged here is what those test."""

from __future__ import annotations

from types import ModuleType

from add_model.scaffold.surroundings.templates import bundled_folder

_FILE = bundled_folder() / "out_of_tree/library/tests/small.py.jinja"
_small = ModuleType("small")
exec(compile(_FILE.read_text(encoding="utf-8"), str(_FILE), "exec"), _small.__dict__)

MOST_PARAMETERS: int = _small.MOST_PARAMETERS
inputs_for = _small.inputs_for
small_settings = _small.small_settings
