"""What a question looks like on screens of many sizes, told without a terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from prompt_toolkit.utils import get_cwidth

from add_model.scaffold.checkout.layout import find_checkout
from add_model.scaffold.checkout.target import CheckoutTarget
from add_model.scaffold.interview.questions import Check, Choose, Option, Topic, Write, question
from add_model.scaffold.interview.review import review
from add_model.scaffold.interview.terminal.menu import menu_of
from add_model.scaffold.interview.terminal.pages import answer_lines, menu_page, write_footer
from add_model.scaffold.library_kinds import STANDALONE
from add_model.scaffold.out_of_tree.target import OutOfTreeKind
from add_model.scaffold.questionnaire import Request
from tests.scaffold.checkout.trees import make_checkout

ROOT = Path("my_models")
PLAIN = Request(STANDALONE.new(ROOT, "my_models"), reference="zoo:bert", name="my_bert")
PACKAGE = replace(PLAIN, target=OutOfTreeKind().new(ROOT, "my_models"), reference="transformers:clip")
LISTS = (Topic.PURPOSE, Topic.GROUP, Topic.REFERENCE, Topic.TOKENIZER, Topic.TOKENIZER_REFERENCE)
SIZES = list(product((60, 80, 100), (12, 24, 50)))


def page(asked: Choose | Check, columns: int, rows: int, query: str = "") -> list[str]:
    at = menu_of(asked).searching(query) if query else menu_of(asked)
    return [line.text for line in menu_page(asked, at, columns, rows, can_go_back=True)]


def all_words(asked: Choose | Check) -> set[str]:
    """Every word that a screen with this question may show."""
    texts = [text for option in asked.options for text in (option.label, *option.details, option.hindrance or "")]
    for rows, query in ((1000, ""), (12, ""), (1000, "no such thing")):
        texts += page(asked, 1000, rows, query)
    return {word for text in texts for word in text.split()} | {"and", "more", "above", "below", "·"}


@pytest.mark.parametrize(("columns", "rows"), SIZES)
@pytest.mark.parametrize("request_", [PLAIN, PACKAGE], ids=["pytorch", "transformers"])
def test_every_list_fits_and_cuts_no_word_unsaid(request_: Request, columns: int, rows: int) -> None:
    for topic in LISTS:
        asked = question(topic, request_, "any")
        assert isinstance(asked, Choose)
        known = all_words(asked)
        for query in ("", "bert", "encoder text", "no such thing") if asked.searchable else ("",):
            lines = page(asked, columns, rows, query)
            assert len(lines) <= rows
            assert all(get_cwidth(line) <= columns for line in lines), lines
            shown = {word for line in lines for word in line.split() if "…" not in word and not word.isdecimal()}
            assert shown - known <= set(query.split()), shown - known


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_the_columns_of_a_list_are_aligned_whatever_the_longest_name(columns: int, rows: int) -> None:
    asked = question(Topic.REFERENCE, PACKAGE, "other")
    for query in ("", "transformer"):
        lines = [line for line in page(asked, columns, rows, query) if line[:2] in ("» ", "  ", "- ")]  # type: ignore[arg-type]
        starts = [gap.end() - 1 for line in lines if (gap := re.match(r".{2}\w[\w…]*( {2,})\S", line))]
        assert len(set(starts)) == 1 and len(starts) > 2, lines


@pytest.mark.parametrize("columns", [60, 80, 100])
@pytest.mark.parametrize("rows", [12, 24])
def test_the_footer_says_why_and_what_to_do_of_what_cannot_be_chosen(columns: int, rows: int) -> None:
    for topic, query in ((Topic.GROUP, ""), (Topic.REFERENCE, ""), (Topic.REFERENCE, "whisper")):
        lines = page(question(topic, PLAIN, "any"), columns, rows - 1, query)  # type: ignore[arg-type]
        footer = " ".join(" ".join(lines).split())
        if any(line.startswith("- ") for line in lines):
            assert "not in plain PyTorch: go back, and choose a package on the installed transformers" in footer
        assert "Esc or Ctrl-B goes back" in footer and "Ctrl-C stops" in footer


def test_a_line_that_was_cut_is_shown_in_full_for_the_one_that_is_highlighted() -> None:
    lines = page(question(Topic.REFERENCE, PLAIN, "any"), 60, 24)  # type: ignore[arg-type]
    assert "Reads in both directions; learns by filling in masked words" in " ".join(" ".join(lines).split())


def test_of_a_list_that_is_longer_than_the_screen_the_others_are_counted() -> None:
    asked = Choose("Which?", tuple(Option(str(number), f"model {number}") for number in range(100)), "50")
    lines = page(asked, 80, 12)
    assert "» model 50" in lines and any(re.search(r"… \d+ more above and \d+ more below", line) for line in lines)
    first, last = page(replace(asked, default="0"), 80, 12), page(replace(asked, default="99"), 80, 12)
    assert "» model 0" in first and "» model 99" in last
    assert any("more below" in line for line in first) and any("more above" in line for line in last)


@pytest.mark.parametrize(("columns", "rows"), list(product((10, 20, 30), (2, 3, 5))))
def test_the_smallest_screens_still_show_what_enter_takes(columns: int, rows: int) -> None:
    lines = page(question(Topic.REFERENCE, PLAIN, "any"), columns, rows)  # type: ignore[arg-type]
    assert len(lines) <= rows and any(line.startswith("» bert") for line in lines)
    assert all(get_cwidth(line) <= columns for line in lines)


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_whatever_is_answered_fits(columns: int) -> None:
    heads = question(Topic.HEADS, PLAIN, None)
    assert isinstance(heads, Check)
    replies = [(heads, tuple(option.value for option in heads.options)), (heads, ())]
    told = [(question(Topic.NOVELTY, PLAIN, None), "a long story " * 20), (review(PLAIN, True), "write")]
    for asked, reply in (*replies, *told):
        lines = answer_lines(asked, reply, columns)
        assert all(get_cwidth(line.text) <= columns for line in lines)
    assert "none" in answer_lines(heads, (), columns)[-1].text


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_what_is_wrong_with_a_name_and_what_it_gives_fit(columns: int) -> None:
    asked = question(Topic.NAME, PLAIN, None)
    assert isinstance(asked, Write) and asked.refuse is not None
    for text in ("", "my_bert", "My Bert", "a" * 200, "brand_new_bert_for_everybody"):
        lines = write_footer(asked, text, asked.refuse(text), columns, can_go_back=True)
        assert all(get_cwidth(line.text) <= columns for line in lines)
        assert not any("--" in line.text for line in lines)


def test_the_style_is_explained(tmp_path: Path) -> None:
    changed = {"src/transformers/models/wren/modular_wren.py": ""}
    checkout = find_checkout(make_checkout(tmp_path, changed=changed))
    asked = question(Topic.STYLE, Request(CheckoutTarget(checkout)), None)
    assert isinstance(asked, Choose) and len(asked.options) == 2
    assert all(len(option.details[0].split()) > 5 for option in asked.options)


def test_control_characters_of_a_description_are_not_acted_upon() -> None:
    asked = Choose("Which\x1b]0;?", (Option("a", "a\x1b[2J", ("b\x07",)),))
    assert not any(ord(letter) < 32 for line in page(asked, 80, 24) for letter in line)
