"""How fast the bundled image processors are beside Transformers' on Pillow, and how far their results apart.

    python benchmarks/images.py [MODEL]... [--images 64] [--height 480] [--width 640] [--rounds 5] [--threads 1]

Each processes the same images of random pixels, from Pillow's images to one tensor, with the options of its published
checkpoint. Printed are the greatest difference, and the ratio of the median times, Transformers being 1: the processor's
times, of rounds that alternate between the two.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np  # noqa: E402
import PIL.Image  # noqa: E402
import torch  # noqa: E402
from zoo import ratio  # noqa: E402

from add_model.zoo import registry  # noqa: E402
from add_model.zoo.auto import import_class  # noqa: E402

GOAL = 1.0
# What a checkpoint says where the class leaves it open; the published ImageGPT reads 32 by 32 pixels in 512 colours.
OF_CHECKPOINTS: dict[str, dict[str, Any]] = {
    "imagegpt": {
        "size": {"height": 32, "width": 32},
        "clusters": np.random.default_rng(0).uniform(-1, 1, (512, 3)).tolist(),
    },  # fmt: skip
}


def published_models() -> list[str]:
    """The models whose processor is published as a class of its own."""
    return [name for name in sorted(registry.IMAGE_PROCESSOR_MAPPING_NAMES) if published_class(name) is not None]


def published_class(model_type: str) -> Any:
    """Transformers' class on Pillow; `None` where the model uses another one's."""
    try:
        module = importlib.import_module(f"transformers.models.{model_type}.image_processing_pil_{model_type}")
    except ModuleNotFoundError:
        return None
    return getattr(module, f"{registry.IMAGE_PROCESSOR_MAPPING_NAMES[model_type]}Pil")


def processing(processor: Any, images: list[PIL.Image.Image]) -> Callable[[], Any]:
    """A function that processes the images once."""
    return lambda: processor(images, return_tensors="pt")


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="model types; all with a processor if left out")
    for name, default in (("images", 64), ("height", 480), ("width", 640), ("rounds", 5), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    generator, shape = np.random.default_rng(0), (options.height, options.width, 3)
    images = [PIL.Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8)) for _ in range(options.images)]
    print(f"{'':<11}difference  time")
    ratios: dict[str, float] = {}
    for model_type in options.models or published_models():
        values = OF_CHECKPOINTS.get(model_type, {})
        ours = processing(
            import_class(model_type, registry.IMAGE_PROCESSOR_MAPPING_NAMES[model_type])(**values), images
        )
        theirs = processing(published_class(model_type)(**values), images)
        mine, other = ours(), theirs()
        difference = max(float((mine[name] - other[name]).abs().max()) for name in mine)
        del mine, other
        ratios[model_type] = ratio(ours, theirs, options.rounds)
        print(f"{model_type:<11}{difference:>10.1e}  {ratios[model_type]:.2f}x", flush=True)
    worst = max(ratios, key=lambda name: ratios[name])
    print(
        f"\nmedian {statistics.median(ratios.values()):.2f}x, worst {ratios[worst]:.2f}x ({worst})   (to reach: {GOAL:.2f}x)"
    )


if __name__ == "__main__":
    main()
