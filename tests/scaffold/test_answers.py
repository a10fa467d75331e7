from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.errors import AddModelError
from add_model.scaffold.answers import ANSWERS_VERSION, Answers, dump_answers, load_answers

ANSWERS = Answers(
    "zoo:bert", "brand_new_bert", "my_models", ("masked-lm", "question-answering"), "zoo:gpt2", "Nothing"
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
ANY_ANSWERS = st.builds(Answers, TEXTS, TEXTS, TEXTS, st.lists(TEXTS, max_size=4).map(tuple), TEXTS, TEXTS)


def stored(folder: Path, text: str) -> Path:
    path = folder / "answers.toml"
    path.write_bytes(text.encode())
    return path


@given(answers=ANY_ANSWERS)
def test_what_was_stored_is_read_again(tmp_path_factory: pytest.TempPathFactory, answers: Answers) -> None:
    path = stored(tmp_path_factory.getbasetemp(), dump_answers(answers))
    assert load_answers(path) == answers


@given(answers=ANY_ANSWERS)
def test_equal_answers_give_equal_bytes(answers: Answers) -> None:
    assert dump_answers(answers) == dump_answers(Answers(**vars(answers)))


def test_the_file_says_how_to_use_it(tmp_path: Path) -> None:
    text = dump_answers(ANSWERS)
    assert "add-model like --answers FILE" in text
    assert f"version = {ANSWERS_VERSION}\n" in text
    assert 'heads = ["masked-lm", "question-answering"]\n' in text


def test_answers_with_a_default_may_be_missing(tmp_path: Path) -> None:
    path = stored(tmp_path, 'version = 1\nreference = "bert"\nname = "a"\npackage = "b"\nheads = []\n')
    assert load_answers(path) == Answers("bert", "a", "b", ())


@pytest.mark.parametrize("before", ["version = 1", "# a comment\nversion = 1", "version=1\r"])
def test_a_file_edited_by_hand_is_read(tmp_path: Path, before: str) -> None:
    path = stored(tmp_path, f"{before}\nheads = [\n  'masked-lm',  # one\n]\npackage = 'b'\nname = 'a'\nreference = 'bert'\n")  # fmt: skip
    assert load_answers(path) == Answers("bert", "a", "b", ("masked-lm",))


@pytest.mark.parametrize("version", ["", "version = 2\n", 'version = "1"\n', "version = 0\nunknown = 3\n"])
def test_a_file_of_another_version_is_refused(tmp_path: Path, version: str) -> None:
    text = dump_answers(ANSWERS).replace("version = 1\n", version)
    with pytest.raises(AddModelError, match="is of version .*, this add-model reads version 1; answer .* again"):
        load_answers(stored(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "brand_new_bert"', 'nam = "x"', r"unknown answer `nam`; did you mean `name`\?"),
        ('name = "brand_new_bert"', "xyzzy = 1", "unknown answer `xyzzy`; known: reference, name, package, heads"),
        ('name = "brand_new_bert"\n', "", "lacks `name`; add it, or answer the questions again"),
        ('reference = "zoo:bert"\n', "", "lacks `reference`"),
        ('package = "my_models"\n', "", "lacks `package`"),
        ('heads = ["masked-lm", "question-answering"]\n', "", "lacks `heads`"),
        ('name = "brand_new_bert"', "name = 3", "`name` must be a string"),
        ('novelty = "Nothing"', "novelty = []", "`novelty` must be a string"),
        ('heads = ["masked-lm", "question-answering"]', 'heads = "all"', "`heads` must be a list of strings"),
        ('heads = ["masked-lm", "question-answering"]', "heads = [1]", "`heads` must be a list of strings"),
        ('name = "brand_new_bert"', 'name = "brand', "cannot be read: .*line"),
    ],
)
def test_a_wrong_file_is_named_with_the_remedy(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = dump_answers(ANSWERS)
    assert old in text
    path = stored(tmp_path, text.replace(old, new))
    with pytest.raises(AddModelError, match=said) as error:
        load_answers(path)
    assert str(error.value).startswith(f"--answers {path}: ") and "\n" not in str(error.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"version = 1 # \xff")
    for path in (tmp_path / "missing.toml", tmp_path, tmp_path / "latin"):
        with pytest.raises(AddModelError, match=f"--answers {path}: cannot be read"):
            load_answers(path)
