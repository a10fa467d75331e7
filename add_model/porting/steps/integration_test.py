"""An integration test of a model, written from a recording of the original: its inputs, and the first of its numbers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from add_model.errors import AddModelError
from add_model.porting.documents import read_json
from add_model.porting.evidence import Evidence, make
from add_model.porting.model.documented import public_classes
from add_model.porting.model.ported_model import PortedModel
from add_model.porting.recording.facts import Owner, owner_of
from add_model.porting.recording.file import Recording, TensorRecord, load_recording, tensors_of
from add_model.porting.rendering import rendered
from add_model.porting.steps.model_tests import FAILED, PASSED, Outcome, count, describe, failures
from add_model.porting.steps.publishing import holds_tokenizer
from add_model.reading import MOST_BYTES_OF_SETTINGS
from add_model.references import read_text
from add_model.registry import MODEL_MAPPING, TOKENIZER_MAPPING
from add_model.visible import visible

if TYPE_CHECKING:
    import torch

# How many values the test holds in each dimension: of the last one more, for there the values of a token stand.
_CORNER, _CORNER_LAST = 3, 5
_DIGITS = 6
_FLOATING = ("F16", "BF16", "F32", "F64")


@dataclass(frozen=True)
class Numbers:
    """What the test holds of the original.

    Attributes:
        inputs: argument of the new model -> nested lists.
        output: the name of the output that is compared.
        shape: its shape.
        corner: its first values in every dimension, as nested lists.
        mean: the mean of the absolute values of all of it.
    """

    inputs: Mapping[str, Any]
    output: str
    shape: tuple[int, ...]
    corner: Any
    mean: float


@dataclass(frozen=True)
class Wanted:
    """What an integration test is to be written from.

    Attributes:
        recording: the recording of the original.
        checkpoint: the folder of the converted checkpoint.
        texts: the texts that the recorded ids stand for, one for each row; none for a model that reads no text.
        renamed: the original's name of an input -> the new model's.
        tolerance: the greatest difference that is still equal.
    """

    recording: Path
    checkpoint: Path
    texts: tuple[str, ...] = ()
    renamed: Mapping[str, str] | None = None
    tolerance: float = 1e-3


def integration_files(model: PortedModel, wanted: Wanted) -> dict[Path, str]:
    """The test with the original's numbers, and the file of numbers that the model's other tests look for.

    Raises:
        AddModelError: the recording or the checkpoint cannot be used.
    """
    architecture = architecture_of(model, wanted.checkpoint)
    recording = load_recording(wanted.recording)
    if owner_of(recording) == Owner(model.root.resolve(), model.name):
        raise AddModelError(f"{recording.path}: is a recording of {model.name} itself; pass one of the original")
    numbers = numbers_of(recording, arguments_of(model, architecture), wanted.renamed or {})
    _check_texts(model, numbers, wanted)
    files = {model.integration_test: _test(model, wanted, architecture, numbers)}
    if any("recorded_numbers.json" in read_text(path) for path in model.tests_folder.glob("*.py")):
        content = {
            "checkpoint": relative_path(model.tests_folder, wanted.checkpoint),
            "architecture": architecture,
            "inputs": numbers.inputs,
            "expected": numbers.corner,
            "atol": wanted.tolerance,
        }
        files[model.tests_folder / "recorded_numbers.json"] = json.dumps(content, indent=1) + "\n"
    return files


def numbers_of(recording: Recording, arguments: Sequence[str], renamed: Mapping[str, str]) -> Numbers:
    """The inputs and the first output of a recorded run.

    Args:
        recording: the run; either of a model of torch, or of values that were recorded by name.
        arguments: what the new model's `forward` takes.
        renamed: the original's name of an input -> the new model's.

    Raises:
        AddModelError: the run was in training mode, an input fits no argument, or the output is not stored whole.
    """
    if recording.root.training:
        raise AddModelError(f"{recording.path}: was recorded in training mode, with dropout; call eval() on the model and record it again")  # fmt: skip
    named = {call.path: call.outputs for call in recording.calls}
    is_model = recording.root.path == ""
    given = dict(tensors_of(recording.root.inputs if is_model else named))
    known = {name: record for name, record in given.items() if is_model or renamed.get(name, name) in arguments}
    sampled = next((name for name, record in known.items() if record.rows is not None), None)
    if sampled is not None:
        raise AddModelError(_only_sampled(recording, f"input {sampled}"))
    inputs = {
        _argument(recording, name, record, arguments, renamed): recording.values(record).tolist()
        for name, record in known.items()
    }
    outputs = recording.root.outputs if is_model else {name: named[name] for name in named if name not in known}
    # Of values recorded by name the last one counts, as a run ends with its result; of a model's outputs the first.
    candidates = [found for found in tensors_of(outputs, "") if found[1].dtype in _FLOATING and found[1].shape]
    if not inputs and not is_model:
        raise AddModelError(f"{recording.path}: none of its values ({', '.join(given)}) is an argument of the new model ({', '.join(arguments)}); say which is: --rename {next(iter(given))}=input_ids")  # fmt: skip
    if not candidates or not inputs:
        raise AddModelError(f"{recording.path}: holds no {'output' if inputs else 'input'} of the whole model; record the call of the model itself")  # fmt: skip
    name, record = candidates[0 if is_model else -1]
    if record.rows is not None:
        raise AddModelError(_only_sampled(recording, f"output {name}"))
    values = recording.values(record).float()
    corner = values[tuple(slice(size) for size in _corner(record.shape))]
    return Numbers(inputs, name, record.shape, _rounded(corner.tolist()), _rounded(_mean(values)))


def _only_sampled(recording: Recording, what: str) -> str:
    return f"{recording.path}: holds only some rows of the {what}; record it again with a greater --limit"


def end_to_end_evidence(model: PortedModel, outcomes: Sequence[Outcome], details: Mapping[str, Any]) -> Evidence:
    """The result of step 10: from a text to the original's numbers, on every device there is."""
    own = [outcome for outcome in outcomes if outcome.result == PASSED]
    counts = count(outcomes)
    with_text = [outcome for outcome in own if "test_text_gives_the_numbers" in outcome.name]
    devices = sorted({outcome.properties["device"] for outcome in own if "device" in outcome.properties})
    differences = [float(outcome.properties["difference"]) for outcome in own if "difference" in outcome.properties]
    if counts[FAILED] or not own:
        first = next((outcome.message for outcome in outcomes if outcome.message), "")
        figure = describe(outcomes) if counts[FAILED] else f"nothing ran: {first}"
    else:
        largest = f"largest difference {max(differences):.1e}" if differences else f"{counts[PASSED]} passed"
        source = "from text" if with_text else "from ids" if not model.has_tokenizer else "from ids, not from text yet"
        figure = f"{largest} {source}, on {' and '.join(devices) or 'an unnamed device'}"
    return make(
        model.root,
        "end-to-end",
        passed=not counts[FAILED] and bool(own) and (bool(with_text) or not model.has_tokenizer),
        figure=figure,
        files=[*model.code(), *model.tests(), *_checkpoint_files(model, details)],
        details={**details, **counts, "devices": devices, "failures": failures(outcomes)},
    )


