"""BEiT in PyTorch: an encoder of images that learns to say which visual words its masked patches are.

The architecture is that of https://arxiv.org/abs/2106.08254; its head for pixels is that of https://arxiv.org/abs/1807.10221.

Names in the shapes: `batch`, `channels`, `height` and `width` (in pixels), `patches` (of an image), `rows` and `columns` (of
its patches), `length` (the patches and the class token in front of them), `hidden_size`, `heads`, `head_size`.
The names of the parameters are those of the published implementation; those in its older checkpoints are read, too.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...configuration_utils import PreTrainedConfig
from ...modeling_outputs import BaseModelOutputWithPooling, MaskedLMOutput
from ...modeling_outputs_vision import ImageClassifierOutput, SemanticSegmenterOutput
from ...modeling_utils import PreTrainedModel
from .configuration_beit import BeitConfig


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


# Copied from add_model.zoo.models.bert.modeling_bert.eager_attention
def eager_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention written out: `softmax(query key^T * scaling + mask) value` (https://arxiv.org/abs/1706.03762).

    Args:
        query: `(batch, heads, query_length, head_size)`.
        key, value: `(batch, heads, key_length, head_size)`.
        attention_mask: numbers to add to the scores, as `expand_attention_mask` returns them.
        scaling: factor of the scores.
        dropout: probability of dropping an attention probability; 0 outside training.

    Returns:
        The attended values, `(batch, heads, query_length, head_size)`, and the attention probabilities,
        `(batch, heads, query_length, key_length)`.
    """
    attention_scores = torch.matmul(query, key.transpose(-1, -2)) * scaling
    if attention_mask is not None:
        attention_scores = attention_scores + attention_mask
    attention_probabilities = functional.softmax(attention_scores, dim=-1)
    attention_probabilities = functional.dropout(attention_probabilities, p=dropout)
    return torch.matmul(attention_probabilities, value), attention_probabilities


# Copied from add_model.zoo.models.bert.modeling_bert.sdpa_attention
def sdpa_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float,
) -> torch.Tensor:
    """Attention by PyTorch's fused function, which keeps no probabilities; otherwise the same as `eager_attention`."""
    return functional.scaled_dot_product_attention(
        query, key, value, attn_mask=attention_mask, dropout_p=dropout, scale=scaling
    )


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


# The images of a batch have one size, and so, mostly, do those of the next.
@lru_cache(maxsize=8)
def relative_positions(rows: int, columns: int) -> torch.Tensor:
    """Return which entry of a table of relative positions each pair of patches has.

    The table of a window of patches holds the distances row by row, from the one that leads furthest up and to the left,
    and behind them three more: from the class token, to it, and from it to itself.

    Args:
        rows, columns: the patches of an image, from top to bottom and from left to right.

    Returns:
        Indices, `(length, length)`.
    """
    area = (2 * rows - 1) * (2 * columns - 1)
    places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).view(-1, 2)
    distances = places[:, None] - places[None, :]
    of_patches = (distances[..., 0] + rows - 1) * (2 * columns - 1) + distances[..., 1] + columns - 1
    index = torch.empty(rows * columns + 1, rows * columns + 1, dtype=torch.long)
    index[1:, 1:] = of_patches
    index[0, :] = area
    index[:, 0] = area + 1
    index[0, 0] = area + 2
    return index


def drop_path(hidden_states: torch.Tensor, rate: float) -> torch.Tensor:
    """Leave out what a block adds for whole images at random (https://arxiv.org/abs/1603.09382), in training."""
    if rate == 0.0:
        return hidden_states
    kept = torch.rand(hidden_states.shape[0], 1, 1, device=hidden_states.device) >= rate
    return hidden_states * kept / (1 - rate)


# Copied from add_model.zoo.models.vit.modeling_vit.ViTPatchEmbeddings with ViT->Beit
class BeitPatchEmbeddings(nn.Module):
    """Cuts images into patches that do not overlap, and makes one vector of each (section 3.1 of https://arxiv.org/abs/2010.11929)."""

    def __init__(self, config: BeitConfig) -> None:
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


