"""Judges suggestions by the values that they lead to: what is not marked unsure has to be the truth."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from add_model.porting.checkpoints.formats import Weight
from add_model.porting.conversion.plan import NewWeights, make_plan, new_weights
from add_model.porting.model.subject import Subject, find_subject
from add_model.porting.rules.rule import Fill, Rule, Rules
from add_model.porting.suggestion.suggesting import as_rules, find_pairs
from add_model.scaffold.destination import find_holder
from tests.porting.foreign_checkpoints import Weights, stored_weights


@dataclass(frozen=True)
class Model:
    """A model that a checkpoint is converted into: its name for the tool, its class and its configuration."""

    name: str
    class_name: str
    values: Mapping[str, Any]

    def but(self, **values: Any) -> Model:
        """The same with other values in its configuration."""
        return Model(self.name, self.class_name, {**self.values, **values})


@dataclass(frozen=True)
class Judged:
    """What rules that are sure come to.

    Attributes:
        right: the weights of the new model that get what they should.
        wrong: the weights that get anything else, and from where.
        dropped: the weights of the checkpoint that are left out.
        unsure: the rules that are not sure.
        missing: the weights of the new model that no sure rule fills.
        rules: all that was suggested.
    """

    right: Sequence[str]
    wrong: Sequence[str]
    dropped: Sequence[str]
    unsure: Sequence[Rule]
    missing: Sequence[str]
    rules: Rules


def judged(model: Model, stored_as: Callable[[Weights], Weights]) -> Judged:
    """Judges what is suggested for a model that is stored under other names."""
    subject = _subject(model.name)
    built = subject.build(subject.configure(model.values), model.class_name)
    return _judged(built, values_of(model), stored_as, {subject.name, *subject.name.split("_")})


def judged_module(module: nn.Module, stored_as: Callable[[Weights], Weights]) -> Judged:
    """Judges what is suggested for a module whose weights are stored in another way; they become all different."""
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn_like(weight))
    return _judged(module, {name: tensor.clone() for name, tensor in module.state_dict().items()}, stored_as, set())


def _judged(
    built: nn.Module, truth: Weights, stored_as: Callable[[Weights], Weights], words: Collection[str]
) -> Judged:
    new = new_weights(built)
    kinds = {name: type(built.get_submodule(name.rpartition(".")[0])).__name__ for name in built.state_dict()}
    old = {name: tensor.contiguous() for name, tensor in stored_as(dict(truth)).items()}
    weights = {name: Weight(tuple(tensor.shape), tensor.dtype) for name, tensor in old.items()}
    pairs = find_pairs(weights, new, kinds, words, old.__getitem__)
    return judge(as_rules(pairs, weights, new).rules, old, truth, new)


def judge(rules: Rules, old: Weights, truth: Weights, new: NewWeights) -> Judged:
    """Judges rules for a checkpoint by what the new model's weights should be."""
    weights = {name: Weight(tuple(tensor.shape), tensor.dtype) for name, tensor in old.items()}
    sure = Rules(tuple(rule for rule in rules.rules if not rule.unsure))
    # What only keeps its name because nobody is sure of another is no suggestion.
    unsure = [pattern for rule in rules.unsure if isinstance(rule, Fill) for pattern in rule.sources]
    settled = {name: weight for name, weight in weights.items() if all(pattern.match(name) is None for pattern in unsure)}  # fmt: skip
    plan = make_plan(sure, settled, new)
    right, wrong = [], []
    for filling in (*plan.fillings, *plan.repeats):
        tensors = [old[name] for name in filling.move.sources]
        for operation in filling.operations:
            tensors = operation.apply(tensors)
        for target, tensor in zip(filling.targets, tensors, strict=True):
            if torch.equal(truth[target], tensor):
                right.append(target)
            else:
                wrong.append(f"{', '.join(filling.move.sources)} -> {target} {filling.operations}")
    missing = [name for name in truth if name not in right]
    return Judged(right, wrong, list(plan.dropped), rules.unsure, missing, rules)


@functools.cache
def _subject(name: str) -> Subject:
    return find_subject(find_holder(Path.cwd()), name)


def values_of(model: Model) -> Weights:
    """Weights of the model that are all different."""
    subject = _subject(model.name)
    built = subject.build(subject.configure(model.values), model.class_name, device="cpu")
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in built.parameters():
            weight.copy_(torch.randn_like(weight))
    return stored_weights(built)
