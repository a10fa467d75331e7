"""SegFormer here against SegFormer in Transformers: same weights, same numbers, on configurations drawn at random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from add_model.zoo.models import segformer as ours

from .parity import (
    OF_TEXTS,
    PARITY_SETTINGS,
    SEQUENCE_LABELS,
    TOLERANCE,
    assert_same_config,
    assert_same_gradients,
    assert_same_outputs,
    copy_weights,
    make_images,
)

HEADS = ("SegformerModel", "SegformerForImageClassification", "SegformerForSemanticSegmentation")
SMALL: dict[str, Any] = {
    "num_encoder_blocks": 2,
    "depths": [1, 2],
    "sr_ratios": [2, 1],
    "hidden_sizes": [4, 6],
    "patch_sizes": [5, 3],
    "strides": [2, 2],
    "num_attention_heads": [1, 2],
    "mlp_ratios": [2, 3],
    "decoder_hidden_size": 5,
    "num_labels": 3,
}
SEGFORMER_SETTINGS = settings(PARITY_SETTINGS, max_examples=6)

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow


@st.composite
def segformer_options(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the arguments of a configuration, the same for both libraries."""
    stages = draw(st.integers(1, 4))

    def each(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=stages, max_size=stages))

    heads = each(1, 3)
    return {
        "num_channels": draw(st.integers(1, 4)),
        "num_encoder_blocks": stages,
        "depths": each(1, 2),
        "sr_ratios": each(1, 3),
        # The fewer channels there are, the more their normalisation enlarges what is left to rounding.
        "hidden_sizes": [number * draw(st.integers(4, 6)) for number in heads],
        # At 30 pixels and more every stage has a map of 3 x 3 or more.
        "patch_sizes": each(1, 7),
        "strides": [draw(st.integers(1, 2)) for _ in heads],
        "num_attention_heads": heads,
        "mlp_ratios": each(1, 4),
        "hidden_act": draw(st.sampled_from(["gelu", "relu"])),
        "decoder_hidden_size": draw(st.integers(1, 9)),
        "semantic_loss_ignore_index": draw(st.sampled_from([255, 0])),
        "num_labels": draw(st.integers(1, 4)),
    }


def build_pair(head: str, options: dict[str, Any], seed: int, implementation: str = "eager") -> tuple[Any, Any]:
    """Return Transformers' model with random weights and ours filled with them, both in evaluation mode."""
    torch.manual_seed(seed)
    theirs = getattr(transformers, head)(transformers.SegformerConfig(**options, attn_implementation="eager"))
    mine = getattr(ours, head)(ours.SegformerConfig(**options, attention_implementation=implementation))
    with torch.no_grad():
        for parameter in theirs.parameters():
            if parameter.dim() > 1:
                # The first ones are so small that attention is nearly even.
                parameter.normal_(std=0.2)
        for name, buffer in theirs.named_buffers():
            if name.endswith("running_var"):
                buffer.add_(torch.rand_like(buffer))
    copy_weights(theirs, mine)
    theirs.load_state_dict(mine.state_dict(), strict=True)
    return theirs.eval(), mine.eval()


def draw_inputs(head: str, options: dict[str, Any], seed: int, height: int, width: int) -> dict[str, torch.Tensor]:
    """Return random images, and the labels of a head."""
    inputs = make_images(seed, 2, options.get("num_channels", 3), height, width)
    generator = torch.Generator().manual_seed(seed)
    number = options["num_labels"]
    if head == "SegformerForImageClassification":
        labels = torch.randint(number, (2,), generator=generator)
        inputs["labels"] = labels.float() if number == 1 else labels
    if head == "SegformerForSemanticSegmentation":
        # With a single label a pixel is of it, 1, or is not, 0.
        labels = torch.randint(max(number, 2), (2, height, width), generator=generator)
        labels[torch.rand(labels.shape, generator=generator) < 0.2] = options.get("semantic_loss_ignore_index", 255)
        inputs["labels"] = labels
    return inputs


@pytest.mark.parametrize("head", HEADS)
@SEGFORMER_SETTINGS
@given(
    options=segformer_options(),
    seed=st.integers(0, 2**16),
    height=st.integers(30, 36),
    width=st.integers(30, 36),
    implementation=st.sampled_from(["eager", "sdpa"]),
)
def test_outputs_losses_hidden_states_attentions_and_gradients(
    head: str, options: dict[str, Any], seed: int, height: int, width: int, implementation: str
) -> None:
    theirs, mine = build_pair(head, options, seed, implementation)
    inputs = draw_inputs(head, options, seed, height, width)
    with torch.no_grad():
        for wanted in (False, True):
            expected, actual = (
                model(**inputs, output_hidden_states=wanted, output_attentions=wanted) for model in (theirs, mine)
            )
            assert (expected.get("hidden_states") is None) == (actual.hidden_states is None)
            assert_same_outputs(expected, actual)
    if "labels" in inputs:
        assert_same_gradients(theirs, mine, inputs)


