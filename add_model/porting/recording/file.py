"""A recording as it is read back: what one forward pass called, in order, and the tensors that went in and out.

A recording is one safetensors file. Its tensors are read when they are asked for; what describes them stands in the
header's `__metadata__`, in JSON.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch

    from add_model.porting.tensor_file import TensorFile


@dataclass(frozen=True)
class TensorRecord:
    """A tensor of the run.

    Attributes:
        key: its name in the file; one that was seen several times is stored once.
        shape: its shape in the run.
        dtype: its data type, as safetensors names it: "F32", "BF16", "I64", ...
        rows: how many rows of the last dimension are stored, as `sampled_rows` chooses them; `None` for all.
    """

    key: str
    shape: tuple[int, ...]
    dtype: str
    rows: int | None = None


# A tensor; a sequence or a mapping of values; a number, a text or None; the kind of anything else, as {UNRECORDED: name}.
Value = Any


@dataclass(frozen=True)
class Call:
    """One call of a submodule.

    Attributes:
        index: its place in the order in which calls began.
        path: the submodule's name in the model; "" for the model itself.
        class_name: the submodule's class.
        training: whether it was in training mode.
        parent: index of the call that it was made in; `None` for the outermost.
        began, ended: when, counted in beginnings and endings of calls.
        inputs: argument name -> value.
        outputs: what it returned.
        drew_random: whether random numbers were drawn during the call.
    """

    index: int
    path: str
    class_name: str
    training: bool
    parent: int | None
    began: int
    ended: int
    inputs: Mapping[str, Value]
    outputs: Value
    drew_random: bool = False


@dataclass(frozen=True)
class ModuleRecord:
    """A submodule: its class, and those of its attributes that are numbers, texts or truth values."""

    class_name: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class ParameterRecord:
    """A parameter or buffer: its shape, its data type, its values if they were small enough, and the first name it is
    stored under where it has several (tied weights)."""

    shape: tuple[int, ...]
    dtype: str
    key: str | None
    same_as: str | None


class Order(NamedTuple):
    """In which order a tensor is read along one of its axes."""

    axis: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Recording:
    """What `load_recording` returns.

    Attributes:
        path: the file.
        model: facts about the model: "class", "name" and "library" where it belongs to one, "training".
        random: the state of the random numbers before the run: "seed" and "digest".
        config: the model's configuration, as far as it is plain values.
        modules: path -> submodule.
        parameters: name -> parameter or buffer.
        calls: the calls in the order in which they began.
        flow: key of a tensor -> keys of the tensors that it was computed from, as far as that was seen.
        orders: key of a tensor -> the order in which it is read, where it is another than the one it is stored in.
    """

    path: Path
    model: Mapping[str, Any]
    random: Mapping[str, Any]
    config: Mapping[str, Any]
    modules: Mapping[str, ModuleRecord]
    parameters: Mapping[str, ParameterRecord]
    calls: tuple[Call, ...]
    file: TensorFile = field(repr=False)
    flow: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    orders: Mapping[str, Order] = field(default_factory=dict, repr=False)

    def values(self, record: TensorRecord | ParameterRecord) -> torch.Tensor:
        """The stored values, mapped: the tensor itself, or `(rows, last dimension)` of one that was sampled.

        Raises:
            KeyError: the values are not in the file.
        """
        if record.key is None:
            raise KeyError("the values were not stored")
        values = self.file.tensor(record.key)
        order = self.orders.get(record.key)
        return values if order is None else _ordered(values, order)

    def give_back(self, touched: int) -> None:
        """Notes that so many bytes of tensors are looked at; the memory of those before is given back where it is much."""
        self.file.give_back(touched)

    def parameter(self, name: str) -> torch.Tensor | None:
        """The values of a parameter or buffer, if they were stored."""
        record = self.parameters.get(name)
        return None if record is None or record.key is None else self.values(record)

    @functools.cached_property
    def root(self) -> Call:
        """The call of the whole model; of several, the first."""
        return next((call for call in self.calls if call.path == ""), self.calls[0])


def _ordered(values: torch.Tensor, order: Order) -> torch.Tensor:
    import torch

    return values.index_select(order.axis, torch.tensor(order.numbers))


def tensors_of(value: Value, name: str = "") -> Iterator[tuple[str, TensorRecord]]:
    """Every tensor in a value, with a name that says where in it: "hidden_states", "0", "past.3"."""
    if isinstance(value, TensorRecord):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from tensors_of(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, tuple):
        for position, item in enumerate(value):
            yield from tensors_of(item, f"{name}.{position}" if name else str(position))


def load_recording(path: Path) -> Recording:
    """Opens a recording; its tensors stay on the disk until they are asked for.

    Raises:
        AddModelError: there is no such file, it is cut off or no recording, it holds no call, or was made by a newer
            version of the tool.
    """
    from add_model.porting.recording.description import read_description

    return read_description(path)
