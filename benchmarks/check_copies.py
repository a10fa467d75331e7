"""How long `check-copies` takes on large trees, as ratios to plainly reading their files, measured in the same run.

    python benchmarks/check_copies.py [TREE ...] [--rounds 7] [--no-tenfold]

A TREE is a package's folder; without any, the installed `transformers` and `diffusers`. Every figure is a median over
whole processes; rounds alternate between the commands, so that a busy machine slows all of them alike. Each tree is
copied first, and the caches of the run are thrown away with the copies.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CHECK = [sys.executable, "-m", "add_model", "check-copies"]
READ = """
import os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        if name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                file.read()
"""
# What was written just now is never relied on.
SETTLE_SECONDS = 0.3
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
Command = Callable[[], list[str]]


def main() -> None:
    """Measures every tree and prints its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-tenfold", action="store_true", help="leave out the tree that is ten times as large")
    arguments = parser.parse_args()
    for tree in arguments.trees or list(_installed()):
        with tempfile.TemporaryDirectory() as temporary:
            _measure(tree.absolute(), Path(temporary), arguments.rounds, not arguments.no_tenfold)


def _installed() -> Iterator[Path]:
    for name in ("transformers", "diffusers"):
        specification = importlib.util.find_spec(name)
        if specification is None or specification.origin is None:
            raise SystemExit(f"{name} is not installed; name the folder of a tree")
        yield Path(specification.origin).parent


def _measure(tree: Path, temporary: Path, rounds: int, tenfold: bool) -> None:
    root = _copy(tree, temporary / "once" / tree.name)
    # Compiled modules, as an installed tool has them, whatever this environment says about writing them.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"XDG_CACHE_HOME": str(temporary / "cache"), "PYTHONPYCACHEPREFIX": str(temporary / "bytecode")}
    most_copied = _most_copied(root)
    copying = next(path for path in sorted(root.rglob("*.py")) if b"\n# Copied from " in path.read_bytes())
    check = [*CHECK, "--exit-zero", "--root", str(root)]

    def after_edit(path: Path) -> list[str]:
        with open(path, "a") as file:
            file.write("\n# one more line\n")
        time.sleep(SETTLE_SECONDS)
        return check

    time.sleep(SETTLE_SECONDS)
    subprocess.run(check, env=environment, capture_output=True)
    commands: dict[str, Command] = {
        "reading": lambda: [sys.executable, "-c", READ, str(root)],
        "first run": lambda: [*check, "--no-cache"],
        "first run that keeps": lambda: _without_caches(temporary / "cache", check),
        "with the cache": lambda: check,
        "after one edit": lambda: after_edit(copying),
        "after the worst edit": lambda: after_edit(most_copied),
        "one file": lambda: [*CHECK, "--exit-zero", str(copying)],
    }
    figures = _medians(commands, rounds, environment)
    files = len(list(root.rglob("*.py")))
    print(f"{tree}: {files} files")
    reading = figures["reading"]
    reach = {"first run": "3.0x", "with the cache": "1.0x", "after one edit": "1.1x", "one file": "0.25 s"}
    for name, seconds in figures.items():
        goal = f"(to reach: {reach[name]})" if name in reach else ""
        print(f"  {name:<22} {seconds * 1000:7.0f} ms {seconds / reading:6.2f}x  {goal}")
    peak = subprocess.run(
        [sys.executable, "-c", PEAK, *check, "--no-cache"], capture_output=True, text=True, check=True
    )
    print(f"  {'memory':<22} {int(peak.stdout) / 1024:7.0f} MB the largest process  (to reach: 300 MB)")
    if tenfold:
        large = temporary / "tenfold" / tree.name
        for number in range(10):
            _copy(tree, large / f"part_{number}" / tree.name)
        (large / "__init__.py").touch()
        _rename_sources(large, tree.name)
        ten = [*CHECK, "--exit-zero", "--no-cache", "--root", str(large)]
        both = _medians({"once": lambda: [*check, "--no-cache"], "ten": lambda: ten}, max(1, rounds // 2), environment)
        print(
            f"  {'ten times the tree':<22} {both['ten'] * 1000:7.0f} ms {both['ten'] / both['once']:6.2f}x the first run  (to reach: 11x)"
        )
    sys.stdout.flush()


def _medians(commands: dict[str, Command], rounds: int, environment: dict[str, str]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(-1, rounds):
        for name, command in commands.items():
            arguments = command()
            start = time.perf_counter()
            subprocess.run(arguments, env=environment, check=True, capture_output=True)
            if number >= 0:  # the first round fills the file system's cache
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def _without_caches(folder: Path, command: list[str]) -> list[str]:
    shutil.rmtree(folder, ignore_errors=True)
    return command


def _copy(tree: Path, target: Path) -> Path:
    shutil.copytree(tree, target, ignore=lambda _, names: [name for name in names if name == "__pycache__"])
    return target


def _most_copied(root: Path) -> Path:
    """The file that the most markers name, so that an edit of it concerns the most others."""
    counts: dict[str, int] = {}
    for path in root.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            head, _, source = line.strip().partition("# Copied from ")
            if source and not head:
                module = source.split()[0].rpartition(".")[0]
                counts[module] = counts.get(module, 0) + 1
    paths = (root.parent / f"{name.replace('.', '/')}.py" for name in sorted(counts, key=lambda name: -counts[name]))
    return next(path for path in paths if path.is_file())


def _rename_sources(large: Path, name: str) -> None:
    """Makes each tenth name its own originals."""
    for path in large.rglob("*.py"):
        content = path.read_bytes()
        part = path.relative_to(large).parts[0]
        renamed = content.replace(f"Copied from {name}.".encode(), f"Copied from {name}.{part}.{name}.".encode())
        if renamed != content:
            path.write_bytes(renamed)


if __name__ == "__main__":
    main()
