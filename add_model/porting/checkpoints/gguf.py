"""GGUF files, as llama.cpp keeps models: their weights, unless these are quantised.

The layout is a header with counts, settings, and the name, sizes, type and place of each tensor, and behind it the
values: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from add_model.errors import AddModelError
from add_model.porting.checkpoints.formats import MOST_WEIGHTS, Weight, WeightsFile
from add_model.porting.tensor_file import open_regular

MAGIC = b"GGUF"
_TYPES = {0: torch.float32, 1: torch.float16, 24: torch.int8, 25: torch.int16, 26: torch.int32, 27: torch.int64, 28: torch.float64, 30: torch.bfloat16}  # fmt: skip
# The sizes of the settings' values: numbers and truth values, by type; texts and lists have their own length.
_VALUE_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_TEXT, _LIST, _NUMBER = 8, 9, 4
_VERSIONS = (2, 3)
_ALIGNMENT, _ALIGNED_BY = 32, b"general.alignment"
# A vocabulary stands in the header; nothing else in it is long.
_MOST_HEADER_BYTES, _MOST_AXES, _DEEPEST = 256 << 20, 8, 4


class GgufFile(WeightsFile):
    """A GGUF file whose weights are plain numbers."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._reopen()
        try:
            self._places: Mapping[str, int] = {}
            self.weights = self._header()
        except (EOFError, OverflowError, UnicodeDecodeError, ValueError, struct.error) as error:
            raise AddModelError(f"{path}: is no whole GGUF file ({error}); fetch it again") from error

    def _header(self) -> dict[str, Weight]:
        _, version, tensors, settings = self._numbers("<4sIQQ")
        if version not in _VERSIONS:
            raise ValueError(f"version {version}")
        if tensors > MOST_WEIGHTS or settings > MOST_WEIGHTS:
            raise ValueError(f"{max(tensors, settings)} entries")
        alignment = _ALIGNMENT
        for _ in range(settings):
            key = self._text()
            (kind,) = self._numbers("<I")
            if key == _ALIGNED_BY and kind == _NUMBER:
                (alignment,) = self._numbers("<I")
            else:
                self._skip(kind)
        entries = [self._entry() for _ in range(tensors)]
        start = -(-self._file.tell() // max(1, alignment)) * max(1, alignment)
        size = self.path.stat().st_size
        for name, weight, offset in entries:
            if start + offset + weight.bytes > size:
                raise ValueError(f"{name} lies behind its end")
        self._places = {name: start + offset for name, _, offset in entries}
        return {name: weight for name, weight, _ in entries}

    def _entry(self) -> tuple[str, Weight, int]:
        name = self._text().decode()
        (axes,) = self._numbers("<I")
        if axes > _MOST_AXES:
            raise ValueError(f"{name} has {axes} axes")
        # The axis whose values lie beside each other comes first.
        shape = self._numbers(f"<{axes}Q")[::-1]
        kind, offset = self._numbers("<IQ")
        if kind not in _TYPES:
            raise AddModelError(f"{self.path}: {name} is quantised; convert the checkpoint that the file was made from, or one with --outtype f16 or f32")  # fmt: skip
        if math.prod(shape) > 1 << 50:
            raise ValueError(f"{name} is of the shape {list(shape)}")
        return name, Weight(shape, _TYPES[kind]), offset

    def _skip(self, kind: int, count: int = 1, depth: int = 0) -> None:
        if kind in _VALUE_BYTES:
            self._bytes(_VALUE_BYTES[kind] * count)
        elif kind == _TEXT:
            for _ in range(count):
                self._text()
        elif kind == _LIST and depth < _DEEPEST:
            for _ in range(count):
                inner, length = self._numbers("<IQ")
                self._skip(inner, length, depth + 1)
        else:
            raise ValueError(f"a setting of the unknown type {kind}")

    def _text(self) -> bytes:
        (length,) = self._numbers("<Q")
        return self._bytes(length)

    def _numbers(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(layout, self._bytes(struct.calcsize(layout)))

    def _bytes(self, number: int) -> bytes:
        if self._file.tell() + number > min(_MOST_HEADER_BYTES, self.path.stat().st_size):
            raise EOFError("its header is cut off")
        found: bytes = self._file.read(number)
        return found

    def _read(self, name: str) -> torch.Tensor:
        weight = self.weights[name]
        self._file.seek(self._places[name])
        values = bytearray(self._file.read(weight.bytes))
        if len(values) < weight.bytes:
            raise AddModelError(f"{self.path}: is shorter than it was; fetch it again")
        return torch.frombuffer(values, dtype=weight.dtype).reshape(weight.shape) if values else torch.empty(weight.shape, dtype=weight.dtype)  # fmt: skip

    def release(self) -> None:
        # What was read is nobody's but the reader's.
        self._touched = 0

    def _reopen(self) -> None:
        try:
            self._file: Any = open_regular(self.path)
        except OSError as error:
            raise AddModelError(f"{self.path}: cannot be read: {error.strerror or error}") from error

    def close(self) -> None:
        self._file.close()
