"""What a user asked to convert, made into a conversion: the model, its configuration, the checkpoint and the rules."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from add_model.errors import AddModelError
from add_model.porting.checkpoints.checkpoint import Checkpoint, open_checkpoint
from add_model.porting.checkpoints.parts import listed
from add_model.porting.conversion.configuration import Choice, choose_configuration
from add_model.porting.conversion.plan import NewWeights, make_plan, new_weights
from add_model.porting.conversion.report import Conversion
from add_model.porting.destinations import destination
from add_model.porting.model.subject import Subject
from add_model.porting.rules.reading import load_rules
from add_model.porting.rules.rule import Rules
from add_model.porting.rules.writing import dump_rules
from add_model.porting.suggestion.suggesting import Suggestion, as_rules, find_pairs
from add_model.transaction import Change, write_files

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
        choice = choose_configuration(subject, checkpoint, weights.weights, config, class_name)
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


def suggest_rules(opened: Opened, recording: Path | None = None) -> Suggestion:
    """Suggests the rules of a conversion; with a recording of the original, its values decide what names leave open.

    Raises:
        AddModelError: what it takes to do so is not installed, or the recording cannot be used.
    """
    old, new = opened.checkpoint.weights, opened.new
    words = {word.lower() for word in (opened.subject.name, *opened.subject.name.split("_"))}
    pairs = find_pairs(old, new, opened.kinds, words, opened.checkpoint.read)
    opened.checkpoint.release()
    if recording is not None:
        from add_model.porting.recording.file import load_recording
        from add_model.porting.suggestion.by_values import decide

        model = opened.subject.build(opened.choice.config, opened.choice.class_name, device="cpu")
        pairs = decide(pairs, opened.checkpoint, new, model, load_recording(recording))
    return as_rules(pairs, old, new)


def suggestion_text(opened: Opened, suggestion: Suggestion) -> str:
    """The text of a rules file with what was suggested."""
    model, checkpoint = opened.choice.class_name, opened.checkpoint.path.name
    header = [f"How the weights of {checkpoint} become those of {model}; suggested by add-model, to be checked."]
    header.append("A weight that no rule mentions keeps its name.")
    if suggestion.rules.unsure:
        header.append("Rules marked `unsure` need a look: correct them if need be, and remove the mark.")
    for name in suggestion.open:
        header.append(f"Nothing was found for {name} {list(opened.new.weights[name].shape)}.")
    parts = opened.checkpoint.parts
    left = [part for _, part in parts if not part.is_read]
    if left:
        header.append(f"Left of {checkpoint}: {listed(left)}.")
    read = opened.read or tuple(dict.fromkeys(part.name for _, part in parts if part.is_read))
    return dump_rules(replace(suggestion.rules, read=read), header)


def write_rules(path: Path, text: str, *, replace: bool = False) -> None:
    """Writes a rules file.

    Raises:
        AddModelError: it exists and is not to be replaced, or cannot be written.
    """
    path = destination(path, "--rules")
    if path.is_dir():
        raise AddModelError(f"{path}: is a folder; pass a file with --rules")
    before = path.read_bytes() if path.is_file() else None
    if before is not None and not replace:
        raise AddModelError(f"{path}: exists already; pass another file with --rules, or --force to replace it")
    write_files(path.parent, [Change(path, text.encode("utf-8"), before)])


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
