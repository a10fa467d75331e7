"""BEiT computes what the published implementation computes, for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from add_model.zoo.modeling_utils import PreTrainedModel
from add_model.zoo.models.beit import modeling_beit
from add_model.zoo.models.beit.configuration_beit import BeitConfig

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

HEADS = ["BeitModel", "BeitForMaskedImageModeling", "BeitForImageClassification", "BeitForSemanticSegmentation"]
SETTINGS = settings(PARITY_SETTINGS, max_examples=8)
SMALL_VALUES: dict[str, Any] = {
    "vocab_size": 11,
    "hidden_size": 8,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "image_size": 24,
    "patch_size": 4,
    "out_indices": [1, 2, 3, 4],
    "auxiliary_channels": 6,
    "pool_scales": [1, 2],
    "num_labels": 3,
    "use_mask_token": True,
    "use_relative_position_bias": True,
}


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    layers = draw(st.integers(4, 5))
    return {
        **SMALL_VALUES,
        "hidden_size": draw(st.sampled_from([4, 8, 12])),
        "num_hidden_layers": layers,
        "num_attention_heads": draw(st.sampled_from([1, 2, 4])),
        "hidden_act": draw(st.sampled_from(["gelu", "relu"])),
        "patch_size": draw(st.sampled_from([4, 6])),
        "num_channels": draw(st.sampled_from([1, 3])),
        "use_absolute_position_embeddings": draw(st.booleans()),
        "use_relative_position_bias": draw(st.booleans()),
        "use_shared_relative_position_bias": draw(st.booleans()),
        "layer_scale_init_value": draw(st.sampled_from([0.1, 0.5, 0.0])),
        "use_mean_pooling": draw(st.booleans()),
        "out_indices": [1, 2, 4, layers] if layers == 5 else [1, 2, 3, 4],
        "pool_scales": draw(st.sampled_from([[1, 2], [1, 2, 3]])),
        "use_auxiliary_head": draw(st.booleans()),
        "auxiliary_num_convs": draw(st.integers(1, 2)),
        "auxiliary_concat_input": draw(st.booleans()),
        "auxiliary_loss_weight": draw(st.sampled_from([0.4, 1.0])),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-3])),
    }


def make_pair(head: str, values: dict[str, Any], seed: int) -> tuple[Any, PreTrainedModel]:
    """Return the published model and ours with the same weights, both in evaluation mode."""
    torch.manual_seed(seed)
    config: Any = transformers.BeitConfig
    published = getattr(transformers, head)(config(**values, attn_implementation="eager")).eval()
    with torch.no_grad():
        for name, weight in [*published.named_parameters(), *published.named_buffers()]:
            if name.endswith("relative_position_bias_table") or "position_embeddings" in name or "token" in name:
                weight.normal_()
            elif name.endswith("running_var"):
                weight.uniform_(0.8, 1.5)
    ours: PreTrainedModel = getattr(modeling_beit, head)(BeitConfig(**values)).eval()
    copy_weights(published, ours)
    return published, ours


@pytest.mark.parametrize("head", HEADS)
@SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    batch=st.integers(1, 3),
    height=st.integers(12, 40),
    width=st.integers(12, 40),
    is_resized=st.booleans(),
    is_masked=st.booleans(),
    attention_implementation=st.sampled_from(["sdpa", "eager"]),
)
def test_outputs_are_those_of_the_published_model(
    head: str,
    values: dict[str, Any],
    seed: int,
    batch: int,
    height: int,
    width: int,
    is_resized: bool,
    is_masked: bool,
    attention_implementation: str,
) -> None:
    published, ours = make_pair(head, values, seed)
    ours.config.attention_implementation = attention_implementation
    size = (height, width) if is_resized else (24, 24)
    inputs = make_images(seed, batch, values.get("num_channels", 3), *size)
    if is_masked and head in HEADS[:2]:
        patches = (size[0] // values["patch_size"]) * (size[1] // values["patch_size"])
        inputs["bool_masked_pos"] = torch.rand(batch, patches) < 0.4
    for wanted in ("output_hidden_states", "output_attentions"):
        with torch.no_grad():
            expected = published(**inputs, **{wanted: True})
            actual = ours(**inputs, **{wanted: True})
        assert_same_outputs(expected, actual)


def inputs_with_labels(head: str, seed: int) -> dict[str, torch.Tensor]:
    inputs = make_images(seed, 2, 3, 24, 24)
    generator = torch.Generator().manual_seed(seed)
    if head == "BeitForMaskedImageModeling":
        inputs["bool_masked_pos"] = torch.rand(2, 36, generator=generator) < 0.4
        count = int(inputs["bool_masked_pos"].sum())
        inputs["labels"] = torch.randint(0, 11, (count,), generator=generator)
    elif head == "BeitForSemanticSegmentation":
        inputs["labels"] = torch.randint(0, 3, (2, 24, 24), generator=generator)
        inputs["labels"][:, :5] = 255
    else:
        inputs["labels"] = torch.tensor([2, 0])
    return inputs


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("head", HEADS[1:])
def test_gradients(head: str, shared: bool) -> None:
    values = {**SMALL_VALUES, "use_shared_relative_position_bias": shared, "use_relative_position_bias": not shared}
    published, ours = make_pair(head, values, seed=3)
    assert_same_gradients(published, ours, inputs_with_labels(head, 5))


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
def test_image_classification_loss(case: str) -> None:
    num_labels, problem_type, labels = SEQUENCE_LABELS[case]
    values = {**SMALL_VALUES, "num_labels": num_labels, "problem_type": problem_type}
    published, ours = make_pair("BeitForImageClassification", values, seed=1)
    inputs = make_images(1, 3, 3, 24, 24)
    with torch.no_grad():
        expected, actual = published(**inputs, labels=labels), ours(**inputs, labels=labels)
    torch.testing.assert_close(actual.loss, expected.loss, atol=TOLERANCE, rtol=TOLERANCE)


def test_training_normalises_batches_as_published() -> None:
    published, ours = make_pair("BeitForSemanticSegmentation", {**SMALL_VALUES, "drop_path_rate": 0.0}, seed=2)
    published.train()
    ours.train()
    inputs = inputs_with_labels("BeitForSemanticSegmentation", 4)
    torch.testing.assert_close(ours(**inputs).loss, published(**inputs).loss, atol=TOLERANCE, rtol=TOLERANCE)
    for name, buffer in published.named_buffers():
        torch.testing.assert_close(ours.get_buffer(name), buffer, msg=name)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.filterwarnings("error")
def test_saved_models_are_read_by_the_other(head: str, shared: bool, tmp_path: Path) -> None:
    values = {**SMALL_VALUES, "use_shared_relative_position_bias": shared, "use_relative_position_bias": not shared}
    published, ours = make_pair(head, values, seed=1)
    inputs = make_images(2, 2, 3, 24, 24)
    with torch.no_grad():
        expected = published(**inputs)
    published.save_pretrained(tmp_path / "published")
    # Which writes the names of the checkpoints that were published first.
    assert any("encoder.layer.0" in name for name in load_file(tmp_path / "published" / "model.safetensors"))
    ours.save_pretrained(tmp_path / "ours")
    with torch.no_grad():
        assert_same_outputs(expected, type(ours).from_pretrained(tmp_path / "published")(**inputs))
        read, report = type(published).from_pretrained(tmp_path / "ours", output_loading_info=True)
        assert not report["missing_keys"] and not report["unexpected_keys"]
        torch.testing.assert_close(read.eval()(**inputs)[0], expected[0], atol=TOLERANCE, rtol=0)


def test_configurations_are_read_and_written(tmp_path: Path) -> None:
    values = {**SMALL_VALUES, "hidden_dropout_prob": 0.2, "drop_path_rate": 0.3, "use_mean_pooling": False}
    assert_same_config(transformers.BeitConfig, BeitConfig, values, tmp_path)
    assert BeitConfig(num_hidden_layers=4, segmentation_indices=[1, 2, 3, 4]).out_indices == [1, 2, 3, 4]


def test_defaults_are_the_published_ones() -> None:
    config: Any = transformers.BeitConfig()
    published, ours = config.to_dict(), BeitConfig().to_dict()
    shared = ours.keys() & published.keys()
    assert {name: ours[name] for name in shared} == {
        name: list(published[name]) if isinstance(published[name], tuple) else published[name] for name in shared
    }
    assert {name for name in transformers.BeitConfig.__annotations__ if name in published} <= shared
