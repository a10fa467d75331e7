"""Faults that look like a known one and are not: no cause is named, or one that is true of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from add_model.porting.comparison.diagnosis import diagnose
from add_model.porting.comparison.diagnosis.roles import role
from add_model.porting.comparison.diagnosis.scene import Example

from .sketches import compared


def _named(folder: Path, example: Example, seed: int = 0) -> tuple[str, str] | None:
    comparison = compared(folder, example, seed)
    assert comparison.place is not None
    cause = diagnose(comparison)
    return None if cause is None else (cause.name, cause.explanation)


class Squares(nn.Module):
    """Returns no negative numbers."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return states.square()


def _norm() -> dict[str, nn.Module]:
    return {"dense": nn.Linear(6, 6), "norm": nn.LayerNorm(6)}


def _through_norm(parts: Any, states: torch.Tensor) -> torch.Tensor:
    normalised: torch.Tensor = parts.norm(parts.dense(states))
    return normalised


def _with_formula(formula: Any) -> Any:
    """Lets the normalisation compute something else."""

    def change(parts: Any) -> None:
        class LayerNorm(nn.LayerNorm):
            def forward(self, input: torch.Tensor) -> torch.Tensor:
                value: torch.Tensor = formula(self, input)
                return value

        parts.norm.__class__ = LayerNorm

    return change


def _layer_norm(states: torch.Tensor, weight: Any, bias: Any, epsilon: float) -> torch.Tensor:
    return nn.functional.layer_norm(states, states.shape[-1:], weight, bias, epsilon)


_FORMULAS = {
    "weight plus one": lambda m, x: _layer_norm(x, m.weight + 1, m.bias, m.eps),
    "no bias": lambda m, x: _layer_norm(x, m.weight, None, m.eps),
    "no weight": lambda m, x: _layer_norm(x, None, m.bias, m.eps),
    "mean not taken away": lambda m, x: x * (x.square().mean(-1, keepdim=True) + m.eps).rsqrt() * m.weight + m.bias,
    "not normalised": lambda m, x: x * m.weight + m.bias,
    "unbiased deviation": lambda m, x: (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + m.eps) * m.weight + m.bias,
    "wrong dimension": lambda m, x: _layer_norm(x.mT, None, None, m.eps).mT * m.weight + m.bias,
}  # fmt: skip


@pytest.mark.parametrize("formula", _FORMULAS)
def test_a_wrong_formula_is_no_wrong_epsilon(formula: str, tmp_path: Path) -> None:
    example = Example(_norm, _through_norm, None, _with_formula(_FORMULAS[formula]))
    assert _named(tmp_path, example) is None


def test_an_epsilon_that_only_forward_knows_is_told_by_the_values(tmp_path: Path) -> None:
    hidden = _with_formula(lambda m, x: _layer_norm(x, m.weight, m.bias, 1e-3))
    named = _named(tmp_path, Example(_norm, _through_norm, None, hidden))
    assert named == ("epsilon", "with 1e-05 the values agree; the new model computes as with 0.001")


def _gated() -> dict[str, nn.Module]:
    return {"gate": nn.Linear(6, 8), "up": nn.Linear(6, 8), "activation": nn.SiLU(), "down": nn.Linear(8, 6)}


_NOTHING_IS_ADDED = {
    "activation of the other projection": Example(
        _gated,
        lambda m, x: m.down(m.activation(m.gate(x)) * m.up(x)),
        lambda m, x: m.down(m.gate(x) * m.activation(m.up(x))),
    ),
    "a layer run twice": Example(_norm, lambda m, x: m.norm(m.dense(x)), lambda m, x: m.norm(m.dense(m.dense(x)))),
    "a value handed on in the place of another": Example(
        _norm, lambda m, x: m.dense(m.norm(x)), lambda m, x: [m.norm(x), m.dense(x)][1]
    ),
}


@pytest.mark.parametrize("what", _NOTHING_IS_ADDED)
def test_where_nothing_is_added_no_residual_is_wrong(what: str, tmp_path: Path) -> None:
    named = _named(tmp_path, _NOTHING_IS_ADDED[what])
    assert named is None or "residual" not in named[0]


