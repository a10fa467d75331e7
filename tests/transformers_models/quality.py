"""What check-copies, ruff and the library's linter say of references and of the folders made from them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.scaffold import line_script
from tests.transformers_models.lines import CHECKS_OF_FILES
from tests.transformers_models.linter import is_there, linter_problems
from tests.transformers_models.names import lost_names
from tests.transformers_models.places import Places

# New model's name -> the reference's folder and its own.
Folders = Mapping[str, tuple[Path, Path]]

# The rules of the library's own configuration, for trees that come without it.
_RULES = (
    "--isolated", "--select", "C,E,F,I,W,RUF013,PERF102,PLC1802,PLC0208,SIM,UP031,UP032",
    "--ignore", "C901,E501,E741,F402,F823,SIM1,SIM300,SIM212,SIM905,UP009,UP015,UP031",
    "--config", "line-length=119", "--config", "lint.isort.lines-after-imports=2",
)  # fmt: skip
_LAYOUT = ("--isolated", "--config", "line-length=119")


def quality_problems(places: Places, made: Mapping[str, str]) -> dict[str, dict[str, list[str]]]:
    """New model's name -> what was asked of its files -> what is wrong with them where nothing is with the reference's.

    Args:
        places: where the models stand.
        made: reference's folder below `models` -> new model's.
    """
    folders = {name: (places.references / reference, places.models / name) for reference, name in made.items()}
    asked = CHECKS_OF_FILES if is_there() else tuple(check for check in CHECKS_OF_FILES if check != "mlinter")
    problems: dict[str, dict[str, list[str]]] = {name: {check: [] for check in asked} for name in folders}
    for name, (reference, own) in folders.items():
        problems[name]["markers"] += _unreadable_markers(places, own)
        problems[name]["names"] += lost_names(reference, own)
    for name, text in _worse_findings(folders):
        problems[name]["check-copies"].append(text)
    for name, text in linter_problems(folders) if is_there() else ():
        problems[name]["mlinter"].append(text)
    for name, text in _worse_style(folders):
        problems[name]["ruff"].append(text)
    return problems


def _unreadable_markers(places: Places, own: Path) -> Iterator[str]:
    """Markers that the library's own script, which goes by lines, could not follow."""
    for path in sorted(own.glob("*.py")):
        for line, why in line_script.problems(path.read_text(encoding="utf-8"), places.references.parent):
            yield f"{path.name}:{line} {why}"


def _worse_findings(folders: Folders) -> Iterator[tuple[str, str]]:
    findings = _copy_findings(folders)
    for name, (reference, own) in folders.items():
        # A comment that looks like a marker in the reference does so in a faithful copy of it.
        passed = Counter(
            finding["code"] for finding in findings.get(reference, ()) if finding["severity"] == "warning"
        )
        for finding in findings.get(own, ()):
            passed[finding["code"]] -= 1
            if passed[finding["code"]] < 0:
                place = f"{finding['path'].rpartition('/')[2]}:{finding['line']}"
                yield name, f"{finding['code']} {place} {finding['message']}"[:300]


def _worse_style(folders: Folders) -> Iterator[tuple[str, str]]:
    broken, unformatted = _broken_rules(folders), _unformatted(folders)
    for name, (reference, own) in folders.items():
        worse = broken.get(own, Counter()) - broken.get(reference, Counter())
        yield from ((name, f"ruff check: {count} more of {rule}") for rule, count in sorted(worse.items()))
        more = len(unformatted.get(own, ())) - len(unformatted.get(reference, ()))
        if more > 0:
            yield name, f"ruff format would change {', '.join(sorted(unformatted[own]))}"


def _copy_findings(folders: Folders) -> dict[Path, list[dict[str, Any]]]:
    found: dict[Path, list[dict[str, Any]]] = {}
    for side in _sides(folders):
        root = _root_of(side[0])
        command = [sys.executable, "-m", "add_model", "check-copies", *map(str, side), "--root", str(root)]
        run = subprocess.run([*command, "--output-format", "json", "--no-cache"], capture_output=True, text=True)
        if run.returncode not in (0, 1):
            raise RuntimeError(f"check-copies failed: {run.stderr.strip()}")
        for finding in json.loads(run.stdout):
            found.setdefault((root / finding["path"]).parent, []).append(finding)
    return found


def _broken_rules(folders: Folders) -> dict[Path, Counter[str]]:
    broken: dict[Path, Counter[str]] = {}
    for side in _sides(folders):
        root = _root_of(side[0])
        rules = () if _has_ruff_configuration(root) else _RULES
        run = _ruff(root, "check", "--output-format", "json", "--no-cache", "--exit-zero", *rules, *map(str, side))
        for violation in json.loads(run.stdout):
            path = Path(violation["filename"])
            if not path.name.startswith(("convert_", "modular_")):
                broken.setdefault(path.parent, Counter())[violation["code"] or "syntax"] += 1
    return broken


def _unformatted(folders: Folders) -> dict[Path, set[str]]:
    found: dict[Path, set[str]] = {}
    for side in _sides(folders):
        root = _root_of(side[0])
        layout = () if _has_ruff_configuration(root) else _LAYOUT
        for line in _ruff(root, "format", "--check", "--no-cache", *layout, *map(str, side)).stdout.splitlines():
            path = root / line.removeprefix("Would reformat: ")
            if line.startswith("Would reformat: ") and not path.name.startswith(("convert_", "modular_")):
                found.setdefault(path.parent, set()).add(path.name)
    return found


def _sides(folders: Folders) -> Iterator[list[Path]]:
    """The references' folders, and the new ones: they may stand in different trees."""
    yield from (list(side) for side in zip(*folders.values(), strict=True))


def _root_of(folder: Path) -> Path:
    """The root of the tree that a model's folder stands in: where its `src` does."""
    return next(parent.parent for parent in folder.parents if parent.name == "src")


def _ruff(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ruff", *arguments], cwd=root, capture_output=True, text=True)


def _has_ruff_configuration(root: Path) -> bool:
    path = root / "pyproject.toml"
    return path.is_file() and "[tool.ruff" in path.read_text(encoding="utf-8")
