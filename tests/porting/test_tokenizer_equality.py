"""The first text and the first position at which two tokenizers differ."""

from hypothesis import given
from hypothesis import strategies as st

from add_model.porting.tokenizer_equality import SAMPLE_TEXTS, Sample, first_difference

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
