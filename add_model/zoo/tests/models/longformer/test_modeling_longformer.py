"""Tests of the Longformer models."""

from pathlib import Path

import pytest
import torch
from torch import nn

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.longformer import (
    LongformerConfig,
    LongformerForMaskedLM,
    LongformerForMultipleChoice,
    LongformerForQuestionAnswering,
    LongformerForSequenceClassification,
    LongformerForTokenClassification,
    LongformerModel,
)

from ...test_modeling_common import Inputs, ModelTesterMixin, check_recorded_numbers, random_ids, task_of


def get_small_config() -> LongformerConfig:
    return LongformerConfig(
        vocab_size=61,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=37,
        max_position_embeddings=34,
        type_vocab_size=1,
        attention_window=[4, 8],
        num_labels=3,
    )


def numbers_kept_for_training(model: PreTrainedModel, length: int) -> int:
    """Return how many numbers a forward pass over one text keeps for the gradients."""
    kept = 0

    def count(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal kept
        kept += tensor.numel()
        return tensor

    input_ids = random_ids((1, length), model.config)
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        model(input_ids, global_attention_mask=(torch.arange(length) < 2).long()[None])
    return kept


class TestLongformerModel(ModelTesterMixin):
    config_class = LongformerConfig
    base_model_class = LongformerModel
    all_model_classes = (
        LongformerModel,
        LongformerForMaskedLM,
        LongformerForMultipleChoice,
        LongformerForQuestionAnswering,
        LongformerForSequenceClassification,
        LongformerForTokenClassification,
    )

    def get_config(self) -> LongformerConfig:
        return get_small_config()

    def get_inputs(self, config: PreTrainedConfig) -> Inputs:
        """Return two texts with a global token each, without which the global projections have nothing to do."""
        inputs = super().get_inputs(config)
        return {**inputs, "global_attention_mask": torch.tensor([[1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0]])}

    def pad_inputs(self, inputs: Inputs, config: PreTrainedConfig) -> Inputs:
        """Return the inputs with three more padding tokens on the right, none of which is global."""
        padded = super().pad_inputs(inputs, config)
        return {**padded, "global_attention_mask": nn.functional.pad(inputs["global_attention_mask"], (0, 3))}

    def test_attentions_of_every_layer(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        outputs = self.run(model, **inputs, output_attentions=True)
        is_global = inputs["global_attention_mask"].flatten(0, -2).bool()
        is_token = inputs["attention_mask"].flatten(0, -2).bool()
        # To one global token, to the window, and to the token itself; global tokens and padding have rows of zeros.
        assert [tuple(layer.shape[1:]) for layer in outputs["attentions"]] == [(3, 7, 6), (3, 7, 10)]
        for probabilities in outputs["attentions"]:
            sums = (is_token & ~is_global).float()[:, None, :].expand(-1, 3, -1)
            torch.testing.assert_close(probabilities.sum(dim=-1), sums)
        # From one global token to the whole text, which is padded to the longest window.
        assert [tuple(layer.shape[1:]) for layer in outputs["global_attentions"]] == [(3, 8, 1), (3, 8, 1)]
        for probabilities in outputs["global_attentions"]:
            torch.testing.assert_close(probabilities.sum(dim=2), torch.ones(len(probabilities), 3, 1))
            assert not probabilities[:, :, :7].transpose(1, 2)[~is_token].any()
        model.config.output_attentions = True
        assert len(self.run(model, **inputs).to_tuple()) == len(outputs.to_tuple())

    @pytest.mark.parametrize(("place", "reached"), [(9, range(7, 12)), (0, range(0, 3)), (19, range(17, 20))])
    def test_a_token_reaches_half_a_window_to_each_side(self, place: int, reached: range) -> None:
        config = get_small_config()
        config.num_hidden_layers, config.attention_window = 1, 4
        model = self.build(LongformerModel, config)
        input_ids = random_ids((1, 20), config)
        changed_ids = input_ids.clone()
        changed_ids[0, place] = 10 + (int(input_ids[0, place]) - 9) % 51
        before = self.run(model, input_ids=input_ids)["last_hidden_state"]
        after = self.run(model, input_ids=changed_ids)["last_hidden_state"]
        differs = ((before - after).abs() > 1e-6).any(dim=-1)[0]
        assert differs.nonzero().flatten().tolist() == list(reached)

    def test_a_global_token_reaches_everything_and_is_reached(self) -> None:
        config = get_small_config()
        config.num_hidden_layers, config.attention_window = 1, 4
        model = self.build(LongformerModel, config)
        input_ids = random_ids((1, 20), config)
        for place, reached in ((5, list(range(20))), (15, [5, *range(13, 18)])):
            changed_ids = input_ids.clone()
            changed_ids[0, place] = 10 + (int(input_ids[0, place]) - 9) % 51
            mask = (torch.arange(20) == 5).long()[None]
            before = self.run(model, input_ids=input_ids, global_attention_mask=mask)["last_hidden_state"]
            after = self.run(model, input_ids=changed_ids, global_attention_mask=mask)["last_hidden_state"]
            differs = ((before - after).abs() > 1e-6).any(dim=-1)[0]
            assert differs.nonzero().flatten().tolist() == reached

    def test_windows_as_long_as_the_text_are_the_attention_of_every_pair(self) -> None:
        config = get_small_config()
        input_ids = random_ids((2, 9), config)
        config.attention_window = 32
        short = self.build(LongformerModel, config)
        config.attention_window = [16, 32]
        padded = LongformerModel(config).eval()
        padded.load_state_dict(short.state_dict())
        expected = self.run(short, input_ids=input_ids)["last_hidden_state"]
        torch.testing.assert_close(self.run(padded, input_ids=input_ids)["last_hidden_state"], expected)

    @pytest.mark.parametrize("implementation", ["eager", "sdpa"])
    def test_memory_grows_as_the_text_does(self, implementation: str) -> None:
        config = get_small_config()
        config.max_position_embeddings = 600
        config.attention_implementation = implementation
        model = self.build(LongformerModel, config)
        kept = [numbers_kept_for_training(model, length) for length in (128, 256, 512)]
        assert kept[2] - kept[1] == pytest.approx(2 * (kept[1] - kept[0]), rel=0.01)

    def test_positions_start_behind_the_padding_token_and_skip_padding(self) -> None:
        model = self.build(LongformerModel)
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
        # As many as the positions allow, although the padding to the window is behind them.
        model = self.build(LongformerModel)
        for length in (7, 31):
            input_ids = random_ids((2, length), model.config)
            vectors = model.get_input_embeddings()(input_ids)
            expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
            torch.testing.assert_close(self.run(model, inputs_embeds=vectors)["last_hidden_state"], expected)

    def test_the_attention_mask_alone_can_tell_which_tokens_are_global(self) -> None:
        model = self.build(LongformerModel)
        inputs = self.get_inputs(model.config)
        expected = self.run(model, **inputs)["last_hidden_state"]
        merged = inputs["attention_mask"] + inputs["global_attention_mask"]
        actual = self.run(model, input_ids=inputs["input_ids"], attention_mask=merged)["last_hidden_state"]
        assert torch.equal(actual, expected)

    def check_chosen_global_tokens(self, model_class: type[PreTrainedModel], chosen: list[int]) -> None:
        """Compare what a head does with a pair by itself with what it does with these global tokens."""
        model = self.build(model_class)
        pair = torch.tensor([[0, 20, 21, 2, 2, 30, 31, 2, 1]])
        inputs = {"input_ids": pair, "attention_mask": (pair != 1).long()}
        mask = torch.tensor([chosen])
        if task_of(model_class).__name__ == "AutoModelForMultipleChoice":
            inputs = {name: torch.stack((tensor, tensor), dim=1) for name, tensor in inputs.items()}
            mask = torch.stack((mask, mask), dim=1)
        expected = self.run(model, **inputs, global_attention_mask=mask, output_attentions=True)
        actual = self.run(model, **inputs, output_attentions=True)
        assert torch.equal(actual[0], expected[0])
        assert actual["global_attentions"][0].shape[-1] == sum(chosen)

    def test_the_first_token_is_global_for_a_classifier(self) -> None:
        self.check_chosen_global_tokens(LongformerForSequenceClassification, [1, 0, 0, 0, 0, 0, 0, 0, 0])

    def test_the_question_is_global(self) -> None:
        self.check_chosen_global_tokens(LongformerForQuestionAnswering, [1, 1, 1, 0, 0, 0, 0, 0, 0])

    def test_the_choice_is_global(self) -> None:
        self.check_chosen_global_tokens(LongformerForMultipleChoice, [0, 0, 0, 0, 0, 1, 1, 1, 0])

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(LongformerModel)
        input_ids = torch.full((1, 3), 20)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match=r"the attention mask must have the shape \(1, 3\)"):
            model(input_ids, attention_mask=torch.ones(1, 1, 3, 3))
        with pytest.raises(ValueError, match=r"the global attention mask must have the shape \(1, 3\)"):
            model(input_ids, global_attention_mask=torch.ones(1, 2))
        with pytest.raises(ValueError, match="33 tokens, the model takes 32"):
            model(torch.full((1, 33), 20))
        # Padding takes no position.
        padded = torch.cat((torch.full((1, 32), 20), torch.ones(1, 5, dtype=torch.long)), dim=1)
        assert self.run(model, input_ids=padded)["last_hidden_state"].shape[1] == 37

    @pytest.mark.parametrize("text", [[0, 20, 2, 2, 30], [0, 20, 2, 1, 1], [2, 2, 2, 2, 2]])
    def test_a_question_needs_its_separators(self, text: list[int]) -> None:
        model = self.build(LongformerForQuestionAnswering)
        with pytest.raises(ValueError, match="three separators"):
            model(torch.tensor([[0, 20, 2, 2, 2], text]))

    def test_a_choice_needs_its_separators(self) -> None:
        model = self.build(LongformerForMultipleChoice)
        with pytest.raises(ValueError, match="three separators"):
            model(torch.tensor([[[0, 20, 2, 2, 2], [0, 20, 2, 2, 30]]]))

    def test_bad_configurations_are_refused(self) -> None:
        for options, reason in (
            ({"attention_window": 5}, "positive even number, not 5"),
            ({"attention_window": [4, 0]}, "positive even number, not 0"),
            ({"attention_window": [4]}, "1 windows for 2 layers"),
            ({"pad_token_id": None}, "pad_token_id"),
            ({"hidden_size": 10}, "multiple"),
        ):
            config = get_small_config()
            for name, value in options.items():
                setattr(config, name, value)
            with pytest.raises(ValueError, match=reason):
                LongformerModel(config)

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), LongformerModel.__module__)
