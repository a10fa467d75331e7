"""The tree's own lists of exceptions have the new model wherever they have its reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .test_registration import added_lines, register
from .trees import make_checkout

CHECK_REPO = """\
PRIVATE_MODELS = [
    # None of them is for users.
    "AlbatrossEncoder",
    "WrenTextModel",
]

IGNORE_NON_TESTED = (
    PRIVATE_MODELS.copy()
    + [
        "FinchForCTC",
        "WrenForCausalLM",  # is built from others
    ]
)

TEST_FILES_WITH_NO_COMMON_TESTS = [
    "models/finch/test_modeling_finch.py",
    "models/wren/test_modeling_wren.py",
]


def check(name):
    return name != "WrenModel"
"""
CHECK_ATTRIBUTES = """\
SPECIAL_CASES_TO_ALLOW = {
    "FinchConfig": True,
    # Used by its processor.
    "WrenConfig": ["wings", "feathers"],
}
SPECIAL_CASES_TO_ALLOW.update(
    {
        "WrenTextConfig": True,
    }
)
"""
COMMON = """\
class ModelTesterMixin:
    without_attention = {"WrenModel", "FinchModel"}

    def test_training(self):
        if self.model_class.__name__ in ("WrenModel", "FinchModel"):
            self.skipTest("sings only")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    texts = {
        "utils/check_repo.py": CHECK_REPO,
        "utils/check_config_attributes.py": CHECK_ATTRIBUTES,
        "utils/check_broken.py": '"WrenModel" (',
        "tests/test_modeling_common.py": COMMON,
    }
    return make_checkout(tmp_path, changed=texts)


def evaluated(root: Path, name: str) -> dict[str, Any]:
    edit = next(edit for edit in register(root).edits if edit.path.name == name)
    namespace: dict[str, Any] = {}
    exec(edit.after, namespace)
    return namespace


def test_scripts_that_check_the_tree_except_the_new_model_as_its_reference(root: Path) -> None:
    found = evaluated(root, "check_repo.py")
    assert found["PRIVATE_MODELS"] == ["AlbatrossEncoder", "JayTextModel", "WrenTextModel"]
    assert set(found["IGNORE_NON_TESTED"]) - set(found["PRIVATE_MODELS"]) == {"FinchForCTC", "JayForCausalLM", "WrenForCausalLM"}  # fmt: skip
    assert "models/jay/test_modeling_jay.py" in found["TEST_FILES_WITH_NO_COMMON_TESTS"]
    attributes = evaluated(root, "check_config_attributes.py")["SPECIAL_CASES_TO_ALLOW"]
    assert attributes["JayConfig"] == ["wings", "feathers"] and attributes["JayTextConfig"] is True


def test_nothing_is_lost_and_what_cannot_be_entered_is_named(root: Path) -> None:
    registration = register(root)
    assert added_lines(registration, "check_repo.py") and added_lines(registration, "check_config_attributes.py")
    notes = {(note.path.name, note.line): note.text for note in registration.notes}
    assert "check treats 'WrenModel' specially" in notes["check_repo.py", 22]
    assert "ModelTesterMixin.test_training treats 'WrenModel'" in notes["test_modeling_common.py", 5]
    assert len([name for name, _ in notes if name.startswith(("check_", "test_"))]) == 2


def test_common_tests_that_except_the_reference_except_the_new_model(root: Path) -> None:
    mixin = evaluated(root, "test_modeling_common.py")["ModelTesterMixin"]
    assert mixin.without_attention == {"WrenModel", "JayModel", "FinchModel"}


def test_tests_that_import_from_each_other_still_do(tmp_path: Path) -> None:
    texts = {
        "tests/models/wren/test_feature_extraction_wren.py": "class WrenEar:\n    pass\n",
        "tests/models/wren/test_processing_wren.py": "from .test_feature_extraction_wren import WrenEar\nimport tests.models.wren.test_modeling_wren\n",
    }
    made = {
        file.path.name: file.content.decode() for file in register(make_checkout(tmp_path, changed=texts)).new_files
    }
    assert "from .test_feature_extraction_jay import JayEar\n" in made["test_processing_jay.py"]
    assert "import tests.models.jay.test_modeling_jay" in made["test_processing_jay.py"]


KEYS = [f"{name}Tokenizer" for name in "Albert Bart Barthez Bert BigBird Blenderbot Camembert CLIP Codegen Deberta DPR Electra LED Longformer Zebra Lxmert".split()]  # fmt: skip


def test_an_entry_stands_at_its_place_in_a_table_that_is_sorted_but_for_some(tmp_path: Path) -> None:
    lines = "".join(f'    "{key}": None,\n' for key in KEYS)
    table = f'SLOW_TO_FAST_CONVERTERS = {{\n{lines}    "WrenTokenizer": None,\n}}\n'
    from add_model.scaffold.source_tree.edits import FileEdit

    registration = register(make_checkout(tmp_path, changed={"src/transformers/convert_slow_tokenizer.py": table}), "brand_new_wren", "BrandNewWren")  # fmt: skip
    (edit,) = [edit for edit in registration.edits if edit.path.name == "convert_slow_tokenizer.py"]
    assert isinstance(edit, FileEdit)
    after = edit.after.decode().splitlines()
    at = after.index('    "BrandNewWrenTokenizer": None,')
    assert after[at - 1] == '    "BlenderbotTokenizer": None,'


NOT_DOCTESTED = """\
docs/source/en/model_doc/albatross.md
docs/source/en/model_doc/wren.md
src/transformers/models/finch/modeling_finch.py
src/transformers/models/wren/configuration_wren.py
src/transformers/models/wren/convert_wren_to_pytorch.py
src/transformers/models/wren/modeling_gone_wren.py
src/transformers/models/wren/modeling_wren.py
"""


@pytest.mark.parametrize("end", ["\n", ""])
def test_lists_of_files_have_those_that_are_written_each_at_its_place(tmp_path: Path, end: str) -> None:
    listed = NOT_DOCTESTED.removesuffix("\n") + end
    root = make_checkout(tmp_path, changed={"utils/not_doctested.txt": listed, "utils/notes.txt": "See wren.\n"})
    for name in ("configuration_wren", "modeling_wren", "convert_wren_to_pytorch"):
        (root / f"src/transformers/models/wren/{name}.py").touch()
    edit = next(edit for edit in register(root).edits if edit.path.name == "not_doctested.txt")
    lines = edit.after.decode().splitlines()
    assert lines == sorted(lines) and not edit.after.startswith(b"\n")
    assert set(lines) - set(NOT_DOCTESTED.splitlines()) == {
        "docs/source/en/model_doc/jay.md",
        "src/transformers/models/jay/configuration_jay.py",
        "src/transformers/models/jay/modeling_jay.py",
    }
    assert all(edit.path.name != "notes.txt" for edit in register(root).edits)


def test_an_unsorted_list_has_them_beside_the_reference(tmp_path: Path) -> None:
    listed = "src/transformers/models/wren/modeling_wren.py\nsrc/transformers/models/finch/modeling_finch.py\n"
    root = make_checkout(tmp_path, changed={"utils/slow_tests.txt": listed})
    (root / "src/transformers/models/wren/modeling_wren.py").touch()
    edit = next(edit for edit in register(root).edits if edit.path.name == "slow_tests.txt")
    assert edit.after.decode().splitlines()[1] == "src/transformers/models/jay/modeling_jay.py"
