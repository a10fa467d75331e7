"""Tests of the BLOOM models."""

from pathlib import Path

import pytest
import torch

from add_model.zoo.models.bloom import (
    BloomConfig,
    BloomForCausalLM,
    BloomForQuestionAnswering,
    BloomForSequenceClassification,
    BloomForTokenClassification,
    BloomModel,
)
from add_model.zoo.models.bloom.modeling_bloom import alibi_slopes

from ...test_modeling_common import GenerationTesterMixin, check_recorded_numbers, random_ids


def get_small_config() -> BloomConfig:
    return BloomConfig(
        vocab_size=61,
        hidden_size=24,
        n_layer=2,
        n_head=3,
        hidden_dropout=0.1,
        num_labels=3,
        pad_token_id=0,
    )


class TestBloomModel(GenerationTesterMixin):
    config_class = BloomConfig
    base_model_class = BloomModel
    all_model_classes = (
        BloomModel,
        BloomForCausalLM,
        BloomForQuestionAnswering,
        BloomForSequenceClassification,
        BloomForTokenClassification,
    )
    all_generative_model_classes = (
        BloomForCausalLM,
    )  # fmt: skip

    def get_config(self) -> BloomConfig:
        return get_small_config()

    def test_a_token_does_not_see_later_ones(self) -> None:
        model = self.build(BloomModel)
        input_ids = random_ids((1, 6), model.config)
        changed_ids = input_ids.clone()
        changed_ids[0, 4:] = torch.tensor([3, 4])
        before = self.run(model, input_ids=input_ids)["last_hidden_state"]
        after = self.run(model, input_ids=changed_ids)["last_hidden_state"]
        torch.testing.assert_close(after[:, :4], before[:, :4])
        assert not torch.allclose(after[:, 4:], before[:, 4:])

    def test_padding_on_the_left_is_not_counted(self) -> None:
        model = self.build(BloomModel)
        input_ids = random_ids((1, 4), model.config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        padded_ids = torch.cat((torch.zeros(1, 3, dtype=torch.long), input_ids), dim=1)
        mask = torch.tensor([[0, 0, 0, 1, 1, 1, 1]])
        actual = self.run(model, input_ids=padded_ids, attention_mask=mask)["last_hidden_state"]
        torch.testing.assert_close(actual[:, 3:], expected)

    def test_slopes(self) -> None:
        assert alibi_slopes(8) == [2.0**-power for power in range(1, 9)]
        assert alibi_slopes(1) == [2.0**-8]
        # No power of two: those of four heads, then every other one of eight.
        assert alibi_slopes(6) == [2.0**-2, 2.0**-4, 2.0**-6, 2.0**-8, 2.0**-1, 2.0**-3]

    def test_near_tokens_are_attended_to_more_by_the_slope_of_the_head(self) -> None:
        model = self.build(BloomModel)
        with torch.no_grad():
            for index in range(2):
                # Without queries the biases alone decide.
                model.get_parameter(f"h.{index}.self_attention.query_key_value.weight").zero_()
                model.get_parameter(f"h.{index}.self_attention.query_key_value.bias").zero_()
        input_ids = random_ids((1, 5), model.config)
        probabilities = self.run(model, input_ids=input_ids, output_attentions=True)["attentions"][0]
        for head, slope in enumerate((2.0**-4, 2.0**-8, 2.0**-2)):
            expected = torch.softmax(slope * torch.arange(5.0), dim=-1)
            torch.testing.assert_close(probabilities[0, head, 4], expected)

    def test_query_key_and_value_of_a_head_stand_together(self) -> None:
        config = get_small_config()
        config.n_layer = 1
        model = self.build(BloomModel, config)
        input_ids = random_ids((1, 5), config)
        before = self.run(model, input_ids=input_ids, output_attentions=True)["attentions"][0]
        with torch.no_grad():
            # Rows 24 to 40 are query and key of the second of three heads.
            model.get_parameter("h.0.self_attention.query_key_value.weight")[24:40].mul_(20.0)
        after = self.run(model, input_ids=input_ids, output_attentions=True)["attentions"][0]
        torch.testing.assert_close(after[:, [0, 2]], before[:, [0, 2]])
        assert not torch.allclose(after[:, 1], before[:, 1], atol=1e-3)

    def test_embeddings_are_normalised(self) -> None:
        model = self.build(BloomModel)
        vectors = torch.randn(1, 4, 24)
        expected = self.run(model, inputs_embeds=vectors)["last_hidden_state"]
        stretched = self.run(model, inputs_embeds=3 * vectors + 1)["last_hidden_state"]
        torch.testing.assert_close(stretched, expected, rtol=1e-4, atol=1e-4)

    def test_the_residual_can_be_what_comes_behind_the_norm(self) -> None:
        config = get_small_config()
        config.n_layer = 1
        config.apply_residual_connection_post_layernorm = True
        model = self.build(BloomModel, config)
        with torch.no_grad():
            for name in ("self_attention.dense", "mlp.dense_4h_to_h"):
                model.get_parameter(f"h.0.{name}.weight").zero_()
                model.get_parameter(f"h.0.{name}.bias").zero_()
        states = self.run(model, input_ids=random_ids((1, 5), config), output_hidden_states=True)["hidden_states"]
        expected = states[0]
        for norm in ("h.0.input_layernorm", "h.0.post_attention_layernorm", "ln_f"):
            expected = model.get_submodule(norm)(expected)
        torch.testing.assert_close(states[1], expected)

    def test_four_dimensions_of_a_mask_decide_for_every_pair(self) -> None:
        model = self.build(BloomModel)
        input_ids = random_ids((2, 5), model.config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        pairs = torch.ones(2, 1, 5, 5).tril()
        for mask in (pairs.long(), pairs.bool(), (1.0 - pairs) * -1e9):
            actual = self.run(model, input_ids=input_ids, attention_mask=mask)["last_hidden_state"]
            torch.testing.assert_close(actual, expected)

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(BloomModel)
        input_ids = torch.zeros(1, 3, dtype=torch.long)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match="token id 61 is not in the vocabulary of 61"):
            model(torch.tensor([[3, 61]]))
        with pytest.raises(ValueError, match="multiple"):
            BloomModel(BloomConfig(vocab_size=9, hidden_size=10, n_head=3))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            model(input_ids, attention_mask=torch.ones(1, 2))

    def test_a_mask_must_cover_the_cache(self) -> None:
        model = self.build(BloomModel)
        input_ids = random_ids((1, 4), model.config)
        past_key_values = self.run(model, input_ids=input_ids, use_cache=True)["past_key_values"]
        with pytest.raises(ValueError, match="including those in the cache"):
            model(input_ids[:, :1], attention_mask=torch.ones(1, 1), past_key_values=past_key_values)

    def test_sizes_have_two_names(self) -> None:
        config = BloomConfig(n_embed=24, num_hidden_layers=3, num_attention_heads=6)
        assert (config.hidden_size, config.n_layer, config.n_head) == (24, 3, 6)
        assert BloomConfig.from_dict({"n_embed": 48}).hidden_size == 48

    def test_language_model_shifts_the_labels(self) -> None:
        model = self.build(BloomForCausalLM)
        input_ids = random_ids((1, 5), model.config)
        labels = torch.full_like(input_ids, -100)
        labels[0, 3] = 11
        outputs = self.run(model, input_ids=input_ids, labels=labels)
        expected = torch.nn.functional.cross_entropy(outputs["logits"][0, 2:3], torch.tensor([11]))
        torch.testing.assert_close(outputs["loss"], expected)

    def test_padding_on_the_left_does_not_change_generated_text(self) -> None:
        model = self.build(BloomForCausalLM)
        prompt = random_ids((1, 4), model.config)
        alone = self.generate(model, input_ids=prompt, max_new_tokens=8)
        padded = torch.cat((torch.zeros(1, 3, dtype=torch.long), prompt), dim=1)
        assert torch.equal(self.generate(model, input_ids=padded, max_new_tokens=8)[:, 3:], alone)

    def test_sequence_classification_reads_the_last_token(self) -> None:
        model = self.build(BloomForSequenceClassification)
        text = random_ids((1, 4), model.config)
        expected = self.run(model, input_ids=text)["logits"]
        padded = torch.cat((text, torch.zeros(1, 3, dtype=torch.long)), dim=1)
        torch.testing.assert_close(self.run(model, input_ids=padded)["logits"], expected)
        model.config.pad_token_id = None
        torch.testing.assert_close(self.run(model, input_ids=text)["logits"], expected)
        with pytest.raises(ValueError, match="pad_token_id"):
            model(text.repeat(2, 1))

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), BloomModel.__module__)
