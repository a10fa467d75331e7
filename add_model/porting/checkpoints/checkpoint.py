"""Checkpoints of any of the usual kinds, read one weight at a time: finding the files, and what is in them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from add_model.errors import AddModelError
from add_model.porting.checkpoints import distributed, flax, gguf, hdf5
from add_model.porting.checkpoints.adapters import FILES, AdapterFile, adapters_in, refuse_alone
from add_model.porting.checkpoints.formats import NumpyFile, PickledFile, SafetensorsFile, Weight, WeightsFile
from add_model.porting.checkpoints.parts import Part, listed
from add_model.porting.checkpoints.settings import Settings, settings_beside
from add_model.porting.documents import read_json
from add_model.porting.tensor_file import open_regular

if TYPE_CHECKING:
    import torch

# Files in a folder that hold weights, the most trusted kind first.
_IN_FOLDERS = (distributed.METADATA, "*.safetensors.index.json", "*.bin.index.json", "model.safetensors", "pytorch_model.bin", "*.safetensors", "*.npz", "*.bin", "*.pt", "*.pth", "*.ckpt", "*.keras", "*.h5", "*.gguf", "*.msgpack")  # fmt: skip
# The Hub's cache keeps a repository's files in one folder, and links to them in one folder for each revision.
_SNAPSHOTS, _BLOBS = "snapshots", "blobs"
# The name of a file of a sharded checkpoint: the checkpoint's name and suffix.
_PART = re.compile(r"(.+)-(\d+)-of-(\d+)(\.\w+)")
# What each of several processes held, cut along one of its axes.
_OF_PROCESSES = re.compile(r"(consolidated\.\d+|(mp|model_mp|tp)_rank_\d+.*)\.(pth|pt)")
# What Orbax leaves in the folder of a checkpoint.
_OF_ORBAX = ("manifest.ocdbt", "_CHECKPOINT_METADATA", "_METADATA", "ocdbt.process_0")
_AS_NUMPY = "save its variables with numpy.savez in its own environment, and convert the .npz"
# Files that are known by how they begin.
_BY_START: Mapping[bytes, type[WeightsFile]] = {hdf5.MAGIC: hdf5.Hdf5File, gguf.MAGIC: gguf.GgufFile}
_FOREIGN_SUFFIXES = {
    ".index": f"belongs to a TensorFlow checkpoint; {_AS_NUMPY}",
    ".meta": f"belongs to a TensorFlow checkpoint; {_AS_NUMPY}",
    ".onnx_data": "holds the weights of an ONNX graph, whose names and shapes are in the .onnx file; convert the checkpoint it was made from",
    ".data": "holds the weights of an ONNX graph or of a TensorFlow checkpoint, whose names and shapes are in the file beside it; convert the checkpoint it was made from",
    ".onnx": "is an ONNX graph, whose weights got other names and were folded when it was exported; convert the checkpoint it was made from",
    ".pb": f"is a TensorFlow graph; {_AS_NUMPY}",
}


@dataclass
class Checkpoint:
    """The weights of a checkpoint, in one file or several.

    Attributes:
        path: what the user named.
        files: its files, in the order in which they are read.
        weights: name -> shape and type, in the order of the files.
    """

    path: Path
    files: Mapping[Path, WeightsFile]
    weights: Mapping[str, Weight]
    _places: Mapping[str, WeightsFile]

    @property
    def parts(self) -> tuple[tuple[str, Part], ...]:
        """The parts of the files that have several, each with its file's name."""
        return tuple(
            (path.name, part) for path, file in self.files.items() if len(file.parts) > 1 for part in file.parts
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was read of files in which something was left, a line each."""
        lines = []
        for name in dict.fromkeys(name for name, part in self.parts if not part.is_read):
            read, left = (listed(part for file, part in self.parts if file == name and part.is_read is kind) for kind in (True, False))  # fmt: skip
            lines.append(
                f"{name}: of its parts {read} is read, {left} is left; choose with --read, or `read` in the rules"
            )
        for path, file in self.files.items():
            if file.left_objects:
                lines.append(f"{path.name}: objects of {', '.join(file.left_objects)} beside the weights were left, and nothing of them was imported or called")  # fmt: skip
        return tuple(lines)

    @property
    def settings(self) -> tuple[tuple[str, Settings], ...]:
        """What the original says of its sizes, each with where it is from: its files first, then what lies beside them."""
        inside = [(f"{part} in {path.name}", values) for path, file in self.files.items() for part, values in file.settings.items()]  # fmt: skip
        folders = dict.fromkeys(path.parent for path in self.files)
        return (*inside, *(found for folder in folders for found in settings_beside(folder)))

    def read(self, name: str) -> torch.Tensor:
        """One weight, on the CPU. It may be a view of the file, and must not be changed or kept beyond `release`.

        Raises:
            AddModelError: the file is damaged.
        """
        return self._places[name].read(name)

    def release(self) -> None:
        """Gives back the memory of what was read; to be called when no tensor of `read` is needed any more."""
        for file in self.files.values():
            file.release()

    def close(self) -> None:
        """Closes every file."""
        for file in self.files.values():
            file.close()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_checkpoint(path: Path, read: Sequence[str] = ()) -> Checkpoint:
    """Opens a safetensors, PyTorch or `.npz` file, the index of a sharded checkpoint, or a folder that holds one.

    Nothing but names, shapes and types is read. A pickle is never run: what holds more than plain weights is refused.

    Args:
        path: the file or folder.
        read: the parts of a PyTorch file that are read; see `read_parts`.

    Raises:
        AddModelError: there is no such file or part, it is damaged or of another kind, or holds no weights.
    """
    adapters = adapters_in(path)
    file = _find(path)
    refuse_alone(path, file)
    checkpoint = _open_found(path, file, read)
    return checkpoint if adapters is None else _with_adapters(checkpoint, adapters)


def _with_adapters(checkpoint: Checkpoint, path: Path) -> Checkpoint:
    """A checkpoint with the adapters that PEFT saved beside it."""
    try:
        file = AdapterFile(_open_file(path, ()))
    except BaseException:
        checkpoint.close()
        raise
    weights = {**checkpoint.weights, **file.weights}
    places = {**checkpoint._places, **dict.fromkeys(file.weights, file)}
    return Checkpoint(checkpoint.path, {**checkpoint.files, path: file}, weights, places)


def _open_found(path: Path, file: Path, read: Sequence[str]) -> Checkpoint:
    if file.name.endswith(".index.json"):
        return _open_sharded(path, file, read)
    opened = _open_file(file, read)
    if not opened.weights:
        opened.close()
        raise AddModelError(f"{file}: holds no weights; name the file that does")
    return Checkpoint(path, {file: opened}, opened.weights, dict.fromkeys(opened.weights, opened))


def _find(path: Path) -> Path:
    if path.is_file():
        _refuse_part(path)
        return path
    if not path.is_dir():
        if os.path.lexists(path):
            raise AddModelError(f"{path}: is no regular file, nor a folder; name one that is")
        if path.parent.is_dir() and any(path.parent.glob(f"{path.name}.index")):
            raise AddModelError(f"{path}: {_FOREIGN_SUFFIXES['.index']}")
        raise AddModelError(f"{path}: no such checkpoint; name a file or a folder that is there")
    for pattern in _IN_FOLDERS:
        files = sorted(path.glob(pattern))
        # Adapters are read with what they adapt, where that is there.
        found = [file for file in files if file.name not in FILES] or files
        if len(found) == 1:
            _refuse_part(found[0])
            return found[0]
        if found and all(map(_OF_PROCESSES.fullmatch, (file.name for file in found))):
            raise AddModelError(_said_of_processes(path, found))
        if found:
            names = ", ".join(file.name for file in found[:5]) + (", ..." if len(found) > 5 else "")
            part = _PART.fullmatch(found[0].name)
            if part is not None:
                raise AddModelError(f"{path}: holds parts of a checkpoint ({names}), and not the index that says what is in them; fetch {part[1]}{part[4]}.index.json")  # fmt: skip
            raise AddModelError(f"{path}: holds several checkpoints ({names}); name one of them")
    if any((path / name).exists() for name in _OF_ORBAX):
        raise AddModelError(f"{path}: is an Orbax checkpoint; restore it in its own environment, save its arrays with numpy.savez, and convert the .npz")  # fmt: skip
    for file in sorted(path.iterdir()):
        if file.suffix in _FOREIGN_SUFFIXES:
            raise AddModelError(f"{file}: {_FOREIGN_SUFFIXES[file.suffix]}")
    raise AddModelError(f"{path}: holds no checkpoint that can be read (.safetensors, .npz, .bin, .pt, .pth, .ckpt, .keras, .h5, .gguf, .msgpack); name its file")  # fmt: skip


def _said_of_processes(path: Path, files: Sequence[Path]) -> str:
    what = f"what {len(files)} processes had each a part of ({files[0].name}, ...)"
    held = f"holds {what}" if path.is_dir() else f"is a part of {what}"
    return f"{path}: {held}; join these in the original's environment, by concatenating each weight along the axis it was cut, and save one file"  # fmt: skip


def _refuse_part(path: Path) -> None:
    """Raises `AddModelError` where a file is one of several that hold a checkpoint together."""
    siblings = [file for file in sorted(path.parent.glob(f"*{path.suffix}")) if _OF_PROCESSES.fullmatch(file.name)]
    if _OF_PROCESSES.fullmatch(path.name) and len(siblings) > 1:
        raise AddModelError(_said_of_processes(path, siblings))
    part = _PART.fullmatch(path.name)
    if part is None or int(part[3]) < 2:
        return
    index = path.with_name(f"{part[1]}{part[4]}.index.json")
    remedy = (
        f"name {index}, or its folder" if index.is_file() else f"fetch the others, and {index.name}, and name that"
    )
    raise AddModelError(f"{path}: is part {int(part[2])} of {int(part[3])} of a checkpoint; {remedy}")


def _open_file(path: Path, read: Sequence[str]) -> WeightsFile:
    opened = _opened(path, read)
    try:
        opened.refuse_absurd()
    except AddModelError:
        opened.close()
        raise
    return opened


def _opened(path: Path, read: Sequence[str]) -> WeightsFile:
    try:
        with open_regular(path) as file:
            start = file.read(32)
    except OSError as error:
        raise AddModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not start:
        raise AddModelError(f"{path}: is empty; fetch it again")
    kind = next((kind for magic, kind in _BY_START.items() if start.startswith(magic)), None)
    if path.name == distributed.METADATA:
        kind = distributed.DistributedFile
    kind = {hdf5.ARCHIVE_SUFFIX: hdf5.Hdf5File, flax.SUFFIX: flax.FlaxFile}.get(path.suffix, kind)
    if kind is not None:
        _refuse_choice(path, read)
        return kind(path)
    if start.startswith(b"version https://g"):
        raise AddModelError(f"{path}: is a pointer of Git LFS, not the weights; fetch them with: git lfs pull")
    if path.suffix in _FOREIGN_SUFFIXES:
        raise AddModelError(f"{path}: {_FOREIGN_SUFFIXES[path.suffix]}")
    is_safetensors = path.suffix == ".safetensors" or start[8:9] == b"{"
    if not is_safetensors and path.suffix != ".npz":
        return PickledFile(path, read)
    _refuse_choice(path, read)
    return SafetensorsFile(path) if is_safetensors else NumpyFile(path)


def _refuse_choice(path: Path, read: Sequence[str]) -> None:
    if read:
        raise AddModelError(f"{path}: holds weights alone, and no part {read[0]!r}; leave `read` out")


def _open_sharded(path: Path, index: Path, read: Sequence[str]) -> Checkpoint:
    """Opens the files that an index names; each of its weights must be in the file that it says."""
    try:
        places = _texts(read_json(index)["weight_map"])
    except (OSError, UnicodeDecodeError) as error:
        raise AddModelError(f"{index}: cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise AddModelError(f"{index}: is no index of a sharded checkpoint; fetch it again") from error
    if not places:
        raise AddModelError(f"{index}: names no weights; fetch it again")
    whole = index.with_name(index.name.removesuffix(".index.json"))
    if path != index and whole.is_file() and whole.name not in places.values():
        raise AddModelError(f"{path}: holds two checkpoints, {whole.name} and the parts that {index.name} names; name one of the two")  # fmt: skip
    files: dict[Path, WeightsFile] = {}
    try:
        for name in sorted(set(places.values())):
            if os.path.basename(name) != name:
                raise AddModelError(f"{index}: names a file outside its folder: {name}; correct it, or fetch it again")
            shard = index.parent / name
            if not shard.is_file():
                raise AddModelError(f"{shard}: is missing, although {index.name} names it; fetch it")
            _refuse_link_out_of(index, shard)
            files[shard] = _open_file(shard, read)
        for name, file_name in places.items():
            if name not in files[index.parent / file_name].weights:
                raise AddModelError(f"{index.parent / file_name}: lacks {name}, which {index.name} says it holds; fetch both again")  # fmt: skip
        weights: dict[str, Weight] = {}
        holders: dict[str, WeightsFile] = {}
        for shard, file in files.items():
            # What a file holds beyond its index counts, too: it must not go unnoticed.
            for name, weight in file.weights.items():
                if places.get(name, shard.name) != shard.name:
                    continue
                if name in weights:
                    raise AddModelError(f"{shard}: holds {name}, which another file holds, too, and {index.name} does not say which counts")  # fmt: skip
                weights[name], holders[name] = weight, file
    except BaseException:
        for file in files.values():
            file.close()
        raise
    return Checkpoint(path, files, weights, holders)


def _texts(weight_map: Any) -> dict[str, str]:
    if not isinstance(weight_map, dict) or not all(isinstance(file, str) for file in weight_map.values()):
        raise ValueError("it names no file for each weight")
    return weight_map


def _refuse_link_out_of(index: Path, shard: Path) -> None:
    """What an index names lies in its folder, or, where that is a snapshot in the Hub's cache, with the repository's files."""
    real, home = shard.resolve(), index.parent.resolve()
    homes = [home] if home.parent.name != _SNAPSHOTS else [home, home.parent.parent / _BLOBS]
    if real.parent not in homes:
        raise AddModelError(f"{shard}: is a link that leads out of its folder, to {real}; put the file itself there, or name the folder of all of them")  # fmt: skip
