"""Whatever `like` marks can be taken apart by a script that reads line by line, and nothing is unmarked that could be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from add_model.copies.language import by_lines
from add_model.copies.language.parts import Part, parts_of
from add_model.scaffold.copied_text.marking import blocks, lines_of, readable_markers, with_markers
from add_model.source import Module
from tests.copies.released import released
from tests.scaffold.line_script import Unreadable, definition_at, problems, taken_apart
from tests.scaffold.rendered import in_a_checkout, in_a_package, modules
from tests.scaffold.test_marking import MODULE, RENAMING
from tests.transformers_models.folders import SAMPLE, model_folders, new_name

_LETTERS = {Part.STATEMENTS: "S", Part.DEFINITION: "M"}
METHOD = "    def f(self):\n        return 1\n"
# A definition, and what it is made of; `None` where no such script can take it apart.
DEFINITIONS = [
    (f"class A:\n{METHOD}", "M"),
    (f'class A(B):\n    """A."""\n\n    x = 1\n\n{METHOD}\n{METHOD}', "SM"),
    ("class A(\n    B,\n    C,\n):\n    x = 1\n", "S"),
    (f"class A(B):\n    # Right above it.\n    @property\n{METHOD}\n    @f.setter\n    # It sets.\n{METHOD}", "M"),
    ("def f(x):\n    return x\n", "S"),
    ("def f(\n    x,\n) -> A:\n    return x\n", "S"),
    ("def f(x) -> A:\n    return x\n", ""),
    ("def f(x):\n    def g(y):\n        return y\n\n    return g(x)\n", "MS"),
    ("def f(x):\n    a = 1\n\n    def g(y):\n        return y\n\n    def h(y):\n        return y\n\n    return g(x)\n", "SMMS"),
    ("class A(B): ...\n", None),
    ("class A(B): x = 1\n", None),
    ("def f(x): return x\n", None),
    ("async def f(x):\n    return x\n", None),
    ("def f(\n    x,\n) -> Union[\n    A,\n    B,\n]:\n    return x\n", None),
    ("def f(\n    x,\n):  # it gives\n    return x\n", None),
    (f"class A(B):\n    x = 1\n\n{METHOD}\n    y = f\n", None),
    (f"class A(B):\n{METHOD}\n    y = f\n\n{METHOD}", None),
    (f"class A(B):\n{METHOD}\n    # A remark on what follows.\n\n{METHOD}", None),
    (f"class A(B):\n{METHOD}\n    async def g(self):\n        pass\n", None),
    ("class A(B):\n    def f(\n        self,\n    ) -> Union[\n        A,\n        B,\n    ]:\n        return x\n", None),
    ('class A(B):\n    def f(self):\n        return """\nx\n"""\n', None),
]  # fmt: skip


def _of_the_tool(lines: list[str]) -> str | None:
    parts = parts_of(lines)
    return None if parts is None else "".join(_LETTERS[part] for part in parts)


def _of_the_model(lines: list[str]) -> str | None:
    try:
        return taken_apart(lines)
    except Unreadable:
        return None


@pytest.mark.parametrize(("text", "parts"), DEFINITIONS)
def test_a_definition_is_taken_apart_as_such_scripts_do(text: str, parts: str | None) -> None:
    lines = text.splitlines()
    assert (_of_the_tool(lines), _of_the_model(lines)) == (parts, parts)


@pytest.mark.parametrize(("text", "parts"), DEFINITIONS)
def test_what_cannot_be_taken_apart_gets_no_marker_and_is_named(text: str, parts: str | None) -> None:
    marked, unmarked = with_markers(text, text, MODULE, RENAMING)
    assert ("# Copied from" in marked) == (parts is not None)
    assert [why for _, why in unmarked] == ["scripts that read line by line cannot take it apart"] * (parts is None)


@pytest.mark.parametrize("text", [text for text, parts in DEFINITIONS if parts is not None])
def test_the_checker_reports_no_marker_above_what_can_be_taken_apart(text: str) -> None:
    marker = "# Copied from transformers.models.a.modeling_a.A\n"
    module = Module("copy.py", marker + text)
    assert by_lines.unreadable(module, 0, len(marker), len(marker + text), {"transformers"}) is None


def test_what_stands_behind_an_overload_of_its_name_is_not_what_such_a_script_finds() -> None:
    text = "@overload\ndef f(x: int) -> int: ...\n\n\ndef f(x):\n    return x\n"
    marked, unmarked = with_markers(text, text, MODULE, RENAMING)
    assert "Copied from" not in marked and [name for name, _ in unmarked] == ["f"]


def test_comments_behind_the_last_method_are_statements_as_well() -> None:
    text = f"class A:\n{METHOD}\n    # def g(self):\n    #     pass\n\n\ndef f(x):\n    return x\n"
    marked, unmarked = with_markers(text, text, MODULE, RENAMING)
    assert [name for name, _ in unmarked] == ["A"] and marked.count("# Copied from") == 1


@pytest.mark.parametrize("below", ["if x:\n", "try:\n", "with x:\n"])
def test_what_stands_below_a_condition_is_found_by_no_such_script(below: str) -> None:
    text = f"{below}    def f(x):\n        return x\n" + ("except E:\n    pass\n" if below == "try:\n" else "")
    marked, unmarked = with_markers(text, text, MODULE, RENAMING)
    assert "Copied from" not in marked and [name for name, _ in unmarked] == ["f"]


def test_a_marker_goes_where_another_layout_has_made_it_unreadable() -> None:
    before = "# Copied from a.b.f\ndef f(x) -> A:\n    return x\n\n\n# Copied from a.b.g\ndef g(x):\n    return x\n"
    after = before.replace("def f(x) -> A:", "def f(\n    x,\n) -> A:")
    text, lost = readable_markers(before, after)
    assert text == after.replace("# Copied from a.b.f\n", "") and [name for name, _ in lost] == ["f"]
    assert readable_markers(before, before) == (before, ())


# Where a released tree breaks the rule itself: markers within that its original has not.
_ODD = {"modeling_idefics2.py": 1, "modeling_idefics3.py": 1, "modeling_mistral.py": 1}


@pytest.mark.slow
@pytest.mark.parametrize(("release", "number"), [("transformers-5.23.0", 1100), ("transformers-4.46.3", 3300)])
def test_the_model_takes_apart_what_released_trees_mark(release: str, number: int) -> None:
    package = released(release).packages["transformers"]
    markers, found = 0, []
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        markers += text.count("# Copied from transformers.")
        found += [path.name for _ in problems(text, package)]
    assert markers > number
    assert [name for name in found if name not in _ODD] == [] and len(found) <= len(_ODD)


@pytest.mark.slow
@pytest.mark.parametrize("release", ["transformers-5.23.0", "transformers-4.46.3"])
def test_both_take_every_definition_of_the_released_models_apart_alike(release: str) -> None:
    for path in (released(release).packages["transformers"] / "models").glob("*/*.py"):
        text = path.read_text(encoding="utf-8")
        lines = lines_of(text)
        for block in blocks(text):
            definition = [line[block.column :].rstrip("\r\n") for line in lines[block.header : block.last]]
            assert _of_the_tool(definition) == _of_the_model(definition), (path, block)


def unreadable(found: dict[str, str]) -> list[str]:
    """The markers of a new model's modules that a script cannot follow; and the definitions that could have had one."""
    package = released("transformers-5.23.0").packages["transformers"]
    return [f"{path}:{line} {why}" for path, text in found.items() for line, why in problems(text, package, found)]