class BeitEmbeddings(nn.Module):
    """Puts the class token in front of the patches, and adds to each the embedding of its position, if there are any."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size)) if config.use_mask_token else None
        self.patch_embeddings = BeitPatchEmbeddings(config)
        self.position_embeddings: nn.Parameter | None = None
        if config.use_absolute_position_embeddings:
            length = self.patch_embeddings.num_patches + 1
            self.position_embeddings = nn.Parameter(torch.zeros(1, length, config.hidden_size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def interpolate_positions(self, positions: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        """Return the embeddings of the positions in an image of other rows and columns, resized as a picture is."""
        if grid == self.patch_embeddings.grid:
            return positions
        of_class, of_patches = positions[:, :1], positions[:, 1:]
        hidden_size = of_patches.shape[-1]
        picture = of_patches.reshape(1, *self.patch_embeddings.grid, hidden_size).permute(0, 3, 1, 2)
        picture = functional.interpolate(picture, size=grid, mode="bicubic", align_corners=False)
        return torch.cat((of_class, picture.flatten(2).transpose(1, 2)), dim=1)

    # Copied from add_model.zoo.models.vit.modeling_vit.ViTEmbeddings.mask_patches
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

    def forward(self, pixel_values: torch.Tensor, bool_masked_pos: torch.Tensor | None = None) -> torch.Tensor:
        """`(batch, channels, height, width)` to `(batch, length, hidden_size)`."""
        batch, _, height, width = pixel_values.shape
        grid = self.patch_embeddings.grid_of(height, width)
        patches: torch.Tensor = self.patch_embeddings(pixel_values)
        if bool_masked_pos is not None:
            patches = self.mask_patches(patches, bool_masked_pos)
        embeddings = torch.cat((self.cls_token.expand(batch, -1, -1), patches), dim=1)
        if self.position_embeddings is not None:
            embeddings = embeddings + self.interpolate_positions(self.position_embeddings, grid)
        dropped: torch.Tensor = self.dropout(embeddings)
        return dropped


class BeitRelativePositionBias(nn.Module):
    """What is added to the attention scores of every pair of patches, by how far they are apart (section 2.3)."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__()
        height, width = height_and_width(config.image_size)
        patch_height, patch_width = height_and_width(config.patch_size)
        self.grid = (height // patch_height, width // patch_width)
        self.num_relative_distance = (2 * self.grid[0] - 1) * (2 * self.grid[1] - 1) + 3
        self.relative_position_bias_table = nn.Parameter(
            torch.zeros(self.num_relative_distance, config.num_attention_heads)
        )

    def forward(self, grid: tuple[int, int], index: torch.Tensor) -> torch.Tensor:
        """Return the bias, `(1, heads, length, length)`.

        Args:
            grid: rows and columns of the image's patches; for others than the configured ones the table is resized as a
                picture is.
            index: what `relative_positions` returns for them.
        """
        table: torch.Tensor = self.relative_position_bias_table
        if grid != self.grid:
            of_patches = table[:-3].view(1, 2 * self.grid[0] - 1, 2 * self.grid[1] - 1, -1).permute(0, 3, 1, 2)
            size = (2 * grid[0] - 1, 2 * grid[1] - 1)
            of_patches = functional.interpolate(of_patches, size=size, mode="bilinear")
            table = torch.cat((of_patches.flatten(2)[0].T, table[-3:]))
        bias = table.T.contiguous().index_select(1, index.flatten())
        return bias.view(1, -1, *index.shape)


class BeitAttention(nn.Module):
    """Lets every patch gather information from all patches of the image. Keys have no bias: it would change nothing."""

    def __init__(self, config: BeitConfig) -> None:
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
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.k_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.o_proj = nn.Linear(config.hidden_size, config.hidden_size)

    # Copied from add_model.zoo.models.bert.modeling_bert.BertSelfAttention.split_heads
    def split_heads(self, projection: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, heads, length, head_size)`."""
        batch, length, _ = projection.shape
        heads = projection.view(batch, length, self.num_attention_heads, self.attention_head_size)
        return heads.transpose(1, 2)

    def forward(
        self, hidden_states: torch.Tensor, bias: torch.Tensor | None = None, output_attentions: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        query = self.split_heads(self.q_proj(hidden_states))
        key = self.split_heads(self.k_proj(hidden_states))
        value = self.split_heads(self.v_proj(hidden_states))
        dropout = self.config.attention_probs_dropout_prob if self.training else 0.0

        attention_probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, attention_probabilities = eager_attention(query, key, value, bias, self.scaling, dropout)
        else:
            context = sdpa_attention(query, key, value, bias, self.scaling, dropout)
        # The heads stand beside each other again: (batch, length, hidden_size).
        context = context.transpose(1, 2).reshape(hidden_states.shape)
        attention_output: torch.Tensor = self.o_proj(context)
        return attention_output, attention_probabilities


# Copied from add_model.zoo.models.vit.modeling_vit.ViTMLP with ViT->Beit
class BeitMLP(nn.Module):
    """The feed-forward block of a layer."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = get_activation(config.hidden_act)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.fc1(hidden_states)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.fc2(hidden_states)
        return hidden_states


class BeitLayer(nn.Module):
    """One layer: attention, then the feed-forward block, each behind its normalisation.

    What a block adds is multiplied by weights of its own, small ones at first (LayerScale, https://arxiv.org/abs/2103.17239),
    and left out at random in training.
    """

    def __init__(self, config: BeitConfig, drop_path_rate: float) -> None:
        super().__init__()
        self.attention = BeitAttention(config)
        self.layernorm_before = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.layernorm_after = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = BeitMLP(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.drop_path_rate = drop_path_rate
        self.lambda_1: nn.Parameter | None = None
        self.lambda_2: nn.Parameter | None = None
        if config.layer_scale_init_value > 0:
            self.lambda_1 = nn.Parameter(torch.empty(config.hidden_size))
            self.lambda_2 = nn.Parameter(torch.empty(config.hidden_size))
        self.relative_position_bias = BeitRelativePositionBias(config) if config.use_relative_position_bias else None

    def add(self, hidden_states: torch.Tensor, block_output: torch.Tensor, scale: torch.Tensor | None) -> torch.Tensor:
        """Return the hidden states with what the output of a block adds to them."""
        block_output = self.dropout(block_output)
        if self.training:
            block_output = drop_path(block_output, self.drop_path_rate)
        return hidden_states + block_output if scale is None else torch.addcmul(hidden_states, block_output, scale)

    def forward(
        self,
        hidden_states: torch.Tensor,
        grid: tuple[int, int],
        index: torch.Tensor | None = None,
        shared_bias: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for.

        Args:
            hidden_states: `(batch, length, hidden_size)`.
            grid: rows and columns of the image's patches.
            index: what `relative_positions` returns for them, if anything needs it.
            shared_bias: what is added to the scores of all layers, `(1, heads, length, length)`.
            output_attentions: whether to return the attention probabilities.
        """
        bias = shared_bias
        if self.relative_position_bias is not None:
            own_bias = self.relative_position_bias(grid, index)
            bias = own_bias if bias is None else own_bias + bias
        attended, attention_probabilities = self.attention(
            self.layernorm_before(hidden_states), bias, output_attentions
        )
        hidden_states = self.add(hidden_states, attended, self.lambda_1)
        hidden_states = self.add(hidden_states, self.mlp(self.layernorm_after(hidden_states)), self.lambda_2)
        return hidden_states, attention_probabilities


class BeitPooler(nn.Module):
    """Makes one vector of the whole image: the normalised mean of its patches, or its class token."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__()
        self.layernorm = (
            nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps) if config.use_mean_pooling else None
        )

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, hidden_size)`."""
        if self.layernorm is None:
            return hidden_states[:, 0]
        pooled: torch.Tensor = self.layernorm(hidden_states[:, 1:].mean(dim=1))
        return pooled


class BeitConvLayer(nn.Module):
    """A convolution, a batch normalisation and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False)
        self.normalization = nn.BatchNorm2d(out_channels)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """`(batch, in_channels, rows, columns)` to `(batch, out_channels, rows, columns)`."""
        return functional.relu(self.normalization(self.convolution(hidden_states)), inplace=True)


