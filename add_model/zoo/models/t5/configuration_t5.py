"""Configuration of T5."""

from typing import Any, ClassVar

from ...configuration_utils import PreTrainedConfig


class T5Config(PreTrainedConfig):
    """Everything that has to be known to build a T5 model.

    Names follow the published `config.json` files of this architecture, defaults its smallest published size. The
    names `hidden_size`, `num_attention_heads`, `num_hidden_layers` and `head_dim` mean `d_model`, `num_heads`,
    `num_layers` and `d_kv`.

    The second release, "v1.1", has gated feed-forward networks (`feed_forward_proj="gated-gelu"`) and a head of its own
    that is not scaled (`tie_word_embeddings=False`).

    Args:
        vocab_size: number of tokens in the vocabulary.
        d_model: size of the hidden states.
        d_kv: size of the queries, keys and values of one head; `num_heads * d_kv` need not be `d_model`.
        d_ff: size of the hidden layer of the feed-forward networks.
        num_layers: number of layers of the encoder.
        num_decoder_layers: number of layers of the decoder; as many as the encoder's if missing.
        num_heads: number of attention heads in every layer.
        relative_attention_num_buckets: number of classes that the distances between two tokens are sorted into.
        relative_attention_max_distance: the distance from which on all are in the last class.
        dropout_rate: dropout probability of everything but the classifiers' inputs.
        classifier_dropout: dropout probability of the heads that classify.
        layer_norm_epsilon: added to the mean square in the normalisations, so that none divides by zero.
        initializer_factor: factor of the standard deviations that new weights are drawn with.
        feed_forward_proj: name of the activation inside the feed-forward networks, after "gated-" if it is a factor of
            a second projection. The published "gated-gelu" means the approximation by tanh.
        dense_act_fn, is_gated_act: the two parts of `feed_forward_proj`, which they follow if missing.
        scale_decoder_outputs: whether the head's inputs are divided by the square root of `d_model`; by default if
            its weight is tied to the token embeddings.
        tie_word_embeddings: whether the head's weight is that of the token embeddings. Encoder and decoder always
            share these.
        is_decoder: whether the decoder stands alone; not supported, kept as it is read.
        use_cache: whether the decoder returns a key/value cache by default.
        is_encoder_decoder: `True` for all models but the encoder alone.
        pad_token_id, eos_token_id, decoder_start_token_id: see `PreTrainedConfig`.
        **kwargs: see `PreTrainedConfig`.

    Raises:
        ValueError: `feed_forward_proj` is not of the form "NAME" or "gated-NAME".
    """

    model_type: ClassVar[str] = "t5"
    attribute_map: ClassVar[dict[str, str]] = {
        "hidden_size": "d_model",
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
        "head_dim": "d_kv",
    }

    hidden_size: int
    num_attention_heads: int
    num_hidden_layers: int
    head_dim: int

    def __init__(
        self,
        *,
        vocab_size: int = 32128,
        d_model: int = 512,
        d_kv: int = 64,
        d_ff: int = 2048,
        num_layers: int = 6,
        num_decoder_layers: int | None = None,
        num_heads: int = 8,
        relative_attention_num_buckets: int = 32,
        relative_attention_max_distance: int = 128,
        dropout_rate: float = 0.1,
        classifier_dropout: float = 0.0,
        layer_norm_epsilon: float = 1e-6,
        initializer_factor: float = 1.0,
        feed_forward_proj: str = "relu",
        dense_act_fn: str | None = None,
        is_gated_act: bool | None = None,
        scale_decoder_outputs: bool | None = None,
        tie_word_embeddings: bool = True,
        is_decoder: bool = False,
        use_cache: bool = True,
        is_encoder_decoder: bool = True,
        pad_token_id: int | None = 0,
        eos_token_id: int | list[int] | None = 1,
        decoder_start_token_id: int | None = 0,
        **kwargs: Any,
    ) -> None:
        gate, _, activation = feed_forward_proj.rpartition("-")
        if gate not in ("", "gated"):
            raise ValueError(f"feed_forward_proj must be 'NAME' or 'gated-NAME', not {feed_forward_proj!r}")
        if feed_forward_proj == "gated-gelu":
            activation = "gelu_new"
        self.vocab_size = vocab_size
        self.d_model = d_model
        self.d_kv = d_kv
        self.d_ff = d_ff
        self.num_layers = num_layers
        self.num_decoder_layers = num_layers if num_decoder_layers is None else num_decoder_layers
        self.num_heads = num_heads
        self.relative_attention_num_buckets = relative_attention_num_buckets
        self.relative_attention_max_distance = relative_attention_max_distance
        self.dropout_rate = dropout_rate
        self.classifier_dropout = classifier_dropout
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_factor = initializer_factor
        self.feed_forward_proj = feed_forward_proj
        self.dense_act_fn = activation if dense_act_fn is None else dense_act_fn
        self.is_gated_act = gate == "gated" if is_gated_act is None else is_gated_act
        self.scale_decoder_outputs = tie_word_embeddings if scale_decoder_outputs is None else scale_decoder_outputs
        self.is_decoder = is_decoder
        super().__init__(
            tie_word_embeddings=tie_word_embeddings,
            use_cache=use_cache,
            is_encoder_decoder=is_encoder_decoder,
            pad_token_id=pad_token_id,
            eos_token_id=eos_token_id,
            decoder_start_token_id=decoder_start_token_id,
            **kwargs,
        )
