"""SegFormer in PyTorch: an encoder whose maps get smaller from stage to stage, with a light decoder of pixels.

The architecture is that of https://arxiv.org/abs/2105.15203. What sets it apart from ViT (section 3 of the paper): every
stage cuts the map before it into patches that overlap; the pixels of a map attend to a reduced copy of it, as in
https://arxiv.org/abs/2102.12122; there are no positions, of which a convolution inside the feed-forward blocks tells
enough; and to classify pixels, linear maps bring all stages to one size and add them up.

Names in the shapes: `batch`, `channels`, `height` and `width` (of an image, or of the map that a stage made of it),
`length` (pixels of a map, `height * width`), `reduced_length` (pixels of a reduced map), `heads`, `head_size`. The names
of the parameters are those of the published implementation; those in its older checkpoints are read, too.
"""

from collections.abc import Sequence
from itertools import islice

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...configuration_utils import PreTrainedConfig
from ...modeling_outputs import BaseModelOutput
from ...modeling_outputs_vision import ImageClassifierOutput, SemanticSegmenterOutput
from ...modeling_utils import PreTrainedModel
from .configuration_segformer import SegformerConfig

Grid = tuple[int, int]


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


def semantic_segmentation_loss(logits: torch.Tensor, labels: torch.Tensor, config: SegformerConfig) -> torch.Tensor:
    """Return the loss of a classifier of pixels, at the size of the labels.

    It is the mean cross-entropy of the pixels that count. With a single label it is the binary cross-entropy of "is it"
    against "is it not"; there pixels that do not count are zeros of the mean.

    Args:
        logits: `(batch, num_labels, height, width)`, of any height and width.
        labels: class index of every pixel, `(batch, height, width)`, or `semantic_loss_ignore_index`.
        config: gives `num_labels` and `semantic_loss_ignore_index`.

    Raises:
        ValueError: the configuration has no labels, or the labels have another shape.
    """
    if config.num_labels < 1:
        raise ValueError("a loss needs labels, and the configuration has none; set num_labels")
    if labels.dim() != 3 or labels.shape[0] != logits.shape[0]:
        raise ValueError(
            f"labels must have the shape (batch, height, width) with a batch of {logits.shape[0]}, not "
            f"{tuple(labels.shape)}"
        )
    logits = functional.interpolate(logits, size=labels.shape[-2:], mode="bilinear", align_corners=False)
    if config.num_labels > 1:
        return functional.cross_entropy(logits, labels, ignore_index=config.semantic_loss_ignore_index)
    counts = (labels >= 0) & (labels != config.semantic_loss_ignore_index)
    losses = functional.binary_cross_entropy_with_logits(logits.squeeze(1), labels.float(), reduction="none")
    return (losses * counts).mean()


def as_map(hidden_states: torch.Tensor, grid: Grid) -> torch.Tensor:
    """`(batch, length, channels)` to `(batch, channels, height, width)`, with the channels last in memory as before."""
    batch, _, channels = hidden_states.shape
    return hidden_states.transpose(1, 2).view(batch, channels, *grid)


def as_sequence(maps: torch.Tensor) -> torch.Tensor:
    """`(batch, channels, height, width)` to `(batch, length, channels)`."""
    return maps.flatten(2).transpose(1, 2)


# Copied from add_model.zoo.models.convnext.modeling_convnext.ConvNextDropPath
class SegformerDropPath(nn.Module):
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


