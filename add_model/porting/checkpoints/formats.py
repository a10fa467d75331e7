"""The files that weights come in. Each reads one weight at a time, and maps or streams what it reads."""

from __future__ import annotations

import argparse
import math
import pickle
import re
import warnings
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from add_model.errors import AddModelError
from add_model.porting.checkpoints.archive import open_archive
from add_model.porting.checkpoints.parts import Part, listed, outermost_parts, read_parts
from add_model.porting.checkpoints.placeholders import asked_for, may_stand_for, standing_for
from add_model.porting.checkpoints.settings import Settings, settings_in
from add_model.porting.rules.pattern import LONGEST_NAME
from add_model.porting.tensor_memory import is_plain

# A mapped file keeps what was read of it in memory; from so many bytes on, it is mapped anew.
_RELEASED_FROM = 8 * 2**20
# The largest models have a hundred thousand weights, and no more than some of them in one file.
MOST_WEIGHTS = 250_000
_MOST_LEVELS = 64
_NAMED = b"data_offsets"
# Weights may lie in memory that they share, or be compressed, but not so much of them.
_MOST_TIMES, _SPARE = 16, 64 << 20
SAFETENSORS_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
    "U16": torch.uint16,
    "U32": torch.uint32,
    "U64": torch.uint64,
    # Known to newer releases of torch and safetensors.
    **{
        name: getattr(torch, dtype)
        for name, dtype in (
            ("F8_E8M0", "float8_e8m0fnu"),
            ("F8_E4M3FNUZ", "float8_e4m3fnuz"),
            ("F8_E5M2FNUZ", "float8_e5m2fnuz"),
            ("C64", "complex64"),
        )
        if hasattr(torch, dtype)
    },
}


@dataclass(frozen=True)
class Weight:
    """What is known of a weight before it is read."""

    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        return math.prod(self.shape) * self.dtype.itemsize


class WeightsFile(ABC):
    """An open file of weights."""

    # Every weight; in a damaged file, a hostile one even, they are no more than the file can hold.
    weights: Mapping[str, Weight]
    # What the weights were chosen from, where a file holds more than them.
    parts: tuple[Part, ...] = ()
    # The classes of objects that a file holds beside them, and that were not loaded.
    left_objects: tuple[str, ...] = ()
    # What it says of the model beside them, by the part that says it.
    settings: Mapping[str, Settings] = {}

    def __init__(self, path: Path) -> None:
        self.path = path
        self._touched = 0

    def refuse_absurd(self) -> None:
        """Raises `AddModelError` where there are more weights than any model has, or longer names."""
        if len(self.weights) > MOST_WEIGHTS:
            raise AddModelError(f"{self.path}: holds {len(self.weights)} weights, more than the {MOST_WEIGHTS} that are read of one file; save them in several")  # fmt: skip
        for name in self.weights:
            if len(name) > LONGEST_NAME or len(re.findall(r"[./]", name)) > _MOST_LEVELS:
                raise AddModelError(f"{self.path}: the name {name[:40]!r}... of a weight is longer than that of any module; rename it")  # fmt: skip
        size = self._size()
        claimed = sum(weight.bytes for weight in self.weights.values())
        if claimed > _MOST_TIMES * size + _SPARE:
            raise AddModelError(f"{self.path}: claims {claimed} bytes of weights, which {size} bytes do not hold; fetch it again, from where you trust")  # fmt: skip

    def _size(self) -> int:
        """How many bytes hold the weights."""
        return self.path.stat().st_size

    def read(self, name: str) -> torch.Tensor:
        """One weight; see `Checkpoint.read`."""
        self._touched += self.weights[name].bytes
        return self._read(name)

    def release(self) -> None:
        """Gives back the memory of what was read, unless it is little."""
        if self._touched >= _RELEASED_FROM:
            self._reopen()
            self._touched = 0

    @abstractmethod
    def _read(self, name: str) -> torch.Tensor: ...

    @abstractmethod
    def _reopen(self) -> None: ...

    @abstractmethod
    def close(self) -> None:
        """Closes the file."""


