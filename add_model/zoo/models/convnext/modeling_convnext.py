"""ConvNeXt in PyTorch: a convolutional network brought up to date with the choices of transformers.

The architecture is that of https://arxiv.org/abs/2201.03545. What sets it apart from a ResNet (section 2 of the paper): a
stem that cuts the image into patches; in every layer one convolution of 7 x 7, each channel for itself, and behind it two
linear maps as in a transformer's feed-forward block, with one normalisation and one activation function; layer
normalisation instead of batch normalisation; and a convolution of its own between stages, which halves height and width.
From https://arxiv.org/abs/2103.17239 (section 2.2) come the factors by which a layer scales what it adds, from
https://arxiv.org/abs/1603.09382 that training leaves out layers at random.

Names in the shapes: `batch`, `channels`, `height` and `width` (of an image, or of the map that a stage made of it).
The names of the parameters are those of the published checkpoints.
"""

import math
from itertools import islice

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...backbone_utils import BackboneMixin
from ...configuration_utils import PreTrainedConfig
from ...modeling_outputs_vision import (
    BackboneOutput,
    BaseModelOutputWithNoAttention,
    BaseModelOutputWithPoolingAndNoAttention,
    ImageClassifierOutputWithNoAttention,
)
from ...modeling_utils import PreTrainedModel
from .configuration_convnext import ConvNextConfig

# What the layer normalisations inside the stages add to the variance, in the original code as in the published models.
STAGE_LAYER_NORM_EPS = 1e-6
# Of how many pixels a layer holds the inner vectors at the same time.
PIXELS_AT_A_TIME = 2048


# Copied from add_model.zoo.models.vit.modeling_vit.height_and_width
def height_and_width(value: int | list[int] | tuple[int, int]) -> tuple[int, int]:
    """Return height and width of what a configuration gives by one number if both are equal."""
    if isinstance(value, int):
        return value, value
    height, width = value
    return height, width


# Copied from add_model.zoo.models.vit.modeling_vit.check_images
def check_images(pixel_values: torch.Tensor, num_channels: int) -> None:
    """Check that there is a batch of images, with the number of channels that the model is made for.

    Raises:
        ValueError: the shape is not `(batch, num_channels, height, width)`, or one of these is 0.
    """
    shape = tuple(pixel_values.shape)
    if len(shape) != 4:
        raise ValueError(f"images have the shape (batch, channels, height, width), not {shape}")
    if shape[1] != num_channels:
        raise ValueError(f"the images have {shape[1]} channels, the model takes {num_channels}; see num_channels")
    if 0 in shape:
        raise ValueError(f"there are no images in pixel_values of the shape {shape}")


# Copied from add_model.zoo.models.vit.modeling_vit.image_classification_loss
def image_classification_loss(logits: torch.Tensor, labels: torch.Tensor, config: PreTrainedConfig) -> torch.Tensor:
    """Return the loss of a classifier of images.

    The configuration's `problem_type` chooses it: "regression" is the mean squared error, "single_label_classification"
    the cross-entropy, "multi_label_classification" the binary cross-entropy of every label. `None` stands for
    regression if there is one label, for a single label if the labels are integers, for several labels otherwise.

    Args:
        logits: `(batch, num_labels)`.
        labels: class indices, `(batch,)`; values to predict, `(batch,)` or `(batch, num_labels)`; or 0 or 1 for every
            label, `(batch, num_labels)`.
        config: gives `num_labels` and `problem_type`.
    """
    num_labels = config.num_labels
    problem_type = config.problem_type
    if problem_type is None:
        if num_labels == 1:
            problem_type = "regression"
        elif labels.dtype in (torch.int32, torch.int64):
            problem_type = "single_label_classification"
        else:
            problem_type = "multi_label_classification"
    if problem_type == "regression":
        if num_labels == 1:
            return functional.mse_loss(logits.squeeze(), labels.squeeze())
        return functional.mse_loss(logits, labels)
    if problem_type == "single_label_classification":
        return functional.cross_entropy(logits.view(-1, num_labels), labels.view(-1))
    return functional.binary_cross_entropy_with_logits(logits, labels)


