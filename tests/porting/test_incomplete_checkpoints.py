"""A checkpoint that lacks a weight is not recorded, and what no safetensors file says of its numbers is said in a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn

from add_model.porting.checkpoints.formats import SAFETENSORS_TYPES, Weight
from add_model.porting.conversion.plan import make_plan, new_weights
from add_model.porting.rules.operations import Cast
from add_model.porting.rules.pattern import Pattern
from add_model.porting.rules.rule import Fill, Rules
from tests.cli.commands import add_model_here
from tests.porting.foreign_checkpoints import BERT, write_configuration


def lacking(folder: Path, name: str) -> None:
    """A checkpoint without one of its weights."""
    model = BERT.build()
    assert isinstance(model, transformers.PreTrainedModel)
    model.save_pretrained(folder)
    write_configuration(BERT, model, folder)
    weights = load_file(folder / "model.safetensors")
    del weights[name]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("origin", ["transformers", "zoo"])
def test_a_checkpoint_that_lacks_a_weight_is_not_recorded(origin: str, tmp_path: Path) -> None:
    name = "bert.encoder.layer.1.output.dense.bias"
    lacking(tmp_path / "new", name)
    arguments = ["--checkpoint", "new", "--input-ids", "1,2,3", "--out", "new.safetensors"]
    result = add_model_here(tmp_path, "record", f"{origin}:bert", "--class", BERT.class_name, *arguments)
    assert result.returncode == 2 and f"lacks {name} of {BERT.class_name}" in result.stderr
    assert not (tmp_path / "new.safetensors").exists()


def problems_with(dtype: torch.dtype, *steps: Cast) -> str:
    model = nn.Linear(2, 3, bias=False)
    rules = Rules((Fill((Pattern("kernel"),), (Pattern("weight"),), steps),))
    return " ".join(make_plan(rules, {"kernel": Weight((3, 2), dtype)}, new_weights(model)).problems)


@pytest.mark.parametrize("steps", [(), (Cast("float32"),)])
def test_complex_numbers_lose_nothing_by_a_cast(steps: tuple[Cast, ...]) -> None:
    said = problems_with(torch.complex64, *steps)
    assert "view_as_real" in said and "add { cast" not in said


@pytest.mark.skipif(not hasattr(torch, "float4_e2m1fn_x2"), reason="this torch has no such type")
def test_numbers_of_four_bits_are_refused_in_a_line() -> None:
    assert "is float4_e2m1fn_x2, which is not written" in problems_with(torch.float4_e2m1fn_x2)


@pytest.mark.parametrize("name", ["float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz"])
def test_every_kind_of_eight_bits_is_converted_and_loaded_in_a_type_that_models_compute_in(name: str, tmp_path: Path) -> None:  # fmt: skip
    dtype = getattr(torch, name)
    assert dtype in SAFETENSORS_TYPES.values()
    model = BERT.build()
    write_configuration(BERT, model, tmp_path / "original")
    weights = {key: tensor.abs().to(dtype) for key, tensor in model.state_dict().items() if tensor.is_floating_point()}
    torch.save(weights, tmp_path / "original/model.pt")
    result = add_model_here(tmp_path, "convert", "zoo:bert", "original/model.pt", "--class", BERT.class_name, "--out", "new")  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "new/config.json").read_text())["dtype"] == "float32"
