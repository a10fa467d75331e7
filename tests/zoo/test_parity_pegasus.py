"""Pegasus computes what the published implementation computes, for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from add_model.zoo.modeling_utils import PreTrainedModel
from add_model.zoo.models.pegasus import modeling_pegasus
from add_model.zoo.models.pegasus.configuration_pegasus import PegasusConfig

from .parity import (
    PARITY_SETTINGS,
    TOLERANCE,
    assert_same_config,
    assert_same_outputs,
    copy_weights,
    make_inputs,
)

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

ENCODER_DECODER_HEADS = ["PegasusModel", "PegasusForConditionalGeneration"]
VOCAB_SIZE = 40
PAD_TOKEN_ID = 0
EOS_TOKEN_ID = 1
SMALL_VALUES: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "max_position_embeddings": 16,
    "d_model": 8,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 8,
    "decoder_ffn_dim": 8,
}


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    encoder_heads, decoder_heads = draw(st.sampled_from([(1, 1), (2, 4), (4, 2), (3, 1)]))
    return {
        "vocab_size": VOCAB_SIZE,
        "max_position_embeddings": draw(st.integers(14, 40)),
        "d_model": encoder_heads * decoder_heads * draw(st.sampled_from([2, 4, 5])),
        "encoder_layers": draw(st.integers(1, 3)),
        "decoder_layers": draw(st.integers(1, 3)),
        "encoder_attention_heads": encoder_heads,
        "decoder_attention_heads": decoder_heads,
        "encoder_ffn_dim": draw(st.sampled_from([7, 24])),
        "decoder_ffn_dim": draw(st.sampled_from([9, 16])),
        "activation_function": draw(st.sampled_from(["gelu", "gelu_new", "relu", "silu"])),
        "scale_embedding": draw(st.booleans()),
        "tie_word_embeddings": draw(st.booleans()),
        "init_std": draw(st.sampled_from([0.02, 0.2])),
        "pad_token_id": PAD_TOKEN_ID,
        "eos_token_id": EOS_TOKEN_ID,
        "decoder_start_token_id": draw(st.sampled_from([PAD_TOKEN_ID, 2])),
    }


def make_pair(head: str, values: dict[str, Any], seed: int) -> tuple[Any, PreTrainedModel]:
    """Return the published model and ours with the same weights, both in evaluation mode."""
    torch.manual_seed(seed)
    published = getattr(transformers, head)(transformers.PegasusConfig(**values, attn_implementation="eager")).eval()
    ours: PreTrainedModel = getattr(modeling_pegasus, head)(PegasusConfig(**values)).eval()
    copy_weights(published, ours)
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
    inputs.update(make_target(seed, batch, target_length, padding_side))
    for wanted in ("output_hidden_states", "output_attentions"):
        with torch.no_grad():
            expected = published(**inputs, **{wanted: True})
            actual = ours(**inputs, **{wanted: True})
        for name, tensor in expected.items():
            mask = inputs["attention_mask" if name.startswith("encoder_") else "decoder_attention_mask"]
            assert_same_outputs({name: tensor}, actual, mask)


@PARITY_SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    padding_side=st.sampled_from(["left", "right"]),
    has_encoder=st.booleans(),
    attention_implementation=st.sampled_from(["sdpa", "eager"]),
)
def test_causal_language_model(
    values: dict[str, Any], seed: int, padding_side: str, has_encoder: bool, attention_implementation: str
) -> None:
    published, ours = make_pair("PegasusForCausalLM", values, seed)
    ours.config.attention_implementation = attention_implementation
    inputs = make_inputs(PAD_TOKEN_ID, seed, 3, 8, padding_side)
    mask = inputs["attention_mask"]
    if has_encoder:
        inputs["encoder_hidden_states"] = torch.randn(3, 5, values["d_model"])
        inputs["encoder_attention_mask"] = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1]])
    labels = torch.randint(0, VOCAB_SIZE, (3, 8)).masked_fill(mask == 0, -100)
    with torch.no_grad():
        # Without its cache, which has as many layers as the encoder has and so may lack some.
        expected = published(
            **inputs, labels=labels, output_hidden_states=True, output_attentions=True, use_cache=False
        )
        actual = ours(**inputs, labels=labels, output_hidden_states=True, output_attentions=True)
        assert_same_outputs(expected, actual, mask)
        # The same again with the fused attention, where it is configured.
        torch.testing.assert_close(ours(**inputs, labels=labels).loss, expected.loss, atol=TOLERANCE, rtol=0)


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), has_embeddings=st.booleans())
def test_embeddings_and_encoder_outputs_as_inputs(values: dict[str, Any], seed: int, has_embeddings: bool) -> None:
    published, ours = make_pair("PegasusModel", values, seed)
    inputs = {"attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])}
    inputs["decoder_inputs_embeds"] = torch.randn(2, 3, values["d_model"])
    encoded = torch.randn(2, 4, values["d_model"])
    with torch.no_grad():
        if has_embeddings:
            expected, actual = published(inputs_embeds=encoded, **inputs), ours(inputs_embeds=encoded, **inputs)
        else:
            expected, actual = (
                published(encoder_outputs=(encoded,), **inputs),
                ours(encoder_outputs=(encoded,), **inputs),
            )
    torch.testing.assert_close(actual.last_hidden_state, expected.last_hidden_state, atol=TOLERANCE, rtol=0)


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), first=st.integers(1, 7))
def test_cache_continues_like_the_published_one(values: dict[str, Any], seed: int, first: int) -> None:
    published, ours = make_pair("PegasusForConditionalGeneration", values, seed)
    source = make_source(seed, 2, 6)
    target_ids = torch.randint(3, VOCAB_SIZE, (2, 8))
    with torch.no_grad():
        whole = published(**source, decoder_input_ids=target_ids).logits
        start = ours(**source, decoder_input_ids=target_ids[:, :first], use_cache=True)
        rest = ours(
            encoder_outputs=(start.encoder_last_hidden_state,),
            attention_mask=source["attention_mask"],
            decoder_input_ids=target_ids[:, first:],
            past_key_values=start.past_key_values,
            use_cache=True,
        )
    logits = torch.cat((start.logits, rest.logits), dim=1)
    torch.testing.assert_close(logits, whole, atol=TOLERANCE, rtol=0)


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), has_target=st.booleans())
def test_conditional_generation_loss_and_its_gradients(values: dict[str, Any], seed: int, has_target: bool) -> None:
    published, ours = make_pair("PegasusForConditionalGeneration", values, seed)
    inputs = make_source(seed, 3, 8)
    target = make_target(seed, 3, 6, "right")
    labels = target["decoder_input_ids"].masked_fill(target["decoder_attention_mask"] == 0, -100)
    if has_target:
        inputs.update(target)
    expected, actual = published(**inputs, labels=labels), ours(**inputs, labels=labels)
    torch.testing.assert_close(actual.loss, expected.loss, atol=TOLERANCE, rtol=0)
    assert actual.past_key_values is None
    expected.loss.backward()
    actual.loss.backward()
    gradients = {name: weight.grad for name, weight in published.named_parameters()}
    for name, weight in ours.named_parameters():
        torch.testing.assert_close(weight.grad, gradients[name], atol=1e-4, rtol=1e-4, msg=name)


@PARITY_SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    num_beams=st.sampled_from([1, 3]),
    new_tokens=st.integers(1, 12),
    padding_side=st.sampled_from(["left", "right"]),
)
def test_generated_ids(values: dict[str, Any], seed: int, num_beams: int, new_tokens: int, padding_side: str) -> None:
    published, ours = make_pair("PegasusForConditionalGeneration", values, seed)
    inputs = make_inputs(PAD_TOKEN_ID, seed, 3, 7, padding_side)
    options = {"num_beams": num_beams, "max_new_tokens": new_tokens}
    # The published cache has as many layers as the encoder has and so may lack some.
    has_cache = values["decoder_layers"] <= values["encoder_layers"]
    expected = published.generate(**inputs, **options, do_sample=False, use_cache=has_cache)
    assert ours.generate(**inputs, **options).tolist() == expected.tolist()  # type: ignore[operator]


@PARITY_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    assert_same_config(transformers.PegasusConfig, PegasusConfig, values, tmp_path_factory.mktemp("config"))


@pytest.mark.parametrize("head", [*ENCODER_DECODER_HEADS, "PegasusForCausalLM"])
@pytest.mark.filterwarnings("error:.* was filled from")
def test_a_checkpoint_of_the_published_class_loads_from_its_folder(head: str, tmp_path: Path) -> None:
    published, _ = make_pair(head, SMALL_VALUES, seed=0)
    published.save_pretrained(tmp_path / "published")
    ours = getattr(modeling_pegasus, head).from_pretrained(tmp_path / "published")
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
def test_checkpoints_of_the_whole_model_fill_the_causal_language_model(tmp_path: Path) -> None:
    whole, _ = make_pair("PegasusForConditionalGeneration", SMALL_VALUES, seed=0)
    whole.save_pretrained(tmp_path)
    expected = transformers.PegasusForCausalLM(transformers.PegasusConfig(**SMALL_VALUES)).eval()
    weights = whole.state_dict()
    expected.load_state_dict({name: weights[name] for name in expected.state_dict()}, strict=True)
    ours = modeling_pegasus.PegasusForCausalLM.from_pretrained(tmp_path)
    input_ids = torch.tensor([[0, 5, 6, 2]])
    with torch.no_grad():
        torch.testing.assert_close(ours(input_ids).logits, expected(input_ids).logits, atol=TOLERANCE, rtol=0)


@pytest.mark.filterwarnings("error:.* was filled from")
def test_a_checkpoint_of_the_base_model_fills_conditional_generation(tmp_path: Path) -> None:
    base, _ = make_pair("PegasusModel", SMALL_VALUES, seed=0)
    base.save_pretrained(tmp_path)
    ours = modeling_pegasus.PegasusForConditionalGeneration.from_pretrained(tmp_path)
    assert not ours.final_logits_bias.any()
