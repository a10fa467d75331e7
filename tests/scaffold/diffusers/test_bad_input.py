"""Requests in a source tree of Diffusers that cannot be met: one line that says what is wrong and what to do, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import add_model_here, contents

from .trees import make_tree

REFUSED = {
    "a model of another library": (["bert", "--name", "x_y"], "unknown reference 'bert'"),
    "half a reference": (["transformer_wre", "--name", "x_y"], "nearest: diffusers:wren"),
    "what it does not have": (["finch", "--what", "pipeline", "--name", "x_y"], "choose from: scheduler"),
    "nothing of it": (["wren", "--what", "none", "--name", "x_y"], "choose from: transformer, controlnet, pipeline"),
    "a name that is only a scheduler's": (["wren", "--what", "transformer", "--name", "finch"], "'finch' exists as a scheduler in"),
    "a name that is only a deprecated pipeline's": (["wren", "--what", "transformer", "--name", "gull"], "'gull' exists as deprecated in"),
    "a name that differs in an underscore": (["wren", "--name", "wren_2"], "only in its casing or its underscores"),
    "what is deprecated": (["gull", "--name", "x_y"], "'gull' is deprecated in"),
    "a modular pipeline": (["heron", "--name", "x_y"], "'heron' has only a modular pipeline in"),
    "a tokenizer": (["wren", "--tokenizer-like", "finch", "--name", "x_y"], "take their tokenizers from Transformers"),
    "a modular file": (["wren", "--style", "modular", "--name", "x_y"], "leave --style out"),
    "itself": (["wren", "--name", "wren"], "cannot be made from itself"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, tmp_path: Path) -> None:
    arguments, said = REFUSED[case]
    tree = make_tree(tmp_path / "diffusers")
    at_first = contents(tree)
    result = add_model_here(tree, "like", *arguments, "--into", ".", "--yes")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
    assert said in result.stderr
    assert contents(tree) == at_first


@pytest.mark.parametrize("missing", ["models", "schedulers", "pipelines"])
def test_a_tree_without_one_of_its_packages_is_said_to_be_none(missing: str, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "diffusers", {f"src/diffusers/{missing}/__init__.py": None})
    at_first = contents(tree)
    result = add_model_here(tree, "like", "wren", "--name", "x_y", "--into", ".", "--yes")
    assert result.returncode == 2 and f"found no {missing}/__init__.py" in result.stderr
    assert "pass the root of a whole checkout with --into" in result.stderr
    assert contents(tree) == at_first


def test_a_module_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    path = "src/diffusers/schedulers/scheduling_finch.py"
    tree = make_tree(tmp_path / "diffusers", {path: "class FinchScheduler:\n    x = (\n"})
    result = add_model_here(tree, "like", "finch", "--name", "x_y", "--into", ".", "--yes")
    assert result.returncode == 2 and f"{path}:2: does not parse" in result.stderr


def test_the_workbench_says_what_it_cannot_do(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "diffusers")
    result = add_model_here(tree, "status", "wren")
    assert result.returncode == 2 and "models of Diffusers cannot be run here yet" in result.stderr
