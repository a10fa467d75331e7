"""The first text and the first position at which two tokenizers differ."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.errors import AddModelError
from add_model.porting.steps.tokenizer_equality import SAMPLE_TEXTS, Sample, first_difference, samples_of

ids = st.lists(st.integers(0, 4), max_size=6).map(tuple)


@given(st.lists(st.tuples(ids, ids), min_size=1, max_size=5))
def test_the_first_difference_is_the_first(pairs: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> None:
    samples = [Sample(f"texts:{number}", str(number), expected) for number, (expected, _) in enumerate(pairs)]
    difference, number = first_difference(samples, lambda text: list(pairs[int(text)][1]))
    different = [place for place, (expected, found) in enumerate(pairs) if expected != found]
    assert number == len(different)
    if difference is None:
        assert not different
        return
    expected, found = pairs[different[0]]
    assert difference.sample is samples[different[0]] and difference.found == found
    assert expected[: difference.position] == found[: difference.position]
    assert expected[difference.position : difference.position + 1] != found[difference.position : difference.position + 1]  # fmt: skip
    shown = difference.described(lambda index: f"token{index}")
    assert shown.startswith(f"texts:{different[0]} ") and f"position {difference.position}:" in shown
    assert ("no more ids" in shown) == (difference.position in (len(expected), len(found)))


def test_the_built_in_sample_holds_what_a_comparison_needs() -> None:
    text = "".join(SAMPLE_TEXTS)
    assert any(map(str.isalpha, text)) and any(map(str.isdigit, text)) and any(ord(letter) > 0xFFFF for letter in text)
    assert "\u00a0" in text and "\t" in text and "" in SAMPLE_TEXTS


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85"])
def test_recorded_texts_may_hold_what_ends_a_line_elsewhere(tmp_path: Path, odd: str, newline: str) -> None:
    texts = [f"one{odd}text", odd, "another"]
    path = tmp_path / "ids.jsonl"
    lines = [json.dumps({"text": text, "input_ids": [1]}, ensure_ascii=False) for text in texts]
    path.write_bytes(newline.join([*lines, ""]).encode())
    samples, files = samples_of(str(path), None)
    assert [sample.text for sample in samples] == texts and files == (path,)
    assert [sample.place for sample in samples] == [f"{path}:1", f"{path}:2", f"{path}:3"]
    path.write_bytes(newline.join([*lines, "{"]).encode())
    with pytest.raises(AddModelError, match="ids.jsonl:4: must be"):
        samples_of(str(path), None)


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
@pytest.mark.parametrize("kind", ["deep", "deeper than anything that walks it", "pipe", "holes"])
def test_recorded_ids_that_cannot_be_read_are_an_error_in_one_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "ids.jsonl"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "holes":
        path.touch()
        os.truncate(path, 1 << 40)
    else:
        depth = 100_000 if kind == "deep" else 200
        path.write_text('{"text": "a", "input_ids": ' + "[" * depth + "]" * depth + "}\n")
    with pytest.raises(AddModelError) as caught:
        samples_of(str(path), None)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
