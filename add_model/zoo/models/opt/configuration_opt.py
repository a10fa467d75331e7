"""Configuration of OPT."""

from typing import Any, ClassVar

from ...configuration_utils import PreTrainedConfig


class OPTConfig(PreTrainedConfig):
    """Everything that has to be known to build an OPT model.

    Names follow the published `config.json` files of this architecture, defaults its smallest published size.

    Args:
        vocab_size: number of tokens in the vocabulary.
        hidden_size: size of the hidden states; a multiple of `num_attention_heads`.
        num_hidden_layers: number of layers.
        ffn_dim: size of the hidden layer of the feed-forward networks.
        max_position_embeddings: longest sequence.
        do_layer_norm_before: whether layer normalisation stands before attention and feed-forward network, or behind
            the residual; of the published sizes only the one of 350 million parameters has it behind.
        _remove_final_layer_norm: whether the normalisation behind the last layer is left out although
            `do_layer_norm_before` is set, as in checkpoints that were trained by an early port of the model.
        word_embed_proj_dim: size of the token embeddings, of which a projection makes hidden states; `None` means
            `hidden_size`, and no projection.
        dropout: dropout probability of what a sublayer adds to the residual stream.
        attention_dropout: dropout probability of the attention probabilities.
        num_attention_heads: number of attention heads in every layer.
        activation_function: name of the activation inside the feed-forward networks.
        layerdrop: probability that a layer is skipped in training (LayerDrop, https://arxiv.org/abs/1909.11556).
        init_std: standard deviation of the normal distribution that new weights are drawn from.
        enable_bias: whether the linear layers of attention and feed-forward network have a bias.
        layer_norm_elementwise_affine: whether layer normalisations have weights.
        use_cache: whether the model returns a key/value cache by default.
        pad_token_id, bos_token_id, eos_token_id: see `PreTrainedConfig`. The token that starts a text is the one that
            ends it.
        **kwargs: see `PreTrainedConfig`.
    """

    model_type: ClassVar[str] = "opt"

    def __init__(
        self,
        *,
        vocab_size: int = 50272,
        hidden_size: int = 768,
        num_hidden_layers: int = 12,
        ffn_dim: int = 3072,
        max_position_embeddings: int = 2048,
        do_layer_norm_before: bool = True,
        _remove_final_layer_norm: bool = False,
        word_embed_proj_dim: int | None = None,
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        num_attention_heads: int = 12,
        activation_function: str = "relu",
        layerdrop: float = 0.0,
        init_std: float = 0.02,
        enable_bias: bool = True,
        layer_norm_elementwise_affine: bool = True,
        use_cache: bool = True,
        pad_token_id: int | None = 1,
        bos_token_id: int | None = 2,
        eos_token_id: int | list[int] | None = 2,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.ffn_dim = ffn_dim
        self.max_position_embeddings = max_position_embeddings
        self.do_layer_norm_before = do_layer_norm_before
        self._remove_final_layer_norm = _remove_final_layer_norm
        self.word_embed_proj_dim = hidden_size if word_embed_proj_dim is None else word_embed_proj_dim
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.num_attention_heads = num_attention_heads
        self.activation_function = activation_function
        self.layerdrop = layerdrop
        self.init_std = init_std
        self.enable_bias = enable_bias
        self.layer_norm_elementwise_affine = layer_norm_elementwise_affine
        super().__init__(
            use_cache=use_cache,
            pad_token_id=pad_token_id,
            bos_token_id=bos_token_id,
            eos_token_id=eos_token_id,
            **kwargs,
        )

    @classmethod
    def from_dict(cls, content: dict[str, Any], **overrides: Any) -> "OPTConfig":
        """Build a configuration from what `to_dict` returns; keyword arguments replace single values."""
        # Keys with an underscore belong to the library that wrote the file, but for this one, which shapes the model.
        kept = {name: content[name] for name in ("_remove_final_layer_norm",) if name in content}
        return super().from_dict(content, **{**kept, **overrides})
