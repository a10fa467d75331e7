"""DistilBERT computes what the published implementation computes, for the same weights."""

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

DISTILBERT = Encoder("distilbert", "DistilBert", pad_token_id=0)
HEADS = [
    "Model",
    "ForMaskedLM",
    "ForMultipleChoice",
    "ForQuestionAnswering",
    "ForSequenceClassification",
    "ForTokenClassification",
]
SEEDS = st.integers(0, 2**31 - 1)
SMALL_VALUES: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "dim": 8,
    "n_layers": 1,
    "n_heads": 2,
    "hidden_dim": 9,
    "max_position_embeddings": 12,
}


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    heads = draw(st.integers(1, 4))
    return {
        "vocab_size": VOCAB_SIZE,
        "dim": heads * draw(st.sampled_from([4, 6, 8])),
        "n_layers": draw(st.integers(1, 3)),
        "n_heads": heads,
        "hidden_dim": draw(st.integers(1, 40)),
        "activation": draw(st.sampled_from(["gelu", "relu"])),
        "max_position_embeddings": draw(st.integers(8, 40)),
        "sinusoidal_pos_embds": draw(st.booleans()),
        "initializer_range": draw(st.sampled_from([0.02, 0.2])),
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
    DISTILBERT.check_outputs(head, values, seed, padding_side, implementation)


@ENCODER_SETTINGS
@given(values=config_values(), seed=SEEDS, has_vectors=st.booleans())
def test_positions_and_vectors_as_inputs(values: dict[str, Any], seed: int, has_vectors: bool) -> None:
    published, ours = DISTILBERT.pair("Model", values, seed)
    inputs = {"attention_mask": torch.ones(2, 6, dtype=torch.long), "position_ids": torch.randint(0, 8, (2, 6))}
    if has_vectors:
        inputs["inputs_embeds"] = torch.randn(2, 6, values["dim"])
    else:
        inputs["input_ids"] = torch.randint(0, VOCAB_SIZE, (2, 6))
    with torch.no_grad():
        assert_same_outputs(published(**inputs), ours(**inputs), inputs["attention_mask"])


@ENCODER_SETTINGS
@given(values=config_values(), seed=SEEDS)
def test_masks_of_four_dimensions(values: dict[str, Any], seed: int) -> None:
    DISTILBERT.check_masks_of_four_dimensions(values, seed)


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
def test_sequence_classification_loss(case: str) -> None:
    DISTILBERT.check_sequence_loss(case, SMALL_VALUES, seed=0)


def test_sinusoidal_positions_start_as_the_published_ones() -> None:
    values = {**SMALL_VALUES, "sinusoidal_pos_embds": True}
    published, _ = DISTILBERT.pair("Model", values, seed=0)
    ours = DISTILBERT.build("Model", values)
    name = "embeddings.position_embeddings.weight"
    torch.testing.assert_close(ours.state_dict()[name], published.state_dict()[name], atol=1e-6, rtol=0)


@ENCODER_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("config")
    assert_same_config(DISTILBERT.published_config_class, DISTILBERT.config_class, values, folder)


@pytest.mark.parametrize("head", HEADS)
@refuses_warnings
def test_checkpoints_both_ways(head: str, tmp_path: Path) -> None:
    DISTILBERT.check_checkpoints(head, SMALL_VALUES, tmp_path)
