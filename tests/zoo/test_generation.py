"""Greedy generation gives the published implementation's ids, with and without the cache."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from add_model.zoo import AutoConfig, AutoModelForCausalLM
from add_model.zoo.models.bart import modeling_bart
from add_model.zoo.models.bart.configuration_bart import BartConfig
from add_model.zoo.models.gpt2 import modeling_gpt2
from add_model.zoo.models.gpt2.configuration_gpt2 import GPT2Config

from .parity import PARITY_SETTINGS, copy_weights, make_inputs

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

VOCAB_SIZE = 40
# Large initial weights, so that the most probable token differs from step to step.
GPT2_VALUES: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "n_positions": 40,
    "n_embd": 16,
    "n_head": 2,
    "n_layer": 2,
    "initializer_range": 0.5,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 1,
}
BART_VALUES: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "max_position_embeddings": 40,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "init_std": 0.7,
    "tie_word_embeddings": False,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 1,
}


def make_gpt2_pair(seed: int, **values: Any) -> tuple[Any, Any]:
    values = {**GPT2_VALUES, **values}
    torch.manual_seed(seed)
    published = transformers.GPT2LMHeadModel(transformers.GPT2Config(**values)).eval()
    ours = modeling_gpt2.GPT2LMHeadModel(GPT2Config(**values)).eval()
    copy_weights(published, ours)
    return published, ours


def make_bart_pair(head: str, seed: int, **values: Any) -> tuple[Any, Any]:
    values = {**BART_VALUES, **values}
    torch.manual_seed(seed)
    published = getattr(transformers, head)(transformers.BartConfig(**values)).eval()
    ours = getattr(modeling_bart, head)(BartConfig(**values)).eval()
    copy_weights(published, ours)
    return published, ours


def assert_same_ids(published: Any, ours: Any, inputs: dict[str, torch.Tensor], **limits: Any) -> torch.Tensor:
    expected: torch.Tensor = published.generate(
        **inputs,
        do_sample=False,
        num_beams=1,
        # The published class reads this value from another file than config.json.
        forced_bos_token_id=ours.config.forced_bos_token_id,
        **limits,
    )
    with_cache = ours.generate(**inputs, **limits)
    without_cache = ours.generate(**inputs, **limits, use_cache=False)
    assert with_cache.tolist() == without_cache.tolist()
    assert with_cache.tolist() == expected.tolist()
    return expected


@PARITY_SETTINGS
@given(
    seed=st.integers(0, 2**31 - 1),
    batch=st.integers(1, 3),
    length=st.integers(1, 8),
    new_tokens=st.integers(1, 16),
    has_pad_token=st.booleans(),
)
def test_gpt2_with_padding_on_the_left(
    seed: int, batch: int, length: int, new_tokens: int, has_pad_token: bool
) -> None:
    published, ours = make_gpt2_pair(seed, pad_token_id=1 if has_pad_token else None)
    inputs = make_inputs(1, seed, batch, length, "left")
    assert_same_ids(published, ours, inputs, max_new_tokens=new_tokens)


@PARITY_SETTINGS
@given(seed=st.integers(0, 2**31 - 1), length=st.integers(2, 8))
def test_gpt2_finds_the_attention_mask_from_the_padding_token(seed: int, length: int) -> None:
    published, ours = make_gpt2_pair(seed)
    inputs = make_inputs(1, seed, 3, length, "left")
    expected = assert_same_ids(published, ours, inputs, max_length=20)
    actual = ours.generate(inputs["input_ids"], max_length=20)
    assert actual.tolist() == expected.tolist()


@PARITY_SETTINGS
@given(seed=st.integers(0, 2**31 - 1))
def test_gpt2_padding_does_not_change_a_text(seed: int) -> None:
    _, ours = make_gpt2_pair(seed, eos_token_id=None)
    text = torch.randint(3, VOCAB_SIZE, (1, 4))
    alone = ours.generate(text, max_new_tokens=8)
    padded = torch.cat((torch.ones(1, 5, dtype=torch.long), text), dim=1)
    assert ours.generate(padded, max_new_tokens=8)[:, 5:].tolist() == alone.tolist()


@PARITY_SETTINGS
@given(seed=st.integers(0, 2**31 - 1))
def test_gpt2_stops_at_each_of_several_end_tokens(seed: int) -> None:
    published, ours = make_gpt2_pair(seed)
    inputs = make_inputs(1, seed, 3, 4, "left")
    free = ours.generate(**inputs, max_new_tokens=10, eos_token_id=VOCAB_SIZE)
    end_tokens = sorted({int(free[0, 6]), int(free[-1, 8])})
    expected = published.generate(**inputs, do_sample=False, max_new_tokens=10, eos_token_id=end_tokens)
    actual = ours.generate(**inputs, max_new_tokens=10, eos_token_id=end_tokens)
    assert actual.tolist() == expected.tolist()


@PARITY_SETTINGS
@given(
    seed=st.integers(0, 2**31 - 1),
    batch=st.integers(1, 3),
    length=st.integers(1, 8),
    max_length=st.integers(2, 16),
    decoder_start_token_id=st.sampled_from([0, 2]),
    forced_bos_token_id=st.sampled_from([None, 0, 7]),
    forced_eos_token_id=st.sampled_from([None, 2]),
)
def test_bart_with_start_and_forced_tokens(
    seed: int,
    batch: int,
    length: int,
    max_length: int,
    decoder_start_token_id: int,
    forced_bos_token_id: int | None,
    forced_eos_token_id: int | None,
) -> None:
    published, ours = make_bart_pair(
        "BartForConditionalGeneration",
        seed,
        decoder_start_token_id=decoder_start_token_id,
        forced_bos_token_id=forced_bos_token_id,
        forced_eos_token_id=forced_eos_token_id,
    )
    inputs = make_inputs(1, seed, batch, length, "right")
    ids = assert_same_ids(published, ours, inputs, max_length=max_length)
    assert (ids[:, 0] == decoder_start_token_id).all()


@PARITY_SETTINGS
@given(
    seed=st.integers(0, 2**31 - 1),
    batch=st.integers(1, 3),
    length=st.integers(1, 8),
    new_tokens=st.integers(1, 12),
    forced_bos_token_id=st.sampled_from([None, 7]),
)
def test_bart_decoder_alone(
    seed: int, batch: int, length: int, new_tokens: int, forced_bos_token_id: int | None
) -> None:
    published, ours = make_bart_pair("BartForCausalLM", seed, forced_bos_token_id=forced_bos_token_id)
    inputs = make_inputs(1, seed, batch, length, "left")
    assert_same_ids(published, ours, inputs, max_new_tokens=new_tokens)


@pytest.mark.filterwarnings("ignore:Using the model-agnostic default")
def test_the_default_limit_is_the_published_one() -> None:
    published, ours = make_gpt2_pair(0, eos_token_id=None)
    ids = assert_same_ids(published, ours, {"input_ids": torch.tensor([[3, 4, 5]])})
    assert ids.shape == (1, 23)
    # The positions end the text before the limit does.
    published, ours = make_gpt2_pair(0, eos_token_id=None, n_positions=10)
    ids = assert_same_ids(published, ours, {"input_ids": torch.tensor([[3, 4, 5]])})
    assert ids.shape == (1, 10)


def test_wrong_limits_are_refused() -> None:
    _, ours = make_gpt2_pair(0)
    prompt = torch.tensor([[3, 4, 5]])
    with pytest.raises(ValueError, match="not both"):
        ours.generate(prompt, max_length=5, max_new_tokens=2)
    with pytest.raises(ValueError, match="leaves no room after a prompt of 3"):
        ours.generate(prompt, max_length=3)
    with pytest.raises(ValueError, match="40 positions"):
        ours.generate(prompt, max_length=60, eos_token_id=VOCAB_SIZE)


def test_an_encoder_decoder_needs_a_start_token() -> None:
    _, ours = make_bart_pair("BartForConditionalGeneration", 0)
    ours.config.decoder_start_token_id = None
    with pytest.raises(ValueError, match="decoder_start_token_id"):
        ours.generate(torch.tensor([[0, 5, 2]]))
    assert ours.generate(torch.tensor([[0, 5, 2]]), decoder_start_token_id=9, max_new_tokens=2)[0, 0] == 9


@pytest.mark.parametrize("model_type", ["bloom", "gpt2", "gptj", "opt"])
def test_only_the_last_token_is_scored(model_type: str) -> None:
    config: Any = AutoConfig.for_model(
        model_type, vocab_size=VOCAB_SIZE, hidden_size=16, num_hidden_layers=1, num_attention_heads=1
    )
    config.rotary_dim = 4
    model: Any = AutoModelForCausalLM.from_config(config).eval()
    scored: list[int] = []
    model.lm_head.register_forward_hook(lambda module, inputs, scores: scored.append(scores.shape[1]))
    input_ids = torch.randint(3, VOCAB_SIZE, (2, 6))
    for options in ({}, {"use_cache": False}, {"num_beams": 2}):
        model.generate(input_ids, max_new_tokens=3, eos_token_id=VOCAB_SIZE, **options)
    assert scored == [1] * 9
    last = model(input_ids, logits_to_keep=2).logits
    torch.testing.assert_close(last, model(input_ids).logits[:, -2:])
