"""Comparison of our encoders and their heads with the published implementation."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import settings

from add_model.zoo.configuration_utils import PreTrainedConfig
from add_model.zoo.modeling_utils import PreTrainedModel

from .parity import PARITY_SETTINGS, SEQUENCE_LABELS, TOLERANCE, assert_same_outputs, copy_weights, make_inputs

# Every example goes forward three times and back once, for every head.
ENCODER_SETTINGS = settings(PARITY_SETTINGS, max_examples=8)
VOCAB_SIZE = 40
GRADIENT_TOLERANCE = 1e-4
BATCH, LENGTH, CHOICES = 3, 8, 2
Inputs = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Encoder:
    """A model here and the one of the same name in Transformers.

    Attributes:
        model_type: the name of the package.
        prefix: what the names of its classes begin with.
        pad_token_id: id of the padding token in its configurations.
    """

    model_type: str
    prefix: str
    pad_token_id: int

    @property
    def published_config_class(self) -> Any:
        return getattr(transformers, f"{self.prefix}Config")

    @property
    def config_class(self) -> type[PreTrainedConfig]:
        config_class: type[PreTrainedConfig] = self._own(f"{self.prefix}Config")
        return config_class

    def _own(self, name: str) -> Any:
        return getattr(importlib.import_module(f"add_model.zoo.models.{self.model_type}"), name)

    def build(self, head: str, values: dict[str, Any]) -> PreTrainedModel:
        """Return our model of a head, such as "ForMaskedLM", with its initial weights, in evaluation mode."""
        model: PreTrainedModel = self._own(self.prefix + head)(self.config_class(**values))
        return model.eval()

    def pair(
        self, head: str, values: dict[str, Any], seed: int, implementation: str = "eager"
    ) -> tuple[Any, PreTrainedModel]:
        """Return the published model of a head, such as "ForMaskedLM", and ours with its weights, in evaluation mode."""
        torch.manual_seed(seed)
        if head == "ForPreTraining" or head.startswith("ForQuestionAnswering"):
            # The published head has a score for every label, and needs two.
            values = {**values, "num_labels": 2}
        config = self.published_config_class(**values, attn_implementation="eager")
        published = getattr(transformers, self.prefix + head)(config).eval()
        ours = self.build(head, {**values, "attention_implementation": implementation})
        copy_weights(published, ours)
        published.load_state_dict(ours.state_dict(), strict=True)
        return published, ours

    def inputs(self, head: str, seed: int, padding_side: str = "right") -> Inputs:
        """Return texts of different lengths, for multiple choice as many as there are choices of each."""
        if head != "ForMultipleChoice":
            return make_inputs(self.pad_token_id, seed, BATCH, LENGTH, padding_side)
        inputs = make_inputs(self.pad_token_id, seed, BATCH * CHOICES, LENGTH, padding_side)
        return {name: tensor.view(BATCH, CHOICES, LENGTH) for name, tensor in inputs.items()}

    def check_outputs(
        self, head: str, values: dict[str, Any], seed: int, padding_side: str, implementation: str
    ) -> None:
        """Compare outputs, loss, hidden states, attentions and the gradients of the loss."""
        published, ours = self.pair(head, values, seed, implementation)
        inputs = self.inputs(head, seed, padding_side)
        labels = draw_labels(head, ours.config, inputs, seed)
        mask = inputs["attention_mask"].flatten(0, -2)
        expected, actual = published(**inputs, **labels), ours(**inputs, **labels)
        if labels:
            torch.testing.assert_close(actual.loss, expected.loss, atol=TOLERANCE, rtol=0)
            check_gradients(published, expected.loss, ours, actual.loss)
        with torch.no_grad():
            for wanted in ("output_hidden_states", "output_attentions"):
                assert_same_outputs(published(**inputs, **{wanted: True}), ours(**inputs, **{wanted: True}), mask)

    def check_masks_of_four_dimensions(self, values: dict[str, Any], seed: int) -> None:
        """Compare the outputs where every pair of tokens has a decision of its own."""
        published, ours = self.pair("Model", values, seed, "sdpa")
        input_ids = self.inputs("Model", seed)["input_ids"]
        pairs = (torch.rand(BATCH, 1, LENGTH, LENGTH) < 0.6) | torch.eye(LENGTH, dtype=torch.bool)
        with torch.no_grad():
            expected = published(input_ids, attention_mask=pairs.float().sub(1).mul(1e9)).last_hidden_state
            actual = ours(input_ids, attention_mask=pairs).last_hidden_state
        torch.testing.assert_close(actual, expected, atol=TOLERANCE, rtol=0)

    def check_sequence_loss(self, case: str, values: dict[str, Any], seed: int) -> None:
        """Compare the loss of one of `SEQUENCE_LABELS`."""
        num_labels, problem_type, labels = SEQUENCE_LABELS[case]
        values = {**values, "num_labels": num_labels, "problem_type": problem_type}
        published, ours = self.pair("ForSequenceClassification", values, seed)
        inputs = self.inputs("ForSequenceClassification", seed)
        with torch.no_grad():
            expected, actual = published(**inputs, labels=labels), ours(**inputs, labels=labels)
        torch.testing.assert_close(actual.loss, expected.loss, atol=TOLERANCE, rtol=TOLERANCE)

    def check_checkpoints(self, head: str, values: dict[str, Any], folder: Path) -> None:
        """Read with each library what the other one saved."""
        published, ours = self.pair(head, values, seed=0)
        inputs = self.inputs(head, seed=0)
        published.save_pretrained(folder / "published")
        ours.save_pretrained(folder / "ours")
        loaded = type(ours).from_pretrained(folder / "published")
        again, report = type(published).from_pretrained(folder / "ours", output_loading_info=True)
        assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
        with torch.no_grad():
            expected = published(**inputs)[0]
            for model in (loaded, again.eval()):
                torch.testing.assert_close(model(**inputs)[0], expected, atol=TOLERANCE, rtol=0)


def draw_labels(head: str, config: PreTrainedConfig, inputs: Inputs, seed: int) -> Inputs:
    """Return random labels of a head, some of which do not count; the model without a head has none."""
    generator = torch.Generator().manual_seed(seed)

    def integers(high: int, *shape: int) -> torch.Tensor:
        return torch.randint(high, shape, generator=generator)

    if head == "Model":
        return {}
    if head.startswith("ForQuestionAnswering"):
        # Some positions lie behind the text.
        return {"start_positions": integers(LENGTH + 2, BATCH), "end_positions": integers(LENGTH, BATCH)}
    if head == "ForMultipleChoice":
        return {"labels": integers(CHOICES, BATCH)}
    if head == "ForSequenceClassification":
        return {"labels": torch.rand(BATCH) if config.num_labels == 1 else integers(config.num_labels, BATCH)}
    labels = integers(config.num_labels if head == "ForTokenClassification" else VOCAB_SIZE, BATCH, LENGTH)
    labels[0, 0] = -100
    of_tokens = {"labels": labels.masked_fill(inputs["attention_mask"] == 0, -100)}
    return {**of_tokens, "sentence_order_label": integers(2, BATCH)} if head == "ForPreTraining" else of_tokens


def check_gradients(published: Any, expected: torch.Tensor, ours: PreTrainedModel, actual: torch.Tensor) -> None:
    """Compare the gradients of two losses, parameter by parameter."""
    if not torch.isfinite(expected):
        # Without a single label that counts the loss is not a number.
        return
    expected.backward()  # type: ignore[no-untyped-call]
    actual.backward()  # type: ignore[no-untyped-call]
    gradients = {name: parameter.grad for name, parameter in ours.named_parameters()}
    for name, parameter in published.named_parameters():
        if parameter.grad is None:
            assert gradients[name] is None, name
        else:
            torch.testing.assert_close(gradients[name], parameter.grad, atol=GRADIENT_TOLERANCE, rtol=0, msg=name)


refuses_warnings = pytest.mark.filterwarnings("error:.* was filled from")
