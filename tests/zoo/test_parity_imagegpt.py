"""ImageGPT computes what the published implementation computes, for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from add_model.zoo.modeling_utils import PreTrainedModel
from add_model.zoo.models.imagegpt import modeling_imagegpt
from add_model.zoo.models.imagegpt.configuration_imagegpt import ImageGPTConfig

from .parity import (
    PARITY_SETTINGS,
    SEQUENCE_LABELS,
    TOLERANCE,
    assert_same_config,
    assert_same_gradients,
    assert_same_outputs,
    copy_weights,
    make_inputs,
)

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

IMAGEGPT_SETTINGS = settings(PARITY_SETTINGS, max_examples=12)
HEADS = ["ImageGPTModel", "ImageGPTForCausalImageModeling", "ImageGPTForImageClassification"]
# Forty colours, and the id that starts an image.
VOCAB_SIZE = 41
START = VOCAB_SIZE - 1


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    heads = draw(st.sampled_from([1, 2, 3, 4]))
    return {
        "vocab_size": VOCAB_SIZE,
        "n_positions": draw(st.integers(16, 40)),
        "n_embd": heads * draw(st.sampled_from([4, 5, 8, 16])),
        "n_head": heads,
        "n_layer": draw(st.integers(1, 3)),
        "n_inner": draw(st.sampled_from([None, 7, 24])),
        "activation_function": draw(st.sampled_from(["quick_gelu", "gelu", "gelu_new", "relu"])),
        "layer_norm_epsilon": draw(st.sampled_from([1e-5, 1e-12, 1e-3])),
        "scale_attn_weights": draw(st.booleans()),
        "scale_attn_by_inverse_layer_idx": draw(st.booleans()),
        "reorder_and_upcast_attn": draw(st.booleans()),
        "tie_word_embeddings": draw(st.booleans()),
        "initializer_range": draw(st.sampled_from([0.02, 0.2])),
        "num_labels": draw(st.integers(1, 4)),
    }


def make_pair(head: str, values: dict[str, Any], seed: int) -> tuple[Any, PreTrainedModel]:
    """Return the published model and ours with the same weights, both in evaluation mode."""
    torch.manual_seed(seed)
    published = getattr(transformers, head)(transformers.ImageGPTConfig(**values)).eval()
    ours: PreTrainedModel = getattr(modeling_imagegpt, head)(ImageGPTConfig(**values)).eval()
    copy_weights(published, ours)
    published.load_state_dict(ours.state_dict(), strict=True)
    return published, ours


def make_colours(seed: int, batch: int, length: int) -> torch.Tensor:
    """Return images, each behind the id that starts it, `(batch, length)`."""
    colours = torch.randint(0, START, (batch, length), generator=torch.Generator().manual_seed(seed))
    colours[:, 0] = START
    return colours


@pytest.mark.parametrize("head", HEADS)
@IMAGEGPT_SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    batch=st.integers(1, 3),
    length=st.integers(2, 16),
    attention_implementation=st.sampled_from(["sdpa", "eager"]),
)
def test_outputs_are_those_of_the_published_model(
    head: str, values: dict[str, Any], seed: int, batch: int, length: int, attention_implementation: str
) -> None:
    published, ours = make_pair(head, values, seed)
    ours.config.attention_implementation = attention_implementation
    input_ids = make_colours(seed, batch, length)
    with torch.no_grad():
        expected = published(input_ids, output_hidden_states=True)
        assert_same_outputs(expected, ours(input_ids, output_hidden_states=True))
        expected = published(input_ids, output_attentions=True)
        assert_same_outputs(expected, ours(input_ids, output_attentions=True))


@IMAGEGPT_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), padding_side=st.sampled_from(["left", "right"]))
def test_masks_types_positions_and_embeddings_as_inputs(values: dict[str, Any], seed: int, padding_side: str) -> None:
    published, ours = make_pair("ImageGPTModel", values, seed)
    inputs = make_inputs(0, seed, 3, 8, padding_side)
    generator = torch.Generator().manual_seed(seed)
    inputs["token_type_ids"] = torch.randint(0, VOCAB_SIZE, (3, 8), generator=generator)
    inputs["position_ids"] = torch.randint(0, 12, (3, 8), generator=generator)
    with torch.no_grad():
        assert_same_outputs(published(**inputs), ours(**inputs), inputs["attention_mask"])
        del inputs["input_ids"]
        inputs["inputs_embeds"] = torch.randn(3, 8, values["n_embd"], generator=generator)
        assert_same_outputs(published(**inputs), ours(**inputs), inputs["attention_mask"])


@IMAGEGPT_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_gradients_of_the_losses(values: dict[str, Any], seed: int) -> None:
    input_ids = make_colours(seed, 2, 9)
    for head, labels in (
        ("ImageGPTForCausalImageModeling", input_ids.masked_fill(input_ids % 5 == 0, -100)),
        ("ImageGPTForImageClassification", torch.tensor([0, 1])),
    ):
        published, ours = make_pair(head, {**values, "num_labels": 3, "initializer_range": 0.02}, seed)
        assert_same_gradients(published, ours, {"input_ids": input_ids, "labels": labels})


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
@settings(IMAGEGPT_SETTINGS, max_examples=4)
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_image_classification_loss(case: str, values: dict[str, Any], seed: int) -> None:
    num_labels, problem_type, labels = SEQUENCE_LABELS[case]
    values = {**values, "num_labels": num_labels, "problem_type": problem_type}
    published, ours = make_pair("ImageGPTForImageClassification", values, seed)
    input_ids = make_colours(seed, 3, 9)
    with torch.no_grad():
        expected = published(input_ids, labels=labels)
        actual = ours(input_ids, labels=labels)
    torch.testing.assert_close(actual.loss, expected.loss, atol=TOLERANCE, rtol=TOLERANCE)


@IMAGEGPT_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), first=st.integers(1, 8))
def test_cache_continues_like_the_published_one(values: dict[str, Any], seed: int, first: int) -> None:
    published, ours = make_pair("ImageGPTForCausalImageModeling", values, seed)
    input_ids = make_colours(seed, 2, 9)
    with torch.no_grad():
        past = published(input_ids[:, :first], use_cache=True).past_key_values
        expected = published(input_ids[:, first:], past_key_values=past, use_cache=True)
        start = ours(input_ids[:, :first], use_cache=True)
        rest = ours(input_ids[:, first:], past_key_values=start.past_key_values, use_cache=True)
    torch.testing.assert_close(rest.logits, expected.logits, atol=TOLERANCE, rtol=0)
    for layer, published_layer in enumerate(expected.past_key_values.layers):
        key, value = rest.past_key_values.self_attention[layer]
        torch.testing.assert_close(key, published_layer.keys, atol=TOLERANCE, rtol=0)
        torch.testing.assert_close(value, published_layer.values, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("num_beams", [1, 3])
@settings(IMAGEGPT_SETTINGS, max_examples=4)
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_generated_images_are_those_of_the_published_model(num_beams: int, values: dict[str, Any], seed: int) -> None:
    # Weights of some size, so that no two colours are equally likely.
    published, ours = make_pair("ImageGPTForCausalImageModeling", {**values, "initializer_range": 0.5}, seed)
    input_ids = torch.full((2, 1), START)
    input_ids = torch.cat((input_ids, make_colours(seed, 2, 4)[:, 1:]), dim=1)
    expected = published.generate(
        input_ids,
        attention_mask=torch.ones_like(input_ids),
        max_length=16,
        num_beams=num_beams,
        do_sample=False,
    )
    actual = ours.generate(input_ids, max_length=16, num_beams=num_beams)  # type: ignore[operator]
    assert torch.equal(actual, expected)


@IMAGEGPT_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    assert_same_config(transformers.ImageGPTConfig, ImageGPTConfig, values, tmp_path_factory.mktemp("config"))


@pytest.mark.parametrize("head", HEADS)
def test_checkpoints_are_shared_with_the_published_class(head: str, tmp_path: Path) -> None:
    values = {"vocab_size": VOCAB_SIZE, "n_positions": 16, "n_embd": 8, "n_head": 2, "n_layer": 1}
    published, _ = make_pair(head, values, seed=0)
    published.save_pretrained(tmp_path / "published")
    ours = getattr(modeling_imagegpt, head).from_pretrained(tmp_path / "published")
    ours.save_pretrained(tmp_path / "ours")
    again = getattr(transformers, head).from_pretrained(tmp_path / "ours").eval()
    input_ids = make_colours(0, 2, 9)
    with torch.no_grad():
        expected = published(input_ids)[0]
        torch.testing.assert_close(ours(input_ids)[0], expected, atol=TOLERANCE, rtol=0)
        torch.testing.assert_close(again(input_ids)[0], expected, atol=TOLERANCE, rtol=0)
