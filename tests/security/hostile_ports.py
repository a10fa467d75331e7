"""Checkpoints, configurations, rules and recordings that are made to hold a command up, or to lead it astray.

They are harmless by themselves: what would be damage elsewhere is a file that must stay absent, or time and memory.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import socket
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

CONFIG = {"vocab_size": 40, "n_positions": 20, "n_embd": 8, "n_head": 2, "n_layer": 1, "model_type": "gpt2"}
CONVERT = ("convert", "zoo:gpt2", "checkpoint", "--out", "new")
SUGGEST = ("convert", "zoo:gpt2", "checkpoint", "--config", "config.json", "--suggest")
WITH_CONFIG = (*CONVERT, "--config", "config.json")
WITH_RULES = (*CONVERT, "--rules", "rules.toml")
COMPARE = ("compare", "whole.safetensors", "hostile.safetensors")
NAME = "h.0.ln_1.weight"


class Hostile(NamedTuple):
    """A hostile input.

    Attributes:
        name: what it is.
        make: makes it in an empty folder.
        command: the arguments of `add-model` that read it.
        said: what the error must name.
    """

    name: str
    make: Callable[[Path], object]
    command: tuple[str, ...]
    said: str


def safetensors(header: Any, content: bytes = b"", length: int | None = None) -> bytes:
    """A file with this header, as it is said, and as long as it is said to be."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text) if length is None else length) + text + content


