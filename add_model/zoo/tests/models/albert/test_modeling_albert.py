"""Tests of the ALBERT models."""

from pathlib import Path
from typing import Any

import pytest
import torch

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.albert import (
    AlbertConfig,
    AlbertForMaskedLM,
    AlbertForMultipleChoice,
    AlbertForPreTraining,
    AlbertForQuestionAnswering,
    AlbertForSequenceClassification,
    AlbertForTokenClassification,
    AlbertModel,
)

from ...test_modeling_common import Inputs, ModelTesterMixin, check_recorded_numbers, random_ids, task_of


def get_small_config() -> AlbertConfig:
    return AlbertConfig(
        vocab_size=61,
        embedding_size=10,
        hidden_size=24,
        num_hidden_layers=3,
        num_hidden_groups=2,
        num_attention_heads=3,
        intermediate_size=37,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
        max_position_embeddings=32,
        num_labels=3,
    )


class TestAlbertModel(ModelTesterMixin):
    config_class = AlbertConfig
    base_model_class = AlbertModel
    all_model_classes = (
        AlbertModel,
        AlbertForMaskedLM,
        AlbertForMultipleChoice,
        AlbertForPreTraining,
        AlbertForQuestionAnswering,
        AlbertForSequenceClassification,
        AlbertForTokenClassification,
    )

    def get_config(self) -> AlbertConfig:
        return get_small_config()

    def get_inputs(self, config: PreTrainedConfig) -> Inputs:
        inputs = super().get_inputs(config)
        token_type_ids = torch.zeros_like(inputs["input_ids"])
        token_type_ids[:, 3:] = 1
        return {**inputs, "token_type_ids": token_type_ids}

    def get_labels_for(self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs) -> Inputs:
        labels = super().get_labels_for(model_class, config, inputs)
        if task_of(model_class).__name__ == "AutoModelForPreTraining":
            labels["sentence_order_label"] = torch.tensor([0, 1])
        return labels

    def test_layers_share_their_weights(self) -> None:
        def number_of_weights(**options: Any) -> int:
            config = AlbertConfig(hidden_size=24, num_attention_heads=3, intermediate_size=37, **options)
            return sum(weight.numel() for name, weight in AlbertModel(config).named_parameters() if "groups" in name)

        one_layer = number_of_weights(num_hidden_layers=1)
        assert number_of_weights(num_hidden_layers=12) == one_layer
        assert number_of_weights(num_hidden_layers=12, num_hidden_groups=4) == 4 * one_layer
        assert number_of_weights(num_hidden_layers=2, num_hidden_groups=2, inner_group_num=3) == 6 * one_layer

    @pytest.mark.parametrize(("layers", "groups", "turns"), [(4, 2, "0011"), (5, 2, "00011"), (3, 3, "012")])
    def test_groups_take_their_turns_and_all_their_layers(self, layers: int, groups: int, turns: str) -> None:
        config = get_small_config()
        config.num_hidden_layers, config.num_hidden_groups, config.inner_group_num = layers, groups, 2
        model = self.build(AlbertModel, config)
        expected = [f"encoder.albert_layer_groups.{group}.albert_layers.{inner}" for group in turns for inner in "01"]
        names = {module: name for name, module in model.named_modules() if name in expected}
        applied: list[str] = []
        for module in names:
            module.register_forward_pre_hook(lambda module, inputs: applied.append(names[module]))
        outputs = self.run(model, **self.get_inputs(config), output_hidden_states=True, output_attentions=True)
        assert applied == expected
        assert len(outputs["hidden_states"]) == 2 * layers + 1
        assert len(outputs["attentions"]) == 2 * layers

    def test_embeddings_are_smaller_than_the_vectors_of_the_layers(self) -> None:
        weights = self.build(AlbertForMaskedLM).state_dict()
        sizes = {weight.shape[-1] for name, weight in weights.items() if ".embeddings." in name}
        assert sizes == {10}
        assert weights["albert.encoder.embedding_hidden_mapping_in.weight"].shape == (24, 10)
        assert weights["predictions.decoder.weight"].shape == (61, 10)

    def test_a_token_sees_both_directions(self) -> None:
        model = self.build(AlbertModel)
        input_ids = torch.arange(10, 16)[None, :]
        changed_ids = input_ids.clone()
        changed_ids[0, -1] = 20
        first_token = self.run(model, input_ids=input_ids)["last_hidden_state"][:, 0]
        assert not torch.allclose(first_token, self.run(model, input_ids=changed_ids)["last_hidden_state"][:, 0])

    def test_positions_can_be_given(self) -> None:
        model = self.build(AlbertModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        positions = torch.arange(7)[None, :]
        torch.testing.assert_close(self.run(model, position_ids=positions, **inputs)["last_hidden_state"], expected)
        shifted = self.run(model, position_ids=positions + 5, **inputs)["last_hidden_state"]
        assert not torch.allclose(shifted, expected)

    def test_segments_change_the_output(self) -> None:
        model = self.build(AlbertModel)
        inputs = self.get_inputs(model.config)
        with_segments = self.run(model, **inputs)["last_hidden_state"]
        inputs["token_type_ids"] = torch.zeros_like(inputs["token_type_ids"])
        assert not torch.allclose(self.run(model, **inputs)["last_hidden_state"], with_segments)

    def test_vectors_can_stand_for_ids(self) -> None:
        model = self.build(AlbertModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        vectors = model.get_input_embeddings()(inputs.pop("input_ids"))
        torch.testing.assert_close(self.run(model, inputs_embeds=vectors, **inputs)["last_hidden_state"], expected)

    def test_four_dimensions_of_a_mask_decide_for_every_pair(self) -> None:
        model = self.build(AlbertModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        pairs = inputs.pop("attention_mask")[:, None, None, :].expand(-1, 1, 7, -1)
        for mask in (pairs, pairs.bool(), (1.0 - pairs) * -1e9):
            actual = self.run(model, attention_mask=mask, **inputs)["last_hidden_state"]
            torch.testing.assert_close(actual, expected)

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(AlbertModel)
        input_ids = random_ids((1, 3), model.config)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match="two or four dimensions"):
            model(input_ids, attention_mask=torch.ones(1, 3, 3))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            model(input_ids, attention_mask=torch.ones(1, 2))
        with pytest.raises(ValueError, match="33 tokens, the model takes 32"):
            model(torch.zeros(1, 33, dtype=torch.long))

    def test_wrong_sizes_are_refused(self) -> None:
        with pytest.raises(ValueError, match="multiple"):
            AlbertModel(AlbertConfig(hidden_size=10, num_attention_heads=3))
        for groups in (0, 3):
            with pytest.raises(ValueError, match="at most num_hidden_layers"):
                AlbertModel(AlbertConfig(num_hidden_layers=2, num_hidden_groups=groups))

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), AlbertModel.__module__)


class TestAlbertForPreTraining:
    def test_loss_is_the_sum_of_both_heads(self) -> None:
        torch.manual_seed(0)
        model = AlbertForPreTraining(get_small_config()).eval()
        input_ids, labels = torch.randint(10, 61, (2, 7)), torch.randint(10, 61, (2, 7))
        labels[0, :3] = -100
        order = torch.tensor([0, 1])
        outputs = model(input_ids, labels=labels, sentence_order_label=order)
        of_tokens = torch.nn.functional.cross_entropy(
            outputs.prediction_logits[labels != -100], labels[labels != -100]
        )
        of_order = torch.nn.functional.cross_entropy(outputs.sop_logits, order)
        torch.testing.assert_close(outputs.loss, of_tokens + of_order)
        assert outputs.sop_logits.shape == (2, 2)
        assert model(input_ids, labels=labels).loss is None
