"""RoBERTa computes what the published implementation computes, for the same weights."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from .encoders import ENCODER_SETTINGS, VOCAB_SIZE, Encoder, refuses_warnings
from .parity import SEQUENCE_LABELS, TOLERANCE, assert_same_config, assert_same_outputs

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

PAD_TOKEN_ID = 1
ROBERTA = Encoder("roberta", "Roberta", PAD_TOKEN_ID)
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
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 9,
    "max_position_embeddings": 16,
}


@st.composite
def config_values(draw: st.DrawFn, is_decoder: bool = False) -> dict[str, Any]:
    heads = draw(st.integers(1, 4))
    return {
        "vocab_size": VOCAB_SIZE,
        "hidden_size": heads * draw(st.sampled_from([4, 5, 8])),
        "num_hidden_layers": draw(st.integers(1, 3)),
        "num_attention_heads": heads,
        "intermediate_size": draw(st.integers(1, 40)),
        "hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "relu", "silu"])),
        "max_position_embeddings": draw(st.integers(12, 40)),
        "type_vocab_size": draw(st.integers(1, 3)),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-5, 1e-3])),
        "initializer_range": draw(st.sampled_from([0.02, 0.2])),
        "classifier_dropout": draw(st.sampled_from([None, 0.3])),
        "tie_word_embeddings": draw(st.booleans()),
        "num_labels": draw(st.integers(1, 4)),
        "is_decoder": is_decoder,
        "pad_token_id": PAD_TOKEN_ID,
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
    ROBERTA.check_outputs(head, values, seed, padding_side, implementation)


@pytest.mark.parametrize("head", ["Model", "ForCausalLM"])
@ENCODER_SETTINGS
@given(
    values=config_values(is_decoder=True),
    seed=SEEDS,
    padding_side=st.sampled_from(["left", "right"]),
    implementation=st.sampled_from(["eager", "sdpa"]),
)
def test_decoder_outputs_are_those_of_the_published_model(
    head: str, values: dict[str, Any], seed: int, padding_side: str, implementation: str
) -> None:
    ROBERTA.check_outputs(head, values, seed, padding_side, implementation)


@ENCODER_SETTINGS
@given(values=config_values(is_decoder=True), seed=SEEDS, first=st.integers(1, 7))
def test_cache_continues_like_the_published_one(values: dict[str, Any], seed: int, first: int) -> None:
    published, ours = ROBERTA.pair("ForCausalLM", values, seed)
    input_ids = torch.randint(3, VOCAB_SIZE, (2, 8))
    with torch.no_grad():
        whole = published(input_ids).logits
        start = ours(input_ids[:, :first])
        published_start = published(input_ids[:, :first])
        for layer, (key, value) in zip(
            published_start.past_key_values.layers, start.past_key_values.self_attention.values(), strict=True
        ):
            torch.testing.assert_close(key, layer.keys, atol=TOLERANCE, rtol=0)
            torch.testing.assert_close(value, layer.values, atol=TOLERANCE, rtol=0)
        rest = ours(input_ids[:, first:], past_key_values=start.past_key_values)
    assert rest.past_key_values.sequence_length == 8
    torch.testing.assert_close(torch.cat((start.logits, rest.logits), dim=1), whole, atol=TOLERANCE, rtol=0)


@ENCODER_SETTINGS
@given(values=config_values(is_decoder=True), seed=SEEDS)
def test_generated_text_is_that_of_the_published_forward_passes(values: dict[str, Any], seed: int) -> None:
    # Not of the published `generate`, which counts positions from 0 and so runs another model than forward does.
    published, ours = ROBERTA.pair("ForCausalLM", {**values, "initializer_range": 0.6}, seed)
    inputs = ROBERTA.inputs("ForCausalLM", seed, "left")
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    with torch.no_grad():
        for _ in range(2):
            logits = published(ids, attention_mask=mask).logits[:, -1]
            ids = torch.cat((ids, logits.argmax(dim=-1, keepdim=True)), dim=1)
            mask = torch.cat((mask, mask.new_ones(len(mask), 1)), dim=1)
    actual = ours.generate(**inputs, max_new_tokens=2, eos_token_id=VOCAB_SIZE)  # type: ignore[operator]
    assert torch.equal(actual, ids)


@pytest.mark.parametrize("num_beams", [1, 3])
@ENCODER_SETTINGS
@given(seed=SEEDS)
def test_generated_text_is_the_published_one_at_the_positions_of_forward(num_beams: int, seed: int) -> None:
    values = {**SMALL_VALUES, "is_decoder": True, "initializer_range": 0.6, "num_hidden_layers": 2}
    published, ours = ROBERTA.pair("ForCausalLM", values, seed)
    prepare = published.prepare_inputs_for_generation

    @functools.wraps(prepare)
    def without_positions(*arguments: Any, **options: Any) -> Any:
        # Left to itself, forward counts on from the cache, which is right where nothing is padded.
        return {name: value for name, value in prepare(*arguments, **options).items() if name != "position_ids"}

    published.prepare_inputs_for_generation = without_positions
    prompts = torch.randint(3, VOCAB_SIZE, (2, 4), generator=torch.Generator().manual_seed(seed))
    settings: dict[str, Any] = {
        "attention_mask": torch.ones_like(prompts),
        "num_beams": num_beams,
        "max_new_tokens": 6,
    }
    expected = published.generate(prompts, do_sample=False, pad_token_id=PAD_TOKEN_ID, eos_token_id=2, **settings)
    actual = ours.generate(prompts, eos_token_id=2, **settings)  # type: ignore[operator]
    assert torch.equal(actual, expected)


@ENCODER_SETTINGS
@given(values=config_values(), seed=SEEDS, has_vectors=st.booleans())
def test_segments_positions_and_vectors_as_inputs(values: dict[str, Any], seed: int, has_vectors: bool) -> None:
    published, ours = ROBERTA.pair("Model", values, seed)
    inputs = {
        "attention_mask": torch.ones(2, 6, dtype=torch.long),
        "token_type_ids": torch.randint(0, values["type_vocab_size"], (2, 6)),
    }
    if has_vectors:
        inputs["inputs_embeds"] = torch.randn(2, 6, values["hidden_size"])
    else:
        inputs["input_ids"] = torch.randint(0, VOCAB_SIZE, (2, 6))
        inputs["position_ids"] = torch.randint(0, 12, (2, 6))
    with torch.no_grad():
        assert_same_outputs(published(**inputs), ours(**inputs), inputs["attention_mask"])


@ENCODER_SETTINGS
@given(values=config_values(), seed=SEEDS)
def test_masks_of_four_dimensions(values: dict[str, Any], seed: int) -> None:
    ROBERTA.check_masks_of_four_dimensions(values, seed)


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
def test_sequence_classification_loss(case: str) -> None:
    ROBERTA.check_sequence_loss(case, SMALL_VALUES, seed=0)


@ENCODER_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("config")
    assert_same_config(ROBERTA.published_config_class, ROBERTA.config_class, values, folder)


@pytest.mark.parametrize("head", [*HEADS, "ForCausalLM"])
@refuses_warnings
def test_checkpoints_both_ways(head: str, tmp_path: Path) -> None:
    ROBERTA.check_checkpoints(head, {**SMALL_VALUES, "is_decoder": head == "ForCausalLM"}, tmp_path)
