"""Markers within a copied class: they are a part of it in a library of one's own as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from add_model.names import ModelName, Renaming
from add_model.scaffold.copied_text.marking import with_markers
from add_model.scaffold.copied_text.origins import without_inner_markers
from tests.cli.commands import add_model_here

SPLIT_HEADS = (
    "    # Copied from add_model.zoo.models.bert.modeling_bert.BertSelfAttention.split_heads\n    def split_heads("
)
MODULE = "lib.models.wren.modeling_wren"
RENAMING = Renaming(ModelName("wren", "Wren", "Wren"), ModelName.from_snake("finch"))
ORIGINAL = """\
class WrenLayer:
    # Copied from lib.models.owl.modeling_owl.OwlLayer.first
    def first(self):
        return 1

    # Copied from lib.models.owl.modeling_owl.OwlLayer.second with Owl->Wren
    def second(self):
        return WrenLayer
"""


@pytest.mark.parametrize("heads", ["all", "causal-lm"])
def test_they_travel_into_a_library_and_from_one_of_its_models_to_the_next(tmp_path: Path, heads: str) -> None:
    root = tmp_path / "my_models"
    for folder, arguments in (
        (tmp_path, ("like", "zoo:bart", "--name", "my_bart", "--into", str(root), "--heads", heads, "--yes")),
        (root, ("like", "my_bart", "--name", "newer_bart", "--yes")),
        (root, ("check-copies", "--strict")),
    ):
        result = add_model_here(folder, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
    for name in ("my_bart", "newer_bart"):
        text = (root / f"src/my_models/models/{name}/modeling_{name}.py").read_text()
        assert SPLIT_HEADS in text


def test_those_that_say_the_model_s_name_say_the_new_one() -> None:
    text, unmarked = with_markers(RENAMING.text(ORIGINAL), ORIGINAL, MODULE, RENAMING)
    assert unmarked == ()
    assert "    # Copied from lib.models.owl.modeling_owl.OwlLayer.second with Owl->Finch\n" in text


def test_those_that_cannot_be_told_from_each_other_are_left_out() -> None:
    shorter = RENAMING.text(ORIGINAL).replace("    # Copied from lib.models.owl.modeling_owl.OwlLayer.first\n", "")
    text, _ = with_markers(shorter, ORIGINAL, MODULE, RENAMING)
    assert text.count("# Copied from") == 1


def test_a_definition_that_is_no_copy_has_none_within() -> None:
    others = ORIGINAL.replace("WrenLayer", "WrenModel")
    assert without_inner_markers(ORIGINAL + others, {"WrenModel"}).count("# Copied from") == 2
