"""What a conversion does, or what keeps it from being done: one JSON-able value, and lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from add_model.porting.checkpoints.checkpoint import Checkpoint
from add_model.porting.conversion.configuration import Choice
from add_model.porting.conversion.plan import Plan
from add_model.porting.model.subject import Subject


@dataclass(frozen=True)
class Conversion:
    """Everything that a conversion is made from.

    Attributes:
        subject: the new model.
        choice: its configuration and class.
        checkpoint: the original's weights, open.
        plan: where every weight comes from.
        rules_path: the rules file, where there is one.
    """

    subject: Subject
    choice: Choice
    checkpoint: Checkpoint
    plan: Plan
    rules_path: Path | None


def report(conversion: Conversion) -> dict[str, Any]:
    """What a conversion does, or would do, as one JSON-able value; problems are what keeps it from being done."""
    plan, old = conversion.plan, conversion.plan.old
    return {
        "model": conversion.subject.name,
        "class": conversion.choice.class_name,
        "checkpoint": str(conversion.checkpoint.path),
        "rules": None if conversion.rules_path is None else str(conversion.rules_path),
        "configuration": {"origin": conversion.choice.origin, "notes": list(conversion.choice.notes)},
        "parts": [{"file": file, "name": part.name, "weights": part.weights, "read": part.is_read} for file, part in conversion.checkpoint.parts],
        "weights": list(_weights(plan)),
        "tied": dict(plan.new.tied),
        "dropped": [{"name": name, "shape": list(old[name].shape), "reason": reason} for name, reason in plan.dropped.items()],
        "repeated": [{"name": name, "shape": list(old[name].shape), "same_as": original} for name, original in _repeated(plan)],
        "problems": list(plan.problems),
    }  # fmt: skip


def _weights(plan: Plan) -> Iterator[dict[str, Any]]:
    """Every weight of the new model, in its order, and where it comes from."""
    fillings = {target: filling for filling in plan.fillings for target in filling.targets}
    for name, weight in plan.written.items():
        line: dict[str, Any] = {"name": name, "shape": list(weight.shape), "dtype": type_name(weight.dtype)}
        filling = fillings.get(plan.shared.get(name, name))
        if filling is not None:
            line["from"] = [{"name": source, "shape": list(plan.old[source].shape)} for source in filling.move.sources]
            line["operations"] = [operation.table() for operation in filling.operations]
            if len(filling.targets) > 1:
                line["piece"] = filling.targets.index(plan.shared.get(name, name))
        if name in plan.shared:
            line["shared_with"] = plan.shared[name]
        if name in plan.kept:
            line["kept"] = plan.kept[name]
        if name in plan.constants:
            line["constant"] = plan.constants[name]
        yield line


def _repeated(plan: Plan) -> Iterator[tuple[str, str]]:
    fillings = {target: filling for filling in plan.fillings for target in filling.targets}
    for repeat in plan.repeats:
        for source in repeat.move.sources:
            yield source, ", ".join(fillings[repeat.targets[0]].move.sources)
    yield from plan.repeated.items()


def report_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The report as text: a line for each weight of the new model, then one for each of the checkpoint that is left."""
    for weight in document["weights"]:
        shown = _shown(weight)
        if "kept" in weight:
            source = f"{weight['constant']} all over" if "constant" in weight else "the new model itself"
            yield f"{shown} <- {source}: {weight['kept']}"
        elif "from" in weight:
            steps = "".join(f", {_step(operation)}" for operation in weight["operations"])
            piece = f", piece {weight['piece'] + 1}" if "piece" in weight else ""
            yield f"{shown} <- {' + '.join(_shown(source) for source in weight['from'])}{steps}{piece}"
    for name, original in document["tied"].items():
        yield f"{name} = {original} (tied)"
    for weight in document["repeated"]:
        yield f"{_shown(weight)} of the checkpoint: the same as {weight['same_as']}"
    for weight in document["dropped"]:
        yield f"{_shown(weight)} of the checkpoint: dropped, {weight['reason']}"
    for part in document["parts"]:
        if not part["read"]:
            number = part["weights"]
            yield f"{part['name']} of {part['file']}: left, with {number} weight{'' if number == 1 else 's'}"


def summary_line(document: Mapping[str, Any]) -> str:
    """What was done, in one line."""
    weights = document["weights"]
    used = {source["name"] for weight in weights for source in weight.get("from", ())}
    others = (len(document["repeated"]), "repeated"), (len(document["dropped"]), "dropped")
    rest = "".join(f", {number} {what}" for number, what in others if number)
    return f"{document['class']}: {len(weights)} of {len(weights)} weights filled, from {len(used)} of the checkpoint{rest}"  # fmt: skip


def type_name(dtype: torch.dtype) -> str:
    """The name of a type of numbers, such as `float32`."""
    return str(dtype).removeprefix("torch.")


def _shown(weight: Mapping[str, Any]) -> str:
    return f"{weight['name']} {weight['shape']}"


def _step(operation: Mapping[str, Any]) -> str:
    return " ".join(f"{key} {value}" for key, value in operation.items())
