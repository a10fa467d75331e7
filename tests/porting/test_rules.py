"""The rules file: what it may hold, and what it comes to for the names of a checkpoint."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.errors import AddModelError
from add_model.porting.rules.expansion import expand
from add_model.porting.rules.reading import load_rules, parse_rules, weight_pairs

FUSED = """
# The attention of every layer.
[[fill]]
from = "h.{layer}.attn.c_attn.weight"
do = [{ transpose = [0, 1] }, { split = 0, parts = 3 }]
to = ["layers.{layer}.q.weight", "layers.{layer}.k.weight", "layers.{layer}.v.weight"]

[[drop]]
from = "h.{layer}.attn.bias"
reason = "the causal mask"

[[share]]
from = "lm_head.weight"
with = "wte.weight"
"""
OLD = ["wte.weight", "h.0.attn.c_attn.weight", "h.1.attn.c_attn.weight", "h.0.attn.bias", "h.1.attn.bias", "lm_head.weight"]  # fmt: skip


def problems(text: str, old_names: list[str]) -> tuple[str, ...]:
    return expand(parse_rules(text, Path("rules.toml")), old_names).problems


def test_pairs_of_old_and_new_names() -> None:
    assert weight_pairs(parse_rules(FUSED, Path("rules.toml")), OLD) == [
        ("h.0.attn.c_attn.weight", "layers.0.q.weight"),
        ("h.0.attn.c_attn.weight", "layers.0.k.weight"),
        ("h.0.attn.c_attn.weight", "layers.0.v.weight"),
        ("h.1.attn.c_attn.weight", "layers.1.q.weight"),
        ("h.1.attn.c_attn.weight", "layers.1.k.weight"),
        ("h.1.attn.c_attn.weight", "layers.1.v.weight"),
        ("wte.weight", "wte.weight"),
    ]


def test_what_is_not_mentioned_is_paired_with_itself_where_the_new_model_has_it() -> None:
    rules = parse_rules("", Path("rules.toml"))
    assert weight_pairs(rules, ["a", "b"]) == [("a", "a"), ("b", "b")]
    assert weight_pairs(rules, ["a", "b"], ["b", "c"]) == [("b", "b")]


def test_a_number_that_only_from_has_collects_in_order() -> None:
    text = '[[fill]]\nfrom = "e.{expert}.w"\ndo = [{ stack = 0 }]\nto = "experts.w"\n'
    names = [f"e.{number}.w" for number in (10, 2, 0, 1)]
    (move,) = expand(parse_rules(text, Path("rules.toml")), names).moves
    assert move.sources == ("e.0.w", "e.1.w", "e.2.w", "e.10.w")


def test_collecting_several_names_keeps_those_of_one_number_together() -> None:
    text = (
        '[[fill]]\nfrom = ["e.{n}.gate", "e.{n}.up"]\ndo = [{ concatenate = 0, every = 2 }, { stack = 0 }]\nto = "w"\n'
    )
    (move,) = expand(parse_rules(text, Path("rules.toml")), ["e.1.up", "e.0.up", "e.0.gate", "e.1.gate"]).moves
    assert move.sources == ("e.0.gate", "e.0.up", "e.1.gate", "e.1.up")


def test_a_number_that_only_to_has_numbers_the_pieces() -> None:
    text = '[[fill]]\nfrom = "blocks.w"\ndo = [{ unstack = 0 }]\nto = "h.{layer}.w"\n'
    rules = parse_rules(text, Path("rules.toml"))
    (move,) = expand(rules, ["blocks.w"]).moves
    assert move.targets(3) == ("h.0.w", "h.1.w", "h.2.w")
    assert weight_pairs(rules, ["blocks.w"]) == []
    assert weight_pairs(rules, ["blocks.w"], ["h.0.w", "h.1.w", "x"]) == [("blocks.w", "h.0.w"), ("blocks.w", "h.1.w")]


def test_layers_that_are_counted_from_one() -> None:
    text = '[[fill]]\nfrom = "block{n+1}.w"\nto = "h.{n}.w"\n'
    assert weight_pairs(parse_rules(text, Path("r")), ["block1.w", "block2.w"]) == [
        ("block1.w", "h.0.w"),
        ("block2.w", "h.1.w"),
    ]


def test_a_prefix_that_is_cut_off_with_an_exception() -> None:
    text = '[[fill]]\nfrom = "model.{rest*}"\nto = "{rest*}"\nexcept = ["model.head.{rest*}"]\n'
    assert weight_pairs(parse_rules(text, Path("r")), ["model.a.w", "model.head.w"], ["a.w"]) == [("model.a.w", "a.w")]


def test_a_rule_that_matches_nothing() -> None:
    (problem,) = problems('[[fill]]\nfrom = "h.{layer}.w"\nto = "g.{layer}.w"\n', ["h.w"])
    assert problem.startswith("rules.toml:1: h.{layer}.w matches no weight of the checkpoint")


def test_a_weight_that_two_rules_match() -> None:
    text = '\n[[fill]]\nfrom = "a.{rest*}"\nto = "b.{rest*}"\n\n[[drop]]\nfrom = "a.w"\nreason = "unneeded"\n'
    (problem,) = problems(text, ["a.w", "a.v"])
    assert problem.startswith("rules.toml:6: a.w is matched here and by rules.toml:2")


def test_a_name_of_a_group_that_is_missing() -> None:
    text = '[[fill]]\nfrom = ["q.{n}", "k.{n}"]\ndo = [{ concatenate = 0 }]\nto = "qk.{n}"\n'
    (problem,) = problems(text, ["q.0", "k.0", "q.1"])
    assert problem.startswith("rules.toml:1: k.{n} matches no weight that belongs to q.1")


@pytest.mark.parametrize(
    "text, said",
    [
        ("[[fill]\n", "is not valid TOML"),
        ("\n[[rename]]\n", "unknown rule [[rename]]; known are: [[fill]], [[drop]]"),
        ("fill = 3\n", "must be written as [[fill]]"),
        ('[[fill]]\nfrom = "a"\n', "rules.toml:1: [[fill]] lacks `to`"),
        ('[[fill]]\nfrom = "a"\nto = "b"\nform = 3\n', "unknown key `form`"),
        ('[[fill]]\nfrom = "a"\nto = 3\n', "a list of names, for `to`"),
        ('[[fill]]\nfrom = []\nto = "b"\n', "a list of names, for `from`"),
        ('[[fill]]\nfrom = "a"\nto = "b"\nunsure = "yes"\n', "true or false for `unsure`"),
        ('[[fill]]\nfrom = "a"\nto = "b"\ndo = "transpose"\n', "a list of steps for `do`"),
        ('[[fill]]\nfrom = "a"\nto = "b"\ndo = [{ turn = 1 }]\n', "unknown operation turn"),
        ('[[fill]]\nfrom = "a"\nto = "b"\ndo = [{ transpose = [0] }]\n', "takes two axes"),
        ('[[fill]]\nfrom = "a"\nto = "b"\ndo = [{ transpose = [0, true] }]\n', "whole numbers"),
        ('[[fill]]\nfrom = "a"\nto = "b"\ndo = [{ cast = "float12" }]\n', "choose one of: float64"),
        ('[[fill]]\nfrom = "a"\nto = ["b", "c"]\ndo = [{ split = 0 }]\n', "either parts or sizes"),
        ('[[fill]]\nfrom = "a"\nto = ["b", "c"]\n', "1 names in `from` and 2 in `to`"),
        ('[[fill]]\nfrom = "a.{n}"\nto = "b"\n', "would fill one weight several times: {n}"),
        ('[[fill]]\nfrom = "a"\nto = "b.{n}"\n', "cannot number {n}"),
        ('[[fill]]\nfrom = "a.{"\nto = "b"\n', "rules.toml:1: [[fill]] 'a.{' is no pattern"),
        ('[[drop]]\nfrom = "a"\nreason = " "\n', "why is the weight not needed?"),
        ('[[share]]\nwith = "a"\n', "either `from`"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(AddModelError) as raised:
        load_rules(path)
    message = str(raised.value)
    assert said in message and message.startswith(str(path)) and "\n" not in message


@pytest.mark.parametrize("odd", ["\u2028", "\x85"])
def test_the_place_of_a_rule_is_the_line_that_an_editor_shows(odd: str) -> None:
    text = f'# one{odd}line\n\n[[drop]]\nfrom = "a"\nreason = "b{odd}c"\n\n[[drop]]\nfrom = "b"\nreason = "d"\n'
    places = [rule.place for rule in parse_rules(text, Path("rules.toml")).rules]
    assert places == ["rules.toml:3", "rules.toml:7"]
    assert [rule.place for rule in parse_rules(text.replace("\n", "\r\n"), Path("rules.toml")).rules] == places


def test_a_rules_file_that_cannot_be_read_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes('# as in the 1990s\n[[drop]]\nfrom = "a"\nreason = "überflüssig"\n'.encode("latin-1"))
    with pytest.raises(AddModelError) as raised:
        load_rules(path)
    assert str(raised.value) == f"{path}:4: is not UTF-8; save it as UTF-8 and run again"
    with pytest.raises(AddModelError) as raised:
        load_rules(tmp_path)
    assert str(raised.value) == f"{tmp_path}: cannot be read: Is a directory; name a rules file with --rules"


def test_a_rules_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AddModelError, match="--suggest"):
        load_rules(tmp_path / "rules.toml")


@given(st.lists(st.sampled_from(["a.{n}.w", "b.{n+1}.w", "c.{rest*}", "d", "a.0.w"]), max_size=4), st.integers(1, 3))
def test_every_weight_is_used_once_or_named_as_a_problem(sources: list[str], layers: int) -> None:
    names = [f"{letter}.{layer}.w" for letter in "abc" for layer in range(layers)] + ["d"]
    rules = [f'[[fill]]\nfrom = "{source}"\nto = "new{number}.{source}"\n' for number, source in enumerate(sources)]
    expansion = expand(parse_rules("".join(rules), Path("rules.toml")), names)
    used = Counter([name for move in expansion.moves for name in move.sources] + list(expansion.unmentioned))
    twice = {name for name in names if used[name] > 1}
    assert set(used) == set(names)
    assert all(any(name in problem for problem in expansion.problems) for name in twice)
    if not expansion.problems:
        assert set(used.values()) == {1}
