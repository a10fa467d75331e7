"""What `compare` takes where two recordings differ a little, as a ratio to where they are equal, and its memory.

    python benchmarks/compare.py [--layers 6] [--width 768] [--length 768] [--batch 1] [--rounds 3] [--folder /dev/shm]

Three recordings of a model with attention are compared in processes of their own: with themselves; with one whose
attention is a little different, in no way that is known, which sends the search for a cause through everything that it
knows; and with one that differs by a known cause. The processor's time of the whole command is what counts, as the
machine may be busy, and the largest memory that it had, what it maps of the files included. With `--length 2048 --batch
2` a recording takes 1.5 GB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch  # noqa: E402
from torch import nn  # noqa: E402

from add_model.porting.recording import record_forward  # noqa: E402

_WORDS = 1000


class Attention(nn.Module):
    """Attention whose scores are multiplied by one factor more."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.heads, self.factor, self.is_causal = heads, 1.0, False

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """`(batch, length, width)` from the same, a head and a text at a time."""
        batch, length, width = states.shape
        projections = [part(states).view(batch, length, self.heads, -1) for part in (self.query, self.key, self.value)]
        query, key, value = (each.transpose(1, 2) for each in projections)
        scale = self.factor * (width // self.heads) ** -0.5
        made = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=self.is_causal, scale=scale)
        return made.transpose(1, 2).reshape(batch, length, width)


class Layer(nn.Module):
    """Attention and a network, each with a residual and a normalisation."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention, self.dense, self.first_norm = Attention(width, heads), nn.Linear(width, width), nn.LayerNorm(width)  # fmt: skip
        self.up, self.activation, self.down = nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        self.second_norm = nn.LayerNorm(width)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """`(batch, length, width)` from the same."""
        states = self.first_norm(states + self.dense(self.attention(states)))
        changed: torch.Tensor = self.second_norm(states + self.down(self.activation(self.up(states))))
        return changed


class Model(nn.Module):
    """Embeddings, layers, and a head."""

    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(_WORDS, width), nn.Linear(width, _WORDS)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """`(batch, length, words)` from ids."""
        states = self.embedding(input_ids)
        for layer in self.layers:
            states = layer(states)
        scores: torch.Tensor = self.head(states)
        return scores


def record(model: Model, ids: torch.Tensor, path: Path, change: Callable[[Attention], object]) -> Path:
    """Records a pass of a model whose second layer's attention is changed."""
    attention = model.layers[1].attention
    before = {name: getattr(attention, name) for name in ("factor", "is_causal")}
    change(attention)
    with torch.no_grad(), record_forward(model, path):
        model(input_ids=ids)
    for name, value in before.items():
        setattr(attention, name, value)
    return path


def measured(first: Path, second: Path) -> tuple[float, float, str]:
    """The seconds of the processor and the megabytes that a comparison takes, and what it says of the cause."""
    command = [str(Path(sys.executable).with_name("add-model")), "compare", str(first), str(second)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=first.parent, env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    found = [line for line in said.splitlines() if line.startswith(("cause", "untested", "error"))]
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, "; ".join(found)[:150]


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("layers", 6), ("width", 768), ("length", 768), ("batch", 1), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"), help="a folder in memory")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = Model(arguments.width, arguments.width // 64, arguments.layers).eval()
    for layer in model.layers:
        layer.attention.factor = 1.07
    ids = torch.randint(0, _WORDS, (arguments.batch, arguments.length))
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        original = record(model, ids, Path(folder) / "original.safetensors", lambda attention: None)
        unknown = record(model, ids, Path(folder) / "new.safetensors", lambda attention: setattr(attention, "factor", 1.03))  # fmt: skip
        print(f"{original.stat().st_size / 1e6:.0f} MB each", flush=True)
        taken: dict[str, list[tuple[float, float, str]]] = {"equal": [], "unknown cause": []}
        for _ in range(arguments.rounds):
            taken["equal"].append(measured(original, original))
            taken["unknown cause"].append(measured(original, unknown))
        for layer in model.layers:
            layer.attention.factor = 1.0
        record(model, ids, original, lambda attention: setattr(attention, "is_causal", True))
        record(model, ids, unknown, lambda attention: None)
        taken["known cause"] = [measured(original, unknown) for _ in range(arguments.rounds)]
    usual = min(seconds for seconds, _, _ in taken["equal"])
    for name, runs in taken.items():
        seconds, memory = min(run[0] for run in runs), max(run[1] for run in runs)
        print(f"{name:<14} {seconds:6.2f} s {seconds / usual:5.2f}x {memory:6.0f} MB  {runs[0][2]}")
    worst = max(min(run[0] for run in runs) for runs in taken.values()) / usual
    memory = max(run[1] for runs in taken.values() for run in runs)
    print(f"the worst: {worst:.2f}x, {memory:.0f} MB   (to reach: 5x, 1000 MB)")


if __name__ == "__main__":
    main()
