"""Prints what a conversion costs: against a plain copy of the files, and against Transformers reading and writing them.

Run: python benchmarks/conversion.py [MEGABYTES] [ROUNDS]

Runs alternate, each in a process of its own; the medians of them are compared.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_MAKE = """
import sys, torch, transformers
torch.set_default_dtype(torch.bfloat16)
layers = max(1, int(sys.argv[2]) * 10**6 // (2 * 12_850_000))
config = transformers.LlamaConfig(hidden_size=1024, intermediate_size=2816, num_hidden_layers=layers, num_attention_heads=16, vocab_size=8000)
transformers.LlamaForCausalLM(config).save_pretrained(sys.argv[1], max_shard_size=f"{int(sys.argv[2]) // 3 + 1}MB")
"""
_PEER = (
    "import sys, transformers; transformers.LlamaForCausalLM.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[2])"
)
_IMPORTS = {
    "convert": "import transformers.models.llama.modeling_llama",
    "peer": "import transformers; transformers.LlamaForCausalLM",
}


def main() -> None:
    megabytes, rounds = int([*sys.argv, "500"][1]), int([*sys.argv, "500", "3"][2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        original = folder / "original"
        _run([sys.executable, "-c", _MAKE, str(original), str(megabytes)])
        convert = [sys.executable, "-m", "add_model", "convert", "transformers:llama", str(original), "--class", "LlamaForCausalLM"]  # fmt: skip
        commands = {
            "convert": lambda out: [*convert, "--out", str(out)],
            "peer": lambda out: [sys.executable, "-c", _PEER, str(original), str(out)],
            "cp": lambda out: ["cp", "-r", str(original), str(out)],
            "imports of convert": lambda _: [sys.executable, "-c", _IMPORTS["convert"]],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                seconds[name].append(_run(command(folder / "out")))
                shutil.rmtree(folder / "out", ignore_errors=True)
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    for name, median in medians.items():
        print(f"{name}: {median:.1f} s")
    print(f"convert against the peer: {medians['convert'] / medians['peer']:.2f}")
    print(
        f"convert without imports against cp: {(medians['convert'] - medians['imports of convert']) / medians['cp']:.2f}"
    )


def _run(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