class ConvNextLayerNorm(nn.LayerNorm):
    """Normalises every pixel of a map over its channels, which stand first, `(batch, channels, height, width)`.

    In memory the channels of a pixel stand beside each other behind it, and so they do in all layers: none of them has to
    move numbers for its linear maps.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=STAGE_LAYER_NORM_EPS)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        normalized: torch.Tensor = super().forward(input.permute(0, 2, 3, 1))
        return normalized.permute(0, 3, 1, 2)


class ConvNextDropPath(nn.Module):
    """Leaves out a layer for some images of a batch, in training (https://arxiv.org/abs/1603.09382, section 3).

    What stays is divided by the probability of staying, so that the mean is that of evaluation.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        if self.probability == 0.0 or not self.training:
            return hidden_states
        shape = (hidden_states.shape[0], *[1] * (hidden_states.dim() - 1))
        kept = torch.rand(shape, dtype=hidden_states.dtype, device=hidden_states.device) >= self.probability
        return hidden_states / (1 - self.probability) * kept


class ConvNextEmbeddings(nn.Module):
    """The stem: cuts the images into patches and makes a vector of each."""

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__()
        patch_height, patch_width = patch = height_and_width(config.patch_size)
        self.patch_embeddings = nn.Conv2d(config.num_channels, config.hidden_sizes[0], kernel_size=patch, stride=patch)
        self.layernorm = ConvNextLayerNorm(config.hidden_sizes[0])
        self.num_channels = config.num_channels
        # Of a smaller image the last stage would have nothing left.
        halvings = 2 ** (config.num_stages - 1)
        self.smallest_height, self.smallest_width = patch_height * halvings, patch_width * halvings

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        check_images(pixel_values, self.num_channels)
        height, width = pixel_values.shape[2:]
        if height < self.smallest_height or width < self.smallest_width:
            raise ValueError(
                f"the images are {height} x {width}, the model takes them from {self.smallest_height} x "
                f"{self.smallest_width} on"
            )
        embeddings: torch.Tensor = self.layernorm(self.patch_embeddings(pixel_values))
        return embeddings


class ConvNextLayer(nn.Module):
    """One layer: mixes pixels channel by channel, then channels pixel by pixel.

    Args:
        config: the configuration.
        channels: number of channels of the map.
        drop_path: probability of leaving the layer out, in training.
    """

    def __init__(self, config: ConvNextConfig, channels: int, drop_path: float) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, kernel_size=7, padding=3, groups=channels)
        self.layernorm = nn.LayerNorm(channels, eps=STAGE_LAYER_NORM_EPS)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.activation = get_activation(config.hidden_act)
        self.pwconv2 = nn.Linear(4 * channels, channels)
        self.layer_scale_parameter = nn.Parameter(torch.ones(channels)) if config.layer_scale_init_value > 0 else None
        self.drop_path = ConvNextDropPath(drop_path)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        residual = hidden_states
        hidden_states = self.dwconv(hidden_states)
        # Normalisation and linear maps take the channels last: (batch, height, width, channels).
        hidden_states = self.layernorm(hidden_states.permute(0, 2, 3, 1))
        hidden_states = self.mix_channels(hidden_states).permute(0, 3, 1, 2)
        hidden_states = self.drop_path(hidden_states)
        if self.layer_scale_parameter is None:
            return residual + hidden_states
        # The sum of the residual and of each channel times its factor.
        return torch.addcmul(residual, hidden_states, self.layer_scale_parameter[:, None, None])

    def mix_channels(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """The two linear maps, `(batch, height, width, channels)` to the same shape, some pixels at a time.

        The vectors between them are four times as long: those of all pixels of a large map would not stay in the
        processor's cache.
        """
        pixels = hidden_states.flatten(0, 2)
        mixed = [
            self.pwconv2(self.activation(self.pwconv1(some)))
            for some in pixels.chunk(math.ceil(len(pixels) / PIXELS_AT_A_TIME))
        ]
        all_pixels = mixed[0] if len(mixed) == 1 else torch.cat(mixed)
        return all_pixels.view(hidden_states.shape)


class ConvNextStage(nn.Module):
    """One stage: layers on maps of one size, and before them, but in the first stage, a convolution that halves it.

    Args:
        config: the configuration.
        index: number of the stage.
        drop_path_rates: for every layer the probability of leaving it out, in training.
    """

    def __init__(self, config: ConvNextConfig, index: int, drop_path_rates: list[float]) -> None:
        super().__init__()
        channels = config.hidden_sizes[index]
        self.downsampling_layer = nn.ModuleList()
        if index > 0:
            previous_channels = config.hidden_sizes[index - 1]
            self.downsampling_layer.append(ConvNextLayerNorm(previous_channels))
            self.downsampling_layer.append(nn.Conv2d(previous_channels, channels, kernel_size=2, stride=2))
        self.layers = nn.ModuleList([ConvNextLayer(config, channels, drop_path) for drop_path in drop_path_rates])

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        for downsampling in self.downsampling_layer:
            hidden_states = downsampling(hidden_states)
        for layer in self.layers:
            hidden_states = layer(hidden_states)
        return hidden_states


class ConvNextEncoder(nn.Module):
    """All stages, one after the other."""

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__()
        for name in ("hidden_sizes", "depths"):
            values = getattr(config, name)
            if len(values) != config.num_stages:
                raise ValueError(f"{name} must have a value for each of the {config.num_stages} stages, not {values}")
        rates = iter(torch.linspace(0, config.drop_path_rate, sum(config.depths)).tolist())
        self.stages = nn.ModuleList(
            [ConvNextStage(config, index, list(islice(rates, depth))) for index, depth in enumerate(config.depths)]
        )

    def forward(
        self, hidden_states: torch.Tensor, output_hidden_states: bool = False
    ) -> BaseModelOutputWithNoAttention:
        # The first maps are the largest: they are kept only for who wants them.
        all_hidden_states = [hidden_states] if output_hidden_states else []
        for stage in self.stages:
            hidden_states = stage(hidden_states)
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
        return BaseModelOutputWithNoAttention(
            last_hidden_state=hidden_states,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
        )


class ConvNextPreTrainedModel(PreTrainedModel):
    """What all ConvNeXt models share: configuration, names and initialisation."""

    config_class = ConvNextConfig
    base_model_prefix = "convnext"
    main_input_name = "pixel_values"

    config: ConvNextConfig

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            module.weight.normal_(mean=0.0, std=self.config.initializer_range)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.LayerNorm):
            module.weight.fill_(1.0)
            module.bias.zero_()
        elif isinstance(module, ConvNextLayer) and module.layer_scale_parameter is not None:
            module.layer_scale_parameter.fill_(self.config.layer_scale_init_value)


