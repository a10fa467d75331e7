"""What `add-model record` runs: a model of a library, of an installed package, or what a script makes, and its input."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from add_model.errors import AddModelError
from add_model.held_model import ModelHolder
from add_model.nearest import nearest
from add_model.porting.checkpoints.folder import refuse_missing_folder
from add_model.porting.destinations import destination
from add_model.porting.documents import read_json
from add_model.porting.model.subject import FAILURES, Subject, find_subject
from add_model.porting.recording import record_forward
from add_model.porting.recording.facts import facts_of
from add_model.porting.recording.file import Recording, load_recording
from add_model.porting.recording.tables import refusing_numbers_beyond
from add_model.porting.recording.usual_inputs import usual_inputs
from add_model.porting.tensor_file import TensorFile, open_regular
from add_model.reading import MOST_BYTES_OF_SETTINGS, read_bytes
from add_model.syntax_tree import syntax_tree

if TYPE_CHECKING:
    import torch
    from torch import nn

_HEAD = re.compile(r"(?<=[a-z0-9])(For[A-Z]\w*|[A-Z]+HeadModel|DoubleHeadsModel|Model)$")
_LEFT_AS_IT_WAS = re.compile(r"left at their initial values: ([^;]+)")
# What a script is called as a module: its own name may be that of a package that it imports.
_SCRIPT_NAME = "add_model_script_"
_SCRIPT_HINT = "it must return (model, inputs)"


@dataclass(frozen=True)
class Run:
    """A forward pass that can be recorded.

    Attributes:
        model: in evaluation mode.
        inputs: the arguments, by name; the key "" stands for one that is passed by position.
        facts: what is kept about the model in its recording.
        subject: the model of a library that it is, if it is one.
    """

    model: nn.Module
    inputs: Mapping[str, Any]
    facts: Mapping[str, Any]
    subject: Subject | None


@dataclass(frozen=True)
class Request:
    """What to run.

    Attributes:
        target: a name in the library, `package:type`, or `path/to/script.py:function`.
        checkpoint: a folder with config.json and weights; random weights without it.
        class_name: the model class; without it the one that the checkpoint names, or the base model.
        inputs: the input, by name; a fixed short vector of input ids without it.
        seed: of the random weights.
    """

    target: str
    checkpoint: Path | None = None
    class_name: str | None = None
    inputs: Mapping[str, torch.Tensor] | None = None
    seed: int = 0


def prepare(holder: ModelHolder, start: Path, request: Request) -> Run:
    """Makes the model and its input.

    Args:
        holder: the library whose models can be named.
        start: the folder that a script is named from.
        request: what to run.

    Raises:
        AddModelError: there is no such model, it does not import or cannot be built, or the checkpoint does not fit.
    """
    path, _, function = request.target.rpartition(":")
    if request.target.endswith(".py"):
        path, function = request.target, ""
    if path.endswith(".py"):
        return _from_script(start / path, function, request)
    if request.checkpoint is not None:
        refuse_missing_folder(request.checkpoint, "--checkpoint")
    subject = find_subject(holder, request.target)
    model = _model(subject, request).eval()
    facts = {"target": request.target, **facts_of(subject, request.checkpoint)}
    if request.checkpoint is not None:
        facts["checkpoint"] = str(request.checkpoint.absolute())
    return Run(model, request.inputs or usual_inputs(model), facts, subject)


def record(run: Run, path: Path, limit: int, parameter_limit: int) -> Recording:
    """Runs the model once, without gradients, and records it.

    Raises:
        AddModelError: the forward pass fails; its error, file and line are named.
    """
    import torch

    destination(path, "--out")
    inputs = dict(run.inputs)
    positional = [inputs.pop("")] if "" in inputs else []
    with torch.no_grad():
        try:
            with (
                refusing_numbers_beyond(run.model),
                record_forward(run.model, path, limit=limit, parameter_limit=parameter_limit, facts=run.facts),
            ):
                run.model(*positional, **inputs)
        except (AddModelError, OSError):
            raise
        except FAILURES as error:
            frames = traceback.extract_tb(error.__traceback__)
            own = [frame for frame in frames if not Path(frame.filename).is_relative_to(Path(torch.__file__).parent)]
            place = own[-1]
            said = " ".join(str(error).split())
            raise AddModelError(f"{place.filename}:{place.lineno}: the forward pass failed: {type(error).__name__}: {said}; see that the input is what the model expects") from error  # fmt: skip
    return load_recording(path)


def read_inputs(path: Path) -> dict[str, torch.Tensor]:
    """Reads named inputs from a .safetensors, .npz or .json file.

    Raises:
        AddModelError: the file cannot be read, or holds no named arrays.
    """
    import torch

    from add_model.porting.checkpoints.formats import NumpyFile

    try:
        if path.suffix == ".safetensors":
            file = TensorFile(path)
            return {name: file.tensor(name) for name in file.entries}
        if path.suffix == ".npz":
            open_regular(path).close()
            arrays = NumpyFile(path)
            return {name: arrays.read(name) for name in arrays.weights}
        content = read_json(path)
        return {str(name): torch.tensor(value) for name, value in content.items()}
    except Exception as error:
        raise AddModelError(f"{path}: cannot be read as inputs ({type(error).__name__}: {error}); pass .safetensors, .npz, or .json such as {{\"input_ids\": [[1, 2, 3]]}}") from error  # fmt: skip


def parse_input_ids(text: str) -> torch.Tensor:
    """`(texts, length)` of ids such as "1,2,3", or "1,2,3;4,5,6" for two texts.

    Raises:
        AddModelError: that is no list of whole numbers, or the texts differ in length.
    """
    import torch

    try:
        rows = [[int(number) for number in row.split(",")] for row in text.split(";")]
        return torch.tensor(rows)
    except ValueError as error:
        raise AddModelError(f"--input-ids {text!r}: pass whole numbers such as 1,2,3, and texts of one length, such as 1,2,3;4,5,6") from error  # fmt: skip


def _model(subject: Subject, request: Request) -> nn.Module:
    import torch

    if request.checkpoint is None:
        torch.manual_seed(request.seed)
        return subject.build(subject.configure({}), request.class_name, device="cpu")
    class_name = request.class_name or _class_of_checkpoint(subject, request.checkpoint)
    model_class: Any = subject.model_class(class_name)
    try:
        model, missing = _loaded(model_class, request.checkpoint)
    except FAILURES as error:
        said = " ".join(str(error).split())
        raise AddModelError(f"{request.checkpoint}: cannot be loaded into {model_class.__name__}: {said}; pass a folder with its config.json and weights") from error  # fmt: skip
    if missing:
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise AddModelError(f"{request.checkpoint}: lacks {missing[0]} of {model_class.__name__}{more}, which would be random numbers; pass the class that was saved with --class, or a folder with all weights")  # fmt: skip
    return model.float()


def _loaded(model_class: Any, checkpoint: Path) -> tuple[nn.Module, list[str]]:
    """A model with its weights, and the names of those that the checkpoint lacks."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if hasattr(model_class, "_load_pretrained_model"):
            model, info = model_class.from_pretrained(checkpoint, output_loading_info=True)
            missing = sorted(info["missing_keys"])
        else:
            # Libraries of the bundled kind warn of what they leave as it was.
            model, missing = model_class.from_pretrained(checkpoint), []
    for warning in caught:
        found = _LEFT_AS_IT_WAS.search(str(warning.message))
        missing += found[1].split(", ") if found is not None else []
        if found is None:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return model, missing


