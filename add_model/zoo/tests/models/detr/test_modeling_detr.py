"""Tests of the DETR models."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.models.detr import (
    DetrConfig,
    DetrForObjectDetection,
    DetrForSegmentation,
    DetrModel,
)

from ...test_modeling_common import Inputs, check_recorded_numbers, size_in, task_of
from ...test_modeling_vision import Shape, VisionModelTesterMixin

ALL_STAGES = ["stage1", "stage2", "stage3", "stage4"]


def get_small_config(**options: Any) -> DetrConfig:
    backbone = {
        "embedding_size": 4,
        "hidden_sizes": [8, 8, 12, 16],
        "depths": [1, 2, 1, 1],
        "out_features": ALL_STAGES,
    }
    sizes: dict[str, Any] = {
        "backbone_config": backbone,
        "d_model": 16,
        "num_queries": 5,
        "num_labels": 3,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 8,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 12,
        "decoder_ffn_dim": 10,
        "init_std": 0.3,
    }
    return DetrConfig(**{**sizes, **options})


def get_labels() -> list[dict[str, torch.Tensor]]:
    """Return the labels of two images: two objects in the first, one in the second."""
    generator = torch.Generator().manual_seed(0)
    return [
        {
            "class_labels": torch.arange(count),
            "boxes": torch.rand(count, 4, generator=generator) * 0.5 + 0.2,
            "masks": torch.randint(0, 2, (count, 18, 21), generator=generator),
        }
        for count in (2, 1)
    ]


class TestDetrModel(VisionModelTesterMixin):
    config_class = DetrConfig
    base_model_class = DetrModel
    all_model_classes = (
        DetrModel,
        DetrForObjectDetection,
        DetrForSegmentation,
    )
    initializer_range_name = "init_std"

    def get_config(self) -> DetrConfig:
        return get_small_config()

    def build(self, model_class: type[PreTrainedModel], config: PreTrainedConfig | None = None) -> PreTrainedModel:
        # Of weights that are all small, nothing of the image would be left behind as many layers.
        model = model_class(self.get_config() if config is None else config)
        with torch.no_grad():
            for weight in model.state_dict().values():
                weight.add_(torch.rand_like(weight) * 0.2)
        return model.eval()

    def get_image_sides(self, config: PreTrainedConfig) -> tuple[int, int]:
        return 40, 70

    def get_number_of_patches(self, config: PreTrainedConfig) -> int:
        # The last map of the ResNet, 2 x 3.
        return 6

    def get_last_hidden_shape(self, config: PreTrainedConfig) -> Shape:
        return size_in(config, "num_queries"), size_in(config, "hidden_size")

    def get_hidden_shapes(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> list[Shape]:
        shapes: list[Shape] = [(6, 16), (6, 16), (6, 16), (5, 16), (5, 16), (5, 16)]
        return shapes

    def get_attention_shapes(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> list[Shape]:
        shapes: list[Shape] = [(8, 6, 6), (8, 6, 6), (4, 5, 5), (4, 5, 5), (4, 5, 6), (4, 5, 6)]
        return shapes

    def get_labels_for(self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs) -> Any:
        return {} if task_of(model_class).__name__ == "AutoModel" else {"labels": get_labels()}

    def get_expected_shape(
        self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs
    ) -> tuple[int, ...]:
        if task_of(model_class).__name__ == "AutoModel":
            return (2, 5, 16)
        return (2, 5, 4)

    # The ResNet and what makes masks have initial weights of their own, so the tests of these are below.

    def test_config_drives_every_random_initial_weight(self, model_class: type[PreTrainedModel]) -> None:
        model = model_class(get_small_config(init_std=0.0))
        for name, weight in model.named_parameters():
            has_own = any(part in name for part in ("backbone", "mask_head", "bbox_attention"))
            assert has_own or set(weight.flatten().tolist()) <= {0.0, 1.0}, name

    def test_initial_weights_have_the_configured_spread(self, model_class: type[PreTrainedModel]) -> None:
        for name, weight in model_class(get_small_config(init_std=0.5)).named_parameters():
            assert torch.isfinite(weight).all(), name
            if weight.dim() > 1 and name.endswith("weight"):
                assert 0 < weight.std() < 1.5, name

    def test_embeddings_can_be_replaced(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        before = self.run(model, **inputs)
        new = nn.Conv2d(3, 4, kernel_size=7, bias=False)
        assert model.get_input_embeddings().weight.shape == new.weight.shape
        model.set_input_embeddings(new)
        assert model.get_input_embeddings() is new
        assert not torch.allclose(self.run(model, **inputs)["last_hidden_state"], before["last_hidden_state"])

    # The ResNet.

    def test_images_shrink_to_a_thirty_second(self) -> None:
        model = self.build(DetrModel)
        assert isinstance(model, DetrModel)
        maps = model.backbone(torch.randn(1, 3, 64, 96))
        assert [tuple(one.shape) for one in maps] == [(1, 8, 16, 24), (1, 8, 8, 12), (1, 12, 4, 6), (1, 16, 2, 3)]

    def test_a_dilated_resnet_keeps_the_resolution_of_its_last_stage(self) -> None:
        model = DetrModel(get_small_config(dilation=True))
        assert [tuple(one.shape[2:]) for one in model.backbone(torch.randn(1, 3, 64, 96))][2:] == [(4, 6), (4, 6)]
        with pytest.raises(ValueError, match="bottleneck"):
            DetrConfig(backbone="resnet18", dilation=True)

    def test_normalisation_is_frozen(self) -> None:
        model = self.build(DetrModel)
        assert isinstance(model, DetrModel)
        layer = model.backbone.model.embedder.embedder
        before = {name: value.clone() for name, value in layer.normalization.state_dict().items()}
        model.train()
        images = torch.randn(2, 3, 40, 40)
        output = layer(images)
        for name, value in layer.normalization.state_dict().items():
            assert torch.equal(value, before[name])
        norm = nn.functional.batch_norm(
            layer.convolution(images)
            if layer.stride == 1
            else nn.functional.conv2d(images, layer.convolution.weight, stride=layer.stride, padding=layer.padding),
            before["running_mean"],
            before["running_var"],
            before["weight"],
            before["bias"],
        )
        torch.testing.assert_close(output, norm.relu())

    def test_the_first_stage_is_not_trained(self) -> None:
        model = DetrModel(get_small_config())
        for name, weight in model.backbone.named_parameters():
            assert weight.requires_grad == (".stages." in name and ".stages.0." not in name), name

    def test_backbones_by_name_and_by_values(self) -> None:
        named = DetrConfig(backbone="resnet18").backbone_config
        assert (named["layer_type"], named["hidden_sizes"]) == ("basic", [64, 128, 256, 512])
        of_timm = DetrConfig(
            backbone_config={"model_type": "timm_backbone", "backbone": "resnet101", "output_stride": 16}
        )
        assert of_timm.backbone_config["depths"] == [3, 4, 23, 3]
        assert of_timm.dilation
        assert of_timm.backbone_config["out_features"] == ALL_STAGES
        assert DetrConfig(backbone_config={"depths": [1, 1], "hidden_sizes": [8, 8]}).backbone_config[
            "out_features"
        ] == ["stage2"]

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"backbone": "vgg16"}, "unknown backbone 'vgg16'"),
            ({"backbone_config": {"model_type": "swin"}}, "ResNet"),
            ({"backbone_config": {"layer_type": "wide"}}, "layer_type"),
            ({"backbone_config": {"depths": [1, 1]}}, "equally long"),
            ({"backbone_config": {"out_features": ["stage9"]}}, "stage9"),
            ({"position_embedding_type": "none"}, "'sine' or 'learned'"),
        ],
    )
    def test_configurations_that_cannot_be_built_are_refused(self, values: dict[str, Any], said: str) -> None:
        with pytest.raises(ValueError, match=said):
            DetrConfig(**values)

    # Positions and masks.

    @pytest.mark.parametrize("kind", ["sine", "learned"])
    def test_places_have_positions(self, kind: str) -> None:
        model = self.build(DetrModel, get_small_config(position_embedding_type=kind))
        places = torch.randn(1, 9, 16)
        in_order = self.run(model, inputs_embeds=places)["encoder_last_hidden_state"]
        turned = self.run(model, inputs_embeds=places.flip(1))["encoder_last_hidden_state"]
        assert not torch.allclose(turned.flip(1), in_order, atol=1e-4)

    def test_sine_positions_follow_the_image_and_not_its_padding(self) -> None:
        model = DetrModel(get_small_config())
        mask = torch.zeros(1, 4, 5, dtype=torch.bool)
        mask[:, :3, :2] = True
        of_part = model.position_embedding(mask, torch.float32)[:, :3, :2]
        torch.testing.assert_close(of_part, model.position_embedding(mask[:, :3, :2], torch.float32))

    def test_padding_is_not_attended_to(self) -> None:
        model = self.build(DetrModel)
        embeddings = torch.randn(1, 16, 16)
        mask = torch.ones(1, 4, 4)
        mask[:, :, 3] = 0
        before = self.run(model, inputs_embeds=embeddings, pixel_mask=mask)["last_hidden_state"]
        embeddings[:, 3::4] += 1
        torch.testing.assert_close(
            self.run(model, inputs_embeds=embeddings, pixel_mask=mask)["last_hidden_state"], before
        )

    def test_a_mask_of_ones_is_no_mask(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs(model.config)
        mask = torch.ones(2, 40, 70)
        expected = self.run(model, **inputs)["last_hidden_state"]
        torch.testing.assert_close(self.run(model, **inputs, pixel_mask=mask)["last_hidden_state"], expected)

    def test_encoder_outputs_can_be_passed(self) -> None:
        model = self.build(DetrModel)
        inputs = self.get_inputs(model.config)
        outputs = self.run(model, **inputs)
        again = self.run(model, **inputs, encoder_outputs=(outputs["encoder_last_hidden_state"],))
        torch.testing.assert_close(again["last_hidden_state"], outputs["last_hidden_state"])

    def test_wrong_inputs_are_refused(self) -> None:
        model = self.build(DetrModel)
        images = torch.randn(2, 3, 40, 40)
        for inputs, said in (
            ({}, "either pixel_values or inputs_embeds"),
            ({"pixel_values": images, "inputs_embeds": torch.zeros(2, 4, 16)}, "either pixel_values or inputs_embeds"),
            ({"pixel_values": images, "pixel_mask": torch.ones(2, 40, 41)}, "pixel_mask"),
            ({"pixel_values": images, "decoder_attention_mask": torch.ones(5)}, "attention mask"),
            ({"inputs_embeds": torch.zeros(2, 5, 16)}, "no square"),
        ):
            with pytest.raises(ValueError, match=said):
                model(**inputs)
        with pytest.raises(ValueError, match="50 positions"):
            DetrModel(get_small_config(position_embedding_type="learned"))(torch.zeros(1, 3, 32, 1700))
        with pytest.raises(ValueError, match="multiple"):
            DetrModel(get_small_config(d_model=15))

    # The losses.

    def test_object_detection_gives_every_object_to_one_query(self) -> None:
        model = self.build(DetrForObjectDetection)
        inputs = self.get_inputs(model.config)
        labels = get_labels()
        losses = self.run(model, **inputs, labels=labels)["loss_dict"]
        # Another order of the objects is the same.
        turned = [{name: values.flip(0) for name, values in image.items()} for image in labels]
        for name, loss in self.run(model, **inputs, labels=turned)["loss_dict"].items():
            torch.testing.assert_close(loss, losses[name])

    def test_object_detection_of_what_it_says_already_costs_nothing(self) -> None:
        model = self.build(DetrForObjectDetection)
        inputs = self.get_inputs(model.config)
        boxes = self.run(model, **inputs)["pred_boxes"]
        labels = [{"class_labels": torch.zeros(5).long(), "boxes": image} for image in boxes]
        losses = self.run(model, **inputs, labels=labels)["loss_dict"]
        torch.testing.assert_close(losses["loss_bbox"], torch.tensor(0.0), atol=1e-5, rtol=0)
        torch.testing.assert_close(losses["loss_giou"], torch.tensor(0.0), atol=1e-5, rtol=0)

    def test_object_detection_trains_earlier_layers(self) -> None:
        model = self.build(DetrForObjectDetection, get_small_config(auxiliary_loss=True, decoder_layers=3))
        outputs = self.run(model, **self.get_inputs(model.config), labels=get_labels())
        assert len(outputs["auxiliary_outputs"]) == 2
        assert {"loss_ce_0", "loss_bbox_1", "loss_giou_1", "cardinality_error_0"} <= outputs["loss_dict"].keys()
        weights = {"loss_ce": 1, "loss_bbox": 5, "loss_giou": 2}
        expected = sum(
            weights[name] * outputs["loss_dict"][name + layer] for name in weights for layer in ("", "_0", "_1")
        )
        torch.testing.assert_close(outputs["loss"], expected)

    def test_object_detection_of_nothing(self) -> None:
        model = self.build(DetrForObjectDetection)
        labels = [{"class_labels": torch.zeros(0).long(), "boxes": torch.zeros(0, 4)}] * 2
        losses = self.run(model, **self.get_inputs(model.config), labels=labels)["loss_dict"]
        assert losses["loss_bbox"] == losses["loss_giou"] == 0
        assert losses["loss_ce"] > 0

    def test_object_detection_refuses_labels_that_are_none(self) -> None:
        model = self.build(DetrForObjectDetection)
        inputs = self.get_inputs(model.config)
        good = get_labels()
        for change, said in (
            ({"boxes": torch.tensor([[120.0, 80.0, 40.0, 30.0]])}, "a box of image 1 is outside"),
            ({"boxes": torch.tensor([[0.5, 0.5, -0.1, 0.1]])}, "a box of image 1 is outside"),
            ({"boxes": torch.rand(2, 4)}, r"must have the shape \(1, 4\)"),
            ({"class_labels": torch.tensor([3])}, "a class of image 1 is none"),
        ):
            with pytest.raises(ValueError, match=said):
                model(**inputs, labels=[good[0], {**good[1], **change}])
        with pytest.raises(ValueError, match="2 images, but 1"):
            model(**inputs, labels=good[:1])
        with pytest.raises(ValueError, match="lack boxes"):
            model(**inputs, labels=[good[0], {"class_labels": torch.tensor([1])}])

    def test_segmentation_returns_a_mask_for_every_query(self) -> None:
        model = self.build(DetrForSegmentation)
        inputs = self.get_inputs(model.config)
        assert tuple(self.run(model, **inputs)["pred_masks"].shape) == (2, 5, 10, 18)

    def test_segmentation_refuses_what_it_cannot_make_masks_of(self) -> None:
        model = self.build(DetrForSegmentation)
        labels = get_labels()
        for image in ({**labels[0], "masks": labels[0]["masks"][:1]}, {**labels[0], "masks": labels[0]["masks"][0]}):
            with pytest.raises(ValueError, match="image 0 need masks"):
                model(**self.get_inputs(model.config), labels=[image, labels[1]])
        with pytest.raises(ValueError, match="multiple"):
            DetrForSegmentation(get_small_config(encoder_attention_heads=4))
        with pytest.raises(ValueError, match="three maps"):
            DetrForSegmentation(get_small_config(backbone_config={"out_features": ["stage4"]}))

    @pytest.mark.filterwarnings("ignore:.* was filled from")
    def test_segmentation_is_filled_by_a_detector_and_back(self, tmp_path: Path) -> None:
        detector = self.build(DetrForObjectDetection)
        detector.save_pretrained(tmp_path / "boxes")
        model = DetrForSegmentation.from_pretrained(tmp_path / "boxes")
        inputs = self.get_inputs(model.config)
        expected = self.run(detector, **inputs)["logits"]
        torch.testing.assert_close(self.run(model, **inputs)["logits"], expected)
        model.save_pretrained(tmp_path / "masks")
        back = DetrForObjectDetection.from_pretrained(tmp_path / "masks")
        torch.testing.assert_close(self.run(back, **inputs)["logits"], expected)

    def test_recorded_numbers(self) -> None:
        check_recorded_numbers(Path(__file__).with_name("recorded_numbers.json"), DetrModel.__module__)
