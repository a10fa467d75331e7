"""A new model is registered wherever its reference is, and nothing else of the checkout changes by a byte."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path

import pytest

from add_model.errors import AddModelError
from add_model.scaffold.checkout.edits import Registration
from add_model.scaffold.checkout.layout import find_checkout
from add_model.scaffold.checkout.registration import registration_edits

from .trees import make_checkout

OWN = ("Config", "TextConfig", "Model", "TextModel", "ForCausalLM", "Tokenizer", "TokenizerFast", "ImageProcessor", "ImageProcessorPil")  # fmt: skip


def register(root: Path, new: str = "jay", camel: str = "Jay") -> Registration:
    checkout = find_checkout(root)
    assert checkout is not None
    classes = {f"Wren{suffix}": f"{camel}{suffix}" for suffix in OWN} | {"BasicSplitter": "BasicSplitter"}
    classes["load_tf_weights_in_wren"] = f"load_tf_weights_in_{new}"
    types = {"wren": new, "wren_text_model": f"{new}_text_model"}
    return registration_edits(
        checkout, "wren", new, types, classes, lambda text: text.replace("wren", new).replace("Wren", camel)
    )


def added_lines(registration: Registration, name: str) -> list[str]:
    """The lines that a file gets; it loses none."""
    edit = next(edit for edit in registration.edits if edit.path.name == name)
    before, after = edit.before.decode().splitlines(), edit.after.decode().splitlines()
    changes = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    assert all(line.startswith("+") for line in changes), changes
    return [line[2:].strip() for line in changes]


def test_a_model_of_5_gets_an_entry_beside_each_of_its_reference(tmp_path: Path) -> None:
    registration = register(make_checkout(tmp_path))
    assert added_lines(registration, "auto_mappings.py") == [
        '("jay", "JayConfig"),',
        '("jay_text_model", "JayTextConfig"),',
        '("jay_text_model", "jay"),',
        '("jay", {"pil": "JayImageProcessorPil", "torchvision": "JayImageProcessor"}),',
    ]
    assert added_lines(registration, "modeling_auto.py") == [
        '("jay", "JayModel"),',
        '("jay_text_model", "JayTextModel"),',
        '("jay", "JayForCausalLM"),',
    ]


def test_what_the_reference_shares_with_others_stays_shared(tmp_path: Path) -> None:
    assert added_lines(register(make_checkout(tmp_path)), "tokenization_auto.py") == [
        '("jay", "FinchTokenizer" if is_tokenizers_available() else None),',
        '"jay",',
    ]


def test_a_model_of_4_gets_its_tokenizers_in_the_form_of_the_reference(tmp_path: Path) -> None:
    registration = register(make_checkout(tmp_path, generation=4))
    edit = next(edit for edit in registration.edits if edit.path.name == "tokenization_auto.py")
    wren = edit.before.decode().partition('("finch", ("FinchTokenizer", None)),\n')[2].partition("        ]\n")[0]
    assert edit.after.decode().count(wren.replace("wren", "jay").replace("Wren", "Jay") + wren) == 1
    assert added_lines(registration, "configuration_auto.py") == [
        '("jay", "JayConfig"),',
        '("jay", "Jay"),',
        '("jay_text_model", "jay"),',
    ]


@pytest.mark.parametrize(("generation", "line"), [(5, "from .jay import *"), (4, "jay,")])
def test_the_folder_is_listed_among_the_models(tmp_path: Path, generation: int, line: str) -> None:
    registration = register(make_checkout(tmp_path, generation))
    edit = next(edit for edit in registration.edits if edit.path.parent.name == "models")
    lines = [text.strip() for text in edit.after.decode().splitlines()]
    place = lines.index(line)
    assert ("finch" in lines[place - 1]) and ("wren" in lines[place + 1])


@pytest.mark.parametrize("generation", [4, 5])
@pytest.mark.parametrize("name", ["aardvark", "finch_of_darwin", "jay", "zebra", "wren2"])
def test_sorted_tables_stay_sorted_and_unsorted_ones_get_it_beside_the_reference(
    tmp_path: Path, generation: int, name: str
) -> None:
    for edit in register(make_checkout(tmp_path, generation), name, name.title()).edits:
        if edit.path.name != "modeling_auto.py":
            continue
        lines = [line.strip() for line in edit.after.decode().splitlines()]
        keys = [line.split('"')[1] for line in lines[: lines.index(")")] if line.startswith("(")]
        assert keys == sorted(keys) and f"{name}_text_model" in keys


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("generation", [4, 5])
def test_everything_that_is_edited_still_parses_and_keeps_its_line_ends(
    tmp_path: Path, generation: int, newline: str
) -> None:
    root = make_checkout(tmp_path, generation)
    for path in root.rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", newline.encode()))
    for edit in register(root).edits:
        if edit.path.suffix == ".py":
            ast.parse(edit.after)
            assert edit.after.count(b"\n") == edit.after.count(newline.encode())


def test_an_entry_that_is_there_already_is_not_added_again(tmp_path: Path) -> None:
    root = make_checkout(tmp_path)
    for edit in register(root).edits:
        edit.path.write_bytes(edit.after)
    assert register(root).edits == ()


def test_an_entry_of_the_new_type_that_says_something_else_is_refused(tmp_path: Path) -> None:
    root = make_checkout(tmp_path)
    path = root / "src/transformers/models/auto/modeling_auto.py"
    path.write_text(
        path.read_text().replace('("wren", "WrenModel"),', '("jay", "RookModel"),\n("wren", "WrenModel"),')
    )
    with pytest.raises(AddModelError, match=r"modeling_auto\.py:11: MODEL_MAPPING_NAMES has an entry 'jay' already"):
        register(root)


@pytest.mark.parametrize(
    "form",
    [
        "OrderedDict((name, name.title()) for name in BIRDS)",
        "{name: name.title() for name in BIRDS}",
        "read_birds()",
        'OrderedDict(wren="WrenModel")',
        'OrderedDict([["wren", "WrenModel"]])',
        "OrderedDict([(WREN, 'WrenModel')])",
    ],
)
def test_a_mapping_of_another_form_is_named_with_its_line(tmp_path: Path, form: str) -> None:
    root = make_checkout(tmp_path)
    path = root / "src/transformers/models/auto/modeling_auto.py"
    path.write_text(f"MODEL_FOR_BIRDS_MAPPING_NAMES = {form}\n")
    with pytest.raises(AddModelError, match=r"modeling_auto\.py:1: MODEL_FOR_BIRDS_MAPPING_NAMES is no plain table"):
        register(root)


@pytest.mark.parametrize("form", ['{"wren": "WrenModel"}', "dict({'wren': (\n  'WrenModel'  # a bird )\n)})"])
def test_a_dict_is_as_good_as_a_list_of_pairs(tmp_path: Path, form: str) -> None:
    root = make_checkout(tmp_path)
    path = root / "src/transformers/models/auto/modeling_auto.py"
    path.write_text(f"MODEL_FOR_BIRDS_MAPPING_NAMES = {form}\n")
    edit = next(edit for edit in register(root).edits if edit.path == path)
    namespace: dict[str, dict[str, str]] = {}
    exec(edit.after, namespace)
    assert namespace["MODEL_FOR_BIRDS_MAPPING_NAMES"] == {"wren": "WrenModel", "jay": "JayModel"}


def test_a_missing_table_of_configurations_is_named(tmp_path: Path) -> None:
    root = make_checkout(tmp_path, generation=4)
    path = root / "src/transformers/models/auto/configuration_auto.py"
    path.write_text(path.read_text().replace("CONFIG_MAPPING_NAMES", "CONFIGURATIONS"))
    with pytest.raises(AddModelError, match="no file there has the table CONFIG_MAPPING_NAMES"):
        register(root)
