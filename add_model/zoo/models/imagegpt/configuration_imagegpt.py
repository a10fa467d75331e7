"""Configuration of ImageGPT."""

from typing import Any, ClassVar

from ...configuration_utils import PreTrainedConfig


class ImageGPTConfig(PreTrainedConfig):
    """Everything that has to be known to build an ImageGPT model.

    Names follow the published `config.json` files of this architecture, defaults its smallest published size. The
    names `hidden_size`, `max_position_embeddings`, `num_attention_heads` and `num_hidden_layers` mean `n_embd`,
    `n_positions`, `n_head` and `n_layer`.

    Args:
        vocab_size: number of colours in the palette, and one more for the id that starts an image.
        n_positions: number of positions that have an embedding, hence of the pixels of the largest image.
        n_embd: size of the hidden states; a multiple of `n_head`.
        n_layer: number of blocks.
        n_head: number of attention heads in every block.
        n_inner: size of the hidden layer of the feed-forward network; `None` means four times `n_embd`.
        activation_function: name of the activation inside the feed-forward network.
        resid_pdrop: dropout probability of what a sublayer adds to the residual stream.
        embd_pdrop: dropout probability of the sum of the embeddings.
        attn_pdrop: dropout probability of the attention probabilities.
        layer_norm_epsilon: what layer normalisation adds to the mean square.
        initializer_range: standard deviation of the normal distribution that new weights are drawn from.
        scale_attn_weights: whether attention scores are divided by the square root of the size of a head.
        use_cache: whether the model returns a key/value cache by default.
        tie_word_embeddings: whether the scores of colours use the embeddings of the colours.
        scale_attn_by_inverse_layer_idx: whether attention scores are also divided by the number of the block,
            counted from one.
        reorder_and_upcast_attn: whether the eager attention computes its scores in float32.
        add_cross_attention: must be `False`; published configurations have this key.
        **kwargs: see `PreTrainedConfig`.
    """

    model_type: ClassVar[str] = "imagegpt"
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
        vocab_size: int = 513,
        n_positions: int = 1024,
        n_embd: int = 512,
        n_layer: int = 24,
        n_head: int = 8,
        n_inner: int | None = None,
        activation_function: str = "quick_gelu",
        resid_pdrop: float = 0.1,
        embd_pdrop: float = 0.1,
        attn_pdrop: float = 0.1,
        layer_norm_epsilon: float = 1e-5,
        initializer_range: float = 0.02,
        scale_attn_weights: bool = True,
        use_cache: bool = True,
        tie_word_embeddings: bool = False,
        scale_attn_by_inverse_layer_idx: bool = False,
        reorder_and_upcast_attn: bool = False,
        add_cross_attention: bool = False,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.n_positions = n_positions
        self.n_embd = n_embd
        self.n_layer = n_layer
        self.n_head = n_head
        self.n_inner = n_inner
        self.activation_function = activation_function
        self.resid_pdrop = resid_pdrop
        self.embd_pdrop = embd_pdrop
        self.attn_pdrop = attn_pdrop
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_range = initializer_range
        self.scale_attn_weights = scale_attn_weights
        self.scale_attn_by_inverse_layer_idx = scale_attn_by_inverse_layer_idx
        self.reorder_and_upcast_attn = reorder_and_upcast_attn
        self.add_cross_attention = add_cross_attention
        super().__init__(use_cache=use_cache, tie_word_embeddings=tie_word_embeddings, **kwargs)
