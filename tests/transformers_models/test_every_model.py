"""The table of `benchmarks/every_model.py`: the sample in the everyday run, the rest when asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.copies.released import released
from tests.transformers_models.environments import python_for_4
from tests.transformers_models.folders import NAMED

TABLE = Path(__file__).parents[2] / "benchmarks" / "every_model.py"


def table(work: Path, *arguments: str) -> str:
    """What the command prints; it fails where a model does."""
    run = subprocess.run(
        [sys.executable, str(TABLE), "--work", str(work), *arguments], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    return run.stdout


@pytest.mark.slow
def test_the_sample_works_like_its_references(tmp_path: Path) -> None:
    assert "40 of 40 models pass" in table(tmp_path, "--sample", "--kinds", "checkout")


@pytest.mark.slow
@pytest.mark.exhaustive
def test_the_sample_works_in_a_package_as_well(tmp_path: Path) -> None:
    assert "40 of 40 models pass" in table(tmp_path, "--sample", "--kinds", "package")


@pytest.mark.slow
@pytest.mark.exhaustive
def test_models_of_4_work_like_their_references(tmp_path: Path) -> None:
    package = released("transformers-4.46.3").packages["transformers"]
    printed = table(
        tmp_path, "--tree", str(package.parents[1]), "--named", "--kinds", "checkout", "--python", str(python_for_4())
    )
    assert f"{len(NAMED)} of {len(NAMED)} models pass" in printed


@pytest.mark.slow
@pytest.mark.exhaustive
def test_every_model_of_5_works_like_its_reference(tmp_path: Path) -> None:
    assert table(tmp_path).count("523 of 523 models pass") == 2  # in a checkout, and in a package


@pytest.mark.slow
@pytest.mark.exhaustive
def test_names_that_hold_nothing_of_the_references_work_as_well(tmp_path: Path) -> None:
    assert "40 of 40 models pass" in table(tmp_path, "--sample", "--kinds", "checkout", "--pattern", "quokka_{}_x")


@pytest.mark.slow
@pytest.mark.exhaustive
def test_single_files_that_follow_from_a_modular_one_work_as_well(tmp_path: Path) -> None:
    models = ("bert", "llama", "clip", "vit", "gpt2", "t5")
    assert "6 of 6 models pass" in table(tmp_path, "--kinds", "checkout", "--style", "modular", "--models", *models)
