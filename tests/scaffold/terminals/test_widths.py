"""The whole interview in real terminals of 60, 80 and 100 columns, the screen looked at after each step.

The terminal is wider than it says, so that a line which would wrap is seen to be too long.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Set
from pathlib import Path

import pytest

from tests.scaffold.terminal import BACKSPACE, DOWN, ENTER, ESCAPE, SPACE, UP, Terminal

pytestmark = pytest.mark.slow

_WIDE, _MARGIN = 400, 100
# What stands beside words, or in place of some.
_SIGNS = ("·", "/", "more", "above", "below", "and")
_SECOND_COLUMN = re.compile(r".{2}(?:\[.\] )?\S+(?: \S+)*?( {2,})\S")
# What is pressed, and what the question says then: each is a screen to look at.
STEPS = (
    ((), ("What is the model for?", "Ctrl-C stops")),
    ((DOWN,), ("» a package",)),
    ((UP, ENTER), ("What kind of model is it?", "Ctrl-C stops")),
    ((UP,), ("» reinforcement learning / decoder", "not in plain PyTorch", "Ctrl-C stops")),
    ((DOWN,), ("» any", "Ctrl-C stops")),
    ((ENTER,), ("most like?", "» convnext", "Ctrl-C stops")),
    (("clip",), ("/ clip", "- clip", "Ctrl-C stops")),
    (("xyz",), ("/ clipxyz", "nothing is called")),
    ((BACKSPACE * 7, "gpt"), ("/ gpt", "» gpt2", "GPT-2", "Ctrl-C stops")),
    ((ENTER,), ("called?", "Ctrl-C stops")),
    (("My Gpt",), ("is not a snake_case name", "Ctrl-C stops")),
    ((BACKSPACE * 6, "my_gpt_of_a_longer_name"), ("files my_gpt_of_a_longer_name", "Ctrl-C stops")),
    ((ENTER,), ("classes start with?", "LMHeadModel")),
    (("x",), ("does not spell", "Ctrl-C stops")),
    ((BACKSPACE, ENTER), ("used for?", "» [x] causal-lm", "Ctrl-C stops")),
    ((SPACE,), ("[ ] causal-lm",)),
    ((SPACE, ENTER), ("What is new", "Ctrl-C stops")),
    (("a story of many words, " * 8,), ("of many words,", "Ctrl-C stops")),
    ((ENTER,), ("Which tokenizer", "Ctrl-C stops")),
    ((DOWN, ENTER), ("Which model's tokenizer?", "Ctrl-C stops")),
    ((ESCAPE,), ("Which tokenizer", "» like another")),
    ((UP, ENTER), ("Is that right?", "» preview", "Ctrl-C stops")),
    ((ENTER,), ("Is that right?", "» write them", "Ctrl-C stops")),
    ((UP, ENTER), ("Which file?", "Ctrl-C stops")),
    (("modeling_my",), ("/ modeling_my", "» modeling_my_gpt_of_a_longer_name.py", "Ctrl-C stops")),
    ((ESCAPE,), ("Is that right?", "» write them", "Ctrl-C stops")),
)  # fmt: skip


def screens(folder: Path, columns: int, rows: int, margin: int = _MARGIN) -> list[list[str]]:
    """The lines of the screen after each step."""
    terminal = Terminal([sys.executable, "-m", "add_model", "like", "--into", "lib"], folder, columns, rows, margin)
    seen = []
    try:
        for keys, texts in STEPS:
            terminal.press(*keys)
            terminal.wait_for_question(*texts)
            seen.append(terminal.lines)
    finally:
        terminal.close()
    return seen


def is_whole(word: str, known: Set[str]) -> bool:
    """Whether a word is one, or a part of a long one that ends where its parts are joined."""
    if word in known or "…" in word or word.isdecimal():
        return True
    part = re.compile(rf"(?:^|(?<=[/_.,-])){re.escape(word)}(?:$|(?<=[/_.,-]))")
    return any(part.search(other) for other in known)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Every word that a terminal shows in which nothing has to be cut or wrapped."""
    wide = screens(tmp_path_factory.mktemp("wide"), _WIDE, 200, 0)
    return frozenset(word for lines in wide for line in lines for word in line.split())


@pytest.mark.parametrize(("columns", "rows"), [(60, 24), (80, 24), (100, 24), (60, 12)])
def test_nothing_wraps_no_word_is_cut_unsaid_and_columns_align(
    tmp_path: Path, known: frozenset[str], columns: int, rows: int
) -> None:
    said = known | {word for keys, _ in STEPS for word in "".join(keys).split()} | {str(tmp_path / "lib"), *_SIGNS}
    aligned = 0
    for (_, texts), lines in zip(STEPS, screens(tmp_path, columns, rows), strict=True):
        assert not [line for line in lines if len(line) > columns], texts
        # What is being typed scrolls in its line, and its ends say so.
        shown = [line for line in lines if "a story of many words" not in line and not set(line) & set("│├└")]
        words = {word for line in shown for word in line.split()}
        assert not [word for word in words if not is_whole(word, said)], texts
        starts = [found.end() - 1 for line in options(lines) if (found := _SECOND_COLUMN.match(line))]
        assert len(set(starts)) <= 1, options(lines)
        aligned += len(starts) > 1
    assert aligned > 5


def options(lines: list[str]) -> list[str]:
    """The lines of the last question's list, the footer included: that is in one column."""
    asked = "\n".join(lines).rpartition("\n? ")[2].splitlines()[1:]
    return asked[next((place for place, line in enumerate(asked) if line.startswith(("» ", "- "))), len(asked)) :]