def _class_of_checkpoint(subject: Subject, checkpoint: Path) -> str | None:
    try:
        content = read_json(checkpoint / "config.json", MOST_BYTES_OF_SETTINGS)
        named = content.get("architectures") if isinstance(content, dict) else None
    except (OSError, ValueError) as error:
        raise AddModelError(f"{checkpoint}: has no readable config.json; pass the folder that convert or save_pretrained wrote") from error  # fmt: skip
    names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    return next((own for name in names for own in subject.class_names if _head(own) == _head(name)), None)


def _head(class_name: str) -> str:
    """What a class name says behind the model's own name: `ForMaskedLM`, `LMHeadModel`, `Model`."""
    found = _HEAD.search(class_name)
    return found[0] if found else class_name


def _no_such_function(path: Path, function: str) -> AddModelError:
    """What to say where a script has no such function, or none was named: those that it defines, the nearest first."""
    names = nearest(function, _functions(path))
    there = f"its functions{', nearest first' if function and len(names) > 1 else ''}: {', '.join(names)}" if names else "it defines none"  # fmt: skip
    said = (
        f"{path}: has no function {function!r}"
        if function
        else f"{path}: name the function of it that makes the model"
    )
    return AddModelError(f"{said}; {there}; pass {path.name}:{names[0] if names else 'function'}, which returns (model, inputs)")  # fmt: skip


def _functions(path: Path) -> list[str]:
    """The functions that a script defines; those that are not for others come last."""
    try:
        found = [node.name for node in syntax_tree(read_bytes(path)).body if isinstance(node, ast.FunctionDef)]
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return sorted(found, key=lambda name: name.startswith("_"))


def _from_script(path: Path, function: str, request: Request) -> Run:
    import torch

    if not path.is_file():
        raise AddModelError(f"{path}: no such script; pass path/to/script.py:function")
    if not function:
        raise _no_such_function(path, function)
    specification = importlib.util.spec_from_file_location(f"{_SCRIPT_NAME}{path.stem}", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # As when Python itself runs a script: what lies beside it can be imported, by what it imports as well, and the
    # module can be found by its name, which dataclasses ask for.
    sys.modules[specification.name] = module
    if str(path.parent.absolute()) not in sys.path:
        sys.path.insert(0, str(path.parent.absolute()))
    torch.manual_seed(request.seed)
    # Nothing but the recording is written, least of all beside what is somebody's own.
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        specification.loader.exec_module(module)
        if not hasattr(module, function):
            raise _no_such_function(path, function)
        made = getattr(module, function)()
    except AddModelError:
        raise
    except FAILURES as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
        line = error.lineno if isinstance(error, SyntaxError) else frames[-1].lineno if frames else 1
        said = " ".join(str(error).split())
        raise AddModelError(f"{path}:{line}: {function} failed: {type(error).__name__}: {said}; {_SCRIPT_HINT}") from error  # fmt: skip
    finally:
        sys.dont_write_bytecode = writes_bytecode
    if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], torch.nn.Module)):
        raise AddModelError(f"{path}: {function} returned no torch module with its inputs; {_SCRIPT_HINT}")
    model, inputs = made
    if request.inputs is not None:
        inputs = request.inputs
    named = dict(inputs) if isinstance(inputs, Mapping) else {"": inputs}
    return Run(model, named, {"target": f"{path.name}:{function}"}, None)
