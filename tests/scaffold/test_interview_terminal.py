"""The interview as its user sees it, in a real pseudo-terminal."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scaffold.libraries import bundled
from tests.scaffold.terminal import BACKSPACE, CTRL_B, CTRL_D, DOWN, ENTER, ESCAPE, SPACE, UP, Terminal

pytestmark = pytest.mark.slow

GOES_BACK = "Esc or Ctrl-B goes back"
PROGRAM = """
from pathlib import Path
from add_model.scaffold.library_kinds import STANDALONE
from add_model.scaffold.interview.interview import Preview, interview
from add_model.scaffold.questionnaire import Request

try:
    preview = lambda answers, request: Preview(lambda columns: f"TREE OF {answers.name}", {"model.py": "class One:\\n" * 99})
    print("ANSWERS", interview(Request(STANDALONE.new(Path("my_models"), "my_models")), preview))
except KeyboardInterrupt:
    print("INTERRUPTED")
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal([sys.executable, "-c", PROGRAM], tmp_path)
    yield terminal
    terminal.close()


def answer_up_to_the_reference(terminal: Terminal) -> None:
    for text in ("What is the model for?", "What kind of model is it?"):
        terminal.wait_for(text)
        terminal.press(ENTER)
    terminal.wait_for("type to search")


def answer_up_to_the_name(terminal: Terminal) -> None:
    answer_up_to_the_reference(terminal)
    terminal.press("bert", ENTER)
    terminal.wait_for("called?")


def test_arrow_keys_searching_and_the_live_name(terminal: Terminal) -> None:
    terminal.wait_for("What is the model for?")
    terminal.press(ENTER)
    terminal.wait_for("What kind of model is it?")
    # Up from the first leads to the last that can be chosen, over those that hold nothing to start from.
    terminal.press(UP)
    terminal.wait_for("» reinforcement learning / decoder")
    terminal.press(DOWN, ENTER)
    terminal.wait_for("» convnext ")
    terminal.press("no such thing")
    terminal.wait_for("nothing is called or described so")
    assert "bert " not in terminal.screen.partition("most like?")[2]
    # Enter is of no effect here.
    terminal.press(ENTER, *[BACKSPACE] * len("no such thing"), "log-mel")
    terminal.wait_for("/ log-mel")
    terminal.wait_for("- whisper")
    # Nor where all that is found is of no use here.
    terminal.press(ENTER, *[BACKSPACE] * len("log-mel"), "next token")
    terminal.wait_for("» gpt2 ")
    terminal.press(ENTER)
    terminal.wait_for("called?")
    terminal.press("My-gpt")
    terminal.wait_for("'My-gpt' is not a snake_case name")
    # It cannot be accepted as long as it is refused.
    terminal.press(ENTER, *[BACKSPACE] * 6, "my_gpt")
    terminal.wait_for("files my_gpt, classes MyGpt, constants MY_GPT, web my-gpt")
    terminal.press(ENTER)
    terminal.wait_for("classes start with?")
    terminal.wait_for("MyGptConfig, MyGptModel, MyGptLMHeadModel")
    terminal.press(*[BACKSPACE] * 3, "gpx")
    terminal.wait_for("'Mygpx' does not spell my_gpt")
    terminal.press(ENTER, *[BACKSPACE] * 3, "GPT")
    terminal.wait_for("MyGPTConfig, MyGPTModel, MyGPTLMHeadModel")
    terminal.press(ENTER)
    terminal.wait_for("used for?")
    terminal.press(DOWN, SPACE, ENTER)
    terminal.wait_for("compared with GPT-2?")
    terminal.press("Rotary positions", ENTER)
    terminal.wait_for("Which tokenizer")
    terminal.press(DOWN, ENTER)
    terminal.wait_for("Which model's tokenizer?")
    terminal.press("wordpiece")
    terminal.wait_for("nothing is called or described so")
    terminal.press(*[BACKSPACE] * len("wordpiece"), "bertt", ENTER)
    terminal.wait_for("like zoo:bert")
    terminal.press(ENTER)
    terminal.wait_for("TREE OF my_gpt")
    terminal.wait_for("» write them")
    terminal.press(ENTER)
    assert terminal.wait_for_end() == 0
    said = terminal.screen.replace("\n", "")
    assert "reference='zoo:gpt2', name='my_gpt'" in said and "class_name='MyGPT'" in said
    assert "tokenizer_like='zoo:bert', novelty='Rotary positions'" in said
    assert "sequence-classification'" not in said


def test_a_model_found_elsewhere_is_never_taken(terminal: Terminal) -> None:
    answer_up_to_the_reference(terminal)
    terminal.press("whisper", ENTER)
    terminal.wait_for("- whisper")
    terminal.wait_for("go back, and choose a package on the installed transformers")
    # Of an earlier highlight nothing is left that Enter could take.
    terminal.press(ENTER, *[BACKSPACE] * len("whisper"), "bert", ENTER)
    terminal.wait_for("called?")
    assert "most like? bert" in terminal.screen


