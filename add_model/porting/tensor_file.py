"""A safetensors file as it is read here: every word of its header is checked first, and its tensors are mapped.

The format is eight bytes of length, a JSON header that names each tensor's type, shape and place, and the values:
https://github.com/huggingface/safetensors#format. What was read of the file can be given back while its tensors are in
use: they are read anew when they are looked at again. So a file may be far larger than the memory it is read in.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from add_model.porting.documents import parse_json

if TYPE_CHECKING:
    import torch

# What is read of a header's JSON takes several times its size in memory.
MOST_HEADER_BYTES = 32 << 20
_LENGTH_BYTES = 8
_METADATA = "__metadata__"
# More than any tensor has, and than what computes with them bears.
_MOST_AXES = 32
# From so many bytes on, what was read is given back.
_RELEASED_FROM = 96 << 20
# Names of types -> those of torch, and the bytes of an element.
_TYPES = {
    "BOOL": ("bool", 1),
    "U8": ("uint8", 1),
    "I8": ("int8", 1),
    "I16": ("int16", 2),
    "U16": ("uint16", 2),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "I32": ("int32", 4),
    "U32": ("uint32", 4),
    "F32": ("float32", 4),
    "I64": ("int64", 8),
    "U64": ("uint64", 8),
    "F64": ("float64", 8),
}


class Entry(NamedTuple):
    """What the header says of a tensor: its type, its shape, and where it starts in the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int


class TensorFile:
    """An open safetensors file.

    Args:
        path: the file.

    Attributes:
        entries: name -> what the header says of the tensor.
        metadata: the header's own texts.

    Raises:
        OSError: it cannot be opened, or is no regular file.
        ValueError: it is cut off, or its header does not describe what is in it.
    """

    def __init__(self, path: Path) -> None:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            header = _header(file, size)
            start = file.tell()
            self.metadata: Mapping[str, str] = _texts(header.pop(_METADATA, {}))
            self.entries: Mapping[str, Entry] = _checked(header, start, size)
            # What somebody changes by mistake is changed in memory alone.
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self._touched = 0

    def tensor(self, name: str) -> torch.Tensor:
        """A tensor; it is mapped, and no copy of it is made.

        Raises:
            KeyError: there is none of that name.
        """
        import torch

        entry = self.entries[name]
        dtype, width = _TYPES[entry.dtype]
        count = math.prod(entry.shape)
        if not count:
            return torch.empty(entry.shape, dtype=getattr(torch, dtype))
        self.give_back(count * width)
        source: Any = self._map
        offset = entry.start
        if offset % width:
            source, offset = bytearray(self._map[offset : offset + count * width]), 0
        flat = torch.frombuffer(source, dtype=getattr(torch, dtype), count=count, offset=offset)
        return flat.reshape(entry.shape)

    def give_back(self, touched: int) -> None:
        """Notes how many bytes are looked at next; gives the memory of those before back where it is much."""
        self._touched += touched
        if self._touched >= _RELEASED_FROM and hasattr(mmap, "MADV_DONTNEED"):
            with contextlib.suppress(OSError):
                self._map.madvise(mmap.MADV_DONTNEED)
            self._touched = touched if touched < _RELEASED_FROM else 0


def open_regular(path: Path) -> Any:
    """Opens a file for reading, unless it is a pipe, a device or anything else at which reading may never end.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(22, "is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def _header(file: Any, size: int) -> dict[str, Any]:
    start = file.read(_LENGTH_BYTES)
    length = int.from_bytes(start, "little")
    if len(start) < _LENGTH_BYTES or length > size - _LENGTH_BYTES:
        raise ValueError("it is shorter than its header says")
    if length > MOST_HEADER_BYTES:
        raise ValueError(f"its header takes {length} bytes, more than the {MOST_HEADER_BYTES} that are read")
    header = parse_json(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    return header


def _texts(metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError(f"{_METADATA} must hold texts")
    return metadata


def _place(name: str, entry: Any) -> tuple[int, int]:
    place: Any = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not _are_sizes(place) or len(place) != 2 or place[0] > place[1]:
        raise ValueError(f"{name!r} has no place")
    return place[0], place[1]


def _checked(header: Mapping[str, Any], start: int, size: int) -> dict[str, Entry]:
    """The entries, each of which must say as many bytes as its place has, and none the bytes of another."""
    found = {}
    places = []
    for name, entry in header.items():
        begin, end = _place(name, entry)
        dtype, shape = entry.get("dtype"), entry.get("shape")
        if not isinstance(dtype, str) or dtype not in _TYPES:
            raise ValueError(f"{name!r} is of the unknown type {dtype!r}")
        if not _are_sizes(shape) or len(shape) > _MOST_AXES:
            raise ValueError(f"{name!r} has no shape")
        if math.prod(shape) * _TYPES[dtype][1] != end - begin:
            raise ValueError(f"{name!r} of the shape {shape} does not take the {end - begin} bytes that it has")
        found[name] = Entry(dtype, tuple(shape), start + begin)
        places.append((begin, end, name))
    places.sort()
    before = 0
    for begin, end, name in places:
        if begin != before:
            raise ValueError(f"{name!r} does not begin where what is before it ends")
        before = end
    if start + before != size:
        raise ValueError(f"it takes {size} bytes, and not the {start + before} that its header says")
    return found


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 1 << 62 for size in value)
