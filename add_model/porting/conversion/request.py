"""What a user asked to convert, made into a conversion: the model, its configuration, the checkpoint and the rules."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

from add_model.errors import AddModelError
from add_model.porting.checkpoints.checkpoint import Checkpoint, open_checkpoint
from add_model.porting.conversion.configuration import Choice, choose_configuration
from add_model.porting.conversion.plan import NewWeights, make_plan, new_weights
from add_model.porting.conversion.report import Conversion
from add_model.porting.model.subject import Subject
from add_model.porting.rules.reading import load_rules
from add_model.porting.rules.rule import Rules

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True)
class Opened:
    """A model that was found, and the checkpoint that it is to be filled from.

    Attributes:
        subject, choice: the model, its configuration and class.
        checkpoint: the original's weights, open.
        new: what has to be filled.
        kinds: weight of the model -> the class of the module that holds it.
        read: the parts of the checkpoint that somebody asked for.
    """

    subject: Subject
    choice: Choice
    checkpoint: Checkpoint
    new: NewWeights
    kinds: Mapping[str, str]
    read: tuple[str, ...] = ()


@contextmanager
def opened(
    subject: Subject,
    checkpoint: Path,
    config: Path | None = None,
    class_name: str | None = None,
    read: Sequence[str] = (),
) -> Iterator[Opened]:
    """Opens the checkpoint, chooses the configuration, and builds the model without values.

    Args:
        subject: the model.
        checkpoint: the original's weights, a file or a folder.
        config, class_name: see `choose_configuration`.
        read: the parts of the checkpoint that are read; see `open_checkpoint`.

    Raises:
        AddModelError: any of it cannot be had.
    """
    with open_checkpoint(checkpoint, read) as weights:
        choice = choose_configuration(subject, checkpoint, weights.weights, config, class_name, weights.settings)
        model = subject.build(choice.config, choice.class_name, most_parts=_most_parts(weights))
        kinds = {name: type(model.get_submodule(name.rpartition(".")[0])).__name__ for name in model.state_dict()}
        yield Opened(subject, choice, weights, new_weights(model), kinds, tuple(read))


def _most_parts(checkpoint: Checkpoint) -> int:
    """How many submodules and parameters a model can have that is filled from a checkpoint.

    Where each weight is one of a stack of experts, there are more than it has weights; but none of them is small.
    """
    elements = sum(prod(weight.shape) for weight in checkpoint.weights.values())
    return 20_000 + 8 * len(checkpoint.weights) + elements // 10_000


def default_rules_path(subject: Subject) -> Path:
    """Where the rules of a model are when nothing else is said: in the working folder, to be seen and edited."""
    return Path(f"{subject.name}.rules.toml")


def read_rules(subject: Subject, path: Path | None) -> Rules:
    """The rules that were asked for, those of the default place, or none where there is no such file.

    Raises:
        AddModelError: the file cannot be read, or holds something that is no rule.
    """
    if path is not None:
        return load_rules(path)
    default = default_rules_path(subject)
    return load_rules(default) if os.path.lexists(default) else Rules()


def make_conversion(opened: Opened, rules: Rules, *, accept_unsure: bool = False) -> Conversion:
    """The conversion that rules lead to, whatever is still open in it.

    Raises:
        AddModelError: a rule is marked as unsure, and nobody has said that this is to be accepted.
    """
    unsure = rules.unsure
    if unsure and not accept_unsure:
        others = f", and {len(unsure) - 1} more" if len(unsure) > 1 else ""
        raise AddModelError(f"{unsure[0].place}: the rule is marked `unsure`{others}; check it and remove the mark, or pass --accept-unsure")  # fmt: skip
    plan = make_plan(rules, opened.checkpoint.weights, opened.new)
    return Conversion(opened.subject, opened.choice, opened.checkpoint, plan, rules.path)


def parse_size(text: str) -> int:
    """A number of bytes: `5GB`, `500 MB`, `1000`.

    Raises:
        AddModelError: it is no size.
    """
    found = _SIZE.fullmatch(text.strip())
    size = int(float(found[1]) * _UNITS[found[2].upper()]) if found is not None else 0
    if size < 1:
        raise AddModelError(f"{text!r} is no size; write one such as 5GB")
    return size
