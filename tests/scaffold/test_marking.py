from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.copies.language.equality import is_copy
from add_model.copies.language.marker import Replacement, without_markers
from add_model.names import ModelName, Renaming
from add_model.references import find_reference
from add_model.scaffold.copied_text.marking import blocks, with_markers
from add_model.scaffold.copied_text.replacements import shortest_replacements
from tests.copies.libraries import codes_of, write_library

BERT = ModelName("bert", "Bert", "BERT")
BRAND_NEW_BERT = ModelName.from_snake("brand_new_bert")
RENAMING = Renaming(BERT, BRAND_NEW_BERT)
MODULE = "lib.models.bert.modeling_bert"

ORIGINAL = '''"""BERT."""

import torch


def scaled(x):
    return x / 2


class BertLayer:
    """A layer of BERT."""

    def forward(self, bert):
        return BertLayer


@torch.decorated
class BertModel:
    layer = BertLayer
'''


def marked(text: str, original: str = ORIGINAL, renaming: Renaming = RENAMING) -> tuple[str, tuple[str, ...]]:
    return with_markers(text, original, MODULE, renaming)


def test_every_block_that_is_a_copy_gets_a_marker() -> None:
    text, unmarked = marked(RENAMING.text(ORIGINAL))
    lines = text.splitlines()
    assert unmarked == ()
    assert lines[lines.index("def scaled(x):") - 1] == f"# Copied from {MODULE}.scaled"
    assert lines[lines.index("@torch.decorated") + 1] == f"# Copied from {MODULE}.BertModel with Bert->BrandNewBert"
    layer = lines[lines.index("class BrandNewBertLayer:") - 1]
    assert layer.startswith(f"# Copied from {MODULE}.BertLayer with ")
    assert {"Bert->BrandNewBert", "bert->brand_new_bert", "BERT->BrandNewBert"} == set(
        layer.partition(" with ")[2].split(", ")
    )


def test_the_checker_confirms_every_marker(tmp_path: Path) -> None:
    copy, _ = marked(RENAMING.text(ORIGINAL))
    files = {
        "lib/models/bert/modeling_bert.py": ORIGINAL,
        "lib/models/brand_new_bert/modeling_brand_new_bert.py": copy,
    }
    assert codes_of(write_library(tmp_path, files)) == []


@pytest.mark.parametrize("model", ["zoo:bert", "zoo:gpt2", "zoo:bart"])
@pytest.mark.parametrize("name", ["brand_new_bert", "x", "bertram", "my_gpt2", "b_art2"])
def test_every_block_of_the_zoo_can_be_marked(tmp_path: Path, model: str, name: str) -> None:
    reference = find_reference(model, None)
    renaming = Renaming(reference.name, ModelName.from_snake(name))
    for path, original in reference.files.items():
        if not path.name.startswith(("modeling_", "tokenization_")):
            continue
        copy, unmarked = marked(renaming.text(without_markers(original)), original, renaming)
        assert unmarked == ()
        assert copy.count(f"# Copied from {MODULE}.") == len(list(blocks(original)))


def test_a_block_that_no_list_reproduces_gets_none_and_is_named() -> None:
    text = RENAMING.text(ORIGINAL).replace("x / 2", "x / 2 + 1").replace("layer = Brand", "layer = not Brand")
    text, unmarked = marked(text)
    assert [name for name, _ in unmarked] == ["scaled", "BrandNewBertModel"]
    assert {why for _, why in unmarked} == {"no list of replacements reproduces it"}
    assert text.count("# Copied from") == 1


def test_a_block_without_an_original_gets_none() -> None:
    text, unmarked = marked("class BrandNewBertExtra:\n    pass\n\n\ndef scaled(x):\n    return x / 2\n")
    assert unmarked == () and text.count("# Copied from") == 1


def test_nothing_but_markers_is_added() -> None:
    copy = RENAMING.text(ORIGINAL)
    assert without_markers(marked(copy)[0]) == copy


def test_the_same_name_needs_no_replacement() -> None:
    text, _ = marked(ORIGINAL, renaming=Renaming(BERT, BERT))
    assert f"# Copied from {MODULE}.BertLayer\nclass BertLayer" in text and " with " not in text


@pytest.mark.parametrize("newline", ["\x0c", "\u2028", "\x1c", "\x85"])
def test_what_python_takes_for_no_end_of_line_is_none(newline: str) -> None:
    original = f'SEPARATORS = "{newline}"  # {newline}\n\n\ndef scaled(x):\n    return "{newline}"\n\n\nclass BertLayer(Bert):\n    pass\n'  # fmt: skip
    text, unmarked = marked(RENAMING.text(original), original)
    assert unmarked == ()
    assert f"# Copied from {MODULE}.scaled\ndef scaled" in text
    assert f"# Copied from {MODULE}.BertLayer with Bert->BrandNewBert\nclass BrandNewBertLayer" in text


def test_markers_come_off_with_their_lines() -> None:
    text = (
        "x = 1\n# Copied from a.b.C with A->B\nclass D:\n    # Copied from a.b.C.e\n    def e(self):\n        pass\n"
    )
    assert without_markers(text) == "x = 1\nclass D:\n    def e(self):\n        pass\n"


@pytest.mark.parametrize(
    ("original", "copy", "replacements"),
    [
        ("class BertA:\n    x = 1\n", "class BrandNewBertA:\n    x = 1\n", []),
        ("class BertA(Bert):\n    x = 1\n", "class BrandNewBertA(BrandNewBert):\n    x = 1\n", [("Bert", "BrandNewBert")]),
        ("def f():\n    return bert\n", "def f():\n    return brand_new_bert\n", [("bert", "brand_new_bert")]),
        ("def f():\n    return 1\n", "def f():\n    return 1\n", []),
        ("def f():\n    return Berta, Bert\n", "def f():\n    return Berta, BrandNewBert\n", [("Bert", "BrandNewBert"), ("BrandNewBerta", "Berta")]),
        ("def f():\n    return 1\n", "def f():\n    return 2\n", None),
        ("def f():\n    return BertX, bert_y\n", "def f():\n    return BrandNewBertX, brand_new_bert_y\n", [("Bert", "BrandNewBert"), ("bert", "brand_new_bert")]),
    ],
)  # fmt: skip
def test_the_shortest_list_that_reproduces_the_copy(
    original: str, copy: str, replacements: list[tuple[str, str]] | None
) -> None:
    found = shortest_replacements(original, copy, RENAMING.pairs())
    assert found == (None if replacements is None else tuple(Replacement(*pair) for pair in replacements))


WORDS = st.lists(st.sampled_from(["Bert", "bert", "BERT_X", "BertModel", "albert", "Roberta", "x", "bert_layer", "1"]), min_size=1, max_size=6)  # fmt: skip


@given(words=WORDS)
def test_whatever_list_is_found_reproduces_the_copy(words: list[str]) -> None:
    original = f"def function():\n    return [{', '.join(words)}]\n"
    copy = RENAMING.text(original)
    found = shortest_replacements(original, copy, RENAMING.pairs())
    if found is not None:
        assert is_copy(original, copy, found)
    elif not {"albert", "Roberta"} & set(words):
        pytest.fail("the name alone would have done")


def test_blocks_start_with_their_decorators() -> None:
    text = "x = 1\n\n\n@a\n@b(\n    1\n)\nclass C:\n    def d(self):\n        pass\n\n\nasync def e():\n    pass\n"
    assert [(block.name, block.first, block.last) for block in blocks(text)] == [("C", 3, 10), ("e", 12, 14)]
