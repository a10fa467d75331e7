"""Configuration of Decision Transformer."""

from typing import Any, ClassVar

from ...configuration_utils import PreTrainedConfig


class DecisionTransformerConfig(PreTrainedConfig):
    """Everything that has to be known to build a Decision Transformer model.

    Names follow the published `config.json` files of this architecture, defaults those of the published class. The
    names `max_position_embeddings`, `num_attention_heads` and `num_hidden_layers` mean `n_positions`, `n_head` and
    `n_layer`.

    Args:
        state_dim: how many numbers describe a state of the environment.
        act_dim: how many numbers describe an action.
        hidden_size: size of the hidden states; a multiple of `n_head`.
        max_ep_len: number of time steps that have an embedding, hence of the longest episode.
        action_tanh: whether predicted actions are between -1 and 1.
        vocab_size: number of tokens in a table that published checkpoints have and nothing is looked up in.
        n_positions: number of positions in GPT-2's own table, of which only the first is used.
        n_layer: number of blocks.
        n_head: number of attention heads in every block.
        n_inner: size of the hidden layer of the feed-forward network; `None` means four times `hidden_size`.
        activation_function: name of the activation inside the feed-forward network.
        resid_pdrop: dropout probability of what a sublayer adds to the residual stream.
        embd_pdrop: dropout probability of the embeddings.
        attn_pdrop: dropout probability of the attention probabilities.
        layer_norm_epsilon: what layer normalisation inside the decoder adds to the variance.
        initializer_range: standard deviation of the normal distribution that new weights are drawn from.
        scale_attn_weights: whether attention scores are divided by the square root of the size of a head.
        use_cache: kept as published; trajectories are read whole, without a key/value cache.
        bos_token_id, eos_token_id: kept as published; there are no tokens with ids.
        scale_attn_by_inverse_layer_idx: whether attention scores are also divided by the number of the block,
            counted from one.
        reorder_and_upcast_attn: whether the eager attention computes its scores in float32.
        add_cross_attention: must be `False`; published configurations have this key.
        **kwargs: see `PreTrainedConfig`.
    """

    model_type: ClassVar[str] = "decision_transformer"
    attribute_map: ClassVar[dict[str, str]] = {
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    max_position_embeddings: int
    num_attention_heads: int
    num_hidden_layers: int

    def __init__(
        self,
        *,
        state_dim: int = 17,
        act_dim: int = 4,
        hidden_size: int = 128,
        max_ep_len: int = 4096,
        action_tanh: bool = True,
        vocab_size: int = 1,
        n_positions: int = 1024,
        n_layer: int = 3,
        n_head: int = 1,
        n_inner: int | None = None,
        activation_function: str = "relu",
        resid_pdrop: float = 0.1,
        embd_pdrop: float = 0.1,
        attn_pdrop: float = 0.1,
        layer_norm_epsilon: float = 1e-5,
        initializer_range: float = 0.02,
        scale_attn_weights: bool = True,
        use_cache: bool = True,
        bos_token_id: int | None = 50256,
        eos_token_id: int | list[int] | None = 50256,
        scale_attn_by_inverse_layer_idx: bool = False,
        reorder_and_upcast_attn: bool = False,
        add_cross_attention: bool = False,
        **kwargs: Any,
    ) -> None:
        self.state_dim = state_dim
        self.act_dim = act_dim
        self.hidden_size = hidden_size
        self.max_ep_len = max_ep_len
        self.action_tanh = action_tanh
        self.vocab_size = vocab_size
        self.n_positions = n_positions
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
        super().__init__(use_cache=use_cache, bos_token_id=bos_token_id, eos_token_id=eos_token_id, **kwargs)
