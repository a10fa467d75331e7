"""Checkpoints of Flax: one value in MessagePack, maps within maps of arrays; a weight's name is the keys that lead to it.

Only what comes before the numbers of an array is parsed here, as the library for it reads an array as a whole wherever it
stands (https://github.com/msgpack/msgpack/blob/master/spec.md). An array is the extension 1, in it its shape, its type and
its numbers; one of more than a gigabyte is a map of flat pieces
(https://flax.readthedocs.io/en/latest/api_reference/flax.serialization.html).
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import torch

from add_model.errors import AddModelError
from add_model.porting.checkpoints.formats import MOST_WEIGHTS, Weight, WeightsFile
from add_model.porting.tensor_file import open_regular

SUFFIX = ".msgpack"
_ARRAY, _NUMBER = 1, 3
_CHUNKED = "__msgpack_chunked_array__"
_DEEPEST, _MOST_AXES, _LONGEST_TEXT = 64, 32, 4096
# First byte -> the kind of a value, and the bytes that its length takes, or its own length where it has a fixed one.
_WITH_LENGTH = {
    **{0xC4 + number: ("bytes", 1 << number) for number in range(3)},
    **{0xC7 + number: ("extension", 1 << number) for number in range(3)},
    **{0xD9 + number: ("text", 1 << number) for number in range(3)},
    **{0xDC + number: ("list", 2 << number) for number in range(2)},
    **{0xDE + number: ("map", 2 << number) for number in range(2)},
}
_FIXED = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, **{0xCC + number: 1 << number for number in range(4)}, **{0xD0 + number: 1 << number for number in range(4)}}  # fmt: skip
_TYPES = {str(dtype).removeprefix("torch."): dtype for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)}  # fmt: skip


@dataclass(frozen=True)
class _Value:
    """A value: its kind, where its content begins, and how long that is: in bytes, or in entries of a list or map."""

    kind: str
    start: int
    length: int
    code: int = 0


class FlaxFile(WeightsFile):
    """A file of Flax, mapped into memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._reopen()
        # The pieces of each weight, in their order: where their numbers are, and how many bytes these take.
        self._pieces: dict[str, list[tuple[int, int]]] = {}
        # Numbers by their names: the sides of an array in pieces are among them.
        self._numbers: dict[str, int] = {}
        self._entries = 0
        try:
            weights: dict[str, Weight] = {}
            if self._map_of("", self._at(0), weights, 0) != len(self._data):
                raise ValueError("something follows it")
            self.weights = weights
        except (EOFError, IndexError, UnicodeDecodeError, ValueError, struct.error) as error:
            raise AddModelError(f"{path}: is no whole Flax checkpoint ({error}); write or fetch it again") from error

    def _map_of(self, name: str, value: _Value, weights: dict[str, Weight], depth: int) -> int:
        """Notes the weights in a map or a list; returns where it ends."""
        if depth > _DEEPEST or value.kind not in ("map", "list"):
            raise ValueError("maps within maps" if depth > _DEEPEST else "it is no map of arrays")
        at, found, is_chunked = value.start, dict[str, Weight](), False
        for number in range(value.length):
            self._entries += 1
            if self._entries > 4 * MOST_WEIGHTS:
                raise ValueError("more entries than any model has")
            key = str(number)
            if value.kind == "map":
                key, at = self._text(at)
            is_chunked = is_chunked or key == _CHUNKED
            at = self._entry(f"{name}/{key}" if name else key, self._at(at), found, depth)
        if is_chunked:
            found = {name: self._joined(name, found)}
        weights.update(found)
        return at

    def _entry(self, name: str, value: _Value, weights: dict[str, Weight], depth: int) -> int:
        if value.kind in ("map", "list"):
            return self._map_of(name, value, weights, depth + 1)
        if value.kind == "extension" and value.code in (_ARRAY, _NUMBER):
            weights[name] = self._array(name, value)
        elif value.kind == "number" and name.rpartition("/")[0].endswith("/shape"):
            self._numbers[name] = self._integer(value)
        return value.start + value.length

    def _array(self, name: str, value: _Value) -> Weight:
        parts = self._at(value.start)
        if parts.kind != "list" or parts.length != 3:
            raise ValueError(f"{name} is no array")
        sides = self._at(parts.start)
        if sides.kind != "list" or sides.length > _MOST_AXES:
            raise ValueError(f"{name} has no shape")
        at, shape = sides.start, []
        for _ in range(sides.length):
            side = self._at(at)
            shape.append(self._integer(side))
            at = side.start + side.length
        kind, at = self._text(at)
        if kind not in _TYPES:
            raise AddModelError(f"{self.path}: {name} is of type {kind}, which is not supported; save it as float32")
        numbers = self._at(at)
        weight = Weight(tuple(shape), _TYPES[kind])
        if numbers.kind not in ("bytes", "text") or numbers.length != weight.bytes:
            raise ValueError(f"{name} is not as long as its shape")
        self._pieces[name] = [(numbers.start, numbers.length)]
        return weight

    def _joined(self, name: str, found: dict[str, Weight]) -> Weight:
        """The weight that a map of flat pieces is."""
        sides = sorted((int(key.rpartition("/")[2]), side) for key, side in self._numbers.items() if key.startswith(f"{name}/shape/"))  # fmt: skip
        pieces = sorted((int(key.rpartition("/")[2]), key) for key in found if key.startswith(f"{name}/chunks/"))
        shape, types = tuple(side for _, side in sides), {found[key].dtype for _, key in pieces}
        if len(types) != 1 or sum(found[key].shape[0] for _, key in pieces if found[key].shape) != math.prod(shape):
            raise ValueError(f"the pieces of {name} are not as long as its shape")
        self._pieces[name] = [place for _, key in pieces for place in self._pieces.pop(key)]
        return Weight(shape, types.pop())

    def _integer(self, value: _Value) -> int:
        if value.kind != "number" or value.code in (0xC0, 0xC2, 0xC3, 0xCA, 0xCB):
            raise ValueError("a side of a shape is no number")
        if not value.length:
            return value.code
        size = int.from_bytes(self._bytes(value.start, value.length), "big", signed=value.code >= 0xD0)
        if not 0 <= size <= 1 << 50:
            raise ValueError(f"a side of a shape is {size}")
        return size

    def _text(self, at: int) -> tuple[str, int]:
        """A text, and where it ends."""
        value = self._at(at)
        if value.kind != "text" or value.length > _LONGEST_TEXT:
            raise ValueError("a key is no name")
        return self._bytes(value.start, value.length).decode(), value.start + value.length

    def _at(self, at: int) -> _Value:
        """The value that begins at a place."""
        first = self._bytes(at, 1)[0]
        if first < 0x80 or first >= 0xE0:
            return _Value("number", at + 1, 0, first)
        if first < 0xC0:
            kind, bits = ("map", 0x0F) if first < 0x90 else ("list", 0x0F) if first < 0xA0 else ("text", 0x1F)
            value = _Value(kind, at + 1, first & bits)
        elif first in _FIXED:
            value = _Value("number", at + 1, _FIXED[first], first)
        elif 0xD4 <= first <= 0xD8:
            value = _Value("extension", at + 2, 1 << (first - 0xD4), self._bytes(at + 1, 1)[0])
        elif first in _WITH_LENGTH:
            kind, size = _WITH_LENGTH[first]
            length, start = int.from_bytes(self._bytes(at + 1, size), "big"), at + 1 + size
            code = self._bytes(start, 1)[0] if kind == "extension" else 0
            value = _Value(kind, start + (kind == "extension"), length, code)
        else:
            raise ValueError(f"a value of the unknown type {first:#x}")
        if value.start + value.length > len(self._data):
            raise EOFError("it is cut off")
        return value

    def _bytes(self, at: int, length: int) -> bytes:
        found = self._data[at : at + length]
        if len(found) < length:
            raise EOFError("it is cut off")
        return found

    def _read(self, name: str) -> torch.Tensor:
        weight = self.weights[name]
        if not weight.bytes:
            return torch.empty(weight.shape, dtype=weight.dtype)
        # In memory of its own: in the file numbers begin anywhere.
        values = bytearray().join(self._data[start : start + length] for start, length in self._pieces[name])
        return torch.frombuffer(values, dtype=weight.dtype).reshape(weight.shape)

    def _reopen(self) -> None:
        try:
            with open_regular(self.path) as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise AddModelError(f"{self.path}: cannot be read: {error}") from error

    def close(self) -> None:
        """Closes the file."""
        self._data.close()
