"""How far the bundled models of images are from Transformers' classes on the same weights, and how fast and small beside them.

    python benchmarks/zoo_images.py [MODEL]... [--rounds 5] [--threads 1]

As `zoo.py` does for models of text: each model is built with fewer layers than published and random weights, once here and
once with the installed Transformers, of which every class keeps the attention that it chooses by itself. Printed are the
greatest difference of the first output, and ratios, Transformers being 1: of the time of a forward pass (four images of
224 x 224 pixels; 16 x 16 of ImageGPT, whose tokens are pixels), of a training step with AdamW, and of the memory that a forward
pass and the loss with its gradients take beyond the weights.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Callable
from typing import Any

import torch
import transformers
from torch import nn
from zoo import GOALS, Pair, memory_ratio, ratio

from add_model.family import family
from add_model.zoo import registry
from add_model.zoo.auto import AutoConfig

BATCH, SIDE, LABELS, COLOURS = 4, 224, 10, 512
COLUMNS = ("difference", "forward", "step", "memory", "memory of gradients")
Inputs = dict[str, Any]

# Fewer layers than published, in sizes that are.
ENCODER = {"hidden_size": 384, "num_hidden_layers": 4, "num_attention_heads": 6, "intermediate_size": 1536}
SIZES: dict[str, dict[str, Any]] = {
    "beit": ENCODER,
    "convnext": {"depths": [1, 1, 3, 1]},
    "detr": {"encoder_layers": 2, "decoder_layers": 2, "num_queries": 20},
    "imagegpt": {"n_embd": 256, "n_layer": 4, "n_head": 4, "n_positions": 256},
    "segformer": {"depths": [1, 1, 1, 1]},
    "swin": {"depths": [2, 2, 2, 2]},
    "vit": ENCODER,
    "vit_mae": {
        **ENCODER,
        "decoder_hidden_size": 256,
        "decoder_num_hidden_layers": 2,
        "decoder_num_attention_heads": 8,
    },
}


def bundled() -> list[str]:
    """The models of images in the zoo, in the order of the family."""
    of_images = [member.model_type for member in family() if member.modality == "vision"]
    return [model_type for model_type in of_images if model_type in registry.MODEL_MAPPING_NAMES]


def class_of(model_type: str) -> str:
    """The class with the head that is measured: a classifier where the model has one."""
    tables = (
        registry.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES,
        registry.MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES,
        registry.MODEL_FOR_PRETRAINING_MAPPING_NAMES,
    )
    return next(table[model_type] for table in tables if model_type in table)


def make_pair(model_type: str) -> Pair:
    """Builds both models and gives ours the weights of theirs."""
    values = {"num_labels": LABELS, **SIZES[model_type]}
    published, own = dict(values), dict(values)
    if model_type == "detr":
        backbone = {"depths": [1, 1, 1, 1], "out_features": ["stage4"]}
        resnet: Any = transformers.ResNetConfig
        published |= {"backbone_config": resnet(**backbone), "use_timm_backbone": False}
        own |= {"backbone_config": backbone}
    class_name = class_of(model_type)
    package = __import__(f"add_model.zoo.models.{model_type}", fromlist=[class_name])
    torch.manual_seed(0)
    theirs = getattr(transformers, class_name)(transformers.AutoConfig.for_model(model_type, **published)).eval()
    ours = getattr(package, class_name)(AutoConfig.for_model(model_type, **own)).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    for name, weight in theirs.named_parameters():
        # Of DETR's ResNet theirs trains nothing, by mistake (findings/detr_auxiliary_loss_is_another_model.sh).
        weight.requires_grad_(ours.get_parameter(name).requires_grad)
    return Pair(ours, theirs, is_encoder_decoder=False, generates=False)


def make_inputs(model_type: str) -> tuple[Inputs, Inputs]:
    """Images, and the labels that a loss is had with."""
    generator = torch.Generator().manual_seed(0)
    labels: Inputs = {"labels": torch.arange(BATCH) % LABELS}
    if model_type == "imagegpt":
        return {"input_ids": torch.randint(COLOURS, (BATCH, 256), generator=generator)}, labels
    inputs: Inputs = {"pixel_values": torch.randn(BATCH, 3, SIDE, SIDE, generator=generator)}
    if model_type == "vit_mae":
        # Which patches are seen, the same ones in both.
        return {**inputs, "noise": torch.rand(BATCH, (SIDE // 16) ** 2, generator=generator)}, {}
    if model_type == "detr":
        boxes = torch.rand(3, 4, generator=generator) / 4 + 0.3
        labels = {"labels": [{"class_labels": torch.tensor([1, 2, 3]), "boxes": boxes} for _ in range(BATCH)]}
    return inputs, labels


def forward(model: nn.Module, inputs: Inputs) -> torch.Tensor:
    """The scores, or what a model without scores returns first beside a loss, without gradients."""
    with torch.no_grad():
        outputs = model(**inputs)
    scores: torch.Tensor = outputs["logits"]
    return scores


def training(model: nn.Module, inputs: Inputs) -> Callable[[], None]:
    """A function that goes forward with labels, and backward."""
    return lambda: model(**inputs).loss.backward()


def measure(model_type: str, rounds: int) -> dict[str, float]:
    """All figures of one model."""
    pair = make_pair(model_type)
    inputs, labels = make_inputs(model_type)
    figures = {"difference": float((forward(pair.ours, inputs) - forward(pair.theirs, inputs)).abs().max())}
    figures["forward"] = ratio(lambda: forward(pair.ours, inputs), lambda: forward(pair.theirs, inputs), rounds)
    figures["memory"] = memory_ratio(pair, lambda model: forward(model, inputs))
    pair.ours.train(), pair.theirs.train()
    both = {**inputs, **labels}
    figures["step"] = ratio(step(pair.ours, both), step(pair.theirs, both), rounds)
    figures["memory of gradients"] = memory_ratio(pair, lambda model: training(model, both)())
    return figures


def step(model: nn.Module, inputs: Inputs) -> Callable[[], None]:
    """A function that does one step of training."""
    optimizer, gradients = torch.optim.AdamW(model.parameters(), lr=1e-5), training(model, inputs)

    def run() -> None:
        optimizer.zero_grad()
        gradients()
        optimizer.step()

    return run


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help="model types; all of images that are bundled if left out"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    print(f"{'':<11}{'  '.join(COLUMNS)}")
    table: dict[str, dict[str, float]] = {}
    for model_type in options.models or bundled():
        figures = table[model_type] = measure(model_type, options.rounds)
        cells = [f"{figures['difference']:.1e}", *(f"{figures[name]:.2f}x" for name in COLUMNS[1:])]
        print(f"{model_type:<11}" + "  ".join(f"{cell:>{len(name)}}" for name, cell in zip(COLUMNS, cells, strict=True)), flush=True)  # fmt: skip
    print(f"\ngreatest difference: {max(figures['difference'] for figures in table.values()):.1e}   (to reach: 1e-05)")
    for column in COLUMNS[1:]:
        found = {name: figures[column] for name, figures in table.items()}
        worst, goal = max(found, key=lambda name: found[name]), GOALS[column.partition(" ")[0]]
        print(f"{column:<20} median {statistics.median(found.values()):.2f}x, worst {found[worst]:.2f}x ({worst})   (to reach: {goal:.2f}x)")  # fmt: skip


if __name__ == "__main__":
    main()
