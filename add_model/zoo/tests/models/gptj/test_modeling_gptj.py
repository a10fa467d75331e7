"""Tests of the GPT-J models."""

from pathlib import Path

import pytest
import torch

from add_model.zoo.models.gptj import (
    GPTJConfig,
    GPTJForCausalLM,
    GPTJForQuestionAnswering,
    GPTJForSequenceClassification,
    GPTJModel,
)
from add_model.zoo.models.gptj.modeling_gptj import rotary_angles, rotate_lanes

from ...test_modeling_common import GenerationTesterMixin, check_recorded_numbers, random_ids


def get_small_config() -> GPTJConfig:
    return GPTJConfig(
        vocab_size=61,
        n_positions=32,
        n_embd=24,
        n_layer=2,
        n_head=3,
        rotary_dim=4,
        n_inner=37,
        resid_pdrop=0.1,
        num_labels=3,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )


class TestGPTJModel(GenerationTesterMixin):
    config_class = GPTJConfig
    base_model_class = GPTJModel
    all_model_classes = (
        GPTJModel,
        GPTJForCausalLM,
        GPTJForQuestionAnswering,
        GPTJForSequenceClassification,
    )
    all_generative_model_classes = (
        GPTJForCausalLM,
    )  # fmt: skip

    def get_config(self) -> GPTJConfig:
        return get_small_config()

    def test_a_token_does_not_see_later_ones(self) -> None:
        model = self.build(GPTJModel)
        input_ids = random_ids((1, 6), model.config)
        changed_ids = input_ids.clone()
        changed_ids[0, 4:] = torch.tensor([3, 4])
        before = self.run(model, input_ids=input_ids)["last_hidden_state"]
        after = self.run(model, input_ids=changed_ids)["last_hidden_state"]
        torch.testing.assert_close(after[:, :4], before[:, :4])
        assert not torch.allclose(after[:, 4:], before[:, 4:])

    def test_padding_on_the_left_with_positions_that_skip_it(self) -> None:
        model = self.build(GPTJModel)
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
        model = self.build(GPTJModel)
        input_ids = random_ids((1, 4), model.config)
        token_type_ids = random_ids((1, 4), model.config)
        actual = self.run(model, input_ids=input_ids, token_type_ids=token_type_ids)["last_hidden_state"]
        embeddings = model.get_input_embeddings()
        vectors = embeddings(input_ids) + embeddings(token_type_ids)
        torch.testing.assert_close(actual, self.run(model, inputs_embeds=vectors)["last_hidden_state"])

    def test_four_dimensions_of_a_mask_decide_for_every_pair(self) -> None:
        model = self.build(GPTJModel)
        input_ids = random_ids((2, 5), model.config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        pairs = torch.ones(2, 1, 5, 5).tril()
        for mask in (pairs.long(), pairs.bool(), (1.0 - pairs) * -1e9):
            actual = self.run(model, input_ids=input_ids, attention_mask=mask)["last_hidden_state"]
            torch.testing.assert_close(actual, expected)

    def test_pairs_of_neighbouring_lanes_are_turned_and_the_others_kept(self) -> None:
        heads = torch.randn(1, 2, 3, 6)
        turned = rotate_lanes(heads, *rotary_angles(torch.tensor([[0, 1, 5]]), 4))
        torch.testing.assert_close(turned[..., 4:], heads[..., 4:], rtol=0, atol=0)
        for index, position in enumerate((0, 1, 5)):
            # A pair of lanes is a complex number; the second pair turns a hundred times more slowly.
            for lane, angle in ((0, position), (2, position / 100)):
                before = torch.complex(heads[..., index, lane], heads[..., index, lane + 1])
                after = torch.complex(turned[..., index, lane], turned[..., index, lane + 1])
                expected = before * torch.polar(torch.tensor(1.0), torch.tensor(float(angle)))
                torch.testing.assert_close(after, expected)

    def test_only_distances_between_positions_count(self) -> None:
        model = self.build(GPTJModel)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                # Scores far from each other, so that a change of them shows.
                weight.mul_(5.0 if "q_proj" in name or "k_proj" in name else 1.0)
        input_ids = random_ids((1, 5), model.config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        shifted = self.run(model, input_ids=input_ids, position_ids=torch.arange(20, 25)[None])["last_hidden_state"]
        torch.testing.assert_close(shifted, expected, rtol=1e-4, atol=1e-5)
        stretched = self.run(model, input_ids=input_ids, position_ids=torch.arange(0, 10, 2)[None])
        assert not torch.allclose(stretched["last_hidden_state"], expected, atol=1e-3)

    def test_attention_and_feed_forward_network_stand_side_by_side(self) -> None:
        config = get_small_config()
        config.n_layer = 1
        model = self.build(GPTJModel, config)
        with torch.no_grad():
            model.get_parameter("h.0.attn.out_proj.weight").zero_()
        states = self.run(model, input_ids=random_ids((1, 5), config), output_hidden_states=True)["hidden_states"]
        block = model.get_submodule("h.0")
        alone = states[0] + block.get_submodule("mlp")(block.get_submodule("ln_1")(states[0]))
        torch.testing.assert_close(states[1], model.get_submodule("ln_f")(alone))

    def test_the_scores_of_tokens_have_a_bias_and_their_own_weight(self) -> None:
        model = self.build(GPTJForCausalLM)
        assert model.get_parameter("lm_head.bias").shape == (61,)
        assert model.tied_weights() == {}
        config = get_small_config()
        config.tie_word_embeddings = True
        assert self.build(GPTJForCausalLM, config).tied_weights() == {"lm_head.weight": "transformer.wte.weight"}

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(GPTJModel)
        input_ids = torch.zeros(1, 3, dtype=torch.long)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match="33 tokens is longer than the 32 positions"):
            model(torch.zeros(1, 33, dtype=torch.long))
        with pytest.raises(ValueError, match="token id 61 is not in the vocabulary of 61"):
            model(torch.tensor([[3, 61]]))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            model(input_ids, attention_mask=torch.ones(1, 2))

    def test_a_mask_must_cover_the_cache(self) -> None:
        model = self.build(GPTJModel)
        input_ids = random_ids((1, 4), model.config)
        past_key_values = self.run(model, input_ids=input_ids, use_cache=True)["past_key_values"]
        with pytest.raises(ValueError, match="including those in the cache"):
            model(input_ids[:, :1], attention_mask=torch.ones(1, 1), past_key_values=past_key_values)

    def test_sizes_that_do_not_fit_are_refused(self) -> None:
        with pytest.raises(ValueError, match="multiple"):
            GPTJModel(GPTJConfig(n_embd=10, n_head=3, rotary_dim=2, n_layer=1))
        for rotary_dim in (3, 10, 0):
            with pytest.raises(ValueError, match="rotary_dim"):
                GPTJModel(GPTJConfig(n_embd=24, n_head=3, rotary_dim=rotary_dim, n_layer=1))
        whole = GPTJModel(GPTJConfig(vocab_size=9, n_embd=24, n_head=3, rotary_dim=None, n_layer=1))
        assert whole.rotary_size == 8

    @pytest.mark.filterwarnings("error")
    def test_masks_in_old_checkpoints_are_passed_over(self) -> None:
        model = self.build(GPTJModel)
        weights = {**model.state_dict(), "h.0.attn.bias": torch.ones(1), "h.1.attn.masked_bias": torch.ones(1)}
        loaded = GPTJModel(get_small_config())
        loaded.load_checkpoint(weights)
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight)

    def test_sizes_have_two_names(self) -> None:
        config = GPTJConfig(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=32)
        assert (config.n_embd, config.n_layer, config.n_head, config.n_positions) == (24, 2, 3, 32)

    def test_language_model_shifts_the_labels(self) -> None:
        model = self.build(GPTJForCausalLM)
        input_ids = random_ids((1, 5), model.config)
        labels = torch.full_like(input_ids, -100)
        labels[0, 3] = 11
        outputs = self.run(model, input_ids=input_ids, labels=labels)
        expected = torch.nn.functional.cross_entropy(outputs["logits"][0, 2:3], torch.tensor([11]))
        torch.testing.assert_close(outputs["loss"], expected)

    def test_padding_on_the_left_does_not_change_generated_text(self) -> None:
        model = self.build(GPTJForCausalLM)
        prompt = random_ids((1, 4), model.config)
        alone = self.generate(model, input_ids=prompt, max_new_tokens=8)
        padded = torch.cat((torch.zeros(1, 3, dtype=torch.long), prompt), dim=1)
        assert torch.equal(self.generate(model, input_ids=padded, max_new_tokens=8)[:, 3:], alone)

    def test_sequence_classification_reads_the_last_token(self) -> None:
        model = self.build(GPTJForSequenceClassification)
        text = random_ids((1, 4), model.config)
        expected = self.run(model, input_ids=text)["logits"]
        padded = torch.cat((text, torch.zeros(1, 3, dtype=torch.long)), dim=1)
        torch.testing.assert_close(self.run(model, input_ids=padded)["logits"], expected)
        model.config.pad_token_id = None
        torch.testing.assert_close(self.run(model, input_ids=text)["logits"], expected)
        with pytest.raises(ValueError, match="pad_token_id"):
            model(text.repeat(2, 1))

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), GPTJModel.__module__)
