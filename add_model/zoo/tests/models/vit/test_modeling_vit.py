"""Tests of the ViT models."""

from pathlib import Path

import pytest
import torch

from add_model.zoo.models.vit import (
    ViTConfig,
    ViTForImageClassification,
    ViTForMaskedImageModeling,
    ViTModel,
)

from ...test_modeling_common import check_recorded_numbers
from ...test_modeling_vision import VisionModelTesterMixin


def get_small_config() -> ViTConfig:
    return ViTConfig(
        image_size=12,
        patch_size=4,
        num_channels=3,
        encoder_stride=4,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=37,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
        num_labels=3,
    )


class TestViTModel(VisionModelTesterMixin):
    config_class = ViTConfig
    base_model_class = ViTModel
    all_model_classes = (
        ViTModel,
        ViTForImageClassification,
        ViTForMaskedImageModeling,
    )
    constant_weight_names = ("mask_token",)

    def get_config(self) -> ViTConfig:
        return get_small_config()

    def test_pooling_layer_is_optional(self) -> None:
        model = ViTModel(get_small_config(), add_pooling_layer=False)
        assert self.run(model, **self.get_inputs(model.config))["pooler_output"] is None
        config = get_small_config()
        config.pooler_output_size = 5
        pooled = self.run(ViTModel(config), **self.get_inputs(config))["pooler_output"]
        assert tuple(pooled.shape) == (2, 5)

    def test_images_of_another_size_have_to_be_asked_for(self) -> None:
        model = self.build(ViTModel)
        images = torch.randn(2, 3, 12, 20)
        with pytest.raises(ValueError, match="12 x 20 pixels, the model takes 12 x 12.*interpolate_pos_encoding"):
            model(images)
        outputs = self.run(model, pixel_values=images, interpolate_pos_encoding=True)
        assert tuple(outputs["last_hidden_state"].shape) == (2, 16, 24)
        with pytest.raises(ValueError, match="smaller than a patch"):
            model(images[..., :3], interpolate_pos_encoding=True)

    def test_positions_are_resized_bicubically_without_aligned_corners(self) -> None:
        model = self.build(ViTModel)
        assert isinstance(model, ViTModel)
        positions = model.embeddings.interpolate_positions(20, 16)
        assert torch.equal(positions[:, 0], model.embeddings.position_embeddings[:, 0])
        grid = model.embeddings.position_embeddings[0, 1:].T.reshape(24, 3, 3)
        resized = torch.nn.functional.interpolate(grid[None], (5, 4), mode="bicubic", align_corners=False)
        torch.testing.assert_close(positions[0, 1:], resized[0].flatten(1).T)
        assert model.embeddings.interpolate_positions(12, 12) is model.embeddings.position_embeddings

    def test_images_need_not_be_square(self) -> None:
        config = get_small_config()
        config.image_size, config.patch_size = [12, 20], (4, 5)
        outputs = self.run(self.build(ViTModel, config), pixel_values=torch.randn(2, 3, 12, 20))
        assert tuple(outputs["last_hidden_state"].shape) == (2, 13, 24)

    def test_masked_patches_are_not_seen(self) -> None:
        model = self.build(ViTForMaskedImageModeling)
        images = self.get_inputs(model.config)["pixel_values"]
        masked = torch.zeros(2, 9, dtype=torch.bool)
        masked[:, 0] = True
        before = self.run(model, pixel_values=images, bool_masked_pos=masked)["reconstruction"]
        images[:, :, :4, :4] += 1
        torch.testing.assert_close(
            self.run(model, pixel_values=images, bool_masked_pos=masked)["reconstruction"], before
        )
        images[:, :, 4:, :4] += 1
        assert not torch.allclose(
            self.run(model, pixel_values=images, bool_masked_pos=masked)["reconstruction"], before
        )

    def test_only_masked_patches_count(self) -> None:
        model = self.build(ViTForMaskedImageModeling)
        images = self.get_inputs(model.config)["pixel_values"]
        masked = torch.zeros(2, 9, dtype=torch.bool)
        masked[0, 4] = True
        outputs = self.run(model, pixel_values=images, bool_masked_pos=masked)
        difference = (outputs["reconstruction"] - images)[0, :, 4:8, 4:8].abs().mean()
        torch.testing.assert_close(outputs["loss"], difference)
        assert self.run(model, pixel_values=images)["loss"] is None

    def test_masks_that_do_not_fit_are_refused(self) -> None:
        images = torch.randn(2, 3, 12, 12)
        masked = torch.ones(2, 9, dtype=torch.bool)
        with pytest.raises(ValueError, match="use_mask_token"):
            self.build(ViTModel)(images, bool_masked_pos=masked)
        with pytest.raises(ValueError, match=r"\(2, 8\), the patches \(2, 9\)"):
            self.build(ViTForMaskedImageModeling)(images, bool_masked_pos=masked[:, :8])
        config = get_small_config()
        config.encoder_stride = 8
        with pytest.raises(ValueError, match="encoder_stride"):
            self.build(ViTForMaskedImageModeling, config)(images, bool_masked_pos=masked)

    def test_heads_that_do_not_divide_are_refused(self) -> None:
        with pytest.raises(ValueError, match="multiple"):
            ViTModel(ViTConfig(hidden_size=10, num_attention_heads=3))

    def test_without_labels_the_class_token_is_returned(self) -> None:
        config = get_small_config()
        config.num_labels = 0
        model = self.build(ViTForImageClassification, config)
        outputs = self.run(model, **self.get_inputs(config))
        assert tuple(outputs["logits"].shape) == (2, 24)

    def test_older_names_of_weights_are_read(self) -> None:
        model = self.build(ViTForImageClassification)
        names = {
            "layers.": "encoder.layer.",
            "attention.q_proj": "attention.attention.query",
            "attention.k_proj": "attention.attention.key",
            "attention.v_proj": "attention.attention.value",
            "attention.o_proj": "attention.output.dense",
            "mlp.fc1": "intermediate.dense",
            "mlp.fc2": "output.dense",
        }
        weights = {}
        for name, weight in model.state_dict().items():
            for new, old in names.items():
                name = name.replace(new, old)
            weights[name] = weight
        loaded = ViTForImageClassification(get_small_config())
        loaded.load_checkpoint(weights)
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight)

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), ViTModel.__module__)
