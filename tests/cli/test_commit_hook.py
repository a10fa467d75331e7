"""The commit hook, run by the real `pre-commit` in a repository that is not this one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .commands import SOURCES

BERT = "class BertLayer:\n    def forward(self):\n        return 1\n"
VIT = "# Copied from my_models.bert.BertLayer with Bert->ViT\n" + BERT.replace("Bert", "ViT")


def run(folder: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a command without what the surroundings say of git, and with the hook's home below the test's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**clean, "GIT_CONFIG_GLOBAL": os.devnull, "PRE_COMMIT_HOME": str(folder.parent / "pre-commit")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=check)


def git(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    name = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return run(folder, "git", *name, *arguments, check=check)


@pytest.fixture
def hook_repository(tmp_path: Path) -> Path:
    """What stands in this checkout, committed: pre-commit clones it, and installs it with pip."""
    folder = tmp_path / "add-model"
    folder.mkdir()
    for name in ("add_model", "templates"):
        shutil.copytree(SOURCES / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(SOURCES / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "All of it")
    return folder


@pytest.mark.slow
def test_the_hook_lets_a_clean_commit_through_and_stops_a_drifted_one(hook_repository: Path, tmp_path: Path) -> None:
    revision = git(hook_repository, "rev-parse", "HEAD").stdout.strip()
    folder = tmp_path / "my_library"
    package = folder / "src/my_models"
    package.mkdir(parents=True)
    for name, text in {"__init__.py": "", "bert.py": BERT, "vit.py": VIT}.items():
        (package / name).write_text(text)
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {hook_repository}\n    rev: {revision}\n    hooks: [{{id: check-copies}}]\n"
    )
    git(folder, "init", "--quiet")
    run(folder, sys.executable, "-m", "pre_commit", "install")
    git(folder, "add", ".")
    clean = git(folder, "commit", "--message", "A copy", check=False)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert "copied blocks equal their originals" in clean.stdout + clean.stderr
    (package / "bert.py").write_text(BERT.replace("return 1", "return 2"))
    stopped = git(folder, "commit", "--all", "--message", "Its original edited", check=False)
    assert stopped.returncode == 1
    assert "src/my_models/vit.py:1 CP001 ViTLayer" in stopped.stdout + stopped.stderr
    assert git(folder, "rev-list", "--count", "HEAD").stdout.strip() == "1"
