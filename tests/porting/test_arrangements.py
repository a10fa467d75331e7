"""Ports that are arranged differently: equal where they are right, and with the place and the cause of a fault beside it."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from add_model.porting.comparison.comparing import Comparison, compare
from add_model.porting.comparison.diagnosis import diagnose, examine
from add_model.porting.comparison.report import arranged, document, lines, summary
from add_model.porting.rules.expansion import expand
from add_model.porting.rules.reading import load_rules
from add_model.porting.rules.rule import Fill, Rules
from tests.cli.commands import add_model_here

from .arrangements import ARRANGEMENTS, LAYERS, WORDS, Pair, Style, build, inputs, pairs, place_of
from .sketches import recorded

EVERY = list(pairs(0))
RIGHT = [pair for pair in EVERY if pair.place is None]
# One fault beside each arrangement here; all of them in benchmarks/diagnosis.py.
FAULTY = list({pair.what.partition(";")[0]: pair for pair in EVERY if pair.place is not None}.values())


def compared(folder: Path, first: nn.Module, second: nn.Module, given: dict[str, Any], **options: Any) -> Comparison:
    original = recorded(folder / "original.safetensors", first, **given)
    return compare(original, recorded(folder / "new.safetensors", second, **given), **options)


def of_pair(folder: Path, pair: Pair, **options: Any) -> Comparison:
    return compared(folder, build(pair.original, pair.seed), build(pair.new, pair.seed), inputs(pair.seed), **options)


def of_styles(folder: Path, first: Style, second: Style, **options: Any) -> Comparison:
    return compared(folder, build(first, 3), build(second, 3), inputs(3), **options)


@pytest.mark.parametrize("pair", RIGHT, ids=lambda pair: pair.what)
def test_a_right_port_is_equal_however_it_is_arranged(pair: Pair, tmp_path: Path) -> None:
    comparison = of_pair(tmp_path, pair)
    assert comparison.passed, summary(comparison)
    assert comparison.place is None and diagnose(comparison) is None


@pytest.mark.parametrize("pair", FAULTY, ids=lambda pair: pair.what)
def test_a_fault_beside_an_arrangement_is_found(pair: Pair, tmp_path: Path) -> None:
    comparison = of_pair(tmp_path, pair)
    assert not comparison.passed
    assert comparison.place is not None and comparison.place.path == pair.place
    cause = diagnose(comparison)
    assert (None if cause is None else cause.name) == pair.cause


def test_every_place_counts_where_that_is_asked_for(tmp_path: Path) -> None:
    original, new = ARRANGEMENTS["bias outside"]
    assert of_styles(tmp_path, original, new).passed
    strict = of_styles(tmp_path, original, new, strict_inside=True)
    assert not strict.passed and strict.place is not None and strict.place.path == "head"


@pytest.mark.parametrize(
    ("arrangement", "said"),
    [
        ("length first", "the original keeps length before batch"),
        ("rotary", "lanes of the heads in another order"),
        ("bias outside", "head: the original has that value behind it"),
    ],
)
def test_how_it_is_arranged_is_said_once_after_the_verdict(arrangement: str, said: str, tmp_path: Path) -> None:
    comparison = of_styles(tmp_path, *ARRANGEMENTS[arrangement])
    assert sum(said in line for line in arranged(comparison)) == 1
    assert not any(line.verdict == "differs" for line in lines(comparison))


@pytest.mark.parametrize("rows", [WORDS + 8, WORDS - 3])
def test_outputs_of_other_shapes_are_different_and_both_are_named(rows: int, tmp_path: Path) -> None:
    comparison = of_styles(tmp_path, Style(), Style(rows=rows))
    assert not comparison.passed
    assert f"[2, 7, {WORDS}]" in summary(comparison) and f"[2, 7, {rows}]" in summary(comparison)
    cause = diagnose(comparison)
    assert cause is not None and str(WORDS) in cause.explanation and "vocab_size" in cause.remedy


class Returning(nn.Module):
    """A model that returns something of what another one does."""

    def __init__(self, inner: nn.Module, make: Any) -> None:
        super().__init__()
        self.inner, self._make = inner, make

    def forward(self, **given: torch.Tensor) -> Any:
        return self._make(self.inner(**given))


def test_an_output_without_a_counterpart_is_named(tmp_path: Path) -> None:
    whole, mean = build(Style(), 3), Returning(build(Style(), 3), lambda logits: (logits, logits.mean(1)))
    comparison = compared(tmp_path, mean, whole, inputs(3))
    assert not comparison.passed
    assert f"the output 1 of the original, [2, {WORDS}], has no counterpart" in summary(comparison)
    assert [each["passed"] for each in document(comparison, None)["outputs"]] == [True, False]


def test_a_value_inside_is_no_output_of_the_new_model(tmp_path: Path) -> None:
    padded = Returning(build(Style(), 3), lambda logits: nn.functional.pad(logits, (0, 0, 0, 2)))
    comparison = compared(tmp_path, build(Style(), 3), padded, inputs(3))
    assert not comparison.passed and f"[2, 9, {WORDS}]" in summary(comparison)
    mean = Returning(build(Style(), 3), lambda logits: logits.mean(1))
    comparison = compared(tmp_path, build(Style(), 3), mean, inputs(3))
    assert not comparison.passed and "values inside" in summary(comparison)


def _with_scale(scale: float, returns: bool) -> nn.Module:
    model = Returning(build(Style(), 3), lambda logits: (logits, model.scale.exp()) if returns else logits)
    model.scale = nn.Parameter(torch.tensor(scale))
    return model


def test_a_weight_that_is_returned_is_held_against_the_weights(tmp_path: Path) -> None:
    assert compared(tmp_path, _with_scale(2.66, True), _with_scale(2.66, False), inputs(3)).passed
    assert not compared(tmp_path, _with_scale(2.66, True), _with_scale(2.5, False), inputs(3)).passed


@pytest.mark.parametrize("shorter", ["original", "new"])
def test_of_the_states_of_all_layers_the_last_is_the_output(shorter: str, tmp_path: Path) -> None:
    every, last = Style(output="states"), Style(output="state")
    first, second = (last, every) if shorter == "original" else (every, last)
    assert of_styles(tmp_path, first, second).passed
    broken = of_styles(tmp_path, first, replace(second, fault="residual", layer=0))
    assert not broken.passed and broken.place is not None
    assert broken.place.path == place_of(second, 0, "layer")


@pytest.mark.parametrize("rotation", ["turn", "halves"])
def test_the_rule_for_rotary_lanes_makes_the_port_right(rotation: str, tmp_path: Path) -> None:
    original, new = Style(rotation=rotation), Style(rotation="halves" if rotation == "turn" else "turn")
    comparison = of_styles(tmp_path, original, new)
    cause = diagnose(comparison)
    assert cause is not None and cause.name == "rotary lanes"
    port = build(new, 3)
    weights = port.state_dict()
    (tmp_path / "rules.toml").write_text(cause.remedy.partition("\n")[2])
    rules = [rule for rule in load_rules(tmp_path / "rules.toml").rules if isinstance(rule, Fill)]
    moves = expand(Rules(tuple(rules)), list(weights)).moves
    assert {move.sources for move in moves} == {(f"trunk.layers.{layer}.attention.{part}.weight",) for layer in range(LAYERS) for part in ("wq", "wk")}  # fmt: skip
    for move in moves:
        values = [weights[name] for name in move.sources]
        for operation in move.rule.operations:
            values = operation.apply(values)
        weights[move.targets_among(list(weights))[0]] = values[0].clone()
    port.load_state_dict(weights)
    assert compared(tmp_path, build(original, 3), port, inputs(3)).passed
    # By its rules, what the reordered modules return is the same inside as well.
    files = [tmp_path / f"{side}.safetensors" for side in ("original", "new")]
    assert add_model_here(tmp_path, "compare", *map(str, files), "--strict-inside").returncode == 1
    by_rules = add_model_here(tmp_path, "compare", *map(str, files), "--strict-inside", "--rules", "rules.toml")
    assert by_rules.returncode == 0, by_rules.stdout
    assert "lanes" not in by_rules.stdout and "wq" in by_rules.stdout


class Reordered(nn.Module):
    """A layer whose rows stand in an order, and which takes what it returns back into the usual one."""

    def __init__(self, layer: nn.Module, rows: list[int]) -> None:
        super().__init__()
        self.layer = layer
        for parameter in self.layer.parameters():
            parameter.data = parameter.data[rows]
        self._back = torch.tensor(rows).argsort()

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.layer(states)[..., self._back].relu()


_ROWS = '[[fill]]\nfrom = "layer.weight"\ndo = [{ reshape = [2, 2, 4] }, { transpose = [0, 1] }, { reshape = [4, 4] }]\nto = "layer.weight"\n'


@pytest.mark.parametrize("is_table", [False, True])
def test_a_rule_reorders_what_a_layer_returns_and_not_what_a_table_does(is_table: bool, tmp_path: Path) -> None:
    torch.manual_seed(5)
    layer: nn.Module = nn.Embedding(4, 4) if is_table else nn.Linear(4, 4)
    given = {"states": torch.arange(4)[None] if is_table else torch.randn(1, 3, 4)}
    rows = [0, 1, 2, 3] if is_table else [0, 2, 1, 3]
    recorded(tmp_path / "original.safetensors", Reordered(copy.deepcopy(layer), [0, 1, 2, 3]), **given)
    recorded(tmp_path / "new.safetensors", Reordered(layer, rows), **given)
    (tmp_path / "rules.toml").write_text(_ROWS)
    arguments = ["compare", "original.safetensors", "new.safetensors", "--strict-inside"]
    assert add_model_here(tmp_path, *arguments).returncode == (0 if is_table else 1)
    assert add_model_here(tmp_path, *arguments, "--rules", "rules.toml").returncode == 0


class Turning(nn.Module):
    """A layer that turns what it computed by angles, which it is given as complex numbers or as cosine and sine."""

    def __init__(self, sign: float) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.dense, self._sign = nn.Linear(8, 8), sign

    def forward(self, states: torch.Tensor, freqs: Any = None, position_embeddings: Any = None) -> torch.Tensor:
        first, second = self.dense(states).unflatten(-1, (4, 2)).unbind(-1)
        cosine, sine = (freqs.real, freqs.imag) if freqs is not None else (part[..., :4] for part in position_embeddings)  # fmt: skip
        sine = sine * self._sign
        return torch.stack([first * cosine - second * sine, first * sine + second * cosine], -1).flatten(-2)


class Angles(nn.Module):
    def __init__(self, is_complex: bool, sign: float = 1.0) -> None:
        super().__init__()
        self.layer, self._is_complex = Turning(sign), is_complex

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        angles = torch.outer(torch.arange(5.0), torch.arange(1.0, 5.0))
        if self._is_complex:
            return self.layer(states, freqs=torch.polar(torch.ones_like(angles), angles)) * 2
        both = torch.cat([angles, angles], -1)[None]
        return self.layer(states, position_embeddings=(both.cos(), both.sin())) * 2


def test_angles_as_complex_numbers_are_no_other_cosines(tmp_path: Path) -> None:
    comparison = compared(tmp_path, Angles(True), Angles(False, -1.0), {"states": torch.randn(2, 5, 8)})
    assert not comparison.passed and comparison.place is not None
    assert comparison.place.path == "layer"


@pytest.mark.parametrize("hidden", [-10000.0, -1e9, float("-inf")])
@pytest.mark.parametrize("boolean", [False, True])
def test_a_wrong_mask_is_found_whatever_hides(hidden: float, boolean: bool, tmp_path: Path) -> None:
    wrong = Style(hidden=torch.finfo(torch.float32).min, boolean=boolean, fault="mask", layer=1)
    comparison = of_styles(tmp_path, Style(hidden=hidden), wrong)
    assert not comparison.passed and comparison.place is not None
    assert comparison.place.path == place_of(wrong, 1, "attention")


class Hook:
    """What accelerate leaves at a module whose weights are elsewhere: it knows them, and brings them when they are used."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        self.weights_map = weights


