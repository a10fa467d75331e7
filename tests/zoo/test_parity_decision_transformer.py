"""Decision Transformer computes what the published implementation computes, for the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from add_model.zoo.models.decision_transformer import DecisionTransformerConfig, DecisionTransformerModel

from .parity import PARITY_SETTINGS, TOLERANCE, assert_same_config, assert_same_outputs, copy_weights

# Many random configurations against the published implementation.
pytestmark = pytest.mark.slow

EPISODE_LENGTH = 30
SIDES = st.sampled_from(["none", "left", "right"])


@st.composite
def config_values(draw: st.DrawFn) -> dict[str, Any]:
    heads = draw(st.sampled_from([1, 2, 3, 4]))
    return {
        "state_dim": draw(st.integers(1, 17)),
        "act_dim": draw(st.integers(1, 6)),
        "hidden_size": heads * draw(st.sampled_from([4, 5, 8, 16])),
        "max_ep_len": EPISODE_LENGTH,
        "action_tanh": draw(st.booleans()),
        "vocab_size": draw(st.integers(1, 3)),
        # Fewer positions than tokens, too.
        "n_positions": draw(st.integers(1, 40)),
        "n_layer": draw(st.integers(1, 3)),
        "n_head": heads,
        "n_inner": draw(st.sampled_from([None, 7, 24])),
        "activation_function": draw(st.sampled_from(["relu", "gelu", "gelu_new"])),
        "layer_norm_epsilon": draw(st.sampled_from([1e-5, 1e-12, 1e-3])),
        "scale_attn_weights": draw(st.booleans()),
        "scale_attn_by_inverse_layer_idx": draw(st.booleans()),
        "reorder_and_upcast_attn": draw(st.booleans()),
        "initializer_range": draw(st.sampled_from([0.02, 0.2])),
    }


def make_pair(values: dict[str, Any], seed: int) -> tuple[Any, DecisionTransformerModel]:
    """Return the published model and ours with the same weights, both in evaluation mode."""
    torch.manual_seed(seed)
    published = transformers.DecisionTransformerModel(transformers.DecisionTransformerConfig(**values)).eval()
    ours = DecisionTransformerModel(DecisionTransformerConfig(**values)).eval()
    copy_weights(published, ours)
    published.load_state_dict(ours.state_dict(), strict=True)
    return published, ours


def make_trajectories(
    values: dict[str, Any], seed: int, batch: int, steps: int, padding_side: str = "none"
) -> dict[str, torch.Tensor]:
    """Return parts of episodes; unless there is no padding, each but the first has its own number of steps of it."""
    generator = torch.Generator().manual_seed(seed)
    first = torch.randint(0, EPISODE_LENGTH - steps, (batch, 1), generator=generator)
    inputs = {
        "states": torch.randn(batch, steps, values["state_dim"], generator=generator),
        "actions": torch.randn(batch, steps, values["act_dim"], generator=generator),
        "rewards": torch.randn(batch, steps, 1, generator=generator),
        "returns_to_go": torch.randn(batch, steps, 1, generator=generator),
        "timesteps": first + torch.arange(steps),
    }
    if padding_side != "none":
        mask = torch.ones(batch, steps, dtype=torch.long)
        for row in range(1, batch):
            padding = int(torch.randint(0, steps, (1,), generator=generator))
            mask[row, slice(0, padding) if padding_side == "left" else slice(steps - padding, steps)] = 0
        inputs["attention_mask"] = mask
    return inputs


@PARITY_SETTINGS
@given(
    values=config_values(),
    seed=st.integers(0, 2**31 - 1),
    batch=st.integers(1, 3),
    steps=st.integers(1, 9),
    padding_side=SIDES,
    attention_implementation=st.sampled_from(["sdpa", "eager"]),
)
def test_outputs_are_those_of_the_published_model(
    values: dict[str, Any], seed: int, batch: int, steps: int, padding_side: str, attention_implementation: str
) -> None:
    published, ours = make_pair(values, seed)
    ours.config.attention_implementation = attention_implementation
    inputs = make_trajectories(values, seed, batch, steps, padding_side)
    mask = inputs.get("attention_mask", torch.ones(batch, steps, dtype=torch.long))
    with torch.no_grad():
        expected = published(**inputs, output_hidden_states=True)
        actual = ours(**inputs, output_hidden_states=True)
    for name in ("state_preds", "action_preds", "return_preds"):
        assert_same_outputs({name: expected[name]}, actual, mask)
    names = ("last_hidden_state", "hidden_states")
    assert_same_outputs({name: expected[name] for name in names}, actual, mask.repeat_interleave(3, dim=1))


@PARITY_SETTINGS
@given(values=config_values(), seed=st.integers(0, 2**31 - 1), padding_side=SIDES)
def test_attentions_are_those_of_the_published_model(values: dict[str, Any], seed: int, padding_side: str) -> None:
    published, ours = make_pair(values, seed)
    published.set_attn_implementation("eager")
    inputs = make_trajectories(values, seed, 3, 5, padding_side)
    mask = inputs.get("attention_mask", torch.ones(3, 5, dtype=torch.long)).repeat_interleave(3, dim=1)
    with torch.no_grad():
        expected = published(**inputs, output_attentions=True)
        actual = ours(**inputs, output_attentions=True)
    assert len(expected.attentions) == values["n_layer"]
    assert_same_outputs({"attentions": expected.attentions}, actual, mask)


@settings(PARITY_SETTINGS, max_examples=12)
@given(values=config_values(), seed=st.integers(0, 2**31 - 1))
def test_gradients_of_the_predictions(values: dict[str, Any], seed: int) -> None:
    published, ours = make_pair({**values, "initializer_range": 0.02}, seed)
    inputs = make_trajectories(values, seed, 2, 6)
    for model in (published, ours):
        outputs = model(**inputs)
        # The loss of the paper, and what makes gradients of the other two predictions.
        loss = (outputs.action_preds - inputs["actions"]).square().mean()
        (loss + outputs.state_preds.square().mean() + outputs.return_preds.square().mean()).backward()
    expected = {name: weight.grad for name, weight in published.named_parameters()}
    actual = {name: weight.grad for name, weight in ours.named_parameters()}
    assert expected.keys() == actual.keys()
    for name, gradient in expected.items():
        assert (gradient is None) == (actual[name] is None) == (name == "encoder.wte.weight"), name
        if gradient is not None:
            torch.testing.assert_close(actual[name], gradient, atol=10 * TOLERANCE, rtol=0, msg=name)


@settings(PARITY_SETTINGS, max_examples=12)
@given(values=config_values())
def test_config_json_is_shared_with_the_published_class(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("config")
    assert_same_config(transformers.DecisionTransformerConfig, DecisionTransformerConfig, values, folder)


def test_defaults_are_those_of_the_published_class() -> None:
    published, ours = transformers.DecisionTransformerConfig().to_dict(), DecisionTransformerConfig().to_dict()
    shared = (published.keys() & ours.keys()) - {"transformers_version", "dtype"}
    assert {"state_dim", "max_ep_len", "n_positions", "activation_function"} <= shared
    assert {name: ours[name] for name in shared} == {name: published[name] for name in shared}


def test_checkpoints_are_shared_with_the_published_class(tmp_path: Path) -> None:
    values = {"state_dim": 3, "act_dim": 2, "hidden_size": 8, "max_ep_len": EPISODE_LENGTH, "n_head": 2, "n_layer": 1}
    published, _ = make_pair(values, seed=0)
    published.save_pretrained(tmp_path / "published")
    ours = DecisionTransformerModel.from_pretrained(tmp_path / "published")
    ours.save_pretrained(tmp_path / "ours")
    again = transformers.DecisionTransformerModel.from_pretrained(tmp_path / "ours").eval()
    inputs = make_trajectories(values, 0, 2, 9)
    with torch.no_grad():
        expected = published(**inputs).action_preds
        torch.testing.assert_close(ours(**inputs).action_preds, expected, atol=TOLERANCE, rtol=0)
        torch.testing.assert_close(again(**inputs).action_preds, expected, atol=TOLERANCE, rtol=0)