def _checkpoint_files(model: PortedModel, details: Mapping[str, Any]) -> Iterator[Path]:
    folder = details.get("checkpoint")
    if folder:
        yield from (path for path in sorted((model.root / str(folder)).glob("*")) if path.is_file())


def architecture_of(model: PortedModel, checkpoint: Path) -> str:
    """The class that a checkpoint was saved from.

    Raises:
        AddModelError: the folder holds no configuration, or that of another model.
    """
    path = checkpoint / "config.json"
    try:
        content = read_json(path, MOST_BYTES_OF_SETTINGS)
    except (OSError, ValueError) as error:
        raise AddModelError(f"{path}: cannot be read ({error}); pass the folder that add-model convert wrote: --checkpoint DIR") from error  # fmt: skip
    named = content.get("architectures") if isinstance(content, dict) else None
    names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    names = names or [model.classes.get(MODEL_MAPPING, "")]
    known = {found.name for found in public_classes(model.modules())}
    if names[0] not in known:
        raise AddModelError(f"{path}: its architecture {names[0]} is none of {model.name}; convert the original's anew: add-model convert {model.name} CHECKPOINT")  # fmt: skip
    return str(names[0])


def arguments_of(model: PortedModel, architecture: str) -> list[str]:
    found = next(found for found in public_classes(model.modules()) if found.name == architecture)
    return [argument for method, argument in found.arguments if method == "forward"]


def _argument(
    recording: Recording, name: str, record: TensorRecord, arguments: Sequence[str], renamed: Mapping[str, str]
) -> str:
    """The new model's argument that an input of the original is."""
    chosen = renamed.get(name, name)
    if chosen in arguments:
        return chosen
    only_ids = name in renamed or "input_ids" not in arguments or len(recording.root.inputs) > 1
    if only_ids or record.dtype not in ("I32", "I64"):
        raise AddModelError(f"{recording.path}: the input {chosen} of the original is no argument of the new model ({', '.join(arguments)}); say which it is: --rename {name}=ARGUMENT")  # fmt: skip
    return "input_ids"


def _check_texts(model: PortedModel, numbers: Numbers, wanted: Wanted) -> None:
    texts = wanted.texts
    rows = len(numbers.inputs.get("input_ids", ()))
    if texts and not model.has_tokenizer:
        raise AddModelError(f"{model.name} has no tokenizer, so it reads no text; leave --text out")
    if texts and len(texts) != rows:
        raise AddModelError(f"the original was given {rows} rows of ids, and --text {len(texts)} times; pass one text for each row")  # fmt: skip
    if texts and not holds_tokenizer(wanted.checkpoint):
        raise AddModelError(f"{wanted.checkpoint}: holds no tokenizer to read --text with; put the original's vocabulary files there, or save the tokenizer there with its save_pretrained, or leave --text out")  # fmt: skip


def _test(model: PortedModel, wanted: Wanted, architecture: str, numbers: Numbers) -> str:
    name = model.called
    values = {
        "architecture": architecture,
        "camel": name.camel,
        "variable": f"{name.upper}_CHECKPOINT",
        "package": model.module,
        "tokenizer": model.classes.get(TOKENIZER_MAPPING, ""),
        "checkpoint": relative_path(model.tests_folder, wanted.checkpoint),
        "texts": repr(list(wanted.texts)) if wanted.texts else "",
        "inputs": repr(dict(numbers.inputs)),
        # Of a recording, whose names nobody has checked; it stands in a comment.
        "output": visible(numbers.output),
        "shape": repr(numbers.shape),
        "corner": repr(numbers.corner),
        "mean": repr(numbers.mean),
        "tolerance": repr(wanted.tolerance),
    }
    return rendered("test_integration.py", values)


def relative_path(folder: Path, path: Path) -> str:
    """A path as a file in the folder names it: relative, so that the library and what lies beside it may move."""
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()


def _corner(shape: tuple[int, ...]) -> Iterator[int]:
    for place, size in enumerate(shape, 1):
        yield min(size, _CORNER_LAST if place == len(shape) else _CORNER)


def _mean(values: torch.Tensor) -> float:
    return float(values.double().abs().mean())


def _rounded(values: Any) -> Any:
    return [_rounded(value) for value in values] if isinstance(values, list) else round(values, _DIGITS)
