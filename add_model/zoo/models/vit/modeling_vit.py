"""ViT in PyTorch: an encoder that reads an image as a sequence of patches.

The architecture is that of https://arxiv.org/abs/2010.11929.

Names in the shapes: `batch`, `channels`, `height` and `width` (in pixels), `patches` (of an image), `length` (the patches
and the class token in front of them), `hidden_size`, `heads`, `head_size` (`hidden_size / heads`).
The names of the parameters are those of the published implementation; those in its older checkpoints are read, too.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...configuration_utils import PreTrainedConfig
from ...modeling_outputs import BaseModelOutputWithPooling
from ...modeling_outputs_vision import ImageClassifierOutput, MaskedImageModelingOutput
from ...modeling_utils import PreTrainedModel
from .configuration_vit import ViTConfig


def height_and_width(value: int | list[int] | tuple[int, int]) -> tuple[int, int]:
    """Return height and width of what a configuration gives by one number if both are equal."""
    if isinstance(value, int):
        return value, value
    height, width = value
    return height, width


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


def eager_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, dropout: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention written out: `softmax(query key^T * scaling) value` (https://arxiv.org/abs/1706.03762).

    Args:
        query, key, value: `(batch, heads, length, head_size)`.
        scaling: factor of the scores.
        dropout: probability of dropping an attention probability; 0 outside training.

    Returns:
        The attended values, `(batch, heads, length, head_size)`, and the attention probabilities,
        `(batch, heads, length, length)`.
    """
    attention_scores = torch.matmul(query, key.transpose(-1, -2)) * scaling
    attention_probabilities = functional.softmax(attention_scores, dim=-1)
    attention_probabilities = functional.dropout(attention_probabilities, p=dropout)
    return torch.matmul(attention_probabilities, value), attention_probabilities


def sdpa_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, dropout: float
) -> torch.Tensor:
    """Attention by PyTorch's fused function, which keeps no probabilities; otherwise the same as `eager_attention`."""
    return functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout, scale=scaling)


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


class ViTPatchEmbeddings(nn.Module):
    """Cuts images into patches that do not overlap, and makes one vector of each (section 3.1 of https://arxiv.org/abs/2010.11929)."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.image_size = height_and_width(config.image_size)
        self.patch_size = height_and_width(config.patch_size)
        self.num_channels = config.num_channels
        # The patches of an image of the configured size, from top to bottom and from left to right.
        self.grid = self.grid_of(*self.image_size)
        self.num_patches = self.grid[0] * self.grid[1]
        # A convolution whose kernel moves by its own size sees each patch once.
        self.projection = nn.Conv2d(
            config.num_channels, config.hidden_size, kernel_size=self.patch_size, stride=self.patch_size
        )

    def grid_of(self, height: int, width: int) -> tuple[int, int]:
        """Return how many whole patches fit into an image, from top to bottom and from left to right.

        Raises:
            ValueError: not a single one does.
        """
        rows, columns = height // self.patch_size[0], width // self.patch_size[1]
        if rows == 0 or columns == 0:
            raise ValueError(
                f"an image of {height} x {width} pixels is smaller than a patch of "
                f"{self.patch_size[0]} x {self.patch_size[1]}; see patch_size"
            )
        return rows, columns

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, height, width)` to `(batch, patches, hidden_size)`."""
        maps: torch.Tensor = self.projection(pixel_values)
        return maps.flatten(2).transpose(1, 2)


