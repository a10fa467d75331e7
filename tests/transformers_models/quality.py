"""What check-copies, ruff and the library's linter say of references and of the folders made from them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.transformers_models.linter import is_there, linter_problems

# The rules of the library's own configuration, for trees that come without it.
_RULES = (
    "--isolated", "--select", "C,E,F,I,W,RUF013,PERF102,PLC1802,PLC0208,SIM,UP031,UP032",
    "--ignore", "C901,E501,E741,F402,F823,SIM1,SIM300,SIM212,SIM905,UP009,UP015,UP031",
    "--config", "line-length=119", "--config", "lint.isort.lines-after-imports=2",
)  # fmt: skip
_LAYOUT = ("--isolated", "--config", "line-length=119")


def quality_problems(scratch: Path, made: Mapping[str, str]) -> dict[str, list[str]]:
    """New model's name -> what is wrong with its files where nothing is wrong with the reference's.

    Args:
        scratch: the tree.
        made: reference's folder below `models` -> new model's.
    """
    models = scratch / "src" / "transformers" / "models"
    problems: dict[str, list[str]] = {name: [] for name in made.values()}
    folders = [models / folder for pair in made.items() for folder in pair]
    findings: dict[str, list[dict[str, Any]]] = {}
    for finding in _copy_findings(scratch, folders):
        findings.setdefault(_folder_of(finding["path"]), []).append(finding)
    for reference, name in made.items():
        # A comment that looks like a marker in the reference does so in a faithful copy of it.
        passed = Counter(
            finding["code"] for finding in findings.get(reference, ()) if finding["severity"] == "warning"
        )
        for finding in findings.get(name, ()):
            passed[finding["code"]] -= 1
            if passed[finding["code"]] < 0:
                place = f"{finding['path'].rpartition('/')[2]}:{finding['line']}"
                problems[name].append(f"check-copies: {finding['code']} {place} {finding['message']}"[:300])
    for name, text in linter_problems(scratch, made) if is_there() else ():
        problems[name].append(text)
    broken, unformatted = _broken_rules(scratch, folders), _unformatted(scratch, folders)
    for reference, name in made.items():
        worse = broken.get(name, Counter()) - broken.get(reference, Counter())
        problems[name] += [f"ruff check: {count} more of {rule}" for rule, count in sorted(worse.items())]
        more = len(unformatted.get(name, ())) - len(unformatted.get(reference, ()))
        if more > 0:
            problems[name].append(f"ruff format would change {', '.join(sorted(unformatted[name]))}")
    return problems


def _copy_findings(scratch: Path, folders: list[Path]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "add_model", "check-copies", *map(str, folders), "--root", str(scratch)]
    run = subprocess.run([*command, "--output-format", "json", "--no-cache"], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        raise RuntimeError(f"check-copies failed: {run.stderr.strip()}")
    findings: list[dict[str, Any]] = json.loads(run.stdout)
    return findings


def _broken_rules(scratch: Path, folders: list[Path]) -> dict[str, Counter[str]]:
    rules = () if _has_ruff_configuration(scratch) else _RULES
    run = _ruff(scratch, "check", "--output-format", "json", "--no-cache", "--exit-zero", *rules, *map(str, folders))
    broken: dict[str, Counter[str]] = {}
    for violation in json.loads(run.stdout):
        if not Path(violation["filename"]).name.startswith(("convert_", "modular_")):
            broken.setdefault(_folder_of(violation["filename"]), Counter())[violation["code"] or "syntax"] += 1
    return broken


def _unformatted(scratch: Path, folders: list[Path]) -> dict[str, set[str]]:
    layout = () if _has_ruff_configuration(scratch) else _LAYOUT
    run = _ruff(scratch, "format", "--check", "--no-cache", *layout, *map(str, folders))
    found: dict[str, set[str]] = {}
    for line in run.stdout.splitlines():
        path = Path(line.removeprefix("Would reformat: "))
        if line.startswith("Would reformat: ") and not path.name.startswith(("convert_", "modular_")):
            found.setdefault(_folder_of(path.as_posix()), set()).add(path.name)
    return found


def _ruff(scratch: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ruff", *arguments], cwd=scratch, capture_output=True, text=True)


def _has_ruff_configuration(scratch: Path) -> bool:
    path = scratch / "pyproject.toml"
    return path.is_file() and "[tool.ruff" in path.read_text(encoding="utf-8")


def _folder_of(path: str) -> str:
    return path.partition("/models/")[2].rpartition("/")[0]
