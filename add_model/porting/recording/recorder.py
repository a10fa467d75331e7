"""Records one forward pass: what goes in and out of every submodule, streamed into one file.

    with record_forward(model, "original.safetensors"):
        model(input_ids)

An original in another framework names what it wants to keep, as arrays that NumPy understands:

    with Recorder("original.safetensors") as recorder:
        recorder.record("embeddings", embeddings)

Needs torch and safetensors alone, the latter form only NumPy: `pip install --no-deps add-model` adds it to the
original's environment.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import inspect
import math
import os
import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from add_model.errors import AddModelError
from add_model.porting.recording.offloaded import offloaded
from add_model.porting.recording.writer import (
    DEFAULT_LIMIT,
    NAMED_VALUE,
    ON_META,
    UNRECORDED,
    RecordingWriter,
    row_count,
    sampled_rows,
)
from add_model.porting.tensor_memory import bytes_of, count_of_changes, is_plain, real

if TYPE_CHECKING:
    import torch
    from torch import nn

    from add_model.porting.recording.flow import Flow

# Enough for every parameter of a small model. Of a large one they would take longer to write than what is computed from
# a short input; a comparison says which it lacks.
DEFAULT_PARAMETER_LIMIT = 16 << 20
# Names of data types in torch and NumPy -> in safetensors.
_DTYPES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "int16": "I16",
    "uint16": "U16",
    "int32": "I32",
    "uint32": "U32",
    "int64": "I64",
    "uint64": "U64",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
}
_Plain = (bool, int, float, str, type(None))


class Recorder:
    """Writes values into a recording as they come; a context that finishes the file, or removes it on an error.

    Args:
        path: the file to write; it appears when the recording is complete.
        limit: how many bytes the values may take together. Larger ones are sampled: whole rows of the last dimension,
            the same ones for the same shape in every recording.
        model: the model that will run, if it is one of torch.
        facts: what else to keep about the model, such as its name in its library.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        limit: int = DEFAULT_LIMIT,
        model: nn.Module | None = None,
        parameter_limit: int = DEFAULT_PARAMETER_LIMIT,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        modules = {} if model is None else dict(model.named_modules())
        self._writer = RecordingWriter(Path(path), limit, 2 * len(modules))
        self._calls: list[dict[str, Any]] = []
        self._open: list[int] = []
        self._clock = 0
        # id of a tensor -> a reference that dies with it, its version, and what was stored.
        self._seen: dict[int, tuple[weakref.ref[Any], int, dict[str, Any]]] = {}
        self._flow: Flow | None = None
        self._metadata: dict[str, Any] = {
            "model": {"class": None if model is None else type(model).__name__, **(facts or {})},
            "random": {} if model is None else _random_state(),
            "config": {} if model is None else _configuration(model),
            "modules": {name: [type(module).__name__, _attributes(module)] for name, module in modules.items()},
            "parameters": {},
        }
        if model is not None:
            self._metadata["model"]["training"] = model.training
            self._metadata["parameters"] = self._parameters(model, parameter_limit)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.finish()
        else:
            self.abort()

    def finish(self) -> None:
        """Completes the file."""
        made_of = {} if self._flow is None else self._flow.made_of
        self._writer.finish({**self._metadata, "flow": made_of, "calls": self._calls})

    def follow(self, flow: Flow) -> None:
        """Keeps with each tensor from which others it was computed."""
        self._flow = flow

    def abort(self) -> None:
        """Gives the recording up; no file is left."""
        self._writer.abort()

    def record(self, name: str, value: Any) -> None:
        """Keeps a value under a name: a tensor, a NumPy array or what NumPy makes one of, or a structure of these."""
        index = self.begin(name, NAMED_VALUE, False, {})
        self.end(index, value)

    def begin(self, path: str, class_name: str, training: bool, inputs: Mapping[str, Any]) -> int:
        """Notes that a submodule was called; returns the call's index."""
        self._calls.append(
            {
                "path": path,
                "class_name": class_name,
                "training": training,
                "parent": self._open[-1] if self._open else None,
                "began": self._tick(),
                "ended": -1,
                "inputs": {name: self._store(value) for name, value in inputs.items()},
                "outputs": None,
                "drew_random": False,
            }
        )
        self._open.append(len(self._calls) - 1)
        return self._open[-1]

    def end(self, index: int, outputs: Any, drew_random: bool = False) -> None:
        """Notes what a call returned."""
        while self._open and self._open.pop() != index:
            pass  # calls inside it that ended by an exception which was caught
        self._calls[index].update(ended=self._tick(), outputs=self._store(outputs), drew_random=drew_random)

    @property
    def current(self) -> int | None:
        """The index of the innermost call that has not ended."""
        return self._open[-1] if self._open else None

    def _tick(self) -> int:
        self._clock += 1
        return self._clock

    def _store(self, value: Any) -> Any:
        if isinstance(value, _Plain):
            return value
        if isinstance(value, Mapping):
            return {str(name): self._store(item) for name, item in value.items()}
        if isinstance(value, (tuple, list)):
            return [self._store(item) for item in value]
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {each.name: self._store(getattr(value, each.name)) for each in dataclasses.fields(value)}
        if _is_tensor(value):
            return self._store_tensor(value)
        if hasattr(value, "__array__"):
            return self._store_array(value)
        return {UNRECORDED: type(value).__name__}

    def _store_tensor(self, tensor: torch.Tensor) -> dict[str, Any]:
        stored = self._stored(tensor)
        if self._flow is not None and "key" in stored:
            self._flow.keep(tensor, stored["key"])
        return stored

    def _stored(self, tensor: torch.Tensor) -> dict[str, Any]:
        version = count_of_changes(tensor)
        known = self._seen.get(id(tensor))
        if known is not None and known[0]() is tensor and known[1] == version and version >= 0:
            return known[2]
        if not is_plain(tensor):
            return {UNRECORDED: f"Tensor of {tensor.dtype}, {tensor.layout}"}
        plain = real(tensor.detach())
        dtype = _DTYPES.get(str(plain.dtype).removeprefix("torch."))
        if dtype is None:
            return {UNRECORDED: f"Tensor of {tensor.dtype}"}
        shape = list(plain.shape)
        rows = self._writer.rows_to_keep(shape, plain.element_size())
        if rows is not None:
            chosen = plain.new_tensor(sampled_rows(row_count(shape), rows)).long()
            plain = plain.reshape(-1, shape[-1] if shape else 1).index_select(0, chosen)
        plain = plain.cpu().contiguous()
        key = self._writer.add(dtype, plain.shape, bytes_of(plain))
        stored: dict[str, Any] = {"key": key, "dtype": dtype, "shape": shape}
        if rows is not None:
            stored["rows"] = rows
        self._seen[id(tensor)] = (weakref.ref(tensor), version, stored)
        return stored

    def _store_array(self, value: Any) -> dict[str, Any]:
        import numpy

        array = numpy.asarray(value)
        if numpy.iscomplexobj(array):
            array = numpy.stack([array.real, array.imag], axis=-1)
        dtype = _DTYPES.get(array.dtype.name)
        if dtype is None:
            return {UNRECORDED: f"array of {array.dtype.name}"}
        shape = list(array.shape)
        rows = self._writer.rows_to_keep(shape, array.itemsize)
        if rows is not None:
            chosen = list(sampled_rows(row_count(shape), rows))
            array = array.reshape(-1, shape[-1] if shape else 1)[chosen]
        if sys.byteorder == "big" or array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        data = memoryview(numpy.ascontiguousarray(array).reshape(-1).view(numpy.uint8).data)
        stored = {"key": self._writer.add(dtype, array.shape, data), "dtype": dtype, "shape": shape}
        return stored if rows is None else {**stored, "rows": rows}

    def _parameters(self, model: nn.Module, limit: int) -> dict[str, Any]:
        """Stores the values of parameters and buffers, the smallest first, as long as they fit."""
        first_names: dict[int, str] = {}
        tensors = {}
        for name, tensor in [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]:
            first_names.setdefault(id(tensor), name)
            tensors[name] = tensor
        described: dict[str, Any] = {}
        for name, tensor in sorted(tensors.items(), key=lambda item: item[1].numel()):
            first = first_names[id(tensor)]
            dtype = _DTYPES.get(str(tensor.dtype).removeprefix("torch."))
            size = tensor.numel() * tensor.element_size()
            key = None
            if tensor.is_meta:
                held = offloaded(model, name)
                if held is None:
                    self._metadata["model"].setdefault(ON_META, []).append(name)
                else:
                    tensor = held
            if first in described and first != name:
                key = described[first][2]
            elif dtype is not None and size <= limit and is_plain(tensor):
                limit -= size
                plain = tensor.detach().cpu().contiguous()
                key = self._writer.add(dtype, plain.shape, bytes_of(plain), counted=False)
            described[name] = [list(tensor.shape), dtype or str(tensor.dtype), key, first if first != name else None]
        return {name: described[name] for name in tensors}


