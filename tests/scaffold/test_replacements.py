"""Lists of replacements where one pair does not do: what it hits by mistake is put right, or named in full."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.copies.language.equality import is_copy
from add_model.copies.language.marker import Marker, read_comment
from add_model.scaffold.copied_text.replacements import shortest_replacements

SPELLED = [("Opt", "New"), ("opt", "new"), ("OPT", "NEW"), ("Opt", "NewOpt"), ("OPT", "NewOpt")]


def found(original: str, copy: str) -> list[str] | None:
    replacements = shortest_replacements(original, copy, SPELLED)
    return None if replacements is None else [str(replacement) for replacement in replacements]


@pytest.mark.parametrize(
    ("original", "copy", "replacements"),
    [
        ("x = OptModel", "x = NewModel", ["Opt->New"]),
        ("x = OptModel, Optional", "x = NewModel, Optional", ["OptModel->NewModel"]),
        ("x = OptA, OptB, OptC, Optional", "x = NewA, NewB, NewC, Optional", ["Opt->New", "Newional->Optional"]),
        ("x = opt.layers, 'facebook/opt-350m'", "x = new.layers, 'facebook/opt-350m'", ["opt.layers->new.layers"]),
        ("x = BasicTokenizer", "x = NewBasicTokenizer", ["BasicTokenizer->NewBasicTokenizer"]),
        # What one pair has made is not for the next one to hit.
        ("x = OptA, OptB, OPT_X, OPT_Y", "x = NewOptA, NewOptB, NewOpt_X, NewOpt_Y", ["Opt->NewOpt", "OPT->NewOpt"]),
        # What puts one thing right does so inside another.
        ("x = opt.a, 'fb/opt-1', 'hub/fb/opt-1'", "x = new.a, 'fb/opt-1', 'hub/fb/opt-1'", ["opt.a->new.a"]),
        ("x = opt.a, opt.b, opt.c, 'fb/opt-1', 'hub/fb/opt-1'", "x = new.a, new.b, new.c, 'fb/opt-1', 'hub/fb/opt-1'", ["opt->new", "new-1->opt-1"]),
        ("x = opt, y", "x = new, y, z", None),
        ("x = 1", "x = 2", None),
        ("x = opt  # opt", "x = new  # opt", None),
    ],
)  # fmt: skip
def test_the_cheapest_list(original: str, copy: str, replacements: list[str] | None) -> None:
    assert found(f"def f():\n    {original}\n", f"def f():\n    {copy}\n") == replacements


WORDS = [
    "Opt",
    "opt",
    "OptModel",
    "Optional",
    "option",
    "opt-350m",
    "OptimalOpt",
    "self.opt",
    "'opt'",
    "adopt",
    "OPT_X",
]


@given(st.dictionaries(st.sampled_from(WORDS), st.booleans(), min_size=1), st.randoms(use_true_random=False))
def test_one_is_always_found_where_every_word_becomes_one_thing(words: dict[str, bool], random: Random) -> None:
    def renamed(word: str) -> str:
        for old, new in SPELLED:
            word = word.replace(old, new)
        return word

    order = [*words, *words]
    random.shuffle(order)
    original = "def f():\n    return [" + ", ".join(order) + "]\n"
    copy = "def f():\n    return [" + ", ".join(renamed(word) if words[word] else word for word in order) + "]\n"
    replacements = shortest_replacements(original, copy, SPELLED)
    assert replacements is not None and is_copy(original, copy, replacements)
    marker = Marker("", "a.b.c", replacements)
    assert read_comment(str(marker)) == marker
    text = original
    for replacement in replacements:
        assert replacement.old in text, "a replacement without effect"
        text = text.replace(replacement.old, replacement.new)
