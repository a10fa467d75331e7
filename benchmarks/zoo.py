"""How far the bundled text models are from Transformers' classes on the same weights, and how fast and small beside them.

    python benchmarks/zoo.py [MODEL]... [--rounds 5] [--hidden 256] [--layers 4] [--vocabulary 8192] [--threads 1]

Each model is built small, with random weights, once here and once with the installed Transformers, of which every class
keeps the attention that it chooses by itself. Printed are the greatest difference of the scores of all tokens, and ratios,
Transformers being 1: of the time of a forward pass (batch 4 x 256 and 1 x 16), of generating 100 tokens greedily from such
prompts, and of a training step with AdamW; and of the memory that a forward pass and the loss with its gradients take
beyond the weights. Times are the processor's, and rounds alternate between the two, so that a busy machine changes both
alike; each figure is a median.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch  # noqa: E402
import transformers  # noqa: E402
from torch import nn  # noqa: E402

from add_model.family import family  # noqa: E402
from add_model.zoo import registry  # noqa: E402
from add_model.zoo.auto import AutoConfig  # noqa: E402

SHAPES = ((4, 256), (1, 16))
NEW_TOKENS = 100
POSITIONS = 512
# What is to be reached, and the figures it is about.
GOALS = {"forward": 0.95, "generate": 0.6, "step": 1.0, "memory": 1.0}


class Pair(NamedTuple):
    """A bundled model and Transformers' of the same weights.

    Attributes:
        ours, theirs: the two, in evaluation mode.
        is_encoder_decoder: whether forward takes decoder inputs as well.
        generates: whether both have a method `generate` that is of use.
    """

    ours: nn.Module
    theirs: nn.Module
    is_encoder_decoder: bool
    generates: bool

    def inputs(self, shape: tuple[int, int], vocabulary: int) -> dict[str, torch.Tensor]:
        """Random ids of ordinary tokens, without padding."""
        ids = torch.randint(10, vocabulary, shape, generator=torch.Generator().manual_seed(0))
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        return {**inputs, "decoder_input_ids": ids} if self.is_encoder_decoder else inputs


def sizes(model_type: str, hidden: int, layers: int, vocabulary: int) -> dict[str, Any]:
    """The values of a small configuration, by the names that the model gives them.

    Raises:
        KeyError: the model is not known here.
    """
    heads, inner = hidden // 64, 4 * hidden
    bert = {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "max_position_embeddings": POSITIONS,
    }
    bart: dict[str, Any] = {"d_model": hidden, "max_position_embeddings": POSITIONS}
    for part in ("encoder", "decoder"):
        bart.update({f"{part}_layers": layers, f"{part}_attention_heads": heads, f"{part}_ffn_dim": inner})
    gpt = {"n_embd": hidden, "n_layer": layers, "n_head": heads, "n_positions": POSITIONS}
    known: dict[str, dict[str, Any]] = {
        "albert": {**bert, "embedding_size": hidden // 2},
        "bart": bart,
        "bert": bert,
        "bloom": {"hidden_size": hidden, "n_layer": layers, "n_head": heads},
        "deberta": {**bert, "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "type_vocab_size": 0},
        "distilbert": {
            **{"dim": hidden, "n_layers": layers, "n_heads": heads},
            **{"hidden_dim": inner, "max_position_embeddings": POSITIONS},
        },
        "gpt2": gpt,
        "gptj": {**gpt, "rotary_dim": 32},
        "longformer": {**bert, "max_position_embeddings": POSITIONS + 2, "attention_window": [64] * layers},
        "opt": {
            **{"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads},
            **{"ffn_dim": inner, "max_position_embeddings": POSITIONS},
        },
        "pegasus": bart,
        "roberta": {**bert, "max_position_embeddings": POSITIONS + 2},
        "t5": {"d_model": hidden, "d_kv": 64, "d_ff": inner, "num_layers": layers, "num_heads": heads},
        "xlnet": {"d_model": hidden, "n_layer": layers, "n_head": heads, "d_inner": inner},
    }
    return {"vocab_size": vocabulary, **known[model_type]}


def bundled() -> list[str]:
    """The text models of the zoo, in the order of the family."""
    of_text = [member.model_type for member in family() if member.modality == "text"]
    return [model_type for model_type in of_text if model_type in registry.MODEL_MAPPING_NAMES]


def make_pair(model_type: str, values: dict[str, Any]) -> Pair:
    """Builds both models, with the head that was trained first, and gives ours the weights of theirs."""
    kind = next(member.kind for member in family() if member.model_type == model_type)
    tables = {
        "encoder": registry.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
        "decoder": registry.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        "encoder-decoder": registry.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    }
    class_name = tables[kind][model_type]
    package = __import__(f"add_model.zoo.models.{model_type}", fromlist=[class_name])
    torch.manual_seed(0)
    theirs = getattr(transformers, class_name)(transformers.AutoConfig.for_model(model_type, **values)).eval()
    ours = getattr(package, class_name)(AutoConfig.for_model(model_type, **values)).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return Pair(ours, theirs, kind == "encoder-decoder", kind != "encoder" and hasattr(ours, "generate"))


def seconds(run: Callable[[], object]) -> float:
    """The processor's time of one call, all threads together."""
    start = time.process_time()
    run()
    return time.process_time() - start


