"""Configuration of GPT-2."""

from typing import Any, ClassVar

from ...configuration_utils import PreTrainedConfig


class GPT2Config(PreTrainedConfig):
    """Everything that has to be known to build a GPT-2 model.

    Names follow the published `config.json` files of this architecture, defaults its smallest published size. The
    names `hidden_size`, `max_position_embeddings`, `num_attention_heads` and `num_hidden_layers` mean `n_embd`,
    `n_positions`, `n_head` and `n_layer`.

    Args:
        vocab_size: number of tokens in the vocabulary.
        n_positions: number of positions that have an embedding, hence the longest sequence.
        n_embd: size of the hidden states; a multiple of `n_head`.
        n_layer: number of blocks.
        n_head: number of attention heads in every block.
        n_inner: size of the hidden layer of the feed-forward network; `None` means four times `n_embd`.
        activation_function: name of the activation inside the feed-forward network.
        resid_pdrop: dropout probability of what a sublayer adds to the residual stream.
        embd_pdrop: dropout probability of the sum of the embeddings.
        attn_pdrop: dropout probability of the attention probabilities.
        layer_norm_epsilon: what layer normalisation adds to the variance.
        initializer_range: standard deviation of the normal distribution that new weights are drawn from.
        summary_type, summary_use_proj, summary_activation, summary_proj_to_labels, summary_first_dropout: belong to
            a head that published configurations describe and this library does not have; kept as they are.
        scale_attn_weights: whether attention scores are divided by the square root of the size of a head.
        scale_attn_by_inverse_layer_idx: whether attention scores are also divided by the number of the block,
            counted from one.
        reorder_and_upcast_attn: whether the eager attention computes its scores in float32.
        add_cross_attention: must be `False`; published configurations have this key.
        use_cache: whether the model returns a key/value cache by default.
        bos_token_id, eos_token_id: id of the token that starts, and of the one that ends, a text.
        pad_token_id: id of the padding token; the published vocabulary has none.
        **kwargs: see `PreTrainedConfig`.
    """

    model_type: ClassVar[str] = "gpt2"
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
        vocab_size: int = 50257,
        n_positions: int = 1024,
        n_embd: int = 768,
        n_layer: int = 12,
        n_head: int = 12,
        n_inner: int | None = None,
        activation_function: str = "gelu_new",
        resid_pdrop: float = 0.1,
        embd_pdrop: float = 0.1,
        attn_pdrop: float = 0.1,
        layer_norm_epsilon: float = 1e-5,
        initializer_range: float = 0.02,
        summary_type: str = "cls_index",
        summary_use_proj: bool = True,
        summary_activation: str | None = None,
        summary_proj_to_labels: bool = True,
        summary_first_dropout: float = 0.1,
        scale_attn_weights: bool = True,
        scale_attn_by_inverse_layer_idx: bool = False,
        reorder_and_upcast_attn: bool = False,
        add_cross_attention: bool = False,
        use_cache: bool = True,
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
        self.n_inner = n_inner
        self.activation_function = activation_function
        self.resid_pdrop = resid_pdrop
        self.embd_pdrop = embd_pdrop
        self.attn_pdrop = attn_pdrop
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_range = initializer_range
        self.summary_type = summary_type
        self.summary_use_proj = summary_use_proj
        self.summary_activation = summary_activation
        self.summary_proj_to_labels = summary_proj_to_labels
        self.summary_first_dropout = summary_first_dropout
        self.scale_attn_weights = scale_attn_weights
        self.scale_attn_by_inverse_layer_idx = scale_attn_by_inverse_layer_idx
        self.reorder_and_upcast_attn = reorder_and_upcast_attn
        self.add_cross_attention = add_cross_attention
        super().__init__(
            use_cache=use_cache,
            bos_token_id=bos_token_id,
            eos_token_id=eos_token_id,
            pad_token_id=pad_token_id,
            **kwargs,
        )
