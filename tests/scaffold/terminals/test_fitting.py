"""Texts in a given width: no line is longer, columns stand below each other, and what is cut says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from add_model.scaffold.interview.terminal.fitting import aligned, cut, facts, printable, remark, wrapped

WORDS = st.text(alphabet="abcdefgé字", min_size=1, max_size=12)
PARTS = st.lists(WORDS, min_size=1, max_size=4).map("_".join)
TEXTS = st.lists(PARTS, max_size=12).map(" ".join)
WIDTHS = st.integers(min_value=8, max_value=100)


@given(text=TEXTS, width=WIDTHS)
def test_a_cut_text_fits_and_ends_with_whole_words_and_an_ellipsis(text: str, width: int) -> None:
    shown = cut(text, width)
    assert get_cwidth(shown) <= width
    if shown != text:
        assert shown.endswith("…")
        if shown.endswith(" …"):
            kept = shown.removesuffix(" …")
            assert text.startswith(f"{kept} ")


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("reads in both directions", 24, "reads in both directions"),
        ("reads in both directions", 23, "reads in both …"),
        ("reads in both directions", 15, "reads in both …"),
        ("reads in both directions", 14, "reads in …"),
        ("audio_spectrogram_transformer", 20, "audio_spectrogram_…"),
        ("src/models/one", 12, "src/models/…"),
        ("incomprehensibilities", 8, "incompr…"),
        ("anything", 0, ""),
    ],
)
def test_a_text_is_cut_at_a_word_or_at_a_part_of_one(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


@given(text=TEXTS, width=WIDTHS)
def test_a_wrapped_text_fits_and_says_all_of_it(text: str, width: int) -> None:
    lines = wrapped(text, width, "  ")
    assert all(get_cwidth(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_path_is_parted_behind_its_slashes() -> None:
    lines = wrapped("folder /home/somebody/with/a/long/path", 20, "  ")
    assert lines == ["folder /home/", "  somebody/with/a/", "  long/path"]


@given(rows=st.lists(st.tuples(PARTS, WORDS, TEXTS), min_size=1, max_size=8), width=st.integers(24, 100))
def test_columns_stand_below_each_other_whatever_the_longest_name(
    rows: list[tuple[str, str, str]], width: int
) -> None:
    lines = aligned([("a", "b", "c"), *rows], width)
    assert all(get_cwidth(line) <= width for line in lines)
    # The first row says where the columns are.
    second = lines[0].find("b")
    for line in lines[1:] if second > 0 else ():
        used, cells = 0, ""
        for letter in line:
            if used in (second - 2, second - 1):
                cells += letter
            used += get_cwidth(letter)
        assert cells.strip() == ""


@given(
    values=st.lists(st.tuples(st.sampled_from(["name", "what is new"]), TEXTS), min_size=1), width=st.integers(40, 100)
)
def test_facts_fit_beside_their_labels(values: list[tuple[str, str]], width: int) -> None:
    assert all(get_cwidth(line) <= width for line in facts(values, width))


def test_a_remark_keeps_its_lines_and_its_indentation() -> None:
    assert remark("one\n  two three four", 10) == ["one", "  two", "  three", "  four"]


def test_what_a_terminal_would_act_upon_is_not_shown() -> None:
    assert printable("a\x1b[2Jb\tc") == r"a\x1b[2Jb\tc"
