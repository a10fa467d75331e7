"""`add-model record`: one forward pass, with everything that goes in and out of every submodule."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from add_model.cli.examples import with_examples
from add_model.cli.options import IntoOption, JsonOption
from add_model.cli.output import say, say_json, tell
from add_model.errors import AddModelError

if TYPE_CHECKING:
    from add_model.held_model import ModelHolder
    from add_model.porting.model.subject import Subject
    from add_model.porting.recording.file import Recording
    from add_model.porting.recording.running import Run

_EXAMPLES = """
Examples:
    add-model record brand_new_bert --checkpoint converted --out new.safetensors
    add-model record transformers:bert --checkpoint original_checkpoint --input-ids 101,2023,102
    add-model record original/run.py:make --out original.safetensors --original-of brand_new_bert
    add-model record brand_new_bert --checkpoint converted --inputs inputs.npz --limit 500MB

An original that is no torch model records itself, with NumPy alone:
    from add_model.porting.recording import Recorder
    with Recorder("original.safetensors") as recorder:
        recorder.record("embeddings", embeddings)
"""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|TB)?", re.IGNORECASE)
_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


@with_examples(_EXAMPLES)
def record(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="A model of the library, package:type such as transformers:bert, or path/to/script.py:function that returns (model, inputs).",
        ),
    ],
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="DIR", help="config.json and weights. Default: random weights."),
    ] = None,  # fmt: skip
    class_name: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="CLASS", help="The model class. Default: the checkpoint's.", show_default=False
        ),
    ] = None,  # fmt: skip
    input_ids: Annotated[
        str | None,
        typer.Option("--input-ids", metavar="1,2,3", help="The input; 1,2,3;4,5,6 for two texts.", show_default=False),
    ] = None,  # fmt: skip
    inputs: Annotated[
        Path | None,
        typer.Option(
            "--inputs", metavar="FILE", help="Named inputs: .safetensors, .npz or .json.", show_default=False
        ),
    ] = None,  # fmt: skip
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write. Default: NAME.recording.safetensors."),
    ] = None,  # fmt: skip
    limit: Annotated[
        str,
        typer.Option("--limit", metavar="SIZE", help="What all values together may take; larger ones are sampled."),
    ] = "4GB",  # fmt: skip
    parameters: Annotated[
        str,
        typer.Option(
            "--parameters", metavar="SIZE", help="What the parameters may take; the smallest are kept first."
        ),
    ] = "16MB",  # fmt: skip
    seed: Annotated[int, typer.Option("--seed", help="Of random weights.")] = 0,
    original_of: Annotated[
        str | None,
        typer.Option(
            "--original-of",
            metavar="NAME",
            help="Keep it as evidence that this model's original runs.",
            show_default=False,
        ),
    ] = None,  # fmt: skip
    into: IntoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one forward pass, and store what goes in and out of every submodule in one safetensors file."""
    from add_model.porting.recording.running import Request, parse_input_ids, prepare, read_inputs
    from add_model.porting.recording.running import record as run_and_record
    from add_model.scaffold.destination import find_holder

    if input_ids is not None and inputs is not None:
        raise AddModelError("--input-ids and --inputs exclude each other; pass one of them")
    sizes = _size("--limit", limit), _size("--parameters", parameters)
    given = {"input_ids": parse_input_ids(input_ids)} if input_ids is not None else None
    if inputs is not None:
        given = read_inputs(inputs)
    start = Path.cwd() if into is None else into
    holder = find_holder(start)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = prepare(holder, start, Request(target, checkpoint, class_name, given, seed))
    original = None if original_of is None else _original_of(holder, original_of, run)
    for message in dict.fromkeys(str(each.message) for each in caught if each.category is UserWarning):
        tell(f"warning: {message}")
    stem = re.sub(r"\W+", "_", target.rpartition("/")[2]).strip("_")
    path = out or Path(f"{stem}.recording.safetensors")
    recording = run_and_record(run, path, *sizes)
    if original is not None:
        _keep(original, recording)
    _show(recording, as_json)


def _size(option: str, text: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise AddModelError(f"{option} {text!r}: pass a size such as 500MB or 4GB")
    return int(float(match[1]) * _UNITS[(match[2] or "B").upper()])


def _original_of(holder: ModelHolder, name: str, run: Run) -> Subject:
    """The model of the library that the run is to be the original of."""
    from add_model.porting.model.subject import find_subject

    subject = find_subject(holder, name)
    if subject.origin != "library":
        raise AddModelError(f"--original-of {name}: no model of the library around {holder.root}; pass its name, and --into its folder")  # fmt: skip
    if run.subject == subject:
        raise AddModelError(f"--original-of {name}: {name} is the new model itself; record its original, or leave the option out")  # fmt: skip
    return subject


def _keep(subject: Subject, recording: Recording) -> None:
    from add_model.porting.evidence import make, store

    figure = f"{len(recording.calls)} calls recorded"
    deterministic = not (recording.root.training or recording.root.drew_random)
    evidence = make(subject.library.root, "recording", passed=deterministic, figure=figure, files=[recording.path.absolute()])  # fmt: skip
    store(subject.library.root, subject.name, evidence)


def _show(recording: Recording, as_json: bool) -> None:
    size = recording.path.stat().st_size
    root = recording.root
    if as_json:
        document = {
            "path": str(recording.path),
            "class": recording.model["class"],
            "calls": len(recording.calls),
            "bytes": size,
            "training": root.training,
            "drew_random": root.drew_random,
        }
        say_json(document)
        return
    say(f"{recording.path}: {recording.model['class']}, {len(recording.calls)} calls, {size / (1 << 20):.1f} MB")
    if root.drew_random:
        mode = "is in training mode" if root.training else "drew random numbers"
        tell(f"the model {mode}: another run gives other values; call model.eval() first")
