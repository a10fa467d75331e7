"""Tests of the BERT models."""

from pathlib import Path

import pytest
import torch

from add_model.zoo import PreTrainedConfig
from add_model.zoo.models.bert import (
    BertConfig,
    BertForMaskedLM,
    BertForMultipleChoice,
    BertForNextSentencePrediction,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
)

from ...test_modeling_common import Inputs, ModelTesterMixin, check_recorded_numbers


def get_small_config() -> BertConfig:
    return BertConfig(
        vocab_size=61,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=37,
        max_position_embeddings=32,
        type_vocab_size=2,
        num_labels=3,
    )


class TestBertModel(ModelTesterMixin):
    config_class = BertConfig
    base_model_class = BertModel
    all_model_classes = (
        BertModel,
        BertForMaskedLM,
        BertForMultipleChoice,
        BertForNextSentencePrediction,
        BertForQuestionAnswering,
        BertForSequenceClassification,
        BertForTokenClassification,
    )

    def get_config(self) -> BertConfig:
        return get_small_config()

    def get_inputs(self, config: PreTrainedConfig) -> Inputs:
        inputs = super().get_inputs(config)
        token_type_ids = torch.zeros_like(inputs["input_ids"])
        token_type_ids[:, 3:] = 1
        return {**inputs, "token_type_ids": token_type_ids}

    def test_a_token_sees_both_directions(self) -> None:
        model = self.build(BertModel)
        input_ids = torch.arange(10, 16)[None, :]
        changed_ids = input_ids.clone()
        changed_ids[0, -1] = 20
        first_token = self.run(model, input_ids=input_ids)["last_hidden_state"][:, 0]
        assert not torch.allclose(first_token, self.run(model, input_ids=changed_ids)["last_hidden_state"][:, 0])

    def test_the_order_of_the_tokens_matters(self) -> None:
        model = self.build(BertModel)
        input_ids = torch.arange(10, 16)[None, :]
        in_order = self.run(model, input_ids=input_ids)["last_hidden_state"]
        swapped = self.run(model, input_ids=input_ids.flip(1))["last_hidden_state"]
        assert not torch.allclose(in_order, swapped.flip(1))

    def test_positions_can_be_given(self) -> None:
        model = self.build(BertModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        positions = torch.arange(7)[None, :]
        torch.testing.assert_close(self.run(model, position_ids=positions, **inputs)["last_hidden_state"], expected)
        shifted = self.run(model, position_ids=positions + 5, **inputs)["last_hidden_state"]
        assert not torch.allclose(shifted, expected)

    def test_segments_change_the_output(self) -> None:
        model = self.build(BertModel)
        inputs = self.get_inputs(model.config)
        with_segments = self.run(model, **inputs)["last_hidden_state"]
        inputs["token_type_ids"] = torch.zeros_like(inputs["token_type_ids"])
        assert not torch.allclose(self.run(model, **inputs)["last_hidden_state"], with_segments)

    def test_vectors_can_stand_for_ids(self) -> None:
        model = self.build(BertModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        vectors = model.get_input_embeddings()(inputs.pop("input_ids"))
        torch.testing.assert_close(self.run(model, inputs_embeds=vectors, **inputs)["last_hidden_state"], expected)

    def test_four_dimensions_of_a_mask_decide_for_every_pair(self) -> None:
        model = self.build(BertModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        pairs = inputs.pop("attention_mask")[:, None, None, :].expand(-1, 1, 7, -1)
        for mask in (pairs, pairs.bool(), (1.0 - pairs) * -1e9):
            actual = self.run(model, attention_mask=mask, **inputs)["last_hidden_state"]
            torch.testing.assert_close(actual, expected)

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(BertModel)
        input_ids = torch.zeros(1, 3, dtype=torch.long)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match="two or four dimensions"):
            model(input_ids, attention_mask=torch.ones(1, 3, 3))
        with pytest.raises(ValueError, match="the token type 2 is none of the 2 that the model has"):
            model(input_ids, token_type_ids=torch.full_like(input_ids, 2))
        with pytest.raises(ValueError, match="33 tokens, the model takes 32"):
            model(torch.zeros(1, 33, dtype=torch.long))

    def test_configurations_of_other_models_are_refused(self) -> None:
        for options in ({"is_decoder": True}, {"position_embedding_type": "relative_key"}):
            config = BertConfig(**{**get_small_config().to_dict(), **options})
            with pytest.raises(ValueError, match="must be|is an encoder"):
                BertModel(config)
        with pytest.raises(ValueError, match="multiple"):
            BertModel(BertConfig(hidden_size=10, num_attention_heads=3))

    def test_the_oldest_names_of_weights_are_read(self) -> None:
        model = self.build(BertModel)
        weights = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): weight
            for name, weight in model.state_dict().items()
        }
        loaded = BertModel(get_small_config())
        loaded.load_checkpoint(weights)
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight)

    def test_masked_lm_ignores_unlabelled_tokens(self) -> None:
        model = self.build(BertForMaskedLM)
        inputs = self.get_inputs(model.config)
        labels = torch.full_like(inputs["input_ids"], -100)
        labels[0, 2] = 11
        outputs = self.run(model, **inputs, labels=labels)
        expected = torch.nn.functional.cross_entropy(outputs["logits"][0, 2:3], torch.tensor([11]))
        torch.testing.assert_close(outputs["loss"], expected)

    def test_question_answering_ignores_answers_behind_the_text(self) -> None:
        model = self.build(BertForQuestionAnswering)
        inputs = self.get_inputs(model.config)
        inside = {"start_positions": torch.tensor([1, 2]), "end_positions": torch.tensor([3, 4])}
        partly_outside = {"start_positions": torch.tensor([1, 99]), "end_positions": torch.tensor([3, 99])}
        first_text = {name: tensor[:1] for name, tensor in {**inputs, **inside}.items()}
        expected = self.run(model, **first_text)["loss"]
        torch.testing.assert_close(self.run(model, **inputs, **partly_outside)["loss"], expected)

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), BertModel.__module__)
