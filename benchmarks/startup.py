"""How long the commands take as whole processes, as ratios to bare imports measured in the same run.

    python benchmarks/startup.py [--rounds 15]

Rounds alternate between the commands, so that a busy machine slows all of them alike; each figure is a median.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ADD_MODEL = [sys.executable, "-m", "add_model"]
PYTHON = [sys.executable, "-c"]


def seconds(command: list[str], folder: Path) -> float:
    """Wall-clock time of one process, in seconds."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - start


def medians(commands: dict[str, Callable[[int], list[str]]], folder: Path, rounds: int) -> dict[str, float]:
    """Median seconds of each command over the rounds; a command may depend on the number of the round."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(-1, rounds):
        for name, command in commands.items():
            taken = seconds(command(number + 1), folder)
            if number >= 0:  # the first round fills the file system's cache
                times[name].append(taken)
    return {name: statistics.median(taken) for name, taken in times.items()}


def loaded_modules() -> str:
    """Which of the heavy libraries `import add_model.cli` loads."""
    code = "import sys, add_model.cli; print(', '.join(sorted({'torch', 'libcst', 'jinja2'} & sys.modules.keys())) or 'none')"
    return subprocess.run([*PYTHON, code], check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        like = [*ADD_MODEL, "like", "bert", "--into", "my_models", "--yes", "--name"]
        seconds([*like, "first_bert"], folder)
        figures = medians(
            {
                "import typer": lambda number: [*PYTHON, "import typer"],
                "add-model --help": lambda number: [*ADD_MODEL, "--help"],
                "import libcst, jinja2, typer, rich": lambda number: [*PYTHON, "import libcst, jinja2, typer, rich"],
                "add-model like bert": lambda number: [*like, f"bert_{number}"],
                "add-model check-copies": lambda number: [*ADD_MODEL, "check-copies", "my_models"],
            },
            folder,
            rounds,
        )
    for name, figure in figures.items():
        print(f"{name:<36} {figure * 1000:7.0f} ms")
    print()
    help_ratio = figures["add-model --help"] / figures["import typer"]
    like_ratio = figures["add-model like bert"] / figures["import libcst, jinja2, typer, rich"]
    print(f"add-model --help / import typer                                  {help_ratio:5.2f}x   (to reach: 2x)")
    print(f"add-model like bert / import libcst, jinja2, typer, rich         {like_ratio:5.2f}x   (to reach: 6x)")
    print(f"heavy libraries loaded by import add_model.cli: {loaded_modules()}")


if __name__ == "__main__":
    main()
