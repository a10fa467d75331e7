"""`add-model like` without arguments, driven through a real pseudo-terminal from the first question to the files."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from add_model.scaffold.answers import Answers, load_answers
from tests.scaffold.terminal import BACKSPACE, CTRL_C, DOWN, ENTER, SPACE, UP, Terminal

pytestmark = pytest.mark.slow

# The questions in their order, each with the keys that answer it.
ANSWERED = [
    ("What is the model for?", [ENTER]),
    ("What kind of model is it?", [*[DOWN] * 5, ENTER]),
    ("type to search", ["bert", ENTER]),
    ("called?", ["new_bert", ENTER]),
    ("classes start with?", [ENTER]),
    ("used for?", [DOWN, SPACE, ENTER]),
    ("compared with BERT?", ["Rotary positions", ENTER]),
    ("Which tokenizer", [ENTER]),
    ("Is that right?", []),
]
HEADS = ("masked-lm", "token-classification", "question-answering", "multiple-choice", "next-sentence-prediction")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal([sys.executable, "-m", "add_model", "like", "--into", "my_models"], tmp_path, rows=120)
    yield terminal
    terminal.close()


def answer(terminal: Terminal, questions: int) -> None:
    """Answers the first questions, and waits for the next one."""
    for text, keys in ANSWERED[:questions]:
        terminal.wait_for(text)
        terminal.press(*keys)
    terminal.wait_for(ANSWERED[questions][0])


def test_a_model_is_written_after_a_revised_answer_and_a_preview(terminal: Terminal, tmp_path: Path) -> None:
    answer(terminal, len(ANSWERED) - 1)
    terminal.press(*[DOWN] * 5)
    terminal.wait_for("» change the name")
    terminal.press(ENTER)
    terminal.wait_for("classes NewBert")
    terminal.press(*[BACKSPACE] * len("new_bert"), "brand_new_bert")
    terminal.wait_for("classes BrandNewBert")
    terminal.press(ENTER)
    terminal.wait_for("» preview the files")
    terminal.press(ENTER)
    terminal.wait_for("modeling_brand_new_bert.py")
    terminal.wait_for("» write them")
    assert not (tmp_path / "my_models").exists()
    terminal.press(ENTER)
    assert terminal.wait_for_end() == 0
    library = tmp_path / "my_models"
    stored = load_answers(library / ".add-model" / "models" / "brand_new_bert" / "answers.toml")
    assert stored == Answers("zoo:bert", "brand_new_bert", "my_models", HEADS, "same", "Rotary positions")
    model = library / "src" / "my_models" / "models" / "brand_new_bert" / "modeling_brand_new_bert.py"
    text = model.read_text()
    assert "class BrandNewBertForMaskedLM" in text and "BrandNewBertForSequenceClassification" not in text
    assert not list(library.rglob("*new_bert*/modeling_new_bert.py"))


@pytest.mark.parametrize("questions", range(len(ANSWERED)), ids=[text for text, _ in ANSWERED])
def test_ctrl_c_leaves_nothing_behind(terminal: Terminal, tmp_path: Path, questions: int) -> None:
    answer(terminal, questions)
    terminal.press(CTRL_C)
    assert terminal.wait_for_end() == 130
    assert "stopped; nothing was written" in terminal.screen
    assert list(tmp_path.iterdir()) == []


def test_stopping_leaves_nothing_behind(terminal: Terminal, tmp_path: Path) -> None:
    answer(terminal, len(ANSWERED) - 1)
    terminal.press(UP)
    terminal.wait_for("» stop without writing")
    terminal.press(ENTER)
    assert terminal.wait_for_end() == 1
    assert list(tmp_path.iterdir()) == []


def test_a_package_on_transformers_starts_from_any_of_its_models(terminal: Terminal, tmp_path: Path) -> None:
    terminal.wait_for("What is the model for?")
    terminal.press(DOWN, ENTER)
    terminal.wait_for("What kind of model is it?")
    terminal.press(ENTER)
    terminal.wait_for("type to search")
    terminal.press("clip")
    # The exact name first, then the names that begin so.
    terminal.wait_for_question("» clip ", "clipseg", "altclip", "owlvit")
    terminal.press(ENTER)
    terminal.wait_for("called?")
    terminal.press("my_clip", ENTER)
    terminal.wait_for("classes start with?")
    terminal.press(*[BACKSPACE] * 4, "CLIP", ENTER)
    terminal.wait_for("compared with CLIP?")
    terminal.press(ENTER)
    terminal.wait_for("Which tokenizer")
    terminal.press(ENTER)
    terminal.wait_for_question("Is that right?")
    said = " ".join(terminal.screen.split())
    assert "my_models, a new package on the installed transformers" in said
    assert str(tmp_path / "my_models") in terminal.screen.replace("\n", "").replace(" ", "")
    terminal.press(DOWN, DOWN, ENTER)
    assert terminal.wait_for_end() == 0
    package = tmp_path / "my_models/src/my_models/my_clip"
    assert "class MyCLIPModel(" in (package / "modeling_my_clip.py").read_text()


def test_an_error_in_writing_leads_back_to_the_answers(terminal: Terminal, tmp_path: Path) -> None:
    answer(terminal, len(ANSWERED) - 1)
    # Somebody makes a model of that name meanwhile.
    made = [sys.executable, "-m", "add_model", "like", "gpt2", "--name", "new_bert", "--into", "my_models", "--yes"]
    assert subprocess.run(made, cwd=tmp_path, capture_output=True).returncode == 0
    terminal.press(DOWN, DOWN, ENTER)
    terminal.wait_for("error: ")
    terminal.wait_for_question("Is that right?")
    assert "--" not in terminal.screen.rpartition("error: ")[2].partition("\n")[0]
    # The library is there by now, so that what it is for is no question any more.
    terminal.press(*[DOWN] * 4, ENTER)
    terminal.wait_for_question("called?", "new_bert")
    terminal.press(*[BACKSPACE] * len("new_bert"), "newer_bert", ENTER)
    terminal.wait_for_question("Is that right?")
    terminal.press(DOWN, DOWN, ENTER)
    assert terminal.wait_for_end() == 0
    stored = load_answers(tmp_path / "my_models/.add-model/models/newer_bert/answers.toml")
    assert stored == Answers("zoo:bert", "newer_bert", "my_models", HEADS, "same", "Rotary positions")
