"""Configuration of Pegasus."""

from typing import Any, ClassVar

from ...configuration_utils import PreTrainedConfig


class PegasusConfig(PreTrainedConfig):
    """Everything that has to be known to build a Pegasus model.

    Names follow the published `config.json` files of this architecture. The defaults are those that a value missing there
    has; published models have 16 layers, a vocabulary of 96,103 tokens, the activation "relu" and scaled embeddings. The
    names `hidden_size`, `num_attention_heads` and `num_hidden_layers` mean `d_model`, `encoder_attention_heads` and
    `encoder_layers`.

    Args:
        vocab_size: number of tokens in the vocabulary.
        max_position_embeddings: longest sequence of the encoder, and of the decoder; positions are computed, not learned.
        encoder_layers, decoder_layers: number of layers.
        encoder_ffn_dim, decoder_ffn_dim: size of the hidden layer of the feed-forward networks.
        encoder_attention_heads, decoder_attention_heads: number of attention heads in every layer.
        encoder_layerdrop, decoder_layerdrop: probability that a layer is skipped in training
            (LayerDrop, https://arxiv.org/abs/1909.11556).
        activation_function: name of the activation inside the feed-forward networks.
        d_model: size of the hidden states; a multiple of both numbers of heads.
        dropout: dropout probability of the embeddings, and of what a sublayer adds to the residual stream.
        attention_dropout: dropout probability of the attention probabilities.
        activation_dropout: dropout probability behind the activation of the feed-forward networks.
        init_std: standard deviation of the normal distribution that new weights are drawn from.
        scale_embedding: whether token embeddings are multiplied by the square root of `d_model`.
        is_decoder: whether the decoder stands alone, as in a causal language model.
        use_cache: whether the decoder returns a key/value cache by default.
        is_encoder_decoder: `True` for all models but the causal language model.
        pad_token_id, eos_token_id, decoder_start_token_id, forced_eos_token_id: see `PreTrainedConfig`.
        **kwargs: see `PreTrainedConfig`.
    """

    model_type: ClassVar[str] = "pegasus"
    attribute_map: ClassVar[dict[str, str]] = {
        "hidden_size": "d_model",
        "num_attention_heads": "encoder_attention_heads",
        "num_hidden_layers": "encoder_layers",
    }

    hidden_size: int
    num_attention_heads: int
    num_hidden_layers: int

    def __init__(
        self,
        *,
        vocab_size: int = 50265,
        max_position_embeddings: int = 1024,
        encoder_layers: int = 12,
        encoder_ffn_dim: int = 4096,
        encoder_attention_heads: int = 16,
        decoder_layers: int = 12,
        decoder_ffn_dim: int = 4096,
        decoder_attention_heads: int = 16,
        encoder_layerdrop: float = 0.0,
        decoder_layerdrop: float = 0.0,
        activation_function: str = "gelu",
        d_model: int = 1024,
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        activation_dropout: float = 0.0,
        init_std: float = 0.02,
        scale_embedding: bool = False,
        is_decoder: bool = False,
        use_cache: bool = True,
        is_encoder_decoder: bool = True,
        pad_token_id: int | None = 0,
        eos_token_id: int | list[int] | None = 1,
        decoder_start_token_id: int | None = 0,
        forced_eos_token_id: int | list[int] | None = 1,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.max_position_embeddings = max_position_embeddings
        self.encoder_layers = encoder_layers
        self.encoder_ffn_dim = encoder_ffn_dim
        self.encoder_attention_heads = encoder_attention_heads
        self.decoder_layers = decoder_layers
        self.decoder_ffn_dim = decoder_ffn_dim
        self.decoder_attention_heads = decoder_attention_heads
        self.encoder_layerdrop = encoder_layerdrop
        self.decoder_layerdrop = decoder_layerdrop
        self.activation_function = activation_function
        self.d_model = d_model
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.activation_dropout = activation_dropout
        self.init_std = init_std
        self.scale_embedding = scale_embedding
        self.is_decoder = is_decoder
        super().__init__(
            use_cache=use_cache,
            is_encoder_decoder=is_encoder_decoder,
            pad_token_id=pad_token_id,
            eos_token_id=eos_token_id,
            decoder_start_token_id=decoder_start_token_id,
            forced_eos_token_id=forced_eos_token_id,
            **kwargs,
        )
