"""Documents that were changed by somebody or something: a right answer, or one line and exit code 2; never a traceback.

To a script, exit code 1 says that two recordings differ, or that a port is not done: what cannot be read is neither.
"""

import json
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tomlkit
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from add_model.porting.evidence import make, store
from add_model.porting.recording import record_forward
from tests.cli.commands import Result, add_model_here
from tests.porting.foreign_checkpoints import GPT2, write_safetensors
from tests.security.damaged_documents import damaged

pytestmark = pytest.mark.slow

SEEDS = st.integers(0, 2**32)
often = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def as_json(document: Any) -> bytes:
    with deep():
        return json.dumps(document).encode()


def as_toml(document: Any) -> bytes | None:
    """The text; `None` for what TOML has no words for."""
    try:
        return tomlkit.dumps(document).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, AttributeError):
        return None


@contextmanager
def deep() -> Iterator[None]:
    """Lets the test itself handle what is nested deeply."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def is_answered(result: Result, *codes: int) -> None:
    """Whether a command has said what it finds, by one of these codes, or in one line why it cannot."""
    lines = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
    assert result.returncode in (2, *codes), (result.returncode, result.stderr[:500])
    assert result.returncode != 2 or (len(lines) == 1 and lines[0].startswith("error: ")), result.stderr[:500]


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(8, 8) for _ in range(3))
        self.num_heads, self.scale = 2, 0.5

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return (self.query(states) @ self.key(states).mT * self.scale).softmax(-1) @ self.value(states)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embeddings, self.attention, self.norm = nn.Embedding(20, 8), Attention(), nn.LayerNorm(8)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        states = self.embeddings(input_ids)
        changed: torch.Tensor = self.norm(states + self.attention(states))
        return changed


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings that differ."""
    folder = tmp_path_factory.mktemp("recordings")
    torch.manual_seed(0)
    model = Model().eval()
    with torch.no_grad():
        for name, scale in (("original", 0.5), ("new", 1.5)):
            model.attention.scale = scale
            with record_forward(model, folder / f"{name}.safetensors"):
                model(input_ids=torch.arange(10).view(2, 5))
    return folder


@given(SEEDS, st.sampled_from(["header", "recording", "modules", "config", "calls", "parameters", "model"]))
@often
def test_a_recording(recordings: Path, seed: int, part: str) -> None:
    content = (recordings / "new.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    with deep():
        if part == "header":
            header = damaged(header, seed, 2)
        else:
            description = json.loads(header["__metadata__"]["recording"])
            if part == "recording":
                description = damaged(description, seed, 3)
            else:
                description[part] = damaged(description[part], seed, 2)
            header["__metadata__"]["recording"] = json.dumps(description)
    text = as_json(header)
    (recordings / "damaged.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    names = ["original.safetensors", "damaged.safetensors"]
    result = add_model_here(recordings, "compare", *(names if seed % 2 else names[::-1]))
    is_answered(result, 1)
    # What differs is found, or nothing is said at all: no damage makes two models equal.
    assert result.returncode == 2 or "different: largest difference" in result.stdout


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint in two files and their index."""
    from safetensors.torch import load_file, save_file

    folder = tmp_path_factory.mktemp("checkpoint")
    write_safetensors(GPT2, folder / "original")
    path = folder / "original" / "model.safetensors"
    weights = load_file(path)
    path.unlink()
    places = {name: f"model-{number % 2}.safetensors" for number, name in enumerate(weights)}
    for file in set(places.values()):
        save_file({name: weights[name] for name, place in places.items() if place == file}, folder / "original" / file)
    index = {"metadata": {"total_size": 3}, "weight_map": places}
    (folder / "original" / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def converts(folder: Path, *options: str) -> None:
    is_answered(add_model_here(folder, "convert", "zoo:gpt2", "original", "--out", "new", "--force", *options), 0)


@given(SEEDS)
@often
def test_a_configuration(checkpoint: Path, seed: int) -> None:
    config = json.loads((checkpoint / "original" / "config.json").read_text())
    with deep():
        (checkpoint / "config.json").write_bytes(as_json(damaged(config, seed, 2)))
    converts(checkpoint, "--config", "config.json")


@given(SEEDS)
@often
def test_an_index(checkpoint: Path, seed: int) -> None:
    path = checkpoint / "original" / "model.safetensors.index.json"
    before = path.read_bytes()
    with deep():
        path.write_bytes(as_json(damaged(json.loads(before), seed, 2)))
    try:
        converts(checkpoint)
    finally:
        path.write_bytes(before)


RULES = """
read = ["model"]

[[fill]]
from = "transformer.h.{layer}.attn.c_attn.weight"
do = [{ transpose = [0, 1] }, { split = 0, parts = 3 }, { concatenate = 0, every = 3 }, { reshape = [-1, 24] }]
to = "transformer.h.{layer}.attn.c_attn.weight"
except = ["transformer.h.{layer}.attn.bias"]

[[drop]]
from = "transformer.h.{layer}.attn.{rest*}"
reason = "none"
unsure = false

[[share]]
to = "lm_head.weight"
with = "transformer.wte.weight"

[[keep]]
to = "position_ids"
reason = "counts"
note = "from zero"
"""


@given(SEEDS)
@often
def test_rules(checkpoint: Path, seed: int) -> None:
    with deep():
        text = as_toml(damaged(tomlkit.parse(RULES).unwrap(), seed, 2))
    if text is not None:
        (checkpoint / "rules.toml").write_bytes(text)
        converts(checkpoint, "--rules", "rules.toml")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with a model, about which something of every kind is kept."""
    folder = tmp_path_factory.mktemp("library")
    request = ("like", "bert", "--name", "brand_new_bert", "--heads", "masked-lm", "--tokenizer-like", "same", "--yes")
    assert add_model_here(folder, *request, "--into", "library").returncode == 0
    root = folder / "library"
    assert add_model_here(root, "status", "brand_new_bert", "--done", "3", "--note", "in a container").returncode == 1
    details: dict[str, dict[str, Any]] = {
        "recording": {},
        "conversion": {"folder": "converted"},
        "comparison": {"original": "a.safetensors", "new": "b.safetensors", "tolerance": 1e-3, "record_again": False},
        "tests": {"failed": 0, "passed": 1},
        "tokenizer": {"checkpoint": "converted"},
        "end-to-end": {"failed": 0, "passed": 1, "devices": ["cpu"], "written": {}, "checkpoint": "converted"},
    }
    for kind, detail in details.items():
        evidence = make(root, kind, passed=kind != "tests", figure="fine", files=[root / "pyproject.toml"], details=detail)  # fmt: skip
        store(root, "brand_new_bert", evidence)
    return root


@given(SEEDS)
@often
def test_what_is_kept_of_a_model(library: Path, seed: int) -> None:
    state = library / ".add-model" / "models" / "brand_new_bert"
    paths = [*sorted((state / "evidence").glob("*.json")), state / "written.json", state / "answers.toml"]
    path = paths[seed % len(paths)]
    before = path.read_bytes()
    with deep():
        if path.suffix == ".toml":
            text = as_toml(damaged(tomlkit.parse(before.decode()).unwrap(), seed, 2))
        else:
            text = as_json(damaged(json.loads(before), seed, 2))
    try:
        path.write_bytes(before if text is None else text)
        for command in (("status",), ("verify", "docs"), ("publish",)):
            is_answered(add_model_here(library, *command, "brand_new_bert"), 1)
    finally:
        path.write_bytes(before)
