"""`like` in the released tree: what is written holds as a copy, and is taken back to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import add_model_here, contents, done
from tests.copies.released import copy_of


@pytest.mark.slow
def test_a_model_of_the_released_tree_holds_and_is_taken_back(tmp_path: Path) -> None:
    root = copy_of("diffusers-0.42.1", tmp_path / "diffusers").root
    at_first = contents(root)
    done(root, "flux", "--name", "brand_new_flux", "--into", ".", "--yes")
    package = root / "src" / "diffusers"
    new = [package / "pipelines" / "brand_new_flux", package / "models" / "transformers" / "transformer_brand_new_flux.py"]  # fmt: skip
    checked = add_model_here(root, "check-copies", *map(str, new))
    assert checked.returncode == 0 and "all copies hold" in checked.stdout + checked.stderr, checked.stdout
    assert add_model_here(root, "remove", "brand_new_flux").returncode == 0
    assert contents(root) == at_first
