"""Parameters that only training asks for: a constant in the rules, and in what is suggested."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from add_model.porting.checkpoints.formats import Weight
from add_model.porting.conversion.plan import new_weights
from add_model.porting.rules.rule import Keep
from add_model.porting.suggestion.suggesting import as_rules, find_pairs
from tests.cli.commands import add_model_here
from tests.porting.foreign_checkpoints import BERT, write_safetensors

_NAME = "cls.predictions.transform.dense.bias"


def test_a_parameter_that_the_original_lacks_is_filled_with_a_constant(tmp_path: Path) -> None:
    write_safetensors(BERT, tmp_path / "original")
    weights = load_file(tmp_path / "original/model.safetensors")
    shape = weights.pop(_NAME).shape
    save_file(weights, tmp_path / "original/model.safetensors")
    arguments = ["convert", "zoo:bert", "original", "--class", BERT.class_name]
    rule = f'[[keep]]\nto = "{_NAME}"\nreason = "an example"\n'
    (tmp_path / "bert.rules.toml").write_text(rule)
    without = add_model_here(tmp_path, *arguments)
    assert without.returncode == 2 and "say what it holds: constant = 0.0" in without.stderr
    (tmp_path / "bert.rules.toml").write_text(rule + "constant = 0.25\n")
    result = add_model_here(tmp_path, *arguments)
    assert result.returncode == 0, result.stderr
    assert f"{_NAME} {list(shape)} <- 0.25 all over: an example" in result.stdout
    assert torch.equal(load_file(tmp_path / "converted/bert/model.safetensors")[_NAME], torch.full(shape, 0.25))


@pytest.mark.parametrize("value", ['"x"', "true", "nan"])
def test_a_constant_is_a_number(value: str, tmp_path: Path) -> None:
    write_safetensors(BERT, tmp_path / "original")
    (tmp_path / "bert.rules.toml").write_text(f'[[keep]]\nto = "{_NAME}"\nconstant = {value}\nreason = "an example"\n')
    result = add_model_here(tmp_path, "convert", "zoo:bert", "original", "--class", BERT.class_name)
    assert result.returncode == 2 and "constant must be a number" in result.stderr


@pytest.mark.parametrize(("name", "is_sure"), [("masked_spec_embed", True), ("mask_token", False)])
def test_what_only_training_asks_for_is_suggested_with_the_reason(name: str, is_sure: bool) -> None:
    model = nn.Module()
    model.dense = nn.Linear(4, 3)
    model.register_parameter(name, nn.Parameter(torch.zeros(5)))
    old = {"dense.weight": Weight((3, 4), torch.float32), "dense.bias": Weight((3,), torch.float32)}
    new = new_weights(model)
    suggestion = as_rules(find_pairs(old, new, {}), old, new)
    (rule,) = (rule for rule in suggestion.rules.rules if isinstance(rule, Keep))
    assert rule.target.text == name and rule.constant == 0.0 and "training" in rule.reason
    assert rule.unsure is not is_sure and not suggestion.open
