"""The interview as its user sees it, in a real pseudo-terminal."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scaffold.terminal import BACKSPACE, CTRL_D, DOWN, ENTER, SPACE, UP, Terminal

pytestmark = pytest.mark.slow

PROGRAM = """
from pathlib import Path
from add_model.scaffold.interview import interview
from add_model.scaffold.questionnaire import Request

try:
    print("ANSWERS", interview(Request(None, Path("my_models"), "my_models"), lambda answers: f"TREE OF {answers.name}"))
except KeyboardInterrupt:
    print("INTERRUPTED")
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal([sys.executable, "-c", PROGRAM], tmp_path)
    yield terminal
    terminal.close()


def answer_up_to_the_name(terminal: Terminal) -> None:
    terminal.wait_for("What kind of model is it?")
    terminal.press(ENTER)
    terminal.wait_for("type to search")
    terminal.press(ENTER)
    terminal.wait_for("called?")


def test_arrow_keys_searching_and_the_live_name(terminal: Terminal) -> None:
    terminal.wait_for("What kind of model is it?")
    # Down skips the kinds that hold nothing to start from, and up goes back over them.
    terminal.press(DOWN, DOWN, UP)
    terminal.wait_for("» text / encoder, like BERT")
    terminal.press(UP, ENTER)
    terminal.wait_for("» bert ")
    terminal.press("no such thing")
    terminal.wait_for("/ no such thing...")
    # Enter is of no effect here: the list shows everything, and nobody means its first line.
    terminal.press(ENTER, *[BACKSPACE] * len("no such thing"), "pixel by")
    terminal.wait_for("/ pixel by...")
    terminal.wait_for("» - imagegpt")
    terminal.press(*[BACKSPACE] * len("pixel by"), "next token")
    terminal.wait_for("» gpt2 ")
    terminal.press(ENTER)
    terminal.wait_for("called?")
    terminal.press("My-gpt")
    terminal.wait_for("'My-gpt' is not a snake_case name")
    # It cannot be accepted as long as it is refused.
    terminal.press(ENTER, *[BACKSPACE] * 6, "my_gpt")
    terminal.wait_for("files my_gpt   classes MyGpt   constants MY_GPT   web my-gpt")
    terminal.press(ENTER)
    terminal.wait_for("used for?")
    terminal.press(DOWN, SPACE, ENTER)
    terminal.wait_for("compared with GPT-2?")
    terminal.press("Rotary positions", ENTER)
    terminal.wait_for("Which tokenizer")
    terminal.press(DOWN, ENTER)
    terminal.wait_for("Which model's tokenizer?")
    terminal.press("wordpiece")
    terminal.wait_for("/ wordpiece...")
    terminal.press(*[BACKSPACE] * len("wordpiece"), "bertt", ENTER)
    terminal.wait_for("like zoo:bert")
    terminal.press(ENTER)
    terminal.wait_for("TREE OF my_gpt")
    terminal.wait_for("» write them")
    terminal.press(ENTER)
    assert terminal.wait_for_end() == 0
    assert "reference='zoo:gpt2', name='my_gpt'" in terminal.screen.replace("\n", "")
    assert "tokenizer_like='zoo:bert', novelty='Rotary positions'" in terminal.screen.replace("\n", "")
    assert "sequence-classification'" not in terminal.screen.replace("\n", "")


def test_a_model_found_elsewhere_is_explained(terminal: Terminal) -> None:
    terminal.wait_for("What kind of model is it?")
    terminal.press(ENTER)
    terminal.wait_for("type to search")
    terminal.press("whisper", ENTER)
    terminal.wait_for("the installed transformers has it")
    terminal.wait_for("type to search")
    terminal.press(ENTER)
    terminal.wait_for("called?")


def test_the_end_of_the_input_is_an_interruption(terminal: Terminal) -> None:
    answer_up_to_the_name(terminal)
    terminal.press(CTRL_D)
    terminal.wait_for("INTERRUPTED")
    assert terminal.wait_for_end() == 0


def test_a_narrow_low_terminal_will_do(tmp_path: Path) -> None:
    terminal = Terminal([sys.executable, "-c", PROGRAM], tmp_path, columns=60, rows=12)
    terminal.wait_for("any (search all of them)")
    terminal.press(ENTER)
    terminal.wait_for("» bert ")
    terminal.press(DOWN, DOWN)
    terminal.wait_for("» bart ")
    terminal.press("gpt-2", ENTER)
    terminal.wait_for("called?")
    terminal.close()