def test_what_is_doubled_has_another_scale_and_no_other_residual(tmp_path: Path) -> None:
    once, twice = lambda m, x: m.norm(m.dense(x)), lambda m, x: m.norm(m.dense(x) * 2.0)  # noqa: E731
    for right, wrong, factor in ((once, twice, "0.5"), (twice, once, "2")):
        named = _named(tmp_path, Example(_norm, right, wrong))
        assert named == ("scale missing", f"the original's value is {factor} times as large everywhere")


def test_a_residual_taken_too_late_is_named_although_it_only_doubles_the_value(tmp_path: Path) -> None:
    example = Example(_norm, lambda m, x: m.norm(m.dense(x) + x), lambda m, x: m.norm((h := m.dense(x)) + h))
    named = _named(tmp_path, example)
    assert named is not None and named[0] == "another residual"
    assert named[1] == "the output of inner.dense is added where the original adds its input states"


def test_an_activation_that_would_change_nothing_is_not_the_originals(tmp_path: Path) -> None:
    positive = Example(
        lambda: {"sum": Squares(), "last": nn.Linear(6, 6)},
        lambda m, x: m.last(m.sum(x)),
        lambda m, x: m.last(nn.functional.silu(m.sum(x))),
    )
    named = _named(tmp_path, positive)
    assert named is not None and named[0] == "activation too many"


def _embedded() -> dict[str, nn.Module]:
    return {"words": nn.Embedding(20, 6), "places": nn.Embedding(20, 6), "norm": nn.LayerNorm(6)}


def _words(parts: Any, ids: torch.Tensor, shift: int = 0, places: int = 0) -> torch.Tensor:
    counted = torch.arange(places, places + ids.shape[-1])
    embedded: torch.Tensor = parts.norm(parts.words(ids + shift) + parts.places(counted))
    return embedded


def _words_looked_up(parts: Any, ids: torch.Tensor, shift: int = 0) -> torch.Tensor:
    counted = parts.places(torch.arange(ids.shape[-1]))
    embedded: torch.Tensor = parts.norm(parts.words.weight[ids + shift] + counted)
    return embedded


def _roll_words(parts: Any) -> None:
    parts.words.weight.data = parts.words.weight.data.roll(1, 0)


_TOKENS_THAT_FOLLOW_EACH_OTHER = {
    "token ids counted from one": Example(_embedded, _words, lambda m, x: _words(m, x, shift=1)),
    "the original's token ids counted from one": Example(_embedded, lambda m, x: _words(m, x, shift=1), _words),
    "a part of the token ids": Example(
        _embedded, lambda m, x: _words(m, x[:, :4]), lambda m, x: _words(m, x[:, :4], shift=2)
    ),
    "token ids of a decoder, moved": Example(
        _embedded,
        lambda m, x: _words(m, torch.cat([x[:, :1] * 0, x[:, :-1]], 1)),
        lambda m, x: _words(m, torch.cat([x[:, :1] * 0, x[:, :-1]], 1), shift=1),
    ),
    "token ids without a call": Example(_embedded, _words_looked_up, lambda m, x: _words_looked_up(m, x, shift=1)),
    "a row too many in front": Example(_embedded, _words, None, _roll_words),
}


@pytest.mark.parametrize("what", _TOKENS_THAT_FOLLOW_EACH_OTHER)
@pytest.mark.parametrize("texts", [1, 2])
def test_tokens_that_follow_each_other_are_no_positions(what: str, texts: int, tmp_path: Path) -> None:
    example = _TOKENS_THAT_FOLLOW_EACH_OTHER[what]
    tokens = torch.arange(5, 11).expand(texts, 6)
    named = _named(tmp_path, dataclasses.replace(example, inputs=lambda: tokens))
    assert named is None or "position" not in named[0] + named[1]


def test_positions_beside_tokens_that_follow_each_other_are_told(tmp_path: Path) -> None:
    tokens = torch.arange(5, 11)[None]
    example = Example(_embedded, _words, lambda m, x: _words(m, x, places=2), inputs=lambda: tokens)
    named = _named(tmp_path, example)
    assert named == ("positions shifted by an offset", "the original's positions are -2 to the new model's")


def _stack() -> dict[str, nn.Module]:
    return {
        "position": nn.Linear(6, 6),
        "norm": nn.LayerNorm(6),
        "layers": nn.ModuleList(nn.Linear(6, 6) for _ in "ab"),
    }


