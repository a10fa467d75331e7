"""Configuration of ViTMAE."""

from typing import Any

from ...configuration_utils import PreTrainedConfig


class ViTMAEConfig(PreTrainedConfig):
    """What has to be known to build a ViTMAE model; the architecture is that of https://arxiv.org/abs/2111.06377.

    The keys are those of the published checkpoints, and the defaults give the architecture of the paper's base size with
    patches of 16 pixels.

    Attributes:
        hidden_size: length of the vector of a patch; a multiple of `num_attention_heads` and of 4.
        num_hidden_layers: number of layers.
        num_attention_heads: number of attention heads in a layer.
        intermediate_size: length of the vector between the two halves of a layer's feed-forward block.
        hidden_act: name of the activation function of the feed-forward block.
        hidden_dropout_prob: probability of dropping a value of an attention block's output, or of a feed-forward
            block's output, in training.
        attention_probs_dropout_prob: probability of dropping an attention probability, in training.
        initializer_range: standard deviation of the initial weights.
        layer_norm_eps: what the layer normalisations add to the variance.
        image_size: height and width of the images in pixels, one number if they are equal.
        patch_size: height and width of a patch in pixels, one number if they are equal.
        num_channels: number of colours of a pixel.
        qkv_bias: whether the projections to queries, keys and values add a bias.
        decoder_num_attention_heads, decoder_hidden_size, decoder_num_hidden_layers, decoder_intermediate_size: the same
            of the decoder as `num_attention_heads` and so on of the encoder.
        mask_ratio: how much of an image is masked, from 0 to 1.
        norm_pix_loss: whether the decoder learns the pixels of each patch normalised by their own mean and variance.
    """

    model_type = "vit_mae"

    def __init__(
        self,
        *,
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
        qkv_bias: bool = True,
        decoder_num_attention_heads: int = 16,
        decoder_hidden_size: int = 512,
        decoder_num_hidden_layers: int = 8,
        decoder_intermediate_size: int = 2048,
        mask_ratio: float = 0.75,
        norm_pix_loss: bool = False,
        **kwargs: Any,
    ) -> None:
        if not 0 <= mask_ratio < 1:
            raise ValueError(f"mask_ratio must be at least 0 and below 1, not {mask_ratio}")
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
        self.qkv_bias = qkv_bias
        self.decoder_num_attention_heads = decoder_num_attention_heads
        self.decoder_hidden_size = decoder_hidden_size
        self.decoder_num_hidden_layers = decoder_num_hidden_layers
        self.decoder_intermediate_size = decoder_intermediate_size
        self.mask_ratio = mask_ratio
        self.norm_pix_loss = norm_pix_loss
        super().__init__(**kwargs)
