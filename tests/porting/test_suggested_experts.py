"""Experts that a checkpoint holds one by one become the stacks that the new model has."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from add_model.porting.checkpoints.formats import Weight
from add_model.porting.conversion.plan import make_plan, new_weights
from add_model.porting.rules.operations import Concatenate, Stack
from add_model.porting.rules.rule import Fill
from add_model.porting.suggestion.suggesting import as_rules, find_pairs

_LAYERS, _EXPERTS, _HIDDEN, _INNER = 3, 4, 8, 6


class Experts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate_up_proj = nn.Parameter(torch.randn(_EXPERTS, 2 * _INNER, _HIDDEN))
        self.down_proj = nn.Parameter(torch.randn(_EXPERTS, _HIDDEN, _INNER))


class Layer(nn.Module):
    """A layer of experts, or, as the first ones of some models are, with a network of its own."""

    def __init__(self, dense: bool) -> None:
        super().__init__()
        self.input_layernorm, self.post_attention_layernorm = nn.LayerNorm(_HIDDEN), nn.LayerNorm(_HIDDEN)
        self.self_attn = nn.ModuleDict({name: nn.Linear(_HIDDEN, _HIDDEN, bias=False) for name in ("q_proj", "k_proj", "v_proj", "o_proj")})  # fmt: skip
        self.mlp = nn.Module()
        if dense:
            self.mlp.gate_proj, self.mlp.up_proj = nn.Linear(_HIDDEN, 20, bias=False), nn.Linear(_HIDDEN, 20, bias=False)  # fmt: skip
            self.mlp.down_proj = nn.Linear(20, _HIDDEN, bias=False)
        else:
            self.mlp.gate, self.mlp.experts = nn.Linear(_HIDDEN, _EXPERTS, bias=False), Experts()


class Mixture(nn.Module):
    def __init__(self, dense: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(30, _HIDDEN)
        self.layers = nn.ModuleList(Layer(number < dense) for number in range(_LAYERS))


def apart(weights: dict[str, torch.Tensor], module: str, gate: str, up: str, down: str) -> dict[str, torch.Tensor]:
    """The weights with every expert by itself."""
    found: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        before, experts, part = name.partition("mlp.experts.")
        if not experts:
            found[name.replace("mlp.gate.", f"{module}.gate.")] = tensor
            continue
        for number, expert in enumerate(tensor):
            parts = zip((gate, up), expert.chunk(2), strict=True) if part == "gate_up_proj" else [(down, expert)]
            for word, values in parts:
                found[f"{before}{module}.experts.{number}.{word}.weight"] = values.clone()
    return found


@pytest.mark.parametrize("dense", [0, 1])
@pytest.mark.parametrize("names", [("mlp", "gate_proj", "up_proj", "down_proj"), ("block_sparse_moe", "w1", "w3", "w2")])  # fmt: skip
def test_experts_one_by_one_are_stacked(names: tuple[str, str, str, str], dense: int) -> None:
    torch.manual_seed(0)
    model = Mixture(dense)
    truth = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    old = apart(truth, *names)
    shapes = {name: Weight(tuple(tensor.shape), tensor.dtype) for name, tensor in old.items()}
    new = new_weights(model)
    kinds = {name: type(model.get_submodule(name.rpartition(".")[0])).__name__ for name in truth}
    suggestion = as_rules(find_pairs(shapes, new, kinds, ()), shapes, new)
    joined = [rule for rule in suggestion.rules.rules if isinstance(rule, Fill) and len(rule.sources) > 1]
    assert [rule.operations for rule in joined] == [(Concatenate(0, every=2), Stack(0))]
    # Gate and up may lie in one weight in other ways, which only values tell.
    assert [rule for rule in suggestion.rules.rules if rule.unsure] == joined and "halves or in turn" in joined[0].note
    plan = make_plan(suggestion.rules, shapes, new)
    assert not plan.problems and not plan.dropped
    for filling in plan.fillings:
        tensors = [old[name] for name in filling.move.sources]
        for operation in filling.operations:
            tensors = operation.apply(tensors)
        assert all(torch.equal(truth[target], tensor) for target, tensor in zip(filling.targets, tensors, strict=True))
