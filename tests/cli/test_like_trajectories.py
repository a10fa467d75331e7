"""A model of trajectories: nothing turns texts or images into what it takes, so its library has no code that would."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomlkit

from add_model.porting.recording.file import load_recording

from .commands import add_model_here, done
from .test_like import check_copies_is_clean, files, registry


@pytest.fixture
def trajectories(tmp_path: Path) -> Path:
    """A library with a model like Decision Transformer."""
    done(tmp_path, "decision_transformer", "--name", "my_dreamer", "--into", "my_models", "--yes")
    return tmp_path / "my_models"


def test_its_library_has_neither_a_tokenizer_nor_an_image_processor(trajectories: Path) -> None:
    written = files(trajectories)
    assert "src/my_models/models/my_dreamer/modeling_my_dreamer.py" in written
    assert not [path for path in written if "tokeniz" in path or "image" in path or "processing" in path]
    assert not [path for path in written if "generation" in path]
    assert registry(trajectories)["MODEL_MAPPING_NAMES"] == {"my_dreamer": "MyDreamerModel"}
    project = tomlkit.parse((trajectories / "pyproject.toml").read_text())["project"]
    dependencies = {each.partition(">")[0] for each in project["dependencies"]}
    assert dependencies == {"huggingface-hub", "numpy", "safetensors", "torch"}
    check_copies_is_clean(trajectories)


def test_another_is_made_from_it(trajectories: Path) -> None:
    done(trajectories, "my_dreamer", "--name", "jay")
    text = (trajectories / "src/my_models/models/jay/modeling_jay.py").read_text()
    assert "# Copied from my_models.models.my_dreamer.modeling_my_dreamer." in text
    check_copies_is_clean(trajectories)


def test_it_is_recorded_on_a_trajectory_where_nobody_says_on_what(trajectories: Path) -> None:
    recorded = add_model_here(trajectories, "record", "my_dreamer", "--out", "new.safetensors")
    assert recorded.returncode == 0, recorded.stderr
    inputs = load_recording(trajectories / "new.safetensors").root.inputs
    assert {"states", "actions", "returns_to_go", "timesteps"} <= set(inputs)