@contextlib.contextmanager
def record_forward(
    model: nn.Module,
    path: str | os.PathLike[str],
    *,
    limit: int = DEFAULT_LIMIT,
    parameter_limit: int = DEFAULT_PARAMETER_LIMIT,
    facts: Mapping[str, Any] | None = None,
) -> Iterator[Recorder]:
    """Records every call of every submodule of `model` that is made inside the context.

    Args:
        model: the model; it is left as it was.
        path: the file to write; it appears when the context ends, unless it ends by an exception.
        limit: how many bytes the values may take together; see `Recorder`.
        parameter_limit: how many bytes the parameters may take; the smallest are stored first. The diagnosis of a
            difference looks at them.
        facts: what else to keep about the model, such as its name in its library.

    Raises:
        AddModelError: the file cannot be written, or no submodule was called.
    """
    recorder = Recorder(path, limit, model, parameter_limit, facts)
    handles = []
    try:
        for name, module in model.named_modules():
            handles += _watch(recorder, name, module)
        from add_model.porting.recording.flow import Flow

        with Flow() as flow:
            recorder.follow(flow)
            yield recorder
    except BaseException:
        recorder.abort()
        raise
    finally:
        for handle in handles:
            handle.remove()
    if recorder._clock == 0:
        recorder.abort()
        raise AddModelError(f"{path}: the model was not called while it was recorded; call it inside record_forward")
    recorder.finish()


