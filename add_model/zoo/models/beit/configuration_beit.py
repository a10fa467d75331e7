"""Configuration of BEiT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...backbone_utils import BackboneConfigMixin


class BeitConfig(BackboneConfigMixin):
    """What has to be known to build a BEiT model; the architecture is that of https://arxiv.org/abs/2106.08254.

    The keys are those of the published checkpoints, and the defaults give the architecture of the paper's base size.

    Attributes:
        vocab_size: number of visual words that a masked patch can be.
        hidden_size: length of the vector of a patch; a multiple of `num_attention_heads`.
        num_hidden_layers: number of layers.
        num_attention_heads: number of attention heads in a layer.
        intermediate_size: length of the vector between the two halves of a layer's feed-forward block.
        hidden_act: name of the activation function of the feed-forward block.
        hidden_dropout_prob: probability of dropping a value of the embeddings or of a block's output, in training.
        attention_probs_dropout_prob: probability of dropping an attention probability, in training.
        initializer_range: standard deviation of the initial weights.
        layer_norm_eps: what the layer normalisations add to the variance.
        image_size: height and width of the images in pixels, one number if they are equal.
        patch_size: height and width of a patch in pixels, one number if they are equal.
        num_channels: number of colours of a pixel.
        use_mask_token: whether there is a vector that stands for a masked patch.
        use_absolute_position_embeddings: whether every position has an embedding.
        use_relative_position_bias: whether every layer adds a bias of its own to the attention scores, by the distance.
        use_shared_relative_position_bias: whether all layers add the same one.
        layer_scale_init_value: what the outputs of the blocks are multiplied by at first; 0 for no such weights.
        drop_path_rate: probability of leaving out a block of the last layer, in training; less in those before.
        use_mean_pooling: whether an image is summed up by the mean of its patches instead of its class token.
        out_features, out_indices: the hidden states that pixels are classified by; see `BackboneConfigMixin`.
        pool_scales: into how many squares a side the coarsest map is pooled, to classify pixels.
        use_auxiliary_head: whether a second head learns to classify pixels by an earlier layer.
        auxiliary_loss_weight: weight of its loss.
        auxiliary_channels, auxiliary_num_convs: number of its channels and of its convolutions.
        auxiliary_concat_input: whether it sees its input once more before it scores.
        semantic_loss_ignore_index: class of the pixels that do not count.
        add_fpn, reshape_hidden_states: what a backbone makes of its maps in the published implementation.
    """

    model_type = "beit"

    def __init__(
        self,
        *,
        vocab_size: int = 8192,
        hidden_size: int = 768,
        num_hidden_layers: int = 12,
        num_attention_heads: int = 12,
        intermediate_size: int = 3072,
        hidden_act: str = "gelu",
        hidden_dropout_prob: float = 0.0,
        attention_probs_dropout_prob: float = 0.0,
        initializer_range: float = 0.02,
        layer_norm_eps: float = 1e-12,
        image_size: int | list[int] | tuple[int, int] = 224,
        patch_size: int | list[int] | tuple[int, int] = 16,
        num_channels: int = 3,
        use_mask_token: bool = False,
        use_absolute_position_embeddings: bool = False,
        use_relative_position_bias: bool = False,
        use_shared_relative_position_bias: bool = False,
        layer_scale_init_value: float = 0.1,
        drop_path_rate: float = 0.1,
        use_mean_pooling: bool = True,
        pool_scales: Sequence[int] = (1, 2, 3, 6),
        use_auxiliary_head: bool = True,
        auxiliary_loss_weight: float = 0.4,
        auxiliary_channels: int = 256,
        auxiliary_num_convs: int = 1,
        auxiliary_concat_input: bool = False,
        semantic_loss_ignore_index: int = 255,
        add_fpn: bool = False,
        reshape_hidden_states: bool = True,
        segmentation_indices: Sequence[int] | None = None,
        out_indices: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.hidden_act = hidden_act
        self.hidden_dropout_prob = hidden_dropout_prob
        self.attention_probs_dropout_prob = attention_probs_dropout_prob
        self.initializer_range = initializer_range
        self.layer_norm_eps = layer_norm_eps
        self.image_size = image_size
        self.patch_size = patch_size
        self.num_channels = num_channels
        self.use_mask_token = use_mask_token
        self.use_absolute_position_embeddings = use_absolute_position_embeddings
        self.use_relative_position_bias = use_relative_position_bias
        self.use_shared_relative_position_bias = use_shared_relative_position_bias
        self.layer_scale_init_value = layer_scale_init_value
        self.drop_path_rate = drop_path_rate
        self.use_mean_pooling = use_mean_pooling
        self.pool_scales = list(pool_scales)
        self.use_auxiliary_head = use_auxiliary_head
        self.auxiliary_loss_weight = auxiliary_loss_weight
        self.auxiliary_channels = auxiliary_channels
        self.auxiliary_num_convs = auxiliary_num_convs
        self.auxiliary_concat_input = auxiliary_concat_input
        self.semantic_loss_ignore_index = semantic_loss_ignore_index
        self.add_fpn = add_fpn
        self.reshape_hidden_states = reshape_hidden_states
        self.stage_names = ["stem", *(f"stage{number}" for number in range(1, num_hidden_layers + 1))]
        # Older checkpoints call them by their purpose.
        super().__init__(out_indices=segmentation_indices if out_indices is None else out_indices, **kwargs)
