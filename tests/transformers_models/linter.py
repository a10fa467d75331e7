"""What the library's own linter of model files finds in a new model and not in its reference."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

from add_model.toml_text import parse_toml

_MODULE = "mlinter"


def is_there() -> bool:
    """Whether the linter (`pip install transformers-mlinter`) is installed."""
    return importlib.util.find_spec(_MODULE) is not None


def linter_problems(scratch: Path, made: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A new model's name and a rule of which it has more findings than its reference.

    What the linter spares by name cannot be asked of a copy: the models that a rule lists, and the files that follow
    from a modular one, in whose place that one is read.
    """
    spared = _spared()
    models = scratch / "src" / "transformers" / "models"
    found = _findings(scratch, [models / folder for pair in made.items() for folder in pair])
    for reference, name in made.items():
        if list((models / reference).glob("modular_*.py")):
            continue
        for rule, count in sorted((found.get(name, Counter()) - found.get(reference, Counter())).items()):
            if reference.rpartition("/")[2] not in spared.get(rule, frozenset()):
                yield name, f"mlinter: {count} more of {rule}"


def _findings(scratch: Path, folders: list[Path]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "findings.json"
        places = [str(path.relative_to(scratch)) for path in folders]
        command = [sys.executable, "-m", _MODULE, "--no-progress", "--no-cache", "--output-json", str(file), *places]
        run = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
        if not file.is_file():
            raise RuntimeError(f"{_MODULE} failed: {run.stderr[-300:]}")
        for finding in json.loads(file.read_text(encoding="utf-8"))["findings"]:
            model = finding["path"].partition("/models/")[2].rpartition("/")[0]
            found.setdefault(model, Counter())[finding["rule"]] += 1
    return found


def _spared() -> dict[str, Set[str]]:
    """The models that each rule lists."""
    specification = importlib.util.find_spec(_MODULE)
    assert specification is not None and specification.origin is not None
    document = parse_toml(Path(specification.origin).with_name("rules.toml").read_text(encoding="utf-8"))
    return {name: frozenset(rule.get("allowlist_models", ())) for name, rule in document.get("rules", document).items() if isinstance(rule, dict)}  # fmt: skip
