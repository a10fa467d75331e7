"""Beam search and sampling give what the published implementation gives for the same settings."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from .parity import PARITY_SETTINGS, make_inputs
from .test_generation import make_bart_pair, make_gpt2_pair

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

fewer = settings(PARITY_SETTINGS, max_examples=12)
search_settings = st.fixed_dictionaries(
    {
        "num_beams": st.integers(2, 4),
        "length_penalty": st.sampled_from([-1.0, 0.0, 0.6, 1.0, 2.0]),
        "early_stopping": st.sampled_from([False, True, "never"]),
        "repetition_penalty": st.sampled_from([1.0, 1.3, 0.8]),
        "no_repeat_ngram_size": st.integers(0, 3),
        "max_new_tokens": st.integers(1, 12),
        # Ends that a random model chooses now and then.
        "eos_token_id": st.sampled_from([2, [2, 5], [4, 7, 9, 11]]),
    }
)


def assert_same_texts(published: Any, ours: Any, inputs: dict[str, torch.Tensor], **values: Any) -> None:
    forced = {name: getattr(ours.config, name) for name in ("forced_bos_token_id", "forced_eos_token_id")}
    expected = published.generate(**inputs, do_sample=False, pad_token_id=1, **forced, **values)
    for use_cache in (True, False):
        assert ours.generate(**inputs, pad_token_id=1, use_cache=use_cache, **values).tolist() == expected.tolist()


@fewer
@given(seed=st.integers(0, 2**31 - 1), batch=st.integers(1, 3), length=st.integers(1, 7), values=search_settings)
def test_beams_of_a_decoder(seed: int, batch: int, length: int, values: dict[str, Any]) -> None:
    published, ours = make_gpt2_pair(seed)
    inputs = make_inputs(1, seed, batch, length, "left")
    assert_same_texts(published, ours, inputs, num_return_sequences=1 + seed % values["num_beams"], **values)


@fewer
@given(seed=st.integers(0, 2**31 - 1), batch=st.integers(1, 3), length=st.integers(1, 7), values=search_settings)
def test_beams_of_an_encoder_decoder(seed: int, batch: int, length: int, values: dict[str, Any]) -> None:
    forced = {"forced_bos_token_id": (None, 0)[seed % 2], "forced_eos_token_id": (None, 2)[seed // 2 % 2]}
    published, ours = make_bart_pair("BartForConditionalGeneration", seed, **forced)
    inputs = make_inputs(1, seed, batch, length, "right")
    assert_same_texts(published, ours, inputs, num_return_sequences=1 + seed % values["num_beams"], **values)


@fewer
@given(
    seed=st.integers(0, 2**31 - 1),
    temperature=st.sampled_from([0.3, 1.0, 1.7]),
    top_k=st.sampled_from([None, 0, 1, 3, 100]),
    top_p=st.sampled_from([0.2, 0.7, 1.0]),
    num_beams=st.sampled_from([1, 1, 3]),
)
def test_drawn_texts(seed: int, temperature: float, top_k: int | None, top_p: float, num_beams: int) -> None:
    published, ours = make_gpt2_pair(seed)
    inputs = make_inputs(1, seed, 3, 5, "left")
    values: dict[str, Any] = {"temperature": temperature, "top_p": top_p, "num_beams": num_beams, "max_new_tokens": 8}
    if top_k is not None:
        values["top_k"] = top_k
    # The same numbers are drawn from the same distribution.
    torch.manual_seed(seed)
    expected = published.generate(**inputs, do_sample=True, repetition_penalty=1.2, **values)
    torch.manual_seed(seed)
    assert ours.generate(**inputs, do_sample=True, repetition_penalty=1.2, **values).tolist() == expected.tolist()


def test_a_seed_draws_the_same_again_and_leaves_the_global_generator_alone() -> None:
    _, ours = make_gpt2_pair(0, eos_token_id=None)
    prompt = torch.tensor([[4, 5, 6]])
    state = torch.get_rng_state()
    first = ours.generate(prompt, do_sample=True, seed=3, num_return_sequences=4, max_new_tokens=6)
    again = ours.generate(
        prompt, do_sample=True, generator=torch.Generator().manual_seed(3), num_return_sequences=4, max_new_tokens=6
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, again)
    assert len({tuple(text) for text in first.tolist()}) > 1
    assert not torch.equal(first, ours.generate(prompt, do_sample=True, seed=4, num_return_sequences=4, max_new_tokens=6))  # fmt: skip


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"temperature": 0.5}, "set do_sample=True"),
        ({"do_sample": True, "temperature": 0.0}, "temperature must be greater than 0"),
        ({"do_sample": True, "top_k": -1}, "top_k must be"),
        ({"do_sample": True, "top_p": 1.5}, "top_p must be"),
        ({"do_sample": True, "seed": 1, "generator": torch.Generator()}, "either seed or generator"),
        ({"num_beams": 0}, "num_beams must be"),
        ({"num_beams": 2, "num_return_sequences": 3}, "raise num_beams"),
        ({"num_return_sequences": 2}, "greedy search gives one text"),
        ({"num_return_sequences": 0}, "num_return_sequences must be"),
        ({"repetition_penalty": 0.0}, "repetition_penalty must be"),
        ({"no_repeat_ngram_size": -1}, "no_repeat_ngram_size must be"),
    ],
)
def test_settings_that_cannot_be_meant(values: dict[str, Any], said: str) -> None:
    _, ours = make_gpt2_pair(0)
    with pytest.raises(ValueError, match=said):
        ours.generate(torch.tensor([[4, 5]]), max_new_tokens=2, **values)


def test_the_published_class_is_asked_for_the_same_defaults() -> None:
    assert transformers.GenerationConfig._get_default_generation_params()["top_k"] == 50
