"""Checkpoints that other libraries write: their weights come out as they went in, one at a time."""

from __future__ import annotations

import pickle
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy
import pytest
import torch

from add_model.errors import AddModelError
from add_model.porting.checkpoints.checkpoint import open_checkpoint
from add_model.porting.checkpoints.distributed import METADATA
from tests.porting.test_placeholders import Writing

WEIGHTS = {
    "dense/kernel": numpy.arange(12, dtype=numpy.float32).reshape(3, 4),
    "dense/bias": numpy.arange(4, dtype=numpy.float16),
    "steps": numpy.array([3], dtype=numpy.int64),
}
_GGUF_TYPES = {"float32": 0, "float16": 1, "int64": 27}


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def write_gguf(path: Path, weights: Mapping[str, numpy.ndarray], kinds: Mapping[str, int] | None = None) -> None:
    """As https://github.com/ggml-org/ggml/blob/master/docs/gguf.md says, with a vocabulary among the settings."""
    settings = text("general.alignment") + struct.pack("<II", 4, 64)
    settings += text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("bc")
    settings += text("general.name") + struct.pack("<I", 8) + text("tiny")
    entries, values = b"", b""
    for name, array in weights.items():
        kind = (kinds or {}).get(name, _GGUF_TYPES[array.dtype.name])
        shape = array.shape[::-1]
        entries += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(values))
        values += array.tobytes() + bytes(-array.nbytes % 64)
    header = struct.pack("<4sIQQ", b"GGUF", 3, len(weights), 3) + settings + entries
    path.write_bytes(header + bytes(-len(header) % 64) + values)


def write_hdf5(path: Path, weights: Mapping[str, numpy.ndarray]) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in weights.items():
            file[name] = array
        # Nothing of another file is a weight of this one.
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/secret")
        file["around"] = file["/"]
        del file["around"]


def write_keras(path: Path, weights: Mapping[str, numpy.ndarray]) -> None:
    write_hdf5(path.with_suffix(".inner"), weights)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.write(path.with_suffix(".inner"), "model.weights.h5")
    path.with_suffix(".inner").unlink()


def packed(value: object) -> bytes:
    """A value in MessagePack, as https://github.com/msgpack/msgpack/blob/master/spec.md says."""
    if isinstance(value, dict):
        return struct.pack(">BH", 0xDE, len(value)) + b"".join(packed(each) for entry in value.items() for each in entry)  # fmt: skip
    if isinstance(value, (list, tuple)):
        return bytes([0x90 | len(value)]) + b"".join(map(packed, value))
    if isinstance(value, bytes):
        return struct.pack(">BI", 0xC6, len(value)) + value
    if isinstance(value, str):
        return struct.pack(">BB", 0xD9, len(value.encode())) + value.encode()
    if isinstance(value, bool):
        return bytes([0xC3 if value else 0xC2])
    if isinstance(value, int):
        return bytes([value]) if 0 <= value < 128 else struct.pack(">BI", 0xCE, value)
    assert isinstance(value, numpy.ndarray)
    content = packed([list(value.shape), value.dtype.name, value.tobytes()])
    return struct.pack(">BIb", 0xC9, len(content), 1) + content


def nested(weights: Mapping[str, object]) -> dict[str, object]:
    tree: dict[str, object] = {}
    for name, array in weights.items():
        *above, last = name.split("/")
        inside = tree
        for part in above:
            inside = inside.setdefault(part, {})  # type: ignore[assignment]
        inside[last] = array
    return tree


def in_pieces(array: numpy.ndarray, size: int) -> dict[str, object]:
    """How Flax writes an array that is longer than it packs at once."""
    flat = array.reshape(-1)
    chunks = {str(number): flat[start : start + size] for number, start in enumerate(range(0, len(flat), size))}
    shape = {str(axis): side for axis, side in enumerate(array.shape)}
    return {"__msgpack_chunked_array__": True, "shape": shape, "chunks": chunks}


def write_flax(path: Path, weights: Mapping[str, numpy.ndarray]) -> None:
    tree = {name: in_pieces(array, 5) if array.ndim == 2 else array for name, array in weights.items()}
    path.write_bytes(packed({**nested(tree), "epoch": 300, "name": "tiny", "image": {"shape": {"0": 32}}}))


