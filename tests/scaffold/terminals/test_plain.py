"""A terminal that can only print lines is asked line by line, with every answer in reach, and the way back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from add_model.scaffold.answers import Answers, load_answers
from add_model.scaffold.interview.questions import Check, Choose, Option, Write
from add_model.scaffold.interview.terminal.asker import asker_here
from add_model.scaffold.interview.terminal.plain import PlainTerminal
from add_model.scaffold.interview.terminal.screens import Terminal as Screens
from tests.scaffold.terminal import CTRL_C, Terminal

BIRDS = tuple(Option(name, name, (f"a bird called {name}",)) for name in ("jay", "wren", "finch"))
HINDERED = Option("dodo", "dodo", ("a bird that was",), "extinct: take another")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is typed, line by line."""
    lines: list[str] = []

    def next_line(prompt: str) -> str:
        if not lines:
            raise EOFError
        return lines.pop(0)

    monkeypatch.setattr("builtins.input", next_line)
    yield lines
    assert lines == []


def ask(asked: Choose | Check | Write, typed: list[str], *lines: str) -> str | tuple[str, ...] | None:
    typed += lines
    return PlainTerminal().ask(asked, can_go_back=True)


@pytest.mark.parametrize(
    ("lines", "reply"),
    [(["2"], "wren"), ([""], "jay"), (["<"], None), (["0", "4", "9", "3"], "finch"), (["finch", ""], "finch")],
)
def test_one_is_chosen_by_its_number_or_by_words(typed: list[str], lines: list[str], reply: str | None) -> None:
    assert ask(Choose("Which?", (HINDERED, *BIRDS), searchable=True), typed, *lines) == reply


def test_what_cannot_be_chosen_has_no_number_and_says_why(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(Choose("Which?", (HINDERED, *BIRDS), searchable=True), typed, "dodo", "", "jay", "1") == "jay"
    shown = capsys.readouterr().out
    assert "  - dodo" in shown and "- extinct: take another" in shown and "nothing: no such choice" in shown


def test_several_are_checked_by_their_numbers(typed: list[str]) -> None:
    options = tuple(Option(bird.value, bird.label, checked=True) for bird in BIRDS)
    assert ask(Check("Which?", options), typed, "") == ("jay", "wren", "finch")
    assert ask(Check("Which?", options), typed, "1 3", "9", "x", "1", "") == ("jay", "wren")
    assert ask(Check("Which?", options), typed, "<") is None


def test_a_line_is_typed_until_it_is_accepted(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    asked = Write("Called?", "old", refuse=lambda text: None if text.islower() else "small letters only")
    assert ask(asked, typed, "NEW", "new") == "new"
    assert "small letters only" in capsys.readouterr().out
    assert ask(asked, typed, "") == "old" and ask(asked, typed, "<") is None
    # What stands there already can be taken away.
    assert ask(Write("New?", "old"), typed, " ") == " "


def test_the_end_of_the_input_is_an_interruption(typed: list[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        ask(Choose("Which?", BIRDS), typed)


@pytest.mark.parametrize(("term", "kind"), [("dumb", PlainTerminal), ("", PlainTerminal), ("xterm", Screens)])
def test_the_terminal_says_of_what_kind_it_is(monkeypatch: pytest.MonkeyPatch, term: str, kind: type) -> None:
    monkeypatch.setenv("TERM", term)
    assert isinstance(asker_here(), kind)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "add_model", "like", "--into", "my_models"]
    terminal = Terminal(command, tmp_path, columns=80, rows=24, TERM="dumb")
    yield terminal
    terminal.close()


def answer(child: Terminal, *lines: str) -> str:
    """Answers line by line; returns what was printed meanwhile."""
    shown = ""
    for line in lines:
        child.child.expect_exact("\n> ")
        shown += child.child.before or ""
        child.child.sendline(line)
    return shown


@pytest.mark.slow
def test_a_model_is_made_at_a_dumb_terminal(child: Terminal, tmp_path: Path) -> None:
    called = ("My-gpt", "my_gpt", "MyGPT")
    shown = answer(child, "2", "<", "1", "1", "<", "1", "gpt", "1", *called, "2 3 4", "", "New", "", "1")
    looked = answer(child, "2", "4", "<", "3")
    shown += child.child.read()
    child.child.close()
    assert child.child.exitstatus == 0, shown
    assert '"""' in looked and "\x1b" not in shown + looked
    # Whatever is asked and shown fits; what is said of it at the end is the command's.
    assert not [line for line in shown.partition("MyGPT, like")[0].splitlines() if len(line) > 80 and "left out" not in line]  # fmt: skip
    stored = load_answers(tmp_path / "my_models/.add-model/models/my_gpt/answers.toml")
    assert stored == Answers("zoo:gpt2", "my_gpt", "my_models", ("causal-lm",), "same", "New", class_name="MyGPT")


@pytest.mark.slow
def test_ctrl_c_stops_a_dumb_terminal(child: Terminal, tmp_path: Path) -> None:
    answer(child, "1")
    child.child.expect_exact("\n> ")
    child.press(CTRL_C)
    child.child.expect(pexpect.EOF)
    child.child.close()
    assert child.child.exitstatus == 130 and list(tmp_path.iterdir()) == []
