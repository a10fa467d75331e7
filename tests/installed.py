"""Virtual environments that hold add-model as it is installed, and for the rest what is installed for the tests."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def commands_of_an_environment(folder: Path) -> Path:
    """An environment with add-model in it, which also sees what is installed for the tests; the folder of its programs."""
    venv.create(folder, with_pip=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "beside.pth").write_text("\n".join(path for path in sys.path if Path(path).name == packages.name))
    commands = folder / "bin"
    install = ["pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    subprocess.run([commands / "python", "-m", *install, ROOT], check=True)
    return commands
