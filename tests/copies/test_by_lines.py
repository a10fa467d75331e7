"""Markers that the libraries' own scripts, which go by lines, end with an error at; held to a model of what those read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from add_model.copies.finding import Code, Severity
from add_model.copies.fixing.fix import fix
from add_model.copies.judging.check import Check
from add_model.library import Library

from .libraries import codes_of, findings_of, write_library
from .released import RELEASES, released

MARKER = "# Copied from {library}.base.{name}\n"


def library_with(root: Path, block: str, above: str = "", between: str = "", library: str = "transformers", name: str = "f") -> Library:  # fmt: skip
    """A library whose copy is its original, with some lines above its marker and between that and the header."""
    copy = f"{above}{MARKER.format(library=library, name=name)}{between}{block}"
    return write_library(root, {f"{library}/base.py": block, f"{library}/copy.py": copy})


FUNCTION = "def f(x):\n    return x\n"
CLASS = "class C(B):\n    size = 1\n\n    def f(self):\n        return 1\n"


@pytest.mark.parametrize("library", ["transformers", "diffusers", "my_models"])
@pytest.mark.parametrize(
    ("block", "above", "between", "why"),
    [
        (FUNCTION, "", "", None),
        (FUNCTION, "@a\n", "", None),
        (FUNCTION, "", "@a\n", "a decorator stands between it and the header"),
        (FUNCTION, "", "@a(\n    1\n)\n", "a decorator stands between"),
        (FUNCTION, "", "# why\n", "something stands between"),
        (FUNCTION, "", "\n", "something stands between"),
        (FUNCTION, "", "# Copied from {0}.base.f\n@a\n", "another marker stands between"),
        ("def f(x) -> int:\n    return x\n", "", "", None),
        ("def f(x):  # (why\n    return x\n", "", "", None),
        ("def f(\n    x,\n):\n    return x\n", "", "", None),
        ("def f(\n    x,\n) -> dict[str, int]:\n    return x\n", "", "", None),
        ("def f(\n    x,\n) -> dict[\n    str, int\n]:\n    return x\n", "", "", "the line that its header ends on"),
        ("def f(\n    x,\n):  # why\n    return x\n", "", "", "the line that its header ends on"),
        ("def f(x,\n      y):\n    return x\n", "", "", "the line that its header ends on"),
        ("def f(x): return x\n", "", "", "its body stands on the line of its header"),
        ("def f(x): return x\n", "", "@a\n", "its body stands on the line of its header"),
        ("async def f(x):\n    return x\n", "", "", "its header is not written"),
        ("def f (x):\n    return x\n", "", "", "its header is not written"),
    ],
)  # fmt: skip
def test_functions(block: str, above: str, between: str, why: str | None, library: str, tmp_path: Path) -> None:
    found = findings_of(library_with(tmp_path, block, above, between.format(library), library))
    if why is None or library == "my_models":
        assert found == []
        return
    finding = found[0]
    assert finding.code is Code.CP012 and finding.severity is Severity.WARNING
    assert finding.message.startswith(f"the library's own script cannot read this marker: {why}")
    assert finding.fixable is ("stands between" in why and "another" not in why)


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (CLASS, None),
        ("class C:\n    size = 1\n", None),
        ("class C:\n    @a\n    def f(self):\n        pass\n\n    # why\n    @b(\n        1\n    )\n    async def g(self):\n        pass\n    # end\n", None),
        ('class C:\n    def f(self):\n        x = """\n    size = 1\n"""\n\n    def g(\n        self,\n    ) -> int:\n        pass\n', None),
        (f"{CLASS}\n    size = 2\n", "`size = 2` stands behind a method"),
        # A class within counts as a method does.
        (f"{CLASS}\n    class D:\n        pass\n\n    def g(self):\n        pass\n", None),
        (f"{CLASS}\n    class D: ...\n\n    size = 2\n", "stands behind a method"),
        ("class C(B): pass\n", "its body stands on the line"),
        ("class C(B): ...\n", "its body stands on the line"),
    ],
)  # fmt: skip
def test_classes(block: str, why: str | None, tmp_path: Path) -> None:
    found = findings_of(library_with(tmp_path / "transformers", block, name="C"))
    assert [finding.code for finding in found] == ([] if why is None else [Code.CP012])
    assert why is None or why in found[0].message
    is_of_members = why is not None and "behind" in why
    expected = [] if why is None or is_of_members else ["CP012"]
    assert codes_of(library_with(tmp_path / "diffusers", block, library="diffusers", name="C")) == expected


def test_a_copy_of_another_package_is_none_of_that_scripts_business(tmp_path: Path) -> None:
    block = "class NamedTuple: pass\n"
    files = {"transformers/copy.py": f"# Copied from add_model.zoo.models.bert.modeling_bert.BertPooler\n@a\n{block}"}
    assert "CP012" not in codes_of(write_library(tmp_path, files))


def test_a_fix_moves_the_marker_and_nothing_else(tmp_path: Path) -> None:
    drifted = "import a\n\n\n{0}\n@a\n# why\n@b(\n    1\n)\n{1}class ViT:\n    def f(self):\n        return 2\n"
    marker = "# Copied from transformers.base.Bert with Bert->ViT\n"
    files = {
        "transformers/base.py": "class Bert:\n    def f(self):\n        return 1\n",
        "transformers/vit.py": drifted.format(marker.rstrip("\n"), "").replace("\n", "\r\n"),
        "transformers/same.py": drifted.format(marker.rstrip("\n"), "").replace("return 2", "return 1"),
    }
    library = write_library(tmp_path, files)
    assert codes_of(library) == ["CP012", "CP001", "CP012"]
    done = fix(library)
    assert (done.rewritten, done.moved, done.findings) == (1, 2, [])
    done.write()
    expected = drifted.format("", marker).replace("\n\n\n\n", "\n\n\n").replace("return 2", "return 1")
    assert (tmp_path / "src/transformers/same.py").read_text() == expected
    assert (tmp_path / "src/transformers/vit.py").read_bytes().decode() == expected.replace("\n", "\r\n")
    assert fix(library).after == {}


def test_what_is_not_reported_is_not_moved(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.add-model]\nper-file-ignores = {"src/*/copy.py" = ["CP012"]}\n')
    done = fix(library_with(tmp_path, FUNCTION, between="@a\n"))
    assert done.after == {} and done.moved == 0


# A model of those scripts, from the description of what they read: the lines of a block are taken as its blocks of lines.
LAST_LINE = re.compile(r"^\s*\)(\s*->.*:|:)\s*$")


def model_reads(copy: str) -> bool:
    """Whether a script that goes by lines finds a whole block below the first marker of a text, in its terms."""
    lines = copy.split("\n")
    at = next(number for number, line in enumerate(lines) if "Copied from" in line)
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    header = lines[at + 1]
    if not re.match(rf"{indent}(class \w+[(:]|def \w+\()", header):
        return False
    depth, number = 0, at + 1
    while True:
        line = lines[number]
        depth += line.count("(") + line.count("[") - line.count(")") - line.count("]")
        if depth == 0:
            break
        number += 1
    if number > at + 1 and not LAST_LINE.match(lines[number]):
        return False
    return lines[number].endswith(":")


@given(
    st.lists(st.sampled_from(["@a\n", "@b(\n    1\n)\n", "# why\n", "\n"]), max_size=2),
    st.sampled_from(["def f", "async def f", "class f", "def f "]),
    st.sampled_from(["(x)", "(\n    x,\n)", "(x,\n      y)", "()"]),
    st.sampled_from(["", " -> int", " -> dict[\n    str, int\n]"]),
    st.sampled_from([":\n    return x\n", ": pass\n"]),
)
@settings(max_examples=120, deadline=None)
def test_the_model_agrees(
    tmp_path_factory: pytest.TempPathFactory, between: list[str], name: str, parameters: str, returns: str, body: str
) -> None:
    if name == "class f":
        returns, body = "", body.replace("return x", "x = 1")
    block = f"{name}{parameters}{returns}{body}"
    library = library_with(tmp_path_factory.mktemp("library"), block, between="".join(between))
    copy = (library.root / "src/transformers/copy.py").read_text()
    assert ("CP012" in codes_of(library)) is not model_reads(copy)
    fix(library).write()
    moved = (library.root / "src/transformers/copy.py").read_text()
    assert ("CP012" in codes_of(library)) is not model_reads(moved)
    if not model_reads(moved):
        assert moved == copy


@pytest.mark.parametrize("release", RELEASES)
def test_the_released_trees_hold_none(release: str) -> None:
    assert [finding for finding in Check(released(release)).findings() if finding.code is Code.CP012] == []
