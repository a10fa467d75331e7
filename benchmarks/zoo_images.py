"""How far the bundled models of images are from Transformers' classes on the same weights, and how fast and small beside them.

    python benchmarks/zoo_images.py [MODEL]... [--rounds 5] [--layers 4] [--threads 1]

Each model has the sizes of its published base checkpoints but for the number of its layers, and random weights, once here
and once with the installed Transformers, of which every class keeps the attention that it chooses by itself. Printed are
the greatest difference of what comes out, and ratios, Transformers being 1: of the time of a forward pass (a batch of 4
images of 224 x 224 pixels) and of a training step with AdamW, and of the memory that a forward pass and the loss with its
gradients take beyond the weights. Times are the processor's, and rounds alternate between the two.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch  # noqa: E402
import transformers  # noqa: E402
from torch import nn  # noqa: E402

from add_model.family import family  # noqa: E402
from add_model.zoo import registry  # noqa: E402
from add_model.zoo.auto import AutoConfig  # noqa: E402
from benchmarks.zoo import Pair, memory_ratio, ratio  # noqa: E402

BATCH, SIZE, LABELS = 4, 224, 10
GOALS = {"forward": 0.95, "step": 1.0, "memory": 1.0, "memory of gradients": 1.0}
# The class that is measured is the first of these that a model has.
TABLES = (
    registry.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES,
    registry.MODEL_FOR_PRETRAINING_MAPPING_NAMES,
    registry.MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES,
)
# How each model calls the number of its layers; those that are not listed have stages, and keep their own.
LAYERS = {"beit": "num_hidden_layers", "imagegpt": "n_layer", "vit": "num_hidden_layers", "vit_mae": "num_hidden_layers"}  # fmt: skip


def bundled() -> list[str]:
    """The models of images in the zoo, in the order of the family."""
    of_images = [member.model_type for member in family() if member.modality == "vision"]
    return [model_type for model_type in of_images if model_type in registry.MODEL_MAPPING_NAMES]


def make_pair(model_type: str, layers: int) -> Pair:
    """Builds both models, and gives ours the weights of theirs."""
    class_name = next(table[model_type] for table in TABLES if model_type in table)
    values: dict[str, Any] = {"num_labels": LABELS}
    if model_type in LAYERS:
        values[LAYERS[model_type]] = layers
    package = __import__(f"add_model.zoo.models.{model_type}", fromlist=[class_name])
    torch.manual_seed(0)
    config = AutoConfig.for_model(model_type, **values)
    published = transformers.AutoConfig.for_model(model_type, **values)
    theirs = getattr(transformers, class_name)(published).eval()
    ours = getattr(package, class_name)(config).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return Pair(ours, theirs, False, False)


def inputs_of(model: nn.Module) -> dict[str, torch.Tensor]:
    """Random images, or colours for a model that reads those, and the noise that decides what is masked."""
    generator = torch.Generator().manual_seed(0)
    config: Any = model.config
    if getattr(model, "main_input_name", "") == "input_ids":
        return {"input_ids": torch.randint(config.vocab_size - 1, (BATCH, config.n_positions), generator=generator)}
    inputs = {"pixel_values": torch.randn(BATCH, config.num_channels, SIZE, SIZE, generator=generator)}
    if hasattr(config, "mask_ratio"):
        inputs["noise"] = torch.rand(BATCH, (SIZE // config.patch_size) ** 2, generator=generator)
    return inputs


def labels_of(class_name: str) -> dict[str, Any]:
    """What a model learns from."""
    if class_name.endswith("ForImageClassification"):
        return {"labels": torch.arange(BATCH) % LABELS}
    if class_name.endswith("ForObjectDetection"):
        boxes = torch.tensor([[0.5, 0.5, 0.2, 0.3], [0.3, 0.4, 0.1, 0.1]])
        return {"labels": [{"class_labels": torch.tensor([1, 2]), "boxes": boxes} for _ in range(BATCH)]}
    return {}


def forward(model: nn.Module, inputs: dict[str, Any]) -> torch.Tensor:
    """The scores, or what is painted, without gradients."""
    with torch.no_grad():
        logits: torch.Tensor = model(**inputs).logits
    return logits


def trainer(model: nn.Module, inputs: dict[str, Any]) -> Callable[[], None]:
    """A function that does one step of training."""
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-5)

    def step() -> None:
        optimizer.zero_grad()
        model(**inputs).loss.backward()
        optimizer.step()

    return step


def measure(pair: Pair, rounds: int) -> dict[str, float]:
    """All figures of one model."""
    inputs = inputs_of(pair.ours)
    labelled = {**inputs, **labels_of(type(pair.ours).__name__)}
    figures = {
        "difference": float((forward(pair.ours, inputs) - forward(pair.theirs, inputs)).abs().max()),
        "forward": ratio(lambda: forward(pair.ours, inputs), lambda: forward(pair.theirs, inputs), rounds),
        "memory": memory_ratio(pair, lambda model: forward(model, inputs)),
    }
    pair.ours.train(), pair.theirs.train()
    figures["step"] = ratio(trainer(pair.ours, labelled), trainer(pair.theirs, labelled), rounds)
    figures["memory of gradients"] = memory_ratio(pair, lambda model: model(**labelled).loss.backward())
    return figures


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="model types; all of images that are bundled if left out")  # fmt: skip
    for name, default in (("rounds", 5), ("layers", 4), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    print(f"{'':<11}difference  {'  '.join(GOALS)}")
    table: dict[str, dict[str, float]] = {}
    for model_type in options.models or bundled():
        figures = table[model_type] = measure(make_pair(model_type, options.layers), options.rounds)
        cells = [f"{figures['difference']:>10.1e}", *(f"{figures[name]:>{len(name) - 1}.2f}x" for name in GOALS)]
        print(f"{model_type:<11}{'  '.join(cells)}", flush=True)
    for name, goal in GOALS.items():
        worst = max(table, key=lambda model_type: table[model_type][name])
        median = statistics.median(figures[name] for figures in table.values())
        print(f"{name:<20} median {median:.2f}x, worst {table[worst][name]:.2f}x ({worst})   (to reach: {goal:.2f}x)")


if __name__ == "__main__":
    main()