class ConvNextModel(ConvNextPreTrainedModel):
    """The stem and the stages, without a head.

    Raises:
        ValueError: the configuration lacks the size or the depth of a stage.
    """

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__(config)
        self.embeddings = ConvNextEmbeddings(config)
        self.encoder = ConvNextEncoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_sizes[-1], eps=config.layer_norm_eps)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, nn.Conv2d)
        self.embeddings.patch_embeddings = embeddings

    def forward(
        self, pixel_values: torch.Tensor, output_hidden_states: bool | None = None
    ) -> BaseModelOutputWithPoolingAndNoAttention:
        """Encode images.

        Args:
            pixel_values: the images, `(batch, channels, height, width)`, of any height and width from
                `patch_size * 2 ** (num_stages - 1)` on.
            output_hidden_states: whether to return the output of the stem and of every stage; as configured when
                missing.

        Raises:
            ValueError: see `check_images`; or the images are too small.
        """
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states

        embeddings = self.embeddings(pixel_values)
        encoder_outputs: BaseModelOutputWithNoAttention = self.encoder(embeddings, output_hidden_states)
        pooled_output: torch.Tensor = self.layernorm(encoder_outputs.last_hidden_state.mean(dim=(-2, -1)))
        return BaseModelOutputWithPoolingAndNoAttention(
            last_hidden_state=encoder_outputs.last_hidden_state,
            pooler_output=pooled_output,
            hidden_states=encoder_outputs.hidden_states,
        )


class ConvNextForImageClassification(ConvNextPreTrainedModel):
    """ConvNeXt that classifies images, or predicts numbers from them."""

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__(config)
        self.convnext = ConvNextModel(config)
        # A configuration without labels is that of a model that returns the pooled vector itself.
        has_labels = config.num_labels > 0
        self.classifier = nn.Linear(config.hidden_sizes[-1], config.num_labels) if has_labels else nn.Identity()
        self.post_init()

    def forward(
        self,
        pixel_values: torch.Tensor,
        labels: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
    ) -> ImageClassifierOutputWithNoAttention:
        """Score the labels.

        Args:
            labels: what `image_classification_loss` takes.

        The other arguments are those of `ConvNextModel.forward`.
        """
        outputs: BaseModelOutputWithPoolingAndNoAttention = self.convnext(pixel_values, output_hidden_states)
        logits: torch.Tensor = self.classifier(outputs.pooler_output)
        loss = None
        if labels is not None:
            loss = image_classification_loss(logits, labels, self.config)
        return ImageClassifierOutputWithNoAttention(loss=loss, logits=logits, hidden_states=outputs.hidden_states)


class ConvNextBackbone(BackboneMixin, ConvNextPreTrainedModel):
    """ConvNeXt whose maps another model goes on with, such as a detector; each is normalised by itself."""

    config: ConvNextConfig

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__(config)
        self.embeddings = ConvNextEmbeddings(config)
        self.encoder = ConvNextEncoder(config)
        self.num_features = [config.hidden_sizes[0], *config.hidden_sizes]
        self.hidden_states_norms = nn.ModuleDict(
            {
                stage: ConvNextLayerNorm(channels)
                for stage, channels in zip(self.out_features, self.channels, strict=True)
            }
        )
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, nn.Conv2d)
        self.embeddings.patch_embeddings = embeddings

    def forward(self, pixel_values: torch.Tensor, output_hidden_states: bool | None = None) -> BackboneOutput:
        """Return the maps of the stages that `out_features` names.

        The arguments are those of `ConvNextModel.forward`.
        """
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states

        embeddings = self.embeddings(pixel_values)
        encoder_outputs: BaseModelOutputWithNoAttention = self.encoder(embeddings, output_hidden_states=True)
        assert encoder_outputs.hidden_states is not None
        feature_maps: list[torch.Tensor] = [
            self.hidden_states_norms[stage](hidden_state)
            for stage, hidden_state in zip(self.stage_names, encoder_outputs.hidden_states, strict=True)
            if stage in self.out_features
        ]
        return BackboneOutput(
            feature_maps=tuple(feature_maps),
            hidden_states=encoder_outputs.hidden_states if output_hidden_states else None,
        )
