"""DETR computes what the published implementation computes, for the same weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from add_model.zoo.modeling_utils import PreTrainedModel
from add_model.zoo.models.detr import modeling_detr
from add_model.zoo.models.detr.configuration_detr import DetrConfig

from .parity import PARITY_SETTINGS, TOLERANCE, assert_same_gradients, assert_same_outputs, copy_weights

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

HEADS = ["DetrModel", "DetrForObjectDetection", "DetrForSegmentation"]
ALL_STAGES = ["stage1", "stage2", "stage3", "stage4"]
SMALL_BACKBONE: dict[str, Any] = {
    "embedding_size": 6,
    "hidden_sizes": [8, 12, 16, 20],
    "depths": [1, 2, 1, 1],
    "out_features": ALL_STAGES,
}
SMALL_VALUES: dict[str, Any] = {
    "d_model": 16,
    "num_queries": 5,
    "num_labels": 3,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 8,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 12,
    "decoder_ffn_dim": 10,
}
# Whose arguments are more than they declare.
PublishedConfig: Any = transformers.DetrConfig
PublishedResNetConfig: Any = transformers.ResNetConfig
# What the head for masks can divide.
SIZES_OF_MASKS = {"d_model": 16, "encoder_attention_heads": 8}
# PyTorch normalises no group of a single number, which is all that the last stage leaves of an image of this side.
LEAST_FOR_MASKS = 64
# Building two models takes most of the time.
SETTINGS = settings(PARITY_SETTINGS, max_examples=8)


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    encoder_heads, size = draw(st.sampled_from([(8, 16), (8, 32), (16, 16), (2, 16), (4, 12)]))
    stages = draw(st.sampled_from([ALL_STAGES, ALL_STAGES[:3], ["stem", *ALL_STAGES]]))
    return {
        **SMALL_VALUES,
        "backbone_config": {
            "embedding_size": draw(st.sampled_from([4, 8])),
            "hidden_sizes": draw(st.sampled_from([[8, 12, 16, 20], [8, 8, 16, 16]])),
            "depths": draw(st.sampled_from([[1, 1, 1, 1], [2, 1, 2, 1]])),
            "layer_type": draw(st.sampled_from(["bottleneck", "basic"])),
            "hidden_act": draw(st.sampled_from(["relu", "silu"])),
            "downsample_in_first_stage": draw(st.booleans()),
            "downsample_in_bottleneck": draw(st.booleans()),
            "out_features": stages,
        },
        "d_model": size,
        "encoder_attention_heads": encoder_heads,
        "decoder_attention_heads": draw(st.sampled_from([1, 2, 4])),
        "encoder_layers": draw(st.integers(1, 2)),
        "decoder_layers": draw(st.integers(1, 3)),
        "activation_function": draw(st.sampled_from(["relu", "gelu"])),
        "position_embedding_type": draw(st.sampled_from(["sine", "learned"])),
        "auxiliary_loss": draw(st.booleans()),
        "num_queries": draw(st.integers(1, 6)),
        "eos_coefficient": draw(st.sampled_from([0.1, 0.5])),
        "giou_cost": draw(st.sampled_from([2, 0])),
        "bbox_loss_coefficient": draw(st.sampled_from([5, 1])),
    }


def make_pair(head: str, values: dict[str, Any], seed: int) -> tuple[Any, PreTrainedModel]:
    """Return the published model and ours with the same weights, both in evaluation mode."""
    torch.manual_seed(seed)
    published_config = PublishedConfig(
        **{**values, "backbone_config": PublishedResNetConfig(**values.get("backbone_config", SMALL_BACKBONE))},
        use_timm_backbone=False,
        attn_implementation="eager",
    )
    published = getattr(transformers, head)(published_config).eval()
    for name, buffer in published.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.uniform_(0.5, 1.5)
    ours: PreTrainedModel = getattr(modeling_detr, head)(
        DetrConfig(**{**values, "backbone_config": values.get("backbone_config", SMALL_BACKBONE)})
    ).eval()
    copy_weights(published, ours)
    return published, ours


def make_images(seed: int, batch: int, height: int, width: int, is_padded: bool) -> dict[str, torch.Tensor]:
    """Return images, of which all but the first are filled up on the right and below."""
    generator = torch.Generator().manual_seed(seed)
    inputs = {"pixel_values": torch.randn(batch, 3, height, width, generator=generator)}
    if is_padded:
        mask = torch.ones(batch, height, width, dtype=torch.long)
        for row in range(1, batch):
            mask[row, int(torch.randint(1, height + 1, (1,), generator=generator)) :] = 0
            mask[row, :, int(torch.randint(1, width + 1, (1,), generator=generator)) :] = 0
        inputs["pixel_values"] = inputs["pixel_values"] * mask[:, None]
        inputs["pixel_mask"] = mask
    return inputs


def make_labels(seed: int, counts: list[int], num_labels: int) -> list[dict[str, torch.Tensor]]:
    """Return the labels of as many images as there are counts of objects; their masks are of different sizes."""
    generator = torch.Generator().manual_seed(seed)
    return [
        {
            "class_labels": torch.randint(0, num_labels, (count,), generator=generator),
            "boxes": torch.rand(count, 4, generator=generator) * 0.9 + 0.05,
            "masks": torch.randint(0, 2, (count, 20 + row, 23 - row), generator=generator),
        }
        for row, count in enumerate(counts)
    ]


def assert_close(actual: Any, expected: Any, name: str) -> None:
    torch.testing.assert_close(actual, expected, atol=TOLERANCE, rtol=TOLERANCE, msg=lambda said: f"{name}: {said}")


def plain(outputs: Any) -> dict[str, Any]:
    """The outputs that are tensors, or tuples of them."""
    return {name: value for name, value in outputs.items() if isinstance(value, (torch.Tensor, tuple))}


@pytest.mark.parametrize("head", HEADS)
@SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    batch=st.integers(1, 3),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    is_padded=st.booleans(),
    masks_queries=st.booleans(),
    attention_implementation=st.sampled_from(["sdpa", "eager"]),
)
def test_outputs_are_those_of_the_published_model(
    head: str,
    values: dict[str, Any],
    seed: int,
    batch: int,
    height: int,
    width: int,
    is_padded: bool,
    masks_queries: bool,
    attention_implementation: str,
) -> None:
    if head == "DetrForSegmentation":
        values = {**values, **SIZES_OF_MASKS}
        height, width = height + LEAST_FOR_MASKS, width + LEAST_FOR_MASKS
    published, ours = make_pair(head, values, seed)
    ours.config.attention_implementation = attention_implementation
    inputs = make_images(seed, batch, height, width, is_padded)
    if masks_queries:
        inputs["decoder_attention_mask"] = torch.ones(batch, values["num_queries"], dtype=torch.long)
        inputs["decoder_attention_mask"][:, 1::2] = 0
    for wanted in ("output_hidden_states", "output_attentions"):
        with torch.no_grad():
            expected = published(**inputs, **{wanted: True})
            actual = ours(**inputs, **{wanted: True})
        assert_same_outputs(plain(expected), actual)


@pytest.mark.parametrize("head", HEADS[1:])
@SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    counts=st.lists(st.integers(0, 8), min_size=1, max_size=3),
)
def test_losses_and_outputs_of_earlier_layers(head: str, values: dict[str, Any], seed: int, counts: list[int]) -> None:
    values = {**values, **SIZES_OF_MASKS}
    published, ours = make_pair(head, values, seed)
    inputs = make_images(seed, len(counts), LEAST_FOR_MASKS + 8, LEAST_FOR_MASKS + 13, is_padded=True)
    labels = make_labels(seed, counts, num_labels=3)
    with torch.no_grad():
        expected, actual = published(**inputs, labels=labels), ours(**inputs, labels=labels)
    assert_close(actual.loss, expected.loss, "loss")
    assert actual.loss_dict.keys() == expected.loss_dict.keys()
    for name, loss in expected.loss_dict.items():
        assert_close(actual.loss_dict[name], loss, name)
    assert (actual.auxiliary_outputs is None) == (expected.auxiliary_outputs is None)
    for ours_of_layer, layer in zip(actual.auxiliary_outputs or (), expected.auxiliary_outputs or (), strict=True):
        assert_close(ours_of_layer, layer, "auxiliary_outputs")


@pytest.mark.parametrize("auxiliary_loss", [False, True])
@pytest.mark.parametrize("head", HEADS[1:])
def test_gradients(head: str, auxiliary_loss: bool) -> None:
    published, ours = make_pair(head, {**SMALL_VALUES, "auxiliary_loss": auxiliary_loss}, seed=3)
    # The published class freezes all of a ResNet that is not timm's, by names that its stages do not have; the
    # original trains all stages but the first.
    for name, weight in published.named_parameters():
        weight.requires_grad_("embedder.embedder" not in name and "encoder.stages.0." not in name)
    inputs: dict[str, Any] = make_images(5, 2, 50, 40, is_padded=True)
    inputs["labels"] = make_labels(5, [3, 1], num_labels=3)
    assert_same_gradients(published, ours, inputs)


@SETTINGS
@given(seed=st.integers(0, 2**31 - 1), side=st.integers(1, 4), has_mask=st.booleans(), is_encoded=st.booleans())
def test_embeddings_and_encoder_outputs_as_inputs(seed: int, side: int, has_mask: bool, is_encoded: bool) -> None:
    published, ours = make_pair("DetrModel", SMALL_VALUES, seed)
    inputs: dict[str, Any] = {
        "inputs_embeds": torch.randn(2, side**2, 16),
        "decoder_inputs_embeds": torch.randn(2, 5, 16),
    }
    if has_mask:
        inputs["pixel_mask"] = make_images(seed, 2, 20, 30, is_padded=True)["pixel_mask"]
    if is_encoded:
        inputs["encoder_outputs"] = transformers.modeling_outputs.BaseModelOutput(torch.randn(2, side**2, 16))
    with torch.no_grad():
        expected = published(**inputs)
        if is_encoded:
            inputs["encoder_outputs"] = (inputs["encoder_outputs"].last_hidden_state,)
        actual = ours(**inputs)
    assert_same_outputs(plain(expected), actual)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.filterwarnings("error")
def test_saved_models_are_read_by_the_other(head: str, tmp_path: Path) -> None:
    published, ours = make_pair(head, SMALL_VALUES, seed=1)
    inputs = make_images(2, 2, 40, 36, is_padded=True)
    with torch.no_grad():
        expected = published(**inputs)
    published.save_pretrained(tmp_path / "published")
    # Which writes the names of the checkpoints that were published first.
    names = load_file(tmp_path / "published" / "model.safetensors")
    assert any("backbone.conv_encoder.model" in name for name in names) and any("out_proj" in name for name in names)
    ours.save_pretrained(tmp_path / "ours")
    with torch.no_grad():
        read = type(ours).from_pretrained(tmp_path / "published")(**inputs)
        assert_same_outputs(plain(expected), read)
        read_back, report = type(published).from_pretrained(tmp_path / "ours", output_loading_info=True)
        assert not report["missing_keys"] and not report["unexpected_keys"]
        torch.testing.assert_close(read_back.eval()(**inputs)[0], expected[0], atol=TOLERANCE, rtol=0)


def timm_names(weights: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights of a bottleneck ResNet in our layout under the names of timm, as facebook/detr-resnet-50 has them."""
    parts = {"layer.0": "1", "layer.1": "2", "layer.2": "3"}
    for name, weight in weights.items():
        before, is_backbone, after = name.partition("backbone.model.")
        if not is_backbone:
            yield name, weight
            continue
        if after.startswith("embedder."):
            after = after.replace("embedder.embedder.convolution", "conv1").replace(
                "embedder.embedder.normalization", "bn1"
            )
        else:
            _, _, stage, _, layer, rest = after.split(".", 5)
            rest = rest.replace("shortcut.convolution", "downsample.0").replace(
                "shortcut.normalization", "downsample.1"
            )
            for part, number in parts.items():
                rest = rest.replace(f"{part}.convolution", f"conv{number}").replace(
                    f"{part}.normalization", f"bn{number}"
                )
            after = f"layer{int(stage) + 1}.{layer}.{rest}"
        yield f"{before}backbone.conv_encoder.model.{after}", weight
        if after.endswith("running_var"):
            yield (
                f"{before}backbone.conv_encoder.model.{after}".replace("running_var", "num_batches_tracked"),
                torch.tensor(0),
            )


