"""Tests of the T5 models."""

from pathlib import Path

import pytest
import torch

from add_model.zoo.models.t5 import (
    T5Config,
    T5EncoderModel,
    T5ForConditionalGeneration,
    T5ForQuestionAnswering,
    T5ForSequenceClassification,
    T5ForTokenClassification,
    T5Model,
)
from add_model.zoo.models.t5.modeling_t5 import relative_position_buckets

from ...test_modeling_common import GenerationTesterMixin, Inputs, check_recorded_numbers, random_ids


def get_small_config() -> T5Config:
    return T5Config(
        vocab_size=61,
        d_model=24,
        d_kv=5,
        d_ff=37,
        num_layers=2,
        num_heads=3,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=12,
        num_labels=3,
        classifier_dropout=0.1,
    )


class TestT5Model(GenerationTesterMixin):
    config_class = T5Config
    base_model_class = T5Model
    all_model_classes = (
        T5Model,
        T5EncoderModel,
        T5ForConditionalGeneration,
        T5ForQuestionAnswering,
        T5ForSequenceClassification,
        T5ForTokenClassification,
    )
    all_generative_model_classes = (T5ForConditionalGeneration,)
    initializer_range_name = "initializer_factor"

    def get_config(self) -> T5Config:
        return get_small_config()

    def get_inputs(self, config: T5Config) -> Inputs:  # type: ignore[override]
        inputs = super().get_inputs(config)
        # The classifier of sequences reads the token at the end of every text.
        inputs["input_ids"][0, 6] = 1
        inputs["input_ids"][1, 4] = 1
        return inputs

    def test_distances_are_sorted_into_buckets(self) -> None:
        distances = torch.tensor([-99, -8, -7, -4, -3, -2, -1, 0, 1, 2, 3, 9, 99])
        both_ways = relative_position_buckets(distances, True, num_buckets=8, max_distance=12)
        assert both_ways.tolist() == [3, 3, 3, 2, 2, 2, 1, 0, 5, 6, 6, 7, 7]
        one_way = relative_position_buckets(distances, False, num_buckets=8, max_distance=12)
        assert one_way.tolist() == [7, 6, 6, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0]

    def test_only_the_first_layers_hold_biases_of_positions(self) -> None:
        names = [name for name in T5Model(get_small_config()).state_dict() if "relative_attention_bias" in name]
        assert names == [
            f"{part}.block.0.layer.0.SelfAttention.relative_attention_bias.weight" for part in ("encoder", "decoder")
        ]

    def test_the_order_of_tokens_matters_by_the_biases_alone(self) -> None:
        model = self.build(T5EncoderModel)
        input_ids = random_ids((1, 6), model.config)
        before = self.run(model, input_ids=input_ids)["last_hidden_state"]
        assert not torch.allclose(self.run(model, input_ids=input_ids.flip(1))["last_hidden_state"].flip(1), before)
        with torch.no_grad():
            model.get_parameter("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight").zero_()
        without = self.run(model, input_ids=input_ids)["last_hidden_state"]
        reversed_without = self.run(model, input_ids=input_ids.flip(1))["last_hidden_state"].flip(1)
        torch.testing.assert_close(reversed_without, without)

    def test_a_target_token_sees_the_source_and_no_later_token(self) -> None:
        model = self.build(T5Model)
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
        model = self.build(T5Model)
        source_ids = random_ids((2, 5), model.config)
        shifted_ids = torch.cat((torch.zeros(2, 1).long(), source_ids[:, :-1]), dim=1)
        expected = self.run(model, input_ids=source_ids, decoder_input_ids=shifted_ids)["last_hidden_state"]
        torch.testing.assert_close(self.run(model, input_ids=source_ids)["last_hidden_state"], expected)
        with pytest.raises(ValueError, match="decoder_input_ids"):
            model(inputs_embeds=torch.zeros(1, 3, 24))
        model.config.decoder_start_token_id = None
        with pytest.raises(ValueError, match="decoder_start_token_id"):
            model(source_ids)

    def test_encoder_outputs_can_be_passed(self) -> None:
        model = self.build(T5Model)
        inputs = self.get_inputs(get_small_config())
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
        model = self.build(T5Model)
        input_ids = random_ids((2, 5), model.config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        pairs = torch.ones(2, 1, 5, 5).tril()
        for mask in (pairs.long(), pairs.bool(), (1.0 - pairs) * -1e9):
            actual = self.run(model, input_ids=input_ids, decoder_attention_mask=mask)["last_hidden_state"]
            torch.testing.assert_close(actual, expected)

    @pytest.mark.parametrize("tie_word_embeddings", [True, False])
    def test_encoder_and_decoder_always_share_the_token_embeddings(
        self, tie_word_embeddings: bool, tmp_path: Path
    ) -> None:
        config = get_small_config()
        config.tie_word_embeddings = tie_word_embeddings
        self.build(T5Model, config).save_pretrained(tmp_path)
        model = T5Model.from_pretrained(tmp_path)
        shared = model.get_parameter("shared.weight")
        assert model.get_parameter("encoder.embed_tokens.weight") is shared
        assert model.get_parameter("decoder.embed_tokens.weight") is shared

    def test_feed_forward_networks_can_be_gated(self) -> None:
        config = T5Config(d_model=8, d_ff=12, num_layers=1, vocab_size=20, feed_forward_proj="gated-gelu")
        assert (config.dense_act_fn, config.is_gated_act) == ("gelu_new", True)
        names = T5Model(config).state_dict()
        assert "encoder.block.0.layer.1.DenseReluDense.wi_1.weight" in names
        assert "encoder.block.0.layer.1.DenseReluDense.wi.weight" not in names

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(T5Model)
        ids = torch.zeros(1, 3, dtype=torch.long)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(decoder_input_ids=ids)
        with pytest.raises(ValueError, match="either decoder_input_ids or decoder_inputs_embeds"):
            model(ids, decoder_input_ids=ids, decoder_inputs_embeds=torch.zeros(1, 3, 24))
        with pytest.raises(ValueError, match="each of the 3 tokens"):
            model(ids, attention_mask=torch.ones(1, 4))
        with pytest.raises(ValueError, match="two or four dimensions"):
            model(ids, attention_mask=torch.ones(1, 3, 3))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            model(ids, decoder_attention_mask=torch.ones(1, 4))
        for wrong, message in (
            ({"num_heads": 0}, "num_heads"),
            ({"relative_attention_num_buckets": 3}, "relative_attention_num_buckets"),
            ({"relative_attention_max_distance": 16}, "relative_attention_max_distance"),
            ({"feed_forward_proj": "dense-relu"}, "feed_forward_proj"),
        ):
            with pytest.raises(ValueError, match=message):
                T5Model(T5Config(vocab_size=8, d_model=8, **wrong))

    @pytest.mark.filterwarnings("error")
    def test_biases_of_cross_attention_in_early_checkpoints_are_passed_over(self) -> None:
        model = self.build(T5Model)
        loaded = T5Model(get_small_config())
        name = "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"
        loaded.load_checkpoint({**model.state_dict(), name: torch.ones(8, 3)})
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight)

    def test_half_precision_does_not_overflow(self) -> None:
        model = self.build(T5EncoderModel).half()
        with torch.no_grad():
            for block in range(2):
                model.get_parameter(f"encoder.block.{block}.layer.1.DenseReluDense.wo.weight").fill_(6e4)
        hidden_states = self.run(model, input_ids=random_ids((1, 4), model.config))["last_hidden_state"]
        assert torch.isfinite(hidden_states).all()

    def test_conditional_generation_makes_its_input_from_the_labels(self) -> None:
        model = self.build(T5ForConditionalGeneration)
        inputs = self.get_inputs(get_small_config())
        labels = torch.tensor([[11, 12, 1], [13, 1, -100]])
        target_ids = torch.tensor([[0, 11, 12], [0, 13, 1]])
        expected = self.run(model, **inputs, decoder_input_ids=target_ids)["logits"]
        outputs = self.run(model, **inputs, labels=labels)
        torch.testing.assert_close(outputs["logits"], expected)
        loss = torch.nn.functional.cross_entropy(expected.flatten(0, 1), labels.flatten())
        torch.testing.assert_close(outputs["loss"], loss)
        assert outputs["past_key_values"] is None

    def test_conditional_generation_scales_what_a_tied_head_reads(self) -> None:
        assert get_small_config().scale_decoder_outputs
        assert not T5Config(tie_word_embeddings=False).scale_decoder_outputs
        model = self.build(T5ForConditionalGeneration)
        inputs = self.get_inputs(get_small_config())
        scaled = self.run(model, **inputs)["logits"]
        model.config.scale_decoder_outputs = False  # type: ignore[attr-defined]
        torch.testing.assert_close(self.run(model, **inputs)["logits"], scaled * 24**0.5)

    @pytest.mark.filterwarnings("error")
    def test_conditional_generation_takes_two_weights_that_differ_for_two(self, tmp_path: Path) -> None:
        config = get_small_config()
        config.tie_word_embeddings = config.scale_decoder_outputs = False
        saved = self.build(T5ForConditionalGeneration, config)
        saved.save_pretrained(tmp_path)
        text = (tmp_path / "config.json").read_text()
        # There are writers that say so of every model of this type.
        (tmp_path / "config.json").write_text(text.replace('embeddings": false', 'embeddings": true'))
        loaded = T5ForConditionalGeneration.from_pretrained(tmp_path)
        assert not loaded.config.tie_word_embeddings
        inputs = self.get_inputs(config)
        torch.testing.assert_close(self.run(loaded, **inputs)["logits"], self.run(saved, **inputs)["logits"])

    @pytest.mark.filterwarnings("error")
    def test_conditional_generation_is_filled_by_a_base_checkpoint(self, tmp_path: Path) -> None:
        self.build(T5Model).save_pretrained(tmp_path)
        model = T5ForConditionalGeneration.from_pretrained(tmp_path)
        assert model.get_parameter("lm_head.weight") is model.get_parameter("shared.weight")

    def test_sequence_classification_reads_the_last_end(self) -> None:
        model = self.build(T5ForSequenceClassification)
        text = torch.tensor([[11, 1, 12, 1]])
        expected = self.run(model, input_ids=text)["logits"]
        padded = torch.cat((text, torch.tensor([[0, 0]])), dim=1)
        mask = torch.tensor([[1, 1, 1, 1, 0, 0]])
        torch.testing.assert_close(self.run(model, input_ids=padded, attention_mask=mask)["logits"], expected)
        for bad_ids in ([[9, 11, 1], [9, 1, 1]], [[9, 11, 12], [9, 12, 13]]):
            with pytest.raises(ValueError, match="eos"):
                model(torch.tensor(bad_ids))

    @pytest.mark.filterwarnings("error")
    def test_encoder_model_is_filled_by_a_base_checkpoint_and_leaves_its_configuration_alone(
        self, tmp_path: Path
    ) -> None:
        base = self.build(T5Model)
        base.save_pretrained(tmp_path)
        model = T5EncoderModel.from_pretrained(tmp_path)
        assert base.config.is_encoder_decoder
        assert not model.config.is_encoder_decoder
        inputs = self.get_inputs(get_small_config())
        expected = self.run(base, **inputs)["encoder_last_hidden_state"]
        torch.testing.assert_close(self.run(model, **inputs)["last_hidden_state"], expected)

    def test_token_classification_reads_the_encoder(self) -> None:
        model = self.build(T5ForTokenClassification)
        assert not [name for name in model.state_dict() if "decoder" in name]
        labels = torch.tensor([[0, 1, 2, 0, 1, 2, -100], [2, 1, 0, -100, -100, -100, -100]])
        outputs = self.run(model, **self.get_inputs(get_small_config()), labels=labels)
        loss = torch.nn.functional.cross_entropy(outputs["logits"].flatten(0, 1), labels.flatten())
        torch.testing.assert_close(outputs["loss"], loss)

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), T5Model.__module__)
