"""What the library's own linter of model files finds in a new model and not in its reference."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from add_model.scaffold.checkout.modules import without_banner

_MODULE = "mlinter"
_NOT_READ = shutil.ignore_patterns("modular_*", "convert_*", "__pycache__")


def is_there() -> bool:
    """Whether the linter (`pip install transformers-mlinter`) is installed."""
    return importlib.util.find_spec(_MODULE) is not None


def linter_problems(folders: Mapping[str, tuple[Path, Path]]) -> Iterator[tuple[str, str]]:
    """A new model's name and a rule of which it has more findings than its reference.

    The linter spares models by their names, and the files that follow from a modular one, in whose place that one is
    read. Neither can be asked of a copy: both folders are read in a tree of their own, under names that nobody knows.

    Args:
        folders: new model's name -> the reference's folder and its own.
    """
    with tempfile.TemporaryDirectory() as scratch:
        models = Path(scratch, "src", "transformers", "models")
        for name, (reference, own) in folders.items():
            for known in reference.parent.iterdir():  # whatever is imported from is told by its folder's name
                (models / known.name).mkdir(parents=True, exist_ok=True)
            for side, folder in (("before", reference), ("after", own)):
                _lay_down(folder, models / f"{side}_{name}")
        found = _findings(Path(scratch), models)
    for name in folders:
        before, after = (found.get(f"{side}_{name}", Counter()) for side in ("before", "after"))
        for rule, count in sorted((after - before).items()):
            yield name, f"mlinter: {count} more of {rule}"


def _lay_down(folder: Path, target: Path) -> None:
    """Copies a model's folder as one that is written by hand."""
    shutil.copytree(folder, target, ignore=_NOT_READ)
    for path in target.glob("*.py"):
        path.write_text(without_banner(path.read_text(encoding="utf-8")), encoding="utf-8")


def _findings(scratch: Path, models: Path) -> dict[str, Counter[str]]:
    """Folder -> how often each rule is broken in it."""
    found: dict[str, Counter[str]] = {}
    file = scratch / "findings.json"
    command = [sys.executable, "-m", _MODULE, "--no-progress", "--no-cache", "--output-json", str(file), str(models)]
    run = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
    if not file.is_file():
        raise RuntimeError(f"{_MODULE} failed: {run.stderr[-300:]}")
    for finding in json.loads(file.read_text(encoding="utf-8"))["findings"]:
        folder = finding["path"].partition("/models/")[2].partition("/")[0]
        found.setdefault(folder, Counter())[finding["rule"]] += 1
    return found
