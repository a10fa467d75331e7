"""What is written is looked through for NaN and infinity, in every type of numbers and wherever they stand."""

import math
from pathlib import Path

import pytest
import torch

from add_model.porting.checkpoints.formats import Weight
from add_model.porting.checkpoints.shards import ShardsWriter, make_shards
from add_model.porting.checkpoints.staged import staged_folder

TYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.float8_e5m2, torch.complex64)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.0])
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_what_is_not_finite_is_found(dtype: torch.dtype, value: float, tmp_path: Path) -> None:
    for place in (0, 7, 30):
        tensor = torch.linspace(-2, 2, 31).to(dtype)
        tensor[place] = value
        weights = {"weight": Weight(tuple(tensor.shape), dtype)}
        with staged_folder(tmp_path / f"at_{place}") as folder:
            assert ShardsWriter(folder, make_shards(weights, 1 << 20)).write("weight", tensor) is (value == 1.0)
