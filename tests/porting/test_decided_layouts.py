"""What no name and no shape tells is left open, and a recording of the original decides it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from add_model.porting.checkpoints.checkpoint import open_checkpoint
from add_model.porting.conversion.plan import new_weights
from add_model.porting.recording import record_forward
from add_model.porting.recording.file import load_recording
from add_model.porting.rules.rule import Fill
from add_model.porting.suggestion.by_values import decide
from add_model.porting.suggestion.suggesting import Suggestion, as_rules, find_pairs
from tests.porting.judged import judge

_SIZE, _HEADS = 8, 2


class Gated(nn.Module):
    """A gated network, its parts called as a code base calls them, and a projection by a bare parameter or a module."""

    def __init__(self, gate: str, up: str, down: str, bare: bool) -> None:
        super().__init__()
        self.names = (gate, up, down)
        self.mlp = nn.Module()
        for name, sizes in zip(self.names, ((_SIZE, 12), (_SIZE, 12), (12, _SIZE)), strict=True):
            self.mlp.add_module(name, nn.Linear(*sizes, bias=False))
        self.bare = bare
        if bare:
            self.text_projection = nn.Parameter(torch.empty(_SIZE, _SIZE))
        else:
            self.text_projection = nn.Linear(_SIZE, _SIZE, bias=False)

    def forward(self, inputs_embeds: torch.Tensor) -> torch.Tensor:
        gate, up, down = (getattr(self.mlp, name) for name in self.names)
        inner = down(functional.silu(gate(inputs_embeds)) * up(inputs_embeds))
        return inner @ self.text_projection if self.bare else self.text_projection(inner)


class Rotating(nn.Module):
    """Attention with rotary positions, whose rows are paired in turn or in halves, with one weight or with three."""

    def __init__(self, in_turn: bool, fused: bool, by_heads: bool = False) -> None:
        super().__init__()
        self.in_turn, self.by_heads = in_turn, by_heads
        self.config = SimpleNamespace(num_attention_heads=_HEADS, hidden_size=_SIZE, rope_theta=100.0)
        names = ("qkv",) if fused else ("wq", "wk", "wv") if in_turn else ("q_proj", "k_proj", "v_proj")
        self.attention = nn.Module()
        for name in names:
            self.attention.add_module(name, nn.Linear(_SIZE, _SIZE * 3 // len(names)))
        self.attention.add_module("wo" if in_turn or fused else "o_proj", nn.Linear(_SIZE, _SIZE))

    def forward(self, inputs_embeds: torch.Tensor) -> torch.Tensor:
        *parts, result = self.attention.children()
        made = torch.cat([part(inputs_embeds) for part in parts], -1)
        shape = made.shape[:2]
        if self.by_heads:
            query, key, value = made.view(*shape, _HEADS, 3, -1).unbind(3)
        else:
            query, key, value = made.view(*shape, 3, _HEADS, -1).unbind(2)
        query, key = self._turned(query), self._turned(key)
        attended = functional.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2))  # fmt: skip
        output: torch.Tensor = result(attended.transpose(1, 2).reshape(*shape, -1))
        return output

    def _turned(self, heads: torch.Tensor) -> torch.Tensor:
        half = heads.shape[-1] // 2
        angles = torch.arange(heads.shape[1])[:, None, None] * 100.0 ** (-torch.arange(half) / half)
        pairs = heads.unflatten(-1, (half, 2) if self.in_turn else (2, half))
        first, second = pairs.unbind(-1 if self.in_turn else -2)
        turned = (first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin())
        return torch.stack(turned, -1 if self.in_turn else -2).flatten(-2)


def filled(model: nn.Module, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model.eval()


def suggested(original: nn.Module, model: nn.Module, folder: Path | None = None) -> Suggestion:
    """What is suggested, with a recording of the original where there is a folder for it."""
    weights = {name: tensor.contiguous() for name, tensor in original.state_dict().items()}
    new = new_weights(model)
    kinds = {name: type(model.get_submodule(name.rpartition(".")[0])).__name__ for name in model.state_dict()}
    path = (folder or Path.cwd()) / "original.safetensors"
    save_file(weights, path)
    with open_checkpoint(path) as checkpoint:
        pairs = find_pairs(checkpoint.weights, new, kinds, (), checkpoint.read)
        if folder is not None:
            with record_forward(original, folder / "recording.safetensors"), torch.no_grad():
                original(torch.randn(2, 5, _SIZE))
            pairs = decide(pairs, checkpoint, new, model, load_recording(folder / "recording.safetensors"))
        return as_rules(pairs, checkpoint.weights, new)


def unsure_targets(suggestion: Suggestion) -> str:
    return " ".join(target.text for rule in suggestion.rules.unsure if isinstance(rule, Fill) for target in rule.targets)  # fmt: skip


def returns_the_same(original: nn.Module, model: nn.Module, suggestion: Suggestion) -> bool:
    """Whether the model returns what the original does, filled by the rules that are sure."""
    weights = dict(original.state_dict())
    truth = {name: torch.full_like(tensor, torch.nan) for name, tensor in model.state_dict().items()}
    new = new_weights(model)
    for filling in fillings(suggestion, weights, new):
        truth.update(filling)
    model.load_state_dict(truth)
    given = torch.randn(2, 5, _SIZE)
    with torch.no_grad():
        return torch.allclose(original(given), model(given), atol=1e-4)


def fillings(
    suggestion: Suggestion, weights: Mapping[str, torch.Tensor], new: object
) -> list[dict[str, torch.Tensor]]:
    from add_model.porting.checkpoints.formats import Weight
    from add_model.porting.conversion.plan import NewWeights, make_plan

    assert isinstance(new, NewWeights)
    plan = make_plan(suggestion.rules, {name: Weight(tuple(tensor.shape), tensor.dtype) for name, tensor in weights.items()}, new)  # fmt: skip
    assert not plan.problems
    made = []
    for filling in plan.fillings:
        tensors = [weights[name] for name in filling.move.sources]
        for operation in filling.operations:
            tensors = operation.apply(tensors)
        made.append(dict(zip(filling.targets, tensors, strict=True)))
    return made


PAIRS = {
    "a bare square matrix, and the gate of two numbered ones": (
        lambda: (Gated("fc_1", "fc_2", "proj", bare=True), Gated("gate_proj", "up_proj", "down_proj", bare=False)),
        ("text_projection", "gate_proj", "up_proj"),
    ),
    "the gate is the second of two": (
        lambda: (Gated("fc_2", "fc_1", "proj", bare=False), Gated("gate_proj", "up_proj", "down_proj", bare=False)),
        ("gate_proj", "up_proj"),
    ),
    "rotated in turn": (
        lambda: (Rotating(in_turn=True, fused=False), Rotating(in_turn=False, fused=False)),
        ("q_proj", "k_proj"),
    ),
    "rotated in halves, under names that do not say so": (
        lambda: (Rotating(in_turn=False, fused=True), Rotating(in_turn=False, fused=False)),
        ("q_proj", "k_proj"),
    ),
    "fused head by head": (
        lambda: (Rotating(in_turn=False, fused=True, by_heads=True), Rotating(in_turn=False, fused=False)),
        ("q_proj", "k_proj"),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_no_name_tells_is_open_without_a_recording(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    made, left_open = PAIRS[name]
    original, model = made()
    found = suggested(filled(original), model)
    assert all(word in unsure_targets(found) for word in left_open)


@pytest.mark.parametrize("name", PAIRS)
def test_a_recording_decides_it(name: str, tmp_path: Path) -> None:
    made, _ = PAIRS[name]
    original, model = made()
    found = suggested(filled(original), filled(model, seed=1), tmp_path)
    assert not unsure_targets(found).replace("k_proj.bias", "").strip()
    assert returns_the_same(original, model, found)


def test_a_fused_weight_that_nothing_tells_apart_stays_open(tmp_path: Path) -> None:
    original, model = Rotating(in_turn=False, fused=True), Rotating(in_turn=False, fused=False)
    filled(original)
    with torch.no_grad():
        # Nothing of what is attended to is seen.
        original.attention.wo.weight.zero_()
    found = suggested(original, filled(model, seed=1), tmp_path)
    assert "q_proj" in unsure_targets(found)


class Stage(nn.Module):
    """One block behind a convolution that makes images smaller, with biases of one size."""

    def __init__(self, down: str, first: str, second: str) -> None:
        super().__init__()
        for name, module in ((down, nn.Conv2d(4, 8, 2, 2)), (first, nn.Linear(8, 32)), (second, nn.Linear(32, 8))):
            self.add_module(name, module)


def test_a_bias_goes_where_its_weight_goes() -> None:
    original, model = filled(Stage("downsample", "fc1", "fc2")), Stage("downsampling_layer", "pwconv1", "pwconv2")
    weights = dict(original.state_dict())
    # As where each stage stores its blocks first.
    order = ["fc1.weight", "fc1.bias", "downsample.weight", "fc2.bias", "fc2.weight", "downsample.bias"]
    old = {name: weights[name] for name in order}
    new = new_weights(model)
    from add_model.porting.checkpoints.formats import Weight

    shapes = {name: Weight(tuple(tensor.shape), tensor.dtype) for name, tensor in old.items()}
    rules = as_rules(find_pairs(shapes, new, {}, ()), shapes, new).rules
    named = dict(zip(("downsample", "fc1", "fc2"), ("downsampling_layer", "pwconv1", "pwconv2"), strict=True))
    truth = {f"{named[name.split('.')[0]]}.{name.split('.')[1]}": tensor for name, tensor in old.items()}
    assert not judge(rules, old, truth, new).wrong
