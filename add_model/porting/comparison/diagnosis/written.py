"""The rules that a remedy asks for, as they stand in a rules file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from add_model.porting.comparison.diagnosis.scene import Scene
from add_model.porting.recording.file import Call


def do(steps: Sequence[str]) -> str:
    """The steps of a rule."""
    return f"do = [{', '.join(f'{{ {step} }}' for step in steps)}]"


def fill_rule(scene: Scene, call: Call, steps: Sequence[str]) -> list[str]:
    """The lines of a rule that fills the weight of a submodule of the new model, in every layer."""
    first = next((first for first, second in scene.comparison.alignment.pairs if second is call), None)
    old = call.path if first is None else first.path
    names = [f'{key} = "{_in_every_layer(path)}.weight"' for key, path in (("from", old), ("to", call.path))]
    return ["[[fill]]", *names, do(steps)]


def _in_every_layer(path: str) -> str:
    """A path with a place for the number of the layer, as a rule has it."""
    return re.sub(r"(?<![^.])\d+(?![^.])", "{layer}", path, count=1)