class ViTEmbeddings(nn.Module):
    """Puts the class token in front of the patches, and adds to each the embedding of its position.

    Args:
        config: the configuration.
        use_mask_token: whether there is a vector that stands for a masked patch.
    """

    def __init__(self, config: ViTConfig, use_mask_token: bool = False) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size)) if use_mask_token else None
        self.patch_embeddings = ViTPatchEmbeddings(config)
        self.position_embeddings = nn.Parameter(
            torch.zeros(1, self.patch_embeddings.num_patches + 1, config.hidden_size)
        )
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def interpolate_positions(self, height: int, width: int) -> torch.Tensor:
        """Return the embeddings of the positions in an image of another size than the configured one.

        Those of the patches are resized as a picture is (section 3.2 of https://arxiv.org/abs/2010.11929): bicubically, and by
        the size alone, without aligning the corners.
        """
        rows, columns = self.patch_embeddings.grid_of(height, width)
        if (rows, columns) == self.patch_embeddings.grid:
            return self.position_embeddings
        of_class, of_patches = self.position_embeddings[:, :1], self.position_embeddings[:, 1:]
        hidden_size = of_patches.shape[-1]
        picture = of_patches.reshape(1, *self.patch_embeddings.grid, hidden_size).permute(0, 3, 1, 2)
        picture = functional.interpolate(picture, size=(rows, columns), mode="bicubic", align_corners=False)
        of_patches = picture.permute(0, 2, 3, 1).reshape(1, rows * columns, hidden_size)
        return torch.cat((of_class, of_patches), dim=1)

    def mask_patches(self, patches: torch.Tensor, bool_masked_pos: torch.Tensor) -> torch.Tensor:
        """Put the mask token in the place of the masked patches, `(batch, patches, hidden_size)`.

        Raises:
            ValueError: the model has no mask token, or the mask is not for these patches.
        """
        if self.mask_token is None:
            raise ValueError("the model has no mask token; build it with use_mask_token=True")
        if bool_masked_pos.shape != patches.shape[:2]:
            raise ValueError(
                f"bool_masked_pos has the shape {tuple(bool_masked_pos.shape)}, the patches {tuple(patches.shape[:2])}"
            )
        return torch.where(bool_masked_pos.bool()[:, :, None], self.mask_token.to(patches.dtype), patches)

    def forward(
        self,
        pixel_values: torch.Tensor,
        bool_masked_pos: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
    ) -> torch.Tensor:
        """`(batch, channels, height, width)` to `(batch, length, hidden_size)`."""
        batch, _, height, width = pixel_values.shape
        image_size = self.patch_embeddings.image_size
        if not interpolate_pos_encoding and (height, width) != image_size:
            raise ValueError(
                f"the images have {height} x {width} pixels, the model takes {image_size[0]} x {image_size[1]}; "
                "resize them, or pass interpolate_pos_encoding=True"
            )
        positions = self.interpolate_positions(height, width) if interpolate_pos_encoding else self.position_embeddings
        patches: torch.Tensor = self.patch_embeddings(pixel_values)
        if bool_masked_pos is not None:
            patches = self.mask_patches(patches, bool_masked_pos)
        embeddings: torch.Tensor = torch.cat((self.cls_token.expand(batch, -1, -1), patches), dim=1) + positions
        embeddings = self.dropout(embeddings)
        return embeddings


