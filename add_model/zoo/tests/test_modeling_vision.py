"""The tests that models of images share, beside and instead of those that every model shares.

A model's test file names its classes and a small configuration, as `test_modeling_common` says:

    class TestViTModel(VisionModelTesterMixin):
        config_class = ViTConfig
        base_model_class = ViTModel
        all_model_classes = (
            ViTModel,
            ViTForImageClassification,
        )

        def get_config(self) -> ViTConfig:
            return ViTConfig(image_size=12, patch_size=4, hidden_size=32, ...)

What stands here holds for a model that cuts its images into patches of `config.patch_size`, and puts one vector in front of
them. Another says with the methods below what shapes it has.
"""

import copy
from typing import ClassVar

import pytest
import torch

from add_model.zoo import PreTrainedConfig, PreTrainedModel
from add_model.zoo.modeling_outputs import ModelOutput

from .test_modeling_common import (
    ATTENTIONS_FIELDS,
    HIDDEN_STATES_FIELDS,
    Inputs,
    ModelTesterMixin,
    randomize,
    size_in,
    task_of,
    tensors_of,
)

BATCH = 2
Shape = tuple[int, ...]
# Auto classes whose models return what they see, and take no labels.
TASKS_WITHOUT_LABELS = ("AutoModel", "AutoBackbone")