def tensor(shape: list[int], start: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    """A tensor in the header of a safetensors file."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def write_checkpoint(folder: Path, config: Mapping[str, Any] = CONFIG) -> None:
    """A small checkpoint that could be one of GPT-2, and its configuration."""
    (folder / "checkpoint").mkdir(exist_ok=True)
    content = safetensors({NAME: tensor([8], 0, 32)}, bytes(32))
    (folder / "checkpoint" / "model.safetensors").write_bytes(content)
    (folder / "checkpoint" / "config.json").write_text(json.dumps(config))


def _checkpoint(name: str, content: bytes | Callable[[Path], object]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        write_checkpoint(folder)
        (folder / "checkpoint" / "model.safetensors").unlink()
        path = folder / "checkpoint" / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)

    return make


def _config(content: bytes | Callable[[Path], object]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        write_checkpoint(folder)
        path = folder / "config.json"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)

    return make


def _rules(text: str | Callable[[Path], object]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        write_checkpoint(folder)
        path = folder / "rules.toml"
        if isinstance(text, str):
            path.write_text(text)
        else:
            text(path)

    return make


def _do(step: str) -> str:
    return f'[[fill]]\nfrom = "{NAME}"\nto = ["{NAME}", "b"]\ndo = [{step}]\n'


def _socket(path: Path) -> None:
    # The name of a socket may not be long; the folder's is.
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def _endless_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _saved(content: Callable[[], Any]) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        import torch

        torch.save(content(), path)

    return save


def _holds_itself() -> Any:
    import torch

    parts: list[Any] = [torch.ones(2)]
    parts.append(parts)
    return {"model": parts}


def _doubled() -> Any:
    import torch

    part: Any = {"weight": torch.ones(2)}
    for _ in range(30):
        part = {"a": part, "b": part}
    return part


def _expanded() -> Any:
    import torch

    return {NAME: torch.ones(1).expand(10**11)}


def _many_views() -> Any:
    import torch

    values = torch.ones(1 << 16)
    return {f"weight.{number}": values for number in range(4000)}


def _compressed_pickle(path: Path) -> None:
    """What `torch.save` writes, but for a member that unpacks to 256 megabytes of nothing."""
    import torch

    stream = io.BytesIO()
    torch.save({NAME: torch.ones(8)}, stream)
    with zipfile.ZipFile(stream) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in whole.infolist():
            archive.writestr(member.filename, whole.read(member))
        nothing = zipfile.ZipInfo(f"{whole.infolist()[0].filename.partition('/')[0]}/data/9")
        nothing.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(nothing, "w") as bomb:
            for _ in range(256):
                bomb.write(bytes(1 << 20))


def _beyond_its_storage(path: Path) -> None:
    """A pickle that says of a storage that it holds more than the file."""
    import torch

    stream = io.BytesIO()
    torch.save({NAME: torch.ones(8)}, stream)
    with zipfile.ZipFile(stream) as whole, zipfile.ZipFile(path, "w") as archive:
        for member in whole.infolist():
            content = whole.read(member)
            if member.filename.endswith("data.pkl"):
                content = content.replace(b"K\x08", b"J\x00\x00\x00\x7f")
            archive.writestr(member.filename, content)


def _array(shape: str, content: bytes = b"") -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def _arrays(shape: str, megabytes: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(f"{NAME}.npy", "w") as member:
            member.write(_array(shape))
            for _ in range(megabytes):
                member.write(bytes(1 << 20))

    return write


def _index(weight_map: Any) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        write_checkpoint(folder)
        (folder / "outside.safetensors").write_bytes((folder / "checkpoint" / "model.safetensors").read_bytes())
        (folder / "checkpoint" / "model.safetensors").unlink()
        (folder / "checkpoint" / "linked.safetensors").symlink_to("../outside.safetensors")
        text = weight_map if isinstance(weight_map, bytes) else json.dumps({"weight_map": weight_map}).encode()
        (folder / "checkpoint" / "model.safetensors.index.json").write_bytes(text)

    return make


def _tiny_weights(number: int) -> bytes:
    entries = ",".join(f'"{each:x}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' for each in range(number))
    return safetensors(f"{{{entries}}}".encode())


def _unlike_weights(number: int) -> Callable[[Path], None]:
    """Weights of one size whose names say nothing: only letters, and no two the same."""

    def write(path: Path) -> None:
        names = (f"{''.join(chr(97 + each // 26**place % 26) for place in range(4))}.weight" for each in range(number))
        entries = {name: tensor([8], 32 * at, 32 * at + 32) for at, name in enumerate(names)}
        path.write_bytes(safetensors(entries, bytes(32 * number)))
        (path.parent.parent / "config.json").write_text(json.dumps(CONFIG))

    return write


def call(**changed: Any) -> dict[str, Any]:
    """A call as a recording describes it, of a module that gives two numbers."""
    value = {"key": "tensor.000000", "dtype": "F32", "shape": [1, 2]}
    usual = {"path": "", "class_name": "M", "training": False, "parent": None, "began": 1, "ended": 2, "inputs": {"x": value}, "outputs": value, "drew_random": False}  # fmt: skip
    return {**usual, **changed}


def recording(calls: Any, **changed: Any) -> bytes:
    """A recording of these calls, all of whose tensors are the same two numbers."""
    description = {"version": 1, "model": {"class": "M"}, "random": {}, "config": {}, "modules": {"": ["M", {}]}, "parameters": {}, "calls": calls, **changed}  # fmt: skip
    texts = {"format": "add-model recording", "recording": json.dumps(description)}
    return safetensors({"__metadata__": texts, "tensor.000000": tensor([1, 2], 0, 8)}, bytes(8))


def _recordings(content: bytes | Callable[[Path], object]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / "whole.safetensors").write_bytes(recording([call()]))
        path = folder / "hostile.safetensors"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)

    return make


def _deep_description() -> bytes:
    texts = {"format": "add-model recording", "recording": "[" * 100_000 + "]" * 100_000}
    return safetensors({"__metadata__": texts})


_SAMPLED = {"key": "tensor.000000", "dtype": "F32", "shape": [2**50, 2], "rows": 7}
_DEEP = 100_000

HOSTILE = (
    Hostile("a checkpoint that is a named pipe", _checkpoint("model.safetensors", os.mkfifo), CONVERT, "checkpoint"),
    Hostile("a checkpoint that is an endless device", _checkpoint("model.safetensors", _endless_device), CONVERT, "regular"),
    Hostile("a checkpoint that is a socket", _checkpoint("model.safetensors", _socket), CONVERT, "model.safetensors"),
    Hostile("a checkpoint named directly that is a pipe", lambda folder: os.mkfifo(folder / "checkpoint"), CONVERT, "regular"),
    Hostile("a header longer than its file", _checkpoint("model.safetensors", safetensors({}, length=2**62)), CONVERT, "model.safetensors"),
    Hostile("a header that is nested deeply", _checkpoint("model.safetensors", safetensors(b"[" * _DEEP + b"]" * _DEEP)), CONVERT, "model.safetensors"),
    Hostile("tensors that overlap", _checkpoint("model.safetensors", safetensors({"a": tensor([8], 0, 32), "b": tensor([8], 16, 48)}, bytes(48))), CONVERT, "model.safetensors"),
    Hostile("a tensor out of its file", _checkpoint("model.safetensors", safetensors({"a": tensor([8], 1 << 40, (1 << 40) + 32)}, bytes(32))), CONVERT, "model.safetensors"),
    Hostile("a shape whose product overflows", _checkpoint("model.safetensors", safetensors({"a": tensor([1 << 32, 1 << 32, 1 << 32], 0, 32)}, bytes(32))), CONVERT, "model.safetensors"),
    Hostile("a million tiny weights", lambda folder: _checkpoint("model.safetensors", _tiny_weights(1_000_000))(folder), CONVERT, "1000000 weights"),
    Hostile("thousands of weights of no common name", _checkpoint("model.safetensors", _unlike_weights(3_000)), SUGGEST, "3000 weights of the checkpoint and"),
    Hostile("a name with thousands of dots", _checkpoint("model.safetensors", safetensors({"a." * 5000: tensor([8], 0, 32)}, bytes(32))), CONVERT, "longer than"),
    Hostile("a pickle that holds itself", _checkpoint("model.bin", _saved(_holds_itself)), CONVERT, "holds itself"),
    Hostile("parts that hold parts twice, thirty times", _checkpoint("model.bin", _saved(_doubled)), CONVERT, "parts within parts"),
    Hostile("a tensor of one number a hundred billion times", _checkpoint("model.bin", _saved(_expanded)), CONVERT, "claims"),
    Hostile("thousands of weights in one memory", _checkpoint("model.bin", _saved(_many_views)), CONVERT, "claims"),
    Hostile("a storage larger than its file", _checkpoint("model.bin", _beyond_its_storage), CONVERT, "model.bin"),
    Hostile("a pickle with a member that unpacks to much", _checkpoint("model.bin", _compressed_pickle), CONVERT, "claims to hold"),
    Hostile("an array that unpacks to much", _checkpoint("model.npz", _arrays("(67108864,)", 256)), CONVERT, "claims to hold"),
    Hostile("an array shorter than its shape", _checkpoint("model.npz", _arrays("(1000000, 1000000)", 0)), CONVERT, "shorter than it says"),
    Hostile("an index that names a file above", _index({NAME: "../outside.safetensors"}), CONVERT, "outside its folder"),
    Hostile("an index that names an absolute path", _index({NAME: "/dev/zero"}), CONVERT, "outside its folder"),
    Hostile("an index that names a link out", _index({NAME: "linked.safetensors"}), CONVERT, "leads out of its folder"),
    Hostile("an index that is nested deeply", _index(b'{"weight_map":' * _DEEP), CONVERT, "no index"),
    Hostile("an index that names no files", _index({NAME: {"file": 3}}), CONVERT, "no index"),
    Hostile("a billion layers", _config(json.dumps({**CONFIG, "n_layer": 10**9}).encode()), WITH_CONFIG, "n_layer = 1000000000"),
    Hostile("a million layers", _config(json.dumps({**CONFIG, "n_layer": 10**6}).encode()), WITH_CONFIG, "submodules"),
    Hostile("a size of a thousand digits", _config(json.dumps({**CONFIG, "n_layer": 10**1000}).encode()), WITH_CONFIG, "n_layer"),
    Hostile("a size that is no number", _config(b'{"n_layer": NaN, "n_embd": Infinity}'), WITH_CONFIG, "onfig"),
    Hostile("a configuration that is nested deeply", _config(b'{"n_layer":' * _DEEP), WITH_CONFIG, "config.json"),
    Hostile("a configuration with a huge text", _config(b'{"n_layer": "' + b"x" * (5 << 20) + b'"}'), WITH_CONFIG, "larger than"),
    Hostile("a configuration that is a pipe", _config(os.mkfifo), WITH_CONFIG, "config.json"),
    Hostile("rules that are a pipe", _rules(os.mkfifo), WITH_RULES, "rules.toml"),
    Hostile("rules that are nested deeply", _rules("a = " + "[" * _DEEP + "]" * _DEEP), WITH_RULES, "rules.toml"),
    Hostile("a weight split into a billion parts", _rules(_do("{ split = 0, parts = 1000000000 }")), WITH_RULES, "1000000000 equal parts"),
    Hostile("a weight of no elements in a billion pieces", _rules(_do("{ reshape = [1000000000, 0] }, { unstack = 0 }")), WITH_RULES, "reshape"),
    Hostile("a thousand steps", _rules(_do(", ".join(["{ reshape = [8] }"] * 1000))), WITH_RULES, "64 steps"),
    Hostile("a pattern of many texts", _rules(f'[[drop]]\nfrom = "{"".join(f"{{a{number}*}}h" for number in range(60))}"\nreason = "none"\n'), WITH_RULES, "matches no weight"),
    Hostile("a pattern longer than any name", _rules(f'[[drop]]\nfrom = "{"a." * 5000}"\nreason = "none"\n'), WITH_RULES, "longer than"),
    Hostile("twenty thousand rules", _rules("\n".join(f'[[drop]]\nfrom = "a{number}"\nreason = "none"' for number in range(20_000))), WITH_RULES, "20000 rules"),
    Hostile("a recording that is a pipe", _recordings(os.mkfifo), COMPARE, "no such recording"),
    Hostile("a recording that is an endless device", _recordings(_endless_device), COMPARE, "hostile.safetensors"),
    Hostile("a recording with a header longer than its file", _recordings(safetensors({}, length=2**62)), COMPARE, "shorter"),
    Hostile("a description that is nested deeply", _recordings(_deep_description()), COMPARE, "nested too deeply"),
    Hostile("a sample of more rows than fit anywhere", _recordings(recording([call(outputs=_SAMPLED)])), COMPARE, "is not the tensor"),
    Hostile("a call that lies in itself", _recordings(recording([call(parent=0)])), COMPARE, "call 0"),
    Hostile("a tensor of another shape than the file's", _recordings(recording([call(outputs={**_SAMPLED, "rows": None})])), COMPARE, "is not the tensor"),
    Hostile("a recording whose tensors overlap", _recordings(safetensors({"a": tensor([8], 0, 32), "b": tensor([8], 16, 48)}, bytes(48))), COMPARE, "'b'"),
)  # fmt: skip


class Marked:
    """A stand-in for code in a pickle: it would make a file."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self._marker), "w")


def marked_pickle(path: Path, marker: Path) -> None:
    """A pickle that would make a file."""
    path.write_bytes(pickle.dumps({"weight": Marked(marker)}))
