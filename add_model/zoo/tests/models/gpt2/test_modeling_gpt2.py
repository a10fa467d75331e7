"""Tests of the GPT-2 models."""

import math
from pathlib import Path

import pytest
import torch

from add_model.zoo.models.gpt2 import (
    GPT2Config,
    GPT2ForQuestionAnswering,
    GPT2ForSequenceClassification,
    GPT2ForTokenClassification,
    GPT2LMHeadModel,
    GPT2Model,
)

from ...test_modeling_common import GenerationTesterMixin, check_recorded_numbers, random_ids


def get_small_config() -> GPT2Config:
    return GPT2Config(
        vocab_size=61,
        n_positions=32,
        n_embd=24,
        n_layer=2,
        n_head=3,
        n_inner=37,
        num_labels=3,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )


class TestGPT2Model(GenerationTesterMixin):
    config_class = GPT2Config
    base_model_class = GPT2Model
    all_model_classes = (
        GPT2Model,
        GPT2ForQuestionAnswering,
        GPT2ForSequenceClassification,
        GPT2ForTokenClassification,
        GPT2LMHeadModel,
    )
    all_generative_model_classes = (
        GPT2LMHeadModel,
    )  # fmt: skip

    def get_config(self) -> GPT2Config:
        return get_small_config()

    def test_a_token_does_not_see_later_ones(self) -> None:
        model = self.build(GPT2Model)
        input_ids = random_ids((1, 6), model.config)
        changed_ids = input_ids.clone()
        changed_ids[0, 4:] = torch.tensor([3, 4])
        before = self.run(model, input_ids=input_ids)["last_hidden_state"]
        after = self.run(model, input_ids=changed_ids)["last_hidden_state"]
        torch.testing.assert_close(after[:, :4], before[:, :4])
        assert not torch.allclose(after[:, 4:], before[:, 4:])

    def test_padding_on_the_left_with_positions_that_skip_it(self) -> None:
        model = self.build(GPT2Model)
        input_ids = random_ids((1, 4), model.config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        padded_ids = torch.cat((torch.zeros(1, 3, dtype=torch.long), input_ids), dim=1)
        actual = self.run(
            model,
            input_ids=padded_ids,
            attention_mask=torch.tensor([[0, 0, 0, 1, 1, 1, 1]]),
            position_ids=torch.tensor([[0, 0, 0, 0, 1, 2, 3]]),
        )["last_hidden_state"]
        torch.testing.assert_close(actual[:, 3:], expected)

    def test_token_types_are_looked_up_in_the_vocabulary(self) -> None:
        model = self.build(GPT2Model)
        input_ids = random_ids((1, 4), model.config)
        token_type_ids = random_ids((1, 4), model.config)
        actual = self.run(model, input_ids=input_ids, token_type_ids=token_type_ids)["last_hidden_state"]
        embeddings = model.get_input_embeddings()
        vectors = embeddings(input_ids) + embeddings(token_type_ids)
        torch.testing.assert_close(actual, self.run(model, inputs_embeds=vectors)["last_hidden_state"])

    def test_four_dimensions_of_a_mask_decide_for_every_pair(self) -> None:
        model = self.build(GPT2Model)
        input_ids = random_ids((2, 5), model.config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        pairs = torch.ones(2, 1, 5, 5).tril()
        for mask in (pairs.long(), pairs.bool(), (1.0 - pairs) * -1e9):
            actual = self.run(model, input_ids=input_ids, attention_mask=mask)["last_hidden_state"]
            torch.testing.assert_close(actual, expected)

    def test_options_scale_the_attention_scores(self) -> None:
        config = get_small_config()
        head_size = config.n_embd // config.n_head
        for scale_weights, by_layer, expected in (
            (True, False, (1 / math.sqrt(head_size), 1 / math.sqrt(head_size))),
            (False, False, (1.0, 1.0)),
            (False, True, (1.0, 1 / 2)),
        ):
            config.scale_attn_weights = scale_weights
            config.scale_attn_by_inverse_layer_idx = by_layer
            model = GPT2Model(config)
            scalings = [block.get_submodule("attn").scaling for block in model.h]
            assert scalings == pytest.approx(expected)

    def test_scores_in_float32_change_nothing_in_float32(self) -> None:
        config = get_small_config()
        config.attention_implementation = "eager"
        model = self.build(GPT2Model, config)
        input_ids = random_ids((2, 5), config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        config.reorder_and_upcast_attn = True
        torch.testing.assert_close(self.run(model, input_ids=input_ids)["last_hidden_state"], expected)
        half = model.to(torch.bfloat16)
        assert self.run(half, input_ids=input_ids)["last_hidden_state"].dtype == torch.bfloat16

    def test_outputs_of_residual_branches_start_smaller(self) -> None:
        config = get_small_config()
        config.initializer_range = 0.5
        weights = dict(GPT2Model(config).named_parameters())
        expected = 0.5 / math.sqrt(2 * config.n_layer)
        for name in ("h.0.attn.c_proj.weight", "h.1.mlp.c_proj.weight"):
            assert float(weights[name].detach().std()) == pytest.approx(expected, rel=0.15)

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(GPT2Model)
        input_ids = torch.zeros(1, 3, dtype=torch.long)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match="33 tokens is longer than the 32 positions"):
            model(torch.zeros(1, 33, dtype=torch.long))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            model(input_ids, attention_mask=torch.ones(1, 2))

    def test_a_mask_must_cover_the_cache(self) -> None:
        model = self.build(GPT2Model)
        input_ids = random_ids((1, 4), model.config)
        past_key_values = self.run(model, input_ids=input_ids, use_cache=True)["past_key_values"]
        with pytest.raises(ValueError, match="including those in the cache"):
            model(input_ids[:, :1], attention_mask=torch.ones(1, 1), past_key_values=past_key_values)

    def test_configurations_of_other_models_are_refused(self) -> None:
        config = get_small_config()
        config.add_cross_attention = True
        with pytest.raises(ValueError, match="add_cross_attention"):
            GPT2Model(config)
        with pytest.raises(ValueError, match="multiple"):
            GPT2Model(GPT2Config(n_embd=10, n_head=3))

    @pytest.mark.filterwarnings("error")
    def test_masks_in_old_checkpoints_are_passed_over(self) -> None:
        model = self.build(GPT2Model)
        weights = {**model.state_dict(), "h.0.attn.bias": torch.ones(1), "h.1.attn.masked_bias": torch.ones(1)}
        loaded = GPT2Model(get_small_config())
        loaded.load_checkpoint(weights)
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight)

    def test_sizes_have_two_names(self) -> None:
        config = GPT2Config(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=32)
        assert (config.n_embd, config.n_layer, config.n_head, config.n_positions) == (24, 2, 3, 32)

    def test_language_model_shifts_the_labels(self) -> None:
        model = self.build(GPT2LMHeadModel)
        input_ids = random_ids((1, 5), model.config)
        labels = torch.full_like(input_ids, -100)
        labels[0, 3] = 11
        outputs = self.run(model, input_ids=input_ids, labels=labels)
        expected = torch.nn.functional.cross_entropy(outputs["logits"][0, 2:3], torch.tensor([11]))
        torch.testing.assert_close(outputs["loss"], expected)

    def test_padding_on_the_left_does_not_change_generated_text(self) -> None:
        model = self.build(GPT2LMHeadModel)
        prompt = random_ids((1, 4), model.config)
        alone = self.generate(model, input_ids=prompt, max_new_tokens=8)
        padded = torch.cat((torch.zeros(1, 3, dtype=torch.long), prompt), dim=1)
        assert torch.equal(self.generate(model, input_ids=padded, max_new_tokens=8)[:, 3:], alone)

    def test_sequence_classification_reads_the_last_token(self) -> None:
        model = self.build(GPT2ForSequenceClassification)
        text = random_ids((1, 4), model.config)
        expected = self.run(model, input_ids=text)["logits"]
        padded = torch.cat((text, torch.zeros(1, 3, dtype=torch.long)), dim=1)
        torch.testing.assert_close(self.run(model, input_ids=padded)["logits"], expected)
        model.config.pad_token_id = None
        torch.testing.assert_close(self.run(model, input_ids=text)["logits"], expected)
        with pytest.raises(ValueError, match="pad_token_id"):
            model(text.repeat(2, 1))

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), GPT2Model.__module__)
