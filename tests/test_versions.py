"""The quick tests on the Pythons that are supported beside this one, and with the Transformers of today.

Each runs in an environment that is made for it: too long for every day, so on a schedule (-m versions).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .environments import ROOT, environment, interpreter, where_searched

QUICK = "not slow and not exhaustive and not versions"
PYTHONS = ("3.10", "3.12", "3.13")
NEWEST_TRANSFORMERS = "5.24.0"


def run_quick_tests(python: Path, name: str, figure: Callable[[str], None]) -> None:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "XDG_", "PYTHON"))}
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "auto", "-m", QUICK]
    result = subprocess.run(
        command, cwd=ROOT, env={**inherited, "PATH": path, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    summary = result.stdout.rstrip().splitlines()[-1:]
    assert result.returncode == 0, f"{result.stdout[-6000:]}{result.stderr[-2000:]}"
    figure(f"{name}: {''.join(summary)}")


def test_a_python_that_is_not_here_is_named() -> None:
    assert interpreter("3.99") is None
    assert "no Python 3.99" in where_searched("3.99") and "pyenv" in where_searched("3.99")


def test_this_python_is_found_by_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = ".".join(map(str, sys.version_info[:2]))
    (tmp_path / f"python{version}").symlink_to(sys.executable)
    (tmp_path / "python3.98").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreter(version) == tmp_path / f"python{version}"
    # What is called so and is another is none.
    assert interpreter("3.98") is None


@pytest.mark.versions
@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
def test_the_quick_tests_pass_on_this_python(version: str, figure: Callable[[str], None]) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(where_searched(version))
    run_quick_tests(environment(f"python-{version}", python), f"Python {version}", figure)


@pytest.mark.versions
@pytest.mark.slow
def test_the_quick_tests_pass_with_the_newest_transformers(figure: Callable[[str], None]) -> None:
    python = environment(f"transformers-{NEWEST_TRANSFORMERS}", Path(sys.executable), f"transformers=={NEWEST_TRANSFORMERS}")  # fmt: skip
    run_quick_tests(python, f"transformers {NEWEST_TRANSFORMERS}", figure)
