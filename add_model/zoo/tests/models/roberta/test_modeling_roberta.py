"""Tests of the RoBERTa models."""

from pathlib import Path

import pytest
import torch

from add_model.zoo.models.roberta import (
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
)

from ...test_modeling_common import GenerationTesterMixin, ModelTesterMixin, check_recorded_numbers, random_ids


def get_small_config() -> RobertaConfig:
    return RobertaConfig(
        vocab_size=61,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=37,
        max_position_embeddings=34,
        type_vocab_size=1,
        num_labels=3,
    )


class TestRobertaModel(ModelTesterMixin):
    config_class = RobertaConfig
    base_model_class = RobertaModel
    all_model_classes = (
        RobertaModel,
        RobertaForMaskedLM,
        RobertaForMultipleChoice,
        RobertaForQuestionAnswering,
        RobertaForSequenceClassification,
        RobertaForTokenClassification,
    )

    def get_config(self) -> RobertaConfig:
        return get_small_config()

    def test_positions_start_behind_the_padding_token_and_skip_padding(self) -> None:
        model = self.build(RobertaModel)
        text = random_ids((1, 4), model.config)
        padding = torch.full((1, 3), 1)
        expected = self.run(model, input_ids=text)["last_hidden_state"]
        positions = torch.tensor([[2, 3, 4, 5]])
        given = self.run(model, input_ids=text, position_ids=positions)["last_hidden_state"]
        torch.testing.assert_close(given, expected)
        for padded, place in (
            (torch.cat((padding, text), dim=1), slice(3, 7)),
            (torch.cat((text, padding), dim=1), slice(0, 4)),
        ):
            actual = self.run(model, input_ids=padded, attention_mask=(padded != 1).long())["last_hidden_state"]
            torch.testing.assert_close(actual[:, place], expected)

    def test_vectors_can_stand_for_ids(self) -> None:
        model = self.build(RobertaModel)
        input_ids = random_ids((2, 7), model.config)
        vectors = model.get_input_embeddings()(input_ids)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        torch.testing.assert_close(self.run(model, inputs_embeds=vectors)["last_hidden_state"], expected)

    def test_a_token_sees_both_directions(self) -> None:
        model = self.build(RobertaModel)
        input_ids = torch.arange(10, 16)[None, :]
        changed_ids = input_ids.clone()
        changed_ids[0, -1] = 20
        first_token = self.run(model, input_ids=input_ids)["last_hidden_state"][:, 0]
        assert not torch.allclose(first_token, self.run(model, input_ids=changed_ids)["last_hidden_state"][:, 0])

    def test_four_dimensions_of_a_mask_decide_for_every_pair(self) -> None:
        model = self.build(RobertaModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        pairs = inputs.pop("attention_mask")[:, None, None, :].expand(-1, 1, 7, -1)
        for mask in (pairs, pairs.bool(), (1.0 - pairs) * -1e9):
            actual = self.run(model, attention_mask=mask, **inputs)["last_hidden_state"]
            torch.testing.assert_close(actual, expected)

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(RobertaModel)
        input_ids = torch.full((1, 3), 20)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match="two or four dimensions"):
            model(input_ids, attention_mask=torch.ones(1, 3, 3))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            model(input_ids, attention_mask=torch.ones(1, 2))
        with pytest.raises(ValueError, match="33 tokens, the model takes 32"):
            model(torch.full((1, 33), 20))
        # Padding takes no position.
        padded = torch.cat((torch.full((1, 32), 20), torch.ones(1, 5, dtype=torch.long)), dim=1)
        assert self.run(model, input_ids=padded)["last_hidden_state"].shape[1] == 37

    def test_configurations_of_other_models_are_refused(self) -> None:
        for options, reason in (
            ({"add_cross_attention": True}, "add_cross_attention"),
            ({"position_embedding_type": "relative_key"}, "position_embedding_type"),
            ({"pad_token_id": None}, "pad_token_id"),
        ):
            config = get_small_config()
            for name, value in options.items():
                setattr(config, name, value)
            with pytest.raises(ValueError, match=reason):
                RobertaModel(config)
        with pytest.raises(ValueError, match="multiple"):
            RobertaModel(RobertaConfig(hidden_size=10, num_attention_heads=3))

    def test_masked_lm_has_gelu_whatever_the_layers_have(self) -> None:
        config = get_small_config()
        config.hidden_act = "relu"
        model = self.build(RobertaForMaskedLM, config)
        head = model.get_submodule("lm_head")
        vectors = torch.randn(1, 2, 24)
        hidden = torch.nn.functional.gelu(head.get_submodule("dense")(vectors))
        expected = head.get_submodule("decoder")(head.get_submodule("layer_norm")(hidden))
        torch.testing.assert_close(head(vectors), expected)

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), RobertaModel.__module__)