@pytest.mark.filterwarnings("error")
def test_checkpoints_with_the_names_of_timm(tmp_path: Path) -> None:
    values = {**SMALL_VALUES, "backbone_config": {"depths": [3, 4, 6, 3], "out_features": ALL_STAGES}}
    torch.manual_seed(0)
    model = modeling_detr.DetrForObjectDetection(DetrConfig(**values)).eval()
    weights = dict(timm_names(model.state_dict()))
    save_file({name: weight.contiguous() for name, weight in weights.items()}, tmp_path / "model.safetensors")
    # What the configuration of facebook/detr-resnet-50 says of its network.
    content: dict[str, Any] = {**SMALL_VALUES, "model_type": "detr", "backbone": "resnet50", "use_timm_backbone": True}
    content.update({"backbone_config": None, "use_pretrained_backbone": True, "dilation": False})
    (tmp_path / "config.json").write_text(json.dumps(content))
    read = modeling_detr.DetrForObjectDetection.from_pretrained(tmp_path)
    for name, weight in model.state_dict().items():
        assert torch.equal(read.state_dict()[name], weight), name
    assert read.config.backbone_config == model.config.backbone_config


def test_configurations_are_read_and_written(tmp_path: Path) -> None:
    values = {
        **SMALL_VALUES,
        "dropout": 0.2,
        "auxiliary_loss": True,
        "class_cost": 2,
        "id2label": {0: "cat", 1: "dog"},
        "label2id": {"cat": 0, "dog": 1},
    }
    values.pop("num_labels")
    backbone = PublishedResNetConfig(**SMALL_BACKBONE)
    PublishedConfig(**values, backbone_config=backbone, use_timm_backbone=False).save_pretrained(tmp_path)
    published = PublishedConfig.from_pretrained(tmp_path)
    ours = DetrConfig.from_pretrained(tmp_path)
    for name in values:
        assert getattr(ours, name) == getattr(published, name), name
    for name, value in SMALL_BACKBONE.items():
        assert ours.backbone_config[name] == value
    ours.save_pretrained(tmp_path)
    before, after = published.to_dict(), PublishedConfig.from_pretrained(tmp_path).to_dict()
    assert {name: after[name] for name in before} == before


def test_defaults_are_the_published_ones() -> None:
    published, ours = PublishedConfig().to_dict(), DetrConfig().to_dict()
    network = published.pop("backbone_config")
    assert (network["backbone"], network["out_indices"]) == ("resnet50", ours["backbone_config"]["out_indices"])
    resnet = PublishedResNetConfig(out_indices=network["out_indices"]).to_dict()
    for name, value in ours.pop("backbone_config").items():
        assert resnet[name] == value, name
    shared = ours.keys() & published.keys()
    assert {name: ours[name] for name in shared} == {name: published[name] for name in shared}
    assert {name for name in PublishedConfig.__annotations__ if name in published} <= shared


def test_buffers_of_the_frozen_normalisation_are_not_trained() -> None:
    _, ours = make_pair("DetrForObjectDetection", SMALL_VALUES, seed=0)
    trained = {name for name, weight in ours.named_parameters() if weight.requires_grad}
    assert not any("normalization" in name for name, _ in ours.named_parameters())
    assert not any("stages.0." in name or "embedder." in name for name in trained)
    assert {name.split("stages.")[1][0] for name in trained if "stages." in name} == {"1", "2", "3"}
    assert isinstance(ours, nn.Module)
