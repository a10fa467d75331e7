"""BLOOM computes what the published implementation computes, for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from add_model.zoo.modeling_utils import PreTrainedModel
from add_model.zoo.models.bloom import modeling_bloom
from add_model.zoo.models.bloom.configuration_bloom import BloomConfig

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

HEADS = [
    "BloomModel",
    "BloomForCausalLM",
    "BloomForSequenceClassification",
    "BloomForTokenClassification",
    "BloomForQuestionAnswering",
]
VOCAB_SIZE = 40
PAD_TOKEN_ID = 39


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    # Most numbers of heads are no power of two.
    heads = draw(st.sampled_from([1, 2, 3, 5, 6, 7, 12]))
    return {
        "vocab_size": VOCAB_SIZE,
        "hidden_size": heads * draw(st.sampled_from([2, 4, 5])),
        "n_head": heads,
        "n_layer": draw(st.integers(1, 3)),
        "layer_norm_epsilon": draw(st.sampled_from([1e-5, 1e-12, 1e-3])),
        "apply_residual_connection_post_layernorm": draw(st.booleans()),
        "tie_word_embeddings": draw(st.booleans()),
        "initializer_range": draw(st.sampled_from([0.02, 0.2])),
        "num_labels": draw(st.integers(1, 4)),
        "pad_token_id": PAD_TOKEN_ID,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


def small_values(**others: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"vocab_size": VOCAB_SIZE, "hidden_size": 12, "n_layer": 2, "n_head": 3}
    return {**values, "initializer_range": 0.2, "pad_token_id": PAD_TOKEN_ID, **others}


def make_pair(head: str, values: dict[str, Any], seed: int) -> tuple[Any, PreTrainedModel]:
    """Return the published model and ours with the same weights, both in evaluation mode."""
    torch.manual_seed(seed)
    published = getattr(transformers, head)(transformers.BloomConfig(**values, attn_implementation="eager")).eval()
    ours: PreTrainedModel = getattr(modeling_bloom, head)(BloomConfig(**values)).eval()
    copy_weights(published, ours)
    published.load_state_dict(ours.state_dict(), strict=True)
    return published, ours


@pytest.mark.parametrize("head", HEADS)
@PARITY_SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    batch=st.integers(1, 3),
    length=st.integers(2, 12),
    padding_side=st.sampled_from(["left", "right"]),
    attention_implementation=st.sampled_from(["sdpa", "eager"]),
)
def test_outputs_are_those_of_the_published_model(
    head: str,
    values: dict[str, Any],
    seed: int,
    batch: int,
    length: int,
    padding_side: str,
    attention_implementation: str,
) -> None:
    published, ours = make_pair(head, values, seed)
    ours.config.attention_implementation = attention_implementation
    inputs = make_inputs(PAD_TOKEN_ID, seed, batch, length, padding_side)
    for wanted in ("output_hidden_states", "output_attentions"):
        with torch.no_grad():
            expected = published(**inputs, **{wanted: True})
            actual = ours(**inputs, **{wanted: True})
        assert_same_outputs(expected, actual, inputs["attention_mask"])


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), has_embeddings=st.booleans(), has_mask=st.booleans())
def test_embeddings_and_no_mask_as_inputs(
    values: dict[str, Any], seed: int, has_embeddings: bool, has_mask: bool
) -> None:
    published, ours = make_pair("BloomModel", values, seed)
    inputs = make_inputs(PAD_TOKEN_ID, seed, 2, 6, "right")
    mask = inputs["attention_mask"]
    if not has_mask:
        mask = torch.ones_like(inputs.pop("attention_mask"))
    if has_embeddings:
        del inputs["input_ids"]
        inputs["inputs_embeds"] = torch.randn(2, 6, values["hidden_size"])
    with torch.no_grad():
        assert_same_outputs(published(**inputs), ours(**inputs), mask)


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), padding_side=st.sampled_from(["left", "right"]))
def test_language_model_loss_and_gradients(values: dict[str, Any], seed: int, padding_side: str) -> None:
    published, ours = make_pair("BloomForCausalLM", values, seed)
    inputs = make_inputs(PAD_TOKEN_ID, seed, 3, 8, padding_side)
    labels = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)
    # Padding attends to nothing, so what it predicts of the first token has no meaning.
    labels[:, 1:].masked_fill_(inputs["attention_mask"][:, :-1] == 0, -100)
    assert_same_gradients(published, ours, {**inputs, "labels": labels})


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), padding_side=st.sampled_from(["left", "right"]))
def test_sequence_classification_loss(case: str, values: dict[str, Any], seed: int, padding_side: str) -> None:
    num_labels, problem_type, labels = SEQUENCE_LABELS[case]
    values = {**values, "num_labels": num_labels, "problem_type": problem_type}
    published, ours = make_pair("BloomForSequenceClassification", values, seed)
    inputs = make_inputs(PAD_TOKEN_ID, seed, 3, 8, padding_side)
    assert_same_gradients(published, ours, {**inputs, "labels": labels})


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_token_classification_and_question_answering_losses(values: dict[str, Any], seed: int) -> None:
    inputs = make_inputs(PAD_TOKEN_ID, seed, 3, 8, "right")
    token_labels = torch.randint(0, values["num_labels"], (3, 8))
    token_labels[0, 3:] = -100
    # The last answer lies behind the text and does not count.
    positions = {"start_positions": torch.tensor([0, 3, 11]), "end_positions": torch.tensor([2, 7, 12])}
    for head, labels in (
        ("BloomForTokenClassification", {"labels": token_labels}),
        ("BloomForQuestionAnswering", positions),
    ):
        published, ours = make_pair(head, values, seed)
        assert_same_gradients(published, ours, {**inputs, **labels})


@PARITY_SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    first=st.integers(1, 7),
    padding_side=st.sampled_from(["left", "right"]),
)
def test_cache_continues_like_the_published_one(
    values: dict[str, Any], seed: int, first: int, padding_side: str
) -> None:
    published, ours = make_pair("BloomForCausalLM", values, seed)
    inputs = make_inputs(PAD_TOKEN_ID, seed, 2, 8, padding_side)
    input_ids, mask = inputs["input_ids"], inputs["attention_mask"]
    with torch.no_grad():
        whole = published(**inputs)
        start = ours(input_ids[:, :first], attention_mask=mask[:, :first], use_cache=True)
        rest = ours(input_ids[:, first:], attention_mask=mask, past_key_values=start.past_key_values, use_cache=True)
    assert rest.past_key_values.sequence_length == 8
    logits = torch.cat((start.logits, rest.logits), dim=1)
    assert_same_outputs({"logits": whole.logits}, {"logits": logits}, mask)
    for index, layer in enumerate(whole.past_key_values.layers):
        key, value = rest.past_key_values.self_attention[index]
        assert_same_outputs({"keys": layer.keys.transpose(1, 2)}, {"keys": key.transpose(1, 2)}, mask)
        assert_same_outputs({"values": layer.values.transpose(1, 2)}, {"values": value.transpose(1, 2)}, mask)


@pytest.mark.parametrize("padding_side", ["left", "none"])
@pytest.mark.parametrize(
    "options",
    [{}, {"num_beams": 3, "num_return_sequences": 2}, {"num_beams": 2, "length_penalty": 0.5, "early_stopping": True}],
)
@pytest.mark.parametrize("values", [{}, {"apply_residual_connection_post_layernorm": True, "n_head": 4}])
def test_generated_ids(padding_side: str, options: dict[str, Any], values: dict[str, Any]) -> None:
    published, ours = make_pair("BloomForCausalLM", small_values(**values), seed=1)
    inputs = make_inputs(PAD_TOKEN_ID, 3, 1 if padding_side == "none" else 3, 6, "left")
    expected = published.generate(**inputs, max_new_tokens=12, do_sample=False, **options)
    assert torch.equal(getattr(ours, "generate")(**inputs, max_new_tokens=12, **options), expected)  # noqa: B009


@PARITY_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    assert_same_config(transformers.BloomConfig, BloomConfig, values, tmp_path_factory.mktemp("config"))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.filterwarnings("error:.* was filled from")
def test_a_checkpoint_of_the_published_class_loads_from_its_folder(head: str, tmp_path: Path) -> None:
    published, _ = make_pair(head, small_values(), seed=0)
    published.save_pretrained(tmp_path / "published")
    ours = getattr(modeling_bloom, head).from_pretrained(tmp_path / "published")
    input_ids = torch.tensor([[2, 5, 6, 3]])
    with torch.no_grad():
        expected = published(input_ids)[0]
        torch.testing.assert_close(ours(input_ids)[0], expected, atol=TOLERANCE, rtol=0)

    ours.save_pretrained(tmp_path / "ours")
    again = getattr(transformers, head).from_pretrained(tmp_path / "ours").eval()
    with torch.no_grad():
        torch.testing.assert_close(again(input_ids)[0], expected, atol=TOLERANCE, rtol=0)


def test_slopes_are_those_of_the_published_model() -> None:
    for heads in range(1, 41):
        expected = transformers.models.bloom.modeling_bloom._get_alibi_slopes(heads, torch.device("cpu"))
        torch.testing.assert_close(torch.tensor(modeling_bloom.alibi_slopes(heads)), expected)
