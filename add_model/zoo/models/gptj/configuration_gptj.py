"""Configuration of GPT-J."""

from typing import Any, ClassVar

from ...configuration_utils import PreTrainedConfig


class GPTJConfig(PreTrainedConfig):
    """Everything that has to be known to build a GPT-J model.

    Names follow the published `config.json` file of this architecture, defaults its one published size. The names
    `hidden_size`, `max_position_embeddings`, `num_attention_heads` and `num_hidden_layers` mean `n_embd`, `n_positions`,
    `n_head` and `n_layer`.

    Args:
        vocab_size: number of tokens in the vocabulary. The published one has 143 more than the tokenizer, to be a
            multiple of what the original was trained on.
        n_positions: number of positions, hence the longest sequence.
        n_embd: size of the hidden states; a multiple of `n_head`.
        n_layer: number of blocks.
        n_head: number of attention heads in every block.
        rotary_dim: number of lanes of every head, from the first on, that are turned by the position; `None` means all.
        n_inner: size of the hidden layer of the feed-forward network; `None` means four times `n_embd`.
        activation_function: name of the activation inside the feed-forward network.
        resid_pdrop: dropout probability of what attention and feed-forward network add to the residual stream.
        embd_pdrop: dropout probability of the token embeddings.
        attn_pdrop: dropout probability of the attention probabilities.
        layer_norm_epsilon: what layer normalisation adds to the variance.
        initializer_range: standard deviation of the normal distribution that new weights are drawn from.
        use_cache: whether the model returns a key/value cache by default.
        tie_word_embeddings: whether the layer that scores the next token has the weight of the token embeddings.
        bos_token_id, eos_token_id: id of the token that starts, and of the one that ends, a text.
        pad_token_id: id of the padding token; the published vocabulary has none.
        **kwargs: see `PreTrainedConfig`.
    """

    model_type: ClassVar[str] = "gptj"
    attribute_map: ClassVar[dict[str, str]] = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    hidden_size: int
    max_position_embeddings: int
    num_attention_heads: int
    num_hidden_layers: int

    def __init__(
        self,
        *,
        vocab_size: int = 50400,
        n_positions: int = 2048,
        n_embd: int = 4096,
        n_layer: int = 28,
        n_head: int = 16,
        rotary_dim: int | None = 64,
        n_inner: int | None = None,
        activation_function: str = "gelu_new",
        resid_pdrop: float = 0.0,
        embd_pdrop: float = 0.0,
        attn_pdrop: float = 0.0,
        layer_norm_epsilon: float = 1e-5,
        initializer_range: float = 0.02,
        use_cache: bool = True,
        tie_word_embeddings: bool = False,
        bos_token_id: int | None = 50256,
        eos_token_id: int | list[int] | None = 50256,
        pad_token_id: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.n_positions = n_positions
        self.n_embd = n_embd
        self.n_layer = n_layer
        self.n_head = n_head
        self.rotary_dim = rotary_dim
        self.n_inner = n_inner
        self.activation_function = activation_function
        self.resid_pdrop = resid_pdrop
        self.embd_pdrop = embd_pdrop
        self.attn_pdrop = attn_pdrop
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_range = initializer_range
        super().__init__(
            use_cache=use_cache,
            tie_word_embeddings=tie_word_embeddings,
            bos_token_id=bos_token_id,
            eos_token_id=eos_token_id,
            pad_token_id=pad_token_id,
            **kwargs,
        )
