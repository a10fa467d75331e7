"""Comparison of our models with the published implementation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from hypothesis import HealthCheck, settings
from torch import nn

from add_model.zoo.configuration_utils import PreTrainedConfig

TOLERANCE = 1e-5
# What every configuration has here; the published ones of models without a vocabulary know nothing of it.
OF_TEXTS = ("tie_word_embeddings", "use_cache")
PARITY_SETTINGS = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

# Name to number of labels, problem type (None: concluded from the labels) and the labels of three texts.
SEQUENCE_LABELS: dict[str, tuple[int, str | None, torch.Tensor]] = {
    "regression of one value": (1, None, torch.tensor([0.5, -1.0, 2.0])),
    "regression of two values": (2, "regression", torch.tensor([[0.5, 1.0], [-1.0, 0.0], [2.0, 3.0]])),
    "a single label": (3, None, torch.tensor([2, 0, 1])),
    "several labels": (3, None, torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])),
}


def copy_weights(published: nn.Module, ours: nn.Module) -> None:
    """Give both models the same weights; biases and normalisations differ from their initial zeros and ones."""
    with torch.no_grad():
        for weight in [*published.parameters(), *published.buffers()]:
            is_constant = weight.dim() == 1 or (weight.dim() == 2 and weight.shape[0] == 1)
            if is_constant and weight.is_floating_point():
                weight.add_(torch.randn_like(weight) * 0.1)
    ours.load_state_dict(published.state_dict(), strict=True)


def make_inputs(pad_token_id: int, seed: int, batch: int, length: int, padding_side: str) -> dict[str, torch.Tensor]:
    """Return texts of different lengths and their attention mask; the first text has no padding."""
    generator = torch.Generator().manual_seed(seed)
    input_ids = torch.randint(3, 39, (batch, length), generator=generator)
    attention_mask = torch.ones(batch, length, dtype=torch.long)
    for row in range(1, batch):
        padding = int(torch.randint(0, length, (1,), generator=generator))
        columns = slice(0, padding) if padding_side == "left" else slice(length - padding, length)
        input_ids[row, columns] = pad_token_id
        attention_mask[row, columns] = 0
    return {"input_ids": input_ids, "attention_mask": attention_mask}


def make_images(seed: int, batch: int, channels: int, height: int, width: int) -> dict[str, torch.Tensor]:
    """Return images as a model takes them: numbers around zero."""
    generator = torch.Generator().manual_seed(seed)
    return {"pixel_values": torch.randn(batch, channels, height, width, generator=generator)}


def assert_same_outputs(published: Any, ours: Any, attention_mask: torch.Tensor | None = None) -> None:
    """Compare every output that the published model returned; where there is an attention mask, at the tokens."""
    is_token = None if attention_mask is None else attention_mask.bool()
    for name, expected in published.items():
        if name == "past_key_values":
            continue
        if expected == ():
            assert getattr(ours, name, None) is None, name
            continue
        actual = ours[name]
        pairs = zip(actual, expected, strict=True) if isinstance(expected, tuple) else [(actual, expected)]
        for actual_tensor, expected_tensor in pairs:
            assert actual_tensor.shape == expected_tensor.shape, name
            if name.endswith("attentions"):
                # What padding attends to has no meaning; look at the rows of tokens.
                actual_tensor, expected_tensor = actual_tensor.transpose(1, 2), expected_tensor.transpose(1, 2)
            if is_token is not None and actual_tensor.shape[:2] == is_token.shape:
                actual_tensor, expected_tensor = actual_tensor[is_token], expected_tensor[is_token]
            torch.testing.assert_close(actual_tensor, expected_tensor, atol=TOLERANCE, rtol=0, msg=name)


def assert_same_gradients(published: nn.Module, ours: nn.Module, inputs: dict[str, torch.Tensor]) -> None:
    """Compare the loss of inputs with labels, and the gradient of every weight."""
    expected, actual = published(**inputs).loss, ours(**inputs).loss
    torch.testing.assert_close(actual, expected, atol=TOLERANCE, rtol=TOLERANCE)
    expected.backward()
    actual.backward()
    weights = dict(ours.named_parameters())
    for name, weight in published.named_parameters():
        gradient = weights.pop(name).grad
        assert (gradient is None) == (weight.grad is None), name
        if gradient is not None:
            torch.testing.assert_close(gradient, weight.grad, atol=10 * TOLERANCE, rtol=0, msg=name)
    assert not weights


def assert_same_config(
    published_class: Any, our_class: type[PreTrainedConfig], values: dict[str, Any], folder: Path
) -> None:
    """Write `config.json` with the published class, read and write it with ours, and read it back."""
    published_class(**values).save_pretrained(folder)
    published = published_class.from_pretrained(folder)
    ours = our_class.from_pretrained(folder)
    for name in values:
        assert getattr(ours, name) == getattr(published, name), name

    ours.save_pretrained(folder)
    before, after = published.to_dict(), published_class.from_pretrained(folder).to_dict()
    assert {name: after[name] for name in before} == before
    # Ours also writes some defaults; they must be the defaults there.
    for name in after.keys() - before.keys():
        if name in OF_TEXTS and not hasattr(published, name):
            continue
        assert getattr(published, name) == after[name], name
