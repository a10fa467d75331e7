"""BERT here against BERT in Transformers: same weights, same numbers, on configurations drawn at random."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from add_model.zoo.models import bert as ours

HEADS = (
    "BertModel",
    "BertForMaskedLM",
    "BertForMultipleChoice",
    "BertForNextSentencePrediction",
    "BertForQuestionAnswering",
    "BertForSequenceClassification",
    "BertForTokenClassification",
)

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow
# A loss without a single label that counts is not a number, in both.
TOLERANCE: dict[str, Any] = {"rtol": 0.0, "atol": 1e-5, "equal_nan": True}
BATCH = 3
CHOICES = 2

some_examples = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def bert_options(draw: Callable[..., Any]) -> dict[str, Any]:
    """Draw the arguments of a configuration, the same for both libraries."""
    heads = draw(st.integers(1, 4))
    vocab_size = draw(st.integers(12, 60))
    return {
        "vocab_size": vocab_size,
        "hidden_size": heads * draw(st.integers(2, 8)),
        "num_hidden_layers": draw(st.integers(1, 3)),
        "num_attention_heads": heads,
        "intermediate_size": draw(st.integers(1, 40)),
        "hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu"])),
        "hidden_dropout_prob": draw(st.sampled_from([0.0, 0.1])),
        "attention_probs_dropout_prob": draw(st.sampled_from([0.0, 0.2])),
        "max_position_embeddings": draw(st.integers(8, 20)),
        "type_vocab_size": draw(st.integers(1, 4)),
        "initializer_range": draw(st.sampled_from([0.02, 0.3])),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-5, 1e-3])),
        "classifier_dropout": draw(st.sampled_from([None, 0.0, 0.3])),
        "pad_token_id": draw(st.sampled_from([0, 3, None])),
        "tie_word_embeddings": draw(st.booleans()),
        "num_labels": draw(st.integers(1, 4)),
    }


def build_pair(head: str, options: dict[str, Any], implementation: str) -> tuple[Any, Any]:
    """Return Transformers' model with random weights and ours filled with them."""
    if head == "BertForQuestionAnswering":
        options = {**options, "num_labels": 2}
    theirs = getattr(transformers, head)(transformers.BertConfig(**options, attn_implementation=implementation))
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_(std=0.2)
    model = getattr(ours, head)(ours.BertConfig(**options, attention_implementation=implementation))
    model.load_state_dict(theirs.state_dict(), strict=True)
    theirs.load_state_dict(model.state_dict(), strict=True)
    return theirs.eval(), model.eval()


