"""The demo, and what it says about how to go on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console import typed
from tests.installed import commands_of_an_environment

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_after_the_demo_its_last_lines_make_the_command_one_of_the_shell(tmp_path: Path) -> None:
    commands = commands_of_an_environment(tmp_path / "environment")
    # What environment.sh leaves behind when everything is installed: nothing is to be fetched here.
    wanted = subprocess.run(
        ["bash", "-c", "cat pyproject.toml constraints.txt | cksum"], cwd=ROOT, capture_output=True
    )
    (tmp_path / "environment" / "installed").write_bytes(wanted.stdout.strip())
    bare = f"/usr/local/bin:/usr/bin:/bin:{Path(sys.executable).parent}"
    environment = {**os.environ, "ENVIRONMENT": str(commands.parent), "PATH": bare}
    result = subprocess.run(
        ["bash", str(ROOT / "scripts" / "demo.sh"), str(tmp_path / "a folder")],
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    lines = re.findall(r"(?m)^  (.*)$", result.stdout.partition("To go on there")[2])
    assert len(lines) == 2
    *_, (printed, code) = typed([*lines, "command -v add-model && add-model check-copies"], tmp_path, environment)
    assert code == 0 and printed.startswith(f"{commands}/add-model\nall copies hold"), printed
