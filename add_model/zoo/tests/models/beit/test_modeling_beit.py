"""Tests of the BEiT models."""

from pathlib import Path
from typing import Any

import pytest
import torch

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.beit import (
    BeitConfig,
    BeitForImageClassification,
    BeitForMaskedImageModeling,
    BeitForSemanticSegmentation,
    BeitModel,
)
from add_model.zoo.models.beit.modeling_beit import relative_positions

from ...test_modeling_common import Inputs, check_recorded_numbers, task_of
from ...test_modeling_vision import VisionModelTesterMixin


def get_small_config(**options: Any) -> BeitConfig:
    sizes: dict[str, Any] = {
        "vocab_size": 13,
        "image_size": 12,
        "patch_size": 4,
        "hidden_size": 24,
        "num_hidden_layers": 4,
        "num_attention_heads": 3,
        "intermediate_size": 37,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "use_mask_token": True,
        "use_absolute_position_embeddings": True,
        "use_relative_position_bias": True,
        "out_indices": [1, 2, 3, 4],
        "pool_scales": [1, 2],
        "auxiliary_channels": 8,
        "num_labels": 3,
    }
    return BeitConfig(**{**sizes, **options})


class TestBeitModel(VisionModelTesterMixin):
    config_class = BeitConfig
    base_model_class = BeitModel
    all_model_classes = (
        BeitModel,
        BeitForImageClassification,
        BeitForMaskedImageModeling,
        BeitForSemanticSegmentation,
    )
    constant_weight_names = ("mask_token", "cls_token", "position_embeddings", "relative_position_bias_table")

    def get_config(self) -> BeitConfig:
        return get_small_config()

    def get_initial_constants(self, config: PreTrainedConfig) -> set[float]:
        return {0.0, 1.0, float(torch.tensor(0.1))}

    def get_labels_for(self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs) -> Inputs:
        labels = super().get_labels_for(model_class, config, inputs)
        if "bool_masked_pos" in labels:
            labels["labels"] = torch.randint(0, 13, (int(labels["bool_masked_pos"].sum()),))
        return labels

    def expects_gradient(self, model_class: type[PreTrainedModel], name: str, parameter: torch.nn.Parameter) -> bool:
        task = task_of(model_class).__name__
        if name.endswith("mask_token") and task != "AutoModelForMaskedImageModeling":
            return False
        # Of the hidden states that pixels are classified by, the last is what the last layer reads.
        if ".layers.3." in name and task == "AutoModelForSemanticSegmentation":
            return False
        return super().expects_gradient(model_class, name, parameter)

    def get_expected_shape(
        self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs
    ) -> tuple[int, ...]:
        task = task_of(model_class).__name__
        if task == "AutoModelForMaskedImageModeling":
            return (2, 9, 13)
        if task == "AutoModelForSemanticSegmentation":
            return (2, 3, 12, 12)
        return super().get_expected_shape(model_class, config, inputs)

    def test_relative_positions_count_rows_columns_and_the_class_token(self) -> None:
        index = relative_positions(2, 3)
        assert index.shape == (7, 7)
        # 3 x 5 distances, the first of which leads up and to the left; behind them those of the class token.
        assert index[0].tolist() == [17] + [15] * 6
        assert index[1:, 0].tolist() == [16] * 6
        assert index.diagonal().tolist() == [17] + [7] * 6
        assert index[1, 6] == 0 and index[6, 1] == 14
        # One to the left of a place is one to the left of any other.
        assert index[1, 2] == index[2, 3] == index[4, 5]

    @pytest.mark.parametrize("kind", ["use_relative_position_bias", "use_shared_relative_position_bias"])
    def test_relative_biases_are_own_or_shared(self, kind: str) -> None:
        options = {"use_relative_position_bias": False, "use_absolute_position_embeddings": False}
        model = self.build(BeitModel, get_small_config(**{**options, kind: True}))
        tables = [name for name, _ in model.named_parameters() if "bias_table" in name]
        assert len(tables) == (4 if kind == "use_relative_position_bias" else 1)
        images = self.get_inputs(model.config)["pixel_values"]
        before = self.run(model, pixel_values=images)["last_hidden_state"]
        with torch.no_grad():
            model.get_parameter(tables[0]).normal_()
        assert not torch.allclose(self.run(model, pixel_values=images)["last_hidden_state"], before)

    def test_keys_have_no_bias(self) -> None:
        names = {name for name, _ in BeitModel(get_small_config()).named_parameters()}
        assert "layers.0.attention.q_proj.bias" in names and "layers.0.attention.v_proj.bias" in names
        assert "layers.0.attention.k_proj.bias" not in names

    def test_images_of_other_sizes_have_resized_positions(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        outputs = self.run(model, pixel_values=torch.randn(1, 3, 16, 24), output_hidden_states=True)
        assert outputs["hidden_states"][-1].shape == (1, 25, 24)
        with pytest.raises(ValueError, match="smaller than a patch"):
            model(torch.randn(1, 3, 3, 16))

    def test_layer_scale_is_optional(self) -> None:
        model = BeitModel(get_small_config(layer_scale_init_value=0.3))
        assert model.get_parameter("layers.0.lambda_2").unique().tolist() == pytest.approx([0.3])  # type: ignore[no-untyped-call]
        without = BeitModel(get_small_config(layer_scale_init_value=0.0))
        assert not any("lambda" in name for name, _ in without.named_parameters())
        assert self.run(without.eval(), **self.get_inputs(without.config))["last_hidden_state"].isfinite().all()

    def test_blocks_are_left_out_in_training_only(self) -> None:
        config = get_small_config(drop_path_rate=1 - 1e-7, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        model = BeitModel(config)
        images = self.get_inputs(config)["pixel_values"]
        outputs = self.run(model.train(), pixel_values=images, output_hidden_states=True)["hidden_states"]
        # The first layer always takes part, the last one never.
        assert not torch.allclose(outputs[1], outputs[0])
        assert torch.equal(outputs[4], outputs[3])
        outputs = self.run(model.eval(), pixel_values=images, output_hidden_states=True)["hidden_states"]
        assert not torch.allclose(outputs[4], outputs[3])

    def test_an_image_is_the_mean_of_its_patches_or_its_class_token(self) -> None:
        for use_mean_pooling in (True, False):
            model = self.build(BeitModel, get_small_config(use_mean_pooling=use_mean_pooling))
            assert isinstance(model, BeitModel) and model.pooler is not None
            outputs = self.run(model, **self.get_inputs(model.config))
            expected = outputs["last_hidden_state"][:, 0]
            if model.pooler.layernorm is not None:
                with torch.no_grad():
                    expected = model.pooler.layernorm(outputs["last_hidden_state"][:, 1:].mean(1))
            torch.testing.assert_close(outputs["pooler_output"], expected)

    def test_masked_image_modeling_does_not_see_masked_patches(self) -> None:
        model = self.build(BeitForMaskedImageModeling)
        images = self.get_inputs(model.config)["pixel_values"]
        masked = torch.zeros(2, 9, dtype=torch.bool)
        masked[:, 0] = True
        before = self.run(model, pixel_values=images, bool_masked_pos=masked)["logits"]
        images[:, :, :4, :4] += 1
        torch.testing.assert_close(self.run(model, pixel_values=images, bool_masked_pos=masked)["logits"], before)

    def test_masked_image_modeling_refuses_labels_of_other_patches(self) -> None:
        model = self.build(BeitForMaskedImageModeling)
        images = self.get_inputs(model.config)["pixel_values"]
        masked = torch.zeros(2, 9, dtype=torch.bool)
        masked[:, 0] = True
        for inputs in (
            {"labels": torch.zeros(2).long()},
            {"labels": torch.zeros(3).long(), "bool_masked_pos": masked},
        ):
            with pytest.raises(ValueError, match="as many as bool_masked_pos"):
                model(images, **inputs)
        with pytest.raises(ValueError, match="use_mask_token"):
            self.build(BeitForMaskedImageModeling, get_small_config(use_mask_token=False))(
                images, bool_masked_pos=masked
            )
        with pytest.raises(ValueError, match=r"\(2, 8\), the patches \(2, 9\)"):
            model(images, bool_masked_pos=masked[:, :8])

    def test_semantic_segmentation_learns_by_two_heads(self) -> None:
        model = self.build(BeitForSemanticSegmentation)
        images = self.get_inputs(model.config)["pixel_values"]
        labels = torch.randint(0, 3, (2, 12, 12))
        both = self.run(model, pixel_values=images, labels=labels)
        torch.testing.assert_close(
            both["loss"]
            - 0.4
            * torch.nn.functional.cross_entropy(
                torch.nn.functional.interpolate(self.auxiliary_scores(model, images), (12, 12), mode="bilinear"),
                labels,
            ),
            torch.nn.functional.cross_entropy(both["logits"], labels),
        )
        # Pixels of the class that is to be ignored do not count.
        ignored = labels.clone()
        ignored[0] = 255
        second = self.run(model, pixel_values=images[1:], labels=labels[1:])["loss"]
        torch.testing.assert_close(self.run(model, pixel_values=images, labels=ignored)["loss"], second)

    def auxiliary_scores(self, model: PreTrainedModel, images: torch.Tensor) -> torch.Tensor:
        """Return the scores of the second head, which looks at the third of the maps."""
        states = self.run(model, pixel_values=images, output_hidden_states=True)["hidden_states"][2]
        maps = states[:, 1:].transpose(1, 2).reshape(2, 24, 3, 3)
        with torch.no_grad():
            scores: torch.Tensor = model.get_submodule("auxiliary_head")([maps] * 3)
        return scores

    def test_semantic_segmentation_refuses_what_it_cannot_use(self) -> None:
        with pytest.raises(ValueError, match="out_indices must be 4"):
            BeitForSemanticSegmentation(get_small_config(out_indices=[2]))
        model = self.build(BeitForSemanticSegmentation, get_small_config(num_labels=1))
        with pytest.raises(ValueError, match="single class"):
            model(torch.randn(1, 3, 12, 12), labels=torch.zeros(1, 12, 12).long())

    def test_heads_that_do_not_divide_are_refused(self) -> None:
        with pytest.raises(ValueError, match="multiple"):
            BeitModel(BeitConfig(hidden_size=10, num_attention_heads=3))

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), BeitModel.__module__)
