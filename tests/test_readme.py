"""What README.md shows of a terminal is what the commands print, one after the other, from its top to its bottom."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import SOURCES
from tests.console import mismatch, section, steps, typed

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "https://github.com/add-model/add-model"
# Those of the commands that need neither torch nor a checkout of Transformers.
FIRST = "Add a model"
LATER = ("Port the weights, and find what differs", "Keep the copies honest")
# The scripts that are saved in the library are files to check as well.
RUN_LATER = ("sed ", "add-model check-copies", "printf ")
# What pip downloads is kept beyond the run; asked for at once, as the tests exchange the folder for one of their own.
_DOWNLOADS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pip"


def test_what_readme_shows_is_what_is_printed(tmp_path: Path) -> None:
    """The quick part of it, in this environment."""
    commands = program(tmp_path / "bin", "add-model", f'exec {sys.executable} -m add_model "$@"')
    environment = {
        **os.environ,
        "PYTHONPATH": str(SOURCES),
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    environment.pop("FORCE_COLOR", None)
    working = tmp_path / "working"
    working.mkdir()
    first = next(steps(section(README, FIRST)))
    later = [step for title in LATER for step in steps(section(README, title)) if step.command.startswith(RUN_LATER)]
    assert len(later) >= 5
    results = typed([first.command], working, environment)
    results += typed([step.command for step in later], working / "my_models", environment)
    found = [mismatch(step, *result) for step, result in zip([first, *later], results, strict=True)]
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.slow
def test_readme_can_be_done_from_top_to_bottom_on_a_machine_with_nothing_installed(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """Every command, in the environment that README itself says how to make: nothing of ours is in it but what it asks for.

    What differs from a reader's machine: the project's address leads to this tree, and pip is held to constraints.txt.
    """
    folder = tmp_path / "working"
    folder.mkdir()
    everything = list(steps(README))
    results = typed([step.command for step in everything], folder, bare_environment(tmp_path))
    found = [mismatch(step, *result) for step, result in zip(everything, results, strict=False)]
    assert not any(found), "\n".join(filter(None, found))
    assert len(results) == len(everything) > 30, "the shell ended before the page did"
    figure(f"README.md: {len(everything)} commands typed, one after the other, and what they print is what it shows")


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pipx"])
def test_the_command_is_there_after_what_readme_says_of_an_installer(installer: str, tmp_path: Path) -> None:
    (command,) = re.findall(rf"^({installer} .*)$", section(README, "Install"), re.MULTILINE)
    environment = bare_environment(tmp_path)
    program(tmp_path / "bin", installer, f'exec {tmp_path}/installer/bin/{installer} "$@"')
    for variable in ("UV_TOOL_BIN_DIR", "PIPX_BIN_DIR"):
        environment[variable] = str(tmp_path / "bin")
    for variable in ("UV_TOOL_DIR", "PIPX_HOME"):
        environment[variable] = str(tmp_path / "tools")
    environment["UV_CACHE_DIR"] = str(tmp_path / "uv")
    del environment["PIP_QUIET"]  # pipx reads what pip prints
    install = f"python3 -m venv {tmp_path}/installer && {tmp_path}/installer/bin/pip install --quiet {installer}"
    *_, (_, ended), (printed, code) = typed([install, command, "add-model --version"], tmp_path, environment)
    assert (ended, printed.strip(), code) == (0, "add-model 0.1.0", 0)


def test_every_link_in_the_repository_leads_to_something() -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", README) if "://" not in link]
    assert len(links) > 15
    for link in links:
        path, _, anchor = link.partition("#")
        assert (ROOT / path).exists(), link
        if anchor:
            headings = re.findall(r"(?m)^#+ (.*)$", (ROOT / (path or "README.md")).read_text(encoding="utf-8"))
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}, link


def test_every_extra_is_in_the_table_of_what_to_install() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[project.optional-dependencies]")[1]
    extras = set(re.findall(r"(?m)^(\w+) = \[", project.split("\n[")[0])) - {"test", "dev"}
    assert set(re.findall(r"\| `add-model\[(\w+)\]`", section(README, "Install"))) == extras


def program(folder: Path, name: str, line: str) -> Path:
    """A command of a line of shell; returns the folder that it lies in."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return folder


def bare_environment(folder: Path) -> dict[str, str]:
    """The variables of a shell that finds this Python, the system's programs, and nothing that is installed for the tests."""
    published = snapshot(folder / "published")
    commands = program(folder / "bin", "python3", f'exec {sys.executable} "$@"')
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_", "http"))
    }
    return {
        **kept,
        "HOME": str(folder / "home"),
        "PATH": f"{commands}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{published}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
        "PIP_CACHE_DIR": str(_DOWNLOADS),
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "PIP_NO_COMPILE": "1",
        # Beside the --quiet of the page: the settings of a machine's pip may be worth a warning there.
        "PIP_QUIET": "1",
    }


def snapshot(folder: Path) -> Path:
    """This tree as a git repository, with what is not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "published"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True)
    return folder
