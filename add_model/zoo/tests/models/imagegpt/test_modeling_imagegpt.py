"""Tests of the ImageGPT models."""

import math
from pathlib import Path

import pytest
import torch

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.imagegpt import (
    ImageGPTConfig,
    ImageGPTForCausalImageModeling,
    ImageGPTForImageClassification,
    ImageGPTModel,
)
from add_model.zoo.models.imagegpt.modeling_imagegpt import ImageGPTLayerNorm

from ...test_modeling_common import GenerationTesterMixin, Inputs, check_recorded_numbers, random_ids, task_of

VOCAB_SIZE = 61
START = VOCAB_SIZE - 1


def get_small_config() -> ImageGPTConfig:
    return ImageGPTConfig(
        vocab_size=VOCAB_SIZE,
        n_positions=32,
        n_embd=24,
        n_layer=2,
        n_head=3,
        n_inner=37,
        num_labels=3,
    )


class TestImageGPTModel(GenerationTesterMixin):
    config_class = ImageGPTConfig
    base_model_class = ImageGPTModel
    all_model_classes = (
        ImageGPTModel,
        ImageGPTForCausalImageModeling,
        ImageGPTForImageClassification,
    )
    all_generative_model_classes = (
        ImageGPTForCausalImageModeling,
    )  # fmt: skip
    classification_task = "AutoModelForImageClassification"

    def get_config(self) -> ImageGPTConfig:
        return get_small_config()

    def get_inputs(self, config: PreTrainedConfig) -> Inputs:
        """Return two images of six pixels, each behind the id that starts it."""
        input_ids = torch.randint(START, (2, 7))
        input_ids[:, 0] = START
        return {"input_ids": input_ids}

    def pad_inputs(self, inputs: Inputs, config: PreTrainedConfig) -> Inputs:
        """Return the inputs with one more image behind the others: images are not padded."""
        return {name: torch.cat((tensor, tensor[:1].flip(1))) for name, tensor in inputs.items()}

    def get_labels_for(self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs) -> Inputs:
        task = task_of(model_class).__name__
        if task == "AutoModelForCausalImageModeling":
            return {"labels": inputs["input_ids"]}
        if task == "AutoModelForImageClassification":
            return {"labels": torch.randint(config.num_labels, (2,))}
        return {}

    def get_expected_shape(
        self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs
    ) -> tuple[int, ...]:
        task = task_of(model_class).__name__
        if task == "AutoModelForImageClassification":
            return 2, config.num_labels
        # Every colour has a score, the id that starts an image has none.
        return 2, 7, START if task == "AutoModelForCausalImageModeling" else 24

    def test_a_pixel_does_not_see_later_ones(self) -> None:
        model = self.build(ImageGPTModel)
        input_ids = random_ids((1, 6), model.config)
        changed_ids = input_ids.clone()
        changed_ids[0, 4:] = torch.tensor([3, 4])
        before = self.run(model, input_ids=input_ids)["last_hidden_state"]
        after = self.run(model, input_ids=changed_ids)["last_hidden_state"]
        torch.testing.assert_close(after[:, :4], before[:, :4])
        assert not torch.allclose(after[:, 4:], before[:, 4:])

    def test_normalisation_keeps_the_mean(self) -> None:
        norm = ImageGPTLayerNorm(4, eps=0.0)
        vector = torch.tensor([[1.0, 5.0, 5.0, 7.0]])
        # The mean of the squares is 25; subtracting the mean, 4.5, would turn the first number negative.
        torch.testing.assert_close(norm(vector), vector / 5)
        assert [name for name, _ in norm.named_parameters()] == ["weight"]

    def test_token_types_are_looked_up_in_the_vocabulary(self) -> None:
        model = self.build(ImageGPTModel)
        input_ids = random_ids((1, 4), model.config)
        token_type_ids = random_ids((1, 4), model.config)
        actual = self.run(model, input_ids=input_ids, token_type_ids=token_type_ids)["last_hidden_state"]
        embeddings = model.get_input_embeddings()
        vectors = embeddings(input_ids) + embeddings(token_type_ids)
        torch.testing.assert_close(actual, self.run(model, inputs_embeds=vectors)["last_hidden_state"])

    def test_masks_of_two_and_four_dimensions(self) -> None:
        model = self.build(ImageGPTModel)
        input_ids = random_ids((2, 5), model.config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        pairs = torch.ones(2, 1, 5, 5).tril()
        for mask in (torch.ones(2, 5), pairs.long(), pairs.bool(), (1.0 - pairs) * -1e9):
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
            model = ImageGPTModel(config)
            scalings = [block.get_submodule("attn").scaling for block in model.h]
            assert scalings == pytest.approx(expected)

    def test_scores_in_float32_change_nothing_in_float32(self) -> None:
        config = get_small_config()
        config.attention_implementation = "eager"
        model = self.build(ImageGPTModel, config)
        input_ids = random_ids((2, 5), config)
        expected = self.run(model, input_ids=input_ids)["last_hidden_state"]
        config.reorder_and_upcast_attn = True
        torch.testing.assert_close(self.run(model, input_ids=input_ids)["last_hidden_state"], expected)
        half = model.to(torch.bfloat16)
        assert self.run(half, input_ids=input_ids)["last_hidden_state"].dtype == torch.bfloat16

    def test_outputs_of_residual_branches_start_smaller(self) -> None:
        config = get_small_config()
        config.initializer_range = 0.5
        weights = dict(ImageGPTModel(config).named_parameters())
        expected = 0.5 / math.sqrt(2 * config.n_layer)
        for name in ("h.0.attn.c_proj.weight", "h.1.mlp.c_proj.weight"):
            assert float(weights[name].detach().std()) == pytest.approx(expected, rel=0.15)

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(ImageGPTModel)
        input_ids = torch.zeros(1, 3, dtype=torch.long)
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(attention_mask=input_ids)
        with pytest.raises(ValueError, match="33 pixels is larger than the 32 positions"):
            model(torch.zeros(1, 33, dtype=torch.long))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\)"):
            model(input_ids, attention_mask=torch.ones(1, 2))
        for wrong in (VOCAB_SIZE, -1):
            with pytest.raises(ValueError, match=f"from 0 to {START}.*found {wrong}"):
                model(torch.full((1, 3), wrong))
        for shape in ((0, 3), (1, 0), (3,)):
            with pytest.raises(ValueError, match=r"shape \(batch, length\)"):
                model(torch.zeros(shape, dtype=torch.long))

    def test_configurations_of_other_models_are_refused(self) -> None:
        config = get_small_config()
        config.add_cross_attention = True
        with pytest.raises(ValueError, match="add_cross_attention"):
            ImageGPTModel(config)
        with pytest.raises(ValueError, match="multiple"):
            ImageGPTModel(ImageGPTConfig(n_embd=10, n_head=3))

    @pytest.mark.filterwarnings("error")
    def test_masks_in_old_checkpoints_are_passed_over(self) -> None:
        model = self.build(ImageGPTModel)
        weights = {**model.state_dict(), "h.0.attn.bias": torch.ones(1), "h.1.attn.masked_bias": torch.ones(1)}
        loaded = ImageGPTModel(get_small_config())
        loaded.load_checkpoint(weights)
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight)

    def test_sizes_have_two_names(self) -> None:
        config = ImageGPTConfig(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=32)
        assert (config.n_embd, config.n_layer, config.n_head, config.n_positions) == (24, 2, 3, 32)

    def test_labels_are_shifted(self) -> None:
        model = self.build(ImageGPTForCausalImageModeling)
        input_ids = torch.randint(START, (1, 5))
        labels = torch.full_like(input_ids, -100)
        labels[0, 3] = 11
        outputs = self.run(model, input_ids=input_ids, labels=labels)
        expected = torch.nn.functional.cross_entropy(outputs["logits"][0, 2:3], torch.tensor([11]))
        torch.testing.assert_close(outputs["loss"], expected)
        labels[0, 4] = START
        with pytest.raises(ValueError, match="colours from 0 to 59, not 60"):
            model(input_ids, labels=labels)

    def test_an_image_is_generated_from_nothing(self) -> None:
        model = self.build(ImageGPTForCausalImageModeling)
        start = torch.full((2, 1), START)
        images = self.generate(model, input_ids=start, max_length=33, do_sample=True, seed=0)
        assert images.shape == (2, 33)
        assert int(images[:, 1:].max()) < START

    def test_images_are_classified_by_the_mean_of_their_pixels(self) -> None:
        model = self.build(ImageGPTForImageClassification)
        inputs = self.get_inputs(model.config)
        with torch.no_grad():
            states = model.base_model(**inputs).last_hidden_state
            expected = model.get_submodule("score")(states.mean(dim=1))
        torch.testing.assert_close(self.run(model, **inputs)["logits"], expected)

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), ImageGPTModel.__module__)
