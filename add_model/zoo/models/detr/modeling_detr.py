"""DETR in plain PyTorch: the convolutional network, the encoder-decoder, its heads and their losses.

The architecture is that of https://arxiv.org/abs/2005.12872; the convolutional network is a ResNet
(https://arxiv.org/abs/1512.03385) that halves the resolution in the 3 x 3 convolutions, as the original code base
(facebookresearch/detr) takes it from torchvision. Parameter names and shapes are those of the published checkpoints.

Shapes are written with these names besides those of the outputs: `height`, `width` (of an image), `map_height`,
`map_width` (of a map that the ResNet returns), `length` (places of its last map), `queries`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...modeling_outputs import BaseModelOutput, Seq2SeqModelOutput, TensorTuple
from ...modeling_utils import PreTrainedModel
from ...object_detection import (
    ObjectDetectionOutput,
    ObjectLabels,
    ObjectSegmentationOutput,
    detection_loss,
    mask_loss,
)
from .configuration_detr import DetrConfig, renamed_backbone_keys, renamed_mask_head_keys


@dataclass(kw_only=True)
class DetrModelOutput(Seq2SeqModelOutput):
    """Output of the model without a head.

    Attributes:
        intermediate_hidden_states: the normalised output of every layer of the decoder,
            `(layers, batch, queries, hidden_size)`; present with `config.auxiliary_loss`.
    """

    intermediate_hidden_states: torch.Tensor | None = None

    def for_head(self) -> dict[str, Any]:
        """Return what a model with a head returns as well, by the names of the fields."""
        own = ("past_key_values", "intermediate_hidden_states")
        return {name: value for name, value in vars(self).items() if name not in own}


class DetrImageFeatures(NamedTuple):
    """What the encoder-decoder reads of images.

    Attributes:
        maps: the maps of the ResNet, from fine to coarse, each `(batch, channels, map_height, map_width)`.
        projection: the last map with as many channels as the hidden states have.
        sequence: the same as a sequence, row by row, `(batch, length, hidden_size)`.
        mask: whether a place of the last map belongs to the image, `(batch, length)`; `None` if all do.
        positions: embeddings of the places, `(batch, length, hidden_size)`.
    """

    maps: TensorTuple
    projection: torch.Tensor
    sequence: torch.Tensor
    mask: torch.Tensor | None
    positions: torch.Tensor


def additive_mask(mask: torch.Tensor | None, dtype: torch.dtype) -> torch.Tensor | None:
    """Turn a mask, 1 to attend and 0 not to, into numbers to add to attention scores: 0, or the lowest of `dtype`.

    `(batch, key_length)` to `(batch, 1, 1, key_length)`; `None`, to attend to everything, stays `None`.

    Raises:
        ValueError: the mask has another number of dimensions.
    """
    if mask is None:
        return None
    if mask.dim() != 2:
        raise ValueError(f"an attention mask has the shape (batch, length), not {tuple(mask.shape)}")
    zeros = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return zeros.masked_fill(mask == 0, torch.finfo(dtype).min)[:, None, None, :]


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


class DetrFrozenBatchNorm2d(nn.Module):
    """Batch normalisation whose statistics and weights are all fixed: buffers, which no training changes."""

    epsilon: ClassVar[float] = 1e-5
    weight: torch.Tensor
    bias: torch.Tensor
    running_mean: torch.Tensor
    running_var: torch.Tensor

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(num_channels))
        self.register_buffer("bias", torch.zeros(num_channels))
        self.register_buffer("running_mean", torch.zeros(num_channels))
        self.register_buffer("running_var", torch.ones(num_channels))

    def factors_and_offsets(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what every channel is multiplied by, and what is added to it then, each `(channels,)`."""
        factors = self.weight * (self.running_var + self.epsilon).rsqrt()
        return factors, self.bias - self.running_mean * factors


def overwriting_activation(name: str) -> nn.Module:
    """Return an activation for maps that nothing else needs; ReLU overwrites them."""
    return nn.ReLU(inplace=True) if name == "relu" else get_activation(name)


