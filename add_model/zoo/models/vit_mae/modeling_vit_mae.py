"""ViTMAE in PyTorch: an encoder that sees a quarter of the patches of an image, and a small decoder that paints the rest.

The architecture is that of https://arxiv.org/abs/2111.06377.

Names in the shapes: `batch`, `channels`, `height` and `width` (in pixels), `patches` (of an image), `kept` (patches that
are not masked), `length` (the kept patches and the class token in front of them), `hidden_size`, `heads`, `head_size`.
The names of the parameters are those of the published implementation; those in its older checkpoints are read, too.
"""

import copy
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...modeling_outputs import ModelOutput, TensorTuple
from ...modeling_utils import PreTrainedModel
from .configuration_vit_mae import ViTMAEConfig


@dataclass(kw_only=True)
class ViTMAEModelOutput(ModelOutput):
    """Output of the encoder.

    Attributes:
        last_hidden_state: output of the last layer at the class token and the kept patches, `(batch, length, hidden_size)`.
        mask: 1 for the patches that are masked, 0 for those that are kept, `(batch, patches)`.
        ids_restore: for each patch, its place in the shuffled order that begins with the kept ones, `(batch, patches)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    last_hidden_state: torch.Tensor
    mask: torch.Tensor
    ids_restore: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class ViTMAEForPreTrainingOutput(ModelOutput):
    """Output of the encoder and the decoder.

    Attributes:
        loss: mean squared difference of the masked patches, a scalar.
        logits: the painted patches, `(batch, patches, patch height * patch width * channels)`.
        mask: 1 for the patches that are masked, 0 for those that are kept, `(batch, patches)`.
        ids_restore: for each patch, its place in the shuffled order that begins with the kept ones, `(batch, patches)`.
        hidden_states: the encoder's embeddings and the output of each of its layers, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of the encoder's layers, each `(batch, heads, length, length)`.
    """

    loss: torch.Tensor
    logits: torch.Tensor
    mask: torch.Tensor
    ids_restore: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


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


# Copied from add_model.zoo.models.vit.modeling_vit.eager_attention
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


# Copied from add_model.zoo.models.vit.modeling_vit.sdpa_attention
def sdpa_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, dropout: float
) -> torch.Tensor:
    """Attention by PyTorch's fused function, which keeps no probabilities; otherwise the same as `eager_attention`."""
    return functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout, scale=scaling)


