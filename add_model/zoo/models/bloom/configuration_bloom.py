"""Configuration of BLOOM."""

from typing import Any, ClassVar

from ...configuration_utils import PreTrainedConfig


class BloomConfig(PreTrainedConfig):
    """Everything that has to be known to build a BLOOM model.

    Names and defaults are those of the published `config.json` files of this architecture. The defaults are of no
    published size: they are far smaller. The names `n_embed`, `num_attention_heads` and `num_hidden_layers` mean
    `hidden_size`, `n_head` and `n_layer`.

    Args:
        vocab_size: number of tokens in the vocabulary. The published one has 200 more than the tokenizer, for tokens to
            come and for the machine that it was trained on.
        hidden_size: size of the hidden states; a multiple of `n_head`.
        n_layer: number of blocks.
        n_head: number of attention heads in every block.
        layer_norm_epsilon: what layer normalisation adds to the variance.
        initializer_range: standard deviation of the normal distribution that new weights are drawn from.
        apply_residual_connection_post_layernorm: whether the residual of attention and feed-forward network is what
            comes behind their layer normalisation, not what comes before it.
        hidden_dropout: dropout probability of what attention and feed-forward network add to the residual stream.
        attention_dropout: dropout probability of the attention probabilities.
        pretraining_tp, slow_but_exact: over how many devices the original's layers were split, and whether to add up
            their parts one by one, as those did. It would change the last digits; kept as they are.
        use_cache: whether the model returns a key/value cache by default.
        bos_token_id, eos_token_id: id of the token that starts, and of the one that ends, a text.
        pad_token_id: id of the padding token.
        **kwargs: see `PreTrainedConfig`.
    """

    model_type: ClassVar[str] = "bloom"
    attribute_map: ClassVar[dict[str, str]] = {
        "n_embed": "hidden_size",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    num_attention_heads: int
    num_hidden_layers: int

    def __init__(
        self,
        *,
        vocab_size: int = 250880,
        hidden_size: int = 64,
        n_layer: int = 2,
        n_head: int = 8,
        layer_norm_epsilon: float = 1e-5,
        initializer_range: float = 0.02,
        apply_residual_connection_post_layernorm: bool = False,
        hidden_dropout: float = 0.0,
        attention_dropout: float = 0.0,
        pretraining_tp: int = 1,
        slow_but_exact: bool = False,
        use_cache: bool = True,
        bos_token_id: int | None = 1,
        eos_token_id: int | list[int] | None = 2,
        pad_token_id: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.n_layer = n_layer
        self.n_head = n_head
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_range = initializer_range
        self.apply_residual_connection_post_layernorm = apply_residual_connection_post_layernorm
        self.hidden_dropout = hidden_dropout
        self.attention_dropout = attention_dropout
        self.pretraining_tp = pretraining_tp
        self.slow_but_exact = slow_but_exact
        super().__init__(
            use_cache=use_cache,
            bos_token_id=bos_token_id,
            eos_token_id=eos_token_id,
            pad_token_id=pad_token_id,
            **kwargs,
        )
