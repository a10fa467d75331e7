"""GPT-2 computes what the published implementation computes, for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from add_model.zoo.modeling_utils import PreTrainedModel
from add_model.zoo.models.gpt2 import modeling_gpt2
from add_model.zoo.models.gpt2.configuration_gpt2 import GPT2Config

from .parity import (
    PARITY_SETTINGS,
    SEQUENCE_LABELS,
    TOLERANCE,
    assert_same_config,
    assert_same_outputs,
    copy_weights,
    make_inputs,
)

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

HEADS = [
    "GPT2Model",
    "GPT2LMHeadModel",
    "GPT2ForSequenceClassification",
    "GPT2ForTokenClassification",
    "GPT2ForQuestionAnswering",
]
VOCAB_SIZE = 40
PAD_TOKEN_ID = 39


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    heads = draw(st.sampled_from([1, 2, 3, 4]))
    return {
        "vocab_size": VOCAB_SIZE,
        "n_positions": draw(st.integers(12, 40)),
        "n_embd": heads * draw(st.sampled_from([4, 5, 8, 16])),
        "n_head": heads,
        "n_layer": draw(st.integers(1, 3)),
        "n_inner": draw(st.sampled_from([None, 7, 24])),
        "activation_function": draw(st.sampled_from(["gelu_new", "gelu", "relu", "silu", "tanh", "quick_gelu"])),
        "layer_norm_epsilon": draw(st.sampled_from([1e-5, 1e-12, 1e-3])),
        "scale_attn_weights": draw(st.booleans()),
        "scale_attn_by_inverse_layer_idx": draw(st.booleans()),
        "reorder_and_upcast_attn": draw(st.booleans()),
        "tie_word_embeddings": draw(st.booleans()),
        "initializer_range": draw(st.sampled_from([0.02, 0.2])),
        "num_labels": draw(st.integers(1, 4)),
        "pad_token_id": PAD_TOKEN_ID,
        "bos_token_id": 0,
        "eos_token_id": 1,
    }


def make_pair(head: str, values: dict[str, Any], seed: int) -> tuple[Any, PreTrainedModel]:
    """Return the published model and ours with the same weights, both in evaluation mode."""
    torch.manual_seed(seed)
    published = getattr(transformers, head)(transformers.GPT2Config(**values, attn_implementation="eager")).eval()
    ours: PreTrainedModel = getattr(modeling_gpt2, head)(GPT2Config(**values)).eval()
    copy_weights(published, ours)
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
    with torch.no_grad():
        expected = published(**inputs, output_hidden_states=True)
        actual = ours(**inputs, output_hidden_states=True)
        assert_same_outputs(expected, actual, inputs["attention_mask"])

        expected = published(**inputs, output_attentions=True)
        actual = ours(**inputs, output_attentions=True)
        assert_same_outputs(expected, actual, inputs["attention_mask"])


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), use_embeddings=st.booleans())
def test_token_types_positions_and_embeddings_as_inputs(
    values: dict[str, Any], seed: int, use_embeddings: bool
) -> None:
    published, ours = make_pair("GPT2Model", values, seed)
    generator = torch.Generator().manual_seed(seed)
    inputs: dict[str, torch.Tensor] = {
        "attention_mask": torch.ones(2, 6, dtype=torch.long),
        "token_type_ids": torch.randint(0, VOCAB_SIZE, (2, 6), generator=generator),
        "position_ids": torch.randint(0, 12, (2, 6), generator=generator),
    }
    if use_embeddings:
        inputs["inputs_embeds"] = torch.randn(2, 6, values["n_embd"], generator=generator)
    else:
        inputs["input_ids"] = torch.randint(0, VOCAB_SIZE, (2, 6), generator=generator)
    with torch.no_grad():
        assert_same_outputs(published(**inputs), ours(**inputs), inputs["attention_mask"])


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_language_model_loss(values: dict[str, Any], seed: int) -> None:
    published, ours = make_pair("GPT2LMHeadModel", values, seed)
    inputs = make_inputs(PAD_TOKEN_ID, seed, 3, 8, "right")
    labels = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)
    with torch.no_grad():
        expected = published(**inputs, labels=labels).loss
        actual = ours(**inputs, labels=labels).loss
    torch.testing.assert_close(actual, expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_sequence_classification_loss(case: str, values: dict[str, Any], seed: int) -> None:
    num_labels, problem_type, labels = SEQUENCE_LABELS[case]
    values = {**values, "num_labels": num_labels, "problem_type": problem_type}
    published, ours = make_pair("GPT2ForSequenceClassification", values, seed)
    inputs = make_inputs(PAD_TOKEN_ID, seed, 3, 8, "right")
    with torch.no_grad():
        expected = published(**inputs, labels=labels)
        actual = ours(**inputs, labels=labels)
    torch.testing.assert_close(actual.loss, expected.loss, atol=TOLERANCE, rtol=TOLERANCE)
    torch.testing.assert_close(actual.logits, expected.logits, atol=TOLERANCE, rtol=0)


def test_sequence_classification_without_a_padding_token_takes_one_text() -> None:
    values = {"vocab_size": VOCAB_SIZE, "n_positions": 16, "n_embd": 8, "n_head": 2, "n_layer": 1}
    published, ours = make_pair("GPT2ForSequenceClassification", values, seed=0)
    input_ids = torch.tensor([[3, 4, 5]])
    with torch.no_grad():
        expected, actual = published(input_ids), ours(input_ids)
    torch.testing.assert_close(actual.logits, expected.logits, atol=TOLERANCE, rtol=0)
    with pytest.raises(ValueError, match="pad_token_id"):
        ours(input_ids.repeat(2, 1))


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_token_classification_and_question_answering_losses(values: dict[str, Any], seed: int) -> None:
    inputs = make_inputs(PAD_TOKEN_ID, seed, 3, 8, "right")
    generator = torch.Generator().manual_seed(seed)
    token_labels = torch.randint(0, values["num_labels"], (3, 8), generator=generator)
    token_labels[0, 3:] = -100
    # The last answer lies behind the text and does not count.
    positions = {"start_positions": torch.tensor([0, 3, 11]), "end_positions": torch.tensor([2, 7, 12])}
    for head, labels in (
        ("GPT2ForTokenClassification", {"labels": token_labels}),
        ("GPT2ForQuestionAnswering", positions),
    ):
        published, ours = make_pair(head, values, seed)
        with torch.no_grad():
            expected = published(**inputs, **labels).loss
            actual = ours(**inputs, **labels).loss
        torch.testing.assert_close(actual, expected, atol=TOLERANCE, rtol=0)


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), first=st.integers(1, 7))
def test_cache_continues_like_the_published_one(values: dict[str, Any], seed: int, first: int) -> None:
    published, ours = make_pair("GPT2LMHeadModel", values, seed)
    inputs = make_inputs(PAD_TOKEN_ID, seed, 2, 8, "right")
    input_ids = inputs["input_ids"]
    with torch.no_grad():
        whole = published(input_ids, attention_mask=torch.ones_like(input_ids)).logits
        start = ours(input_ids[:, :first], use_cache=True)
        rest = ours(input_ids[:, first:], past_key_values=start.past_key_values, use_cache=True)
    assert rest.past_key_values.sequence_length == 8
    logits = torch.cat((start.logits, rest.logits), dim=1)
    torch.testing.assert_close(logits, whole, atol=TOLERANCE, rtol=0)


@PARITY_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    assert_same_config(transformers.GPT2Config, GPT2Config, values, tmp_path_factory.mktemp("config"))


def test_a_checkpoint_of_the_published_class_loads_from_its_folder(tmp_path: Path) -> None:
    values = {"vocab_size": VOCAB_SIZE, "n_positions": 16, "n_embd": 8, "n_head": 2, "n_layer": 1}
    torch.manual_seed(0)
    published = transformers.GPT2LMHeadModel(transformers.GPT2Config(**values)).eval()
    published.save_pretrained(tmp_path)
    ours = modeling_gpt2.GPT2LMHeadModel.from_pretrained(tmp_path)
    input_ids = torch.tensor([[3, 4, 5]])
    with torch.no_grad():
        torch.testing.assert_close(ours(input_ids).logits, published(input_ids).logits, atol=TOLERANCE, rtol=0)

    ours.save_pretrained(tmp_path / "ours")
    again = transformers.GPT2LMHeadModel.from_pretrained(tmp_path / "ours").eval()
    with torch.no_grad():
        torch.testing.assert_close(again(input_ids).logits, published(input_ids).logits, atol=TOLERANCE, rtol=0)
