"""Swin in plain PyTorch: the encoder with its shifted windows, its heads, and the backbone of other models.

The architecture is described in "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows"
(https://arxiv.org/abs/2103.14030), masked image modeling in "SimMIM: a Simple Framework for Masked Image Modeling"
(https://arxiv.org/abs/2111.09886). Names of parameters are those that the published models have in memory; the older
ones in their files are understood.

Names in the shapes: `batch`, `height` and `width` (of the image in pixels, or of a grid of patches), `patches` (height
times width of a grid), `channels` (size of the hidden states of a stage), `windows` (all windows of all images), `area`
(patches of a window), `heads`, `head_size`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...backbone_utils import BackboneMixin
from ...configuration_utils import PreTrainedConfig
from ...modeling_outputs import BaseModelOutput, BaseModelOutputWithPooling, TensorTuple
from ...modeling_outputs_vision import BackboneOutput, ImageClassifierOutput, MaskedImageModelingOutput
from ...modeling_utils import PreTrainedModel
from .configuration_swin import SwinConfig

Grid = tuple[int, int]


@dataclass(kw_only=True)
class SwinEncoderOutput(BaseModelOutput):
    """Output of the encoder; what is added here has a stage's hidden states as a map, `(batch, channels, height, width)`."""

    reshaped_hidden_states: TensorTuple | None = None


@dataclass(kw_only=True)
class SwinModelOutput(BaseModelOutputWithPooling):
    """Output of the model without a head, with hidden states also as maps, `(batch, channels, height, width)`."""

    reshaped_hidden_states: TensorTuple | None = None


@dataclass(kw_only=True)
class SwinImageClassifierOutput(ImageClassifierOutput):
    """Output of the classifier, with hidden states also as maps, `(batch, channels, height, width)`."""

    reshaped_hidden_states: TensorTuple | None = None


@dataclass(kw_only=True)
class SwinMaskedImageModelingOutput(MaskedImageModelingOutput):
    """Output of masked image modeling, with hidden states also as maps, `(batch, channels, height, width)`."""

    reshaped_hidden_states: TensorTuple | None = None


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


def as_map(hidden_states: torch.Tensor, grid: Grid) -> torch.Tensor:
    """`(batch, patches, channels)` to `(batch, channels, height, width)`."""
    return hidden_states.transpose(1, 2).reshape(hidden_states.shape[0], hidden_states.shape[2], *grid)


def partition_windows(hidden_states: torch.Tensor, window_size: int) -> torch.Tensor:
    """Cut a grid into windows: `(batch, height, width, channels)` to `(windows, area, channels)`."""
    batch, height, width, channels = hidden_states.shape
    windows = hidden_states.view(
        batch, height // window_size, window_size, width // window_size, window_size, channels
    )
    return windows.transpose(2, 3).reshape(-1, window_size * window_size, channels)