class DetrResNetConvLayer(nn.Module):
    """A convolution and its frozen batch normalisation, and an activation if one is named."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        activation: str | None = None,
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.dilation = stride, dilation * (kernel_size // 2), dilation
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel_size, bias=False)
        self.normalization = DetrFrozenBatchNorm2d(out_channels)
        self.activation = nn.Identity() if activation is None else overwriting_activation(activation)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """`(batch, in_channels, height, width)` to `(batch, out_channels, ...)`."""
        weight, geometry = self.convolution.weight, (self.stride, self.padding, self.dilation)
        factors, offsets = self.normalization.factors_and_offsets()
        if torch.is_grad_enabled() and weight.requires_grad:
            # Nothing keeps the map for the gradients, so it may be overwritten.
            convolved = functional.conv2d(hidden_states, weight, None, *geometry)
            convolved = convolved.mul_(factors[:, None, None]).add_(offsets[:, None, None])
        else:
            # The normalisation is linear and fixed, so it can be a part of the convolution: one pass over the map.
            convolved = functional.conv2d(hidden_states, weight * factors[:, None, None, None], offsets, *geometry)
        activated: torch.Tensor = self.activation(convolved)
        return activated


class DetrResNetEmbeddings(nn.Module):
    """The first convolution of the ResNet and its pooling, after which the map is a quarter as high and wide."""

    def __init__(self, backbone: Mapping[str, Any]) -> None:
        super().__init__()
        self.embedder = DetrResNetConvLayer(
            backbone["num_channels"],
            backbone["embedding_size"],
            kernel_size=7,
            stride=2,
            activation=backbone["hidden_act"],
        )
        self.pooler = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self.pooler(self.embedder(pixel_values))
        return pooled


class DetrResNetLayer(nn.Module):
    """Two convolutions ("basic") or three of which the outer ones are narrow ("bottleneck"), and a shortcut."""

    def __init__(
        self, backbone: Mapping[str, Any], in_channels: int, out_channels: int, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels or stride != 1:
            self.shortcut = DetrResNetConvLayer(in_channels, out_channels, kernel_size=1, stride=stride)
        if backbone["layer_type"] == "bottleneck":
            inner = out_channels // 4
            first_stride, second_stride = (stride, 1) if backbone["downsample_in_bottleneck"] else (1, stride)
            layers = [
                DetrResNetConvLayer(in_channels, inner, 1, first_stride, activation="relu"),
                DetrResNetConvLayer(inner, inner, 3, second_stride, dilation, activation="relu"),
                DetrResNetConvLayer(inner, out_channels, 1),
            ]
        else:
            layers = [
                DetrResNetConvLayer(in_channels, out_channels, 3, stride, dilation, activation="relu"),
                DetrResNetConvLayer(out_channels, out_channels, 3, dilation=dilation),
            ]
        self.layer = nn.Sequential(*layers)
        # The published networks name only this one by the configuration; the others are ReLU whatever it says.
        self.activation = overwriting_activation(backbone["hidden_act"])

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.activation(self.layer(hidden_states).add_(self.shortcut(hidden_states)))
        return output


class DetrResNetStage(nn.Module):
    """Layers of one resolution; the first one changes it."""

    def __init__(
        self, backbone: Mapping[str, Any], in_channels: int, out_channels: int, depth: int, stride: int, dilation: int
    ) -> None:
        super().__init__()
        # The first layer keeps the spacing of the stage before, as in torchvision's.
        first = DetrResNetLayer(backbone, in_channels, out_channels, stride)
        others = (DetrResNetLayer(backbone, out_channels, out_channels, 1, dilation) for _ in range(depth - 1))
        self.layers = nn.Sequential(first, *others)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.layers(hidden_states)
        return output


class DetrResNetEncoder(nn.Module):
    """The stages of the ResNet."""

    def __init__(self, backbone: Mapping[str, Any], is_dilated: bool) -> None:
        super().__init__()
        sizes = [backbone["embedding_size"], *backbone["hidden_sizes"]]
        self.stages = nn.ModuleList()
        for number, depth in enumerate(backbone["depths"]):
            is_last = number == len(backbone["depths"]) - 1
            stride = 2 if number > 0 or backbone["downsample_in_first_stage"] else 1
            stride, dilation = (1, stride) if is_last and is_dilated else (stride, 1)
            self.stages.append(DetrResNetStage(backbone, sizes[number], sizes[number + 1], depth, stride, dilation))


class DetrResNet(nn.Module):
    """A ResNet without a head."""

    def __init__(self, backbone: Mapping[str, Any], is_dilated: bool) -> None:
        super().__init__()
        self.embedder = DetrResNetEmbeddings(backbone)
        self.encoder = DetrResNetEncoder(backbone, is_dilated)

    def forward(self, pixel_values: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps behind the first convolution and behind every stage, from fine to coarse."""
        maps: list[torch.Tensor] = [self.embedder(pixel_values)]
        for stage in self.encoder.stages:
            maps.append(stage(maps[-1]))
        return maps


class DetrConvEncoder(nn.Module):
    """The ResNet, of which the first convolution and the first stage are not trained, as in the original."""

    def __init__(self, config: DetrConfig) -> None:
        super().__init__()
        backbone = config.backbone_config
        self.num_channels: int = backbone["num_channels"]
        self.indices: list[int] = backbone["out_indices"]
        sizes = [backbone["embedding_size"], *backbone["hidden_sizes"]]
        self.channel_sizes: list[int] = [sizes[index] for index in self.indices]
        self.model = DetrResNet(backbone, config.dilation)
        for part in (self.model.embedder, self.model.encoder.stages[0]):
            part.requires_grad_(False)

    def forward(self, pixel_values: torch.Tensor) -> TensorTuple:
        """Return the maps that the configuration names.

        Raises:
            ValueError: there is no image, or its number of channels is not the configuration's.
        """
        shape = tuple(pixel_values.shape)
        if len(shape) != 4 or shape[1] != self.num_channels or 0 in shape:
            raise ValueError(
                f"pixel_values must have the shape (batch, {self.num_channels}, height, width), not {shape}"
            )
        maps = self.model(pixel_values)
        return tuple(maps[index] for index in self.indices)