def draw_inputs(head: str, options: dict[str, Any], seed: int) -> dict[str, torch.Tensor]:
    """Return random texts of different lengths, padded on the right."""
    generator = torch.Generator().manual_seed(seed)

    def integers(high: int, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randint(high, shape, generator=generator)

    length = int(integers(7, (1,))) + 2
    shape = (BATCH, CHOICES, length) if head == "BertForMultipleChoice" else (BATCH, length)
    lengths = integers(length, shape[:-1]) + 1
    return {
        "input_ids": integers(options["vocab_size"], shape),
        "token_type_ids": integers(options["type_vocab_size"], shape),
        "position_ids": integers(options["max_position_embeddings"], shape),
        "attention_mask": (torch.arange(length) < lengths[..., None]).long(),
    }


def draw_labels(head: str, options: dict[str, Any], inputs: dict[str, torch.Tensor], seed: int) -> dict[str, Any]:
    """Return random labels, some of them marked as not to count."""
    generator = torch.Generator().manual_seed(seed)
    length = inputs["input_ids"].shape[-1]

    def integers(high: int, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randint(high, shape, generator=generator)

    if head == "BertForQuestionAnswering":
        # Some positions lie behind the text.
        return {"start_positions": integers(length + 2, (BATCH,)), "end_positions": integers(length, (BATCH,))}
    if head == "BertForSequenceClassification":
        if options["num_labels"] == 1:
            return {"labels": torch.rand(BATCH, generator=generator)}
        return {"labels": integers(options["num_labels"], (BATCH,))}
    if head == "BertForMultipleChoice":
        return {"labels": integers(CHOICES, (BATCH,))}
    if head == "BertForNextSentencePrediction":
        return {"labels": integers(2, (BATCH,))}
    labels = integers(options["vocab_size" if head == "BertForMaskedLM" else "num_labels"], (BATCH, length))
    labels[0, 0] = -100
    return {"labels": labels}


def assert_same(theirs: Any, mine: Any) -> None:
    """Compare every output that Transformers' model returned; it returns an empty tuple for what the model lacks."""
    values = {name: value for name, value in theirs.items() if not (isinstance(value, tuple) and not value)}
    for name, expected in values.items():
        actual = mine[name]
        if isinstance(expected, tuple):
            assert len(actual) == len(expected), name
            for actual_layer, expected_layer in zip(actual, expected, strict=True):
                torch.testing.assert_close(actual_layer, expected_layer, **TOLERANCE)
        else:
            torch.testing.assert_close(actual, expected, **TOLERANCE, msg=lambda text, name=name: f"{name}: {text}")
    assert {name for name in vars(mine) if mine[name] is not None} == values.keys()


@pytest.mark.parametrize("head", HEADS)
@some_examples
@given(options=bert_options(), seed=st.integers(0, 2**16), implementation=st.sampled_from(["eager", "sdpa"]))
def test_outputs_and_losses(head: str, options: dict[str, Any], seed: int, implementation: str) -> None:
    torch.manual_seed(seed)
    theirs, mine = build_pair(head, options, implementation)
    inputs = draw_inputs(head, options, seed)
    if head != "BertModel":
        inputs.update(draw_labels(head, options, inputs, seed))
    with torch.no_grad():
        expected = theirs(**inputs, output_hidden_states=True)
        actual = mine(**inputs, output_hidden_states=True)
    assert_same(expected, actual)


@pytest.mark.parametrize("head", HEADS)
@some_examples
@given(options=bert_options(), seed=st.integers(0, 2**16))
def test_hidden_states_and_attentions(head: str, options: dict[str, Any], seed: int) -> None:
    torch.manual_seed(seed)
    theirs, mine = build_pair(head, options, "eager")
    inputs = draw_inputs(head, options, seed)
    for optional in ("token_type_ids", "position_ids"):
        del inputs[optional]
    with torch.no_grad():
        expected = theirs(**inputs, output_hidden_states=True, output_attentions=True)
        actual = mine(**inputs, output_hidden_states=True, output_attentions=True)
    assert_same(expected, actual)


@some_examples
@given(options=bert_options(), seed=st.integers(0, 2**16))
def test_masks_of_four_dimensions(options: dict[str, Any], seed: int) -> None:
    torch.manual_seed(seed)
    theirs, mine = build_pair("BertModel", options, "sdpa")
    inputs = draw_inputs("BertModel", options, seed)
    length = inputs["input_ids"].shape[1]
    pairs = torch.rand(BATCH, 1, length, length) < 0.6
    inputs["attention_mask"] = pairs | torch.eye(length, dtype=torch.bool)
    with torch.no_grad():
        assert_same(theirs(**inputs), mine(**inputs))


@pytest.mark.parametrize("problem_type", ["regression", "multi_label_classification", None])
@some_examples
@given(options=bert_options(), seed=st.integers(0, 2**16))
def test_losses_of_problem_types(problem_type: str | None, options: dict[str, Any], seed: int) -> None:
    torch.manual_seed(seed)
    options = {**options, "problem_type": problem_type, "num_labels": max(2, options["num_labels"])}
    theirs, mine = build_pair("BertForSequenceClassification", options, "sdpa")
    inputs = draw_inputs("BertForSequenceClassification", options, seed)
    labels = torch.randint(2, (BATCH, options["num_labels"])).float()
    with torch.no_grad():
        assert_same(theirs(**inputs, labels=labels), mine(**inputs, labels=labels))


@some_examples
@given(options=bert_options())
def test_config_json_both_ways(options: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        transformers.BertConfig(**options).save_pretrained(folder)
        mine = ours.BertConfig.from_pretrained(folder)
        for name, value in options.items():
            assert getattr(mine, name) == value, name
        written_by_us = Path(folder) / "ours"
        mine.save_pretrained(written_by_us)
        theirs = transformers.BertConfig.from_pretrained(written_by_us)
        expected = transformers.BertConfig.from_pretrained(folder)
        assert theirs.to_dict() == {**expected.to_dict(), "transformers_version": theirs.transformers_version}
        assert ours.BertConfig.from_pretrained(written_by_us) == mine


@pytest.mark.parametrize("head", HEADS)
def test_checkpoints_both_ways(head: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    torch.manual_seed(0)
    options = {
        "vocab_size": 30,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 9,
        "max_position_embeddings": 12,
        "num_labels": 2,
    }
    theirs, mine = build_pair(head, options, "sdpa")
    inputs = draw_inputs(head, {**options, "type_vocab_size": 2}, seed=0)
    theirs.save_pretrained(tmp_path / "theirs")
    mine.save_pretrained(tmp_path / "mine")
    loaded = getattr(ours, head).from_pretrained(tmp_path / "theirs")
    loaded_by_them, report = getattr(transformers, head).from_pretrained(tmp_path / "mine", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    assert not [warning for warning in recwarn if "was filled from" in str(warning.message)]
    with torch.no_grad():
        expected = theirs(**inputs)
        assert_same(expected, loaded(**inputs))
        assert_same(loaded_by_them.eval()(**inputs), mine(**inputs))
