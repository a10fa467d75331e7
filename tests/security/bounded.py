"""Commands on hostile trees, as processes of their own: with an end, and with an end to their memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

# A safety net: what these tests are about takes a second and a hundred megabytes.
SECONDS, BYTES = 240, 2 << 30


def add_model(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a command says of the tree in a folder; it ends in any case, and ends by itself."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))

    home = folder.parent / "home"
    answer = subprocess.run(
        [sys.executable, "-c", "from add_model.cli import script; script()", *arguments],
        cwd=folder,
        env=os.environ | {f"XDG_{kind}_HOME": str(home / kind) for kind in ("CACHE", "STATE")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        preexec_fn=limit,
    )
    assert answer.returncode in (0, 1, 2), answer.stderr[-2000:]
    assert "Traceback" not in answer.stderr, answer.stderr[-2000:]
    return answer


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Writes files below `folder/tree`, which is made, and returns it."""
    tree = folder / "tree"
    for name, content in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return tree


def library(folder: Path, files: dict[str, str | bytes]) -> Path:
    """A tree with a package `lib` of these modules, and with a drifted copy that a check has to find."""
    drifted = "def right():\n    return 1\n\n\n# Copied from lib.drifted.right\ndef wrong():\n    return 2\n"
    modules = {"__init__.py": "", "drifted.py": drifted} | files
    return write(folder, {f"src/lib/{name}": content for name, content in modules.items()})


def errors(answer: subprocess.CompletedProcess[str]) -> list[str]:
    """The findings of a check, less that about the drifted copy, which must be among them."""
    lines = [line for line in answer.stdout.splitlines() if not line.startswith("    ")]
    assert [line for line in lines if line.startswith("src/lib/drifted.py:5 CP001 wrong: differs")], answer
    return [line for line in lines if not line.startswith("src/lib/drifted.py")]