class DetrSinePositionEmbedding(nn.Module):
    """Fixed embeddings of places: half of the values for the row, half for the column (appendix A.4 of the paper).

    The last row and column of every image, without its padding, have the position 2 pi.
    """

    temperature: ClassVar[float] = 10000.0
    epsilon: ClassVar[float] = 1e-6

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return embeddings, `(batch, map_height, map_width, 2 * size)`, for a mask `(batch, map_height, map_width)`."""
        index = torch.arange(self.size, device=mask.device)
        wavelengths = self.temperature ** (2 * (index // 2).to(dtype) / self.size)
        halves = []
        for axis in (1, 2):
            position = mask.cumsum(axis, dtype=dtype)
            last = position.narrow(axis, position.shape[axis] - 1, 1)
            angles = (position / (last + self.epsilon) * (2 * math.pi))[..., None] / wavelengths
            halves.append(torch.stack((angles[..., 0::2].sin(), angles[..., 1::2].cos()), dim=-1).flatten(-2))
        return torch.cat(halves, dim=-1)


class DetrLearnedPositionEmbedding(nn.Module):
    """Learned embeddings of places: half of the values for the column, half for the row."""

    max_positions: ClassVar[int] = 50

    def __init__(self, size: int) -> None:
        super().__init__()
        self.row_embeddings = nn.Embedding(self.max_positions, size)
        self.column_embeddings = nn.Embedding(self.max_positions, size)

    def forward(self, mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return embeddings, `(batch, map_height, map_width, 2 * size)`, for a mask `(batch, map_height, map_width)`.

        Raises:
            ValueError: the map is larger than there are positions.
        """
        batch, height, width = mask.shape
        if max(height, width) > self.max_positions:
            raise ValueError(
                f"a map of {height} x {width} is larger than {self.max_positions} positions; scale the image down"
            )
        columns = self.column_embeddings.weight[:width].expand(batch, height, width, -1)
        rows = self.row_embeddings.weight[:height, None].expand(batch, height, width, -1)
        return torch.cat((columns, rows), dim=-1).to(dtype)


