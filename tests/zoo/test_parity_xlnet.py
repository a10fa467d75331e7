"""XLNet computes what the published implementation computes, for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from .encoders import ENCODER_SETTINGS, VOCAB_SIZE, Encoder, check_gradients, refuses_warnings
from .parity import SEQUENCE_LABELS, TOLERANCE, assert_same_config

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

XLNET = Encoder("xlnet", "XLNet", pad_token_id=5)
HEADS = [
    "Model",
    "LMHeadModel",
    "ForMultipleChoice",
    "ForQuestionAnsweringSimple",
    "ForSequenceClassification",
    "ForTokenClassification",
]
SEEDS = st.integers(0, 2**31 - 1)
SMALL_VALUES: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "d_model": 8,
    "n_layer": 2,
    "n_head": 2,
    "d_inner": 9,
}
LENGTH = 7
# The published model adds masks of several texts to that of "uni" in place, which fails.
ATTENTION: dict[str, tuple[int, dict[str, Any]]] = {
    "both sides": (2, {}),
    "two directions": (4, {"bi_data": True}),
    "one side": (1, {"attn_type": "uni"}),
    "one side, equally far": (1, {"attn_type": "uni", "same_length": True}),
}


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    heads = draw(st.integers(1, 4))
    return {
        "vocab_size": VOCAB_SIZE,
        "d_model": heads * draw(st.sampled_from([4, 6, 8])),
        "n_layer": draw(st.integers(1, 3)),
        "n_head": heads,
        "d_inner": draw(st.integers(1, 40)),
        "ff_activation": draw(st.sampled_from(["gelu", "relu", "gelu_new"])),
        "clamp_len": draw(st.sampled_from([-1, 3])),
        "initializer_range": draw(st.sampled_from([0.02, 0.2])),
        "mem_len": draw(st.sampled_from([None, 4, 512])),
        "reuse_len": draw(st.sampled_from([None, 3])),
        "use_mems_eval": draw(st.booleans()),
        "summary_type": draw(st.sampled_from(["last", "first", "mean"])),
        "summary_use_proj": draw(st.booleans()),
        "summary_activation": draw(st.sampled_from(["tanh", ""])),
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
    XLNET.check_outputs(head, values, seed, padding_side, implementation)


def draw_order(batch: int, generator: torch.Generator) -> torch.Tensor:
    """Return the permutation mask of a drawn order for every text: who comes later is hidden."""
    ranks = torch.rand(batch, LENGTH, generator=generator)
    return (ranks[:, None, :] >= ranks[:, :, None]).float()


def flat(values: Any) -> list[torch.Tensor]:
    """Return the tensors in an output's field, in which tuples may stand in tuples."""
    return [values] if isinstance(values, torch.Tensor) else [tensor for value in values for tensor in flat(value)]


@pytest.mark.parametrize("attention", ATTENTION)
@ENCODER_SETTINGS
@given(
    values=config_values(),
    seed=SEEDS,
    predictions=st.integers(0, 3),
    has_order=st.booleans(),
    has_segments=st.booleans(),
    has_vectors=st.booleans(),
    implementation=st.sampled_from(["eager", "sdpa"]),
)
def test_two_streams_memories_and_segments(
    attention: str,
    values: dict[str, Any],
    seed: int,
    predictions: int,
    has_order: bool,
    has_segments: bool,
    has_vectors: bool,
    implementation: str,
) -> None:
    batch, options = ATTENTION[attention]
    values = {**values, **options}
    published, ours = XLNET.pair("LMHeadModel", values, seed, implementation)
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(6, VOCAB_SIZE, (batch, LENGTH), generator=generator)
    padding_mask = torch.ones(batch, LENGTH).index_fill(1, torch.tensor([0]), 0)
    inputs: dict[str, Any] = {"input_ids": ids, "attention_mask": padding_mask}
    if has_vectors:
        inputs["inputs_embeds"] = torch.randn(*inputs.pop("input_ids").shape, values["d_model"], generator=generator)
    if has_order:
        inputs["perm_mask"] = draw_order(batch, generator)
    if has_segments:
        inputs["token_type_ids"] = torch.randint(0, 3, (batch, LENGTH), generator=generator)
    if predictions:
        targets = torch.stack([torch.randperm(LENGTH, generator=generator)[:predictions] for _ in range(batch)])
        inputs["target_mapping"] = torch.nn.functional.one_hot(targets, LENGTH).float()
    inputs["labels"] = torch.randint(VOCAB_SIZE, (batch, predictions or LENGTH), generator=generator)
    # A text first, then the one that goes on from its memories.
    first_ids = torch.randint(6, VOCAB_SIZE, (batch, 5), generator=generator)
    expected_mems, actual_mems = published(first_ids, use_mems=True).mems, ours(first_ids, use_mems=True)["mems"]
    # With probabilities asked for, attention is written out; so the fused one is compared without.
    for with_attentions in (True, False):
        wanted = {"use_mems": True, "output_hidden_states": True, "output_attentions": with_attentions}
        expected = published(**inputs, **wanted, mems=list(expected_mems))
        actual = ours(**inputs, **wanted, mems=actual_mems)
        for name in ("loss", "logits", "mems", "hidden_states", *(["attentions"] if with_attentions else [])):
            for one, other in zip(flat(actual[name]), flat(expected[name]), strict=True):
                torch.testing.assert_close(one, other, atol=TOLERANCE, rtol=0, msg=name)
    check_gradients(published, expected.loss, ours, actual["loss"])


@ENCODER_SETTINGS
@given(values=config_values(), seed=SEEDS)
def test_the_next_tokens_are_those_that_the_published_model_generates(values: dict[str, Any], seed: int) -> None:
    published, ours = XLNET.pair("LMHeadModel", values, seed, "sdpa")
    ids = torch.randint(6, VOCAB_SIZE, (2, LENGTH), generator=torch.Generator().manual_seed(seed))
    # Memories would keep what earlier tokens were before the new ones came, which gives other tokens.
    expected = published.generate(ids, max_new_tokens=4, do_sample=False, use_mems=False, eos_token_id=VOCAB_SIZE)
    for _ in range(4):
        extended = torch.nn.functional.pad(ids, (0, 1))
        last = torch.nn.functional.one_hot(torch.tensor([[extended.shape[1] - 1]] * 2), extended.shape[1])
        with torch.no_grad():
            outputs = ours(extended, perm_mask=last.expand(-1, extended.shape[1], -1), target_mapping=last)
        ids = torch.cat((ids, outputs["logits"][:, -1:].argmax(dim=-1)), dim=1)
    assert torch.equal(ids, expected)


@pytest.mark.parametrize("case", SEQUENCE_LABELS)
def test_sequence_classification_loss(case: str) -> None:
    XLNET.check_sequence_loss(case, SMALL_VALUES, seed=0)


@ENCODER_SETTINGS
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("config")
    assert_same_config(XLNET.published_config_class, XLNET.config_class, values, folder)


@pytest.mark.parametrize("head", HEADS)
@refuses_warnings
def test_checkpoints_both_ways(head: str, tmp_path: Path) -> None:
    XLNET.check_checkpoints(head, SMALL_VALUES, tmp_path)
