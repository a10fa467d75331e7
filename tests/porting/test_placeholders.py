"""Objects beside the weights of a pickle: none is imported, none is called, and none keeps the weights from being read."""

from __future__ import annotations

import argparse
import collections
import datetime
import sys
import types
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from add_model.errors import AddModelError
from add_model.porting.checkpoints.checkpoint import open_checkpoint


class Writing:
    """What would make a file if anything of the pickle were called."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return write_marker, (str(self.marker),)


def write_marker(path: str) -> None:
    Path(path).write_text("ran")


def of_a_module_that_is_gone() -> Any:
    """An object of a class whose module cannot be imported where it is read."""
    module = types.ModuleType("settings_of_somebody")
    settings = type("Settings", (), {"__module__": module.__name__, "__qualname__": "Settings"})
    module.Settings = settings  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    return settings()


BESIDE = {
    "a number of NumPy": lambda folder: numpy.float64(0.5),
    "a path": lambda folder: Path("runs/1"),
    "a date": lambda folder: datetime.datetime(2020, 1, 1),
    "a mapping with a default": lambda folder: collections.defaultdict(list, step=[1]),
    "a command line with a path": lambda folder: argparse.Namespace(out=Path("runs"), rate=1e-3),
    "settings of a module that is gone": lambda folder: of_a_module_that_is_gone(),
    "code": lambda folder: Writing(folder / "ran"),
}


@pytest.mark.parametrize("is_zipped", [True, False])
@pytest.mark.parametrize("name", BESIDE)
def test_the_weights_are_read_and_the_objects_named(name: str, is_zipped: bool, tmp_path: Path) -> None:
    content = {"model": {"layer.weight": torch.arange(6.0).view(2, 3)}, "beside": BESIDE[name](tmp_path)}
    torch.save(content, tmp_path / "model.pt", _use_new_zipfile_serialization=is_zipped)
    sys.modules.pop("settings_of_somebody", None)
    with open_checkpoint(tmp_path / "model.pt") as checkpoint:
        assert torch.equal(checkpoint.read("layer.weight"), torch.arange(6.0).view(2, 3))
        notes = " ".join(checkpoint.notes)
    assert "nothing of them was imported or called" in notes
    assert not (tmp_path / "ran").exists() and "settings_of_somebody" not in sys.modules


def test_weights_in_a_mapping_with_a_default_are_read(tmp_path: Path) -> None:
    torch.save(collections.defaultdict(list, {"weight": torch.ones(2)}), tmp_path / "model.pt")
    with open_checkpoint(tmp_path / "model.pt") as checkpoint:
        assert list(checkpoint.weights) == ["weight"]


def test_weights_inside_of_an_object_are_refused_by_its_name(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pt")
    with pytest.raises(AddModelError, match="asks for torch.nn.modules.linear.Linear"):
        open_checkpoint(tmp_path / "model.pt")


@pytest.mark.parametrize("index", [True, False])
def test_one_part_of_several_is_said_to_be_one(index: bool, tmp_path: Path) -> None:
    part = tmp_path / "model-00002-of-00003.safetensors"
    part.write_bytes(b"")
    if index:
        (tmp_path / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(AddModelError, match=r"is part 2 of 3 of a checkpoint; (name|fetch)"):
        open_checkpoint(part)


def test_parts_of_processes_are_said_to_be_such(tmp_path: Path) -> None:
    for number in range(2):
        torch.save({"weight": torch.ones(2)}, tmp_path / f"consolidated.{number:02}.pth")
    with pytest.raises(AddModelError, match="2 processes had each a part of"):
        open_checkpoint(tmp_path)


def test_the_data_of_a_graph_alone_is_said_to_be_that(tmp_path: Path) -> None:
    (tmp_path / "model.onnx.data").write_bytes(bytes(64))
    with pytest.raises(AddModelError, match="holds the weights of an ONNX graph"):
        open_checkpoint(tmp_path / "model.onnx.data")
