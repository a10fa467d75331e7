"""Every model, scheduler and pipeline of Diffusers as a reference: made, checked, imported, built, run; a table of what holds.

    python benchmarks/diffusers_models.py /path/to/diffusers-source-tree --python /path/to/python [--only flux,ddim] [--results FILE]

The tree is copied once, and each copy is made in it and taken out again. The Python is one that has the dependencies of
Diffusers; without it nothing is run. Results are written one line a reference, so that a run that was stopped goes on
where it was. They come in an order of chance that is always the same, so that what was judged until then is a sample.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
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

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from add_model.names import ModelName  # noqa: E402
from add_model.scaffold.diffusers.exports import branches  # noqa: E402
from add_model.scaffold.diffusers.layout import find_source_tree  # noqa: E402
from add_model.scaffold.diffusers.plan import Renamings  # noqa: E402
from add_model.scaffold.diffusers.reference import find_diffusers_reference  # noqa: E402
from tests.cli.commands import add_model_here  # noqa: E402

_TOLD = ("seconds", "left_out", "not_run", "warnings")
_LAID_OUT_OTHERWISE = ("loaders/peft.py", "models/model_loading_utils.py")
NEW = "brand_new_thing"
RUN_IN_TREE = Path(__file__).with_name("diffusers_run.py")


def main() -> int:
    """Goes through the references that have no result yet, and prints the table."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "diffusers"
        shutil.copytree(arguments.tree, tree, ignore=shutil.ignore_patterns(".git", "__pycache__"))
        known = _known(arguments.results)
        runner = None if arguments.python is None else Runner(arguments.python)
        for name in _names(tree, arguments.only):
            if name in known:
                continue
            known[name] = _judged(name, tree, runner)
            with arguments.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"name": name, **known[name]}) + "\n")
            print(_line(name, known[name]), flush=True)
        if runner is not None:
            runner.close()
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
    listed = json.loads(add_model_here(tree, "references", "--json").stdout)
    names = [row["type"] for row in listed if "library" in row["available"] or "diffusers" in row["available"]]
    wanted = {name for name in only.split(",") if name}
    random.Random(0).shuffle(names)
    yield from (name for name in names if not wanted or name in wanted)


def _judged(name: str, tree: Path, runner: Runner | None) -> dict[str, Any]:
    """What holds of a copy of one reference; of each judge `True`, or what it said."""
    before = _digests(tree)
    start = time.perf_counter()
    made = add_model_here(tree, "like", name, "--name", NEW, "--yes", "--json")
    found: dict[str, Any] = {"seconds": round(time.perf_counter() - start, 2)}
    if made.returncode:
        return {**found, "made": made.stderr.strip()[-300:]}
    document = json.loads(made.stdout)
    found |= {"made": True, "left_out": document.get("left_out", [])}
    written = [path for path in _digests(tree).keys() - before.keys() if path.endswith(".py")]
    checked = add_model_here(tree, "check-copies", *written, "--output-format", "json")
    findings = json.loads(checked.stdout) if checked.returncode in (0, 1) else [checked.stderr]
    # What a reference's own markers are warned of, its copy's are, too.
    errors = [finding for finding in findings if not isinstance(finding, dict) or finding["severity"] == "error"]
    found["copies"] = True if errors == [] else errors[:3]
    found["warnings"] = sorted({finding["code"] for finding in findings if isinstance(finding, dict)})
    found["ruff"] = _ruff(tree, before)
    found["dummies"] = _dummies(tree)
    if runner is not None:
        found |= runner.run(tree, name)
    removed = add_model_here(tree, "remove", NEW)
    found["removed"] = True if _digests(tree) == before else removed.stderr[-300:] or "not to the byte"
    return found


def _digests(tree: Path) -> dict[str, str]:
    paths = (path for path in tree.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(tree).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _dummies(tree: Path) -> bool | str:
    """Whether the dummies are those of the package file's exports, in their order, as the library's script makes them."""
    top = tree / "src" / "diffusers" / "__init__.py"
    order: dict[str, list[str]] = {}
    for branch in branches(top.read_bytes(), top):
        if branch.dummies is not None:
            exported = (name for each in branch.exports if each.form == "import" for name in each.names)
            order.setdefault(branch.dummies, []).extend(exported)
    for module, names in order.items():
        text = (top.parent / "utils" / f"{module}.py").read_text(encoding="utf-8")
        if re.findall(r"^(?:class|def) (\w+)", text, re.MULTILINE) != names:
            return module
    return True


def _ruff(tree: Path, before: dict[str, str]) -> bool | str:
    now = _digests(tree)
    changed = [path for path, digest in now.items() if before.get(path) != digest and path.endswith(".py")]
    # In the released tree already; newer releases of ruff lay these out in another way.
    changed = [path for path in changed if not path.endswith(_LAID_OUT_OTHERWISE)]
    said = ""
    for arguments in (["check", "--quiet", "--output-format", "concise"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--no-cache", *changed]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        said += done.stdout if done.returncode else ""
    return said[-400:] or True


class Runner:
    """A process that runs what the new classes do, and the reference's."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, str(RUN_IN_TREE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, tree: Path, name: str) -> dict[str, Any]:
        """What holds of a copy when it is run; of each judge `True`, or what it said."""
        pairs, modules = _pairs(tree, name)
        assert self._process.stdin is not None and self._process.stdout is not None
        request = {"source": str(tree / "src"), "pairs": pairs, "modules": modules}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        result: dict[str, Any] = json.loads(self._process.stdout.readline())
        return result

    def close(self) -> None:
        """Ends it."""
        self._process.communicate()


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
