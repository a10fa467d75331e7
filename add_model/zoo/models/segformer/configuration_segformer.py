"""Configuration of SegFormer."""

from collections.abc import Sequence
from typing import Any

from ...configuration_utils import PreTrainedConfig


class SegformerConfig(PreTrainedConfig):
    """What has to be known to build a SegFormer model; the architecture is that of https://arxiv.org/abs/2105.15203.

    The keys are those of the published checkpoints, and the defaults give the architecture of the paper's smallest size
    (table 6), with a head for two classes.

    Attributes:
        num_channels: number of colours of a pixel.
        num_encoder_blocks: number of stages; each of the lists below has a value for every stage.
        depths: number of layers in every stage.
        sr_ratios: by how much height and width of a map are reduced for what its pixels attend to.
        hidden_sizes: length of the vector of a pixel; a multiple of that stage's `num_attention_heads`.
        patch_sizes: height and width of the patches that a stage cuts the map before it into.
        strides: how far the patches lie apart.
        num_attention_heads: number of attention heads in a layer.
        mlp_ratios: by how much longer the vectors are between the two halves of a layer's feed-forward block.
        hidden_act: name of the activation function of the feed-forward blocks.
        hidden_dropout_prob: probability of dropping a value of an attention block's output, or of a feed-forward
            block's inner or outer vectors, in training.
        attention_probs_dropout_prob: probability of dropping an attention probability, in training.
        classifier_dropout_prob: probability of dropping a value before the classifier of pixels, in training.
        initializer_range: standard deviation of the initial weights.
        drop_path_rate: probability of leaving out the last layer for an image, in training; that of the layers before
            it rises evenly from 0.
        layer_norm_eps: a key of the published checkpoints, without effect: the published layer normalisations add 1e-5
            to the variance, whatever is configured.
        decoder_hidden_size: length of the vectors in which the decoder adds up the stages.
        semantic_loss_ignore_index: label of pixels that do not count.
        reshape_last_stage: whether the last stage returns a map, or its pixels one after the other.
    """

    model_type = "segformer"
    attribute_map = {"num_hidden_layers": "num_encoder_blocks"}

    def __init__(
        self,
        *,
        num_channels: int = 3,
        num_encoder_blocks: int = 4,
        depths: Sequence[int] = (2, 2, 2, 2),
        sr_ratios: Sequence[int] = (8, 4, 2, 1),
        hidden_sizes: Sequence[int] = (32, 64, 160, 256),
        patch_sizes: Sequence[int] = (7, 3, 3, 3),
        strides: Sequence[int] = (4, 2, 2, 2),
        num_attention_heads: Sequence[int] = (1, 2, 5, 8),
        mlp_ratios: Sequence[int] = (4, 4, 4, 4),
        hidden_act: str = "gelu",
        hidden_dropout_prob: float = 0.0,
        attention_probs_dropout_prob: float = 0.0,
        classifier_dropout_prob: float = 0.1,
        initializer_range: float = 0.02,
        drop_path_rate: float = 0.1,
        layer_norm_eps: float = 1e-6,
        decoder_hidden_size: int = 256,
        semantic_loss_ignore_index: int = 255,
        reshape_last_stage: bool = True,
        **kwargs: Any,
    ) -> None:
        self.num_channels = num_channels
        self.num_encoder_blocks = num_encoder_blocks
        self.depths = list(depths)
        self.sr_ratios = list(sr_ratios)
        self.hidden_sizes = list(hidden_sizes)
        self.patch_sizes = list(patch_sizes)
        self.strides = list(strides)
        self.num_attention_heads = list(num_attention_heads)
        self.mlp_ratios = list(mlp_ratios)
        self.hidden_act = hidden_act
        self.hidden_dropout_prob = hidden_dropout_prob
        self.attention_probs_dropout_prob = attention_probs_dropout_prob
        self.classifier_dropout_prob = classifier_dropout_prob
        self.initializer_range = initializer_range
        self.drop_path_rate = drop_path_rate
        self.layer_norm_eps = layer_norm_eps
        self.decoder_hidden_size = decoder_hidden_size
        self.semantic_loss_ignore_index = semantic_loss_ignore_index
        self.reshape_last_stage = reshape_last_stage
        super().__init__(**kwargs)
