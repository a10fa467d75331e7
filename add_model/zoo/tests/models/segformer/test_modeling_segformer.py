"""Tests of the SegFormer models."""

from pathlib import Path
from typing import Any

import pytest
import torch

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.segformer import (
    SegformerConfig,
    SegformerForImageClassification,
    SegformerForSemanticSegmentation,
    SegformerModel,
)

from ...test_modeling_common import Inputs, check_recorded_numbers, task_of
from ...test_modeling_vision import Shape, VisionModelTesterMixin

SIDES = (18, 24)


def get_small_config(**options: Any) -> SegformerConfig:
    sizes: dict[str, Any] = {
        "num_encoder_blocks": 3,
        "depths": [1, 2, 1],
        "sr_ratios": [4, 2, 1],
        "hidden_sizes": [6, 8, 10],
        "patch_sizes": [5, 3, 3],
        "strides": [2, 2, 2],
        "num_attention_heads": [1, 2, 2],
        "mlp_ratios": [2, 2, 3],
        "decoder_hidden_size": 7,
    }
    return SegformerConfig(**{**sizes, "hidden_dropout_prob": 0.2, "drop_path_rate": 0.3, "num_labels": 3, **options})


def outputs_of(model_class: type[PreTrainedModel], labels: torch.Tensor, **options: Any) -> Any:
    """Return what a new model makes of two images with labels."""
    torch.manual_seed(0)
    model = model_class(get_small_config(initializer_range=0.3, **options)).eval()
    with torch.no_grad():
        return model(torch.randn(2, 3, *SIDES), labels=labels)


class TestSegformerModel(VisionModelTesterMixin):
    config_class = SegformerConfig
    base_model_class = SegformerModel
    all_model_classes = (
        SegformerModel,
        SegformerForImageClassification,
        SegformerForSemanticSegmentation,
    )

    def get_config(self) -> SegformerConfig:
        return get_small_config()

    def get_image_sides(self, config: PreTrainedConfig) -> tuple[int, int]:
        return SIDES

    def get_last_hidden_shape(self, config: PreTrainedConfig) -> Shape:
        return 10, 3, 3

    def get_hidden_shapes(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> list[Shape]:
        return [(6, 9, 12), (8, 5, 6), (10, 3, 3)]

    def get_attention_shapes(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> list[Shape]:
        # Every pixel of a map attends to those of the reduced map: 2 x 3, 2 x 3 and 3 x 3.
        return [(1, 108, 6), (2, 30, 6), (2, 30, 6), (2, 9, 9)]

    def get_expected_shape(
        self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs
    ) -> tuple[int, ...]:
        if task_of(model_class).__name__ == "AutoModelForSemanticSegmentation":
            # One half of the image's size, which is the first stage's.
            return inputs["pixel_values"].shape[0], config.num_labels, 9, 12
        return super().get_expected_shape(model_class, config, inputs)

    def test_what_the_squares_leave_over_is_not_attended_to(self) -> None:
        model = self.build(SegformerModel)
        attention = model.get_submodule("stages.0.blocks.0.attention")
        for parameter in attention.parameters():
            torch.nn.init.normal_(parameter)
        # A map of 5 x 8, of which two squares of 4 x 4 become the two pixels that all others attend to.
        states = torch.randn(1, 5 * 8, 6)
        changed = states.clone()
        changed[:, 32:] = torch.randn(1, 8, 6)
        with torch.no_grad():
            before, after = attention(states, (5, 8))[0], attention(changed, (5, 8))[0]
        torch.testing.assert_close(before[:, :32], after[:, :32])
        assert not torch.allclose(before[:, 32:], after[:, 32:])

    def test_the_last_stage_can_return_its_pixels_one_after_the_other(self) -> None:
        model = self.build(SegformerModel)
        inputs = self.get_inputs(model.config)
        maps = self.run(model, **inputs)["last_hidden_state"]
        as_configured = SegformerModel(get_small_config(reshape_last_stage=False))
        as_configured.load_state_dict(model.state_dict())
        sequence = self.run(as_configured.eval(), **inputs)["last_hidden_state"]
        torch.testing.assert_close(sequence, maps.flatten(2).transpose(1, 2))

    def test_the_names_of_published_checkpoints_are_read(self) -> None:
        model = self.build(SegformerModel)
        published = {}
        for name, weight in model.state_dict().items():
            _, stage, part, *rest = name.split(".")
            kind = "block" if part == "blocks" else part
            name = ".".join(("encoder", kind, stage, *rest))
            for new, old in (
                (".attention.q_proj.", ".attention.self.query."),
                (".attention.k_proj.", ".attention.self.key."),
                (".attention.v_proj.", ".attention.self.value."),
                (".attention.o_proj.", ".attention.output.dense."),
                (".attention.sequence_reduction.sequence_reduction.", ".attention.self.sr."),
                (".attention.sequence_reduction.layer_norm.", ".attention.self.layer_norm."),
                (".layernorm_before.", ".layer_norm_1."),
                (".layernorm_after.", ".layer_norm_2."),
                (".fc1.", ".dense1."),
                (".fc2.", ".dense2."),
            ):
                name = name.replace(new, old)
            published[name] = weight
        assert "encoder.block.1.1.attention.self.sr.weight" in published
        loaded = SegformerModel(get_small_config())
        loaded.load_checkpoint(published)
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[name], weight)

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(SegformerModel)
        for shape, said in (
            ((2, 1, 18, 18), "1 channels, the model takes 3"),
            ((2, 18, 18), r"images have the shape \(batch"),
            ((0, 3, 18, 18), "there are no images"),
            ((1, 3, 18, 5), "too small: a stage has a map of 9 x 3, .* are 4 x 4"),
        ):
            with pytest.raises(ValueError, match=said):
                model(pixel_values=torch.zeros(shape))

    def test_wrong_sizes_are_refused(self) -> None:
        with pytest.raises(ValueError, match="sr_ratios must have a value for each of the 3 stages"):
            SegformerModel(get_small_config(sr_ratios=[1, 1]))
        with pytest.raises(ValueError, match="multiple of num_attention_heads"):
            SegformerModel(get_small_config(num_attention_heads=[1, 3, 1]))

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), SegformerModel.__module__)


