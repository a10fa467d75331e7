"""What describes a recording, read from its file: every value is checked here once, so that nobody else has to.

A recording may come from anywhere. What its description says of a tensor must be what the file holds; a call lies in
one that began before it; whatever else is told is of the kind that it should be, or the recording is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any, TypeVar

from add_model.errors import AddModelError
from add_model.porting.documents import parse_json
from add_model.porting.recording.file import Call, ModuleRecord, ParameterRecord, Recording, TensorRecord, Value
from add_model.porting.recording.writer import FORMAT_NAME, FORMAT_VERSION, METADATA_KEY, ON_META, row_count
from add_model.porting.tensor_file import TensorFile

_AGAIN = "record it again"
_MISSING = object()
_Read = TypeVar("_Read")


def read_description(path: Path) -> Recording:
    """Opens a recording; for the errors see `load_recording`."""
    if not path.is_file():
        raise AddModelError(f"{path}: no such recording; make one with add-model record")
    try:
        file = TensorFile(path)
    except (OSError, ValueError) as error:
        raise AddModelError(f"{path}: empty, cut off or no safetensors file ({error}); {_AGAIN}") from error
    if file.metadata.get("format") != FORMAT_NAME:
        raise AddModelError(f"{path}: a safetensors file, but no recording; make one with add-model record")
    try:
        content = _mapping(parse_json(file.metadata.get(METADATA_KEY, "")), "it")
        if _entry(content, "version", _size, "it") > FORMAT_VERSION:
            raise AddModelError(f"{path}: made by a newer version of add-model; install that one here too")
        recording = _read(path, content, file)
    except ValueError as error:
        raise AddModelError(f"{path}: its description is damaged ({error}); {_AGAIN}") from error
    if not recording.calls:
        raise AddModelError(f"{path}: holds no call; run the model inside record_forward, and {_AGAIN}")
    return recording


def _read(path: Path, content: Mapping[str, Any], file: TensorFile) -> Recording:
    calls = _entry(content, "calls", _sequence, "it")
    return Recording(
        path=path,
        model=_entry(content, "model", _model, "it"),
        random=_entry(content, "random", _mapping, "it"),
        config=_entry(content, "config", _mapping, "it"),
        modules={name: _module(module, f"module {name!r}") for name, module in _entry(content, "modules", _mapping, "it").items()},
        parameters={
            name: _parameter(parameter, f"parameter {name!r}", file)
            for name, parameter in _entry(content, "parameters", _mapping, "it").items()
        },
        calls=tuple(_call(index, call, len(calls), file) for index, call in enumerate(calls)),
        file=file,
        flow={
            key: tuple(_text(source, f"flow of {key!r}") for source in _sequence(sources, f"flow of {key!r}"))
            for key, sources in _entry(content, "flow", _mapping, "it", {}).items()
        },
    )  # fmt: skip


def _model(value: Any, where: str) -> Mapping[str, Any]:
    """The facts about the model; those that are used are of their kinds."""
    model = _mapping(value, where)
    for name in ("class", "name", "library", "target", "checkpoint"):
        _entry(model, name, _text_or_none, where, None)
    for path, digest in _entry(model, "files", _mapping, where, {}).items():
        _text(digest, f"{where}.files {path!r}")
    for weight in _entry(model, ON_META, _sequence, where, []):
        _text(weight, f"{where}.{ON_META}")
    return {"class": None, **model}


def _module(value: Any, where: str) -> ModuleRecord:
    fields = _sequence(value, where, 2)
    return ModuleRecord(_text(fields[0], where), _mapping(fields[1], where))


def _parameter(value: Any, where: str, file: TensorFile) -> ParameterRecord:
    shape, dtype, key, same_as = _sequence(value, where, 4)
    record = ParameterRecord(_shape(shape, where), _text(dtype, where), _text_or_none(key, where), _text_or_none(same_as, where))  # fmt: skip
    if record.key is not None:
        _refuse_other(file, record.key, record.dtype, record.shape, where)
    return record


def _call(index: int, value: Any, count: int, file: TensorFile) -> Call:
    where = f"call {index}"
    call = _mapping(value, where)
    parent = call.get("parent")
    if parent is not None and not (type(parent) is int and 0 <= parent < index):
        raise ValueError(f"{where} lies in none that began before it")
    return Call(
        index=index,
        path=_entry(call, "path", _text, where),
        class_name=_entry(call, "class_name", _text, where),
        training=_entry(call, "training", _truth, where),
        parent=parent,
        began=_entry(call, "began", _moment, where),
        ended=_entry(call, "ended", _moment, where),
        inputs={
            name: _value(item, f"{where}, {name}", file)
            for name, item in _entry(call, "inputs", _mapping, where).items()
        },
        outputs=_value(call.get("outputs"), where, file),
        drew_random=_entry(call, "drew_random", _truth, where, False),
    )


def _value(stored: Any, where: str, file: TensorFile) -> Value:
    """A value as JSON holds it, with its tensors as records and its sequences as tuples."""
    if isinstance(stored, list):
        return tuple(_value(item, where, file) for item in stored)
    if isinstance(stored, dict):
        if "key" in stored and "dtype" in stored:
            return _tensor(stored, where, file)
        return {name: _value(item, where, file) for name, item in stored.items()}
    return stored


def _tensor(stored: Mapping[str, Any], where: str, file: TensorFile) -> TensorRecord:
    rows = stored.get("rows")
    shape = _entry(stored, "shape", _shape, where)
    record = TensorRecord(_entry(stored, "key", _text, where), shape, _entry(stored, "dtype", _text, where), rows)
    kept = shape
    if rows is not None:
        if not (type(rows) is int and 0 < rows <= row_count(shape)):
            raise ValueError(f"{where} keeps {rows!r} of the rows of {list(shape)}")
        kept = (rows, shape[-1] if shape else 1)
    _refuse_other(file, record.key, record.dtype, kept, where)
    return record


def _refuse_other(file: TensorFile, key: str, dtype: str, shape: tuple[int, ...], where: str) -> None:
    """Raises `ValueError` where a description says of a tensor what is not in the file."""
    entry = file.entries.get(key)
    if entry is None or entry.dtype != dtype or prod(entry.shape) != prod(shape) or entry.shape != shape:
        raise ValueError(f"{where} is not the tensor {key!r} of the file")


def _entry(table: Mapping[str, Any], key: str, read: Callable[[Any, str], _Read], where: str, default: Any = _MISSING) -> _Read:  # fmt: skip
    if key in table:
        return read(table[key], f"{key} of {where}")
    if default is _MISSING:
        raise ValueError(f"{where} lacks {key!r}")
    return read(default, f"{key} of {where}")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is no object")
    return value


def _sequence(value: Any, where: str, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise ValueError(f"{where} is no list{'' if length is None else f' of {length}'}")
    return value


def _shape(value: Any, where: str) -> tuple[int, ...]:
    sizes = _sequence(value, where)
    return tuple(_size(size, f"a size of {where}") for size in sizes)


def _size(value: Any, where: str) -> int:
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError(f"{where} is no number of anything")
    return value


def _moment(value: Any, where: str) -> int:
    """When a call began or ended; one that did not end by itself has no such moment."""
    return value if value == -1 and type(value) is int else _size(value, where)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where} is no text")
    return value


def _text_or_none(value: Any, where: str) -> str | None:
    return None if value is None else _text(value, where)


def _truth(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{where} is neither true nor false")
    return value
