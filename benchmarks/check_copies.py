"""How long `check-copies` takes on large trees, as ratios to plainly reading their files, measured in the same run.

    python benchmarks/check_copies.py [TREE ...] [--rounds 7] [--no-tenfold]

A TREE is a package's folder; without any, the installed `transformers` and `diffusers`. Every figure is the best of
whole processes, in seconds of wall time and of processor time, those of second processes included; rounds alternate
between the commands, so that a busy machine slows all of them alike. On one that is busy with other work the two
processes of a first run wait for each other, and only the processor time says what they did.

A tree with thousands of findings is made of the same one, by renaming a variable in every second of its files.

A first run shares its work between two processes, which brings as much as the machine's second core does: two threads of
one core bring a fifth where two cores bring all. How much it is here is measured with plain arithmetic, and printed.

Modules are compiled once, into a folder of the run, as those of an installed tool are, whatever the environment says
about writing them. Each tree is copied first, and the caches of the run are thrown away with the copies.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

CHECK = [sys.executable, "-m", "add_model", "check-copies"]
READ = """
import os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        if name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                file.read()
"""
WORK = "for number in range(10_000_000): number * number"
# What was written just now is never relied on.
SETTLE_SECONDS = 0.3
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
Command = Callable[[], list[str]]
# What is to be reached: times the reading of the tree.
GOALS = {"first run": 3.0, "with the cache": 1.0, "after one edit": 1.1}
GOALS |= {"first run, findings": 4.0, "with the cache, findings": 1.0}
# What is renamed to make copies drift from their originals.
RENAMED = (b"hidden_states", b"hidden_state")


class Taken(NamedTuple):
    """What a process took, in seconds: on the clock, and of the processors."""

    wall: float
    processor: float


def main() -> None:
    """Measures every tree and prints its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-tenfold", action="store_true", help="leave out the tree that is ten times as large")
    arguments = parser.parse_args()
    print(f"two processes at once do {_worth_of_two():.2f} times the work of one on this machine")
    for tree in arguments.trees or list(_installed()):
        with tempfile.TemporaryDirectory() as temporary:
            _measure(tree.absolute(), Path(temporary), arguments.rounds, not arguments.no_tenfold)


def _worth_of_two() -> float:
    """How many times the work of one process two of them do in the same time."""
    command = [sys.executable, "-c", WORK]

    def seconds(count: int) -> float:
        start = time.perf_counter()
        processes = [subprocess.Popen(command) for _ in range(count)]
        for process in processes:
            process.wait()
        return time.perf_counter() - start

    return 2 * min(seconds(1) for _ in range(3)) / min(seconds(2) for _ in range(3))


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
    figures = _best(commands, rounds, environment)
    print(f"{tree}: {len(list(root.rglob('*.py')))} files")
    reading = figures["reading"]
    for name, taken in figures.items():
        goal = f"(to reach: {GOALS[name]}x)" if name in GOALS else "(to reach: 0.25 s)" if name == "one file" else ""
        print(f"  {name:<22} {_shown(taken, reading)}  {goal}")
    peak = subprocess.run(
        [sys.executable, "-c", PEAK, *check, "--no-cache"], capture_output=True, text=True, check=True
    )
    print(f"  {'memory':<22} {int(peak.stdout) / 1024:7.0f} MB the largest process  (to reach: 300 MB)")
    _measure_findings(tree, temporary, rounds, environment)
    if tenfold:
        large = temporary / "tenfold" / tree.name
        for number in range(10):
            _copy(tree, large / f"part_{number}" / tree.name)
        (large / "__init__.py").touch()
        _rename_sources(large, tree.name)
        ten = [*CHECK, "--exit-zero", "--no-cache", "--root", str(large)]
        both = _best({"once": lambda: [*check, "--no-cache"], "ten": lambda: ten}, max(1, rounds // 2), environment)
        print(f"  {'ten times the tree':<22} {_shown(both['ten'], both['once'])}  the first run (to reach: 11x)")
    sys.stdout.flush()


def _measure_findings(tree: Path, temporary: Path, rounds: int, environment: dict[str, str]) -> None:
    """Measures a tree of which every second file has drifted."""
    root = _copy(tree, temporary / "drifted" / tree.name)
    for path in sorted(root.rglob("*.py"))[::2]:
        path.write_bytes(path.read_bytes().replace(*RENAMED))
    check = [*CHECK, "--exit-zero", "--root", str(root)]
    time.sleep(SETTLE_SECONDS)
    count = subprocess.run(
        [*check, "--no-cache"], env=environment, capture_output=True, text=True
    ).stderr.splitlines()[-1]
    print(f"  with findings: {count}")
    for _ in range(2):
        subprocess.run(check, env=environment, capture_output=True)
    commands: dict[str, Command] = {
        "reading": lambda: [sys.executable, "-c", READ, str(root)],
        "first run, findings": lambda: [*check, "--no-cache"],
        "with the cache, findings": lambda: check,
    }
    figures = _best(commands, max(1, rounds // 2), environment)
    for name, taken in figures.items():
        goal = f"(to reach: {GOALS[name]}x)" if name in GOALS else ""
        print(f"  {name:<24} {_shown(taken, figures['reading'])}  {goal}")


def _shown(taken: Taken, unit: Taken) -> str:
    return (
        f"{taken.wall * 1000:7.0f} ms {taken.wall / unit.wall:6.2f}x, "
        f"processor {taken.processor * 1000:7.0f} ms {taken.processor / unit.processor:6.2f}x"
    )


def _best(commands: dict[str, Command], rounds: int, environment: dict[str, str]) -> dict[str, Taken]:
    taken: dict[str, list[Taken]] = {name: [] for name in commands}
    for number in range(-1, rounds):
        for name, command in commands.items():
            run = _run(command(), environment)
            if number >= 0:  # the first round fills the file system's cache
                taken[name].append(run)
    return {name: Taken(*map(min, zip(*runs, strict=True))) for name, runs in taken.items()}


def _run(command: list[str], environment: dict[str, str]) -> Taken:
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    message = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {message}")
    return Taken(wall, used.ru_utime + used.ru_stime)


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