class SafetensorsFile(WeightsFile):
    """A safetensors file, mapped into memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        _refuse_long_header(path)
        self._reopen()
        self.weights = {name: self._weight(name) for name in self._file.keys()}

    def _weight(self, name: str) -> Weight:
        piece = self._file.get_slice(name)
        dtype = piece.get_dtype()
        if dtype not in SAFETENSORS_TYPES:
            raise AddModelError(f"{self.path}: {name} is of type {dtype}, which is not supported; convert it to a plain type")  # fmt: skip
        return Weight(tuple(piece.get_shape()), SAFETENSORS_TYPES[dtype])

    def _read(self, name: str) -> torch.Tensor:
        tensor: torch.Tensor = self._file.get_tensor(name)
        return tensor

    def _reopen(self) -> None:
        from safetensors import SafetensorError, safe_open

        self._file: Any = None
        try:
            self._file = safe_open(self.path, framework="pt")
        except (SafetensorError, OSError) as error:
            raise AddModelError(f"{self.path}: is no whole safetensors file ({error}); fetch it again") from error

    def close(self) -> None:
        self._file = None


def _refuse_long_header(path: Path) -> None:
    """Raises `AddModelError` where a header names more weights than are read, before anybody makes values of them."""
    with open(path, "rb") as file:
        length, size = int.from_bytes(file.read(8), "little"), path.stat().st_size
        if length > size:
            raise AddModelError(
                f"{path}: is no whole safetensors file (its header takes more than it); fetch it again"
            )
        number, rest = 0, b""
        while length > 0 and (piece := file.read(min(length, 1 << 20))):
            length -= len(piece)
            number += (rest + piece).count(_NAMED)
            rest = piece[1 - len(_NAMED) :]
    if number > MOST_WEIGHTS:
        raise AddModelError(f"{path}: holds {number} weights, more than the {MOST_WEIGHTS} that are read of one file; save them in several")  # fmt: skip


class PickledFile(WeightsFile):
    """A file that `torch.save` wrote, mapped into memory where it is of today's format.

    Only tensors and plain values are unpickled; for other objects stand placeholders, and a file that asks for what
    runs programs is refused.
    """

    def __init__(self, path: Path, read: Sequence[str] = ()) -> None:
        super().__init__(path)
        self._wanted = read
        self._reopen()
        self.weights = {name: Weight(tuple(tensor.shape), tensor.dtype) for name, tensor in self._tensors.items()}

    def _read(self, name: str) -> torch.Tensor:
        return self._tensors[name].detach()

    def _reopen(self) -> None:
        # The old mapping has to go first.
        self._tensors: dict[str, torch.Tensor] = {}
        content, self.left_objects = _unpickled(self.path)
        self.settings = settings_in(content)
        try:
            self._tensors, self.parts = read_parts(content, self._wanted)
        except RecursionError as error:
            raise AddModelError(f"{self.path}: holds itself, or parts within parts without end; save its weights alone") from error  # fmt: skip
        except KeyError as error:
            known = listed(outermost_parts(content)) or "none"
            raise AddModelError(f"{self.path}: has no part {error.args[0]!r} with weights; it has: {known}") from error
        if not self._tensors and self.left_objects:
            # What it holds is inside of objects, such as a whole model.
            raise AddModelError(f"{self.path}: {_refusal(self.left_objects[0])}")
        for name, tensor in self._tensors.items():
            if not is_plain(tensor):
                raise AddModelError(f"{self.path}: {name} is sparse or quantised; store it as a plain tensor")

    def close(self) -> None:
        self._tensors = {}


def _unpickled(path: Path) -> tuple[Any, tuple[str, ...]]:
    """What a pickle holds, and the classes of the objects that placeholders stand for."""
    names: list[str] = []
    while True:
        try:
            return _loaded(path, names), tuple(names)
        except pickle.UnpicklingError as error:
            name = asked_for(error)
            if name is None or not may_stand_for(name, names):
                raise AddModelError(f"{path}: {_refusal(name or next(iter(names), None))}") from error
            names.append(name)


def _loaded(path: Path, names: list[str]) -> Any:
    # A file of the format before PyTorch 1.6 cannot be mapped; it is read as a whole.
    mapped = zipfile.is_zipfile(path)
    try:
        if mapped:
            open_archive(path).close()
        # Training scripts leave their command line beside the weights; it holds plain values only.
        with torch.serialization.safe_globals([argparse.Namespace]), standing_for(names), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except (AddModelError, pickle.UnpicklingError):
        raise
    except Exception as error:
        # What is called with what a damaged pickle says fails in every way.
        said = " ".join(str(error).split()).partition(". ")[0]
        raise AddModelError(f"{path}: is no whole checkpoint of PyTorch ({said}); fetch it again, or name a safetensors, PyTorch or .npz file") from error  # fmt: skip


def _refusal(name: str | None) -> str:
    if name is not None:
        return f"was not loaded: it is a pickle that asks for {name}, which could run code; save its weights alone, as safetensors, in the original's environment"  # fmt: skip
    return "was not loaded: it is a damaged file, or a pickle of more than weights, which could run code; save its weights alone, as safetensors, in the original's environment"  # fmt: skip


# What a damaged archive of arrays fails by: `KeyError` for a member that is listed and not there, `NotImplementedError`
# for a way of packing that nobody knows, `RuntimeError` for one that is locked.
_DAMAGED = (EOFError, KeyError, NotImplementedError, OSError, RuntimeError, SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zlib.error)  # fmt: skip


class NumpyFile(WeightsFile):
    """An archive of `numpy.savez`, compressed or not; a member is read when it is needed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._reopen()
        try:
            self.weights = dict(self._headers())
        except _DAMAGED as error:
            raise AddModelError(f"{path}: is no whole .npz file ({error}); write or fetch it again") from error

    def _headers(self) -> Iterator[tuple[str, Weight]]:
        from numpy.lib import format as numpy_format

        for member in self._archive.namelist():
            size = self._archive.getinfo(member).file_size
            with self._archive.open(member) as file:
                version = numpy_format.read_magic(file)
                read = numpy_format.read_array_header_1_0 if version == (1, 0) else numpy_format.read_array_header_2_0
                shape, _, dtype = read(file)
                if math.prod(shape) * dtype.itemsize > size:
                    raise ValueError(f"{member} is shorter than it says")
            yield member.removesuffix(".npy"), Weight(shape, self._dtype(member, dtype))

    def _dtype(self, member: str, dtype: Any) -> torch.dtype:
        import numpy

        if dtype.hasobject:
            raise AddModelError(f"{self.path}: {member} holds Python objects, a pickle that could run code; save plain arrays")  # fmt: skip
        try:
            return torch.from_numpy(numpy.empty(0, dtype.newbyteorder("="))).dtype
        except TypeError as error:
            raise AddModelError(f"{self.path}: {member} is of type {dtype}, which is not supported; save it as float32") from error  # fmt: skip

    def _read(self, name: str) -> torch.Tensor:
        from numpy.lib import format as numpy_format

        member = name if name in self._archive.NameToInfo else f"{name}.npy"
        try:
            with self._archive.open(member) as file:
                array = numpy_format.read_array(file, allow_pickle=False)
        except _DAMAGED as error:
            raise AddModelError(f"{self.path}: {name} is damaged ({error}); write or fetch the file again") from error
        return torch.from_numpy(array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("=")))

    def release(self) -> None:
        # What was read is nobody's but the reader's.
        self._touched = 0

    def _reopen(self) -> None:
        try:
            self._archive = open_archive(self.path)
        except (OSError, zipfile.BadZipFile) as error:
            raise AddModelError(f"{self.path}: is no whole .npz file ({error}); write or fetch it again") from error

    def close(self) -> None:
        self._archive.close()