def _watch(recorder: Recorder, name: str, module: nn.Module) -> list[Any]:
    """Hooks that record the calls of one submodule."""
    names = _argument_names(getattr(type(module), "forward", None))
    class_name = type(module).__name__
    begun: list[tuple[int, list[torch.Tensor]]] = []

    def before(module: nn.Module, positional: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        inputs = {**_named(names, positional), **keywords}
        begun.append((recorder.begin(name, class_name, module.training, inputs), _random_states()))

    def after(module: nn.Module, positional: tuple[Any, ...], keywords: dict[str, Any], outputs: Any) -> None:
        index, states = begun.pop()
        recorder.end(index, outputs, _differ(states, _random_states()))

    try:
        return [
            module.register_forward_pre_hook(before, with_kwargs=True),
            module.register_forward_hook(after, with_kwargs=True),
        ]
    except RuntimeError as error:
        # What TorchScript compiled cannot be watched, only what calls it.
        if name:
            return []
        raise AddModelError(f"{class_name}: {error}; call it in the forward of a module of your own, and record that") from error  # fmt: skip


@functools.lru_cache(maxsize=1024)
def _argument_names(forward: Any) -> tuple[str, ...]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = list(inspect.signature(forward).parameters.values())[1:]
    except (TypeError, ValueError):
        # What was compiled, such as TorchScript, has none that Python knows.
        return ()
    return tuple(parameter.name for parameter in parameters if parameter.kind in kinds)


def _named(names: Sequence[str], positional: Sequence[Any]) -> dict[str, Any]:
    return {
        names[position] if position < len(names) else f"argument_{position}": value
        for position, value in enumerate(positional)
    }


def _is_tensor(value: Any) -> bool:
    torch_module = sys.modules.get("torch")
    return torch_module is not None and isinstance(value, torch_module.Tensor)


def _random_states() -> list[torch.Tensor]:
    """The states of the generators that a forward pass may draw from, as bytes on the CPU."""
    import torch

    states = [torch.get_rng_state()]
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        states.append(torch.cuda.get_rng_state())
    return states


def _differ(states: Sequence[torch.Tensor], later: Sequence[torch.Tensor]) -> bool:
    import torch

    return len(states) != len(later) or not all(map(torch.equal, states, later))


def _random_state() -> dict[str, Any]:
    import torch

    content = b"".join(bytes(bytes_of(state)) for state in _random_states())
    return {"seed": torch.initial_seed(), "digest": hashlib.sha256(content).hexdigest()}


def _configuration(model: nn.Module) -> dict[str, Any]:
    config = getattr(model, "config", None)
    if config is None:
        return {}
    content = config.to_dict() if hasattr(config, "to_dict") else vars(config) if hasattr(config, "__dict__") else {}
    return {str(name): value for name, value in content.items() if isinstance(value, _Plain) and _is_json(value)}


def _attributes(module: nn.Module) -> dict[str, Any]:
    """What an instance says about itself in plain values: sizes, epsilons, probabilities."""
    values = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(module).items()
        if not name.startswith("_") and name not in ("training", "call_super_init", "dump_patches")
    }
    return {name: value for name, value in values.items() if isinstance(value, (*_Plain, list)) and _is_json(value)}


def _is_json(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return all(map(_is_json, value)) if isinstance(value, list) else isinstance(value, _Plain)
