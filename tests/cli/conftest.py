"""A library that every test gets its own copy of."""

import shutil
from pathlib import Path

import pytest

from .commands import add_model_process, done


@pytest.fixture(scope="session")
def made_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`my_models` with the model `brand_new_bert`; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    done(folder, "bert", "--name", "brand_new_bert", "--into", "my_models", "--yes", command=add_model_process)
    return folder / "my_models"


@pytest.fixture
def library(made_library: Path, tmp_path: Path) -> Path:
    """A copy of that library, alone in the test's folder, to be changed at will."""
    return Path(shutil.copytree(made_library, tmp_path / "my_models"))
