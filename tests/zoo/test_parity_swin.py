"""Swin computes what the published implementation computes, for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from add_model.zoo.modeling_utils import PreTrainedModel
from add_model.zoo.models.swin import modeling_swin
from add_model.zoo.models.swin.configuration_swin import SwinConfig

from .parity import (
    PARITY_SETTINGS,
    SEQUENCE_LABELS,
    TOLERANCE,
    assert_same_config,
    assert_same_gradients,
    assert_same_outputs,
    copy_weights,
    make_images,
)

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

# Every example has stages of its own, and goes forward three times.
SWIN_SETTINGS = settings(PARITY_SETTINGS, max_examples=16)
HEADS = ["SwinModel", "SwinForImageClassification", "SwinForMaskedImageModeling", "SwinBackbone"]
# Heights and widths of images: square and not, multiples of patches and of windows and not.
SIZES = [(32, 32), (48, 40), (40, 56), (45, 50), (64, 64)]


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    """A configuration for images whose last grid has at least the size of a window."""
    stages = draw(st.integers(1, 3))
    heads = [draw(st.sampled_from([1, 2])) * 2**stage for stage in range(stages)]
    window_size = draw(st.integers(1, 4))
    patch_size = draw(st.sampled_from([2, 4] if stages < 3 else [2]))
    return {
        "image_size": 32,
        "patch_size": patch_size,
        "num_channels": draw(st.sampled_from([1, 3])),
        "embed_dim": 2 * draw(st.sampled_from([3, 4, 8])),
        "depths": [draw(st.integers(1, 3)) for _ in range(stages)],
        "num_heads": heads,
        "window_size": window_size,
        "mlp_ratio": draw(st.sampled_from([1.5, 4.0])),
        "qkv_bias": draw(st.booleans()),
        "drop_path_rate": draw(st.sampled_from([0.0, 0.4])),
        "hidden_act": draw(st.sampled_from(["gelu", "relu", "gelu_new"])),
        "use_absolute_embeddings": draw(st.booleans()),
        "layer_norm_eps": draw(st.sampled_from([1e-5, 1e-3])),
        "initializer_range": draw(st.sampled_from([0.02, 0.1])),
        "encoder_stride": patch_size * 2 ** (stages - 1),
        "num_labels": draw(st.integers(0, 4)),
        "out_features": draw(st.sampled_from([None, ["stem"], ["stem", "stage1"], [f"stage{stages}"]])),
    }


def make_pair(head: str, values: dict[str, Any], seed: int) -> tuple[Any, PreTrainedModel]:
    """Return the published model and ours with the same weights, both in evaluation mode."""
    torch.manual_seed(seed)
    published = getattr(transformers, head)(transformers.SwinConfig(**values, attn_implementation="eager")).eval()
    ours: PreTrainedModel = getattr(modeling_swin, head)(SwinConfig(**values)).eval()
    # The tables of relative positions start as zeros there, which would hide what is looked up in them.
    with torch.no_grad():
        for name, weight in published.named_parameters():
            if name.endswith(("relative_position_bias_table", "position_embeddings", "mask_token")):
                weight.normal_(std=0.5)
    copy_weights(published, ours)
    published.load_state_dict(ours.state_dict(), strict=True)
    return published, ours


def first_outputs(published: Any) -> dict[str, Any]:
    """Return the outputs that are there without being asked for."""
    names = ("last_hidden_state", "pooler_output", "loss", "logits", "reconstruction", "feature_maps")
    return {name: published[name] for name in names if name in published}


@pytest.mark.parametrize("head", HEADS)
@SWIN_SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    batch=st.integers(1, 3),
    size=st.sampled_from(SIZES),
    attention_implementation=st.sampled_from(["sdpa", "eager"]),
)
def test_outputs_are_those_of_the_published_model(
    head: str, values: dict[str, Any], seed: int, batch: int, size: tuple[int, int], attention_implementation: str
) -> None:
    is_reconstructed = head == "SwinForMaskedImageModeling"
    # What the published model takes only in the size of its configuration, or in squares of whole patches.
    if is_reconstructed or (head == "SwinBackbone" and values["use_absolute_embeddings"]):
        size = (32, 32)
    elif values["use_absolute_embeddings"]:
        size = (64, 48)
    published, ours = make_pair(head, values, seed)
    ours.config.attention_implementation = attention_implementation
    inputs = make_images(seed, batch, values["num_channels"], *size)
    options: dict[str, Any] = {}
    if values["use_absolute_embeddings"] and head != "SwinBackbone":
        options["interpolate_pos_encoding"] = True
    if is_reconstructed:
        patches = (32 // values["patch_size"]) ** 2
        options["bool_masked_pos"] = torch.rand(batch, patches, generator=torch.Generator().manual_seed(seed)) < 0.5
    wanted = {"output_hidden_states": True, "output_attentions": True}
    with torch.no_grad():
        expected = published(**inputs, **options, **wanted)
        assert_same_outputs(expected, ours(**inputs, **options, **wanted))
        # Without probabilities it is the fused function that attends.
        assert_same_outputs(first_outputs(expected), ours(**inputs, **options))


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
@SWIN_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_image_classification_loss(case: str, values: dict[str, Any], seed: int) -> None:
    num_labels, problem_type, labels = SEQUENCE_LABELS[case]
    published, ours = make_pair(
        "SwinForImageClassification", {**values, "num_labels": num_labels, "problem_type": problem_type}, seed
    )
    inputs = make_images(seed, 3, values["num_channels"], 32, 32)
    with torch.no_grad():
        expected = published(**inputs, labels=labels)
        actual = ours(**inputs, labels=labels)
    torch.testing.assert_close(actual.loss, expected.loss, atol=TOLERANCE, rtol=TOLERANCE)


@SWIN_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_gradients_of_the_losses(values: dict[str, Any], seed: int) -> None:
    inputs = make_images(seed, 2, values["num_channels"], 32, 32)
    patches = (32 // values["patch_size"]) ** 2
    mask = torch.rand(2, patches, generator=torch.Generator().manual_seed(seed)) < 0.5
    for head, labels in (
        ("SwinForImageClassification", {"labels": torch.tensor([0, 1])}),
        ("SwinForMaskedImageModeling", {"bool_masked_pos": mask}),
    ):
        published, ours = make_pair(head, {**values, "num_labels": 3}, seed)
        assert_same_gradients(published, ours, {**inputs, **labels})


@SWIN_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_training_skips_the_same_branches(values: dict[str, Any], seed: int) -> None:
    published, ours = make_pair("SwinModel", {**values, "drop_path_rate": 0.6}, seed)
    inputs = make_images(seed, 3, values["num_channels"], 32, 32)
    outputs = []
    for model in (published.train(), ours.train()):
        torch.manual_seed(seed)
        outputs.append(model(**inputs).pooler_output)
    torch.testing.assert_close(outputs[1], outputs[0], atol=TOLERANCE, rtol=TOLERANCE)


@SWIN_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    assert_same_config(transformers.SwinConfig, SwinConfig, values, tmp_path_factory.mktemp("config"))


@pytest.mark.parametrize("head", HEADS)
def test_checkpoints_are_shared_with_the_published_class(head: str, tmp_path: Path) -> None:
    sizes = {"image_size": 16, "patch_size": 2, "embed_dim": 8, "depths": [2, 1], "num_heads": [1, 2]}
    values = {**sizes, "window_size": 2, "encoder_stride": 4, "out_features": ["stage1", "stage2"]}
    published, _ = make_pair(head, values, seed=0)
    # These files have the older names of the weights.
    published.save_pretrained(tmp_path / "published")
    ours = getattr(modeling_swin, head).from_pretrained(tmp_path / "published")
    ours.save_pretrained(tmp_path / "ours")
    again = getattr(transformers, head).from_pretrained(tmp_path / "ours").eval()
    inputs = make_images(0, 2, 3, 16, 16)
    with torch.no_grad():
        expected = published(**inputs)
        assert_same_outputs(expected, ours(**inputs))
        for name, value in again(**inputs).items():
            torch.testing.assert_close(value, expected[name], msg=name)
