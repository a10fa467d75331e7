"""What hostile inputs cost, as ratios to harmless inputs of the same size, measured in the same run.

    python benchmarks/hostile.py [NAME ...] [--rounds 3] [--seconds 60]

A NAME chooses the cases whose names contain it. The inputs stand in the modules beside this one whose names start with
`hostile_`. Each command runs as a process of its own, with a limit of time and of memory; its time is the least of the
rounds, in which the hostile and the harmless input alternate, and the ratio is that of the times on the clock. The memory
is that of the largest process. The size of an input is what an archive of it takes: every file and folder has a header.

The goal is a ratio of 10 and 300 MB for each; what misses it is marked, and the exit code says so.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from hostile_case import Case

MODULES = ("hostile_trees", "hostile_ports")
GOAL_RATIO, GOAL_MEGABYTES = 10.0, 300.0
HEADER = 512  # bytes of an archive that each file takes besides its content
ADDRESS_SPACE = 8 << 30  # bytes; torch alone maps some
# The command beside this Python: `python -m` would look for modules in the hostile folder.
ADD_MODEL = Path(sys.executable).with_name("add-model")


class Run(NamedTuple):
    """What a command took.

    Attributes:
        seconds: on the clock.
        megabytes: the most memory that one of its processes held.
        outcome: its exit code, or what ended it.
    """

    seconds: float
    megabytes: float
    outcome: str


def main() -> int:
    """Measures every case and prints the table; the exit code is 1 where one misses the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="cases whose names contain one of these")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="the limit of a command")
    arguments = parser.parse_args()
    cases = [case for case in _cases() if not arguments.names or any(name in case.name for name in arguments.names)]
    print(f"{'input':<58} {'bytes':>9} {'hostile':>9} {'harmless':>9} {'ratio':>7} {'memory':>8}  exit")
    missed = sum(not _measured(case, arguments.rounds, arguments.seconds) for case in cases)
    print(f"{len(cases) - missed} of {len(cases)} within {GOAL_RATIO:.0f}x and {GOAL_MEGABYTES:.0f} MB")
    return 1 if missed else 0


def _cases() -> list[Case]:
    here = Path(__file__).parent
    modules = [importlib.import_module(name) for name in MODULES if (here / f"{name}.py").is_file()]
    return [case for module in modules for case in module.CASES]


def _measured(case: Case, rounds: int, limit: float) -> bool:
    """Prints the row of a case; whether it reaches the goal."""
    with _scratch() as folder:
        hostile, harmless = folder / "hostile", folder / "harmless"
        hostile.mkdir()
        harmless.mkdir()
        case.make_hostile(hostile)
        size = _size(hostile)
        case.make_harmless(harmless, size)
        runs: dict[Path, list[Run]] = {hostile: [], harmless: []}
        for number in range(rounds):
            for tree, make in ((hostile, case.make_hostile), (harmless, lambda at: case.make_harmless(at, size))):
                if number:
                    _anew(tree, make)
                runs[tree].append(_run(case, tree, folder, limit))
            if runs[hostile][-1].seconds > limit / 4:
                break  # it is clear enough
        worst, usual = (min(runs[tree], key=lambda run: run.seconds) for tree in (hostile, harmless))
        memory = max(run.megabytes for run in runs[hostile])
    ratio = worst.seconds / usual.seconds
    reached = ratio <= GOAL_RATIO and memory <= GOAL_MEGABYTES and worst.outcome in ("0", "1", "2")
    print(
        f"{case.name:<58} {size:9} {worst.seconds:7.2f} s {usual.seconds:7.2f} s {ratio:6.1f}x {memory:5.0f} MB  "
        f"{worst.outcome}{'' if reached else '  <-- misses the goal'}",
        flush=True,
    )
    return reached


def _anew(tree: Path, make: Callable[[Path], None]) -> None:
    """Makes an input once more, as a command may have written to it."""
    subprocess.run(["rm", "-rf", str(tree)], check=True)
    tree.mkdir()
    make(tree)


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for a while; Python's own means of removing one go only as deep as its stack."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        yield folder
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)


def _size(folder: Path) -> int:
    """What an archive of a folder takes."""
    size, folders = 0, [str(folder)]
    while folders:
        for entry in os.scandir(folders.pop()):
            if entry.is_dir(follow_symlinks=False):
                folders += [entry.path] if entry.name != ".git" else []
            size += HEADER
            size += entry.stat(follow_symlinks=False).st_size if entry.is_file(follow_symlinks=False) else 0
    return size


def _run(case: Case, tree: Path, scratch: Path, limit: float) -> Run:
    with tempfile.TemporaryDirectory(dir=scratch) as home:
        environment = os.environ | {f"XDG_{kind}_HOME": home for kind in ("CACHE", "STATE", "CONFIG")}
        with open(Path(home, "output"), "wb") as output:
            start = time.perf_counter()
            process = subprocess.Popen(
                [ADD_MODEL, *case.command],
                cwd=tree,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_limit_memory,
            )
            outcome, used = _wait(process, start + limit)
            seconds = time.perf_counter() - start
        if b"Traceback (most recent call last)" in Path(home, "output").read_bytes():
            outcome = "traceback"
    return Run(seconds, used.ru_maxrss / 1024, outcome)


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def _wait(process: subprocess.Popen[bytes], deadline: float) -> tuple[str, resource.struct_rusage]:
    """How a process ended, and what it used; it and its own are killed at the deadline."""
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return str(process.returncode), used
        if time.perf_counter() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
            _, _, used = os.wait4(process.pid, 0)
            process.returncode = -signal.SIGKILL
            return "out of time", used
        time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main())
