"""Tests of the Swin models."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.swin import (
    SwinBackbone,
    SwinConfig,
    SwinForImageClassification,
    SwinForMaskedImageModeling,
    SwinModel,
)

from ...test_modeling_common import Inputs, check_recorded_numbers, task_of
from ...test_modeling_vision import Shape, VisionModelTesterMixin


def get_small_config(**options: Any) -> SwinConfig:
    """Return two stages: a grid of 6 x 6 patches, which is no multiple of windows, and one of 3 x 3."""
    values: dict[str, Any] = {
        "image_size": 12,
        "patch_size": 2,
        "embed_dim": 12,
        "depths": [2, 1],
        "num_heads": [2, 3],
        "window_size": 3,
        "hidden_dropout_prob": 0.1,
        "encoder_stride": 4,
        "num_labels": 3,
    }
    return SwinConfig(**{**values, **options})


def get_one_stage(depth: int) -> SwinConfig:
    """Return a stage of `depth` blocks on 8 x 8 patches, in four windows of 4 x 4."""
    return get_small_config(image_size=16, window_size=4, depths=[depth], num_heads=[2], encoder_stride=2)


class TestSwinModel(VisionModelTesterMixin):
    config_class = SwinConfig
    base_model_class = SwinModel
    all_model_classes = (
        SwinModel,
        SwinBackbone,
        SwinForImageClassification,
        SwinForMaskedImageModeling,
    )

    def get_config(self) -> SwinConfig:
        return get_small_config()

    def get_last_hidden_shape(self, config: PreTrainedConfig) -> Shape:
        return 9, 24

    def get_hidden_shapes(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> list[Shape]:
        if task_of(model_class).__name__ == "AutoBackbone":
            return [(12, 6, 6), (12, 6, 6), (24, 3, 3)]
        return [(36, 12), (9, 24), (9, 24)]

    def get_attention_shapes(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> list[Shape]:
        return [(2, 9, 9), (3, 9, 9)]

    def get_expected_shape(
        self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs
    ) -> tuple[int, ...]:
        if task_of(model_class).__name__ == "AutoBackbone":
            return 2, 24, 3, 3
        return super().get_expected_shape(model_class, config, inputs)

    def expects_gradient(self, model_class: type[PreTrainedModel], name: str, parameter: nn.Parameter) -> bool:
        # A backbone normalises its maps by itself.
        return task_of(model_class).__name__ != "AutoBackbone" or not name.startswith("swin.layernorm.")

    # Windows.

    def changed_patches(self, depth: int, row: int, column: int) -> torch.Tensor:
        """Return which of 8 x 8 patches come out otherwise when one of them does in the image."""
        model = self.build(SwinModel, get_one_stage(depth))
        images = torch.randn(1, 3, 16, 16)
        changed = images.clone()
        changed[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] += 1.0
        before = self.run(model, pixel_values=images)["last_hidden_state"]
        after = self.run(model, pixel_values=changed)["last_hidden_state"]
        is_changed: torch.Tensor = (before != after).any(dim=-1).view(8, 8)
        return is_changed

    def test_patches_attend_inside_their_window(self) -> None:
        expected = torch.zeros(8, 8, dtype=torch.bool)
        expected[4:, :4] = True
        assert torch.equal(self.changed_patches(1, row=6, column=1), expected)

    def test_windows_of_the_second_block_are_shifted_and_do_not_reach_around_the_edge(self) -> None:
        expected = torch.zeros(8, 8, dtype=torch.bool)
        expected[2:, :6] = True
        assert torch.equal(self.changed_patches(2, row=6, column=1), expected)

    def test_a_model_forgets_the_size_of_earlier_images(self) -> None:
        model = self.build(SwinModel, get_one_stage(2))
        images = torch.randn(1, 3, 16, 16)
        before = self.run(model, pixel_values=images)["last_hidden_state"]
        # One window is the whole grid, so nothing is shifted.
        self.run(model, pixel_values=torch.randn(1, 3, 8, 8))
        assert torch.equal(self.run(model, pixel_values=images)["last_hidden_state"], before)

    def test_one_window_is_shifted_when_it_is_asked_for(self) -> None:
        model = self.build(SwinModel, get_one_stage(2))
        images = torch.randn(1, 3, 8, 8)
        as_it_is = self.run(model, pixel_values=images)["last_hidden_state"]
        partitioned = self.run(model, pixel_values=images, always_partition=True)["last_hidden_state"]
        assert not torch.allclose(as_it_is, partitioned)

    def test_bias_belongs_to_the_distance_of_two_patches(self) -> None:
        model = self.build(SwinModel)
        module = model.get_submodule("encoder.layers.0.blocks.0.attention.relative_position_bias")
        with torch.no_grad():
            bias = module()[0]
        assert bias.shape == (2, 9, 9)
        # Patches 0 and 4 are as far from each other as 4 and 8; 1 and 3 are not.
        assert torch.equal(bias[:, 0, 4], bias[:, 4, 8])
        assert not torch.equal(bias[:, 0, 4], bias[:, 4, 0])
        assert not torch.equal(bias[:, 0, 4], bias[:, 1, 3])

    @pytest.mark.parametrize(("height", "width"), [(12, 14), (13, 25), (6, 31)])
    def test_images_of_any_size(self, height: int, width: int) -> None:
        model = self.build(SwinBackbone, get_small_config(out_features=["stem", "stage1", "stage2"]))
        maps = self.run(model, pixel_values=torch.randn(1, 3, height, width))["feature_maps"]
        rows, columns = (height + 1) // 2, (width + 1) // 2
        smaller = ((rows + 1) // 2, (columns + 1) // 2)
        assert [tuple(found.shape[1:]) for found in maps] == [
            (12, rows, columns),
            (12, rows, columns),
            (24, *smaller),
        ]

    def test_a_border_is_filled_with_black(self) -> None:
        model = self.build(SwinModel)
        images = torch.randn(1, 3, 11, 11)
        expected = self.run(model, pixel_values=nn.functional.pad(images, (0, 1, 0, 1)))
        assert torch.equal(self.run(model, pixel_values=images)["last_hidden_state"], expected["last_hidden_state"])

    def test_images_smaller_than_a_window_are_refused(self) -> None:
        model = self.build(SwinModel)
        with pytest.raises(ValueError, match="stage 2 has 2 x 3 patches, fewer than a window of 3 x 3"):
            model(torch.randn(1, 3, 8, 12))

    def test_maps_show_the_hidden_states(self) -> None:
        model = self.build(SwinModel)
        outputs = self.run(model, **self.get_inputs(model.config), output_hidden_states=True)
        pairs = list(zip(outputs["hidden_states"], outputs["reshaped_hidden_states"], strict=True))
        assert [tuple(shown.shape[1:]) for _, shown in pairs] == [(12, 6, 6), (24, 3, 3), (24, 3, 3)]
        for states, shown in pairs:
            assert torch.equal(shown.flatten(2).transpose(1, 2), states)

    # Positions and masks.

    def test_positions_are_stretched_to_other_sizes(self) -> None:
        model = self.build(SwinModel, get_small_config(use_absolute_embeddings=True))
        images = torch.randn(1, 3, 12, 12)
        as_they_are = self.run(model, pixel_values=images)["last_hidden_state"]
        stretched = self.run(model, pixel_values=images, interpolate_pos_encoding=True)["last_hidden_state"]
        assert torch.equal(stretched, as_they_are)
        larger = torch.randn(1, 3, 16, 20)
        found = self.run(model, pixel_values=larger, interpolate_pos_encoding=True)["last_hidden_state"]
        assert found.shape == (1, 20, 24)
        with pytest.raises(ValueError, match="8 x 10 patches.*6 x 6; pass interpolate_pos_encoding=True"):
            model(larger)

    def test_images_and_patches_may_be_oblong(self) -> None:
        config = get_small_config(image_size=[12, 24], patch_size=[2, 4], use_absolute_embeddings=True)
        images = torch.randn(2, 3, 12, 24)
        assert self.run(self.build(SwinModel, config), pixel_values=images)["last_hidden_state"].shape == (2, 9, 24)
        config = get_small_config(image_size=[12, 24])
        model = self.build(SwinForMaskedImageModeling, config)
        outputs = self.run(model, pixel_values=images, bool_masked_pos=torch.ones(2, 72))
        expected = (outputs["reconstruction"] - images).abs().mean()
        torch.testing.assert_close(outputs["loss"], expected)

    def test_what_is_masked_is_not_seen(self) -> None:
        model = self.build(SwinForMaskedImageModeling)
        images = torch.randn(1, 3, 12, 12)
        changed = images.clone()
        changed[:, :, :2, 2:4] = 7.0
        mask = torch.zeros(1, 36, dtype=torch.bool)
        mask[0, 1] = True
        before, after = (
            self.run(model, pixel_values=pixels, bool_masked_pos=mask)["reconstruction"]
            for pixels in (images, changed)
        )
        assert torch.equal(before, after)
        assert not torch.equal(self.run(model, pixel_values=changed)["reconstruction"], after)

    def test_loss_is_the_mean_difference_of_masked_pixels(self) -> None:
        model = self.build(SwinForMaskedImageModeling)
        images = torch.randn(1, 3, 12, 12)
        mask = torch.zeros(1, 36, dtype=torch.bool)
        mask[0, [0, 7]] = True
        outputs = self.run(model, pixel_values=images, bool_masked_pos=mask)
        difference = (outputs["reconstruction"] - images).abs()[0]
        expected = torch.cat((difference[:, 0:2, 0:2], difference[:, 2:4, 2:4])).mean()
        torch.testing.assert_close(outputs["loss"], expected, rtol=1e-4, atol=1e-5)
        assert self.run(model, pixel_values=images)["loss"] is None

    def test_wrong_masks_are_refused(self) -> None:
        images = torch.randn(1, 3, 12, 12)
        model = self.build(SwinForMaskedImageModeling)
        with pytest.raises(ValueError, match=r"\(1, 36\), not \(1, 35\)"):
            model(images, bool_masked_pos=torch.zeros(1, 35))
        with pytest.raises(ValueError, match="no mask token"):
            self.build(SwinModel)(images, bool_masked_pos=torch.zeros(1, 36))
        with pytest.raises(ValueError, match="encoder_stride"):
            model(torch.randn(1, 3, 13, 13), bool_masked_pos=torch.zeros(1, 49))

    # Training, configurations and files.

    def test_blocks_are_skipped_more_often_the_later_they_are(self) -> None:
        model = SwinModel(get_small_config(depths=[2, 3], drop_path_rate=0.4))
        probabilities = [module.probability for name, module in model.named_modules() if name.endswith(".drop_path")]
        assert probabilities == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])

    def test_wrong_configurations_are_refused(self) -> None:
        with pytest.raises(ValueError, match="2 stages and num_heads 1"):
            SwinConfig(depths=[1, 1], num_heads=[2])
        with pytest.raises(ValueError, match="12 channels cannot have 5 attention heads"):
            SwinModel(get_small_config(num_heads=[5, 2]))
        with pytest.raises(ValueError, match="stage7"):
            get_small_config(out_features=["stage7"])

    def test_names_of_stages_follow_from_their_number(self) -> None:
        config = get_small_config()
        assert config.stage_names == ["stem", "stage1", "stage2"]
        assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (24, 2, [2, 3])

    @pytest.mark.filterwarnings("error")
    def test_files_with_the_older_names_are_read(self) -> None:
        model = self.build(SwinForImageClassification)
        older_names = {
            "attention.q_proj": "attention.self.query",
            "attention.k_proj": "attention.self.key",
            "attention.v_proj": "attention.self.value",
            "attention.relative_position_bias.": "attention.self.",
            "attention.o_proj": "attention.output.dense",
            "mlp.fc1": "intermediate.dense",
            "mlp.fc2": "output.dense",
        }
        weights = {}
        for name, weight in model.state_dict().items():
            for new, old in older_names.items():
                name = name.replace(new, old)
            weights[name] = weight
        weights["swin.encoder.layers.0.blocks.0.attention.self.relative_position_index"] = torch.zeros(9, 9)
        assert weights.keys() != model.state_dict().keys()
        loaded = SwinForImageClassification(get_small_config())
        loaded.load_checkpoint(weights)
        for name, weight in model.state_dict().items():
            assert torch.equal(loaded.state_dict()[name], weight), name

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), SwinModel.__module__)
