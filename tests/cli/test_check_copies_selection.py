"""Choosing what `add-model check-copies` reports, and letting it watch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .commands import SOURCES, Result, add_model_here

BERT = "class BertLayer:\n    def forward(self):\n        return 1\n"
DRIFTED = "# Copied from my_models.bert.BertLayer with Bert->ViT,no->yes\n" + BERT.replace("Bert", "ViT").replace(
    "1", "2"
)


@pytest.fixture
def drifted(tmp_path: Path) -> Path:
    package = tmp_path / "src/my_models"
    package.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.add-model]\n")
    for name, text in {"__init__.py": "", "bert.py": BERT, "vit.py": DRIFTED}.items():
        (package / name).write_text(text)
    return tmp_path


def check(folder: Path, *options: str) -> Result:
    return add_model_here(folder, "check-copies", *options)


@pytest.mark.parametrize(
    ("options", "codes", "exit_code"),
    [
        ([], {"CP001", "CP005"}, 1),
        (["--select", "CP005"], {"CP005"}, 0),
        (["--select", "CP005,cp001"], {"CP001", "CP005"}, 1),
        (["--ignore", "CP001"], {"CP005"}, 0),
        (["--ignore", "CP001", "--ignore", "CP005"], set(), 0),
        (["--select", "CP001,CP005", "--ignore", "CP005"], {"CP001"}, 1),
    ],
)
def test_codes_are_selected(options: list[str], codes: set[str], exit_code: int, drifted: Path) -> None:
    result = check(drifted, *options)
    assert {code for code in ("CP001", "CP005") if code in result.stdout} == codes
    assert result.returncode == exit_code


def test_codes_are_ignored_for_files(drifted: Path) -> None:
    table = '[tool.add-model]\nper-file-ignores = {"src/*/vit.py" = ["CP001"], "other/*" = ["CP005"]}\n'
    (drifted / "pyproject.toml").write_text(table)
    result = check(drifted)
    assert result.returncode == 0 and "CP005" in result.stdout and "CP001" not in result.stdout
    before = (drifted / "src/my_models/vit.py").read_bytes()
    assert check(drifted, "--fix").returncode == 0
    assert (drifted / "src/my_models/vit.py").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "exit_code"),
    [(["--select", "CP001"], 2), (["--select", "CP005"], 2), (["--ignore", "CP001,CP005"], 2), (["--ignore", "CP006"], 1)],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_reported_unless_that_is_ignored(
    options: list[str], exit_code: int, drifted: Path
) -> None:
    (drifted / "src/my_models/broken.py").write_text("def f(x:\n")
    result = check(drifted, *options)
    assert result.returncode == exit_code
    assert ("CP006" in result.stdout) is (exit_code == 2) and "all copies hold" not in result.stderr


@pytest.mark.parametrize("options", [["--select", "CP003"], ["--ignore", "CP001,CP005"]])
def test_what_is_passed_over_is_not_said_to_hold(options: list[str], drifted: Path) -> None:
    result = check(drifted, *options)
    assert result.returncode == 0 and result.stdout == ""
    assert result.stderr.startswith("0 errors, 0 warnings, 2 passed over: ")


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_an_unknown_code_is_named_with_the_nearest(option: str, drifted: Path) -> None:
    result = check(drifted, option, "CP0002")
    assert result.returncode == 2 and result.stdout == ""
    assert f"{option}: there is no code `CP0002`; did you mean CP002?" in result.stderr
    (drifted / "pyproject.toml").write_text('[tool.add-model]\nper-file-ignores = {"*" = ["E501"]}\n')
    result = check(drifted)
    assert result.returncode == 2 and "`per-file-ignores`" in result.stderr and "CP001 to CP014" in result.stderr


def test_fix_without_the_code_that_it_puts_right_is_refused(drifted: Path) -> None:
    result = check(drifted, "--fix", "--ignore", "CP001")
    assert result.returncode == 2 and "leave it among the codes" in result.stderr
    assert check(drifted, "--watch", "--fix").returncode == 2


@pytest.fixture
def watching(drifted: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `check-copies --watch` with these arguments; it is ended after the test, or when that takes too long."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "add_model", "check-copies", "--watch", *arguments],
            cwd=drifted,
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            # A shell's background job hands down that interrupts are ignored; somebody who watches sits before a terminal.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        started.append(process)
        return process

    guard = threading.Timer(60, lambda: [process.kill() for process in started])
    guard.start()
    yield start
    guard.cancel()
    for process in started:
        process.kill()
        process.wait()


def said(process: subprocess.Popen[str]) -> str:
    """The summary of the next run."""
    assert process.stderr is not None
    summary = process.stderr.readline()
    assert process.stderr.readline().startswith("watching")
    return summary


@pytest.mark.skipif(os.name != "posix", reason="sends an interrupt")
def test_watch_checks_again_on_every_save(drifted: Path, watching: Callable[..., subprocess.Popen[str]]) -> None:
    process = watching()
    assert said(process).startswith("1 error")
    vit = drifted / "src/my_models/vit.py"
    vit.write_text(DRIFTED.replace("return 2", "return 1"))
    assert said(process).startswith("0 errors, 1 warning")
    (drifted / "pyproject.toml").write_text("[tool.add-model]\nunknown = 1\n")
    assert process.stderr is not None and "unknown key" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0


@pytest.mark.skipif(os.name != "posix", reason="sends an interrupt")
def test_watch_sees_what_is_checked_outside_the_packages(
    drifted: Path, watching: Callable[..., subprocess.Popen[str]]
) -> None:
    (drifted / "scripts").mkdir()
    script, copy = drifted / "scripts/one.py", drifted / "scripts/copy.py"
    script.write_text(DRIFTED)
    copy.write_text(BERT)
    table = '[tool.add-model]\nfull-copies = {"scripts/copy.py" = "src/my_models/bert.py"}\n'
    (drifted / "pyproject.toml").write_text(table)
    process = watching("--root", ".", "scripts")
    assert said(process).startswith("1 error")
    script.write_text(DRIFTED.replace("return 2", "return 1"))
    assert said(process).startswith("0 errors")
    copy.write_text("x = 1\n")
    assert said(process).startswith("1 error")