class TestSegformerForSemanticSegmentation:
    def test_loss_is_that_of_the_enlarged_scores_and_ignores_a_label(self) -> None:
        labels = torch.randint(3, (2, 30, 40), generator=torch.Generator().manual_seed(0))
        labels[:, :12] = 255
        outputs = outputs_of(SegformerForSemanticSegmentation, labels)
        enlarged = torch.nn.functional.interpolate(outputs.logits, size=(30, 40), mode="bilinear")
        expected = torch.nn.functional.cross_entropy(enlarged[:, :, 12:], labels[:, 12:])
        torch.testing.assert_close(outputs.loss, expected)

    def test_a_single_label_is_there_or_not(self) -> None:
        labels = torch.ones(2, *SIDES).long()
        labels[:, :9] = 255
        outputs = outputs_of(SegformerForSemanticSegmentation, labels, num_labels=1)
        enlarged = torch.nn.functional.interpolate(outputs.logits, size=SIDES, mode="bilinear")[:, 0, 9:]
        expected = torch.nn.functional.binary_cross_entropy_with_logits(enlarged, torch.ones_like(enlarged))
        torch.testing.assert_close(outputs.loss, expected / 2)

    def test_labels_of_another_shape_are_refused(self) -> None:
        for shape in ((2,), (3, *SIDES), (2, 1, *SIDES)):
            with pytest.raises(ValueError, match="labels must have the shape"):
                outputs_of(SegformerForSemanticSegmentation, torch.zeros(shape).long())

    def test_the_decoder_mixes_all_stages_at_the_size_of_the_first(self) -> None:
        # Written as in the paper: enlarged, one behind the other, the last stage first, and mixed.
        torch.manual_seed(0)
        model = SegformerForSemanticSegmentation(get_small_config()).eval()
        head = model.decode_head
        maps = [torch.randn(2, 6, 9, 12), torch.randn(2, 8, 5, 6), torch.randn(2, 10, 3, 3)]
        with torch.no_grad():
            for parameter in head.parameters():
                parameter.normal_()
            enlarged = [
                torch.nn.functional.interpolate(
                    projection(stage.movedim(1, -1)).movedim(-1, 1), size=(9, 12), mode="bilinear"
                )
                for projection, stage in zip(head.linear_projections, maps, strict=True)
            ]
            mixed = head.batch_norm(head.linear_fuse(torch.cat(enlarged[::-1], dim=1)))
            expected = head.classifier(mixed.relu())
            torch.testing.assert_close(head(maps), expected, rtol=1e-4, atol=1e-4)
