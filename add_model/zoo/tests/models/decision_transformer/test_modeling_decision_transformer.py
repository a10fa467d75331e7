"""Tests of the Decision Transformer model."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.decision_transformer import (
    DecisionTransformerConfig,
    DecisionTransformerModel,
)

from ...test_modeling_common import Inputs, ModelTesterMixin, check_recorded_numbers

STATE_SIZE, ACTION_SIZE, EPISODE_LENGTH = 5, 3, 20


def get_small_config() -> DecisionTransformerConfig:
    return DecisionTransformerConfig(
        state_dim=STATE_SIZE,
        act_dim=ACTION_SIZE,
        hidden_size=24,
        max_ep_len=EPISODE_LENGTH,
        n_positions=8,
        n_layer=2,
        n_head=3,
        n_inner=37,
    )


class TestDecisionTransformerModel(ModelTesterMixin):
    config_class = DecisionTransformerConfig
    base_model_class = DecisionTransformerModel
    all_model_classes = (
        DecisionTransformerModel,
    )  # fmt: skip

    def get_config(self) -> DecisionTransformerConfig:
        return get_small_config()

    def get_inputs(self, config: PreTrainedConfig) -> Inputs:
        """Return two trajectories of four steps from the middle of an episode; the second one ends a step earlier."""
        return {
            "states": torch.randn(2, 4, STATE_SIZE),
            "actions": torch.randn(2, 4, ACTION_SIZE),
            "returns_to_go": torch.randn(2, 4, 1),
            "timesteps": torch.tensor([[6, 7, 8, 9], [0, 1, 2, 0]]),
            "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]),
        }

    def pad_inputs(self, inputs: Inputs, config: PreTrainedConfig) -> Inputs:
        """Return the inputs with two more steps of padding behind the others."""
        return {name: torch.cat((tensor, torch.zeros_like(tensor[:, :2])), dim=1) for name, tensor in inputs.items()}

    def get_labels_for(self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs) -> Inputs:
        """Return no labels: what is to be learnt is among the inputs, and published code compares it outside the model."""
        return {}

    def get_expected_shape(
        self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs
    ) -> tuple[int, ...]:
        return tuple(inputs["states"].shape)

    def expects_gradient(self, model_class: type[PreTrainedModel], name: str, parameter: nn.Parameter) -> bool:
        """Return whether training changes a weight: nothing is looked up in the table of tokens."""
        return name != "encoder.wte.weight"

    def test_embeddings_can_be_replaced(self, model_class: type[PreTrainedModel]) -> None:
        """What is embedded are states, not tokens."""
        model = self.build(model_class)
        inputs = self.get_inputs(model.config)
        before = self.run(model, **inputs)["action_preds"]
        new = nn.Linear(STATE_SIZE, 24)
        model.set_input_embeddings(new)
        assert model.get_input_embeddings() is new
        assert not torch.allclose(self.run(model, **inputs)["action_preds"], before)

    def test_states_are_the_main_input(self) -> None:
        assert DecisionTransformerModel.main_input_name in self.get_inputs(self.get_config())

    def test_every_step_is_three_tokens(self) -> None:
        model = self.build(DecisionTransformerModel)
        outputs = self.run(model, **self.get_inputs(model.config))
        assert outputs["last_hidden_state"].shape == (2, 12, 24)
        shapes = {name: tuple(outputs[name].shape) for name in ("state_preds", "action_preds", "return_preds")}
        assert shapes == {"state_preds": (2, 4, 5), "action_preds": (2, 4, 3), "return_preds": (2, 4, 1)}

    @pytest.mark.parametrize(
        ("changed", "seen_by"),
        [
            ("returns_to_go", {"action_preds", "state_preds", "return_preds"}),
            ("states", {"action_preds", "state_preds", "return_preds"}),
            ("actions", {"state_preds", "return_preds"}),
        ],
    )
    def test_order_is_return_state_action(self, changed: str, seen_by: set[str]) -> None:
        model = self.build(DecisionTransformerModel)
        inputs = self.get_inputs(model.config)
        before = self.run(model, **inputs)
        inputs[changed] = inputs[changed].clone()
        inputs[changed][0, 2] += 1
        after = self.run(model, **inputs)
        for name in ("action_preds", "state_preds", "return_preds"):
            # No step before sees it, every later step does; an action does not see itself.
            torch.testing.assert_close(after[name][0, :2], before[name][0, :2])
            assert not torch.allclose(after[name][0, 3], before[name][0, 3])
            assert torch.allclose(after[name][0, 2], before[name][0, 2]) == (name not in seen_by)

    def test_positions_are_time_steps(self) -> None:
        model = self.build(DecisionTransformerModel)
        inputs = self.get_inputs(model.config)
        before = self.run(model, **inputs)["action_preds"]
        later = {**inputs, "timesteps": inputs["timesteps"] + 1}
        assert not torch.allclose(self.run(model, **later)["action_preds"], before)
        # More tokens than the table of GPT-2's own positions has: only its first one is used.
        with torch.no_grad():
            model.get_parameter("encoder.wpe.weight")[1:] += 1
        torch.testing.assert_close(self.run(model, **inputs)["action_preds"], before)

    def test_steps_of_one_time_are_not_told_apart_by_their_order(self) -> None:
        config = get_small_config()
        # One layer sees a set; a second one would see what the first made of each token's past.
        config.n_layer = 1
        model = self.build(DecisionTransformerModel, config)
        inputs = {name: tensor[:1] for name, tensor in self.get_inputs(config).items()}
        for timesteps, is_same in (([3, 3, 3, 3], True), ([2, 3, 3, 3], False)):
            inputs["timesteps"] = torch.tensor([timesteps])
            swapped = {name: tensor[:, [1, 0, 2, 3]] for name, tensor in inputs.items()}
            swapped["timesteps"] = inputs["timesteps"]
            last = self.run(model, **inputs)["state_preds"][:, 3]
            assert torch.allclose(self.run(model, **swapped)["state_preds"][:, 3], last, atol=1e-6) == is_same

    def test_padding_on_the_left_changes_nothing(self) -> None:
        model = self.build(DecisionTransformerModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["action_preds"]
        padded = {name: torch.cat((torch.zeros_like(tensor[:, :2]), tensor), dim=1) for name, tensor in inputs.items()}
        torch.testing.assert_close(self.run(model, **padded)["action_preds"][:, 2:], expected, rtol=0, atol=1e-5)

    def test_rewards_are_not_used(self) -> None:
        model = self.build(DecisionTransformerModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["action_preds"]
        assert torch.equal(self.run(model, rewards=torch.randn(2, 4, 1), **inputs)["action_preds"], expected)

    def test_actions_are_bounded_unless_the_configuration_says_otherwise(self) -> None:
        config = get_small_config()
        inputs = self.get_inputs(config)
        torch.manual_seed(0)
        bounded = self.build(DecisionTransformerModel, config)
        config.action_tanh = False
        torch.manual_seed(0)
        free = self.build(DecisionTransformerModel, config)
        assert bounded.state_dict().keys() == free.state_dict().keys()
        expected = self.run(free, **inputs)["action_preds"].tanh()
        torch.testing.assert_close(self.run(bounded, **inputs)["action_preds"], expected)

    def test_scores_in_float32_change_nothing_in_float32(self) -> None:
        config = get_small_config()
        config.attention_implementation = "eager"
        model = self.build(DecisionTransformerModel, config)
        inputs = self.get_inputs(config)
        expected = self.run(model, **inputs)["action_preds"]
        config.reorder_and_upcast_attn = True
        torch.testing.assert_close(self.run(model, **inputs)["action_preds"], expected)

    def test_outputs_of_residual_branches_start_smaller(self) -> None:
        config = get_small_config()
        config.initializer_range = 0.5
        weights = dict(DecisionTransformerModel(config).named_parameters())
        expected = 0.5 / math.sqrt(2 * config.n_layer)
        for name in ("encoder.h.0.attn.c_proj.weight", "encoder.h.1.mlp.c_proj.weight"):
            assert float(weights[name].detach().std()) == pytest.approx(expected, rel=0.15)

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("states", torch.zeros(2, 4, 6), r"states must have the shape \(batch, steps, 5\)"),
            ("states", torch.zeros(2, 0, 5), "at least one step"),
            ("states", torch.zeros(4, 5), r"not \(4, 5\)"),
            ("actions", torch.zeros(2, 4, 4), r"actions must have the shape \(2, 4, 3\).*not \(2, 4, 4\)"),
            ("returns_to_go", torch.zeros(2, 4), r"returns_to_go must have the shape \(2, 4, 1\)"),
            ("returns_to_go", torch.zeros(2, 5, 1), r"returns_to_go must have the shape \(2, 4, 1\)"),
            ("timesteps", torch.zeros(2, 3).long(), r"timesteps must have the shape \(2, 4\)"),
            ("timesteps", torch.full((2, 4), EPISODE_LENGTH), r"from 0 to 19 \(max_ep_len\), not 20"),
            ("timesteps", torch.full((2, 4), -1), "not -1"),
            ("attention_mask", torch.ones(2, 12), r"attention_mask must have the shape \(2, 4\)"),
        ],
    )
    def test_wrong_inputs_are_refused(self, name: str, value: torch.Tensor, message: str) -> None:
        model = self.build(DecisionTransformerModel)
        with pytest.raises(ValueError, match=message):
            model(**{**self.get_inputs(model.config), name: value})

    def test_wrong_configurations_are_refused(self) -> None:
        config = get_small_config()
        config.add_cross_attention = True
        with pytest.raises(ValueError, match="add_cross_attention"):
            DecisionTransformerModel(config)
        with pytest.raises(ValueError, match=r"hidden_size \(10\) must be a multiple of n_head \(3\)"):
            DecisionTransformerModel(DecisionTransformerConfig(hidden_size=10, n_head=3))

    @pytest.mark.filterwarnings("error")
    def test_masks_in_old_checkpoints_are_passed_over(self) -> None:
        model = self.build(DecisionTransformerModel)
        masks = {"encoder.h.0.attn.bias": torch.ones(1), "encoder.h.1.attn.masked_bias": torch.ones(1)}
        loaded = DecisionTransformerModel(get_small_config())
        loaded.load_checkpoint({**model.state_dict(), **masks})
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight)

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), DecisionTransformerModel.__module__)
