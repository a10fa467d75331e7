"""Streams a recording into one safetensors file: each tensor is written when it comes, and then forgotten.

The layout is that of https://huggingface.co/docs/safetensors: the length of the header in eight bytes, the header in
JSON, padded with spaces, and the tensors' bytes one after the other. The header names every tensor, and so is only
known at the end: room is left for it, and where it turns out too small, the tensors are moved behind a longer one.

Needs nothing but Python, so that it serves originals of any framework.
"""

from __future__ import annotations

import functools
import io
import json
import os
import shutil
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from add_model.errors import AddModelError
from add_model.porting.unfinished import clear_parts, give_name, nameless_file, part_name

FORMAT_NAME = "add-model recording"
FORMAT_VERSION = 1
METADATA_KEY = "recording"
# The class of what `Recorder.record` keeps: no call, but a value with a name.
NAMED_VALUE = "value"
# The only key in place of a value of which nothing is kept; under it stands the name of its kind.
UNRECORDED = "?"
# Among the facts about the model: the names of its weights that lay on the device meta, without values.
ON_META = "on_meta"
DEFAULT_LIMIT = 4 << 30
_LENGTH_BYTES = 8
_RESERVED = 256 << 10
# What the format allows; more calls than that are no single forward pass.
_LARGEST_HEADER = 100_000_000
# A tensor may take this part of what is left, however many were expected to follow it.
_FEWEST_TO_COME = 16


class RecordingWriter:
    """Writes tensors to a file beside `path`, which takes its place when the recording is finished.

    Args:
        path: the file to write.
        limit: how many bytes the tensors may take together; what is larger than its share of them is sampled.
        expected: roughly how many tensors will come, which decides what the share is.
    """

    def __init__(self, path: Path, limit: int = DEFAULT_LIMIT, expected: int = 0) -> None:
        if limit < 1:
            raise AddModelError(f"a recording's limit must be at least one byte, not {limit}")
        if path.exists() and not path.is_file():
            raise AddModelError(f"{path}: is no file that could be replaced; choose another")
        self.path, self._left, self._expected = path, limit, expected
        self._part = path.with_name(part_name(path.name))
        self._entries: dict[str, dict[str, Any]] = {}
        self._written = 0
        self._reserved = _RESERVED + 2048 * expected
        try:
            clear_parts(path.parent)
            self._file = self._new_file(self._part)
        except OSError as error:
            raise AddModelError(f"{path}: cannot be written: {error.strerror}; choose a folder that exists") from error
        self._file.seek(_LENGTH_BYTES + self._reserved)

    def rows_to_keep(self, shape: Sequence[int], bytes_per_element: int) -> int | None:
        """How many rows of the last dimension fit into the tensor's share of the limit, one at the least; `None` for all."""
        row = (shape[-1] if shape else 1) * bytes_per_element
        count = row_count(shape)
        share = self._left // max(self._expected, _FEWEST_TO_COME)
        # Of a tensor of which nothing is kept a comparison could say nothing but that it is equal.
        return None if row * count <= share or count == 1 else max(1, share // row)

    def add(self, dtype: str, shape: Sequence[int], data: memoryview, counted: bool = True) -> str:
        """Writes a tensor; returns the name it has in the file.

        Args:
            dtype: the format's name of the data type, such as "F32".
            shape: what is written, after sampling.
            data: the elements, the last dimension's beside each other, in little-endian bytes.
            counted: whether the limit is about it.
        """
        key = f"tensor.{len(self._entries):06}"
        start = self._written
        while data.nbytes:
            count = self._file.write(data)
            self._written += count
            data = data[count:]
        self._entries[key] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, self._written]}
        if counted:
            self._expected -= 1
            self._left = max(0, self._left - (self._written - start))
        return key

    def finish(self, metadata: Mapping[str, Any]) -> None:
        """Writes the header and puts the file in its place."""
        description = {"format": FORMAT_NAME, METADATA_KEY: json.dumps({"version": FORMAT_VERSION, **metadata})}
        header = json.dumps({"__metadata__": description, **self._entries}, separators=(",", ":")).encode()
        if len(header) > _LARGEST_HEADER:
            self.abort()
            raise AddModelError(f"{self.path}: too many calls for one recording; record a single forward pass, not a generation")  # fmt: skip
        if len(header) > self._reserved:
            self._move_behind(len(header))
        self._file.seek(0)
        self._file.write(struct.pack("<Q", self._reserved) + header.ljust(self._reserved))
        if not os.path.lexists(self._part):
            give_name(self._file.fileno(), self._part)
        self._file.close()
        os.replace(self._part, self.path)

    def abort(self) -> None:
        """Leaves nothing behind."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _move_behind(self, header_length: int) -> None:
        roomy = -(-header_length // _LENGTH_BYTES) * _LENGTH_BYTES
        moved = self._part.with_suffix(".moved.part")
        try:
            target = self._new_file(moved)
            target.seek(_LENGTH_BYTES + roomy)
            self._file.seek(_LENGTH_BYTES + self._reserved)
            shutil.copyfileobj(self._file, target, 1 << 20)
            if os.path.lexists(moved):
                os.replace(moved, self._part)
        finally:
            moved.unlink(missing_ok=True)
        self._file.close()
        self._file, self._reserved = target, roomy

    def _new_file(self, name: Path) -> io.FileIO:
        # Closed by `finish` or `abort`.
        descriptor = nameless_file(name.parent)
        return io.FileIO(name, "w+b") if descriptor is None else io.FileIO(descriptor, "r+b")


def row_count(shape: Sequence[int]) -> int:
    """How many rows of the last dimension a shape has."""
    count = 1
    for size in shape[:-1]:
        count *= size
    return count


@functools.lru_cache(maxsize=64)
def sampled_rows(count: int, wanted: int) -> tuple[int, ...]:
    """Which `wanted` of `count` rows a sample holds, in the order in which it holds them.

    The order is that of the reversed bits of the numbers (van der Corput), which spreads any beginning of it evenly: a
    smaller sample of the same rows is the beginning of a larger one, so that two recordings always have rows in common.
    """
    bits, known = max(count - 1, 0).bit_length(), 0
    order = [0]
    while True:
        # The first of them all are those of fewer bits, further apart: a sample costs no more than it holds.
        chosen = [number << (bits - known) for number in order if number << (bits - known) < count]
        if known == bits or len(chosen) >= wanted:
            return tuple(chosen[:wanted])
        order = [2 * number for number in order] + [2 * number + 1 for number in order]
        known += 1
