"""The converters of models of images, tried on what timm itself makes: its weights, and what comes out of them."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import load_file

from ..copies.released import installed_apart

TIMM = "timm==1.0.31"
# timm looks for torchvision, which brings another build of PyTorch along, and needs nothing of it for these models.
MAKE = """
import importlib.machinery, json, sys, types
from unittest.mock import MagicMock

class Stand(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()

for name in ("", ".models", ".models.feature_extraction", ".ops", ".ops.misc", ".transforms", ".transforms.functional", ".datasets"):
    module = Stand(f"torchvision{name}")
    module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, None)
    sys.modules[module.__name__] = module
sys.path.append(sys.argv[1])
import timm, torch
from safetensors.torch import save_file

for name, options, size in json.loads(sys.argv[3]):
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=7, **options).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            few = parameter.ndim < 2
            parameter.copy_(float(bool(few and (parameter == 1).all())) + torch.randn_like(parameter) * (0.1 if few else 0.2))
        images = torch.randn(2, 3, size, size)
        outputs = model(images)
    torch.save(model.state_dict(), f"{sys.argv[2]}/{name}.pt")
    save_file({"images": images, "outputs": outputs.contiguous()}, f"{sys.argv[2]}/{name}.safetensors")
"""


class Original(NamedTuple):
    """A small model of timm, and the configuration of the bundled one that is the same."""

    name: str
    options: dict[str, Any]
    size: int
    model: str
    class_name: str
    config: dict[str, Any]


ORIGINALS = (
    Original(
        "vit_tiny_patch16_224",
        {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 3, "num_heads": 4},
        32,
        "vit",
        "ViTForImageClassification",
        {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 128}
        | {"image_size": 32, "patch_size": 8, "layer_norm_eps": 1e-6},
    ),
    Original(
        "convnext_tiny",
        {"depths": (1, 2, 2, 1), "dims": (8, 16, 24, 32)},
        64,
        "convnext",
        "ConvNextForImageClassification",
        {"depths": [1, 2, 2, 1], "hidden_sizes": [8, 16, 24, 32], "image_size": 64, "layer_norm_eps": 1e-6},
    ),
    Original(
        "beit_base_patch16_224",
        {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 3, "num_heads": 4},
        32,
        "beit",
        "BeitForImageClassification",
        {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 128}
        | {"image_size": 32, "patch_size": 8, "layer_norm_eps": 1e-6, "layer_scale_init_value": 0.1}
        | {"use_relative_position_bias": True, "use_mean_pooling": True},
    ),
    Original(
        "swin_tiny_patch4_window7_224",
        {"img_size": 64, "embed_dim": 12, "depths": (2, 2), "num_heads": (2, 3), "window_size": 4},
        64,
        "swin",
        "SwinForImageClassification",
        {"image_size": 64, "embed_dim": 12, "depths": [2, 2], "num_heads": [2, 3], "window_size": 4},
    ),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that timm's weights and outputs are written to."""
    folder = tmp_path_factory.mktemp("timm")
    wanted = json.dumps([(each.name, each.options, each.size) for each in ORIGINALS])
    command = [sys.executable, "-c", MAKE, str(installed_apart(TIMM)), str(folder), wanted]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.model)
def test_a_model_of_timm_is_converted_and_gives_the_same_scores(
    original: Original, made: Path, tmp_path: Path
) -> None:
    package = f"add_model.zoo.models.{original.model}"
    (tmp_path / "config.json").write_text(
        json.dumps(
            {"model_type": original.model, "num_labels": 7, "architectures": [original.class_name], **original.config}
        )
    )
    convert = importlib.import_module(f"{package}.convert_{original.model}_checkpoint").convert_checkpoint
    convert(made / f"{original.name}.pt", tmp_path / "config.json", tmp_path / "model")
    model = getattr(importlib.import_module(package), original.class_name).from_pretrained(tmp_path / "model").eval()
    recorded = load_file(made / f"{original.name}.safetensors")
    with torch.no_grad():
        logits = model(recorded["images"]).logits
    torch.testing.assert_close(logits, recorded["outputs"], rtol=1e-5, atol=1e-5)
