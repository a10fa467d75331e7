"""A list to choose from: what is found, in which order, and what Enter would take."""

from __future__ import annotations

import pytest

from add_model.scaffold.interview.questions import Check, Choose, Option
from add_model.scaffold.interview.terminal.menu import Menu, menu_of

GPT = (
    Option("opt", "opt", ("OPT: GPT-like, with learned positions",)),
    Option("imagegpt", "imagegpt", ("ImageGPT: predicts an image",)),
    Option("gpt_neox", "gpt_neox", ("GPTNeoX",), "not here"),
    Option("gptj", "gptj", ("GPT-J: rotary positions",)),
    Option("gpt", "gpt", ("GPT: predicts the next token",)),
)


def menu(query: str = "", default: str | None = None) -> Menu:
    return menu_of(Choose("Which?", GPT, default, searchable=True)).searching(query)


def labels(menu: Menu) -> list[str]:
    return [option.label for option in menu.shown]


def test_the_exact_name_comes_first_then_names_that_begin_so_then_descriptions() -> None:
    assert labels(menu("gpt")) == ["gpt", "gptj", "imagegpt", "opt", "gpt_neox"]
    assert labels(menu("GPT-J")) == ["gptj"]
    assert labels(menu("positions")) == ["opt", "gptj"]
    assert labels(menu("pred next")) == ["gpt"]


def test_a_description_is_found_by_its_words_and_not_within_them() -> None:
    assert labels(menu("edicts")) == [] and labels(menu("predicts")) == ["imagegpt", "gpt"]


@pytest.mark.parametrize("query", ["no such thing", "!!", "neox neoxx"])
def test_no_match_shows_nothing_and_takes_nothing(query: str) -> None:
    found = menu(query)
    assert found.shown == () and found.highlighted is None and found.moved(1).highlighted is None


def test_what_cannot_be_chosen_stands_last_and_is_never_highlighted() -> None:
    assert labels(menu())[-1] == "gpt_neox"
    assert menu("gpt_neox").shown and menu("gpt_neox").highlighted is None
    at, seen = menu(), set()
    for _ in range(10):
        at = at.moved(1)
        seen.add(at.highlighted)
    assert seen == {"opt", "imagegpt", "gptj", "gpt"}
    assert menu_of(Choose("Which?", GPT, "gpt_neox")).highlighted == "opt"


def test_every_search_highlights_the_best_that_is_found() -> None:
    found = menu("imagegpt")
    assert found.highlighted == "imagegpt"
    # The words of another search leave nothing of the highlight before.
    assert found.searching("whisper").highlighted is None
    assert found.searching("").highlighted == "opt"


def test_the_highlight_goes_around_and_jumps_to_the_ends() -> None:
    assert menu().moved(-1).highlighted == "gpt"
    assert menu().moved(-1).moved(1).highlighted == "opt"
    assert menu().moved(10**9, around=False).highlighted == "gpt"
    assert menu().moved(2).moved(-(10**9), around=False).highlighted == "opt"


def test_the_proposed_one_is_highlighted() -> None:
    assert menu_of(Choose("Which?", GPT, "gptj")).highlighted == "gptj"


def test_options_are_checked_one_by_one_or_all_at_once() -> None:
    several = menu_of(Check("Which?", (Option("a", "a", checked=True), Option("b", "b"))))
    assert several.checked == {"a"} and several.toggled().checked == frozenset()
    assert several.moved(1).toggled().checked == {"a", "b"} == several.all_toggled().checked
    assert several.all_toggled().all_toggled().checked == frozenset()
