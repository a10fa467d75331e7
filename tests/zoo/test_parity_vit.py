"""ViT here against ViT in Transformers: same weights, same numbers, on configurations drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from add_model.zoo.models import vit as ours

from .parity import (
    OF_TEXTS,
    PARITY_SETTINGS,
    assert_same_config,
    assert_same_gradients,
    assert_same_outputs,
    copy_weights,
    make_images,
)

HEADS = ("ViTModel", "ViTForImageClassification", "ViTForMaskedImageModeling")
BATCH = 2

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow


@st.composite
def vit_options(draw: Callable[..., Any]) -> dict[str, Any]:
    """Draw the arguments of a configuration, the same for both libraries."""
    heads = draw(st.integers(1, 4))
    patch_size = draw(st.integers(2, 5))
    return {
        "hidden_size": heads * draw(st.integers(2, 8)),
        "num_hidden_layers": draw(st.integers(1, 3)),
        "num_attention_heads": heads,
        "intermediate_size": draw(st.integers(1, 40)),
        "hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "quick_gelu", "relu"])),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-5, 1e-3])),
        "image_size": patch_size * draw(st.integers(1, 4)),
        "patch_size": patch_size,
        "num_channels": draw(st.integers(1, 4)),
        "qkv_bias": draw(st.booleans()),
        "encoder_stride": patch_size,
        "pooler_output_size": draw(st.sampled_from([None, 7])),
        "pooler_act": draw(st.sampled_from(["tanh", "relu"])),
        "num_labels": draw(st.integers(0, 4)),
    }


def build_pair(head: str, options: dict[str, Any], implementation: str) -> tuple[Any, Any]:
    """Return Transformers' model with random weights and ours filled with them, both in evaluation mode."""
    theirs = getattr(transformers, head)(transformers.ViTConfig(**options, attn_implementation=implementation))
    mine = getattr(ours, head)(ours.ViTConfig(**options, attention_implementation=implementation))
    copy_weights(theirs, mine)
    theirs.load_state_dict(mine.state_dict(), strict=True)
    return theirs.eval(), mine.eval()


def draw_inputs(head: str, options: dict[str, Any], seed: int) -> dict[str, torch.Tensor]:
    """Return random images, and what a head learns from."""
    size = options["image_size"]
    inputs = make_images(seed, BATCH, options["num_channels"], size, size)
    generator = torch.Generator().manual_seed(seed)
    if head == "ViTForMaskedImageModeling":
        patches = (size // options["patch_size"]) ** 2
        inputs["bool_masked_pos"] = torch.rand(BATCH, patches, generator=generator) < 0.5
    if head == "ViTForImageClassification" and options["num_labels"] > 0:
        labels = torch.randint(options["num_labels"], (BATCH,), generator=generator)
        inputs["labels"] = labels.float() if options["num_labels"] == 1 else labels
    return inputs


@pytest.mark.parametrize("head", HEADS)
@PARITY_SETTINGS
@given(options=vit_options(), seed=st.integers(0, 2**16), implementation=st.sampled_from(["eager", "sdpa"]))
def test_outputs_losses_hidden_states_and_attentions(
    head: str, options: dict[str, Any], seed: int, implementation: str
) -> None:
    torch.manual_seed(seed)
    theirs, mine = build_pair(head, options, implementation)
    wanted = {"output_hidden_states": True, "output_attentions": implementation == "eager"}
    inputs = draw_inputs(head, options, seed)
    with torch.no_grad():
        assert_same_outputs(theirs(**inputs, **wanted), mine(**inputs, **wanted))


@PARITY_SETTINGS
@given(options=vit_options(), seed=st.integers(0, 2**16), height=st.integers(5, 24), width=st.integers(5, 24))
def test_images_of_another_size(options: dict[str, Any], seed: int, height: int, width: int) -> None:
    torch.manual_seed(seed)
    theirs, mine = build_pair("ViTForImageClassification", options, "sdpa")
    inputs = make_images(seed, BATCH, options["num_channels"], height, width)
    with torch.no_grad():
        expected = theirs(**inputs, interpolate_pos_encoding=True)
        assert_same_outputs(expected, mine(**inputs, interpolate_pos_encoding=True))


@pytest.mark.parametrize("head", HEADS[1:])
@PARITY_SETTINGS
@given(options=vit_options(), seed=st.integers(0, 2**16))
def test_gradients(head: str, options: dict[str, Any], seed: int) -> None:
    torch.manual_seed(seed)
    options = {**options, "num_labels": max(2, options["num_labels"])}
    theirs, mine = build_pair(head, options, "sdpa")
    assert_same_gradients(theirs, mine, draw_inputs(head, options, seed))


@pytest.mark.parametrize("problem_type", ["regression", "multi_label_classification", None])
def test_losses_of_problem_types(problem_type: str | None) -> None:
    options = {**SMALL, "problem_type": problem_type, "num_labels": 3}
    theirs, mine = build_pair("ViTForImageClassification", options, "sdpa")
    inputs = make_images(0, BATCH, 3, 12, 12)
    labels = torch.randint(2, (BATCH, 3)).float()
    with torch.no_grad():
        assert_same_outputs(theirs(**inputs, labels=labels), mine(**inputs, labels=labels))


SMALL: dict[str, Any] = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 9,
    "image_size": 12,
    "patch_size": 4,
    "encoder_stride": 4,
    "num_labels": 2,
}


@PARITY_SETTINGS
@given(options=vit_options())
def test_config_json_both_ways(tmp_path_factory: pytest.TempPathFactory, options: dict[str, Any]) -> None:
    assert_same_config(transformers.ViTConfig, ours.ViTConfig, options, tmp_path_factory.mktemp("config"))


def test_defaults_are_published() -> None:
    published, mine = transformers.ViTConfig(), ours.ViTConfig()
    for name, value in mine.to_dict().items():
        if name not in OF_TEXTS:
            assert getattr(published, name) == value, name


@pytest.mark.parametrize("head", HEADS)
def test_checkpoints_both_ways(head: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    torch.manual_seed(0)
    theirs, mine = build_pair(head, SMALL, "sdpa")
    inputs = draw_inputs(head, {**SMALL, "num_channels": 3}, seed=0)
    theirs.save_pretrained(tmp_path / "theirs")
    mine.save_pretrained(tmp_path / "mine")
    loaded = getattr(ours, head).from_pretrained(tmp_path / "theirs")
    loaded_by_them, report = getattr(transformers, head).from_pretrained(tmp_path / "mine", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    assert not [warning for warning in recwarn if "was filled from" in str(warning.message)]
    with torch.no_grad():
        expected = theirs(**inputs)
        assert_same_outputs(expected, loaded(**inputs))
        assert_same_outputs(loaded_by_them.eval()(**inputs), mine(**inputs))
