"""Tests of the OPT models."""

from pathlib import Path

import pytest
import torch

from add_model.zoo.models.opt import (
    OPTConfig,
    OPTForCausalLM,
    OPTForQuestionAnswering,
    OPTForSequenceClassification,
    OPTModel,
)

from ...test_modeling_common import GenerationTesterMixin, check_recorded_numbers, random_ids


def get_small_config() -> OPTConfig:
    return OPTConfig(
        vocab_size=61,
        hidden_size=24,
        num_hidden_layers=2,
        ffn_dim=37,
        max_position_embeddings=32,
        num_attention_heads=3,
        num_labels=3,
    )


class TestOPTModel(GenerationTesterMixin):
    config_class = OPTConfig
    base_model_class = OPTModel
    all_model_classes = (
        OPTModel,
        OPTForCausalLM,
        OPTForQuestionAnswering,
        OPTForSequenceClassification,
    )
    all_generative_model_classes = (
        OPTForCausalLM,
    )  # fmt: skip
    initializer_range_name = "init_std"

    def get_config(self) -> OPTConfig:
        return get_small_config()

    def test_a_token_does_not_see_later_ones(self) -> None:
        model = self.build(OPTModel)
        input_ids = random_ids((1, 6), model.config)
        changed_ids = input_ids.clone()
        changed_ids[0, 4:] = torch.tensor([3, 4])
        before = self.run(model, input_ids=input_ids)["last_hidden_state"]
        after = self.run(model, input_ids=changed_ids)["last_hidden_state"]
        torch.testing.assert_close(after[:, :4], before[:, :4])
        assert not torch.allclose(after[:, 4:], before[:, 4:])

    def test_positions_start_at_the_third_row(self) -> None:
        model = self.build(OPTModel)
        input_ids = random_ids((1, 5), model.config)
        before = self.run(model, input_ids=input_ids)["last_hidden_state"]
        weight = model.get_parameter("decoder.embed_positions.weight")
        assert weight.shape == (34, 24)
        with torch.no_grad():
            weight[:2] = 7.0
        torch.testing.assert_close(self.run(model, input_ids=input_ids)["last_hidden_state"], before)
        with torch.no_grad():
            weight[2] = 7.0
        assert not torch.allclose(self.run(model, input_ids=input_ids)["last_hidden_state"], before)

    def test_positions_count_the_tokens_of_the_mask(self) -> None:
        model = self.build(OPTModel)
        input_ids = random_ids((1, 4), model.config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        padded_ids = torch.cat((torch.ones(1, 3, dtype=torch.long), input_ids), dim=1)
        mask = torch.tensor([[0, 0, 0, 1, 1, 1, 1]])
        actual = self.run(model, input_ids=padded_ids, attention_mask=mask)["last_hidden_state"]
        torch.testing.assert_close(actual[:, 3:], expected)
        positions = torch.tensor([[-1, -1, -1, 0, 1, 2, 3]])
        again = self.run(model, input_ids=padded_ids, attention_mask=mask, position_ids=positions)["last_hidden_state"]
        torch.testing.assert_close(again, actual)
        with pytest.raises(ValueError, match="33 tokens is longer than the 32 positions"):
            model(input_ids, position_ids=torch.tensor([[0, 1, 2, 32]]))

    def test_four_dimensions_of_a_mask_decide_for_every_pair(self) -> None:
        model = self.build(OPTModel)
        input_ids = random_ids((2, 5), model.config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        pairs = torch.ones(2, 1, 5, 5).tril()
        for mask in (pairs.long(), pairs.bool(), (1.0 - pairs) * -1e9):
            actual = self.run(model, input_ids=input_ids, attention_mask=mask)["last_hidden_state"]
            torch.testing.assert_close(actual, expected)

    def test_normalisation_behind_the_residual(self) -> None:
        config = get_small_config()
        config.do_layer_norm_before = False
        model = self.build(OPTModel, config)
        assert "decoder.final_layer_norm.weight" not in model.state_dict()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "layer_norm" in name:
                    weight.fill_(float(name.endswith("weight")))
        hidden_states = self.run(model, input_ids=random_ids((2, 5), config))["last_hidden_state"]
        torch.testing.assert_close(hidden_states.mean(dim=-1), torch.zeros(2, 5), rtol=0, atol=1e-5)

    def test_the_final_normalisation_can_be_left_out(self) -> None:
        config = OPTConfig.from_dict({**get_small_config().to_dict(), "_remove_final_layer_norm": True})
        assert "decoder.final_layer_norm.weight" not in self.build(OPTModel, config).state_dict()
        assert "decoder.final_layer_norm.weight" in self.build(OPTModel).state_dict()

    def test_token_embeddings_of_another_size(self) -> None:
        config = get_small_config()
        config.word_embed_proj_dim = 10
        model = self.build(OPTForCausalLM, config)
        shapes = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
        assert shapes["model.decoder.embed_tokens.weight"] == (61, 10)
        assert shapes["model.decoder.project_in.weight"] == (24, 10)
        assert shapes["model.decoder.project_out.weight"] == (10, 24)
        outputs = self.run(model, input_ids=random_ids((2, 5), config), output_hidden_states=True)
        assert [states.shape[-1] for states in outputs["hidden_states"]] == [24, 24, 10]
        assert outputs["logits"].shape == (2, 5, 61)

    def test_layers_without_biases_and_normalisations_without_weights(self) -> None:
        config = get_small_config()
        config.enable_bias = False
        config.layer_norm_elementwise_affine = False
        model = self.build(OPTModel, config)
        assert all(name.endswith(".weight") and "norm" not in name for name in model.state_dict())
        assert torch.isfinite(self.run(model, input_ids=random_ids((2, 5), config))["last_hidden_state"]).all()

    def test_layers_can_be_dropped_in_training(self) -> None:
        config = get_small_config()
        config.layerdrop = 1.0
        model = self.build(OPTModel, config)
        input_ids = random_ids((2, 5), config)
        assert len(self.run(model, input_ids=input_ids, output_hidden_states=True)["hidden_states"]) == 3
        model.train()
        assert len(self.run(model, input_ids=input_ids, output_hidden_states=True)["hidden_states"]) == 1

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(OPTModel)
        input_ids = torch.zeros(1, 3, dtype=torch.long)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match="33 tokens is longer than the 32 positions"):
            model(torch.zeros(1, 33, dtype=torch.long))
        with pytest.raises(ValueError, match="token id 61 is not in the vocabulary of 61"):
            model(torch.tensor([[3, 61]]))
        with pytest.raises(ValueError, match="token id -1 is not in the vocabulary"):
            model(torch.tensor([[3, -1]]))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            model(input_ids, attention_mask=torch.ones(1, 2))
        with pytest.raises(ValueError, match="multiple"):
            OPTModel(OPTConfig(hidden_size=10, num_attention_heads=3))

    def test_a_mask_must_cover_the_cache(self) -> None:
        model = self.build(OPTModel)
        input_ids = random_ids((1, 4), model.config)
        past_key_values = self.run(model, input_ids=input_ids, use_cache=True)["past_key_values"]
        with pytest.raises(ValueError, match="including those in the cache"):
            model(input_ids[:, :1], attention_mask=torch.ones(1, 1), past_key_values=past_key_values)

    @pytest.mark.filterwarnings("error")
    def test_version_numbers_in_old_checkpoints_are_passed_over(self) -> None:
        model = self.build(OPTModel)
        loaded = OPTModel(get_small_config())
        loaded.load_checkpoint({**model.state_dict(), "decoder.version": torch.tensor([3.0])})
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight)

    def test_language_model_shifts_the_labels(self) -> None:
        model = self.build(OPTForCausalLM)
        input_ids = random_ids((1, 5), model.config)
        labels = torch.full_like(input_ids, -100)
        labels[0, 3] = 11
        outputs = self.run(model, input_ids=input_ids, labels=labels)
        expected = torch.nn.functional.cross_entropy(outputs["logits"][0, 2:3], torch.tensor([11]))
        torch.testing.assert_close(outputs["loss"], expected)

    def test_padding_on_the_left_does_not_change_generated_text(self) -> None:
        model = self.build(OPTForCausalLM)
        prompt = random_ids((1, 4), model.config)
        alone = self.generate(model, input_ids=prompt, max_new_tokens=8)
        padded = torch.cat((torch.ones(1, 3, dtype=torch.long), prompt), dim=1)
        assert torch.equal(self.generate(model, input_ids=padded, max_new_tokens=8)[:, 3:], alone)

    def test_sequence_classification_reads_the_last_token(self) -> None:
        model = self.build(OPTForSequenceClassification)
        text = random_ids((1, 4), model.config)
        expected = self.run(model, input_ids=text)["logits"]
        padding = torch.ones(1, 3, dtype=torch.long)
        behind = self.run(model, input_ids=torch.cat((text, padding), dim=1))["logits"]
        torch.testing.assert_close(behind, expected)
        mask = torch.tensor([[0, 0, 0, 1, 1, 1, 1]])
        before = self.run(model, input_ids=torch.cat((padding, text), dim=1), attention_mask=mask)["logits"]
        torch.testing.assert_close(before, expected)
        model.config.pad_token_id = None
        with pytest.raises(ValueError, match="pad_token_id"):
            model(text.repeat(2, 1))

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), OPTModel.__module__)
