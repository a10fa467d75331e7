"""Tests of the ViTMAE models."""

from pathlib import Path

import pytest
import torch

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.modeling_outputs import ModelOutput
from add_model.zoo.models.vit_mae import (
    ViTMAEConfig,
    ViTMAEForPreTraining,
    ViTMAEModel,
)
from add_model.zoo.models.vit_mae.modeling_vit_mae import fixed_positions

from ...test_modeling_common import Inputs, check_recorded_numbers, size_in, task_of
from ...test_modeling_vision import Shape, VisionModelTesterMixin

# Of the 9 patches of an image 4 are kept.
KEPT = 4


def get_small_config() -> ViTMAEConfig:
    return ViTMAEConfig(
        image_size=12,
        patch_size=4,
        num_channels=3,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=37,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
        decoder_hidden_size=16,
        decoder_num_hidden_layers=1,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=21,
        mask_ratio=0.5,
    )


class TestViTMAEModel(VisionModelTesterMixin):
    config_class = ViTMAEConfig
    base_model_class = ViTMAEModel
    all_model_classes = (
        ViTMAEModel,
        ViTMAEForPreTraining,
    )

    def get_config(self) -> ViTMAEConfig:
        return get_small_config()

    def get_inputs(self, config: PreTrainedConfig) -> Inputs:
        inputs = super().get_inputs(config)
        return {**inputs, "noise": torch.rand(inputs["pixel_values"].shape[0], self.get_number_of_patches(config))}

    def pad_inputs(self, inputs: Inputs, config: PreTrainedConfig) -> Inputs:
        # The loss is a mean over all images: the same where each is there twice.
        return {name: torch.cat((tensor, tensor)) for name, tensor in inputs.items()}

    def get_initial_constants(self, config: PreTrainedConfig) -> set[float]:
        sizes = (size_in(config, "hidden_size"), size_in(config, "decoder_hidden_size"))
        positions = torch.cat([fixed_positions(3, 3, size).flatten() for size in sizes])
        return super().get_initial_constants(config) | set(positions.tolist())

    def get_last_hidden_shape(self, config: PreTrainedConfig) -> Shape:
        return KEPT + 1, size_in(config, "hidden_size")

    def get_attention_shapes(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> list[Shape]:
        heads = size_in(config, "num_attention_heads")
        return [(heads, KEPT + 1, KEPT + 1)] * size_in(config, "num_hidden_layers")

    def get_loss(self, model_class: type[PreTrainedModel], outputs: ModelOutput) -> torch.Tensor:
        """Return the loss; of the encoder, which has none, the mean squares of what it returns."""
        if task_of(model_class).__name__ == "AutoModel":
            return torch.as_tensor((outputs["last_hidden_state"] ** 2).mean())
        loss: torch.Tensor = outputs["loss"]
        return loss

    def get_expected_shape(
        self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs
    ) -> tuple[int, ...]:
        if task_of(model_class).__name__ == "AutoModelForPreTraining":
            # The loss comes first.
            return ()
        return super().get_expected_shape(model_class, config, inputs)

    def test_patches_with_the_least_noise_are_kept(self) -> None:
        model = self.build(ViTMAEModel)
        images = self.get_inputs(model.config)["pixel_values"]
        noise = torch.tensor([[9.0, 1, 8, 2, 7, 3, 6, 4, 5]] * 2)
        outputs = self.run(model, pixel_values=images, noise=noise)
        assert outputs["mask"].tolist() == [[1, 0, 1, 0, 1, 0, 1, 0, 1]] * 2
        assert outputs["ids_restore"].tolist() == [[8, 0, 7, 1, 6, 2, 5, 3, 4]] * 2
        # What is left out is not seen.
        changed = images.clone()
        changed[:, :, :4, :4] += 1
        again = self.run(model, pixel_values=changed, noise=noise)
        assert torch.equal(again["last_hidden_state"], outputs["last_hidden_state"])
        changed[:, :, :4, 4:8] += 1
        again = self.run(model, pixel_values=changed, noise=noise)
        assert not torch.allclose(again["last_hidden_state"], outputs["last_hidden_state"])

    def test_noise_is_drawn_and_has_to_fit(self) -> None:
        model = self.build(ViTMAEModel)
        images = self.get_inputs(model.config)["pixel_values"]
        masks = [self.run(model, pixel_values=images)["mask"] for _ in range(8)]
        assert all(mask.sum(dim=1).tolist() == [5, 5] for mask in masks)
        assert any(not torch.equal(mask, masks[0]) for mask in masks)
        with pytest.raises(ValueError, match=r"noise has the shape \(2, 8\), the patches \(2, 9\)"):
            model(images, noise=torch.rand(2, 8))

    def test_only_masked_patches_count(self) -> None:
        model = self.build(ViTMAEForPreTraining)
        assert isinstance(model, ViTMAEForPreTraining)
        inputs = self.get_inputs(model.config)
        outputs = self.run(model, **inputs)
        differences = (outputs["logits"] - model.patchify(inputs["pixel_values"])) ** 2
        torch.testing.assert_close(outputs["loss"], differences[outputs["mask"].bool()].mean())

    def test_pixels_can_be_normalised_patch_by_patch(self) -> None:
        config = get_small_config()
        config.norm_pix_loss = True
        model = self.build(ViTMAEForPreTraining, config)
        inputs = self.get_inputs(config)
        brighter = {**inputs, "pixel_values": inputs["pixel_values"].clone()}
        # The masked patches are not seen, and what is learned of them is the same in another light.
        mask = self.run(model, **inputs)["mask"].bool().reshape(2, 1, 3, 3)
        mask = mask.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3).expand(-1, 3, -1, -1)
        brighter["pixel_values"][mask] = brighter["pixel_values"][mask] * 2 + 1
        torch.testing.assert_close(
            self.run(model, **brighter)["loss"], self.run(model, **inputs)["loss"], rtol=1e-4, atol=1e-4
        )

    def test_painted_patches_become_an_image_again(self) -> None:
        model = self.build(ViTMAEForPreTraining)
        assert isinstance(model, ViTMAEForPreTraining)
        images = torch.randn(2, 3, 12, 20)
        patches = model.patchify(images)
        assert tuple(patches.shape) == (2, 15, 48)
        # A patch is a row of pixels after the other, each with all of its channels.
        assert torch.equal(patches[0, 6].reshape(4, 4, 3), images[0, :, 4:8, 4:8].permute(1, 2, 0))
        assert torch.equal(model.unpatchify(patches, (12, 20)), images)
        with pytest.raises(ValueError, match="9 patches, not 15; pass its image_size"):
            model.unpatchify(patches)
        with pytest.raises(ValueError, match="whole patches"):
            model.patchify(images[..., :19])

    def test_images_of_another_size_have_to_be_asked_for(self) -> None:
        model = self.build(ViTMAEForPreTraining)
        images = torch.randn(2, 3, 12, 20)
        with pytest.raises(ValueError, match="12 x 20 pixels, the model takes 12 x 12.*interpolate_pos_encoding"):
            model(images)
        outputs = self.run(model, pixel_values=images, interpolate_pos_encoding=True)
        assert tuple(outputs["logits"].shape) == (2, 15, 48)

    def test_positions_are_fixed_sines_of_column_and_row(self) -> None:
        model = ViTMAEModel(get_small_config())
        positions = model.embeddings.position_embeddings
        assert not positions.requires_grad
        assert positions[0, 0].abs().max() == 0
        # The patch in column 2 and row 1; the slowest of the 6 frequencies is 1 / 10000 ** (5 / 6).
        place, slowest = positions[0, 1 + 3 + 2], torch.tensor(10000.0) ** (-5 / 6)
        torch.testing.assert_close(place[[0, 6, 12, 18]], torch.tensor([2.0, 2.0, 1.0, 1.0]).sin().where(torch.tensor([True, False, True, False]), torch.tensor([2.0, 2.0, 1.0, 1.0]).cos()))  # fmt: skip
        torch.testing.assert_close(place[[5, 17]], torch.stack([(2 * slowest).sin(), slowest.sin()]))

    def test_configurations_that_do_not_fit_are_refused(self) -> None:
        with pytest.raises(ValueError, match="multiple of 4"):
            ViTMAEModel(ViTMAEConfig(hidden_size=6, num_attention_heads=3))
        with pytest.raises(ValueError, match="multiple of num_attention_heads"):
            ViTMAEModel(ViTMAEConfig(hidden_size=8, num_attention_heads=3))
        with pytest.raises(ValueError, match="mask_ratio"):
            ViTMAEConfig(mask_ratio=1.0)

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), ViTMAEModel.__module__)