def _stacked(parts: Any, states: torch.Tensor, draws: bool = True, faulty: bool = False) -> torch.Tensor:
    """A stack that draws a number for each layer, and in training leaves some of them out."""
    states = parts.norm(states + parts.position(states) if not faulty else states.clamp(max=0.1))
    for layer in parts.layers:
        if draws:
            torch.rand([])
        states = layer(states)
    return states


def _noisy(parts: Any, states: torch.Tensor, faulty: bool = False) -> torch.Tensor:
    torch.rand([])
    normalised: torch.Tensor = parts.norm(states.clamp(max=0.1) if faulty else states)
    return normalised


_DRAWN_FOR_SOMETHING_ELSE = {
    "both draw": Example(_norm, _noisy, lambda m, x: _noisy(m, x, faulty=True)),
    "both draw for each layer": Example(_stack, _stacked, lambda m, x: _stacked(m, x, faulty=True)),
    "the new model draws for each layer": Example(
        _stack, lambda m, x: _stacked(m, x, draws=False), lambda m, x: _stacked(m, x, faulty=True)
    ),
}


@pytest.mark.parametrize("what", _DRAWN_FOR_SOMETHING_ELSE)
def test_random_numbers_that_change_nothing_are_no_dropout(what: str, tmp_path: Path) -> None:
    assert _named(tmp_path, _DRAWN_FOR_SOMETHING_ELSE[what]) is None


_NORMALISED_TWICE = {
    "the new model": Example(_norm, _through_norm, lambda m, x: m.norm(m.norm(m.dense(x)))),
    "the original": Example(_norm, lambda m, x: m.norm(m.norm(m.dense(x))), _through_norm),
    "the new model, inside": Example(_norm, lambda m, x: m.dense(m.norm(x)), lambda m, x: m.dense(m.norm(m.norm(x)))),
    "the original, inside": Example(_norm, lambda m, x: m.dense(m.norm(m.norm(x))), lambda m, x: m.dense(m.norm(x))),
}


@pytest.mark.parametrize("who", _NORMALISED_TWICE)
def test_a_norm_applied_twice_stands_neither_before_nor_behind(who: str, tmp_path: Path) -> None:
    assert _named(tmp_path, _NORMALISED_TWICE[who]) is None


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("layer.0.attention.self.query", "query"),
        ("h.1.attn.k_proj", "key"),
        ("blocks.2.to_v", "value"),
        ("encoder.wq", "query"),
        ("decoder.keyProjection", "key"),
        ("layers.0.mlp.gate_proj", ""),
        ("layers.0.mlp.up_proj", ""),
        ("attention.query_key_value", ""),
        ("attention.out_proj", ""),
    ],
)
def test_a_projection_is_called_query_key_or_value_as_its_name_says(path: str, named: str) -> None:
    assert role(path) == named


def _swap_gate(parts: Any) -> None:
    parts.gate, parts.up = parts.up, parts.gate


def _two_of_one(parts: Any) -> None:
    parts.gate.load_state_dict(parts.up.state_dict())


def _gate(parts: Any, states: torch.Tensor) -> torch.Tensor:
    projected: torch.Tensor = parts.down(parts.activation(parts.gate(states)) * parts.up(states))
    return projected


def test_two_projections_that_are_swapped_go_by_their_own_names(tmp_path: Path) -> None:
    named = _named(tmp_path, Example(_gated, _gate, None, _swap_gate))
    assert named == (
        "projections swapped",
        "inner.gate and inner.up return what the original's return the other way round",
    )


def test_two_projections_with_the_weights_of_one_are_not_swapped(tmp_path: Path) -> None:
    named = _named(tmp_path, Example(_gated, _gate, None, _two_of_one))
    assert named is None or "swapped" not in named[0]


def _move_rows(parts: Any) -> None:
    for parameter in parts.gate.parameters():
        parameter.data = parameter.data.roll(4, 0)


def test_rows_that_were_moved_are_no_heads_where_there_is_no_attention(tmp_path: Path) -> None:
    named = _named(tmp_path, Example(_gated, _gate, None, _move_rows))
    assert named is None or "heads" not in named[0]


def _move_query(parts: Any) -> None:
    for parameter in parts.query.parameters():
        parameter.data = parameter.data.roll(2, 0)


def test_heads_of_the_query_that_were_moved_are_no_keys_or_values(tmp_path: Path) -> None:
    def parts() -> dict[str, nn.Module]:
        return {"query": nn.Linear(6, 6), "key": nn.Linear(6, 6), "dense": nn.Linear(6, 6)}

    named = _named(tmp_path, Example(parts, lambda m, x: m.dense(m.query(x) * m.key(x)), None, _move_query))
    assert named is not None and named[0] == "heads in another order"


