"""Hostile checkpoints, configurations, rules and recordings for `convert` and `compare`; `hostile.py` measures them.

The inputs are those of the tests. These commands import torch, which takes some 230 MB whatever they read: run
`hostile.py` with a name of this table to see what a case takes beyond that, in the row of the harmless input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile_case import Case  # noqa: E402

from tests.security.hostile_ports import (  # noqa: E402
    COMPARE,
    HOSTILE,
    NAME,
    call,
    recording,
    safetensors,
    tensor,
    write_checkpoint,
)


def _harmless(command: tuple[str, ...]) -> Callable[[Path, int], None]:
    """An ordinary input of so many bytes for a command: what is large in it is a weight, or a text that nobody reads."""

    def make(folder: Path, size: int) -> None:
        if command == COMPARE:
            (folder / "whole.safetensors").write_bytes(recording([call()]))
            (folder / "hostile.safetensors").write_bytes(recording([call()], config={"notes": "x" * size}))
            return
        write_checkpoint(folder)
        count = max(8, size // 4 // 8 * 8)
        weights = safetensors({NAME: tensor([count], 0, 4 * count)}, bytes(4 * count))
        (folder / "checkpoint" / "model.safetensors").write_bytes(weights)
        (folder / "config.json").write_text(json.dumps({"n_layer": 1, "n_embd": 8, "n_head": 2, "vocab_size": 40, "n_positions": 20}))  # fmt: skip
        (folder / "rules.toml").write_text('[[drop]]\nfrom = "h.{layer}.ln_1.weight"\nreason = "an example"\n')

    return make


CASES = tuple(Case(each.name, each.make, _harmless(each.command), each.command) for each in HOSTILE)