def sides_of(value: int | tuple[int, int] | list[int]) -> tuple[int, int]:
    """Return height and width of what a configuration gives by one number if both are equal."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


class VisionModelTesterMixin(ModelTesterMixin):
    """The tests of every model of images."""

    classification_task: ClassVar[str] = "AutoModelForImageClassification"

    # What a model's test file may define otherwise.

    def get_image_sides(self, config: PreTrainedConfig) -> tuple[int, int]:
        """Return height and width of the images."""
        return sides_of(getattr(config, "image_size"))  # noqa: B009 - not every configuration has it

    def get_number_of_patches(self, config: PreTrainedConfig) -> int:
        """Return how many patches an image is cut into."""
        height, width = self.get_image_sides(config)
        patch_height, patch_width = sides_of(getattr(config, "patch_size"))  # noqa: B009
        return (height // patch_height) * (width // patch_width)

    def get_inputs(self, config: PreTrainedConfig) -> Inputs:
        """Return two images, `(2, channels, height, width)`."""
        return {"pixel_values": torch.randn(BATCH, size_in(config, "num_channels"), *self.get_image_sides(config))}

    def pad_inputs(self, inputs: Inputs, config: PreTrainedConfig) -> Inputs:
        """Return the inputs with one more image behind the others."""
        return {name: torch.cat((tensor, tensor[:1].flip(-1))) for name, tensor in inputs.items()}

    def get_last_hidden_shape(self, config: PreTrainedConfig) -> Shape:
        """Return the shape of what the last layer returns of one image."""
        return self.get_number_of_patches(config) + 1, size_in(config, "hidden_size")

    def get_hidden_shapes(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> list[Shape]:
        """Return the shape of every hidden state of one image."""
        return [self.get_last_hidden_shape(config)] * (size_in(config, "num_hidden_layers") + 1)

    def get_attention_shapes(self, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> list[Shape]:
        """Return the shape of every layer's attention probabilities without the first dimension; none without attention."""
        positions = self.get_number_of_patches(config) + 1
        heads = size_in(config, "num_attention_heads")
        return [(heads, positions, positions)] * size_in(config, "num_hidden_layers")

    # What follows from the task of a class.

    def get_labels_for(self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs) -> Inputs:
        """Return labels of the inputs; a base model, a backbone, and what learns from images alone have none."""
        task = task_of(model_class).__name__
        batch = inputs["pixel_values"].shape[0]
        if task == "AutoModelForImageClassification":
            return {"labels": torch.randint(config.num_labels, (batch,))}
        if task == "AutoModelForMaskedImageModeling":
            patches = torch.arange(self.get_number_of_patches(config)).expand(batch, -1)
            return {"bool_masked_pos": patches % 2 == 0}
        if task == "AutoModelForSemanticSegmentation":
            return {"labels": torch.randint(config.num_labels, (batch, *self.get_image_sides(config)))}
        return {}

    def get_loss(self, model_class: type[PreTrainedModel], outputs: ModelOutput) -> torch.Tensor:
        """Return the loss of outputs with labels; of a class without labels the mean squares of what it returns."""
        if task_of(model_class).__name__ in TASKS_WITHOUT_LABELS:
            return torch.stack([(tensor**2).mean() for tensor in tensors_of(outputs)]).sum()
        loss: torch.Tensor = outputs["loss"]
        return loss

    def get_expected_shape(
        self, model_class: type[PreTrainedModel], config: PreTrainedConfig, inputs: Inputs
    ) -> tuple[int, ...]:
        """Return the shape of the first output of a class."""
        task = task_of(model_class).__name__
        images = inputs["pixel_values"]
        if task == "AutoModel":
            return (images.shape[0], *self.get_last_hidden_shape(config))
        if task == "AutoModelForImageClassification":
            return (images.shape[0], config.num_labels)
        if task == "AutoModelForMaskedImageModeling":
            return tuple(images.shape)
        raise NotImplementedError(f"the model's test file must say what {model_class.__name__} returns")

    def expects_gradient(self, model_class: type[PreTrainedModel], name: str, parameter: torch.nn.Parameter) -> bool:
        """Return whether training a class with labels changes a weight; fixed positions never change."""
        return parameter.requires_grad and super().expects_gradient(model_class, name, parameter)

    # The forward pass.

    def test_images_are_the_main_input(self, model_class: type[PreTrainedModel]) -> None:
        assert model_class.main_input_name in self.get_inputs_for(model_class, self.get_config())

    def test_hidden_states_of_every_layer(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        outputs = self.run(model, **inputs, output_hidden_states=True)
        states = [state for field in HIDDEN_STATES_FIELDS for state in getattr(outputs, field, None) or ()]
        assert [tuple(state.shape[1:]) for state in states] == self.get_hidden_shapes(model_class, model.config)
        model.config.output_hidden_states = True
        assert len(self.run(model, **inputs).to_tuple()) == len(outputs.to_tuple())

    def test_attentions_of_every_layer(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        expected = self.get_attention_shapes(model_class, model.config)
        model.config.output_attentions = True
        outputs = self.run(model, **inputs)
        attentions = [layer for field in ATTENTIONS_FIELDS for layer in getattr(outputs, field, None) or ()]
        assert [tuple(probabilities.shape[1:]) for probabilities in attentions] == expected
        for probabilities in attentions:
            sums = probabilities.sum(dim=-1)
            torch.testing.assert_close(sums, torch.ones_like(sums))
        if expected:
            model.config.output_attentions = False
            assert len(self.run(model, **inputs, output_attentions=True).to_tuple()) == len(outputs.to_tuple())

    def test_embeddings_can_be_replaced(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        before = self.run(model, **inputs)
        new = copy.deepcopy(model.get_input_embeddings())
        randomize(new)
        model.set_input_embeddings(new)
        assert model.get_input_embeddings() is new
        assert not torch.allclose(tensors_of(self.run(model, **inputs))[0], tensors_of(before)[0])

    def test_what_is_no_batch_of_images_is_refused(self, model_class: type[PreTrainedModel]) -> None:
        model = self.build(model_class)
        inputs = self.get_inputs_for(model_class, model.config)
        images = inputs["pixel_values"]
        more_channels = torch.cat((images, images[:, :1]), dim=1)
        for wrong in (images[:0], images[0], images[:, 0], images[:, :0], more_channels):
            with pytest.raises(ValueError):
                model(**{**inputs, "pixel_values": wrong})
