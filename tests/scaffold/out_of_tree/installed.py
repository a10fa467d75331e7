"""An installed Transformers for tests to look at: as much of the real one as is read, under a version of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from add_model.library import installed_package


def part_of_transformers(folder: Path, version: str, *models: str) -> Path:
    """Lays down the auto mappings and some models of the installed Transformers; returns the folder to import it from."""
    real = installed_package("transformers")
    assert real is not None
    package = folder / "transformers"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text(f'__version__ = "{version}"\n')
    shutil.copy(real / "models" / "__init__.py", package / "models" / "__init__.py")
    for name in ("auto", *models):
        shutil.copytree(
            real / "models" / name, package / "models" / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    return folder


def add_model(folder: Path, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command in a folder; `path` is where Transformers is imported from, by default where it is installed."""
    known = [str(path)] if path is not None else []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*known, *filter(None, [os.environ.get("PYTHONPATH")])])}
    return subprocess.run(
        [sys.executable, "-m", "add_model", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