def fixed_positions(rows: int, columns: int, size: int) -> torch.Tensor:
    """Return sines and cosines of the place of every patch, and zeros for the class token in front of them.

    The first half of a vector tells the column and the second half the row, as in the original code (MAE, pos_embed.py),
    which means it the other way round; each half has the sines of all frequencies, then the cosines.

    Args:
        rows, columns: how many patches an image has, from top to bottom and from left to right.
        size: length of a vector; a multiple of 4.

    Returns:
        `(1, rows * columns + 1, size)`.

    Raises:
        ValueError: `size` is no multiple of 4.
    """
    if size % 4 != 0:
        raise ValueError(f"fixed positions need a vector whose length is a multiple of 4, not {size}; see hidden_size")
    frequencies = 1.0 / 10000 ** (torch.arange(size // 4, dtype=torch.float64) / (size // 4))
    of_columns = torch.arange(columns, dtype=torch.float64).repeat(rows)[:, None] * frequencies
    of_rows = torch.arange(rows, dtype=torch.float64).repeat_interleave(columns)[:, None] * frequencies
    of_patches = torch.cat((of_columns.sin(), of_columns.cos(), of_rows.sin(), of_rows.cos()), dim=1)
    return torch.cat((torch.zeros(1, size, dtype=torch.float64), of_patches)).to(torch.float32)[None]


# Copied from add_model.zoo.models.vit.modeling_vit.ViTPatchEmbeddings with ViT->ViTMAE
class ViTMAEPatchEmbeddings(nn.Module):
    """Cuts images into patches that do not overlap, and makes one vector of each (section 3.1 of https://arxiv.org/abs/2010.11929)."""

    def __init__(self, config: ViTMAEConfig) -> None:
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


class ViTMAEEmbeddings(nn.Module):
    """Adds fixed positions to the patches, leaves most of them out, and puts the class token in front of the others."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.patch_embeddings = ViTMAEPatchEmbeddings(config)
        positions = fixed_positions(*self.patch_embeddings.grid, config.hidden_size)
        self.position_embeddings = nn.Parameter(positions, requires_grad=False)
        self.mask_ratio = config.mask_ratio

    # Copied from add_model.zoo.models.vit.modeling_vit.ViTEmbeddings.interpolate_positions
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

    def keep_some(
        self, patches: torch.Tensor, noise: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Leave out `mask_ratio` of the patches of each image: those with the most noise (appendix A of the paper).

        Args:
            patches: `(batch, patches, hidden_size)`.
            noise: a number for each patch, `(batch, patches)`; drawn at random when missing.

        Returns:
            The kept patches in the order of their noise, `(batch, kept, hidden_size)`; 1 for each patch that is left out
            and 0 for the others, `(batch, patches)`; and the place of each patch in that order, `(batch, patches)`.

        Raises:
            ValueError: the noise has another shape.
        """
        batch, length, hidden_size = patches.shape
        if noise is None:
            noise = torch.rand(batch, length, device=patches.device)
        if noise.shape != (batch, length):
            raise ValueError(f"noise has the shape {tuple(noise.shape)}, the patches {(batch, length)}")
        kept = int(length * (1 - self.mask_ratio))
        ids_shuffle = torch.argsort(noise, dim=1)
        ids_restore = torch.argsort(ids_shuffle, dim=1)
        ids_keep = ids_shuffle[:, :kept, None].expand(-1, -1, hidden_size)
        return torch.gather(patches, 1, ids_keep), (ids_restore >= kept).to(torch.float32), ids_restore

    def forward(
        self, pixel_values: torch.Tensor, noise: torch.Tensor | None = None, interpolate_pos_encoding: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`(batch, channels, height, width)` to `(batch, length, hidden_size)`, the mask, and the places of the patches."""
        batch, _, height, width = pixel_values.shape
        image_size = self.patch_embeddings.image_size
        if not interpolate_pos_encoding and (height, width) != image_size:
            raise ValueError(
                f"the images have {height} x {width} pixels, the model takes {image_size[0]} x {image_size[1]}; "
                "resize them, or pass interpolate_pos_encoding=True"
            )
        positions = self.interpolate_positions(height, width) if interpolate_pos_encoding else self.position_embeddings
        patches = self.patch_embeddings(pixel_values) + positions[:, 1:]
        kept_patches, mask, ids_restore = self.keep_some(patches, noise)
        class_token = (self.cls_token + positions[:, :1]).expand(batch, -1, -1)
        return torch.cat((class_token, kept_patches), dim=1), mask, ids_restore


# Copied from add_model.zoo.models.vit.modeling_vit.ViTAttention with ViT->ViTMAE
class ViTMAEAttention(nn.Module):
    """Lets every patch gather information from all patches of the image."""

    def __init__(self, config: ViTMAEConfig) -> None:
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


# Copied from add_model.zoo.models.vit.modeling_vit.ViTMLP with ViT->ViTMAE
class ViTMAEMLP(nn.Module):
    """The feed-forward block of a layer."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = get_activation(config.hidden_act)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.fc1(hidden_states)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.fc2(hidden_states)
        return hidden_states


# Copied from add_model.zoo.models.vit.modeling_vit.ViTLayer with ViT->ViTMAE
class ViTMAELayer(nn.Module):
    """One layer: attention, then the feed-forward block, each behind its normalisation.

    These are equations 2 and 3 of https://arxiv.org/abs/2010.11929.
    """

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__()
        self.layernorm_before = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.attention = ViTMAEAttention(config)
        self.layernorm_after = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = ViTMAEMLP(config)
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


class ViTMAEDecoder(nn.Module):
    """Puts a mask token in the place of every patch that was left out, and paints all patches (section 3 of the paper)."""

    def __init__(self, config: ViTMAEConfig, grid: tuple[int, int]) -> None:
        super().__init__()
        self.decoder_embed = nn.Linear(config.hidden_size, config.decoder_hidden_size)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, config.decoder_hidden_size))
        positions = fixed_positions(*grid, config.decoder_hidden_size)
        self.decoder_pos_embed = nn.Parameter(positions, requires_grad=False)
        # The layers are the encoder's, of other sizes.
        layer_config = copy.deepcopy(config)
        layer_config.hidden_size = config.decoder_hidden_size
        layer_config.num_attention_heads = config.decoder_num_attention_heads
        layer_config.intermediate_size = config.decoder_intermediate_size
        self.decoder_layers = nn.ModuleList(
            [ViTMAELayer(layer_config) for _ in range(config.decoder_num_hidden_layers)]
        )
        self.decoder_norm = nn.LayerNorm(config.decoder_hidden_size, eps=config.layer_norm_eps)
        patch_height, patch_width = height_and_width(config.patch_size)
        self.decoder_pred = nn.Linear(config.decoder_hidden_size, patch_height * patch_width * config.num_channels)

    def interpolate_positions(self, patches: int) -> torch.Tensor:
        """Return the positions of another number of patches: those of the configured one, resized as one line."""
        of_class, of_patches = self.decoder_pos_embed[:, :1], self.decoder_pos_embed[:, 1:]
        line = of_patches.transpose(1, 2)[:, :, None]
        line = functional.interpolate(line, size=(1, patches), mode="bicubic", align_corners=False)
        return torch.cat((of_class, line[:, :, 0].transpose(1, 2)), dim=1)

    def forward(
        self, hidden_states: torch.Tensor, ids_restore: torch.Tensor, interpolate_pos_encoding: bool = False
    ) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, patches, patch height * patch width * channels)`."""
        hidden_states = self.decoder_embed(hidden_states)
        batch, length, hidden_size = hidden_states.shape
        patches = ids_restore.shape[1]
        masked = self.mask_token.expand(batch, patches + 1 - length, -1)
        shuffled = torch.cat((hidden_states[:, 1:], masked), dim=1)
        in_order = torch.gather(shuffled, 1, ids_restore[:, :, None].expand(-1, -1, hidden_size))
        positions = self.interpolate_positions(patches) if interpolate_pos_encoding else self.decoder_pos_embed
        hidden_states = torch.cat((hidden_states[:, :1], in_order), dim=1) + positions
        for layer in self.decoder_layers:
            hidden_states, _ = layer(hidden_states)
        logits: torch.Tensor = self.decoder_pred(self.decoder_norm(hidden_states))
        return logits[:, 1:]


class ViTMAEPreTrainedModel(PreTrainedModel):
    """What all ViTMAE models share: the configuration, the initial weights, and the names in checkpoints."""

    config_class = ViTMAEConfig
    base_model_prefix = "vit"
    main_input_name = "pixel_values"
    # Checkpoints name their parts as BERT's do; Transformers 5 writes "decoder_encoder.layer" for "decoder_layers".
    _renamed_checkpoint_keys = {
        r"encoder\.layer\.": "layers.",
        r"\.attention\.attention\.(q|k|v)(?:uery|ey|alue)\.": r".attention.\1_proj.",
        r"\.attention\.output\.dense\.": ".attention.o_proj.",
        r"\.intermediate\.dense\.": ".mlp.fc1.",
        r"(layers\.\d+)\.output\.dense\.": r"\1.mlp.fc2.",
    }

    config: ViTMAEConfig

    def _init_weights(self, module: nn.Module) -> None:
        """Weights and tokens are drawn from a normal distribution; biases are 0, normalisations 1, positions as computed."""
        standard_deviation = self.config.initializer_range
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            module.weight.normal_(mean=0.0, std=standard_deviation)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.LayerNorm):
            module.weight.fill_(1.0)
            module.bias.zero_()
        elif isinstance(module, ViTMAEEmbeddings):
            module.cls_token.normal_(mean=0.0, std=standard_deviation)
        elif isinstance(module, ViTMAEDecoder):
            module.mask_token.normal_(mean=0.0, std=standard_deviation)


class ViTMAEModel(ViTMAEPreTrainedModel):
    """The encoder, without the decoder."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__(config)
        self.embeddings = ViTMAEEmbeddings(config)
        self.layers = nn.ModuleList([ViTMAELayer(config) for _ in range(config.num_hidden_layers)])
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, ViTMAEPatchEmbeddings)
        self.embeddings.patch_embeddings = embeddings

    def forward(
        self,
        pixel_values: torch.Tensor,
        noise: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> ViTMAEModelOutput:
        """Encode some of the patches of images.

        Args:
            pixel_values: images, `(batch, channels, height, width)`.
            noise: a number for each patch, `(batch, patches)`: those with the most are left out; drawn when missing.
            interpolate_pos_encoding: whether to take images of another size than the configured one.
            output_attentions: whether to return attention probabilities; as configured when missing.
            output_hidden_states: whether to return the output of every layer; as configured when missing.

        Raises:
            ValueError: the images have another shape than the model takes, or the noise does not fit them.
        """
        if output_attentions is None:
            output_attentions = self.config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states

        check_images(pixel_values, self.config.num_channels)
        hidden_states, mask, ids_restore = self.embeddings(
            pixel_values.to(self.dtype), noise, interpolate_pos_encoding
        )
        all_hidden_states = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        for layer in self.layers:
            hidden_states, attention_probabilities = layer(hidden_states, output_attentions)
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
            if output_attentions:
                all_attentions.append(attention_probabilities)
        return ViTMAEModelOutput(
            last_hidden_state=self.layernorm(hidden_states),
            mask=mask,
            ids_restore=ids_restore,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


class ViTMAEForPreTraining(ViTMAEPreTrainedModel):
    """ViTMAE with its decoder: it learns to paint the patches that it was not shown."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__(config)
        self.vit = ViTMAEModel(config)
        self.decoder = ViTMAEDecoder(config, self.vit.embeddings.patch_embeddings.grid)
        self.post_init()

    def patchify(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Cut images, `(batch, channels, height, width)`, into `(batch, patches, patch height * patch width * channels)`.

        Raises:
            ValueError: the images are not made of whole patches.
        """
        batch, channels, height, width = pixel_values.shape
        patch_height, patch_width = self.vit.embeddings.patch_embeddings.patch_size
        if height % patch_height != 0 or width % patch_width != 0:
            raise ValueError(
                f"an image of {height} x {width} pixels is not made of whole patches of {patch_height} x {patch_width}"
            )
        rows, columns = height // patch_height, width // patch_width
        patches = pixel_values.reshape(batch, channels, rows, patch_height, columns, patch_width)
        patches = patches.permute(0, 2, 4, 3, 5, 1)
        return patches.reshape(batch, rows * columns, patch_height * patch_width * channels)

    def unpatchify(self, patches: torch.Tensor, image_size: tuple[int, int] | None = None) -> torch.Tensor:
        """Put the patches of images together again: the opposite of `patchify`.

        Args:
            patches: `(batch, patches, patch height * patch width * channels)`, such as the logits.
            image_size: height and width of the images; as configured when missing.

        Raises:
            ValueError: images of that size have another number of patches.
        """
        embeddings = self.vit.embeddings.patch_embeddings
        (patch_height, patch_width), channels = embeddings.patch_size, self.config.num_channels
        height, width = image_size or embeddings.image_size
        rows, columns = embeddings.grid_of(height, width)
        if patches.shape[1] != rows * columns:
            raise ValueError(
                f"an image of {height} x {width} pixels has {rows * columns} patches, not {patches.shape[1]}; "
                "pass its image_size"
            )
        images = patches.reshape(-1, rows, columns, patch_height, patch_width, channels).permute(0, 5, 1, 3, 2, 4)
        return images.reshape(-1, channels, rows * patch_height, columns * patch_width)

    def reconstruction_loss(
        self, pixel_values: torch.Tensor, logits: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Return the mean squared difference of the masked patches.

        With `norm_pix_loss` the pixels of each patch are normalised before, by their own mean and variance (section 4 of
        the paper).
        """
        target = self.patchify(pixel_values.to(logits.dtype))
        if self.config.norm_pix_loss:
            mean = target.mean(dim=-1, keepdim=True)
            variance = target.var(dim=-1, keepdim=True)
            target = (target - mean) / (variance + 1e-6) ** 0.5
        of_patches = ((logits - target) ** 2).mean(dim=-1)
        return (of_patches * mask).sum() / mask.sum()

    def forward(
        self,
        pixel_values: torch.Tensor,
        noise: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> ViTMAEForPreTrainingOutput:
        """Paint all patches of images, of which most are masked.

        The arguments are those of `ViTMAEModel.forward`.
        """
        outputs: ViTMAEModelOutput = self.vit(
            pixel_values,
            noise=noise,
            interpolate_pos_encoding=interpolate_pos_encoding,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor = self.decoder(outputs.last_hidden_state, outputs.ids_restore, interpolate_pos_encoding)
        return ViTMAEForPreTrainingOutput(
            loss=self.reconstruction_loss(pixel_values, logits, outputs.mask),
            logits=logits,
            mask=outputs.mask,
            ids_restore=outputs.ids_restore,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