class ViTAttention(nn.Module):
    """Lets every patch gather information from all patches of the image."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        if config.hidden_size % config.num_attention_heads != 0:
            raise ValueError(
                f"hidden_size ({config.hidden_size}) must be a multiple of "
                f"num_attention_heads ({config.num_attention_heads})"
            )
        self.config = config
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = config.hidden_size // config.num_attention_heads
        self.scaling = 1.0 / math.sqrt(self.attention_head_size)
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=config.qkv_bias)
        self.k_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=config.qkv_bias)
        self.v_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=config.qkv_bias)
        self.o_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = config.attention_probs_dropout_prob

    def split_heads(self, projection: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, heads, length, head_size)`."""
        batch, length, _ = projection.shape
        heads = projection.view(batch, length, self.num_attention_heads, self.attention_head_size)
        return heads.transpose(1, 2)

    def forward(
        self, hidden_states: torch.Tensor, output_attentions: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        query = self.split_heads(self.q_proj(hidden_states))
        key = self.split_heads(self.k_proj(hidden_states))
        value = self.split_heads(self.v_proj(hidden_states))
        dropout = self.dropout if self.training else 0.0

        attention_probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, attention_probabilities = eager_attention(query, key, value, self.scaling, dropout)
        else:
            context = sdpa_attention(query, key, value, self.scaling, dropout)
        # The heads stand beside each other again: (batch, length, hidden_size).
        context = context.transpose(1, 2).reshape(hidden_states.shape)
        attention_output: torch.Tensor = self.o_proj(context)
        return attention_output, attention_probabilities


class ViTMLP(nn.Module):
    """The feed-forward block of a layer."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = get_activation(config.hidden_act)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.fc1(hidden_states)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.fc2(hidden_states)
        return hidden_states


class ViTLayer(nn.Module):
    """One layer: attention, then the feed-forward block, each behind its normalisation.

    These are equations 2 and 3 of https://arxiv.org/abs/2010.11929.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.layernorm_before = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.attention = ViTAttention(config)
        self.layernorm_after = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = ViTMLP(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self, hidden_states: torch.Tensor, output_attentions: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        # No name holds on to what is not needed any more: the feed-forward block needs the memory.
        residual = hidden_states
        hidden_states = self.layernorm_before(hidden_states)
        hidden_states, attention_probabilities = self.attention(hidden_states, output_attentions)
        hidden_states = self.dropout(hidden_states) + residual
        residual = hidden_states
        hidden_states = self.layernorm_after(hidden_states)
        hidden_states = self.mlp(hidden_states)
        hidden_states = self.dropout(hidden_states) + residual
        return hidden_states, attention_probabilities


class ViTPooler(nn.Module):
    """Makes one vector of the whole image from its class token."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.pooler_output_size)
        self.activation = get_activation(config.pooler_act)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        pooled_output: torch.Tensor = self.dense(hidden_states[:, 0])
        pooled_output = self.activation(pooled_output)
        return pooled_output


class ViTPreTrainedModel(PreTrainedModel):
    """What all ViT models share: the configuration, the initial weights, and the names in checkpoints."""

    config_class = ViTConfig
    base_model_prefix = "vit"
    main_input_name = "pixel_values"
    # Checkpoints name their parts as BERT's do.
    _renamed_checkpoint_keys = {
        r"(^|\.)encoder\.layer\.": r"\1layers.",
        r"\.attention\.attention\.(q|k|v)(?:uery|ey|alue)\.": r".attention.\1_proj.",
        r"\.attention\.output\.dense\.": ".attention.o_proj.",
        r"\.intermediate\.dense\.": ".mlp.fc1.",
        r"(layers\.\d+)\.output\.dense\.": r"\1.mlp.fc2.",
    }

    config: ViTConfig

    def _init_weights(self, module: nn.Module) -> None:
        """Weights are drawn from a normal distribution; biases and the mask token are 0, normalisations 1."""
        standard_deviation = self.config.initializer_range
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            module.weight.normal_(mean=0.0, std=standard_deviation)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.LayerNorm):
            module.weight.fill_(1.0)
            module.bias.zero_()
        elif isinstance(module, ViTEmbeddings):
            module.cls_token.normal_(mean=0.0, std=standard_deviation)
            module.position_embeddings.normal_(mean=0.0, std=standard_deviation)
            if module.mask_token is not None:
                module.mask_token.zero_()


class ViTModel(ViTPreTrainedModel):
    """The encoder, without a head.

    Args:
        config: the configuration.
        add_pooling_layer: whether to make a vector of the whole image.
        use_mask_token: whether patches can be masked.
    """

    def __init__(self, config: ViTConfig, add_pooling_layer: bool = True, use_mask_token: bool = False) -> None:
        super().__init__(config)
        self.embeddings = ViTEmbeddings(config, use_mask_token=use_mask_token)
        self.layers = nn.ModuleList([ViTLayer(config) for _ in range(config.num_hidden_layers)])
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.pooler = ViTPooler(config) if add_pooling_layer else None
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, ViTPatchEmbeddings)
        self.embeddings.patch_embeddings = embeddings

    def forward(
        self,
        pixel_values: torch.Tensor,
        bool_masked_pos: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPooling:
        """Encode images.

        Args:
            pixel_values: images, `(batch, channels, height, width)`.
            bool_masked_pos: true for the patches that are masked, `(batch, patches)`.
            interpolate_pos_encoding: whether to take images of another size than the configured one.
            output_attentions: whether to return attention probabilities; as configured when missing.
            output_hidden_states: whether to return the output of every layer; as configured when missing.

        Raises:
            ValueError: the images have another shape than the model takes, or the mask fits neither them nor the model.
        """
        if output_attentions is None:
            output_attentions = self.config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states

        check_images(pixel_values, self.config.num_channels)
        hidden_states: torch.Tensor = self.embeddings(
            pixel_values.to(self.dtype), bool_masked_pos, interpolate_pos_encoding
        )
        all_hidden_states = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        for layer in self.layers:
            hidden_states, attention_probabilities = layer(hidden_states, output_attentions)
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
            if output_attentions:
                all_attentions.append(attention_probabilities)
        hidden_states = self.layernorm(hidden_states)
        return BaseModelOutputWithPooling(
            last_hidden_state=hidden_states,
            pooler_output=None if self.pooler is None else self.pooler(hidden_states),
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


class ViTForMaskedImageModeling(ViTPreTrainedModel):
    """ViT that fills in masked patches, pixel by pixel, as in https://arxiv.org/abs/2111.09886."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__(config)
        self.vit = ViTModel(config, add_pooling_layer=False, use_mask_token=True)
        # The channels of a patch become a square of `encoder_stride` by `encoder_stride` pixels.
        self.decoder = nn.Sequential(
            nn.Conv2d(config.hidden_size, config.encoder_stride**2 * config.num_channels, kernel_size=1),
            nn.PixelShuffle(config.encoder_stride),
        )
        self.post_init()

    def reconstruction_loss(
        self, pixel_values: torch.Tensor, reconstruction: torch.Tensor, bool_masked_pos: torch.Tensor
    ) -> torch.Tensor:
        """Return the mean absolute difference of the masked pixels."""
        patch_height, patch_width = self.vit.embeddings.patch_embeddings.patch_size
        rows, columns = reconstruction.shape[2] // patch_height, reconstruction.shape[3] // patch_width
        mask = bool_masked_pos.view(-1, 1, rows, columns).to(reconstruction.dtype)
        mask = mask.repeat_interleave(patch_height, dim=2).repeat_interleave(patch_width, dim=3)
        differences = functional.l1_loss(reconstruction, pixel_values.to(reconstruction.dtype), reduction="none")
        return (differences * mask).sum() / (mask.sum() + 1e-5) / self.config.num_channels

    def forward(
        self,
        pixel_values: torch.Tensor,
        bool_masked_pos: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> MaskedImageModelingOutput:
        """Paint every patch anew; with a mask, the loss is that of the masked ones.

        The arguments are those of `ViTModel.forward`.

        Raises:
            ValueError: there is a mask, and what is painted has another size than the image.
        """
        outputs: BaseModelOutputWithPooling = self.vit(
            pixel_values,
            bool_masked_pos=bool_masked_pos,
            interpolate_pos_encoding=interpolate_pos_encoding,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        rows, columns = self.vit.embeddings.patch_embeddings.grid_of(*pixel_values.shape[2:])
        patches = outputs.last_hidden_state[:, 1:].transpose(1, 2)
        reconstruction: torch.Tensor = self.decoder(patches.reshape(*patches.shape[:2], rows, columns))
        loss = None
        if bool_masked_pos is not None:
            if reconstruction.shape != pixel_values.shape:
                raise ValueError(
                    f"the painted images have the shape {tuple(reconstruction.shape)}, the images "
                    f"{tuple(pixel_values.shape)}: encoder_stride must be the patch_size, and sizes multiples of it"
                )
            loss = self.reconstruction_loss(pixel_values, reconstruction, bool_masked_pos)
        return MaskedImageModelingOutput(
            loss=loss,
            reconstruction=reconstruction,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class ViTForImageClassification(ViTPreTrainedModel):
    """ViT that classifies images by their class token."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__(config)
        self.vit = ViTModel(config, add_pooling_layer=False)
        # Without labels the vector of the class token is returned as it is.
        self.classifier = nn.Linear(config.hidden_size, config.num_labels) if config.num_labels > 0 else nn.Identity()
        self.post_init()

    def forward(
        self,
        pixel_values: torch.Tensor,
        labels: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> ImageClassifierOutput:
        """Score every class.

        Args:
            labels: what `image_classification_loss` takes.

        The other arguments are those of `ViTModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.vit(
            pixel_values,
            interpolate_pos_encoding=interpolate_pos_encoding,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor = self.classifier(outputs.last_hidden_state[:, 0])
        loss = None if labels is None else image_classification_loss(logits, labels, self.config)
        return ImageClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )
