"""What recording a forward pass costs, as a ratio to the plain pass measured in the same run.

    python benchmarks/recording.py [--rounds 9] [--batch 4] [--length 128] [--folder /dev/shm]

BERT, GPT-2 and BART in the sizes of their smallest published checkpoints, with random weights. Rounds alternate between
plain and recorded, so that a busy machine slows both alike; each figure is a median, and everything that recording does
is counted: the hooks, the parameters, the values, and putting the file in its place, where none stands yet. What writing
as many bytes to that folder takes, and nothing else, is printed beside it: it is the least that any recording costs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch  # noqa: E402
from torch import nn  # noqa: E402

from add_model.porting.recording import record_forward  # noqa: E402
from add_model.zoo.models import bart, bert, gpt2  # noqa: E402


def models() -> Iterator[tuple[str, nn.Module]]:
    """The three models, one at a time."""
    yield "bert", bert.BertModel(bert.BertConfig())
    yield "gpt2", gpt2.GPT2Model(gpt2.GPT2Config(use_cache=False))
    sizes = {
        "d_model": 768,
        "encoder_layers": 6,
        "decoder_layers": 6,
        "encoder_ffn_dim": 3072,
        "decoder_ffn_dim": 3072,
    }
    heads = {"encoder_attention_heads": 12, "decoder_attention_heads": 12}
    yield "bart", bart.BartModel(bart.BartConfig(**sizes, **heads, use_cache=False))


def seconds(run: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure(model: nn.Module, ids: torch.Tensor, path: Path, rounds: int) -> tuple[float, float]:
    """Median seconds of the plain and of the recorded forward pass."""

    def recorded() -> None:
        with record_forward(model, path):
            model(ids)

    plain_times, recorded_times = [], []
    with torch.no_grad():
        for number in range(rounds + 1):
            path.unlink(missing_ok=True)
            plain, with_file = seconds(lambda: model(ids)), seconds(recorded)
            if number:  # the first round warms up
                plain_times.append(plain)
                recorded_times.append(with_file)
    return statistics.median(plain_times), statistics.median(recorded_times)


def bare_writing(path: Path, rounds: int) -> float:
    """Median seconds of writing a file of that file's size beside it, from memory that is at hand."""
    other, size, block = path.with_suffix(".bare"), path.stat().st_size, bytes(1 << 22)

    def write() -> None:
        with open(other, "wb", buffering=0) as file:
            for _ in range(size // len(block)):
                file.write(block)

    taken = []
    for _ in range(rounds):
        other.unlink(missing_ok=True)
        taken.append(seconds(write))
    other.unlink()
    return statistics.median(taken)


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"), help="a folder in memory")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    ids = torch.randint(5, 30000, (arguments.batch, arguments.length))
    ratios = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for name, model in models():
            path = Path(folder) / "run.safetensors"
            plain, recorded = measure(model.eval(), ids, path, arguments.rounds)
            ratios.append(recorded / plain)
            size, writing = path.stat().st_size / 1e6, bare_writing(path, arguments.rounds)
            print(
                f"{name:<6} plain {plain * 1000:6.0f} ms   recorded {recorded * 1000:6.0f} ms   {ratios[-1]:5.2f}x   "
                f"writing {size:4.0f} MB alone {writing * 1000:4.0f} ms, with the plain pass {1 + writing / plain:5.2f}x"
            )
    print(f"\nrecorded / plain forward pass, the worst of {len(ratios)}: {max(ratios):5.2f}x   (to reach: 1.3x)")


if __name__ == "__main__":
    main()