def ratio(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> float:
    """The median time of ours by that of theirs, in rounds that alternate and begin with either in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(-1, rounds):
        for which in (0, 1) if number % 2 else (1, 0):
            taken = seconds((ours, theirs)[which])
            if number >= 0:  # the first round warms up
                times[which].append(taken)
    return statistics.median(times[0]) / statistics.median(times[1])


def forward(model: nn.Module, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """The scores of all tokens, without gradients."""
    with torch.no_grad():
        logits: torch.Tensor = model(**inputs).logits
    return logits


def loss_and_gradients(model: nn.Module, inputs: dict[str, torch.Tensor]) -> None:
    """A forward pass with labels, and backward."""
    labels = inputs.get("decoder_input_ids", inputs["input_ids"])
    model(**inputs, labels=labels).loss.backward()


def trainer(model: nn.Module, inputs: dict[str, torch.Tensor]) -> Callable[[], None]:
    """A function that does one step of training."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)

    def step() -> None:
        optimizer.zero_grad()
        loss_and_gradients(model, inputs)
        optimizer.step()

    return step


def generator(model: nn.Module, inputs: dict[str, torch.Tensor], vocabulary: int) -> Callable[[], torch.Tensor]:
    """A function that generates as many tokens as there are to be: the id that would end a text is none."""
    prompts = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    options = {"max_new_tokens": NEW_TOKENS, "eos_token_id": vocabulary, "pad_token_id": 0, "do_sample": False}
    generate: Callable[..., torch.Tensor] = getattr(model, "generate")  # noqa: B009 - a module says nothing of it
    return lambda: generate(**prompts, **options)


def peak_memory(run: Callable[[], object]) -> int:
    """By how many bytes the resident memory of the process rises while a function runs."""
    # Linux forgets the highest mark when 5 is written there.
    Path("/proc/self/clear_refs").write_text("5")

    def status(name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))

    before = status("VmRSS")
    run()
    return status("VmHWM") - before


def memory_ratio(pair: Pair, run: Callable[[nn.Module], object]) -> float:
    """The memory that ours takes by that of theirs, after one run of each that fills what stays."""
    # Large blocks shall go back to the system when they are freed, so that the next ones count anew: what glibc's
    # mallopt calls M_MMAP_THRESHOLD.
    libc, mmap_threshold = ctypes.CDLL(None), -3
    libc.mallopt(mmap_threshold, 1 << 16)
    taken: dict[nn.Module, list[int]] = {pair.ours: [], pair.theirs: []}
    # Whichever comes second finds memory that the first has left; so each comes second once, and that counts.
    for model in (pair.ours, pair.theirs, pair.theirs, pair.ours):
        run(model)
        model.zero_grad(set_to_none=True)
        libc.malloc_trim(0)
        taken[model].append(peak_memory(lambda model=model: run(model)))
        model.zero_grad(set_to_none=True)
    libc.mallopt(mmap_threshold, 1 << 25)
    return min(taken[pair.ours]) / min(taken[pair.theirs])


def measure(pair: Pair, vocabulary: int, rounds: int) -> dict[str, float]:
    """All figures of one model."""
    figures: dict[str, float] = {}
    for shape in SHAPES:
        inputs, name = pair.inputs(shape, vocabulary), f"{shape[0]}x{shape[1]}"
        distance = (forward(pair.ours, inputs) - forward(pair.theirs, inputs)).abs().max()
        figures["difference"] = max(figures.get("difference", 0.0), float(distance))
        figures[f"forward {name}"] = ratio(
            lambda inputs=inputs: forward(pair.ours, inputs),
            lambda inputs=inputs: forward(pair.theirs, inputs),
            rounds,
        )
        if pair.generates:
            ours, theirs = generator(pair.ours, inputs, vocabulary), generator(pair.theirs, inputs, vocabulary)
            figures["other ids"] = figures.get("other ids", 0.0) + float((ours() != theirs()).sum())
            figures[f"generate {name}"] = ratio(ours, theirs, max(1, rounds // 2))
    inputs = pair.inputs(SHAPES[0], vocabulary)
    figures["memory"] = memory_ratio(pair, lambda model: forward(model, inputs))
    pair.ours.train(), pair.theirs.train()
    figures["step 4x256"] = ratio(trainer(pair.ours, inputs), trainer(pair.theirs, inputs), rounds)
    figures["memory of gradients"] = memory_ratio(pair, lambda model: loss_and_gradients(model, inputs))
    return figures


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help="model types; all of text that are bundled if left out"
    )
    for name, default in (("rounds", 5), ("hidden", 256), ("layers", 4), ("vocabulary", 8192), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    columns = ("difference", "forward 4x256", "forward 1x16", "generate 4x256", "generate 1x16", "step 4x256", "memory", "memory of gradients")  # fmt: skip
    print(f"{'':<11}{'  '.join(columns)}")
    table: dict[str, dict[str, float]] = {}
    for model_type in options.models or bundled():
        values = sizes(model_type, options.hidden, options.layers, options.vocabulary)
        figures = table[model_type] = measure(make_pair(model_type, values), options.vocabulary, options.rounds)
        cells = [f"{figures['difference']:.1e}", *(f"{figures[name]:.2f}x" if name in figures else "-" for name in columns[1:])]  # fmt: skip
        print(f"{model_type:<11}" + "  ".join(f"{cell:>{len(name)}}" for name, cell in zip(columns, cells, strict=True)), flush=True)  # fmt: skip
        if figures.get("other ids"):
            print(f"{'':<11}{figures['other ids']:.0f} of the generated ids are others")
    print(f"\ngreatest difference: {max(figures['difference'] for figures in table.values()):.1e}   (to reach: 1e-05)")
    for group, goal in GOALS.items():
        for column in (name for name in columns if name.startswith(group)):
            found = {name: figures[column] for name, figures in table.items() if column in figures}
            if found:
                worst = max(found, key=lambda name: found[name])
                print(f"{column:<20} median {statistics.median(found.values()):.2f}x, worst {found[worst]:.2f}x ({worst})   (to reach: {goal:.2f}x)")  # fmt: skip


if __name__ == "__main__":
    main()
