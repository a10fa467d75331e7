"""In 4.x every class is exported for lazy import and for type checkers, and has a dummy, wherever the reference's has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from add_model.scaffold.source_tree.edits import FileEdit

from .test_registration import register
from .trees import GENERATION_4, make_checkout

DUMMIES = "src/transformers/utils/dummy_pt_objects.py"
TOP = "src/transformers/__init__.py"


def edited(root: Path, name: str, new: str = "jay", camel: str = "Jay") -> FileEdit:
    return next(edit for edit in register(root, new, camel).edits if edit.path == root / name)


def lazily(content: bytes) -> dict[str, list[str]]:
    """Module -> the names that `_import_structure` has of it."""
    names: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_import_structure":
            names.update(ast.literal_eval(node.value))
        elif isinstance(node, ast.Call) and (
            match := re.fullmatch(r"_import_structure\['(\S+)'\]\.\w+", ast.unparse(node.func))
        ):
            value = ast.literal_eval(node.args[0])
            names.setdefault(match[1], []).extend([value] if isinstance(value, str) else value)
    return names


def for_type_checkers(content: bytes) -> dict[str, list[str]]:
    """Module -> the names that are imported of it."""
    names: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("models."):
            names.setdefault(node.module, []).extend(alias.name for alias in node.names)
    return names


@pytest.mark.parametrize("new", ["aardvark", "jay", "zebra"])
def test_both_halves_name_the_same_classes_and_what_is_shared_is_exported_once(tmp_path: Path, new: str) -> None:
    camel = new.title()
    edit = edited(make_checkout(tmp_path, 4), TOP, new, camel)
    expected = ["Config", "ForCausalLM", "Model", "Tokenizer"]
    names = [*(f"{camel}{suffix}" for suffix in expected), f"load_tf_weights_in_{new}"]
    assert sorted(lazily(edit.after)[f"models.{new}"]) == sorted(for_type_checkers(edit.after)[f"models.{new}"]) == sorted(names)  # fmt: skip
    others = {module: found for module, found in lazily(edit.after).items() if module != f"models.{new}"}
    assert others == lazily(edit.before)


def test_names_stand_under_the_library_that_they_need(tmp_path: Path) -> None:
    text = edited(make_checkout(tmp_path, 4), TOP).after.decode()
    tokenizers, torch = (
        text.index('_import_structure["models.jay"].append'),
        text.index('_import_structure["models.jay"].extend'),
    )
    assert text.index("if not is_sentencepiece_available()") < tokenizers < text.index("if not is_torch_available()")
    assert text.index("if not is_torch_available()") < torch < text.index("if TYPE_CHECKING:")


def test_each_dummy_is_that_of_the_reference(tmp_path: Path) -> None:
    text = edited(make_checkout(tmp_path, 4), DUMMIES).after.decode()
    for name in ("ForCausalLM", "Model"):
        wren = GENERATION_4[DUMMIES].partition(f"class Wren{name}(")[2].partition("\n\n\n")[0]
        assert f"\n\n\nclass Jay{name}({wren}\n\n\n" in text
    assert (
        'def load_tf_weights_in_jay(*args, **kwargs):\n    requires_backends(load_tf_weights_in_jay, ["torch"])\n'
        in text
    )


@pytest.mark.parametrize("new", ["aardvark", "jay", "zebra"])
def test_dummies_stand_in_the_order_of_the_exports(tmp_path: Path, new: str) -> None:
    root = make_checkout(tmp_path, 4)
    exported = [
        name for names in for_type_checkers(edited(root, TOP, new, new.title()).after).values() for name in names
    ]
    dummies = re.findall(r"^(?:class|def) (\w+)", edited(root, DUMMIES, new, new.title()).after.decode(), re.MULTILINE)
    assert [name for name in exported if name in dummies] == [name for name in dummies if name in exported]
    assert len(set(dummies)) == len(dummies) and dummies[-1] == "AdamW"


def test_what_does_not_fit_on_a_line_takes_several(tmp_path: Path) -> None:
    root = make_checkout(tmp_path, 4)
    text = edited(root, TOP, "bird" * 12, "Bird" * 12).after.decode()
    assert max(map(len, text.splitlines())) <= 119


def test_a_later_generation_has_nothing_to_export(tmp_path: Path) -> None:
    assert all(edit.path != tmp_path / TOP for edit in register(make_checkout(tmp_path, 5)).edits)
