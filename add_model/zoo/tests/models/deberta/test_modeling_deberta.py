"""Tests of the DeBERTa models."""

import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.deberta import (
    DebertaConfig,
    DebertaForMaskedLM,
    DebertaForQuestionAnswering,
    DebertaForSequenceClassification,
    DebertaForTokenClassification,
    DebertaModel,
)

from ...test_modeling_common import Inputs, ModelTesterMixin, check_recorded_numbers, random_ids, tensors_of


def get_small_config() -> DebertaConfig:
    return DebertaConfig(
        vocab_size=61,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=37,
        max_position_embeddings=32,
        type_vocab_size=2,
        relative_attention=True,
        pos_att_type="c2p|p2c",
        num_labels=3,
    )


class TestDebertaModel(ModelTesterMixin):
    config_class = DebertaConfig
    base_model_class = DebertaModel
    all_model_classes = (
        DebertaModel,
        DebertaForMaskedLM,
        DebertaForQuestionAnswering,
        DebertaForSequenceClassification,
        DebertaForTokenClassification,
    )

    def get_config(self) -> DebertaConfig:
        return get_small_config()

    def get_inputs(self, config: PreTrainedConfig) -> Inputs:
        inputs = super().get_inputs(config)
        token_type_ids = torch.zeros_like(inputs["input_ids"])
        token_type_ids[:, 3:] = 1
        return {**inputs, "token_type_ids": token_type_ids}

    def test_padding_changes_nothing(self, model_class: type[PreTrainedModel]) -> None:
        # For tokens, that is: padding itself attends to padding here.
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        is_token = inputs["attention_mask"].bool()
        outputs = self.run(model, **inputs)
        padded_outputs = self.run(model, **self.pad_inputs(inputs, model.config))
        for tensor, padded in zip(tensors_of(outputs), tensors_of(padded_outputs), strict=True):
            without_padding = padded[tuple(slice(size) for size in tensor.shape)]
            if tensor.shape[:2] == is_token.shape:
                tensor, without_padding = tensor[is_token], without_padding[is_token]
            torch.testing.assert_close(without_padding, tensor, rtol=1e-5, atol=1e-5)

    def check_problem_types(self, model_class: type[PreTrainedModel]) -> None:
        """Compare the losses; without a problem type, numbers for every label are probabilities here."""
        config = self.get_config()
        model = self.build(model_class, config)
        inputs = self.get_inputs(config)
        probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]])
        for problem_type, labels in (
            ("regression", probabilities),
            ("single_label_classification", torch.tensor([2, 0])),
            ("multi_label_classification", probabilities),
        ):
            config.problem_type = problem_type
            outputs = self.run(model, **inputs, labels=labels)
            expected = self.expected_loss(problem_type, outputs["logits"], labels)
            torch.testing.assert_close(outputs["loss"], expected)
        config.problem_type = None
        for labels in (probabilities, torch.tensor([2, 0])):
            outputs = self.run(model, **inputs, labels=labels)
            torch.testing.assert_close(outputs["loss"], functional.cross_entropy(outputs["logits"], labels))
        outputs = self.run(model, **inputs, labels=torch.tensor([2, -1]))
        expected = functional.cross_entropy(outputs["logits"][:1], torch.tensor([2]))
        torch.testing.assert_close(outputs["loss"], expected)
        assert float(self.run(model, **inputs, labels=torch.tensor([-1, -1]))["loss"]) == 0

    def test_scores_are_sums_of_three_terms(self) -> None:
        config = get_small_config()
        config.num_attention_heads = 1
        config.max_relative_positions = 3
        attention = self.build(DebertaModel, config).get_submodule("encoder.layer.0.attention.self")
        weights = attention.state_dict()
        tokens, distances = torch.randn(1, 7, 24), torch.randn(6, 24)
        query, key, _ = functional.linear(tokens[0], weights["in_proj.weight"]).chunk(3, dim=-1)
        query = query + weights["q_bias"]
        position_key = functional.linear(distances, weights["pos_proj.weight"])
        position_query = functional.linear(distances, weights["pos_q_proj.weight"], weights["pos_q_proj.bias"])
        scores = torch.empty(7, 7)
        for i in range(7):
            for j in range(7):
                # Three distances to either side are told apart: equation 3.
                distance = min(max(i - j + 3, 0), 5)
                terms = (query[i] @ key[j], query[i] @ position_key[distance], key[j] @ position_query[distance])
                scores[i, j] = sum(terms, torch.tensor(0.0)) / math.sqrt(3 * 24)
        with torch.no_grad():
            _, probabilities = attention(tokens, distance_embeddings=distances, output_attentions=True)
        torch.testing.assert_close(probabilities[0, 0], scores.softmax(dim=-1))

    def test_only_distances_matter_without_absolute_positions(self) -> None:
        config = get_small_config()
        config.position_biased_input = False
        model = self.build(DebertaModel, config)
        text = random_ids((1, 4), config)
        padded = torch.cat((torch.zeros(1, 3, dtype=torch.long), text), dim=1)
        expected = self.run(model, input_ids=text)["last_hidden_state"]
        actual = self.run(model, input_ids=padded, attention_mask=(padded != 0).long())["last_hidden_state"]
        torch.testing.assert_close(actual[:, 3:], expected)
        swapped = self.run(model, input_ids=text.flip(1))["last_hidden_state"]
        assert not torch.allclose(swapped.flip(1), expected)
        # Nor does anything end the text.
        assert self.run(model, input_ids=random_ids((1, 40), config))["last_hidden_state"].shape[1] == 40

    def test_published_configurations_write_the_terms_as_one_text(self) -> None:
        assert DebertaConfig(pos_att_type="C2P | p2c").pos_att_type == ["c2p", "p2c"]
        with pytest.raises(ValueError, match="'p2p'"):
            DebertaConfig(pos_att_type="p2p")

    @pytest.mark.parametrize("is_legacy", [True, False])
    def test_both_heads_score_with_the_word_embeddings(self, is_legacy: bool) -> None:
        config = get_small_config()
        config.legacy = is_legacy
        model = self.build(DebertaForMaskedLM, config)
        inputs = self.get_inputs(config)
        before = self.run(model, **inputs)["logits"]
        with torch.no_grad():
            model.get_parameter("deberta.embeddings.word_embeddings.weight")[60] += 1
        changed = self.run(model, **inputs)["logits"] - before
        assert changed[..., 60].abs().min() > 0
        torch.testing.assert_close(changed[..., 59], torch.zeros_like(changed[..., 59]), atol=1e-6, rtol=0)

    def test_vectors_can_stand_for_ids(self) -> None:
        model = self.build(DebertaModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        vectors = model.get_input_embeddings()(inputs.pop("input_ids"))
        torch.testing.assert_close(self.run(model, inputs_embeds=vectors, **inputs)["last_hidden_state"], expected)

    def test_four_dimensions_of_a_mask_decide_for_every_pair(self) -> None:
        model = self.build(DebertaModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        pairs = inputs.pop("attention_mask")[:, None, None, :].expand(-1, 1, 7, -1)
        for mask in (pairs, pairs.bool(), (1.0 - pairs) * -1e9):
            actual = self.run(model, attention_mask=mask, **inputs)["last_hidden_state"]
            torch.testing.assert_close(actual[0], expected[0])
            torch.testing.assert_close(actual[1, :5], expected[1, :5])

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(DebertaModel)
        input_ids = random_ids((1, 3), model.config)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match="two or four dimensions"):
            model(input_ids, attention_mask=torch.ones(1, 3, 3))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            model(input_ids, attention_mask=torch.ones(1, 2))
        with pytest.raises(ValueError, match="33 tokens, the model takes 32"):
            model(torch.zeros(1, 33, dtype=torch.long))

    def test_configurations_of_other_models_are_refused(self) -> None:
        for name, value in (("talking_head", True), ("embedding_size", 8), ("num_attention_heads", 5)):
            config = get_small_config()
            setattr(config, name, value)
            with pytest.raises(ValueError, match=name):
                DebertaModel(config)

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), DebertaModel.__module__)
