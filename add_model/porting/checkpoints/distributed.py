"""Distributed checkpoints of PyTorch: a folder with `.metadata`, which says where each piece of a weight lies, and files
of pieces (`torch.distributed.checkpoint`). They are read without processes that talk to each other.

The metadata is a pickle. Of the classes in it that are needed, stand-ins keep what they are given, and for all others
stand placeholders: nothing of it is imported or called.
"""

from __future__ import annotations

import io
import math
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from add_model.errors import AddModelError
from add_model.porting.checkpoints.formats import MOST_WEIGHTS, Weight, WeightsFile
from add_model.porting.checkpoints.placeholders import Placeholder
from add_model.porting.tensor_file import open_regular
from add_model.reading import read_bytes

METADATA = ".metadata"
_MOST_BYTES = 256 << 20
_KEPT = frozenset(("Metadata", "TensorStorageMetadata", "ChunkStorageMetadata", "MetadataIndex", "TensorProperties", "_StorageInfo"))  # fmt: skip
_DAMAGED = (AttributeError, EOFError, IndexError, KeyError, MemoryError, OSError, OverflowError, RecursionError, RuntimeError, TypeError, UnicodeDecodeError, ValueError, pickle.UnpicklingError)  # fmt: skip


class _Kept(Placeholder):
    """What stands for an object whose state is needed."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Reader(pickle.Unpickler):
    """Makes nothing but plain values, types of numbers, stand-ins and placeholders."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("torch.distributed.checkpoint.") and name in _KEPT:
            return type(name, (_Kept,), {})
        if (module, name) == ("torch", "Size"):
            return tuple
        dtype = getattr(torch, name, None) if module == "torch" and "." not in name else None
        return dtype if isinstance(dtype, torch.dtype) else type("Left", (Placeholder,), {})

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside of it")


class DistributedFile(WeightsFile):
    """A folder that `torch.distributed.checkpoint` wrote."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._pieces: dict[str, list[tuple[tuple[int, ...], str, int, int]]] = {}
        try:
            content = _Reader(io.BytesIO(read_bytes(path, _MOST_BYTES))).load().state
            self.weights = dict(self._weight(name, entry) for name, entry in content["state_dict_metadata"].items() if type(entry).__name__ == "TensorStorageMetadata")  # fmt: skip
            self._find_pieces(content["storage_data"])
        except _DAMAGED as error:
            raise AddModelError(f"{path}: is no metadata of a distributed checkpoint that can be read ({error}); fetch it again, or save it with torch.distributed.checkpoint.format_utils.dcp_to_torch_save") from error  # fmt: skip

    def _weight(self, name: str, entry: Any) -> tuple[str, Weight]:
        properties = entry.state["properties"].state
        dtype = properties[0] if isinstance(properties, tuple) else properties["dtype"]
        shape = tuple(entry.state["size"])
        if not isinstance(name, str) or not isinstance(dtype, torch.dtype) or not _are_sizes(shape):
            raise ValueError("a weight without shape and type")
        return name, Weight(shape, dtype)

    def _find_pieces(self, storage: Mapping[Any, Any]) -> None:
        for key, info in storage.items():
            where, place = key.state, info.state
            name = where["fqn"]
            if name not in self.weights:
                continue
            file, start, length = place["relative_path"], place["offset"], place["length"]
            offset = where["offset"] if where["offset"] is not None else (0,) * len(self.weights[name].shape)
            if os.path.basename(file) != file or not _are_sizes((start, length, *offset)):
                raise ValueError(f"a piece of {name} lies outside the folder")
            if place.get("transform_descriptors"):
                raise ValueError(f"{name} is packed")
            self._pieces.setdefault(name, []).append((tuple(offset), file, start, length))
        if len(storage) > MOST_WEIGHTS:
            raise ValueError(f"{len(storage)} pieces")
        missing = next((name for name in self.weights if name not in self._pieces), None)
        if missing is not None:
            raise ValueError(f"no file has {missing}")

    def _size(self) -> int:
        files = {file for pieces in self._pieces.values() for _, file, _, _ in pieces}
        return sum((self.path.parent / file).stat().st_size for file in files if (self.path.parent / file).is_file())

    def _read(self, name: str) -> torch.Tensor:
        weight = self.weights[name]
        whole = torch.empty(weight.shape, dtype=weight.dtype)
        filled = 0
        for offset, file, start, length in self._pieces[name]:
            piece = self._piece(name, file, start, length)
            place = whole
            if piece.dim() != whole.dim() or piece.dtype != whole.dtype:
                raise AddModelError(f"{self.path.parent / file}: a piece of {name} is of another shape or type than {self.path.name} says; fetch both again")  # fmt: skip
            for axis, (begin, size) in enumerate(zip(offset, piece.shape, strict=True)):
                if begin + size > whole.shape[axis]:
                    raise AddModelError(f"{self.path.parent / file}: a piece of {name} lies outside of it; fetch it again")  # fmt: skip
                place = place.narrow(axis, begin, size)
            place.copy_(piece)
            filled += piece.numel()
        if filled != math.prod(weight.shape):
            raise AddModelError(f"{self.path}: the pieces of {name} are not all there; fetch the whole folder again")
        return whole

    def _piece(self, name: str, file: str, start: int, length: int) -> torch.Tensor:
        path = self.path.parent / file
        try:
            with open_regular(path) as opened:
                opened.seek(start)
                content = opened.read(min(length, path.stat().st_size))
            piece = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except (*_DAMAGED, AssertionError) as error:
            said = " ".join(str(error).split()).partition(". ")[0]
            raise AddModelError(f"{path}: the piece of {name} in it is missing or damaged ({said}); fetch it again") from error  # fmt: skip
        if not isinstance(piece, torch.Tensor):
            raise AddModelError(f"{path}: holds no weight where {self.path.name} says {name}; fetch both again")
        return piece

    def release(self) -> None:
        # What was read is nobody's but the reader's.
        self._touched = 0

    def _reopen(self) -> None:
        """Nothing is kept open."""

    def close(self) -> None:
        """Nothing is kept open."""


def _are_sizes(sizes: tuple[Any, ...]) -> bool:
    return all(type(size) is int and 0 <= size < 1 << 50 for size in sizes)
