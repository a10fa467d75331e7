"""Tests of the Pegasus models."""

import math
from pathlib import Path

import pytest
import torch

from add_model.zoo import AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.pegasus import (
    PegasusConfig,
    PegasusForCausalLM,
    PegasusForConditionalGeneration,
    PegasusModel,
)
from add_model.zoo.models.pegasus.modeling_pegasus import sinusoidal_positions

from ...test_modeling_common import GenerationTesterMixin, Inputs, check_recorded_numbers, random_ids, size_in, task_of


def get_small_config() -> PegasusConfig:
    return PegasusConfig(
        vocab_size=61,
        max_position_embeddings=32,
        d_model=24,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=3,
        decoder_attention_heads=3,
        encoder_ffn_dim=37,
        decoder_ffn_dim=29,
    )


class TestPegasusModel(GenerationTesterMixin):
    config_class = PegasusConfig
    base_model_class = PegasusModel
    all_model_classes = (
        PegasusModel,
        PegasusForCausalLM,
        PegasusForConditionalGeneration,
    )
    all_generative_model_classes = (
        PegasusForCausalLM,
        PegasusForConditionalGeneration,
    )
    initializer_range_name = "init_std"

    def get_config(self) -> PegasusConfig:
        return get_small_config()

    def get_inputs_for(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> Inputs:
        inputs = super().get_inputs_for(model_class, config)
        if task_of(model_class) is AutoModelForCausalLM:
            # A decoder alone uses all its weights only if it has something to attend to.
            generator = torch.Generator().manual_seed(0)
            shape = (2, 4, size_in(config, "hidden_size"))
            inputs["encoder_hidden_states"] = torch.randn(shape, generator=generator)
        return inputs

    def test_a_target_token_sees_the_source_and_no_later_token(self) -> None:
        model = self.build(PegasusModel)
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
        model = self.build(PegasusModel)
        source_ids = random_ids((2, 5), model.config)
        shifted_ids = torch.cat((torch.zeros(2, 1).long(), source_ids[:, :-1]), dim=1)
        expected = self.run(model, input_ids=source_ids, decoder_input_ids=shifted_ids)["last_hidden_state"]
        torch.testing.assert_close(self.run(model, input_ids=source_ids)["last_hidden_state"], expected)
        with pytest.raises(ValueError, match="decoder_input_ids"):
            model(inputs_embeds=torch.zeros(1, 3, 24))
        model.config.decoder_start_token_id = None
        with pytest.raises(ValueError, match="decoder_start_token_id"):
            model(source_ids)

    def test_embeddings_can_be_scaled(self) -> None:
        config = get_small_config()
        config.scale_embedding = True
        model = self.build(PegasusModel, config)
        input_ids = random_ids((1, 4), config)
        embeddings = model.get_input_embeddings()
        weight = model.get_parameter("shared.weight")
        torch.testing.assert_close(embeddings(input_ids), weight[input_ids] * math.sqrt(24))

    def test_embeddings_as_inputs_are_scaled_in_the_decoder_alone(self) -> None:
        config = get_small_config()
        config.scale_embedding = True
        model = self.build(PegasusModel, config)
        source_ids, target_ids = random_ids((1, 4), config), random_ids((1, 3), config)
        weight = model.get_parameter("shared.weight")
        expected = self.run(model, input_ids=source_ids, decoder_input_ids=target_ids)["last_hidden_state"]
        embeds = {"inputs_embeds": weight[source_ids] * math.sqrt(24), "decoder_inputs_embeds": weight[target_ids]}
        torch.testing.assert_close(self.run(model, **embeds)["last_hidden_state"], expected)

    def test_positions_are_sines_and_then_cosines(self) -> None:
        positions = sinusoidal_positions(3, 5)
        for position in range(3):
            angles = [position / 10000 ** (lane / 5) for lane in (0, 2, 4)]
            values = [*map(math.sin, angles), *map(math.cos, angles[:2])]
            torch.testing.assert_close(positions[position], torch.tensor(values))

    @pytest.mark.filterwarnings("error")
    def test_positions_are_computed_where_a_checkpoint_leaves_them_out(self, tmp_path: Path) -> None:
        model = PegasusForConditionalGeneration(get_small_config())
        weights = {name: weight for name, weight in model.state_dict().items() if "embed_positions" not in name}
        assert not [name for name, _ in model.named_parameters() if "embed_positions" in name]
        loaded = PegasusForConditionalGeneration(get_small_config())
        loaded.load_checkpoint(weights)
        for part in ("encoder", "decoder"):
            positions = loaded.get_buffer(f"model.{part}.embed_positions.weight")
            torch.testing.assert_close(positions, sinusoidal_positions(32, 24))

    def test_sublayers_normalise_what_they_read(self) -> None:
        model = self.build(PegasusModel)
        outputs = self.run(model, input_ids=random_ids((1, 4), model.config), output_hidden_states=True)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "encoder.layers" in name and name.endswith(
                    ("out_proj.weight", "out_proj.bias", "fc2.weight", "fc2.bias")
                ):
                    weight.zero_()
        unchanged = self.run(model, input_ids=random_ids((1, 4), model.config), output_hidden_states=True)
        # Nothing is left but the residuals and the last normalisation.
        first, second, last = unchanged["encoder_hidden_states"]
        torch.testing.assert_close(first, second)
        torch.testing.assert_close(model.get_submodule("encoder.layer_norm")(first), last)
        assert not torch.allclose(*outputs["encoder_hidden_states"][:2])

    def test_encoder_and_decoder_share_the_token_embeddings(self) -> None:
        model = self.build(PegasusModel)
        shared = model.get_parameter("shared.weight")
        assert model.get_parameter("encoder.embed_tokens.weight") is shared
        assert model.get_parameter("decoder.embed_tokens.weight") is shared

    def test_encoder_outputs_can_be_passed(self) -> None:
        model = self.build(PegasusModel)
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
        model = self.build(PegasusModel)
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
        model = self.build(PegasusModel, config)
        input_ids = random_ids((2, 5), config)
        assert len(self.run(model, input_ids=input_ids, output_hidden_states=True)["encoder_hidden_states"]) == 3
        model.train()
        outputs = self.run(model, input_ids=input_ids, output_hidden_states=True)
        assert len(outputs["encoder_hidden_states"]) == 1
        assert len(outputs["decoder_hidden_states"]) == 1

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(PegasusModel)
        ids = torch.zeros(1, 3, dtype=torch.long)
        too_long = torch.zeros(1, 33, dtype=torch.long)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(decoder_input_ids=ids)
        with pytest.raises(ValueError, match="33 tokens is longer than the 32 positions"):
            model(too_long, decoder_input_ids=ids)
        with pytest.raises(ValueError, match="33 tokens is longer than the 32 positions"):
            model(ids, decoder_input_ids=too_long)
        with pytest.raises(ValueError, match="each of the 3 tokens"):
            model(ids, attention_mask=torch.ones(1, 4))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            model(ids, decoder_attention_mask=torch.ones(1, 4))
        with pytest.raises(ValueError, match="two or four dimensions"):
            model(ids, attention_mask=torch.ones(1, 3, 3))
        with pytest.raises(ValueError, match="multiple"):
            PegasusModel(PegasusConfig(d_model=10, encoder_attention_heads=3))

    def test_conditional_generation_makes_its_input_from_the_labels(self) -> None:
        model = self.build(PegasusForConditionalGeneration)
        inputs = self.get_inputs(model.config)
        labels = torch.tensor([[11, 12, 1], [13, 1, -100]])
        target_ids = torch.tensor([[0, 11, 12], [0, 13, 1]])
        expected = self.run(model, **inputs, decoder_input_ids=target_ids)["logits"]
        outputs = self.run(model, **inputs, labels=labels)
        torch.testing.assert_close(outputs["logits"], expected)
        loss = torch.nn.functional.cross_entropy(expected.flatten(0, 1), labels.flatten())
        torch.testing.assert_close(outputs["loss"], loss)
        assert outputs["past_key_values"] is None

    def test_conditional_generation_adds_its_bias(self) -> None:
        model = self.build(PegasusForConditionalGeneration)
        inputs = self.get_inputs(model.config)
        before = self.run(model, **inputs)["logits"]
        bias = model.get_buffer("final_logits_bias")
        bias[0, 5] += 3.0
        after = self.run(model, **inputs)["logits"]
        torch.testing.assert_close(after[..., 5], before[..., 5] + 3.0)
        torch.testing.assert_close(after[..., 6:], before[..., 6:])

    @pytest.mark.filterwarnings("error")
    def test_conditional_generation_is_filled_by_a_base_checkpoint(self, tmp_path: Path) -> None:
        self.build(PegasusModel).save_pretrained(tmp_path)
        model = PegasusForConditionalGeneration.from_pretrained(tmp_path)
        assert not model.get_buffer("final_logits_bias").any()

    def test_conditional_generation_obeys_forced_tokens(self) -> None:
        model = self.build(PegasusForConditionalGeneration)
        model.config.forced_bos_token_id = 7
        model.config.forced_eos_token_id = 9
        ids = self.generate(model, input_ids=random_ids((2, 5), model.config), max_length=4, eos_token_id=61)
        assert ids[:, 0].tolist() == [0, 0]
        assert ids[:, 1].tolist() == [7, 7]
        assert ids[:, 3].tolist() == [9, 9]

    def test_causal_language_model_leaves_its_configuration_alone(self) -> None:
        config = get_small_config()
        model = PegasusForCausalLM(config)
        assert config.is_encoder_decoder
        assert not model.config.is_encoder_decoder

    @pytest.mark.filterwarnings("error")
    def test_causal_language_model_is_filled_by_a_base_checkpoint(self, tmp_path: Path) -> None:
        base = self.build(PegasusModel)
        base.save_pretrained(tmp_path)
        model = PegasusForCausalLM.from_pretrained(tmp_path)
        torch.testing.assert_close(model.get_parameter("lm_head.weight"), base.get_parameter("shared.weight"))

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), PegasusModel.__module__)
