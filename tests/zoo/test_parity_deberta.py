"""DeBERTa computes what the published implementation computes, for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from .encoders import ENCODER_SETTINGS, VOCAB_SIZE, Encoder, refuses_warnings
from .parity import SEQUENCE_LABELS, assert_same_config, assert_same_outputs

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

DEBERTA = Encoder("deberta", "Deberta", pad_token_id=0)
HEADS = ["Model", "ForMaskedLM", "ForQuestionAnswering", "ForSequenceClassification", "ForTokenClassification"]
SEEDS = st.integers(0, 2**31 - 1)
TERMS = [None, [], ["c2p"], ["p2c"], ["c2p", "p2c"], "p2c|c2p"]
SMALL_VALUES: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 9,
    "max_position_embeddings": 12,
    "relative_attention": True,
    "position_biased_input": False,
    "pos_att_type": ["c2p", "p2c"],
}


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    heads = draw(st.integers(1, 4))
    return {
        "vocab_size": VOCAB_SIZE,
        "hidden_size": heads * draw(st.sampled_from([4, 5, 8])),
        "num_hidden_layers": draw(st.integers(1, 3)),
        "num_attention_heads": heads,
        "intermediate_size": draw(st.integers(1, 40)),
        "hidden_act": draw(st.sampled_from(["gelu", "relu", "silu"])),
        "max_position_embeddings": draw(st.integers(8, 20)),
        "type_vocab_size": draw(st.integers(0, 2)),
        "layer_norm_eps": draw(st.sampled_from([1e-7, 1e-3])),
        "initializer_range": draw(st.sampled_from([0.02, 0.2])),
        "relative_attention": draw(st.sampled_from([True, True, False])),
        "max_relative_positions": draw(st.sampled_from([-1, 3, 30])),
        "position_biased_input": draw(st.booleans()),
        "pos_att_type": draw(st.sampled_from(TERMS)),
        "pooler_hidden_act": draw(st.sampled_from(["gelu", "tanh"])),
        "legacy": draw(st.booleans()),
        "tie_word_embeddings": draw(st.booleans()),
        "num_labels": draw(st.integers(1, 4)),
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
    DEBERTA.check_outputs(head, values, seed, padding_side, implementation)


@ENCODER_SETTINGS
@given(values=config_values(), seed=SEEDS, has_vectors=st.booleans())
def test_segments_positions_and_vectors_as_inputs(values: dict[str, Any], seed: int, has_vectors: bool) -> None:
    published, ours = DEBERTA.pair("Model", values, seed)
    inputs = {
        "attention_mask": torch.ones(2, 6, dtype=torch.long),
        "position_ids": torch.randint(0, 8, (2, 6)),
        "token_type_ids": torch.randint(0, max(values["type_vocab_size"], 1), (2, 6)),
    }
    if has_vectors:
        inputs["inputs_embeds"] = torch.randn(2, 6, values["hidden_size"])
    else:
        inputs["input_ids"] = torch.randint(0, VOCAB_SIZE, (2, 6))
    with torch.no_grad():
        assert_same_outputs(published(**inputs), ours(**inputs), inputs["attention_mask"])


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
def test_sequence_classification_loss(case: str) -> None:
    DEBERTA.check_sequence_loss(case, SMALL_VALUES, seed=0)


@ENCODER_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("config")
    values = {**values, "pos_att_type": ["c2p", "p2c"]}
    assert_same_config(DEBERTA.published_config_class, DEBERTA.config_class, values, folder)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("is_legacy", [True, False])
@refuses_warnings
def test_checkpoints_both_ways(head: str, is_legacy: bool, tmp_path: Path) -> None:
    DEBERTA.check_checkpoints(head, {**SMALL_VALUES, "legacy": is_legacy}, tmp_path)
