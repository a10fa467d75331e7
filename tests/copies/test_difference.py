"""The first differing line of both sides is shown, whatever it differs in."""

from __future__ import annotations

from pathlib import Path

import pytest

from .libraries import findings_of, write_library

ORIGINAL = '''class Bert(Base):
    def f(self, x):
        """Doc."""
        for i in x:
            a = 1
            b = "two words"
        self.A = 2
        z = foo(
            a,
            B,
        )
        return a

    def g(self):
        c = 1  # note
        return c
'''
JOINED = ("foo(\n            a,\n            B,\n        )", "foo(a, B)")

EDITS = {
    "a number": ([("a = 1", "a = 2")], (6, "a = 1", "a = 2")),
    "another block": ([('            b = "two', '        b = "two')], (7, '    b = "two words"', 'b = "two words"')),
    "another block at the end": ([("        return c", "    return c")], (17, "    return c", "return c")),
    "upper case": ([("self.A", "self.a")], (8, "self.A = 2", "self.a = 2")),
    "upper case in brackets": ([("            B,", "            b,")], (11, "B,", "b,")),
    "upper case behind another layout": ([JOINED, ("c = 1", "C = 1")], (13, "c = 1  # note", "C = 1  # note")),
    "upper case before all else": ([("self.A", "self.a"), ("c = 1", "c = 2")], (8, "self.A = 2", "self.a = 2")),
    "a layout before all else": ([JOINED, ("c = 1", "c = 2")], (13, "c = 1  # note", "c = 2  # note")),
    "upper case of a method": ([("def g", "def G")], (15, "def g(self):", "def G(self):")),
    "upper case in the header": ([("(Base)", "(base)")], (2, "class ViT(Base):", "class ViT(base):")),
    "upper case in a docstring": ([("Doc", "doc")], (4, '"""Doc."""', '"""doc."""')),
    "white space in a string": ([("two words", "two  words")], (7, 'b = "two words"', 'b = "two  words"')),
    "a comma": ([("return a", "return a,")], (13, "return a", "return a,")),
    "a comment elsewhere": ([("  # note", ""), ("return c", "return c  # note")], (16, "c = 1  # note", "c = 1")),
    "indentation by tabs": ([("    ", "\t"), ("c = 1", "c = 2")], (16, "c = 1  # note", "c = 2  # note")),
    "a dropped line": ([("        return c\n", "")], (17, "return c", None)),
    "an added line": ([("        return c\n", "        return c\n        return d\n")], (18, None, "return d")),
}


@pytest.mark.parametrize("case", EDITS)
def test_the_first_differing_line_is_shown(case: str, tmp_path: Path) -> None:
    edits, expected = EDITS[case]
    copy = ORIGINAL
    for old, new in edits:
        copy = copy.replace(old, new)
    copy = f"# Copied from my_models.bert.Bert with Bert->ViT\n{copy.replace('Bert', 'ViT')}"
    [finding] = findings_of(write_library(tmp_path, {"my_models/bert.py": ORIGINAL, "my_models/vit.py": copy}))
    assert finding.difference == expected
