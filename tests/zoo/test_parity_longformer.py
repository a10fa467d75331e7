"""Longformer computes what the published implementation computes, for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from .encoders import ENCODER_SETTINGS, VOCAB_SIZE, Encoder, Inputs, refuses_warnings
from .parity import SEQUENCE_LABELS, TOLERANCE, assert_same_config, assert_same_outputs

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

PAD_TOKEN_ID, SEP_TOKEN_ID = 1, 2
# The heads that find the global tokens by three separators.
PAIR_HEADS = ("ForMultipleChoice", "ForQuestionAnswering")
HEADS = ["Model", "ForMaskedLM", *PAIR_HEADS, "ForSequenceClassification", "ForTokenClassification"]
SEEDS = st.integers(0, 2**31 - 1)
SMALL_VALUES: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 9,
    "max_position_embeddings": 16,
    "attention_window": 4,
}


class Longformer(Encoder):
    """Longformer, whose texts have global tokens in every other example, or separators that global ones follow from."""

    def inputs(self, head: str, seed: int, padding_side: str = "right") -> Inputs:
        inputs = super().inputs(head, seed, padding_side)
        generator = torch.Generator().manual_seed(seed)
        ids, mask = inputs["input_ids"].flatten(0, -2), inputs["attention_mask"].flatten(0, -2)
        if head in PAIR_HEADS:
            for row, is_token in zip(ids, mask, strict=True):
                # Long enough for a question, an answer and three separators.
                is_token[2:6] = 1
                row[(is_token == 1) & (row == PAD_TOKEN_ID)] = 7
                separator = 3 if seed % 3 else 2
                row[separator : separator + 2] = SEP_TOKEN_ID
                row[is_token.nonzero().max()] = SEP_TOKEN_ID
        if head in PAIR_HEADS or seed % 2:
            return inputs
        is_global = torch.rand(inputs["input_ids"].shape, generator=generator) < 0.3
        return {**inputs, "global_attention_mask": is_global.long()}


LONGFORMER = Longformer("longformer", "Longformer", PAD_TOKEN_ID)


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    heads, layers = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    # The published attention takes windows longer than 2, of which the longest is a multiple of the others.
    one, several = st.sampled_from([4, 6, 8, 16, 20]), st.sampled_from([4, 8, 16])
    return {
        "vocab_size": VOCAB_SIZE,
        "hidden_size": heads * draw(st.sampled_from([4, 5, 8])),
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": draw(st.integers(1, 40)),
        "hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "relu", "silu"])),
        "max_position_embeddings": draw(st.integers(12, 40)),
        "type_vocab_size": draw(st.integers(1, 3)),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-5, 1e-3])),
        "initializer_range": draw(st.sampled_from([0.02, 0.2])),
        "tie_word_embeddings": draw(st.booleans()),
        "num_labels": draw(st.integers(1, 4)),
        "pad_token_id": PAD_TOKEN_ID,
        "attention_window": draw(st.one_of(one, st.lists(several, min_size=layers, max_size=layers))),
    }


@pytest.mark.parametrize("head", HEADS)
@ENCODER_SETTINGS
@given(
    values=config_values(),
    seed=SEEDS,
    padding_side=st.sampled_from(["left", "right"]),
    implementation=st.sampled_from(["eager", "sdpa"]),
)
def test_outputs_are_those_of_the_published_model(
    head: str, values: dict[str, Any], seed: int, padding_side: str, implementation: str
) -> None:
    LONGFORMER.check_outputs(head, values, seed, padding_side, implementation)


@ENCODER_SETTINGS
@given(
    values=config_values(), seed=SEEDS, length=st.integers(1, 60), implementation=st.sampled_from(["eager", "sdpa"])
)
def test_texts_of_many_windows(values: dict[str, Any], seed: int, length: int, implementation: str) -> None:
    values["max_position_embeddings"] = length + 20
    published, ours = LONGFORMER.pair("Model", values, seed, implementation)
    input_ids = torch.randint(3, VOCAB_SIZE, (2, length))
    # As in the original, the attention mask alone can tell which tokens are global.
    mask = torch.where(torch.rand(2, length) < 0.2, 2, 1) * (torch.rand(2, length) < 0.9)
    with torch.no_grad():
        for wanted in ("output_hidden_states", "output_attentions"):
            inputs = {"attention_mask": mask, wanted: True}
            assert_same_outputs(published(input_ids, **inputs), ours(input_ids, **inputs), mask)


@ENCODER_SETTINGS
@given(values=config_values(), seed=SEEDS, has_vectors=st.booleans())
def test_segments_positions_and_vectors_as_inputs(values: dict[str, Any], seed: int, has_vectors: bool) -> None:
    # The published model gives positions to its own padding, if vectors are passed.
    values["max_position_embeddings"] = 40
    published, ours = LONGFORMER.pair("Model", values, seed)
    inputs = {
        "attention_mask": torch.ones(2, 6, dtype=torch.long),
        "global_attention_mask": torch.randint(0, 2, (2, 6)),
        "token_type_ids": torch.randint(0, values["type_vocab_size"], (2, 6)),
    }
    if has_vectors:
        inputs["inputs_embeds"] = torch.randn(2, 6, values["hidden_size"])
    else:
        inputs["input_ids"] = torch.randint(0, VOCAB_SIZE, (2, 6))
        inputs["position_ids"] = torch.randint(0, 12, (2, 6))
    with torch.no_grad():
        assert_same_outputs(published(**inputs), ours(**inputs), inputs["attention_mask"])


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
def test_sequence_classification_loss(case: str) -> None:
    LONGFORMER.check_sequence_loss(case, SMALL_VALUES, seed=0)


@pytest.mark.parametrize("head", PAIR_HEADS)
def test_global_tokens_can_be_chosen(head: str) -> None:
    published, ours = LONGFORMER.pair(head, SMALL_VALUES, seed=0)
    inputs = LONGFORMER.inputs(head, seed=0)
    mask = torch.zeros_like(inputs["input_ids"])
    mask[..., 1:4] = 1
    with torch.no_grad():
        chosen, by_itself = ours(**inputs, global_attention_mask=mask)[0], ours(**inputs)[0]
        expected = published(**inputs, global_attention_mask=mask)[0]
    torch.testing.assert_close(chosen, expected, atol=TOLERANCE, rtol=0)
    assert not torch.allclose(chosen, by_itself)


@ENCODER_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("config")
    assert_same_config(LONGFORMER.published_config_class, LONGFORMER.config_class, values, folder)


@pytest.mark.parametrize("head", HEADS)
@refuses_warnings
def test_checkpoints_both_ways(head: str, tmp_path: Path) -> None:
    LONGFORMER.check_checkpoints(head, SMALL_VALUES, tmp_path)