class DetrAttention(nn.Module):
    """Attention with several heads. Positions are added to what queries and keys are made of, never to the values."""

    def __init__(self, config: DetrConfig, num_heads: int) -> None:
        super().__init__()
        if config.d_model % num_heads != 0:
            raise ValueError(f"d_model ({config.d_model}) must be a multiple of the number of heads ({num_heads})")
        self.config = config
        self.num_attention_heads = num_heads
        self.attention_head_size = config.d_model // num_heads
        self.scaling = self.attention_head_size**-0.5
        self.k_proj = nn.Linear(config.d_model, config.d_model)
        self.v_proj = nn.Linear(config.d_model, config.d_model)
        self.q_proj = nn.Linear(config.d_model, config.d_model)
        self.o_proj = nn.Linear(config.d_model, config.d_model)

    # Copied from add_model.zoo.models.bert.modeling_bert.BertSelfAttention.split_heads
    def split_heads(self, projection: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, heads, length, head_size)`."""
        batch, length, _ = projection.shape
        heads = projection.view(batch, length, self.num_attention_heads, self.attention_head_size)
        return heads.transpose(1, 2)

    def forward(
        self,
        hidden_states: torch.Tensor,
        positions: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        source: torch.Tensor | None = None,
        source_positions: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for.

        Args:
            hidden_states: what attends, `(batch, length, hidden_size)`.
            positions: embeddings of its positions, of the same shape.
            attention_mask: added to the scores, `(batch, 1, 1, key_length)`.
            source, source_positions: what is attended to in cross-attention, `(batch, key_length, hidden_size)`;
                `None` in self-attention.
            output_attentions: whether to return the attention probabilities.
        """
        with_positions = hidden_states + positions
        key_source = with_positions
        if source is None:
            source = hidden_states
        else:
            assert source_positions is not None
            key_source = source + source_positions
        query = self.split_heads(self.q_proj(with_positions))
        key = self.split_heads(self.k_proj(key_source))
        value = self.split_heads(self.v_proj(source))

        dropout = self.config.attention_dropout if self.training else 0.0
        probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, probabilities = eager_attention(query, key, value, attention_mask, self.scaling, dropout)
        else:
            context = sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)

        context = context.transpose(1, 2).reshape(hidden_states.shape)
        return self.o_proj(context), probabilities


class DetrMLP(nn.Module):
    """The feed-forward network of a layer."""

    def __init__(self, config: DetrConfig, inner_size: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.d_model, inner_size)
        self.fc2 = nn.Linear(inner_size, config.d_model)
        self.activation = get_activation(config.activation_function)
        self.activation_dropout = nn.Dropout(config.activation_dropout)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.activation_dropout(self.activation(self.fc1(hidden_states)))
        output: torch.Tensor = self.dropout(self.fc2(hidden_states))
        return output


class DetrEncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each followed by a residual and a layer normalisation."""

    def __init__(self, config: DetrConfig) -> None:
        super().__init__()
        self.self_attn = DetrAttention(config, config.encoder_attention_heads)
        self.self_attn_layer_norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.mlp = DetrMLP(config, config.encoder_ffn_dim)
        self.final_layer_norm = nn.LayerNorm(config.d_model)

    def forward(
        self,
        hidden_states: torch.Tensor,
        positions: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        attended, probabilities = self.self_attn(
            hidden_states, positions, attention_mask, output_attentions=output_attentions
        )
        hidden_states = self.self_attn_layer_norm(hidden_states + self.dropout(attended))
        hidden_states = self.final_layer_norm(hidden_states + self.mlp(hidden_states))

        if hidden_states.dtype == torch.float16 and not bool(torch.isfinite(hidden_states).all()):
            limit = torch.finfo(torch.float16).max - 1000
            hidden_states = hidden_states.clamp(min=-limit, max=limit)
        return hidden_states, probabilities


class DetrDecoderLayer(nn.Module):
    """Self-attention of the queries, attention over the encoder's output and a feed-forward network.

    Each is followed by a residual and a layer normalisation.
    """

    def __init__(self, config: DetrConfig) -> None:
        super().__init__()
        self.self_attn = DetrAttention(config, config.decoder_attention_heads)
        self.self_attn_layer_norm = nn.LayerNorm(config.d_model)
        self.encoder_attn = DetrAttention(config, config.decoder_attention_heads)
        self.encoder_attn_layer_norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.mlp = DetrMLP(config, config.decoder_ffn_dim)
        self.final_layer_norm = nn.LayerNorm(config.d_model)

    def forward(
        self,
        hidden_states: torch.Tensor,
        query_positions: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        positions: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        encoder_attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """Return the output, `(batch, queries, hidden_size)`, and the probabilities of self- and cross-attention."""
        attended, probabilities = self.self_attn(
            hidden_states, query_positions, attention_mask, output_attentions=output_attentions
        )
        hidden_states = self.self_attn_layer_norm(hidden_states + self.dropout(attended))
        attended, cross_probabilities = self.encoder_attn(
            hidden_states,
            query_positions,
            encoder_attention_mask,
            source=encoder_hidden_states,
            source_positions=positions,
            output_attentions=output_attentions,
        )
        hidden_states = self.encoder_attn_layer_norm(hidden_states + self.dropout(attended))
        hidden_states = self.final_layer_norm(hidden_states + self.mlp(hidden_states))
        return hidden_states, probabilities, cross_probabilities


class DetrEncoder(nn.Module):
    """The layers of the encoder."""

    def __init__(self, config: DetrConfig) -> None:
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList([DetrEncoderLayer(config) for _ in range(config.encoder_layers)])

    def forward(
        self,
        inputs_embeds: torch.Tensor,
        positions: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> BaseModelOutput:
        """Compute the hidden states of the places of an image.

        Args:
            inputs_embeds: the places, `(batch, length, hidden_size)`.
            positions: embeddings of their positions, of the same shape.
            attention_mask: 1 for the image and 0 for padding, `(batch, length)`.
            output_attentions, output_hidden_states: whether to return those of all layers.
        """
        hidden_states = self.dropout(inputs_embeds)
        attention_mask = additive_mask(attention_mask, hidden_states.dtype)

        all_hidden_states: list[torch.Tensor] = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        for layer in self.layers:
            hidden_states, probabilities = layer(hidden_states, positions, attention_mask, output_attentions)
            all_hidden_states.append(hidden_states)
            if probabilities is not None:
                all_attentions.append(probabilities)

        return BaseModelOutput(
            last_hidden_state=hidden_states,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


class DetrDecoder(nn.Module):
    """The layers of the decoder and the normalisation of its output."""

    def __init__(self, config: DetrConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList([DetrDecoderLayer(config) for _ in range(config.decoder_layers)])
        self.layernorm = nn.LayerNorm(config.d_model)

    def forward(
        self,
        inputs_embeds: torch.Tensor,
        query_positions: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        positions: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        encoder_attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> DetrModelOutput:
        """Compute the hidden states of the queries.

        Args:
            inputs_embeds: the queries, `(batch, queries, hidden_size)`.
            query_positions: their embeddings, of the same shape, added in every layer.
            encoder_hidden_states: the encoder's output, `(batch, length, hidden_size)`.
            positions: embeddings of the positions of the encoder's output, of the same shape.
            attention_mask: 1 for queries that may be attended to, `(batch, queries)`.
            encoder_attention_mask: 1 for the image and 0 for padding, `(batch, length)`.
            output_attentions, output_hidden_states: whether to return those of all layers.
        """
        hidden_states = inputs_embeds
        attention_mask = additive_mask(attention_mask, hidden_states.dtype)
        encoder_attention_mask = additive_mask(encoder_attention_mask, hidden_states.dtype)

        all_hidden_states: list[torch.Tensor] = [hidden_states]
        intermediate: list[torch.Tensor] = []
        all_attentions: list[torch.Tensor] = []
        all_cross_attentions: list[torch.Tensor] = []
        for layer in self.layers:
            hidden_states, probabilities, cross_probabilities = layer(
                hidden_states,
                query_positions,
                encoder_hidden_states,
                positions,
                attention_mask,
                encoder_attention_mask,
                output_attentions,
            )
            all_hidden_states.append(hidden_states)
            if self.config.auxiliary_loss:
                # The published models go on from the normalised output then; the original only trains it.
                hidden_states = self.layernorm(hidden_states)
                intermediate.append(hidden_states)
            if probabilities is not None and cross_probabilities is not None:
                all_attentions.append(probabilities)
                all_cross_attentions.append(cross_probabilities)

        hidden_states = self.layernorm(hidden_states)
        all_hidden_states[-1] = hidden_states
        return DetrModelOutput(
            last_hidden_state=hidden_states,
            decoder_hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            decoder_attentions=tuple(all_attentions) if output_attentions else None,
            cross_attentions=tuple(all_cross_attentions) if output_attentions else None,
            intermediate_hidden_states=torch.stack(intermediate) if intermediate else None,
        )


class DetrMLPPredictionHead(nn.Module):
    """Linear layers with ReLU between them, which turn a query into a box."""

    def __init__(self, hidden_size: int, output_size: int, num_layers: int) -> None:
        super().__init__()
        sizes = [hidden_size] * num_layers + [output_size]
        self.layers = nn.ModuleList([nn.Linear(*pair) for pair in zip(sizes[:-1], sizes[1:], strict=True)])

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        for layer in self.layers[:-1]:
            hidden_states = functional.relu(layer(hidden_states))
        output: torch.Tensor = self.layers[-1](hidden_states)
        return output


class DetrConvBlock(nn.Module):
    """A convolution, a normalisation of groups of channels and an activation."""

    def __init__(self, in_channels: int, out_channels: int, activation: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        self.norm = nn.GroupNorm(min(8, out_channels), out_channels)
        self.activation = get_activation(activation)

    def finish(self, convolved: torch.Tensor) -> torch.Tensor:
        """Return the output of the block for that of the convolution."""
        output: torch.Tensor = self.activation(self.norm(convolved))
        return output

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return self.finish(self.conv(hidden_states))


class DetrFPNFusionStage(nn.Module):
    """Enlarges the maps of the queries, and adds what a finer map of the ResNet knows."""

    def __init__(self, fpn_channels: int, in_channels: int, out_channels: int, activation: str) -> None:
        super().__init__()
        self.fpn_adapter = nn.Conv2d(fpn_channels, in_channels, kernel_size=1)
        self.refine = DetrConvBlock(in_channels, out_channels, activation)

    def forward(self, hidden_states: torch.Tensor, finer_map: torch.Tensor) -> torch.Tensor:
        """`(batch * queries, in_channels, map_height, map_width)` to `(..., out_channels, height and width finer)`."""
        # All queries of an image share its map, so it is adapted once.
        adapted = self.fpn_adapter(finer_map)
        enlarged = functional.interpolate(hidden_states, size=adapted.shape[-2:], mode="nearest")
        fused = enlarged.view(len(adapted), -1, *adapted.shape[1:]) + adapted[:, None]
        output: torch.Tensor = self.refine(fused.flatten(0, 1))
        return output


class DetrMaskHeadSmallConv(nn.Module):
    """Turns the attention maps of the queries into masks, from coarse to fine (section 4.4 of the paper)."""

    def __init__(self, hidden_size: int, num_heads: int, fpn_channels: list[int], activation: str) -> None:
        super().__init__()
        in_channels = hidden_size + num_heads
        if in_channels % 8 != 0 or hidden_size % 16 != 0:
            raise ValueError(
                f"masks need a d_model ({hidden_size}) that is a multiple of 16, and together with the number of "
                f"encoder_attention_heads ({num_heads}) one of 8"
            )
        self.conv1 = DetrConvBlock(in_channels, in_channels, activation)
        self.conv2 = DetrConvBlock(in_channels, hidden_size // 2, activation)
        widths = [hidden_size // 2, hidden_size // 4, hidden_size // 8, hidden_size // 16]
        self.fpn_stages = nn.ModuleList(
            [
                DetrFPNFusionStage(channels, before, after, activation)
                for channels, before, after in zip(fpn_channels, widths[:-1], widths[1:], strict=True)
            ]
        )
        self.output_conv = nn.Conv2d(widths[-1], 1, kernel_size=3, padding=1)

    def forward(
        self, projection: torch.Tensor, attention_maps: torch.Tensor, finer_maps: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        """Return the masks of all queries, `(batch, queries, height and width of the finest map)`.

        Args:
            projection: the coarsest map, `(batch, hidden_size, map_height, map_width)`.
            attention_maps: where each query looks, `(batch, queries, heads, map_height, map_width)`.
            finer_maps: maps of the ResNet, from coarse to fine.
        """
        batch, queries = attention_maps.shape[:2]
        # The first convolution sees the map and a query's attention; the part of the map is the same for all queries.
        weight, bias = self.conv1.conv.weight, self.conv1.conv.bias
        of_map = functional.conv2d(projection, weight[:, : projection.shape[1]], bias, padding=1)
        of_queries = functional.conv2d(attention_maps.flatten(0, 1), weight[:, projection.shape[1] :], padding=1)
        convolved = of_queries.view(batch, queries, *of_map.shape[1:]) + of_map[:, None]
        hidden_states = self.conv2(self.conv1.finish(convolved.flatten(0, 1)))
        for stage, finer_map in zip(self.fpn_stages, finer_maps, strict=True):
            hidden_states = stage(hidden_states, finer_map)
        masks: torch.Tensor = self.output_conv(hidden_states)
        return masks.view(batch, queries, *masks.shape[-2:])


class DetrMHAttentionMap(nn.Module):
    """Attention of the queries over an image that returns only its probabilities, for all heads together."""

    def __init__(self, hidden_size: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.scaling = (hidden_size // num_heads) ** -0.5
        self.q_proj = nn.Linear(hidden_size, hidden_size)
        self.k_proj = nn.Linear(hidden_size, hidden_size)

    def forward(
        self, queries: torch.Tensor, memory: torch.Tensor, attention_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return probabilities, `(batch, queries, heads, length)`; those of a query add up to 1 over heads and places.

        Args:
            queries: `(batch, queries, hidden_size)`.
            memory: the encoder's output, `(batch, length, hidden_size)`.
            attention_mask: 1 for the image and 0 for padding, `(batch, length)`.
        """
        query = self.q_proj(queries).unflatten(-1, (self.num_heads, -1)) * self.scaling
        key = self.k_proj(memory).unflatten(-1, (self.num_heads, -1))
        scores = torch.einsum("bqhc,bkhc->bqhk", query, key)
        added = additive_mask(attention_mask, scores.dtype)
        scores = scores if added is None else scores + added
        return functional.softmax(scores.flatten(2), dim=-1).view(scores.shape)


def shrink_mask(pixel_mask: torch.Tensor | None, size: Sequence[int]) -> torch.Tensor | None:
    """Return which places of a map of a given size belong to an image, `(batch, map_height, map_width)`."""
    return None if pixel_mask is None else functional.interpolate(pixel_mask[None].float(), tuple(size))[0] != 0


class DetrPreTrainedModel(PreTrainedModel):
    """What all DETR models share: the configuration class and the initial weights."""

    config_class = DetrConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"
    # The published checkpoints keep the names of earlier releases, with the ResNet's of timm or of its own.
    _renamed_checkpoint_keys: ClassVar[dict[str, str]] = {
        r"^detr\.": "",
        r"backbone\.conv_encoder\.": "backbone.",
        r"backbone\.position_embedding\.": "position_embedding.",
        r"\.out_proj\.": ".o_proj.",
        r"(layers\.\d+)\.(fc[12])\.": r"\1.mlp.\2.",
        **renamed_backbone_keys(),
    }
    # Batch normalisations that were trained once have counted their steps.
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"backbone\..*num_batches_tracked$",)

    config: DetrConfig

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            module.weight.normal_(mean=0.0, std=self.config.init_std)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(mean=0.0, std=self.config.init_std)
        elif isinstance(module, (nn.LayerNorm, nn.GroupNorm)):
            module.weight.fill_(1.0)
            module.bias.zero_()
        elif isinstance(module, DetrResNetConvLayer):
            nn.init.kaiming_normal_(module.convolution.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, DetrLearnedPositionEmbedding):
            nn.init.uniform_(module.row_embeddings.weight)
            nn.init.uniform_(module.column_embeddings.weight)


class DetrModel(DetrPreTrainedModel):
    """The ResNet and the encoder-decoder without a head."""

    def __init__(self, config: DetrConfig) -> None:
        super().__init__(config)
        self.backbone = DetrConvEncoder(config)
        positions = (
            DetrSinePositionEmbedding if config.position_embedding_type == "sine" else DetrLearnedPositionEmbedding
        )
        self.position_embedding = positions(config.d_model // 2)
        self.query_position_embeddings = nn.Embedding(config.num_queries, config.d_model)
        self.input_projection = nn.Conv2d(self.backbone.channel_sizes[-1], config.d_model, kernel_size=1)
        self.encoder = DetrEncoder(config)
        self.decoder = DetrDecoder(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.backbone.model.embedder.embedder.convolution

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, nn.Conv2d)
        self.backbone.model.embedder.embedder.convolution = embeddings

    def read_images(self, pixel_values: torch.Tensor, pixel_mask: torch.Tensor | None) -> DetrImageFeatures:
        """Return what the encoder-decoder reads of images; for the arguments see `forward`."""
        maps = self.backbone(pixel_values)
        projection = self.input_projection(maps[-1])
        batch, size = len(pixel_values), projection.shape[-2:]
        if pixel_mask is not None and pixel_mask.shape != (batch, *pixel_values.shape[-2:]):
            raise ValueError(f"pixel_mask must be (batch, height, width) of the images, not {tuple(pixel_mask.shape)}")
        mask = shrink_mask(pixel_mask, size)
        return DetrImageFeatures(
            maps=maps,
            projection=projection,
            sequence=projection.flatten(2).transpose(1, 2),
            mask=None if mask is None else mask.flatten(1),
            positions=self.embed_positions(mask, batch, size, projection),
        )

    def read_embeddings(self, inputs_embeds: torch.Tensor, pixel_mask: torch.Tensor | None) -> DetrImageFeatures:
        """Return what the encoder-decoder reads of images whose maps are square and already in a row.

        Raises:
            ValueError: their length is no square.
        """
        length = inputs_embeds.shape[1]
        side = math.isqrt(length)
        if side**2 != length:
            raise ValueError(f"inputs_embeds are the places of a square map, row by row; {length} is no square")
        mask = shrink_mask(pixel_mask, (side, side))
        # The published models count these positions without regard to padding.
        positions = self.embed_positions(None, len(inputs_embeds), (side, side), inputs_embeds)
        flat_mask = None if mask is None else mask.flatten(1)
        return DetrImageFeatures((), inputs_embeds, inputs_embeds, flat_mask, positions)

    def embed_positions(
        self, mask: torch.Tensor | None, batch: int, size: Sequence[int], like: torch.Tensor
    ) -> torch.Tensor:
        """Return embeddings of the places of a map, `(batch, length, hidden_size)`."""
        if mask is None:
            # Without padding the positions of all images are the same.
            mask = torch.ones(1, *size, dtype=torch.bool, device=like.device)
        positions: torch.Tensor = self.position_embedding(mask, like.dtype)
        return positions.flatten(1, 2).expand(batch, -1, -1)

    def attend(
        self,
        features: DetrImageFeatures,
        decoder_attention_mask: torch.Tensor | None = None,
        encoder_outputs: BaseModelOutput | tuple[Any, ...] | None = None,
        decoder_inputs_embeds: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> DetrModelOutput:
        """Compute the hidden states of the queries from what was read of images; for the others see `forward`."""
        output_attentions = self.config.output_attentions if output_attentions is None else output_attentions
        output_hidden_states = (
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        )
        if encoder_outputs is None:
            encoder_outputs = self.encoder(
                features.sequence, features.positions, features.mask, output_attentions, output_hidden_states
            )
        elif isinstance(encoder_outputs, tuple):
            encoder_outputs = BaseModelOutput(last_hidden_state=encoder_outputs[0])
        assert isinstance(encoder_outputs, BaseModelOutput)

        query_positions = self.query_position_embeddings.weight.expand(len(features.positions), -1, -1)
        if decoder_inputs_embeds is None:
            decoder_inputs_embeds = torch.zeros_like(query_positions)
        outputs: DetrModelOutput = self.decoder(
            decoder_inputs_embeds,
            query_positions,
            encoder_outputs.last_hidden_state,
            features.positions,
            decoder_attention_mask,
            features.mask,
            output_attentions,
            output_hidden_states,
        )
        outputs.encoder_last_hidden_state = encoder_outputs.last_hidden_state
        outputs.encoder_hidden_states = encoder_outputs.hidden_states
        outputs.encoder_attentions = encoder_outputs.attentions
        return outputs

    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        pixel_mask: torch.Tensor | None = None,
        decoder_attention_mask: torch.Tensor | None = None,
        encoder_outputs: BaseModelOutput | tuple[Any, ...] | None = None,
        inputs_embeds: torch.Tensor | None = None,
        decoder_inputs_embeds: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> DetrModelOutput:
        """Compute the hidden states of the queries.

        Args:
            pixel_values: the images, `(batch, channels, height, width)`, smaller ones filled up on the right and below.
            pixel_mask: 1 for the image and 0 for what it was filled up with, `(batch, height, width)`.
            decoder_attention_mask: 1 for queries that may be attended to, `(batch, queries)`.
            encoder_outputs: what the encoder returned before.
            inputs_embeds: the places of a square map instead of `pixel_values`, `(batch, length, hidden_size)`.
            decoder_inputs_embeds: what the queries start from, `(batch, queries, hidden_size)`, instead of zeros.
            output_attentions, output_hidden_states: whether to return those of all layers.

        Raises:
            ValueError: neither or both of `pixel_values` and `inputs_embeds` are given, or a shape is wrong.
        """
        if (pixel_values is None) == (inputs_embeds is None):
            raise ValueError("pass either pixel_values or inputs_embeds")
        if pixel_values is not None:
            features = self.read_images(pixel_values, pixel_mask)
        else:
            assert inputs_embeds is not None
            features = self.read_embeddings(inputs_embeds, pixel_mask)
        return self.attend(
            features,
            decoder_attention_mask,
            encoder_outputs,
            decoder_inputs_embeds,
            output_attentions,
            output_hidden_states,
        )


class DetrDetector(DetrPreTrainedModel):
    """The model and what turns its queries into classes and boxes: what both heads share."""

    def __init__(self, config: DetrConfig) -> None:
        super().__init__(config)
        self.model = DetrModel(config)
        # One class more: "no object".
        self.class_labels_classifier = nn.Linear(config.d_model, config.num_labels + 1)
        self.bbox_predictor = DetrMLPPredictionHead(config.d_model, output_size=4, num_layers=3)
        self.post_init()

    def predict(self, hidden_states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scores of all classes and the boxes of queries."""
        return self.class_labels_classifier(hidden_states), self.bbox_predictor(hidden_states).sigmoid()

    def predict_earlier(self, outputs: DetrModelOutput) -> list[dict[str, torch.Tensor]] | None:
        """Return "logits" and "pred_boxes" of every layer of the decoder but the last, if these are trained as well."""
        if outputs.intermediate_hidden_states is None:
            return None
        predictions = (self.predict(layer) for layer in outputs.intermediate_hidden_states[:-1])
        return [{"logits": logits, "pred_boxes": pred_boxes} for logits, pred_boxes in predictions]


class DetrForObjectDetection(DetrDetector):
    """Finds the objects in an image: their classes and boxes."""

    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        pixel_mask: torch.Tensor | None = None,
        decoder_attention_mask: torch.Tensor | None = None,
        encoder_outputs: BaseModelOutput | tuple[Any, ...] | None = None,
        inputs_embeds: torch.Tensor | None = None,
        decoder_inputs_embeds: torch.Tensor | None = None,
        labels: Sequence[ObjectLabels] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> ObjectDetectionOutput:
        """Compute classes and boxes and, with labels, the losses; for the other arguments see `DetrModel.forward`.

        Args:
            labels: for every image a dictionary of "class_labels" and "boxes", see `ObjectLabels`.

        Raises:
            ValueError: as in `DetrModel.forward`, or the labels do not fit the images.
        """
        outputs = self.model(
            pixel_values,
            pixel_mask,
            decoder_attention_mask,
            encoder_outputs,
            inputs_embeds,
            decoder_inputs_embeds,
            output_attentions,
            output_hidden_states,
        )
        logits, pred_boxes = self.predict(outputs.last_hidden_state)
        result = ObjectDetectionOutput(logits=logits, pred_boxes=pred_boxes, **outputs.for_head())
        if labels is not None:
            earlier = self.predict_earlier(outputs)
            result.auxiliary_outputs = earlier
            result.loss, result.loss_dict, _ = detection_loss(logits, pred_boxes, labels, self.config, earlier or ())
        return result


class DetrForSegmentation(DetrPreTrainedModel):
    """Finds the objects in an image, and of every object its mask."""

    _renamed_checkpoint_keys: ClassVar[dict[str, str]] = {
        **DetrPreTrainedModel._renamed_checkpoint_keys,
        **renamed_mask_head_keys(),
        # A checkpoint that only finds objects fills that part.
        r"^(?=(backbone|position_embedding|query_position_embeddings|input_projection|encoder|decoder)\.)": "model.",
        r"^(?=(model|class_labels_classifier|bbox_predictor)\.)": "detr.",
    }

    def __init__(self, config: DetrConfig) -> None:
        super().__init__(config)
        self.detr = DetrDetector(config)
        channel_sizes = self.detr.model.backbone.channel_sizes
        if len(channel_sizes) < 3:
            raise ValueError("masks are made of three maps of the ResNet and more; name its stages in out_features")
        self.mask_head = DetrMaskHeadSmallConv(
            config.d_model, config.encoder_attention_heads, channel_sizes[2::-1], config.activation_function
        )
        self.bbox_attention = DetrMHAttentionMap(config.d_model, config.encoder_attention_heads)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, DetrMHAttentionMap):
            for projection in (module.q_proj, module.k_proj):
                nn.init.xavier_uniform_(projection.weight, gain=self.config.init_xavier_std)
        elif isinstance(module, DetrMaskHeadSmallConv):
            for part in module.modules():
                if isinstance(part, nn.Conv2d):
                    nn.init.kaiming_uniform_(part.weight, a=1)

    @property
    def base_model(self) -> nn.Module:
        """The model without the heads."""
        return self.detr.model

    def forward(
        self,
        pixel_values: torch.Tensor,
        pixel_mask: torch.Tensor | None = None,
        decoder_attention_mask: torch.Tensor | None = None,
        encoder_outputs: BaseModelOutput | tuple[Any, ...] | None = None,
        decoder_inputs_embeds: torch.Tensor | None = None,
        labels: Sequence[ObjectLabels] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> ObjectSegmentationOutput:
        """Compute classes, boxes and masks and, with labels, the losses; see `DetrModel.forward`.

        Args:
            labels: for every image a dictionary of "class_labels", "boxes" and "masks", see `ObjectLabels`.

        Raises:
            ValueError: as in `DetrModel.forward`, or the labels do not fit the images.
        """
        features = self.detr.model.read_images(pixel_values, pixel_mask)
        outputs = self.detr.model.attend(
            features,
            decoder_attention_mask,
            encoder_outputs,
            decoder_inputs_embeds,
            output_attentions,
            output_hidden_states,
        )
        logits, pred_boxes = self.detr.predict(outputs.last_hidden_state)
        assert outputs.encoder_last_hidden_state is not None
        attention_maps = self.bbox_attention(
            outputs.last_hidden_state, outputs.encoder_last_hidden_state, features.mask
        )
        pred_masks = self.mask_head(
            features.projection, attention_maps.unflatten(-1, features.projection.shape[-2:]), features.maps[2::-1]
        )
        result = ObjectSegmentationOutput(
            logits=logits, pred_boxes=pred_boxes, pred_masks=pred_masks, **outputs.for_head()
        )
        if labels is not None:
            earlier = self.detr.predict_earlier(outputs)
            loss, losses, matches = detection_loss(logits, pred_boxes, labels, self.config, earlier or ())
            loss_of_masks, losses_of_masks = mask_loss(pred_masks, labels, matches, self.config)
            result.loss, result.loss_dict = loss + loss_of_masks, {**losses, **losses_of_masks}
            result.auxiliary_outputs = earlier
        return result