def _emptied(name: str, fill: float) -> Any:
    def change(parts: Any) -> None:
        parts.get_submodule(name).weight.data.fill_(fill)

    return change


def _dense_of_table(parts: Any, ids: torch.Tensor) -> torch.Tensor:
    embedded: torch.Tensor = parts.norm(parts.dense(parts.words(ids)))
    return embedded


def _dense_and_words() -> dict[str, nn.Module]:
    return {"words": nn.Embedding(20, 6), **_norm()}


@pytest.mark.parametrize("fill", [0.0, -0.0, 1.0, 0.25])
@pytest.mark.parametrize("name", ["words", "dense", "norm"])
def test_a_weight_that_was_never_filled_is_told_and_not_taken_for_a_rounded_one(
    name: str, fill: float, tmp_path: Path
) -> None:
    example = Example(
        _dense_and_words, _dense_of_table, None, _emptied(name, fill), lambda: torch.tensor([[3, 9, 4, 11]])
    )
    assert _named(tmp_path, example) == (
        "weight not the original's",
        f"with the original's parameters the values agree: its weight is {abs(fill):g} everywhere",
    )


def test_the_weight_of_another_layer_is_told_with_the_place_of_the_right_one(tmp_path: Path) -> None:
    def exchange(parts: Any) -> None:
        parts.norm, parts.last = parts.last, parts.norm

    parts = {"norm": nn.LayerNorm(6), "dense": nn.Linear(6, 6), "last": nn.LayerNorm(6)}
    named = _named(tmp_path, Example(lambda: parts, lambda m, x: m.last(m.dense(m.norm(x))), None, exchange))
    assert named is not None and named[0] == "weight not the original's"
    assert "which stands in inner.last.weight" in named[1] and "which stands in inner.last.bias" in named[1]


def test_a_layer_that_is_called_in_the_place_of_another_has_no_wrong_weight(tmp_path: Path) -> None:
    parts = {"first": nn.Linear(6, 6), "second": nn.Linear(6, 6)}
    example = Example(lambda: parts, lambda m, x: m.second(m.first(x)), lambda m, x: m.first(m.first(x)))
    assert _named(tmp_path, example) is None


def test_a_layer_that_computes_something_else_has_no_wrong_weight(tmp_path: Path) -> None:
    def zeros(parts: Any) -> None:
        parts.dense.forward = lambda states: states * 0

    assert _named(tmp_path, Example(_norm, _through_norm, None, zeros)) is None


_FEW_VALUES = {
    "zero": lambda states: states * 0,
    "one": lambda states: states * 0 + 1,
    "signs": lambda states: states.sign(),
    "the largest only": lambda states: nn.functional.one_hot(states.argmax(-1), states.shape[-1]).float(),
}


@pytest.mark.parametrize("what", _FEW_VALUES)
def test_a_value_that_fits_into_any_data_type_is_not_one_of_a_wrong_type(what: str, tmp_path: Path) -> None:
    def fewer(parts: Any, states: torch.Tensor) -> torch.Tensor:
        return parts.norm(_FEW_VALUES[what](parts.dense(states).softmax(-1)))  # type: ignore[no-any-return]

    named = _named(tmp_path, Example(_norm, lambda m, x: m.norm(m.dense(x).softmax(-1)), fewer))
    assert named is None or named[0] != "wrong dtype"


def test_values_of_a_checkpoint_in_half_precision_are_not_what_is_rounded(tmp_path: Path) -> None:
    def parts() -> dict[str, nn.Module]:
        return {"words": nn.Embedding(20, 6), "norm": nn.LayerNorm(6)}

    def few_digits(m: Any, ids: torch.Tensor, correction: float) -> torch.Tensor:
        m.words.weight.data = m.words.weight.data.bfloat16().float()
        words = m.words(ids)
        return m.norm(words + correction * words.tanh() if correction else words)  # type: ignore[no-any-return]

    example = Example(
        parts,
        lambda m, x: few_digits(m, x, 0.01),
        lambda m, x: few_digits(m, x, 0.0),
        None,
        lambda: torch.arange(5, 11)[None],
    )
    assert _named(tmp_path, example) is None
