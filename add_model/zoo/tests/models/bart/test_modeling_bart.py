"""Tests of the BART models."""

import math
from pathlib import Path

import pytest
import torch

from add_model.zoo import AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.bart import (
    BartConfig,
    BartForCausalLM,
    BartForConditionalGeneration,
    BartForQuestionAnswering,
    BartForSequenceClassification,
    BartModel,
)

from ...test_modeling_common import GenerationTesterMixin, Inputs, check_recorded_numbers, random_ids, size_in, task_of


def get_small_config() -> BartConfig:
    return BartConfig(
        vocab_size=61,
        max_position_embeddings=32,
        d_model=24,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=3,
        decoder_attention_heads=3,
        encoder_ffn_dim=37,
        decoder_ffn_dim=29,
        num_labels=3,
    )


class TestBartModel(GenerationTesterMixin):
    config_class = BartConfig
    base_model_class = BartModel
    all_model_classes = (
        BartModel,
        BartForCausalLM,
        BartForConditionalGeneration,
        BartForQuestionAnswering,
        BartForSequenceClassification,
    )
    all_generative_model_classes = (
        BartForCausalLM,
        BartForConditionalGeneration,
    )
    initializer_range_name = "init_std"

    def get_config(self) -> BartConfig:
        return get_small_config()

    def get_inputs(self, config: PreTrainedConfig) -> Inputs:
        inputs = super().get_inputs(config)
        # The classifier of sequences reads the token at the end of every text.
        inputs["input_ids"][0, 6] = 2
        inputs["input_ids"][1, 4] = 2
        return inputs

    def get_inputs_for(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> Inputs:
        inputs = super().get_inputs_for(model_class, config)
        if task_of(model_class) is AutoModelForCausalLM:
            # A decoder alone uses all its weights only if it has something to attend to.
            generator = torch.Generator().manual_seed(0)
            shape = (2, 4, size_in(config, "hidden_size"))
            inputs["encoder_hidden_states"] = torch.randn(shape, generator=generator)
        return inputs

    def test_a_target_token_sees_the_source_and_no_later_token(self) -> None:
        model = self.build(BartModel)
        source_ids, target_ids = random_ids((1, 5), model.config), random_ids((1, 6), model.config)
        before = self.run(model, input_ids=source_ids, decoder_input_ids=target_ids)["last_hidden_state"]
        changed_ids = target_ids.clone()
        changed_ids[0, 4:] = torch.tensor([3, 4])
        after = self.run(model, input_ids=source_ids, decoder_input_ids=changed_ids)["last_hidden_state"]
        torch.testing.assert_close(after[:, :4], before[:, :4])
        changed_ids = source_ids.clone()
        changed_ids[0, -1] = 3
        after = self.run(model, input_ids=changed_ids, decoder_input_ids=target_ids)["last_hidden_state"]
        assert not torch.allclose(after[:, 0], before[:, 0])

    def test_targets_are_made_from_the_source(self) -> None:
        model = self.build(BartModel)
        source_ids = random_ids((2, 5), model.config)
        shifted_ids = torch.cat((torch.full((2, 1), 2), source_ids[:, :-1]), dim=1)
        expected = self.run(model, input_ids=source_ids, decoder_input_ids=shifted_ids)["last_hidden_state"]
        torch.testing.assert_close(self.run(model, input_ids=source_ids)["last_hidden_state"], expected)
        with pytest.raises(ValueError, match="decoder_input_ids"):
            model(inputs_embeds=torch.zeros(1, 3, 24))
        model.config.decoder_start_token_id = None
        with pytest.raises(ValueError, match="decoder_start_token_id"):
            model(source_ids)

    def test_positions_skip_the_first_two_rows(self) -> None:
        model = self.build(BartModel)
        source_ids = random_ids((1, 5), model.config)
        before = self.run(model, input_ids=source_ids)["last_hidden_state"]
        weight = model.get_parameter("encoder.embed_positions.weight")
        assert weight.shape == (34, 24)
        with torch.no_grad():
            weight[:2] = 7.0
        torch.testing.assert_close(self.run(model, input_ids=source_ids)["last_hidden_state"], before)
        with torch.no_grad():
            weight[2] = 7.0
        assert not torch.allclose(self.run(model, input_ids=source_ids)["last_hidden_state"], before)

    def test_embeddings_can_be_scaled(self) -> None:
        config = get_small_config()
        config.scale_embedding = True
        model = self.build(BartModel, config)
        input_ids = random_ids((1, 4), config)
        embeddings = model.get_input_embeddings()
        weight = model.get_parameter("shared.weight")
        torch.testing.assert_close(embeddings(input_ids), weight[input_ids] * math.sqrt(24))

    def test_encoder_and_decoder_share_the_token_embeddings(self) -> None:
        model = self.build(BartModel)
        shared = model.get_parameter("shared.weight")
        assert model.get_parameter("encoder.embed_tokens.weight") is shared
        assert model.get_parameter("decoder.embed_tokens.weight") is shared

    def test_encoder_outputs_can_be_passed(self) -> None:
        model = self.build(BartModel)
        inputs = self.get_inputs(model.config)
        target_ids = random_ids((2, 4), model.config)
        outputs = self.run(model, **inputs, decoder_input_ids=target_ids)
        again = self.run(
            model,
            encoder_outputs=(outputs["encoder_last_hidden_state"],),
            attention_mask=inputs["attention_mask"],
            decoder_input_ids=target_ids,
        )
        torch.testing.assert_close(again["last_hidden_state"], outputs["last_hidden_state"])

    def test_four_dimensions_of_a_mask_decide_for_every_pair(self) -> None:
        model = self.build(BartModel)
        input_ids = random_ids((2, 5), model.config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        pairs = torch.ones(2, 1, 5, 5).tril()
        for mask in (pairs.long(), pairs.bool(), (1.0 - pairs) * -1e9):
            actual = self.run(model, input_ids=input_ids, decoder_attention_mask=mask)["last_hidden_state"]
            torch.testing.assert_close(actual, expected)

    def test_layers_can_be_dropped_in_training(self) -> None:
        config = get_small_config()
        config.encoder_layerdrop = 1.0
        config.decoder_layerdrop = 1.0
        model = self.build(BartModel, config)
        input_ids = random_ids((2, 5), config)
        assert len(self.run(model, input_ids=input_ids, output_hidden_states=True)["encoder_hidden_states"]) == 3
        model.train()
        outputs = self.run(model, input_ids=input_ids, output_hidden_states=True)
        assert len(outputs["encoder_hidden_states"]) == 1
        assert len(outputs["decoder_hidden_states"]) == 1

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(BartModel)
        ids = torch.zeros(1, 3, dtype=torch.long)
        too_long = torch.zeros(1, 33, dtype=torch.long)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(decoder_input_ids=ids)
        with pytest.raises(ValueError, match="33 tokens is longer than the 32 positions"):
            model(too_long, decoder_input_ids=ids)
        with pytest.raises(ValueError, match="33 tokens is longer than the 32 positions"):
            model(ids, decoder_input_ids=too_long)
        with pytest.raises(ValueError, match="multiple"):
            BartModel(BartConfig(d_model=10, encoder_attention_heads=3))

    @pytest.mark.filterwarnings("error")
    def test_version_numbers_in_old_checkpoints_are_passed_over(self) -> None:
        model = self.build(BartModel)
        loaded = BartModel(get_small_config())
        loaded.load_checkpoint({**model.state_dict(), "encoder.version": torch.ones(1)})
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight)

    def test_conditional_generation_makes_its_input_from_the_labels(self) -> None:
        model = self.build(BartForConditionalGeneration)
        inputs = self.get_inputs(model.config)
        labels = torch.tensor([[11, 12, 2], [13, 2, -100]])
        target_ids = torch.tensor([[2, 11, 12], [2, 13, 2]])
        expected = self.run(model, **inputs, decoder_input_ids=target_ids)["logits"]
        outputs = self.run(model, **inputs, labels=labels)
        torch.testing.assert_close(outputs["logits"], expected)
        loss = torch.nn.functional.cross_entropy(expected.flatten(0, 1), labels.flatten())
        torch.testing.assert_close(outputs["loss"], loss)
        assert outputs["past_key_values"] is None

    def test_conditional_generation_adds_its_bias(self) -> None:
        model = self.build(BartForConditionalGeneration)
        inputs = self.get_inputs(model.config)
        before = self.run(model, **inputs)["logits"]
        bias = model.get_buffer("final_logits_bias")
        bias[0, 5] += 3.0
        after = self.run(model, **inputs)["logits"]
        torch.testing.assert_close(after[..., 5], before[..., 5] + 3.0)
        torch.testing.assert_close(after[..., 6:], before[..., 6:])

    @pytest.mark.filterwarnings("error")
    def test_conditional_generation_is_filled_by_a_base_checkpoint(self, tmp_path: Path) -> None:
        self.build(BartModel).save_pretrained(tmp_path)
        model = BartForConditionalGeneration.from_pretrained(tmp_path)
        assert not model.get_buffer("final_logits_bias").any()

    def test_conditional_generation_obeys_forced_tokens(self) -> None:
        model = self.build(BartForConditionalGeneration)
        model.config.forced_bos_token_id = 7
        model.config.forced_eos_token_id = 9
        ids = self.generate(model, input_ids=random_ids((2, 5), model.config), max_length=4, eos_token_id=61)
        assert ids[:, 0].tolist() == [2, 2]
        assert ids[:, 1].tolist() == [7, 7]
        assert ids[:, 3].tolist() == [9, 9]

    def test_sequence_classification_reads_the_last_end(self) -> None:
        model = self.build(BartForSequenceClassification)
        text = torch.tensor([[0, 11, 2, 12, 2]])
        expected = self.run(model, input_ids=text)["logits"]
        # Padding stands in the source behind its end and changes nothing.
        padded = torch.cat((text, torch.tensor([[1, 1]])), dim=1)
        mask = torch.tensor([[1, 1, 1, 1, 1, 0, 0]])
        torch.testing.assert_close(self.run(model, input_ids=padded, attention_mask=mask)["logits"], expected)
        for bad_ids in ([[0, 11, 2], [0, 2, 2]], [[0, 11, 12], [0, 12, 13]]):
            with pytest.raises(ValueError, match="eos"):
                model(torch.tensor(bad_ids))

    def test_question_answering_ignores_answers_behind_the_text(self) -> None:
        model = self.build(BartForQuestionAnswering)
        inputs = self.get_inputs(model.config)
        first_text = {name: tensor[:1] for name, tensor in inputs.items()}
        expected = self.run(model, **first_text, start_positions=torch.tensor([1]), end_positions=torch.tensor([3]))[
            "loss"
        ]
        partly_outside = {"start_positions": torch.tensor([1, 99]), "end_positions": torch.tensor([3, 99])}
        torch.testing.assert_close(self.run(model, **inputs, **partly_outside)["loss"], expected)

    def test_causal_language_model_leaves_its_configuration_alone(self) -> None:
        config = get_small_config()
        model = BartForCausalLM(config)
        assert config.is_encoder_decoder
        assert not model.config.is_encoder_decoder

    @pytest.mark.filterwarnings("error")
    def test_causal_language_model_is_filled_by_a_base_checkpoint(self, tmp_path: Path) -> None:
        base = self.build(BartModel)
        base.save_pretrained(tmp_path)
        model = BartForCausalLM.from_pretrained(tmp_path)
        torch.testing.assert_close(model.get_parameter("lm_head.weight"), base.get_parameter("shared.weight"))

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), BartModel.__module__)