def _offloaded(model: nn.Module, known: bool) -> nn.Module:
    for module in model.modules():
        own = {name: value.detach() for name, value in module.named_parameters(recurse=False)}
        if not own:
            continue
        for name in own:
            setattr(module, name, nn.Parameter(own[name].to("meta"), requires_grad=False))
        if known:
            module._hf_hook = Hook(own)  # type: ignore[assignment]

        def bring(module: nn.Module, given: Any, own: dict[str, torch.Tensor] = own) -> None:
            for name, value in own.items():
                setattr(module, name, nn.Parameter(value, requires_grad=False))

        module.register_forward_pre_hook(bring)
    return model


@pytest.mark.parametrize("known", [True, False])
def test_offloaded_weights_are_read_through_their_hooks_or_said_to_be(known: bool, tmp_path: Path) -> None:
    wrong = build(Style(), 3)
    wrong.trunk.layers[0].wrong = None  # type: ignore[union-attr, index]
    wrong.trunk.layers[0].mlp.w2.weight.data *= 1.2 + torch.rand(1)  # type: ignore[union-attr, index]
    wrong.trunk.layers[0].mlp.w2.weight.data[0] = 0.0  # type: ignore[union-attr, index]
    comparison = compared(tmp_path, _offloaded(build(Style(), 3), known), _offloaded(wrong, known), inputs(3))
    found = examine(comparison)
    if known:
        assert found.cause is not None and found.cause.name == "weight not the original's"
    else:
        assert found.missing is not None and "meta" in found.missing and "--parameters" not in found.missing