class SegformerOverlapPatchEmbeddings(nn.Module):
    """Cuts a map into patches that overlap, and makes a vector of each.

    Args:
        config: the configuration.
        index: number of the stage.
    """

    def __init__(self, config: SegformerConfig, index: int) -> None:
        super().__init__()
        self.patch_size, self.stride = config.patch_sizes[index], config.strides[index]
        self.proj = nn.Conv2d(
            config.hidden_sizes[index - 1] if index > 0 else config.num_channels,
            config.hidden_sizes[index],
            kernel_size=self.patch_size,
            stride=self.stride,
            padding=self.patch_size // 2,
        )
        self.layer_norm = nn.LayerNorm(config.hidden_sizes[index])

    def grid_of(self, height: int, width: int) -> Grid:
        """Return how many patches a map is cut into, from top to bottom and from left to right."""
        reach = 2 * (self.patch_size // 2) - self.patch_size
        return (height + reach) // self.stride + 1, (width + reach) // self.stride + 1

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        embeddings: torch.Tensor = self.layer_norm(as_sequence(self.proj(maps)))
        return embeddings


class SegformerSequenceReduction(nn.Module):
    """Makes one pixel of every square of a map, for the others to attend to."""

    def __init__(self, hidden_size: int, ratio: int) -> None:
        super().__init__()
        self.ratio = ratio
        self.sequence_reduction = nn.Conv2d(hidden_size, hidden_size, kernel_size=ratio, stride=ratio)
        self.layer_norm = nn.LayerNorm(hidden_size)

    def forward(self, hidden_states: torch.Tensor, grid: Grid) -> torch.Tensor:
        if min(grid) < self.ratio:
            raise ValueError(
                f"the images are too small: a stage has a map of {grid[0]} x {grid[1]}, and the squares of which its "
                f"sr_ratios make one pixel are {self.ratio} x {self.ratio}"
            )
        reduced: torch.Tensor = self.layer_norm(as_sequence(self.sequence_reduction(as_map(hidden_states, grid))))
        return reduced


class SegformerAttention(nn.Module):
    """Lets every pixel of a map gather information from all pixels of its reduced copy.

    Args:
        config: the configuration.
        index: number of the stage.
    """

    def __init__(self, config: SegformerConfig, index: int) -> None:
        super().__init__()
        hidden_size, heads, ratio = (
            config.hidden_sizes[index],
            config.num_attention_heads[index],
            config.sr_ratios[index],
        )
        if hidden_size % heads != 0:
            raise ValueError(
                f"hidden_sizes ({hidden_size} in stage {index}) must be a multiple of num_attention_heads ({heads})"
            )
        self.config = config
        self.num_attention_heads = heads
        self.attention_head_size = hidden_size // heads
        self.scaling = self.attention_head_size**-0.5
        self.q_proj = nn.Linear(hidden_size, hidden_size)
        self.k_proj = nn.Linear(hidden_size, hidden_size)
        self.v_proj = nn.Linear(hidden_size, hidden_size)
        self.o_proj = nn.Linear(hidden_size, hidden_size)
        self.sequence_reduction = SegformerSequenceReduction(hidden_size, ratio) if ratio > 1 else None
        self.dropout = config.attention_probs_dropout_prob

    # Copied from add_model.zoo.models.bert.modeling_bert.BertSelfAttention.split_heads
    def split_heads(self, projection: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, heads, length, head_size)`."""
        batch, length, _ = projection.shape
        heads = projection.view(batch, length, self.num_attention_heads, self.attention_head_size)
        return heads.transpose(1, 2)

    def forward(
        self, hidden_states: torch.Tensor, grid: Grid, output_attentions: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        reduced = hidden_states if self.sequence_reduction is None else self.sequence_reduction(hidden_states, grid)
        query = self.split_heads(self.q_proj(hidden_states))
        key = self.split_heads(self.k_proj(reduced))
        value = self.split_heads(self.v_proj(reduced))
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


class SegformerDepthWiseConv(nn.Module):
    """Mixes every pixel with those around it, each channel for itself, which tells a pixel where it is."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, kernel_size=3, padding=1, groups=channels)

    def forward(self, hidden_states: torch.Tensor, grid: Grid) -> torch.Tensor:
        maps: torch.Tensor = self.dwconv(as_map(hidden_states, grid))
        return as_sequence(maps)


class SegformerMixMLP(nn.Module):
    """The feed-forward block of a layer, with a convolution before the activation function."""

    def __init__(self, config: SegformerConfig, index: int) -> None:
        super().__init__()
        hidden_size = config.hidden_sizes[index]
        inner_size = int(hidden_size * config.mlp_ratios[index])
        self.fc1 = nn.Linear(hidden_size, inner_size)
        self.dwconv = SegformerDepthWiseConv(inner_size)
        self.activation = get_activation(config.hidden_act)
        self.fc2 = nn.Linear(inner_size, hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: torch.Tensor, grid: Grid) -> torch.Tensor:
        hidden_states = self.fc1(hidden_states)
        hidden_states = self.dwconv(hidden_states, grid)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.dropout(hidden_states)
        hidden_states = self.fc2(hidden_states)
        hidden_states = self.dropout(hidden_states)
        return hidden_states


class SegformerLayer(nn.Module):
    """One layer: attention, then the feed-forward block, each behind a normalisation and added to what was there.

    Args:
        config: the configuration.
        index: number of the stage.
        drop_path: probability of leaving out either half of the layer, in training.
    """

    def __init__(self, config: SegformerConfig, index: int, drop_path: float) -> None:
        super().__init__()
        hidden_size = config.hidden_sizes[index]
        self.layernorm_before = nn.LayerNorm(hidden_size)
        self.attention = SegformerAttention(config, index)
        self.drop_path = SegformerDropPath(drop_path)
        self.layernorm_after = nn.LayerNorm(hidden_size)
        self.mlp = SegformerMixMLP(config, index)
        self.hidden_dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self, hidden_states: torch.Tensor, grid: Grid, output_attentions: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        residual = hidden_states
        hidden_states = self.layernorm_before(hidden_states)
        hidden_states, attention_probabilities = self.attention(hidden_states, grid, output_attentions)
        hidden_states = self.hidden_dropout(hidden_states)
        hidden_states = self.drop_path(hidden_states) + residual
        residual = hidden_states
        hidden_states = self.layernorm_after(hidden_states)
        hidden_states = self.mlp(hidden_states, grid)
        hidden_states = self.drop_path(hidden_states) + residual
        return hidden_states, attention_probabilities


class SegformerStage(nn.Module):
    """One stage: patches of the map before it, layers, and a normalisation.

    Args:
        config: the configuration.
        index: number of the stage.
        drop_path_rates: for every layer the probability of leaving it out, in training.
    """

    def __init__(self, config: SegformerConfig, index: int, drop_path_rates: Sequence[float]) -> None:
        super().__init__()
        is_last = index == config.num_encoder_blocks - 1
        self.returns_map = config.reshape_last_stage or not is_last
        self.patch_embeddings = SegformerOverlapPatchEmbeddings(config, index)
        self.blocks = nn.ModuleList([SegformerLayer(config, index, drop_path) for drop_path in drop_path_rates])
        self.layer_norm = nn.LayerNorm(config.hidden_sizes[index])

    def forward(self, maps: torch.Tensor, output_attentions: bool = False) -> tuple[torch.Tensor, list[torch.Tensor]]:
        all_attentions: list[torch.Tensor] = []
        grid = self.patch_embeddings.grid_of(maps.shape[2], maps.shape[3])
        hidden_states = self.patch_embeddings(maps)
        for block in self.blocks:
            hidden_states, attention_probabilities = block(hidden_states, grid, output_attentions)
            if output_attentions:
                all_attentions.append(attention_probabilities)
        hidden_states = self.layer_norm(hidden_states)
        return as_map(hidden_states, grid) if self.returns_map else hidden_states, all_attentions


class SegformerMLP(nn.Module):
    """Brings the vectors of a stage to the size in which the decoder adds up all stages."""

    def __init__(self, config: SegformerConfig, hidden_size: int) -> None:
        super().__init__()
        self.proj = nn.Linear(hidden_size, config.decoder_hidden_size)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.proj(hidden_states)
        return hidden_states


class SegformerDecodeHead(nn.Module):
    """The light decoder of section 3.2: all stages at the size of the first one, mixed pixel by pixel, and classified."""

    def __init__(self, config: SegformerConfig) -> None:
        super().__init__()
        self.linear_projections = nn.ModuleList([SegformerMLP(config, size) for size in config.hidden_sizes])
        size = config.decoder_hidden_size
        self.linear_fuse = nn.Conv2d(config.num_encoder_blocks * size, size, kernel_size=1, bias=False)
        self.batch_norm = nn.BatchNorm2d(size)
        self.activation = nn.ReLU()
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.classifier = nn.Conv2d(size, config.num_labels, kernel_size=1)

    def forward(self, maps: Sequence[torch.Tensor]) -> torch.Tensor:
        """`(batch, channels, height, width)` of every stage to `(batch, num_labels, height, width)` of the first one."""
        # The paper enlarges all maps, puts them one behind the other, the last stage first, and mixes their channels.
        # Mixing is linear and works on each pixel for itself, and enlarging on each channel, by means whose weights add
        # up to 1. So every stage can be mixed by its part of the weight while it is small, and enlarged then.
        parts = self.linear_fuse.weight.flatten(1).chunk(len(maps), dim=1)
        fused: torch.Tensor | None = None
        for stage, projection, part in zip(maps, self.linear_projections, reversed(parts), strict=True):
            mixed = functional.linear(projection(as_sequence(stage)), part)
            enlarged = as_map(mixed, (stage.shape[2], stage.shape[3]))
            if fused is None:
                fused = enlarged
            else:
                size = fused.shape[-2:]
                fused = fused + functional.interpolate(enlarged, size=size, mode="bilinear", align_corners=False)
        hidden_states = self.batch_norm(fused)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.dropout(hidden_states)
        logits: torch.Tensor = self.classifier(hidden_states)
        return logits


class SegformerPreTrainedModel(PreTrainedModel):
    """What all SegFormer models share: configuration, names and initialisation."""

    config_class = SegformerConfig
    base_model_prefix = "segformer"
    main_input_name = "pixel_values"
    # Published checkpoints gather the parts of a kind, of all stages, and name those of attention as BERT does.
    _renamed_checkpoint_keys = {
        r"(^|\.)encoder\.patch_embeddings\.(\d+)\.": r"\1stages.\2.patch_embeddings.",
        r"(^|\.)encoder\.block\.(\d+)\.": r"\1stages.\2.blocks.",
        r"(^|\.)encoder\.layer_norm\.(\d+)\.": r"\1stages.\2.layer_norm.",
        r"\.attention\.self\.(q|k|v)(?:uery|ey|alue)\.": r".attention.\1_proj.",
        r"\.attention\.self\.sr\.": ".attention.sequence_reduction.sequence_reduction.",
        r"\.attention\.self\.layer_norm\.": ".attention.sequence_reduction.layer_norm.",
        r"\.attention\.output\.dense\.": ".attention.o_proj.",
        r"\.mlp\.dense([12])\.": r".mlp.fc\1.",
        r"\.layer_norm_1\.": ".layernorm_before.",
        r"\.layer_norm_2\.": ".layernorm_after.",
        r"^decode_head\.linear_c\.": "decode_head.linear_projections.",
    }

    config: SegformerConfig

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            module.weight.normal_(mean=0.0, std=self.config.initializer_range)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, (nn.LayerNorm, nn.BatchNorm2d)):
            module.weight.fill_(1.0)
            module.bias.zero_()


class SegformerModel(SegformerPreTrainedModel):
    """The stages, without a head.

    Raises:
        ValueError: the configuration lacks a value for a stage, or a stage's size is no multiple of its heads.
    """

    def __init__(self, config: SegformerConfig) -> None:
        super().__init__(config)
        of_stages = (
            "depths",
            "sr_ratios",
            "hidden_sizes",
            "patch_sizes",
            "strides",
            "num_attention_heads",
            "mlp_ratios",
        )
        for name in of_stages:
            values = getattr(config, name)
            if len(values) != config.num_encoder_blocks:
                raise ValueError(
                    f"{name} must have a value for each of the {config.num_encoder_blocks} stages, not {values}"
                )
        layers = sum(config.depths)
        rates = iter([config.drop_path_rate * layer / max(layers - 1, 1) for layer in range(layers)])
        self.stages = nn.ModuleList(
            [SegformerStage(config, index, list(islice(rates, depth))) for index, depth in enumerate(config.depths)]
        )
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        first_stage = self.stages[0]
        assert isinstance(first_stage, SegformerStage)
        return first_stage.patch_embeddings

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        first_stage = self.stages[0]
        assert isinstance(first_stage, SegformerStage) and isinstance(embeddings, SegformerOverlapPatchEmbeddings)
        first_stage.patch_embeddings = embeddings

    def forward(
        self,
        pixel_values: torch.Tensor,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutput:
        """Encode images.

        Args:
            pixel_values: the images, `(batch, channels, height, width)`, of any height and width at which the map of
                every stage has room for a square that `sr_ratios` reduces.
            output_attentions: whether to return the attention probabilities of every layer, each
                `(batch, heads, length, reduced_length)`; as configured when missing.
            output_hidden_states: whether to return the map of every stage, `(batch, channels, height, width)`; as
                configured when missing.

        Raises:
            ValueError: see `check_images`; or the images are too small.
        """
        if output_attentions is None:
            output_attentions = self.config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states

        check_images(pixel_values, self.config.num_channels)
        # With the channels of a pixel beside each other in memory, maps and sequences are the same numbers in the same
        # order, and turning one into the other moves nothing.
        hidden_states = pixel_values.contiguous(memory_format=torch.channels_last)
        all_hidden_states: list[torch.Tensor] = []
        all_attentions: list[torch.Tensor] = []
        for stage in self.stages:
            hidden_states, attentions = stage(hidden_states, output_attentions)
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
            all_attentions += attentions
        return BaseModelOutput(
            last_hidden_state=hidden_states,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


class SegformerForImageClassification(SegformerPreTrainedModel):
    """SegFormer that classifies images, or predicts numbers from them."""

    def __init__(self, config: SegformerConfig) -> None:
        super().__init__(config)
        self.segformer = SegformerModel(config)
        self.classifier = nn.Linear(config.hidden_sizes[-1], config.num_labels)
        self.post_init()

    def forward(
        self,
        pixel_values: torch.Tensor,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> ImageClassifierOutput:
        """Score the labels.

        Args:
            labels: what `image_classification_loss` takes.

        The other arguments are those of `SegformerModel.forward`.
        """
        outputs: BaseModelOutput = self.segformer(pixel_values, output_attentions, output_hidden_states)
        last_hidden_state = outputs.last_hidden_state
        if self.config.reshape_last_stage:
            last_hidden_state = as_sequence(last_hidden_state)
        logits: torch.Tensor = self.classifier(last_hidden_state.mean(dim=1))
        loss = None
        if labels is not None:
            loss = image_classification_loss(logits, labels, self.config)
        return ImageClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class SegformerForSemanticSegmentation(SegformerPreTrainedModel):
    """SegFormer that classifies every pixel."""

    def __init__(self, config: SegformerConfig) -> None:
        super().__init__(config)
        self.segformer = SegformerModel(config)
        self.decode_head = SegformerDecodeHead(config)
        self.post_init()

    def forward(
        self,
        pixel_values: torch.Tensor,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> SemanticSegmenterOutput:
        """Score the labels of every pixel of the first stage's map, which by default is a quarter of the image's size.

        Args:
            labels: class index of every pixel, `(batch, height, width)`; those with `semantic_loss_ignore_index` do
                not count.

        The other arguments are those of `SegformerModel.forward`.
        """
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        outputs: BaseModelOutput = self.segformer(pixel_values, output_attentions, output_hidden_states=True)
        assert outputs.hidden_states is not None
        logits: torch.Tensor = self.decode_head(self.maps_of(pixel_values, outputs.hidden_states))
        loss = None
        if labels is not None:
            loss = semantic_segmentation_loss(logits, labels, self.config)
        return SemanticSegmenterOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states if output_hidden_states else None,
            attentions=outputs.attentions,
        )

    def maps_of(self, pixel_values: torch.Tensor, hidden_states: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Return what the stages returned, all as maps."""
        *before, last = hidden_states
        if last.dim() == 3:
            height, width = (before[-1] if before else pixel_values).shape[2:]
            last_stage = self.segformer.stages[-1]
            assert isinstance(last_stage, SegformerStage)
            last = as_map(last, last_stage.patch_embeddings.grid_of(height, width))
        return [*before, last]