class TestRobertaDecoder(GenerationTesterMixin):
    config_class = RobertaConfig
    base_model_class = RobertaModel
    all_model_classes = (
        RobertaModel,
        RobertaForCausalLM,
    )
    all_generative_model_classes = (
        RobertaForCausalLM,
    )  # fmt: skip

    def get_config(self) -> RobertaConfig:
        config = get_small_config()
        config.is_decoder = True
        return config

    def test_a_token_does_not_see_later_ones(self) -> None:
        model = self.build(RobertaModel)
        input_ids = random_ids((1, 6), model.config)
        changed_ids = input_ids.clone()
        changed_ids[0, 4:] = torch.tensor([3, 4])
        before = self.run(model, input_ids=input_ids)["last_hidden_state"]
        after = self.run(model, input_ids=changed_ids)["last_hidden_state"]
        torch.testing.assert_close(after[:, :4], before[:, :4])
        assert not torch.allclose(after[:, 4:], before[:, 4:])

    def test_a_cache_needs_a_decoder(self) -> None:
        input_ids = random_ids((1, 4), self.get_config())
        cache = self.run(self.build(RobertaModel), input_ids=input_ids)["past_key_values"]
        encoder = self.build(RobertaModel, get_small_config())
        assert self.run(encoder, input_ids=input_ids)["past_key_values"] is None
        with pytest.raises(ValueError, match="is_decoder"):
            encoder(input_ids, past_key_values=cache)

    def test_an_encoder_is_no_causal_language_model(self) -> None:
        with pytest.raises(ValueError, match="is_decoder"):
            RobertaForCausalLM(get_small_config())

    def test_language_model_shifts_the_labels(self) -> None:
        model = self.build(RobertaForCausalLM)
        input_ids = random_ids((1, 5), model.config)
        labels = torch.full_like(input_ids, -100)
        labels[0, 3] = 11
        outputs = self.run(model, input_ids=input_ids, labels=labels)
        expected = torch.nn.functional.cross_entropy(outputs["logits"][0, 2:3], torch.tensor([11]))
        torch.testing.assert_close(outputs["loss"], expected)
        assert outputs["past_key_values"] is None

    def test_generated_text_is_that_of_whole_forward_passes_with_padding_on_the_left(self) -> None:
        model = self.build(RobertaForCausalLM)
        prompts = random_ids((2, 5), model.config)
        prompts[1, :3] = 1
        ids = prompts
        for _ in range(8):
            logits = self.run(model, input_ids=ids, attention_mask=(ids != 1).long())["logits"][:, -1]
            ids = torch.cat((ids, logits.argmax(dim=-1, keepdim=True)), dim=1)
        values = {"max_new_tokens": 8, "eos_token_id": 99}
        assert torch.equal(self.generate(model, input_ids=prompts, **values), ids)
        alone = self.generate(model, input_ids=prompts[1:, 3:], **values)
        assert torch.equal(alone, ids[1:, 3:])

    def test_generation_without_a_limit_ends_with_the_positions(self) -> None:
        model = self.build(RobertaForCausalLM)
        ids = self.generate(model, input_ids=random_ids((1, 30), model.config), eos_token_id=99)
        assert ids.shape[1] == 32