def resize(maps: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Resize maps or scores bilinearly."""
    return functional.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)


class BeitPyramidPoolingBlock(nn.Module):
    """Sums a map up in a few squares, and spreads what they say over the map again."""

    def __init__(self, pool_scale: int, channels: int) -> None:
        super().__init__()
        self.pooling = nn.AdaptiveAvgPool2d(pool_scale)
        self.conv = BeitConvLayer(channels, channels, kernel_size=1)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return resize(self.conv(self.pooling(hidden_states)), hidden_states.shape[2:])


class BeitPyramidPoolingModule(nn.Module):
    """Pools a map at several scales (https://arxiv.org/abs/1612.01105)."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            [BeitPyramidPoolingBlock(scale, config.hidden_size) for scale in config.pool_scales]
        )

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Return the map and what was pooled of it, one behind the other in the channels."""
        return torch.cat([hidden_states, *(block(hidden_states) for block in self.blocks)], dim=1)


class BeitUperHead(nn.Module):
    """Scores every place by maps of four resolutions (https://arxiv.org/abs/1807.10221)."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__()
        channels = config.hidden_size
        self.classifier = nn.Conv2d(channels, config.num_labels, kernel_size=1)
        self.psp_modules = BeitPyramidPoolingModule(config)
        self.psp_bottleneck = BeitConvLayer((len(config.pool_scales) + 1) * channels, channels, kernel_size=3)
        self.lateral_convs = nn.ModuleList([BeitConvLayer(channels, channels, kernel_size=1) for _ in range(3)])
        self.fpn_convs = nn.ModuleList([BeitConvLayer(channels, channels, kernel_size=3) for _ in range(3)])
        self.fpn_bottleneck = BeitConvLayer(4 * channels, channels, kernel_size=3)

    def join(self, maps: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return all maps at the size of the finest, one behind the other in the channels."""
        coarsest = self.psp_bottleneck(self.psp_modules(maps[3]))
        laterals = [lateral(one) for lateral, one in zip(self.lateral_convs, maps[:3], strict=True)]
        # From coarse to fine, each map learns what the coarser ones know.
        above = coarsest
        for level in (2, 1, 0):
            above = laterals[level] = laterals[level] + resize(above, laterals[level].shape[2:])
        outputs = [convolution(lateral) for convolution, lateral in zip(self.fpn_convs, laterals, strict=True)]
        finest, others = outputs[0], (*outputs[1:], coarsest)
        return torch.cat([finest, *(resize(other, finest.shape[2:]) for other in others)], dim=1)

    def forward(self, maps: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return scores at the finest of the maps, `(batch, num_labels, rows, columns)`."""
        scores: torch.Tensor = self.classifier(self.fpn_bottleneck(self.join(maps)))
        return scores


class BeitFCNHead(nn.Module):
    """Scores every place by one map alone, so that earlier layers learn, too (https://arxiv.org/abs/1411.4038)."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__()
        channels = config.auxiliary_channels
        sizes = [config.hidden_size, *[channels] * config.auxiliary_num_convs]
        self.convs = nn.ModuleList(
            [BeitConvLayer(*pair, kernel_size=3) for pair in zip(sizes[:-1], sizes[1:], strict=True)]
        )
        self.conv_cat = (
            BeitConvLayer(config.hidden_size + channels, channels, kernel_size=3)
            if config.auxiliary_concat_input
            else None
        )
        self.classifier = nn.Conv2d(channels, config.num_labels, kernel_size=1)

    def forward(self, maps: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return scores, `(batch, num_labels, rows, columns)`."""
        hidden_states = maps[2]
        for convolution in self.convs:
            hidden_states = convolution(hidden_states)
        if self.conv_cat is not None:
            hidden_states = self.conv_cat(torch.cat((maps[2], hidden_states), dim=1))
        scores: torch.Tensor = self.classifier(hidden_states)
        return scores


class BeitFPNUpBlock(nn.Module):
    """Makes a map four times as high and wide."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_transpose1 = nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2)
        self.normalization = nn.BatchNorm2d(channels)
        self.conv_transpose2 = nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = functional.gelu(self.normalization(self.conv_transpose1(hidden_states)))
        enlarged: torch.Tensor = self.conv_transpose2(hidden_states)
        return enlarged


class BeitFPNNeck(nn.Module):
    """Makes of four maps of one size maps four times and twice as large, as large, and half as large."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__()
        self.fpn1 = BeitFPNUpBlock(config.hidden_size)
        self.fpn2 = nn.ConvTranspose2d(config.hidden_size, config.hidden_size, kernel_size=2, stride=2)
        self.fpn4 = nn.MaxPool2d(kernel_size=2, stride=2)

    def forward(self, maps: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [self.fpn1(maps[0]), self.fpn2(maps[1]), maps[2], self.fpn4(maps[3])]


class BeitPreTrainedModel(PreTrainedModel):
    """What all BEiT models share: the configuration, the initial weights, and the names in checkpoints."""

    config_class = BeitConfig
    base_model_prefix = "beit"
    main_input_name = "pixel_values"
    # Checkpoints name their parts as BERT's do, and those of the head for pixels as the toolbox it comes from.
    _renamed_checkpoint_keys: ClassVar[dict[str, str]] = {
        r"(^|\.)encoder\.layer\.": r"\1layers.",
        r"(^|\.)encoder\.relative_position_bias\.": r"\1shared_position_bias.",
        r"\.attention\.attention\.relative_position_bias\.": ".relative_position_bias.",
        r"\.attention\.attention\.(q|k|v)(?:uery|ey|alue)\.": r".attention.\1_proj.",
        r"\.attention\.output\.dense\.": ".attention.o_proj.",
        r"\.intermediate\.dense\.": ".mlp.fc1.",
        r"(layers\.\d+)\.output\.dense\.": r"\1.mlp.fc2.",
        r"^fpn1\.0\.": "fpn.fpn1.conv_transpose1.",
        r"^fpn1\.1\.": "fpn.fpn1.normalization.",
        r"^fpn1\.3\.": "fpn.fpn1.conv_transpose2.",
        r"^fpn2\.0\.": "fpn.fpn2.",
        r"decode_head\.bottleneck\.": "decode_head.psp_bottleneck.",
        r"psp_modules\.(\d+)\.1\.": r"psp_modules.blocks.\1.conv.",
        r"\.conv\.weight$": ".convolution.weight",
        r"\.bn\.": ".normalization.",
    }
    # It follows from the size of the image.
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"relative_position_index$",)

    config: BeitConfig

    def _init_weights(self, module: nn.Module) -> None:
        """Weights are drawn from a normal distribution; biases, tokens and positions are 0, normalisations 1."""
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            module.weight.normal_(mean=0.0, std=self.config.initializer_range)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, (nn.LayerNorm, nn.BatchNorm2d)):
            module.weight.fill_(1.0)
            module.bias.zero_()
        elif isinstance(module, BeitLayer) and module.lambda_1 is not None and module.lambda_2 is not None:
            module.lambda_1.fill_(self.config.layer_scale_init_value)
            module.lambda_2.fill_(self.config.layer_scale_init_value)


class BeitModel(BeitPreTrainedModel):
    """The encoder, without a head.

    Args:
        config: the configuration.
        add_pooling_layer: whether to make a vector of the whole image.
    """

    def __init__(self, config: BeitConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = BeitEmbeddings(config)
        self.shared_position_bias = (
            BeitRelativePositionBias(config) if config.use_shared_relative_position_bias else None
        )
        last = max(config.num_hidden_layers - 1, 1)
        self.layers = nn.ModuleList(
            [BeitLayer(config, config.drop_path_rate * number / last) for number in range(config.num_hidden_layers)]
        )
        self.layernorm = (
            nn.Identity() if config.use_mean_pooling else nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        )
        self.pooler = BeitPooler(config) if add_pooling_layer else None
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, BeitPatchEmbeddings)
        self.embeddings.patch_embeddings = embeddings

    def forward(
        self,
        pixel_values: torch.Tensor,
        bool_masked_pos: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPooling:
        """Encode images, of any size: positions are resized where it is not the configured one.

        Args:
            pixel_values: images, `(batch, channels, height, width)`.
            bool_masked_pos: true for the patches that are masked, `(batch, patches)`.
            output_attentions: whether to return attention probabilities; as configured when missing.
            output_hidden_states: whether to return the output of every layer; as configured when missing.

        Raises:
            ValueError: these are no images of the configured number of channels, they are smaller than a patch, or the
                mask fits neither them nor the model.
        """
        if output_attentions is None:
            output_attentions = self.config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states

        check_images(pixel_values, self.config.num_channels)
        grid = self.embeddings.patch_embeddings.grid_of(*pixel_values.shape[2:])
        hidden_states: torch.Tensor = self.embeddings(pixel_values.to(self.dtype), bool_masked_pos)
        index: torch.Tensor | None = None
        if self.config.use_relative_position_bias or self.shared_position_bias is not None:
            index = relative_positions(*grid).to(hidden_states.device)
        shared_bias = None if self.shared_position_bias is None else self.shared_position_bias(grid, index)

        all_hidden_states = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        for layer in self.layers:
            hidden_states, attention_probabilities = layer(hidden_states, grid, index, shared_bias, output_attentions)
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


class BeitForMaskedImageModeling(BeitPreTrainedModel):
    """BEiT that says which visual words its masked patches are."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__(config)
        self.beit = BeitModel(config, add_pooling_layer=False)
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size)
        self.post_init()

    def forward(
        self,
        pixel_values: torch.Tensor,
        bool_masked_pos: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> MaskedLMOutput:
        """Score every visual word at every patch.

        Args:
            labels: the words of the masked patches, one image after the other, `(number of true in bool_masked_pos,)`.

        The other arguments are those of `BeitModel.forward`.

        Raises:
            ValueError: as in `BeitModel.forward`, or there are not as many labels as masked patches.
        """
        outputs: BaseModelOutputWithPooling = self.beit(
            pixel_values, bool_masked_pos, output_attentions, output_hidden_states
        )
        logits: torch.Tensor = self.lm_head(self.layernorm(outputs.last_hidden_state)[:, 1:])
        loss: torch.Tensor | None = None
        if labels is not None:
            if bool_masked_pos is None or labels.shape != (int(bool_masked_pos.sum()),):
                raise ValueError(
                    "labels are the visual words of masked patches: as many as bool_masked_pos is true for"
                )
            loss = functional.cross_entropy(logits[bool_masked_pos.bool()], labels)
        return MaskedLMOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class BeitForImageClassification(BeitPreTrainedModel):
    """BEiT that classifies images by the mean of their patches, or by their class token."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__(config)
        self.beit = BeitModel(config)
        # Without labels the vector of the image is returned as it is.
        self.classifier = nn.Linear(config.hidden_size, config.num_labels) if config.num_labels > 0 else nn.Identity()
        self.post_init()

    def forward(
        self,
        pixel_values: torch.Tensor,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> ImageClassifierOutput:
        """Score every class.

        Args:
            labels: what `image_classification_loss` takes.

        The other arguments are those of `BeitModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.beit(
            pixel_values, output_attentions=output_attentions, output_hidden_states=output_hidden_states
        )
        logits: torch.Tensor = self.classifier(outputs.pooler_output)
        loss = None if labels is None else image_classification_loss(logits, labels, self.config)
        return ImageClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class BeitForSemanticSegmentation(BeitPreTrainedModel):
    """BEiT that classifies every pixel, by four of its hidden states."""

    def __init__(self, config: BeitConfig) -> None:
        super().__init__(config)
        if len(config.out_indices) != 4:
            raise ValueError(
                f"pixels are classified by four hidden states; out_indices must be 4, such as [3, 5, 7, 11], "
                f"not {config.out_indices}"
            )
        self.beit = BeitModel(config, add_pooling_layer=False)
        self.fpn = BeitFPNNeck(config)
        self.decode_head = BeitUperHead(config)
        self.auxiliary_head = BeitFCNHead(config) if config.use_auxiliary_head else None
        self.post_init()

    def pixel_loss(self, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy at the size of the labels, of all pixels but those that are to be ignored."""
        ignored = self.config.semantic_loss_ignore_index
        return functional.cross_entropy(resize(scores, labels.shape[1:]), labels.long(), ignore_index=ignored)

    def forward(
        self,
        pixel_values: torch.Tensor,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> SemanticSegmenterOutput:
        """Score every class at every place of a map four times as fine as the patches.

        Args:
            labels: class of every pixel, `(batch, height, width)`.

        The other arguments are those of `BeitModel.forward`.

        Raises:
            ValueError: as in `BeitModel.forward`, or there are labels of a single class.
        """
        if labels is not None and self.config.num_labels == 1:
            raise ValueError("pixels of a single class cannot be told apart; num_labels must be 2 or more")
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        outputs: BaseModelOutputWithPooling = self.beit(
            pixel_values, output_attentions=output_attentions, output_hidden_states=True
        )
        assert outputs.hidden_states is not None
        grid = self.beit.embeddings.patch_embeddings.grid_of(*pixel_values.shape[2:])
        # The published model counts layers from 1, and the embeddings are its first hidden state.
        chosen = [outputs.hidden_states[index - 1][:, 1:] for index in self.config.out_indices]
        maps = self.fpn([states.transpose(1, 2).reshape(len(states), -1, *grid) for states in chosen])
        logits: torch.Tensor = self.decode_head(maps)
        loss: torch.Tensor | None = None
        if labels is not None:
            loss = self.pixel_loss(logits, labels)
            if self.auxiliary_head is not None:
                loss = loss + self.config.auxiliary_loss_weight * self.pixel_loss(self.auxiliary_head(maps), labels)
        return SemanticSegmenterOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states if output_hidden_states else None,
            attentions=outputs.attentions,
        )