def _can_be_marked(lines: list[str], header: int) -> bool:
    try:
        return _of_the_model(definition_at(lines, header, "")) is not None
    except Unreadable:
        return False


def check(folder: str, root: Path | None = None) -> None:
    """Holds a model to the rules: every marker can be followed, and what says that it cannot have one is right."""
    name = new_name(folder)
    rendering = in_a_checkout(folder, name) if root is None else in_a_package(folder, name, root)
    found = modules(rendering)
    assert any("# Copied from transformers." in text for text in found.values())
    # In a package of one's own no path leads from Transformers to the model itself, so that such a marker is left out.
    own = f"# Copied from transformers.models.{name}."
    assert [text for text in unreadable(found) if root is None or own not in text] == []
    without = [left.what for left in rendering.left_out if left.why.startswith("scripts that read line by line")]
    # A name may be defined in several files, and below a condition in one of them.
    for what in without:
        name = what.removeprefix("marker of ")
        places = [(text, block) for text in found.values() for block in blocks(text) if block.name == name]
        is_found = [not block.column and text.count(f"\ndef {name}(") < 2 for text, block in places]
        able = [_can_be_marked(text.split("\n"), block.header) for text, block in places]
        assert not all(is_found) or not all(able), what


def test_markers_stand_below_decorators_and_above_headers() -> None:
    check("bert")
    text = modules(in_a_checkout("bert", "brand_new_bert"))[
        "transformers.models.brand_new_bert.modeling_brand_new_bert"
    ]
    assert "@auto_docstring\n# Copied from transformers.models.bert.modeling_bert.BertPreTrainedModel with " in text


@pytest.mark.parametrize("folder", ["lilt", "longt5"])
def test_markers_within_a_class_travel_with_it(folder: str) -> None:
    name = new_name(folder)
    found = modules(in_a_checkout(folder, name))
    within = [line for text in found.values() for line in text.split("\n") if line.startswith("    # Copied from")]
    assert within and unreadable(found) == []


@pytest.mark.slow
@pytest.mark.parametrize("folder", SAMPLE)
def test_every_marker_of_the_sample_can_be_followed(folder: str) -> None:
    check(folder)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["bert", "llama", "whisper", "distilbert", "clip", "mixtral"])
def test_every_marker_of_a_package_can_be_followed(folder: str, tmp_path: Path) -> None:
    check(folder, tmp_path)


@pytest.mark.exhaustive
def test_every_marker_of_every_model_can_be_followed() -> None:
    failed = {}
    for folder in model_folders(released("transformers-5.23.0").packages["transformers"]):
        try:
            check(folder)
        except AssertionError as error:
            failed[folder] = str(error)[:300]
    assert failed == {}


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "name", "unmarked"), [("roc_bert", "new_kid", 0), ("mt5", "new_kid", 0), ("mt5", "new_mt5", 3)])  # fmt: skip
def test_markers_within_a_class_hold_or_are_left_out_with_its_own(folder: str, name: str, unmarked: int) -> None:
    rendering = in_a_checkout(folder, name)
    found = modules(rendering)
    assert unreadable(found) == []
    text = found[f"transformers.models.{name}.modeling_{name}"]
    assert not re.search(rf"->{folder}(?![-\w])", text)
    astray = [left.what for left in rendering.left_out if left.why.startswith("a marker within it")]
    assert len(astray) == unmarked


def test_a_definition_whose_imports_are_sorted_otherwise_loses_its_marker() -> None:
    marker = "# Copied from birds.wren.sing with Wren->Auk\n"
    before = f"{marker}def sing():\n    from birds import Finch, Auk\n\n    return Finch, Auk\n"
    after = before.replace("import Finch, Auk", "import Auk, Finch")
    text, lost = readable_markers(before, after)
    assert (text, [name for name, _ in lost]) == (after.removeprefix(marker), ["sing"])
    assert "imports" in lost[0].why