WRITERS = {
    "model.msgpack": write_flax,
    "model.gguf": write_gguf,
    "model.weights.h5": write_hdf5,
    "model.keras": write_keras,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_weight_comes_out_as_it_went_in(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name, WEIGHTS)
    for named in (tmp_path, tmp_path / name):
        with open_checkpoint(named) as checkpoint:
            assert set(checkpoint.weights) == set(WEIGHTS)
            for weight, array in WEIGHTS.items():
                assert checkpoint.weights[weight].shape == array.shape
                assert torch.equal(checkpoint.read(weight), torch.from_numpy(array))
                checkpoint.release()


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_is_cut_off_or_damaged_is_refused_in_a_line(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name, WEIGHTS)
    whole = (tmp_path / name).read_bytes()
    for length in (5, 30, len(whole) // 2, len(whole) - 60):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(AddModelError) as raised:
            open_checkpoint(tmp_path / name)
        assert name in str(raised.value) and "\n" not in str(raised.value)


def write_distributed(folder: Path) -> dict[str, torch.Tensor]:
    from torch.distributed import checkpoint

    weights = {"layer.weight": torch.arange(12.0).view(3, 4), "scale": torch.tensor(2.0), "half": torch.ones(5).half()}
    with warnings.catch_warnings():
        # That there are no other processes.
        warnings.simplefilter("ignore")
        checkpoint.save({"model": weights, "step": 3}, storage_writer=checkpoint.FileSystemWriter(folder), no_dist=True)  # fmt: skip
    return {f"model.{name}": tensor for name, tensor in weights.items()}


def test_a_distributed_checkpoint_is_read_without_processes(tmp_path: Path) -> None:
    weights = write_distributed(tmp_path)
    with open_checkpoint(tmp_path) as opened:
        assert set(opened.weights) == set(weights)
        assert all(torch.equal(opened.read(name), tensor) for name, tensor in weights.items())


def test_pieces_of_a_weight_are_put_together(tmp_path: Path) -> None:
    write_distributed(tmp_path)
    (tmp_path / METADATA).write_bytes(in_two_pieces(tmp_path))
    with open_checkpoint(tmp_path) as opened:
        assert opened.read("weight").tolist() == [[0, 1], [2, 3], [4, 5]]


def in_two_pieces(folder: Path) -> bytes:
    """The metadata of one weight, cut between two processes, whose files are written, too."""
    from torch.distributed.checkpoint import metadata
    from torch.distributed.checkpoint.filesystem import _StorageInfo

    whole, places, chunks = torch.arange(6.0).view(3, 2), {}, []
    for number, (start, rows) in enumerate(((0, 2), (2, 1))):
        file, offset = folder / f"__{number}_0.distcp", torch.Size([start, 0])
        torch.save(whole[start : start + rows].clone(), file)
        places[metadata.MetadataIndex("weight", offset, number)] = _StorageInfo(file.name, 0, file.stat().st_size)
        chunks.append(metadata.ChunkStorageMetadata(offset, torch.Size([rows, 2])))
    properties = metadata.TensorProperties(dtype=torch.float32)
    entry = metadata.TensorStorageMetadata(properties, torch.Size([3, 2]), chunks)
    return pickle.dumps(metadata.Metadata({"weight": entry}, storage_data=places))


def test_nothing_of_the_metadata_is_called(tmp_path: Path) -> None:
    (tmp_path / METADATA).write_bytes(pickle.dumps(Writing(tmp_path / "ran")))
    with pytest.raises(AddModelError, match="is no metadata of a distributed checkpoint"):
        open_checkpoint(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_piece_that_is_missing_is_named(tmp_path: Path) -> None:
    write_distributed(tmp_path)
    for file in tmp_path.glob("*.distcp"):
        file.write_bytes(file.read_bytes()[:50])
    with open_checkpoint(tmp_path) as opened, pytest.raises(AddModelError, match="layer.weight in it is missing or damaged"):  # fmt: skip
        opened.read("model.layer.weight")


def test_quantised_weights_are_refused_with_what_to_do(tmp_path: Path) -> None:
    write_gguf(tmp_path / "model.gguf", WEIGHTS, kinds={"dense/kernel": 8})
    with pytest.raises(
        AddModelError, match="dense/kernel is quantised; convert the checkpoint that the file was made"
    ):
        open_checkpoint(tmp_path / "model.gguf")


@pytest.mark.parametrize(
    "start",
    [
        struct.pack("<4sIQQ", b"GGUF", 3, 1 << 60, 0),
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + struct.pack("<Q", 1 << 62),
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 0, 1 << 62),
        struct.pack("<4sIQQ", b"GGUF", 3, 1, 0) + text("a") + struct.pack("<I", 4) + struct.pack("<4Q", *[1 << 60] * 4) + bytes(12),
    ],
)  # fmt: skip
def test_a_header_that_claims_more_than_it_holds_is_refused(start: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(start + bytes(99))
    with pytest.raises(AddModelError, match="is no whole GGUF file"):
        open_checkpoint(tmp_path / "model.gguf")


def test_a_group_that_is_in_itself_comes_to_an_end(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "model.h5", "w") as file:
        file["weight"] = numpy.ones(2)
        file["first"] = file["second"] = file["/"]
    with pytest.raises(AddModelError, match="groups within groups|more entries than any model has"):
        open_checkpoint(tmp_path / "model.h5")


@pytest.mark.parametrize(
    "value",
    [
        b"",
        packed([1, 2]),
        packed({"a": 1}) + b"x",
        struct.pack(">BI", 0xDF, 1 << 31),
        struct.pack(">BB", 0xD9, 200),
        packed({"a": numpy.ones(3, numpy.float32)}).replace(b"\x91\x03", b"\x91\x04"),
        b"\x81\xa1a" * 200 + b"\x80",
        packed({"a": {"__msgpack_chunked_array__": True, "shape": {"0": 7}, "chunks": {"0": numpy.ones(3)}}}),
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_of_flax_is_refused(value: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.msgpack").write_bytes(value)
    with pytest.raises(AddModelError, match="is no whole Flax checkpoint|is empty|holds no weights"):
        open_checkpoint(tmp_path / "model.msgpack")


@pytest.mark.parametrize(
    ("names", "named", "said"),
    [
        (["manifest.ocdbt"], "", "is an Orbax checkpoint; restore it in its own environment"),
        (["model.onnx"], "", "is an ONNX graph, whose weights got other names"),
        (["model.onnx.data"], "model.onnx.data", "holds the weights of an ONNX graph"),
        (["consolidated.00.pth", "consolidated.01.pth"], "", "holds what 2 processes had each a part of"),
        (["consolidated.00.pth", "consolidated.01.pth"], "consolidated.01.pth", "is a part of what 2 processes had"),
        (["model.ckpt.index"], "model.ckpt", "belongs to a TensorFlow checkpoint; save its variables with numpy.savez"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_said_as_what_it_is(names: list[str], named: str, said: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"something")
    with pytest.raises(AddModelError, match=said):
        open_checkpoint(tmp_path / named)
