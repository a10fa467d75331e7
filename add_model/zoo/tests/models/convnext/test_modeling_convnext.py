"""Tests of the ConvNeXt models."""

from pathlib import Path
from typing import Any

import pytest
import torch

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.convnext import (
    ConvNextBackbone,
    ConvNextConfig,
    ConvNextForImageClassification,
    ConvNextModel,
)

from ...test_modeling_common import Inputs, check_recorded_numbers, task_of
from ...test_modeling_vision import Shape, VisionModelTesterMixin


def get_small_config(**options: Any) -> ConvNextConfig:
    sizes: dict[str, Any] = {"num_stages": 3, "hidden_sizes": [6, 8, 10], "depths": [1, 2, 1]}
    return ConvNextConfig(**{**sizes, "image_size": 18, "drop_path_rate": 0.5, "num_labels": 3, **options})


class TestConvNextModel(VisionModelTesterMixin):
    config_class = ConvNextConfig
    base_model_class = ConvNextModel
    all_model_classes = (
        ConvNextModel,
        ConvNextBackbone,
        ConvNextForImageClassification,
    )

    def get_config(self) -> ConvNextConfig:
        return get_small_config()

    def get_initial_constants(self, config: PreTrainedConfig) -> set[float]:
        # The factors of what the layers add are the only ones that are neither 0 nor 1.
        scale = torch.tensor(getattr(config, "layer_scale_init_value"))  # noqa: B009 - other models have none
        return {0.0, 1.0, scale.item()}

    def get_last_hidden_shape(self, config: PreTrainedConfig) -> Shape:
        return 10, 1, 1

    def get_hidden_shapes(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> list[Shape]:
        # The images have 18 pixels in both directions, the patches 4; what is left over does not count.
        return [(6, 4, 4), (6, 4, 4), (8, 2, 2), (10, 1, 1)]

    def get_attention_shapes(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> list[Shape]:
        return []

    def get_expected_shape(
        self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs
    ) -> tuple[int, ...]:
        if task_of(model_class).__name__ == "AutoBackbone":
            return (inputs["pixel_values"].shape[0], *self.get_last_hidden_shape(config))
        return super().get_expected_shape(model_class, config, inputs)

    def test_every_layer_adds_to_what_it_gets(self) -> None:
        # Without anything added the maps of the first stage are those of the stem.
        config = get_small_config()
        model = self.build(ConvNextModel, config)
        inputs = self.get_inputs(config)
        states = self.run(model, **inputs, output_hidden_states=True)["hidden_states"]
        assert not torch.allclose(states[0], states[1])
        weights = model.state_dict()
        model.load_state_dict(
            {name: weight * ("layer_scale_parameter" not in name) for name, weight in weights.items()}
        )
        states = self.run(model, **inputs, output_hidden_states=True)["hidden_states"]
        torch.testing.assert_close(states[0], states[1])

    def test_layers_have_no_factors_when_they_begin_at_zero(self) -> None:
        names = ConvNextModel(get_small_config(layer_scale_init_value=0.0)).state_dict()
        assert not any("layer_scale_parameter" in name for name in names)
        scales = [
            weight for name, weight in ConvNextModel(get_small_config()).state_dict().items() if "layer_scale" in name
        ]
        assert len(scales) == 4
        for scale in scales:
            torch.testing.assert_close(scale, torch.full_like(scale, 1e-6))

    def test_the_pooled_vector_is_the_mean_of_the_pixels_and_normalised(self) -> None:
        model = self.build(ConvNextModel)
        images = {"pixel_values": torch.randn(2, 3, 37, 20)}
        outputs = self.run(model, **images)
        assert outputs["last_hidden_state"].shape == (2, 10, 2, 1)
        mean = outputs["last_hidden_state"].mean(dim=(2, 3))
        weights = model.state_dict()
        expected = torch.nn.functional.layer_norm(
            mean, (10,), weights["layernorm.weight"], weights["layernorm.bias"], 1e-12
        )
        torch.testing.assert_close(outputs["pooler_output"], expected)

    def test_many_pixels_come_to_what_few_come_to(self) -> None:
        # The pixels of three images are mixed in parts, those of one all at the same time.
        model = self.build(ConvNextModel, get_small_config(patch_size=1))
        images = torch.randn(3, 3, 40, 40)
        together = self.run(model, pixel_values=images)["last_hidden_state"]
        alone = [self.run(model, pixel_values=image[None])["last_hidden_state"] for image in images]
        torch.testing.assert_close(together, torch.cat(alone))

    def test_training_leaves_out_layers_image_by_image(self) -> None:
        config = get_small_config(num_stages=1, hidden_sizes=[6], depths=[2], drop_path_rate=0.5)
        model = self.build(ConvNextModel, config)
        images = {"pixel_values": torch.randn(1, 3, 4, 4).expand(40, -1, -1, -1)}
        with_all = self.run(model, **images, output_hidden_states=True)["hidden_states"]
        model.train()
        states = self.run(model, **images)["last_hidden_state"].flatten(1)
        # The first layer always counts, the second for one half of the images, and there for double.
        kinds = states.unique(dim=0)
        assert len(kinds) == 2
        torch.testing.assert_close(kinds.mean(dim=0), with_all[-1][0].flatten())
        assert 8 < int((states == kinds[0]).all(dim=1).sum()) < 32

    def test_the_backbone_returns_the_stages_that_are_asked_for(self) -> None:
        config = get_small_config(out_features=["stem", "stage2"])
        model = self.build(ConvNextBackbone, config)
        assert isinstance(model, ConvNextBackbone)
        assert model.channels == [6, 8]
        inputs = self.get_inputs(config)
        stem, second = self.run(model, **inputs)["feature_maps"]
        assert stem.shape == (2, 6, 4, 4)
        assert second.shape == (2, 8, 2, 2)
        model.out_indices = [2]
        (alone,) = self.run(model, **inputs)["feature_maps"]
        assert torch.equal(alone, second)

    def test_patches_may_be_higher_than_wide(self) -> None:
        model = self.build(ConvNextModel, get_small_config(patch_size=[4, 2]))
        assert self.run(model, pixel_values=torch.randn(1, 3, 32, 32))["last_hidden_state"].shape == (1, 10, 2, 4)

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(ConvNextForImageClassification)
        for shape, said in (
            ((2, 1, 18, 18), "1 channels, the model takes 3"),
            ((2, 18, 18), r"images have the shape \(batch"),
            ((0, 3, 18, 18), "there are no images"),
            ((1, 3, 18, 15), "18 x 15, the model takes them from 16 x 16 on"),
        ):
            with pytest.raises(ValueError, match=said):
                model(pixel_values=torch.zeros(shape))

    def test_wrong_sizes_are_refused(self) -> None:
        with pytest.raises(ValueError, match="hidden_sizes must have a value for each of the 4 stages"):
            ConvNextModel(ConvNextConfig(hidden_sizes=[8, 8, 8]))
        with pytest.raises(ValueError, match="depths must have a value"):
            ConvNextModel(ConvNextConfig(depths=[1]))

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), ConvNextModel.__module__)
