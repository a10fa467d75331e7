"""T5 computes what the published implementation computes, for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from add_model.zoo.modeling_utils import PreTrainedModel
from add_model.zoo.models.t5 import modeling_t5
from add_model.zoo.models.t5.configuration_t5 import T5Config

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

ENCODER_DECODER_HEADS = [
    "T5Model",
    "T5ForConditionalGeneration",
    "T5ForSequenceClassification",
    "T5ForQuestionAnswering",
]
ENCODER_HEADS = ["T5EncoderModel", "T5ForTokenClassification"]
# What runs once for each of several labels needs fewer configurations each time.
FEWER_SETTINGS = settings(PARITY_SETTINGS, max_examples=6)
VOCAB_SIZE = 40
PAD_TOKEN_ID = 0
EOS_TOKEN_ID = 1
SMALL_VALUES: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "d_model": 8,
    "d_kv": 4,
    "d_ff": 16,
    "num_layers": 1,
    "num_heads": 2,
    "decoder_start_token_id": 0,
}


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    # The loosest of these put a text of twelve tokens into one bucket, the widest leave most buckets empty.
    num_buckets, max_distance = draw(st.sampled_from([(4, 3), (6, 5), (8, 6), (32, 128)]))
    return {
        "vocab_size": VOCAB_SIZE,
        "d_model": draw(st.sampled_from([8, 12])),
        "d_kv": draw(st.sampled_from([2, 5])),
        "d_ff": draw(st.sampled_from([7, 24])),
        "num_layers": draw(st.integers(1, 3)),
        "num_decoder_layers": draw(st.none() | st.integers(1, 3)),
        "num_heads": draw(st.integers(1, 4)),
        "relative_attention_num_buckets": num_buckets,
        "relative_attention_max_distance": max_distance,
        "layer_norm_epsilon": draw(st.sampled_from([1e-6, 1e-3])),
        "initializer_factor": draw(st.sampled_from([0.3, 1.0])),
        "feed_forward_proj": draw(st.sampled_from(["relu", "gated-gelu", "gated-silu", "gelu_new"])),
        "tie_word_embeddings": draw(st.booleans()),
        "num_labels": draw(st.integers(1, 4)),
        "pad_token_id": PAD_TOKEN_ID,
        "eos_token_id": EOS_TOKEN_ID,
        "decoder_start_token_id": draw(st.sampled_from([PAD_TOKEN_ID, 2])),
    }


def make_pair(head: str, values: dict[str, Any], seed: int) -> tuple[Any, PreTrainedModel]:
    """Return the published model and ours with the same weights, both in evaluation mode."""
    if head == "T5ForQuestionAnswering":
        values = {**values, "num_labels": 2}
    torch.manual_seed(seed)
    published: Any = getattr(transformers, head)(transformers.T5Config(**values, attn_implementation="eager")).eval()
    if head == "T5ForConditionalGeneration" and not values.get("tie_word_embeddings", True):
        # The published class ties every new model, and unties one whose checkpoint says so by its weights.
        published.lm_head.weight = nn.Parameter(torch.randn(VOCAB_SIZE, values["d_model"]))
    ours: PreTrainedModel = getattr(modeling_t5, head)(T5Config(**values)).eval()
    copy_weights(published, ours)
    published.load_state_dict(ours.state_dict(), strict=True)
    return published, ours


def make_source(seed: int, batch: int, length: int) -> dict[str, torch.Tensor]:
    """Return padded source texts, each of which ends with the end-of-text token."""
    inputs = make_inputs(PAD_TOKEN_ID, seed, batch, length, "right")
    last = inputs["attention_mask"].sum(dim=1) - 1
    inputs["input_ids"][torch.arange(batch), last] = EOS_TOKEN_ID
    return inputs


def make_target(seed: int, batch: int, length: int, padding_side: str) -> dict[str, torch.Tensor]:
    """Return padded target texts."""
    inputs = make_inputs(PAD_TOKEN_ID, seed + 1, batch, length, padding_side)
    return {"decoder_input_ids": inputs["input_ids"], "decoder_attention_mask": inputs["attention_mask"]}


@pytest.mark.parametrize("head", ENCODER_DECODER_HEADS)
@PARITY_SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    batch=st.integers(1, 3),
    source_length=st.integers(2, 12),
    target_length=st.integers(1, 12),
    padding_side=st.sampled_from(["left", "right"]),
    attention_implementation=st.sampled_from(["sdpa", "eager"]),
)
def test_outputs_are_those_of_the_published_model(
    head: str,
    values: dict[str, Any],
    seed: int,
    batch: int,
    source_length: int,
    target_length: int,
    padding_side: str,
    attention_implementation: str,
) -> None:
    published, ours = make_pair(head, values, seed)
    ours.config.attention_implementation = attention_implementation
    inputs = make_source(seed, batch, source_length)
    if head == "T5ForSequenceClassification":
        # The source's end-of-text tokens say where the decoder is read, so both are equally long.
        target_length = source_length
    inputs.update(make_target(seed, batch, target_length, padding_side))
    for wanted in ("output_hidden_states", "output_attentions"):
        with torch.no_grad():
            expected = published(**inputs, **{wanted: True})
            actual = ours(**inputs, **{wanted: True})
        for name, tensor in expected.items():
            mask = inputs["attention_mask" if name.startswith("encoder_") else "decoder_attention_mask"]
            assert_same_outputs({name: tensor}, actual, mask)


@pytest.mark.parametrize("head", ENCODER_HEADS)
@PARITY_SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    padding_side=st.sampled_from(["left", "right"]),
    attention_implementation=st.sampled_from(["sdpa", "eager"]),
)
def test_outputs_of_the_encoder_alone(
    head: str, values: dict[str, Any], seed: int, padding_side: str, attention_implementation: str
) -> None:
    published, ours = make_pair(head, values, seed)
    ours.config.attention_implementation = attention_implementation
    inputs = make_inputs(PAD_TOKEN_ID, seed, 3, 9, padding_side)
    for wanted in ("output_hidden_states", "output_attentions"):
        with torch.no_grad():
            expected, actual = published(**inputs, **{wanted: True}), ours(**inputs, **{wanted: True})
        assert_same_outputs(expected, actual, inputs["attention_mask"])


def test_long_texts_reach_every_bucket() -> None:
    published, ours = make_pair("T5Model", SMALL_VALUES, seed=0)
    inputs = {"input_ids": torch.randint(3, VOCAB_SIZE, (1, 300)), "decoder_input_ids": torch.ones(1, 300).long()}
    with torch.no_grad():
        assert_same_outputs(published(**inputs), ours(**inputs), torch.ones(1, 300))


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), has_embeddings=st.booleans())
def test_embeddings_and_encoder_outputs_as_inputs(values: dict[str, Any], seed: int, has_embeddings: bool) -> None:
    published, ours = make_pair("T5Model", values, seed)
    inputs = {"attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])}
    inputs["decoder_inputs_embeds"] = torch.randn(2, 3, values["d_model"])
    encoded = torch.randn(2, 4, values["d_model"])
    source: dict[str, Any] = {"inputs_embeds": encoded} if has_embeddings else {"encoder_outputs": (encoded,)}
    with torch.no_grad():
        expected, actual = published(**source, **inputs), ours(**source, **inputs)
    torch.testing.assert_close(actual.last_hidden_state, expected.last_hidden_state, atol=TOLERANCE, rtol=0)


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), has_target=st.booleans())
def test_conditional_generation_loss_and_its_gradients(values: dict[str, Any], seed: int, has_target: bool) -> None:
    published, ours = make_pair("T5ForConditionalGeneration", values, seed)
    inputs = make_source(seed, 3, 8)
    target = make_target(seed, 3, 6, "right")
    labels = target["decoder_input_ids"].masked_fill(target["decoder_attention_mask"] == 0, -100)
    if has_target:
        inputs.update(target)
    expected, actual = published(**inputs, labels=labels), ours(**inputs, labels=labels)
    torch.testing.assert_close(actual.loss, expected.loss, atol=TOLERANCE, rtol=TOLERANCE)
    assert actual.past_key_values is None
    expected.loss.backward()
    actual.loss.backward()
    gradients = {name: weight.grad for name, weight in published.named_parameters()}
    for name, weight in ours.named_parameters():
        torch.testing.assert_close(weight.grad, gradients[name], atol=1e-4, rtol=1e-4, msg=name)


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
@FEWER_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_sequence_classification_loss(case: str, values: dict[str, Any], seed: int) -> None:
    num_labels, problem_type, labels = SEQUENCE_LABELS[case]
    values = {**values, "num_labels": num_labels, "problem_type": problem_type}
    published, ours = make_pair("T5ForSequenceClassification", values, seed)
    inputs = make_source(seed, 3, 8)
    with torch.no_grad():
        expected, actual = published(**inputs, labels=labels), ours(**inputs, labels=labels)
    torch.testing.assert_close(actual.loss, expected.loss, atol=TOLERANCE, rtol=TOLERANCE)
    torch.testing.assert_close(actual.logits, expected.logits, atol=TOLERANCE, rtol=0)


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_losses_of_question_answering_and_token_classification(values: dict[str, Any], seed: int) -> None:
    inputs = make_source(seed, 3, 8)
    # The last answer lies behind the text and does not count.
    positions = {"start_positions": torch.tensor([0, 3, 11]), "end_positions": torch.tensor([2, 7, 12])}
    labels = torch.randint(0, values["num_labels"], (3, 8)).masked_fill(inputs["attention_mask"] == 0, -100)
    wanted = {"T5ForQuestionAnswering": positions, "T5ForTokenClassification": {"labels": labels}}
    for head, targets in wanted.items():
        published, ours = make_pair(head, values, seed)
        with torch.no_grad():
            expected, actual = published(**inputs, **targets), ours(**inputs, **targets)
        torch.testing.assert_close(actual.loss, expected.loss, atol=TOLERANCE, rtol=TOLERANCE, msg=head)


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), first=st.integers(1, 7))
def test_cache_continues_like_the_published_one(values: dict[str, Any], seed: int, first: int) -> None:
    published, ours = make_pair("T5ForConditionalGeneration", values, seed)
    source = make_source(seed, 2, 6)
    target_ids = torch.randint(3, VOCAB_SIZE, (2, 8))
    with torch.no_grad():
        whole = published(**source, decoder_input_ids=target_ids)
        start = ours(**source, decoder_input_ids=target_ids[:, :first], use_cache=True)
        rest = ours(
            encoder_outputs=(start.encoder_last_hidden_state,),
            attention_mask=source["attention_mask"],
            decoder_input_ids=target_ids[:, first:],
            past_key_values=start.past_key_values,
            use_cache=True,
        )
    logits = torch.cat((start.logits, rest.logits), dim=1)
    torch.testing.assert_close(logits, whole.logits, atol=TOLERANCE, rtol=TOLERANCE)
    for layer, published_layer in enumerate(whole.past_key_values.self_attention_cache.layers):
        for ours_kept, kept in zip(
            rest.past_key_values.self_attention[layer], (published_layer.keys, published_layer.values), strict=True
        ):
            torch.testing.assert_close(ours_kept, kept, atol=TOLERANCE, rtol=0)


@PARITY_SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    num_beams=st.sampled_from([1, 3]),
    new_tokens=st.integers(1, 12),
    padding_side=st.sampled_from(["left", "right"]),
)
def test_generated_ids(values: dict[str, Any], seed: int, num_beams: int, new_tokens: int, padding_side: str) -> None:
    published, ours = make_pair("T5ForConditionalGeneration", values, seed)
    inputs = make_inputs(PAD_TOKEN_ID, seed, 3, 7, padding_side)
    options = {"num_beams": num_beams, "max_new_tokens": new_tokens}
    # The published cache has as many layers as the encoder has and so may lack some.
    has_cache = (values["num_decoder_layers"] or 0) <= values["num_layers"]
    expected = published.generate(**inputs, **options, do_sample=False, use_cache=has_cache)
    assert ours.generate(**inputs, **options).tolist() == expected.tolist()  # type: ignore[operator]


@PARITY_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    # What the published class makes of the tie is read off the scale.
    tie_word_embeddings = values.pop("tie_word_embeddings")
    values["num_decoder_layers"] = values["num_decoder_layers"] or values["num_layers"]
    values["scale_decoder_outputs"] = tie_word_embeddings
    assert_same_config(transformers.T5Config, T5Config, values, tmp_path_factory.mktemp("config"))
    assert T5Config(tie_word_embeddings=tie_word_embeddings).scale_decoder_outputs == tie_word_embeddings


@pytest.mark.parametrize("tie_word_embeddings", [True, False])
@pytest.mark.parametrize("head", [*ENCODER_DECODER_HEADS, *ENCODER_HEADS])
@pytest.mark.filterwarnings("error:.* was filled from")
def test_a_checkpoint_of_the_published_class_loads_from_its_folder(
    head: str, tie_word_embeddings: bool, tmp_path: Path
) -> None:
    values = {**SMALL_VALUES, "tie_word_embeddings": tie_word_embeddings, "feed_forward_proj": "gated-gelu"}
    published, _ = make_pair(head, values, seed=0)
    published.save_pretrained(tmp_path / "published")
    ours = getattr(modeling_t5, head).from_pretrained(tmp_path / "published")
    inputs = {"input_ids": torch.tensor([[5, 6, 7, 1]])}
    if head in ENCODER_DECODER_HEADS:
        inputs["decoder_input_ids"] = torch.tensor([[0, 5, 6, 8]])
    with torch.no_grad():
        expected = published(**inputs)[0]
        torch.testing.assert_close(ours(**inputs)[0], expected, atol=TOLERANCE, rtol=0)

    ours.save_pretrained(tmp_path / "ours")
    again = getattr(transformers, head).from_pretrained(tmp_path / "ours").eval()
    with torch.no_grad():
        torch.testing.assert_close(again(**inputs)[0], expected, atol=TOLERANCE, rtol=0)


@pytest.mark.filterwarnings("error:.* was filled from")
def test_checkpoints_of_the_whole_model_fill_the_encoder(tmp_path: Path) -> None:
    whole, _ = make_pair("T5ForConditionalGeneration", SMALL_VALUES, seed=0)
    whole.save_pretrained(tmp_path)
    ours = modeling_t5.T5EncoderModel.from_pretrained(tmp_path)
    input_ids = torch.tensor([[5, 6, 1]])
    with torch.no_grad():
        expected = whole.get_encoder()(input_ids).last_hidden_state
        torch.testing.assert_close(ours(input_ids).last_hidden_state, expected, atol=TOLERANCE, rtol=0)