@pytest.mark.parametrize("head", HEADS[:2])
@SEGFORMER_SETTINGS
@given(options=segformer_options(), seed=st.integers(0, 2**16))
def test_the_last_stage_can_return_its_pixels_one_after_the_other(
    head: str, options: dict[str, Any], seed: int
) -> None:
    theirs, mine = build_pair(head, {**options, "reshape_last_stage": False}, seed)
    inputs = draw_inputs(head, options, seed, 30, 33)
    with torch.no_grad():
        assert_same_outputs(theirs(**inputs, output_hidden_states=True), mine(**inputs, output_hidden_states=True))


def test_pixels_are_classified_whatever_the_last_stage_returns() -> None:
    # The published head concludes the map's size from the length of the vectors, 4 here, which is right by chance.
    options = {**SMALL, "hidden_sizes": [6, 4], "reshape_last_stage": False}
    theirs, mine = build_pair("SegformerForSemanticSegmentation", options, seed=0)
    by_chance = make_images(0, 2, 3, 8, 8)
    with torch.no_grad():
        assert_same_outputs(theirs(**by_chance), mine(**by_chance))
        as_maps = ours.SegformerForSemanticSegmentation(
            ours.SegformerConfig(**{**options, "reshape_last_stage": True})
        )
        as_maps.load_state_dict(mine.state_dict())
        for height, width in ((8, 8), (12, 20)):
            images = make_images(0, 2, 3, height, width)
            expected = as_maps.eval()(**images).logits
            torch.testing.assert_close(mine(**images).logits, expected, atol=TOLERANCE, rtol=0)


@SEGFORMER_SETTINGS
@given(options=segformer_options(), seed=st.integers(0, 2**16))
def test_training_leaves_out_the_layers_that_the_published_model_leaves_out(
    options: dict[str, Any], seed: int
) -> None:
    head = "SegformerForSemanticSegmentation"
    options = {**options, "drop_path_rate": 0.6, "classifier_dropout_prob": 0.0}
    theirs, mine = build_pair(head, options, seed)
    inputs = draw_inputs(head, options, seed, 32, 32)
    results = []
    for model in (theirs.train(), mine.train()):
        torch.manual_seed(seed)
        results.append(model(**inputs).logits)
    torch.testing.assert_close(results[1], results[0], atol=1e-4, rtol=1e-4)
    for name, buffer in theirs.named_buffers():
        # Normalisation over the batch has learnt the same means and variances.
        torch.testing.assert_close(mine.get_buffer(name), buffer, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
def test_losses_of_problem_types(case: str) -> None:
    number, problem_type, labels = SEQUENCE_LABELS[case]
    options = {**SMALL, "num_labels": number, "problem_type": problem_type}
    theirs, mine = build_pair("SegformerForImageClassification", options, seed=0)
    images = make_images(0, 3, 3, 12, 12)
    with torch.no_grad():
        assert_same_outputs(theirs(**images, labels=labels), mine(**images, labels=labels))


@SEGFORMER_SETTINGS
@given(options=segformer_options(), reshape_last_stage=st.booleans())
def test_config_json_both_ways(
    tmp_path_factory: pytest.TempPathFactory, options: dict[str, Any], reshape_last_stage: bool
) -> None:
    options = {**options, "reshape_last_stage": reshape_last_stage}
    folder = tmp_path_factory.mktemp("config")
    assert_same_config(transformers.SegformerConfig, ours.SegformerConfig, options, folder)


def test_defaults_are_published() -> None:
    published, mine = transformers.SegformerConfig().to_dict(), ours.SegformerConfig().to_dict()
    for name, value in mine.items():
        if name not in OF_TEXTS:
            found = published[name]
            assert (list(found) if isinstance(found, tuple) else found) == value, name


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.filterwarnings("error:.* was filled from")
def test_checkpoints_both_ways(head: str, tmp_path: Path) -> None:
    theirs, mine = build_pair(head, SMALL, seed=0)
    images = make_images(0, 2, 3, 12, 12)
    theirs.save_pretrained(tmp_path / "published")
    mine.save_pretrained(tmp_path / "ours")
    # What is published has the names of the first release.
    names = load_file(tmp_path / "published" / "model.safetensors").keys()
    assert any(name.endswith("encoder.block.1.0.attention.self.query.weight") for name in names)
    loaded = type(mine).from_pretrained(tmp_path / "published")
    again, report = type(theirs).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    with torch.no_grad():
        expected = theirs(**images)
        for model in (loaded, again.eval()):
            assert_same_outputs(expected, model(**images))
