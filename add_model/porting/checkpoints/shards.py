"""Writes safetensors files piece by piece, in any order, without ever holding more than a few megabytes of them.

The library's own writer wants every tensor of a file in memory. The format is eight bytes of length, a JSON header
that names each tensor's type, shape and place, and the values: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import torch

from add_model.porting.checkpoints.formats import SAFETENSORS_TYPES, Weight
from add_model.porting.checkpoints.staged import StagedFolder

INDEX_NAME = "model.safetensors.index.json"
# So much of a tensor is copied at a time.
_PIECE = 4 * 2**20
_NAMES = {dtype: name for name, dtype in SAFETENSORS_TYPES.items()}


@dataclass(frozen=True)
class Shard:
    """One file of a checkpoint: its name, and the weights in it."""

    file_name: str
    weights: Mapping[str, Weight]


def make_shards(weights: Mapping[str, Weight], most_bytes: int) -> list[Shard]:
    """Distributes weights, in their order, to files of at most so many bytes, or of a single weight."""
    groups: list[dict[str, Weight]] = [{}]
    used = 0
    for name, weight in weights.items():
        if groups[-1] and used + weight.bytes > most_bytes:
            groups.append({})
            used = 0
        groups[-1][name] = weight
        used += weight.bytes
    if len(groups) == 1:
        return [Shard("model.safetensors", groups[0])]
    return [Shard(f"model-{number:05d}-of-{len(groups):05d}.safetensors", group) for number, group in enumerate(groups, start=1)]  # fmt: skip


class ShardsWriter:
    """Fills the files of a checkpoint; each weight has its place from the beginning."""

    def __init__(self, folder: StagedFolder, shards: list[Shard]) -> None:
        self._places: dict[str, tuple[BinaryIO, int, Weight]] = {}
        for shard in shards:
            file = folder.create(shard.file_name)
            header, offsets = _header(shard.weights)
            file.write(header)
            for name, weight in shard.weights.items():
                self._places[name] = (file, len(header) + offsets[name], weight)
            # The file has its full length from now on; what is never written would be zeros.
            file.truncate(len(header) + sum(weight.bytes for weight in shard.weights.values()))
        if len(shards) > 1:
            folder.create(INDEX_NAME).write(_index(shards))

    def write(self, name: str, tensor: torch.Tensor) -> bool:
        """Writes one weight, whatever its strides; whether all of its values are finite numbers.

        Raises:
            OSError: it cannot be written.
        """
        file, offset, weight = self._places[name]
        assert tuple(tensor.shape) == weight.shape and tensor.dtype == weight.dtype, name
        finite = True
        for piece in pieces(tensor):
            if (piece.is_floating_point() or piece.is_complex()) and not _is_finite(piece):
                finite = False
            data = piece.reshape(-1).view(torch.uint8).numpy().data
            file.seek(offset)
            file.write(data)
            offset += len(data)
        return finite


def pieces(tensor: torch.Tensor) -> Any:
    """A tensor's values from first to last, a few megabytes at a time, each piece in one block of memory."""
    if tensor.numel() * tensor.element_size() <= _PIECE or tensor.dim() == 0:
        if tensor.numel():
            yield tensor.contiguous()
        return
    row = tensor[0].numel() * tensor.element_size()
    if row > _PIECE:
        for part in tensor:
            yield from pieces(part)
        return
    rows = max(1, _PIECE // max(1, row))
    for start in range(0, tensor.shape[0], rows):
        yield tensor[start : start + rows].contiguous()


def _is_finite(piece: torch.Tensor) -> bool:
    """Whether all values are finite numbers: the least and the greatest are, in one pass that makes no other tensor."""
    if piece.is_complex():
        piece = torch.view_as_real(piece)
    # Types of eight bits know no such question themselves.
    least, greatest = torch.aminmax(piece.float() if piece.element_size() == 1 else piece)
    return bool(least.isfinite() and greatest.isfinite())


def _header(weights: Mapping[str, Weight]) -> tuple[bytes, dict[str, int]]:
    content: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offsets: dict[str, int] = {}
    end = 0
    for name, weight in weights.items():
        offsets[name] = end
        content[name] = {"dtype": _NAMES[weight.dtype], "shape": list(weight.shape), "data_offsets": [end, end + weight.bytes]}  # fmt: skip
        end += weight.bytes
    text = json.dumps(content, separators=(",", ":")).encode()
    # The values start at a multiple of eight.
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, offsets


def _index(shards: list[Shard]) -> bytes:
    total = sum(weight.bytes for shard in shards for weight in shard.weights.values())
    weight_map = {name: shard.file_name for shard in shards for name in shard.weights}
    return (json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}, indent=2, sort_keys=True) + "\n").encode()  # fmt: skip
