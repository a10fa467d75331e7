"""How much memory a forward pass of Longformer takes beyond its weights, from texts of 1 k to texts of 16 k tokens.

    python benchmarks/long_texts.py [--lengths 1024 2048 4096 8192 16384] [--hidden 128] [--layers 2] [--window 512]

Printed is the peak of each length, in MiB and by that of the shortest one: with attention in windows it grows as the
length does, where attention of every pair would grow as its square. Eight tokens are global.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import torch  # noqa: E402
from zoo import peak_memory  # noqa: E402

from add_model.zoo.models.longformer import LongformerConfig, LongformerModel  # noqa: E402

VOCABULARY = 1000


def forward(model: LongformerModel, length: int) -> None:
    """One text, without gradients."""
    ids = torch.randint(10, VOCABULARY, (1, length))
    with torch.no_grad():
        model(ids, global_attention_mask=(torch.arange(length) < 8).long()[None])


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", default=[1024, 2048, 4096, 8192, 16384])
    for name, default in (("hidden", 128), ("layers", 2), ("window", 512)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = LongformerConfig(
        vocab_size=VOCABULARY,
        hidden_size=options.hidden,
        num_hidden_layers=options.layers,
        num_attention_heads=max(1, options.hidden // 64),
        intermediate_size=4 * options.hidden,
        max_position_embeddings=max(options.lengths) + 2,
        attention_window=options.window,
    )
    model = LongformerModel(config).eval()
    # Large blocks shall go back to the system when they are freed: what glibc's mallopt calls M_MMAP_THRESHOLD.
    libc, mmap_threshold = ctypes.CDLL(None), -3
    libc.mallopt(mmap_threshold, 1 << 16)
    peaks: dict[int, int] = {}
    for length in options.lengths:
        forward(model, length)  # the first one fills what stays
        libc.malloc_trim(0)
        peaks[length] = peak_memory(lambda length=length: forward(model, length))
    for length, peak in peaks.items():
        growth = f"{length / options.lengths[0]:.1f}x the tokens, {peak / peaks[options.lengths[0]]:.1f}x the memory"
        print(f"{length:>6} tokens {peak / 2**20:>8.1f} MiB   {growth}")


if __name__ == "__main__":
    main()
