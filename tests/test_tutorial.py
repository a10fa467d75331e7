"""The tutorial, typed from its top to its bottom: what it shows is what is printed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.console import mismatch, steps, typed
from tests.installed import commands_of_an_environment

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_tutorial_can_be_done_from_top_to_bottom(tmp_path: Path, figure: Callable[[str], None]) -> None:
    environment = {
        **os.environ,
        "PATH": f"{commands_of_an_environment(tmp_path / 'environment')}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PIP_QUIET": "1",
    }
    environment.pop("FORCE_COLOR", None)
    folder = tmp_path / "working"
    folder.mkdir()
    everything = list(steps(TUTORIAL))
    results = typed([step.command for step in everything], folder, environment)
    found = [mismatch(step, *result) for step, result in zip(everything, results, strict=False)]
    assert not any(found), "\n".join(filter(None, found))
    assert len(results) == len(everything) > 15, "the shell ended before the page did"
    figure(f"docs/tutorial.md: {len(everything)} commands typed, and what they print is what it shows")
