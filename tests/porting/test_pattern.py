"""Patterns of weight names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.errors import AddModelError
from add_model.porting.rules.pattern import Pattern

LITERALS = st.text("abc._/:0[*", min_size=1, max_size=6)


@pytest.mark.parametrize(
    "pattern, name, values",
    [
        ("a.weight", "a.weight", {}),
        ("a.weight", "aXweight", None),
        ("h.{layer}.weight", "h.11.weight", {"layer": 11}),
        ("h.{layer}.weight", "h.01.weight", None),
        ("h.{layer}.weight", "h.x.weight", None),
        ("h.{layer}.weight", "h.1.weight.more", None),
        ("block{layer+1}", "block3", {"layer": 2}),
        ("block{layer+1}", "block0", None),
        ("stack.{2*layer+1}", "stack.7", {"layer": 3}),
        ("stack.{2*layer+1}", "stack.6", None),
        ("layer_{layer:02}", "layer_07", {"layer": 7}),
        ("layer_{layer:02}", "layer_7", None),
        ("layer_{layer:02}", "layer_123", {"layer": 123}),
        ("model.{rest*}", "model.a.b", {"rest": "a.b"}),
        ("model.{rest*}", "model.", None),
        ("{a}.{b}", "3.4", {"a": 3, "b": 4}),
        ("{a}.{a}", "3.4", None),
        ("{a}.{a+1}", "3.4", {"a": 3}),
    ],
)
def test_what_a_pattern_matches(pattern: str, name: str, values: dict[str, object] | None) -> None:
    assert Pattern(pattern).match(name) == values


@pytest.mark.parametrize("text", ["", "a.{", "a.}", "a.{}", "a.{Layer}", "a.{layer*2}", "a.{layer:3}", "{a*}.{a}"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(AddModelError, match="pattern|place|two names"):
        Pattern(text)


@given(LITERALS, LITERALS, st.integers(0, 999), st.integers(1, 3), st.integers(0, 3), st.sampled_from(["", ":02"]))
def test_a_name_that_was_filled_in_is_matched_with_the_same_value(
    before: str, after: str, value: int, factor: int, offset: int, width: str
) -> None:
    # A digit beside the place would belong to the number.
    pattern = Pattern(f"{before.rstrip('0')}{{{factor}*layer+{offset}{width}}}{after.lstrip('0')}")
    assert pattern.match(pattern.fill({"layer": value})) == {"layer": value}


@given(st.text("ab.{}*+0-:12", max_size=10))
def test_any_text_is_a_pattern_or_is_refused(text: str) -> None:
    try:
        pattern = Pattern(text)
    except AddModelError as error:
        assert "\n" not in str(error)
    else:
        assert all(place.name for place in pattern.places)


def test_texts_and_numbers_beside_each_other_are_parted_as_a_regular_expression_would() -> None:
    assert Pattern("{a*}.{b*}").match("x.y.z") == {"a": "x.y", "b": "z"}
    assert Pattern("{a*}{b*}").match("xyz") == {"a": "xy", "b": "z"}
    assert Pattern("{a*}.{layer}.{b*}").match("h.0.attn.1.weight") == {"a": "h.0.attn", "layer": 1, "b": "weight"}
    assert Pattern("{a}{b}").match("120") == {"a": 12, "b": 0}
    assert Pattern("{a}{b}").match("007") is None
    assert Pattern("{a:02}{b}").match("007") == {"a": 0, "b": 7}
    assert Pattern("{a*}.{a*}").match("x.x") == {"a": "x"}
    assert Pattern("{a*}.{a*}").match("x.y") is None
    assert Pattern("{a*}{b*}").match("x") is None


def test_a_pattern_of_many_texts_is_matched_at_once() -> None:
    places = "".join(f"{{a{number}*}}h" for number in range(60))
    assert Pattern(places).match("h" * 900 + "x") is None
    assert Pattern("".join(f"{{a{number}}}" for number in range(60)) + "x").match("1" * 900) is None
    found = Pattern(places).match("h" * 900)
    assert found is not None and len(str(found["a0"])) == 781