@pytest.mark.parametrize("key", [ESCAPE, CTRL_B], ids=["escape", "ctrl-b"])
def test_every_question_leads_back_to_the_one_before_with_its_answer(terminal: Terminal, key: str) -> None:
    answer_up_to_the_name(terminal)
    terminal.press("my_bert", ENTER)
    terminal.wait_for("classes start with?")
    terminal.press(ENTER)
    terminal.wait_for("used for?")
    terminal.press(SPACE, ENTER)
    terminal.wait_for("compared with BERT?")
    terminal.press("Longer", ENTER)
    terminal.wait_for("Which tokenizer")
    terminal.press(DOWN, ENTER)
    terminal.wait_for("Which model's tokenizer?")
    terminal.press("gpt", ENTER)
    terminal.wait_for("Is that right?")
    terminal.wait_for_question("Is that right?", GOES_BACK)
    asked = [
        ("Which model's tokenizer?", "» gpt2 "),
        ("Which tokenizer", "» like another"),
        ("compared with BERT?", "Longer"),
        ("used for?", "[ ] masked-lm"),
        ("start with?", "MyBert"),
        ("called?", "my_bert"),
        ("most like?", "» bert "),
        ("What kind", "» any"),
    ]
    # Every question says so, and proposes what was answered.
    for question, proposed in asked:
        terminal.press(key)
        terminal.wait_for_question(question, proposed, GOES_BACK)
    terminal.press(key)
    terminal.wait_for_question("What is the model for?", "» a library", "Enter chooses, Ctrl-C stops")
    # From the first one there is no way back; and all the way forth again.
    terminal.press(key)
    for question, proposed in reversed(asked):
        terminal.press(ENTER)
        terminal.wait_for_question(question, proposed)
    terminal.press(ENTER)
    terminal.wait_for_question("Is that right?", GOES_BACK)
    terminal.wait_for("like zoo:gpt2", times=2)


def test_a_file_can_be_looked_into_before_it_is_written(terminal: Terminal) -> None:
    answer_up_to_the_name(terminal)
    for text, keys in (("called?", "my_bert"), ("start with?", ""), ("used for?", ""), ("with BERT?", ""), ("Which tokenizer", "")):  # fmt: skip
        terminal.wait_for(text)
        terminal.press(keys, ENTER)
    terminal.wait_for("» preview the files")
    terminal.press(DOWN, ENTER)
    terminal.wait_for("Which file?")
    terminal.press(ENTER)
    terminal.wait_for("lines 1 to 58 of 99: arrow keys move, Esc goes back")
    assert terminal.lines[0] == "model.py" and terminal.lines[1] == "class One:"
    terminal.press(SPACE)
    terminal.wait_for("lines 42 to 99 of 99")
    terminal.press(ESCAPE)
    terminal.wait_for("Which file?")
    terminal.press(ESCAPE)
    terminal.wait_for("» write them")


def test_what_is_pasted_is_one_line_without_control_characters(terminal: Terminal) -> None:
    answer_up_to_the_name(terminal)
    terminal.press("\x1b[200~my_gpt\n\x1b[201~")
    terminal.wait_for("files my_gpt, classes MyGpt")
    terminal.press(ENTER)
    terminal.wait_for("classes start with?")


def test_the_end_of_the_input_is_an_interruption(terminal: Terminal) -> None:
    answer_up_to_the_name(terminal)
    terminal.press(CTRL_D)
    terminal.wait_for("INTERRUPTED")
    assert terminal.wait_for_end() == 0


def test_a_narrow_low_terminal_will_do(tmp_path: Path) -> None:
    terminal = Terminal([sys.executable, "-c", PROGRAM], tmp_path, columns=60, rows=12)
    answer_up_to_the_reference(terminal)
    terminal.wait_for("» convnext ")
    first, *others = bundled()
    for model_type in (*others, first):
        terminal.press(DOWN)
        terminal.wait_for(f"» {model_type} ")
    terminal.press("gpt-2", ENTER)
    terminal.wait_for("called?")
    terminal.close()


def test_a_window_that_is_resized_is_drawn_anew(terminal: Terminal) -> None:
    answer_up_to_the_reference(terminal)
    terminal.wait_for("ConvNeXt: A CNN brought up to date with transformer choices: patch stem, large kernels")
    terminal.press("bert")
    for columns, rows in ((60, 24), (60, 12), (100, 24)):
        terminal.resize(columns, rows)
        terminal.press(DOWN)
        terminal.wait_for("» roberta ")
        terminal.wait_for("Ctrl-C stops")
        terminal.press(UP)
        terminal.wait_for("» bert ")
        assert not any(len(line) > columns for line in terminal.lines)
    terminal.press(*[BACKSPACE] * len("bert"), "gpt", ENTER)
    terminal.wait_for("called?")


def test_without_colour_everything_is_told_in_words_and_signs(tmp_path: Path) -> None:
    terminal = Terminal([sys.executable, "-c", PROGRAM], tmp_path, NO_COLOR="1")
    answer_up_to_the_reference(terminal)
    terminal.press("bert")
    terminal.wait_for("» bert ")
    terminal.wait_for("- visual_bert ")
    assert terminal.colours == {"default"}
    terminal.close()
