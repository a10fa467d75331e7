"""What nobody sees, or what steers a terminal or a runner, is shown as an escape; all other text stays as it is."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.errors import AddModelError
from add_model.visible import as_json, visible, visible_line, visible_lines

ORDINARY = [
    "bert",
    "é",
    "中文",
    "عربي",
    "नमस्ते",
    "😀",
    "❤️",
    "a  b",
    "x\u00a0y\u3000z",
    "C:\\new",
    "## Title",
    "a::b",
    "x[0]",
]
# What there is of each kind that hides or steers, and how it is shown.
SHOWN = {
    "\x1b[31mred": r"\x1b[31mred",
    "\x00\x07\x08\x0b\x0c\x7f": r"\x00\x07\x08\x0b\x0c\x7f",
    "\x9b31m\x85": r"\x9b31m\x85",
    "a\nb\rc\td": r"a\nb\rc\td",
    "\u2028\u2029": r"\u2028\u2029",
    "\u202eevil\u2066\u2069\u200e\u061c": r"\u202eevil\u2066\u2069\u200e\u061c",
    "a\u200bb\u200dc\ufeffd\u2060e\u00adf": r"a\u200bb\u200dc\ufeffd\u2060e\xadf",
    "\u3164\uffa0\u115f": r"\u3164\uffa0\u115f",
    "\udc9b": r"\udc9b",
    "\U000e0041": r"\U000e0041",
    "x ##[error]y": r"x #\x23[error]y",
    "##vso[task]": r"#\x23vso[task]",
}


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert visible(text) == visible_line(text) == text


@pytest.mark.parametrize("text", SHOWN, ids=ascii)
def test_what_hides_or_steers_is_escaped(text: str) -> None:
    assert visible(text) == visible(SHOWN[text]) == SHOWN[text]


def test_an_error_says_no_more_than_one_line() -> None:
    assert str(AddModelError("a\x1b[2J\n::error::b")) == r"a\x1b[2J\n::error::b"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", r"\x3a:error::x"),
        (" \u3000::error::x", " \u3000\\x3a:error::x"),
        ("::", r"\x3a:"),
        # As reStructuredText has it, within code.
        ("    ::", "    ::"),
        ("a ::error::x", "a ::error::x"),
        ("a\n::error::x", r"a\n::error::x"),
    ],
)
def test_a_line_is_no_command(line: str, shown: str) -> None:
    assert visible_line(line) == shown


def test_lines_of_code_keep_their_tabs() -> None:
    assert visible_line("\tx\x0c = 1\t# y", keep="\t") == "\tx\\x0c = 1\t# y"
    assert visible_lines("\tx\r\n ::add-mask::y\n") == "\tx\\r\n \\x3a:add-mask::y\n"


@given(st.recursive(st.text() | st.just("##[x\\##vso[") | st.integers(), lambda inner: st.lists(inner, max_size=3)))
def test_json_is_plain_and_says_the_same(value: object) -> None:
    text = as_json(value)
    assert text.isascii() and text.replace("\n", "").isprintable() and "##[" not in text and "##vso[" not in text
    assert json.loads(text) == value


@given(st.text())
def test_whatever_is_shown_is_shown_the_same_again(text: str) -> None:
    shown = visible_line(text)
    assert visible_line(shown) == visible(shown) == shown
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in shown)
    assert not shown.startswith("::")
