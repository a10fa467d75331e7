"""Configuration of Swin."""

from collections.abc import Sequence
from typing import Any, ClassVar

from ...backbone_utils import BackboneConfigMixin


class SwinConfig(BackboneConfigMixin):
    """Everything that has to be known to build a Swin model.

    Names and defaults follow the published `config.json` files of this architecture. The names `num_attention_heads`
    and `num_hidden_layers` mean `num_heads` and `num_layers`.

    Args:
        image_size: height and width of the images, or one number for both.
        patch_size: height and width of a patch, or one number for both.
        num_channels: number of channels of the images.
        embed_dim: size of the hidden states of the first stage; it doubles from stage to stage.
        depths: number of blocks of every stage.
        num_heads: number of attention heads of every stage; the size of its hidden states is a multiple of it.
        window_size: height and width of the windows, in patches, inside which patches attend to each other.
        mlp_ratio: size of the hidden layer of a feed-forward network, as a multiple of the size of the hidden states.
        qkv_bias: whether the projections to queries, keys and values have a bias.
        hidden_dropout_prob: dropout probability of the embeddings and of what a block's two parts put out.
        attention_probs_dropout_prob: dropout probability of the attention probabilities.
        drop_path_rate: probability with which training skips a part of the last block; it grows from 0 in the first.
        hidden_act: name of the activation inside the feed-forward networks.
        use_absolute_embeddings: whether every patch of the image has an embedding of its position beside the relative
            ones.
        initializer_range: standard deviation of the normal distribution that new weights are drawn from.
        layer_norm_eps: what layer normalisation adds to the variance, in the blocks and behind the last.
        encoder_stride: height and width of the part of the image that masked image modeling paints of one patch of
            the last stage.
        **kwargs: see `PreTrainedConfig`, and `BackboneConfigMixin` for the stages whose maps a backbone returns.

    Attributes:
        num_layers: number of stages.
        hidden_size: size of the hidden states of the last stage.
        stage_names: "stem" for the embeddings, then "stage1", "stage2", and so on.
    """

    model_type: ClassVar[str] = "swin"
    attribute_map: ClassVar[dict[str, str]] = {
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
    }

    num_attention_heads: list[int]
    num_hidden_layers: int

    def __init__(
        self,
        *,
        image_size: int | list[int] = 224,
        patch_size: int | list[int] = 4,
        num_channels: int = 3,
        embed_dim: int = 96,
        depths: Sequence[int] = (2, 2, 6, 2),
        num_heads: Sequence[int] = (3, 6, 12, 24),
        window_size: int = 7,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
        hidden_dropout_prob: float = 0.0,
        attention_probs_dropout_prob: float = 0.0,
        drop_path_rate: float = 0.1,
        hidden_act: str = "gelu",
        use_absolute_embeddings: bool = False,
        initializer_range: float = 0.02,
        layer_norm_eps: float = 1e-5,
        encoder_stride: int = 32,
        **kwargs: Any,
    ) -> None:
        if len(depths) != len(num_heads):
            raise ValueError(
                f"depths names {len(depths)} stages and num_heads {len(num_heads)}; give one number for each"
            )
        self.image_size = image_size
        self.patch_size = patch_size
        self.num_channels = num_channels
        self.embed_dim = embed_dim
        self.depths = list(depths)
        self.num_heads = list(num_heads)
        self.window_size = window_size
        self.mlp_ratio = mlp_ratio
        self.qkv_bias = qkv_bias
        self.hidden_dropout_prob = hidden_dropout_prob
        self.attention_probs_dropout_prob = attention_probs_dropout_prob
        self.drop_path_rate = drop_path_rate
        self.hidden_act = hidden_act
        self.use_absolute_embeddings = use_absolute_embeddings
        self.initializer_range = initializer_range
        self.layer_norm_eps = layer_norm_eps
        self.encoder_stride = encoder_stride
        # These follow from the other values, whatever config.json says of them.
        kwargs.pop("num_layers", None)
        kwargs.pop("hidden_size", None)
        self.num_layers = len(depths)
        self.hidden_size = embed_dim * 2 ** (len(depths) - 1)
        self.stage_names = ["stem", *(f"stage{number}" for number in range(1, len(depths) + 1))]
        super().__init__(**kwargs)
