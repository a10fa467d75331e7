"""ALBERT computes what the published implementation computes, for the same weights."""

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

ALBERT = Encoder("albert", "Albert", pad_token_id=0)
HEADS = [
    "Model",
    "ForMaskedLM",
    "ForMultipleChoice",
    "ForPreTraining",
    "ForQuestionAnswering",
    "ForSequenceClassification",
    "ForTokenClassification",
]
SEEDS = st.integers(0, 2**31 - 1)
SMALL_VALUES: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "embedding_size": 5,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 9,
    "max_position_embeddings": 12,
}


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    heads, layers = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    return {
        "vocab_size": VOCAB_SIZE,
        "embedding_size": draw(st.integers(2, 20)),
        "hidden_size": heads * draw(st.sampled_from([4, 6, 8])),
        "num_hidden_layers": layers,
        "num_hidden_groups": draw(st.integers(1, layers)),
        "inner_group_num": draw(st.integers(1, 3)),
        "num_attention_heads": heads,
        "intermediate_size": draw(st.integers(1, 40)),
        "hidden_act": draw(st.sampled_from(["gelu_new", "gelu", "relu"])),
        "max_position_embeddings": draw(st.integers(8, 40)),
        "type_vocab_size": draw(st.integers(2, 3)),
        "initializer_range": draw(st.sampled_from([0.02, 0.2])),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-5])),
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
    ALBERT.check_outputs(head, values, seed, padding_side, implementation)


@ENCODER_SETTINGS
@given(values=config_values(), seed=SEEDS, has_vectors=st.booleans())
def test_segments_positions_and_vectors_as_inputs(values: dict[str, Any], seed: int, has_vectors: bool) -> None:
    published, ours = ALBERT.pair("Model", values, seed)
    inputs = {
        "attention_mask": torch.ones(2, 6, dtype=torch.long),
        "position_ids": torch.randint(0, 8, (2, 6)),
        "token_type_ids": torch.randint(0, values["type_vocab_size"], (2, 6)),
    }
    if has_vectors:
        inputs["inputs_embeds"] = torch.randn(2, 6, values["embedding_size"])
    else:
        inputs["input_ids"] = torch.randint(0, VOCAB_SIZE, (2, 6))
    with torch.no_grad():
        assert_same_outputs(published(**inputs), ours(**inputs), inputs["attention_mask"])


@ENCODER_SETTINGS
@given(values=config_values(), seed=SEEDS)
def test_masks_of_four_dimensions(values: dict[str, Any], seed: int) -> None:
    ALBERT.check_masks_of_four_dimensions(values, seed)


# Of 18 layers in 14 groups the tenth is the seventh group's by whole numbers, the eighth's by the published formula.
@pytest.mark.parametrize(("layers", "groups"), [(12, 4), (5, 2), (18, 14)])
def test_which_group_a_layer_belongs_to(layers: int, groups: int) -> None:
    values = {**SMALL_VALUES, "num_hidden_layers": layers, "num_hidden_groups": groups, "inner_group_num": 2}
    published, ours = ALBERT.pair("Model", values, seed=0)
    inputs = ALBERT.inputs("Model", seed=0)
    with torch.no_grad():
        expected = published(**inputs, output_hidden_states=True)
        assert len(expected.hidden_states) == 2 * layers + 1
        assert_same_outputs(expected, ours(**inputs, output_hidden_states=True), inputs["attention_mask"])


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
def test_sequence_classification_loss(case: str) -> None:
    ALBERT.check_sequence_loss(case, SMALL_VALUES, seed=0)


@ENCODER_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("config")
    assert_same_config(ALBERT.published_config_class, ALBERT.config_class, values, folder)


@pytest.mark.parametrize("head", HEADS)
@refuses_warnings
def test_checkpoints_both_ways(head: str, tmp_path: Path) -> None:
    ALBERT.check_checkpoints(head, SMALL_VALUES, tmp_path)
