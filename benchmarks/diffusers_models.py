"""Every model, scheduler and pipeline of Diffusers as a reference: made, checked, imported, built, run; a table of what holds.

    python benchmarks/diffusers_models.py /path/to/diffusers-source-tree --python /path/to/python [--only flux,ddim] [--results FILE]

The tree is copied once, and each copy is made in it and taken out again. The Python is one that has the dependencies of
Diffusers; without it nothing is run. Results are written one line a reference, so that a run that was stopped goes on
where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from add_model.names import ModelName
from add_model.scaffold.diffusers.layout import find_source_tree
from add_model.scaffold.diffusers.plan import Renamings
from add_model.scaffold.diffusers.reference import find_diffusers_reference

_TOLD = ("seconds", "left_out", "not_run", "warnings")
NEW = "brand_new_thing"
RUN_IN_TREE = Path(__file__).with_name("diffusers_run.py")


def main() -> int:
    """Goes through the references that have no result yet, and prints the table."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "diffusers"
        shutil.copytree(arguments.tree, tree, ignore=shutil.ignore_patterns(".git", "__pycache__"))
        known = _known(arguments.results)
        for name in _names(tree, arguments.only):
            if name in known:
                continue
            known[name] = _judged(name, tree, arguments.python)
            with arguments.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"name": name, **known[name]}) + "\n")
            print(_line(name, known[name]), flush=True)
    _show(known)
    return int(any(_faults(result) for result in known.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--python")
    parser.add_argument("--only", default="")
    parser.add_argument("--results", type=Path, default=Path("diffusers_models.jsonl"))
    return parser.parse_args()


def _known(results: Path) -> dict[str, dict[str, Any]]:
    lines = results.read_text(encoding="utf-8").splitlines() if results.is_file() else []
    found = [json.loads(line) for line in lines]
    return {result.pop("name"): result for result in found}


def _names(tree: Path, only: str) -> Iterator[str]:
    listed = json.loads(_add_model("references", "--into", str(tree), "--json").stdout)
    names = [row["type"] for row in listed if "library" in row["available"] or "diffusers" in row["available"]]
    wanted = {name for name in only.split(",") if name}
    yield from (name for name in names if not wanted or name in wanted)


def _judged(name: str, tree: Path, python: str | None) -> dict[str, Any]:
    """What holds of a copy of one reference; of each judge `True`, or what it said."""
    before = _digests(tree)
    start = time.perf_counter()
    made = _add_model("like", name, "--name", NEW, "--into", str(tree), "--yes", "--json")
    found: dict[str, Any] = {"seconds": round(time.perf_counter() - start, 2)}
    if made.returncode:
        return {**found, "made": made.stderr.strip()[-300:]}
    document = json.loads(made.stdout)
    found |= {"made": True, "left_out": document.get("left_out", [])}
    written = [path for path in _digests(tree).keys() - before.keys() if path.endswith(".py")]
    checked = _add_model("check-copies", *written, "--root", str(tree), "--output-format", "json", in_folder=tree)
    findings = json.loads(checked.stdout) if checked.returncode in (0, 1) else [checked.stderr]
    # What a reference's own markers are warned of, its copy's are, too.
    errors = [finding for finding in findings if not isinstance(finding, dict) or finding["severity"] == "error"]
    found["copies"] = True if errors == [] else errors[:3]
    found["warnings"] = sorted({finding["code"] for finding in findings if isinstance(finding, dict)})
    found["ruff"] = _ruff(tree, before)
    if python is not None:
        found |= _run(tree, python, name)
    removed = _add_model("remove", NEW, "--into", str(tree))
    found["removed"] = True if _digests(tree) == before else removed.stderr[-300:] or "not to the byte"
    return found


def _digests(tree: Path) -> dict[str, str]:
    paths = (path for path in tree.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(tree).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _ruff(tree: Path, before: dict[str, str]) -> bool | str:
    changed = [path for path, digest in _digests(tree).items() if before.get(path) != digest and path.endswith(".py")]
    said = ""
    for arguments in (["check", "--quiet", "--output-format", "concise"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--no-cache", *changed]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        said += done.stdout if done.returncode else ""
    return said[-400:] or True


def _run(tree: Path, python: str, name: str) -> dict[str, Any]:
    """What the new classes do that the reference's do, in a process of their own."""
    pairs, modules = _pairs(tree, name)
    command = [python, str(RUN_IN_TREE), str(tree / "src"), json.dumps(pairs), json.dumps(modules)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    except subprocess.TimeoutExpired:
        return {"imported": "took more than ten minutes"}
    if done.returncode:
        return {"imported": done.stderr.strip()[-600:]}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _pairs(tree: Path, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """The reference's public names with the new model's, and the module of each."""
    found = find_source_tree(tree)
    assert found is not None
    reference = find_diffusers_reference(name, found)
    renamings = Renamings(reference, ModelName.from_snake(NEW))
    modules: dict[str, str] = {}
    for unit in reference.units:
        for path, text in unit.texts.items():
            old = unit.path / path if unit.is_folder else unit.path
            place, renaming = renamings.place(unit), renamings.of_units[unit]
            new = place / renaming.path(path) if unit.is_folder else place
            for public in unit.exported:
                if re.search(rf"^(?:class|def) {public}\b", text, re.MULTILINE):
                    modules[public] = found.module(old)
                    modules[renaming.classes[public]] = found.module(new)
    return dict(renamings.names), modules


def _add_model(*arguments: str, in_folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from add_model.cli import script; script()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=in_folder)


def _faults(result: dict[str, Any]) -> dict[str, Any]:
    judges = {key: value for key, value in result.items() if key not in _TOLD}
    return {key: value for key, value in judges.items() if value is not True}


def _line(name: str, result: dict[str, Any]) -> str:
    faults = _faults(result)
    return f"{name:40} {'holds' if not faults else json.dumps(faults)[:600]} {result.get('not_run') or ''}"


def _show(known: dict[str, dict[str, Any]]) -> None:
    holds: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    for result in known.values():
        for key, value in result.items():
            if key not in _TOLD:
                judged[key] += 1
                holds[key] += value is True
    print(f"\n{len(known)} references")
    for key, count in judged.items():
        print(f"  {key:12} {holds[key]:4} of {count}")
    unmarked = Counter(entry["why"] for result in known.values() for entry in result.get("left_out", []))
    for why, count in unmarked.most_common(8):
        print(f"  left out {count:4}: {why}")
    for name, result in known.items():
        if _faults(result):
            print(_line(name, result))


if __name__ == "__main__":
    sys.exit(main())
