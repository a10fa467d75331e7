"""Tests of the DistilBERT models."""

import math
from pathlib import Path

import pytest
import torch

from add_model.zoo.models.distilbert import (
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForMultipleChoice,
    DistilBertForQuestionAnswering,
    DistilBertForSequenceClassification,
    DistilBertForTokenClassification,
    DistilBertModel,
)

from ...test_modeling_common import ModelTesterMixin, check_recorded_numbers, random_ids


def get_small_config() -> DistilBertConfig:
    return DistilBertConfig(
        vocab_size=61,
        dim=24,
        n_layers=2,
        n_heads=3,
        hidden_dim=37,
        max_position_embeddings=32,
        num_labels=3,
    )


class TestDistilBertModel(ModelTesterMixin):
    config_class = DistilBertConfig
    base_model_class = DistilBertModel
    all_model_classes = (
        DistilBertModel,
        DistilBertForMaskedLM,
        DistilBertForMultipleChoice,
        DistilBertForQuestionAnswering,
        DistilBertForSequenceClassification,
        DistilBertForTokenClassification,
    )

    def get_config(self) -> DistilBertConfig:
        return get_small_config()

    def test_sizes_have_two_names(self) -> None:
        config = DistilBertConfig(hidden_size=24, num_hidden_layers=2, num_attention_heads=3)
        assert (config.dim, config.n_layers, config.n_heads) == (24, 2, 3)

    def test_a_token_sees_both_directions(self) -> None:
        model = self.build(DistilBertModel)
        input_ids = torch.arange(10, 16)[None, :]
        changed_ids = input_ids.clone()
        changed_ids[0, -1] = 20
        first_token = self.run(model, input_ids=input_ids)["last_hidden_state"][:, 0]
        assert not torch.allclose(first_token, self.run(model, input_ids=changed_ids)["last_hidden_state"][:, 0])

    def test_positions_can_be_given(self) -> None:
        model = self.build(DistilBertModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        positions = torch.arange(7)[None, :]
        torch.testing.assert_close(self.run(model, position_ids=positions, **inputs)["last_hidden_state"], expected)
        shifted = self.run(model, position_ids=positions + 5, **inputs)["last_hidden_state"]
        assert not torch.allclose(shifted, expected)

    @pytest.mark.parametrize("size", [6, 24])
    def test_positions_start_as_sines_and_cosines_when_asked(self, size: int) -> None:
        config = DistilBertConfig(
            dim=size, n_heads=1, n_layers=1, max_position_embeddings=9, sinusoidal_pos_embds=True
        )
        weights = DistilBertModel(config).state_dict()["embeddings.position_embeddings.weight"]
        for position in range(9):
            for lane in range(size):
                angle = position / 10000 ** (2 * (lane // 2) / size)
                expected = math.cos(angle) if lane % 2 else math.sin(angle)
                assert float(weights[position, lane]) == pytest.approx(expected, abs=1e-6)

    def test_vectors_can_stand_for_ids(self) -> None:
        model = self.build(DistilBertModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        vectors = model.get_input_embeddings()(inputs.pop("input_ids"))
        torch.testing.assert_close(self.run(model, inputs_embeds=vectors, **inputs)["last_hidden_state"], expected)

    def test_four_dimensions_of_a_mask_decide_for_every_pair(self) -> None:
        model = self.build(DistilBertModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        pairs = inputs.pop("attention_mask")[:, None, None, :].expand(-1, 1, 7, -1)
        for mask in (pairs, pairs.bool(), (1.0 - pairs) * -1e9):
            actual = self.run(model, attention_mask=mask, **inputs)["last_hidden_state"]
            torch.testing.assert_close(actual, expected)

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(DistilBertModel)
        input_ids = random_ids((1, 3), model.config)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match="two or four dimensions"):
            model(input_ids, attention_mask=torch.ones(1, 3, 3))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            model(input_ids, attention_mask=torch.ones(1, 2))
        with pytest.raises(ValueError, match="33 tokens, the model takes 32"):
            model(torch.zeros(1, 33, dtype=torch.long))
        with pytest.raises(ValueError, match="multiple"):
            DistilBertModel(DistilBertConfig(dim=10, n_heads=3))

    def test_it_knows_no_segments(self) -> None:
        model = self.build(DistilBertModel)
        input_ids = random_ids((1, 3), model.config)
        assert not any("token_type" in name for name in model.state_dict())
        with pytest.raises(TypeError, match="token_type_ids"):
            model(input_ids, token_type_ids=torch.zeros_like(input_ids))

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), DistilBertModel.__module__)