def merge_windows(windows: torch.Tensor, window_size: int, grid: Grid) -> torch.Tensor:
    """Put windows together again: `(windows, area, channels)` to `(batch, height, width, channels)`."""
    height, width = grid
    channels = windows.shape[-1]
    windows = windows.view(-1, height // window_size, width // window_size, window_size, window_size, channels)
    return windows.transpose(2, 3).reshape(-1, height, width, channels)


def make_shift_mask(
    grid: Grid, window_size: int, shift_size: int, dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    """Return what keeps patches apart that only the shift has brought into one window (section 3.2 of the paper).

    The grid is shifted to the upper left, and what falls out comes in again on the other side. So the last window of
    every row and column holds patches of two places, which must not attend to each other.

    Args:
        grid: height and width, multiples of `window_size`.
        window_size: height and width of a window.
        shift_size: how far the grid is shifted.
        dtype: data type of the attention scores.
        device: device of the attention scores.

    Returns:
        0 for patches of one place and -100, as in the original code, for others,
        `(windows of one image, area, area)`.
    """
    places = []
    for size in grid:
        indices = torch.arange(size, device=device)
        places.append((indices >= size - window_size).long() + (indices >= size - shift_size).long())
    rows, columns = places
    # Three places along each side are nine altogether.
    place = partition_windows((3 * rows[:, None] + columns[None, :])[None, :, :, None], window_size)
    is_apart = place != place.transpose(1, 2)
    return torch.zeros(is_apart.shape, dtype=dtype, device=device).masked_fill(is_apart, -100.0)


class SwinDropPath(nn.Module):
    """Skips a branch for some images while training (stochastic depth, https://arxiv.org/abs/1603.09382)."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        if not self.training or self.probability == 0.0:
            return hidden_states
        kept = 1.0 - self.probability
        shape = (hidden_states.shape[0],) + (1,) * (hidden_states.dim() - 1)
        is_kept = torch.floor(torch.rand(shape, dtype=hidden_states.dtype, device=hidden_states.device) + kept)
        # What is kept is enlarged, so that the mean stays the same.
        return hidden_states * (is_kept / kept)


class SwinPatchEmbeddings(nn.Module):
    """Cuts an image into patches and maps each to a vector."""

    def __init__(self, config: SwinConfig) -> None:
        super().__init__()
        self.num_channels = config.num_channels
        self.patch_size = height_and_width(config.patch_size)
        height, width = height_and_width(config.image_size)
        self.grid = (height // self.patch_size[0], width // self.patch_size[1])
        self.projection = nn.Conv2d(
            config.num_channels, config.embed_dim, kernel_size=self.patch_size, stride=self.patch_size
        )

    def grid_of(self, pixel_values: torch.Tensor) -> Grid:
        """Return how many patches images have one below the other, and how many side by side."""
        height, width = pixel_values.shape[2:]
        return math.ceil(height / self.patch_size[0]), math.ceil(width / self.patch_size[1])

    def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, Grid]:
        """Map `(batch, num_channels, height, width)` to `(batch, patches, embed_dim)`, and return the grid as well.

        Raises:
            ValueError: the images do not have this shape, or there are none.
        """
        check_images(pixel_values, self.num_channels)
        height, width = pixel_values.shape[2:]
        # An image whose sides are no multiples of a patch's gets a black border on the right and below.
        below, right = -height % self.patch_size[0], -width % self.patch_size[1]
        if below or right:
            pixel_values = functional.pad(pixel_values, (0, right, 0, below))
        embeddings = self.projection(pixel_values)
        return embeddings.flatten(2).transpose(1, 2), self.grid_of(pixel_values)


class SwinEmbeddings(nn.Module):
    """The embeddings of the patches, of which some may be masked, and of their positions if the configuration says so."""

    def __init__(self, config: SwinConfig, use_mask_token: bool = False) -> None:
        super().__init__()
        self.patch_embeddings = SwinPatchEmbeddings(config)
        height, width = self.patch_embeddings.grid
        self.mask_token: nn.Parameter | None = None
        if use_mask_token:
            self.mask_token = nn.Parameter(torch.zeros(1, 1, config.embed_dim))
        self.position_embeddings: nn.Parameter | None = None
        if config.use_absolute_embeddings:
            self.position_embeddings = nn.Parameter(torch.zeros(1, height * width, config.embed_dim))
        self.norm = nn.LayerNorm(config.embed_dim)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def mask(self, embeddings: torch.Tensor, bool_masked_pos: torch.Tensor) -> torch.Tensor:
        """Put the mask token in the place of masked patches.

        Raises:
            ValueError: the model has no mask token, or the mask does not say one thing of every patch.
        """
        if self.mask_token is None:
            raise ValueError("this model has no mask token; make it with use_mask_token=True to pass bool_masked_pos")
        if bool_masked_pos.shape != embeddings.shape[:2]:
            raise ValueError(
                f"bool_masked_pos must have the shape (batch, patches), here {tuple(embeddings.shape[:2])}, "
                f"not {tuple(bool_masked_pos.shape)}"
            )
        return torch.where(bool_masked_pos[:, :, None] != 0, self.mask_token, embeddings)

    def interpolate_positions(self, positions: torch.Tensor, grid: Grid) -> torch.Tensor:
        """Stretch the embeddings of positions to another grid of patches, `(1, patches, embed_dim)`."""
        own_grid = self.patch_embeddings.grid
        if grid == own_grid:
            return positions
        stretched = functional.interpolate(as_map(positions, own_grid), size=grid, mode="bicubic", align_corners=False)
        return stretched.flatten(2).transpose(1, 2)

    def forward(
        self,
        pixel_values: torch.Tensor,
        bool_masked_pos: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
    ) -> tuple[torch.Tensor, Grid]:
        """Return the embeddings, `(batch, patches, embed_dim)`, and height and width of the grid of patches.

        Raises:
            ValueError: the images or the mask have a wrong shape, the images have another number of patches than there
                are embeddings of positions, or patches are masked in a model without a mask token.
        """
        embeddings, grid = self.patch_embeddings(pixel_values)
        embeddings = self.norm(embeddings)
        if bool_masked_pos is not None:
            embeddings = self.mask(embeddings, bool_masked_pos)
        positions: torch.Tensor | None = self.position_embeddings
        if positions is not None:
            if interpolate_pos_encoding:
                positions = self.interpolate_positions(positions, grid)
            elif positions.shape[1] != embeddings.shape[1]:
                own_grid = self.patch_embeddings.grid
                raise ValueError(
                    f"the images have {grid[0]} x {grid[1]} patches, the model has positions for "
                    f"{own_grid[0]} x {own_grid[1]}; pass interpolate_pos_encoding=True"
                )
            embeddings = embeddings + positions
        return self.dropout(embeddings), grid


class SwinPatchMerging(nn.Module):
    """Makes one patch, of twice the channels, of each two by two."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)
        self.norm = nn.LayerNorm(4 * channels)

    def forward(self, hidden_states: torch.Tensor, grid: Grid) -> torch.Tensor:
        """Map `(batch, patches, channels)` to `(batch, patches of the smaller grid, 2 * channels)`."""
        batch, _, channels = hidden_states.shape
        height, width = grid
        hidden_states = hidden_states.view(batch, height, width, channels)
        if height % 2 or width % 2:
            hidden_states = functional.pad(hidden_states, (0, 0, 0, width % 2, 0, height % 2))
        # The order of the four is that of the original code: down the first column, then down the second.
        quarters = [hidden_states[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        merged = torch.cat(quarters, dim=-1).view(batch, -1, 4 * channels)
        reduced: torch.Tensor = self.reduction(self.norm(merged))
        return reduced


class SwinRelativePositionBias(nn.Module):
    """What is added to the attention scores of two patches of a window, by how far one is below and right of the other."""

    relative_position_index: torch.Tensor

    def __init__(self, num_heads: int, window_size: int) -> None:
        super().__init__()
        # A patch is at most window_size - 1 rows above or below another, and so many columns left or right of it.
        distances = 2 * window_size - 1
        self.relative_position_bias_table = nn.Parameter(torch.zeros(distances * distances, num_heads))
        rows = torch.arange(window_size).repeat_interleave(window_size)
        columns = torch.arange(window_size).repeat(window_size)
        below = rows[:, None] - rows[None, :] + window_size - 1
        right = columns[:, None] - columns[None, :] + window_size - 1
        self.register_buffer("relative_position_index", below * distances + right, persistent=False)

    def forward(self) -> torch.Tensor:
        """Return the bias of every pair of patches, `(1, heads, area, area)`."""
        bias = self.relative_position_bias_table[self.relative_position_index]
        return bias.permute(2, 0, 1)[None].contiguous()


class SwinAttention(nn.Module):
    """Self-attention with several heads, inside windows."""

    def __init__(self, config: SwinConfig, channels: int, num_heads: int) -> None:
        super().__init__()
        if channels % num_heads != 0:
            raise ValueError(f"a stage of {channels} channels cannot have {num_heads} attention heads of one size")
        self.config = config
        self.num_attention_heads = num_heads
        self.attention_head_size = channels // num_heads
        self.scaling = 1.0 / math.sqrt(self.attention_head_size)
        self.q_proj = nn.Linear(channels, channels, bias=config.qkv_bias)
        self.k_proj = nn.Linear(channels, channels, bias=config.qkv_bias)
        self.v_proj = nn.Linear(channels, channels, bias=config.qkv_bias)
        self.o_proj = nn.Linear(channels, channels)
        self.relative_position_bias = SwinRelativePositionBias(num_heads, config.window_size)

    # Copied from add_model.zoo.models.bert.modeling_bert.BertSelfAttention.split_heads
    def split_heads(self, projection: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, heads, length, head_size)`."""
        batch, length, _ = projection.shape
        heads = projection.view(batch, length, self.num_attention_heads, self.attention_head_size)
        return heads.transpose(1, 2)

    def forward(
        self, windows: torch.Tensor, shift_mask: torch.Tensor | None = None, output_attentions: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(windows, area, channels)`, and the attention probabilities if they are asked for."""
        query = self.split_heads(self.q_proj(windows))
        key = self.split_heads(self.k_proj(windows))
        value = self.split_heads(self.v_proj(windows))
        bias = self.relative_position_bias()
        if shift_mask is not None:
            images = windows.shape[0] // shift_mask.shape[0]
            bias = (bias + shift_mask[:, None]).repeat(images, 1, 1, 1)

        dropout = self.config.attention_probs_dropout_prob if self.training else 0.0
        probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, probabilities = eager_attention(query, key, value, bias, self.scaling, dropout)
        else:
            context = sdpa_attention(query, key, value, bias, self.scaling, dropout)
        context = context.transpose(1, 2).reshape(windows.shape)
        return self.o_proj(context), probabilities


class SwinMLP(nn.Module):
    """The feed-forward network of a block."""

    def __init__(self, config: SwinConfig, channels: int) -> None:
        super().__init__()
        inner_size = int(config.mlp_ratio * channels)
        self.activation = get_activation(config.hidden_act)
        self.fc1 = nn.Linear(channels, inner_size)
        self.fc2 = nn.Linear(inner_size, channels)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.fc1(hidden_states)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.fc2(hidden_states)
        return hidden_states


class SwinLayer(nn.Module):
    """A block: attention inside windows and a feed-forward network, each behind a normalisation and around a residual."""

    def __init__(
        self, config: SwinConfig, channels: int, num_heads: int, shift_size: int, drop_probability: float
    ) -> None:
        super().__init__()
        self.window_size = config.window_size
        self.shift_size = shift_size
        self.layernorm_before = nn.LayerNorm(channels, eps=config.layer_norm_eps)
        self.attention = SwinAttention(config, channels, num_heads)
        self.drop_path = SwinDropPath(drop_probability)
        self.layernorm_after = nn.LayerNorm(channels, eps=config.layer_norm_eps)
        self.mlp = SwinMLP(config, channels)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def attend(
        self, hidden_states: torch.Tensor, shift_mask: torch.Tensor | None, output_attentions: bool
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Let the patches of every window attend to each other; the grid is `(batch, height, width, channels)`."""
        _, height, width, _ = hidden_states.shape
        # A grid that is no multiple of windows gets patches of zeros on the right and below, which are attended to.
        below, right = -height % self.window_size, -width % self.window_size
        if below or right:
            hidden_states = functional.pad(hidden_states, (0, 0, 0, right, 0, below))
        padded_grid = (height + below, width + right)
        shift = 0 if shift_mask is None else self.shift_size
        if shift:
            hidden_states = torch.roll(hidden_states, shifts=(-shift, -shift), dims=(1, 2))
        windows = partition_windows(hidden_states, self.window_size)
        windows, probabilities = self.attention(windows, shift_mask, output_attentions)
        hidden_states = merge_windows(self.dropout(windows), self.window_size, padded_grid)
        if shift:
            hidden_states = torch.roll(hidden_states, shifts=(shift, shift), dims=(1, 2))
        return hidden_states[:, :height, :width], probabilities

    def forward(
        self,
        hidden_states: torch.Tensor,
        grid: Grid,
        shift_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, patches, channels)`, and the attention probabilities if they are asked for.

        Args:
            hidden_states: `(batch, patches, channels)`.
            grid: height and width of the grid of patches.
            shift_mask: what `make_shift_mask` returns, for a block whose windows are shifted.
            output_attentions: whether to return the attention probabilities, `(windows, heads, area, area)`.
        """
        batch, patches, channels = hidden_states.shape
        attention_output, probabilities = self.attend(
            self.layernorm_before(hidden_states).view(batch, *grid, channels), shift_mask, output_attentions
        )
        hidden_states = hidden_states + self.drop_path(attention_output.reshape(batch, patches, channels))
        # The published model never skips the feed-forward network.
        hidden_states = hidden_states + self.dropout(self.mlp(self.layernorm_after(hidden_states)))
        return hidden_states, probabilities


class SwinStage(nn.Module):
    """Blocks on one grid of patches, every second of them with shifted windows, and what makes the next grid of it."""

    def __init__(self, config: SwinConfig, index: int, drop_probabilities: Sequence[float]) -> None:
        super().__init__()
        channels = config.embed_dim * 2**index
        self.number = index + 1
        self.window_size = config.window_size
        self.shift_size = config.window_size // 2
        self.blocks = nn.ModuleList(
            [
                SwinLayer(config, channels, config.num_heads[index], self.shift_size if block % 2 else 0, probability)
                for block, probability in enumerate(drop_probabilities)
            ]
        )
        is_last = index == len(config.depths) - 1
        self.downsample = None if is_last else SwinPatchMerging(channels)

    def shift_mask(self, hidden_states: torch.Tensor, grid: Grid, always_partition: bool) -> torch.Tensor | None:
        """Return the mask of the shifted blocks, or `None` where nothing is shifted.

        Raises:
            ValueError: the grid is smaller than a window.
        """
        if not always_partition and min(grid) < self.window_size:
            raise ValueError(
                f"the images are too small: stage {self.number} has {grid[0]} x {grid[1]} patches, "
                f"fewer than a window of {self.window_size} x {self.window_size}"
            )
        # One window on a side holds everything already.
        is_shifted = self.shift_size > 0 and (always_partition or min(grid) > self.window_size)
        if not is_shifted:
            return None
        height, width = grid
        padded_grid = (height + -height % self.window_size, width + -width % self.window_size)
        return make_shift_mask(
            padded_grid, self.window_size, self.shift_size, hidden_states.dtype, hidden_states.device
        )

    def forward(
        self, hidden_states: torch.Tensor, grid: Grid, always_partition: bool = False, output_attentions: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output of the last block, `(batch, patches, channels)`, and its attention probabilities if asked for."""
        shift_mask = self.shift_mask(hidden_states, grid, always_partition)
        probabilities: torch.Tensor | None = None
        for index, block in enumerate(self.blocks):
            is_last = index == len(self.blocks) - 1
            hidden_states, probabilities = block(
                hidden_states, grid, shift_mask if block.shift_size else None, output_attentions and is_last
            )
        return hidden_states, probabilities


class SwinEncoder(nn.Module):
    """The stages, each but the first on a grid of half the height and width of the one before."""

    def __init__(self, config: SwinConfig) -> None:
        super().__init__()
        # The probability that a block is skipped grows evenly from the first to the last.
        steps = max(sum(config.depths) - 1, 1)
        probabilities = [config.drop_path_rate * block / steps for block in range(sum(config.depths))]
        starts = [sum(config.depths[:index]) for index in range(len(config.depths))]
        self.layers = nn.ModuleList(
            [
                SwinStage(config, index, probabilities[start : start + config.depths[index]])
                for index, start in enumerate(starts)
            ]
        )

    def forward(
        self,
        hidden_states: torch.Tensor,
        grid: Grid,
        always_partition: bool = False,
        output_hidden_states_before_downsampling: bool = False,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> SwinEncoderOutput:
        """Compute the hidden states of all stages; for the arguments see `SwinModel.forward`."""
        all_hidden_states = [hidden_states] if output_hidden_states else []
        all_maps = [as_map(hidden_states, grid)] if output_hidden_states else []
        all_attentions: list[torch.Tensor] = []
        for stage in self.layers:
            assert isinstance(stage, SwinStage)
            hidden_states, probabilities = stage(hidden_states, grid, always_partition, output_attentions)
            if output_attentions and probabilities is not None:
                all_attentions.append(probabilities)
            before_downsampling, grid_before_downsampling = hidden_states, grid
            if stage.downsample is not None:
                hidden_states = stage.downsample(hidden_states, grid)
                grid = ((grid[0] + 1) // 2, (grid[1] + 1) // 2)
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
                if output_hidden_states_before_downsampling:
                    all_maps.append(as_map(before_downsampling, grid_before_downsampling))
                else:
                    all_maps.append(as_map(hidden_states, grid))
        return SwinEncoderOutput(
            last_hidden_state=hidden_states,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
            reshaped_hidden_states=tuple(all_maps) if output_hidden_states else None,
        )


class SwinPreTrainedModel(PreTrainedModel):
    """What all Swin models share: the configuration class, the initial weights and the names in older files."""

    config_class = SwinConfig
    base_model_prefix = "swin"
    main_input_name = "pixel_values"
    # The files of the published checkpoints have the names of earlier versions of the published implementation.
    _renamed_checkpoint_keys: ClassVar[dict[str, str]] = {
        r"\.attention\.self\.query\.": ".attention.q_proj.",
        r"\.attention\.self\.key\.": ".attention.k_proj.",
        r"\.attention\.self\.value\.": ".attention.v_proj.",
        r"\.attention\.self\.relative_position_bias_table$": (
            ".attention.relative_position_bias.relative_position_bias_table"
        ),
        r"\.attention\.output\.dense\.": ".attention.o_proj.",
        r"\.intermediate\.dense\.": ".mlp.fc1.",
        r"(\.blocks\.\d+)\.output\.dense\.": r"\1.mlp.fc2.",
    }
    # Which entry of the table belongs to a pair of patches follows from the size of the windows.
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"\.relative_position_index$",)

    config: SwinConfig

    def _init_weights(self, module: nn.Module) -> None:
        std = self.config.initializer_range
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            nn.init.normal_(module.weight, mean=0.0, std=std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, SwinRelativePositionBias):
            nn.init.normal_(module.relative_position_bias_table, mean=0.0, std=std)
        elif isinstance(module, SwinEmbeddings):
            for embedding in (module.mask_token, module.position_embeddings):
                if embedding is not None:
                    nn.init.normal_(embedding, mean=0.0, std=std)


class SwinModel(SwinPreTrainedModel):
    """The encoder without a head.

    Args:
        config: the configuration.
        add_pooling_layer: whether the model returns the mean of all patches as well.
        use_mask_token: whether patches can be masked.
    """

    def __init__(self, config: SwinConfig, add_pooling_layer: bool = True, use_mask_token: bool = False) -> None:
        super().__init__(config)
        self.has_pooler = add_pooling_layer
        self.embeddings = SwinEmbeddings(config, use_mask_token)
        self.encoder = SwinEncoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, SwinPatchEmbeddings)
        self.embeddings.patch_embeddings = embeddings

    def forward(
        self,
        pixel_values: torch.Tensor,
        bool_masked_pos: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        always_partition: bool = False,
        output_hidden_states_before_downsampling: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> SwinModelOutput:
        """Compute the hidden states of the patches of the last stage.

        Args:
            pixel_values: images, `(batch, num_channels, height, width)`.
            bool_masked_pos: 1 for patches to mask and 0 for others, `(batch, patches)`.
            interpolate_pos_encoding: whether embeddings of positions, if the model has any, are stretched to images of
                another size.
            always_partition: whether windows are also shifted, and filled up with zeros, where the grid of a stage is
                no larger than a window.
            output_hidden_states_before_downsampling: whether the maps of hidden states are those of the last block of
                a stage instead of those that the next stage begins with.
            output_attentions: whether to return the attention probabilities of the last block of every stage, each
                `(windows, heads, area, area)`.
            output_hidden_states: whether to return the embeddings and what every stage passes on, each
                `(batch, patches, channels)`, and the same as maps. The last has not passed the final normalisation.

        Raises:
            ValueError: the images or the mask have a wrong shape, the images are too small for the windows or, without
                `interpolate_pos_encoding`, of another size than the embeddings of positions.
        """
        output_attentions = self.config.output_attentions if output_attentions is None else output_attentions
        output_hidden_states = (
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        )
        embeddings, grid = self.embeddings(pixel_values, bool_masked_pos, interpolate_pos_encoding)
        outputs = self.encoder(
            embeddings,
            grid,
            always_partition=always_partition,
            output_hidden_states_before_downsampling=output_hidden_states_before_downsampling,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        last_hidden_state = self.layernorm(outputs.last_hidden_state)
        return SwinModelOutput(
            last_hidden_state=last_hidden_state,
            pooler_output=last_hidden_state.mean(dim=1) if self.has_pooler else None,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            reshaped_hidden_states=outputs.reshaped_hidden_states,
        )


class SwinForMaskedImageModeling(SwinPreTrainedModel):
    """Swin with a layer that paints the image of the patches of the last stage, to learn from masked images."""

    def __init__(self, config: SwinConfig) -> None:
        super().__init__(config)
        self.swin = SwinModel(config, add_pooling_layer=False, use_mask_token=True)
        painted = config.encoder_stride**2 * config.num_channels
        self.decoder = nn.ModuleList(
            [nn.Conv2d(config.hidden_size, painted, kernel_size=1), nn.PixelShuffle(config.encoder_stride)]
        )
        self.post_init()

    def reconstruction_loss(
        self, pixel_values: torch.Tensor, reconstruction: torch.Tensor, bool_masked_pos: torch.Tensor
    ) -> torch.Tensor:
        """Return the mean difference of the masked pixels (section 3.4 of the SimMIM paper).

        Raises:
            ValueError: the reconstruction has another size than the images.
        """
        if reconstruction.shape != pixel_values.shape:
            raise ValueError(
                f"images of {tuple(pixel_values.shape[2:])} pixels cannot be compared with a reconstruction of "
                f"{tuple(reconstruction.shape[2:])}; their sides must be encoder_stride ({self.config.encoder_stride}) "
                "times those of the last stage's grid"
            )
        patch_height, patch_width = height_and_width(self.config.patch_size)
        grid = (pixel_values.shape[2] // patch_height, pixel_values.shape[3] // patch_width)
        mask = bool_masked_pos.reshape(-1, *grid)
        mask = mask.repeat_interleave(patch_height, dim=1).repeat_interleave(patch_width, dim=2)[:, None]
        difference = functional.l1_loss(reconstruction, pixel_values, reduction="none")
        return (difference * mask).sum() / (mask.sum() + 1e-5) / self.config.num_channels

    def forward(
        self,
        pixel_values: torch.Tensor,
        bool_masked_pos: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> SwinMaskedImageModelingOutput:
        """Paint the images; for the other arguments see `SwinModel.forward`.

        Args:
            bool_masked_pos: 1 for patches to mask and 0 for others, `(batch, patches)`. With it a loss is returned.

        Raises:
            ValueError: as in `SwinModel.forward`, or the reconstruction has another size than the images.
        """
        outputs = self.swin(
            pixel_values,
            bool_masked_pos=bool_masked_pos,
            interpolate_pos_encoding=interpolate_pos_encoding,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        grid = self.swin.embeddings.patch_embeddings.grid_of(pixel_values)
        for _ in self.config.depths[1:]:
            grid = ((grid[0] + 1) // 2, (grid[1] + 1) // 2)
        reconstruction = as_map(outputs.last_hidden_state, grid)
        for layer in self.decoder:
            reconstruction = layer(reconstruction)

        loss: torch.Tensor | None = None
        if bool_masked_pos is not None:
            loss = self.reconstruction_loss(pixel_values, reconstruction, bool_masked_pos)
        return SwinMaskedImageModelingOutput(
            loss=loss,
            reconstruction=reconstruction,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            reshaped_hidden_states=outputs.reshaped_hidden_states,
        )


class SwinForImageClassification(SwinPreTrainedModel):
    """Swin with a classifier of whole images, which reads the mean of all patches."""

    def __init__(self, config: SwinConfig) -> None:
        super().__init__(config)
        self.swin = SwinModel(config)
        # Without labels the mean of all patches is returned as it is.
        self.classifier = nn.Linear(config.hidden_size, config.num_labels) if config.num_labels > 0 else nn.Identity()
        self.post_init()

    def forward(
        self,
        pixel_values: torch.Tensor,
        labels: torch.Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> SwinImageClassifierOutput:
        """Score every label for every image; for the other arguments see `SwinModel.forward`.

        Args:
            labels: class indices, `(batch,)`; numbers, `(batch,)` or `(batch, num_labels)`, for a regression; zeros
                and ones, `(batch, num_labels)`, when several labels can hold at once.
        """
        outputs = self.swin(
            pixel_values,
            interpolate_pos_encoding=interpolate_pos_encoding,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.classifier(outputs.pooler_output)

        loss: torch.Tensor | None = None
        if labels is not None:
            loss = image_classification_loss(logits, labels, self.config)
        return SwinImageClassifierOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            reshaped_hidden_states=outputs.reshaped_hidden_states,
        )


class SwinBackbone(BackboneMixin, SwinPreTrainedModel):
    """Swin as a part of other models: the maps of chosen stages, each behind a normalisation of its own."""

    config: SwinConfig

    def __init__(self, config: SwinConfig) -> None:
        super().__init__(config)
        self.num_features = [config.embed_dim, *(config.embed_dim * 2**index for index in range(len(config.depths)))]
        self.swin = SwinModel(config, add_pooling_layer=False)
        norms = {name: nn.LayerNorm(size) for name, size in zip(self.out_features, self.channels, strict=True)}
        self.hidden_states_norms = nn.ModuleDict(norms)
        self.post_init()

    def forward(
        self,
        pixel_values: torch.Tensor,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BackboneOutput:
        """Compute the feature maps of the stages that the configuration names; for the arguments see `SwinModel.forward`.

        The maps are those of the last block of a stage, and windows are shifted whatever the size of the grid. The
        hidden states that are returned if they are asked for are maps as well, without the normalisation.
        """
        output_hidden_states = (
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        )
        outputs = self.swin(
            pixel_values,
            always_partition=True,
            output_hidden_states_before_downsampling=True,
            output_attentions=output_attentions,
            output_hidden_states=True,
        )
        feature_maps = []
        for name, hidden_states in zip(self.stage_names, outputs.reshaped_hidden_states, strict=True):
            if name in self.out_features:
                normalised = self.hidden_states_norms[name](hidden_states.permute(0, 2, 3, 1))
                feature_maps.append(normalised.permute(0, 3, 1, 2).contiguous())
        return BackboneOutput(
            feature_maps=tuple(feature_maps),
            hidden_states=outputs.reshaped_hidden_states if output_hidden_states else None,
            attentions=outputs.attentions,
        )
