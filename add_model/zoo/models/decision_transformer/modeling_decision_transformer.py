"""Decision Transformer in plain PyTorch: a GPT-2 that reads returns, states and actions, and says what to do.

The architecture is described in "Decision Transformer: Reinforcement Learning via Sequence Modeling"
(https://arxiv.org/abs/2106.01345); parameter names and shapes are those of the published checkpoints.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...key_value_cache import KeyValueCache
from ...modeling_outputs import ModelOutput, TensorTuple
from ...modeling_utils import PreTrainedModel
from .configuration_decision_transformer import DecisionTransformerConfig

# A step of a trajectory is three tokens, in this order: the return that is still to come, the state, the action.
TOKENS_PER_STEP = 3
STATE_TOKEN, ACTION_TOKEN = 1, 2


@dataclass(kw_only=True)
class DecisionTransformerOutput(ModelOutput):
    """Output of the model, with these names of sizes: `steps` of a trajectory, `length` of the tokens, `3 * steps`.

    Attributes:
        state_preds: the state after every step, `(batch, steps, state_dim)`.
        action_preds: the action to take in every state, `(batch, steps, act_dim)`.
        return_preds: the return that is still to come after every step, `(batch, steps, 1)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
        last_hidden_state: output of the last layer, `(batch, length, hidden_size)`.
    """

    state_preds: torch.Tensor
    action_preds: torch.Tensor
    return_preds: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None
    last_hidden_state: torch.Tensor


# Copied from add_model.zoo.models.bert.modeling_bert.expand_attention_mask
def expand_attention_mask(attention_mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Turn an attention mask into numbers to add to attention scores: 0 to attend, the lowest number of `dtype` not to.

    Args:
        attention_mask: 1 or true to attend, 0 or false for padding: `(batch, key_length)`, or one decision for every
            pair of tokens, `(batch, 1 or heads, query_length, key_length)`. Four dimensions of floating-point numbers
            are taken as they are: numbers to add.
        dtype: the data type of the scores.

    Returns:
        A mask that broadcasts to `(batch, heads, query_length, key_length)`.

    Raises:
        ValueError: the mask has neither two nor four dimensions.
    """
    if attention_mask.dim() == 2:
        attention_mask = attention_mask[:, None, None, :] != 0
    elif attention_mask.dim() != 4:
        raise ValueError(f"an attention mask has two or four dimensions, not the shape {tuple(attention_mask.shape)}")
    elif attention_mask.is_floating_point():
        return attention_mask.to(dtype)
    additive_mask = torch.zeros(attention_mask.shape, dtype=dtype, device=attention_mask.device)
    return additive_mask.masked_fill(attention_mask == 0, torch.finfo(dtype).min)


# Copied from add_model.zoo.models.gpt2.modeling_gpt2.make_causal_mask
def make_causal_mask(
    attention_mask: torch.Tensor | None, query_length: int, key_length: int, dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    """Return what is added to the attention scores, so that no token attends to padding or to a later token.

    Args:
        attention_mask: 1 for tokens and 0 for padding, `(batch, key_length)`; or four dimensions as in
            `expand_attention_mask`, which replace the causal mask; or `None`.
        query_length: number of new tokens. They are the last ones of the keys.
        key_length: number of all tokens, those in the cache included.
        dtype: data type of the attention scores.
        device: device of the attention scores.

    Returns:
        0 where attention is allowed and the lowest number of `dtype` elsewhere,
        `(batch or 1, 1 or heads, query_length, key_length)`.

    Raises:
        ValueError: the attention mask does not have one of these shapes.
    """
    if attention_mask is not None and attention_mask.dim() == 4:
        return expand_attention_mask(attention_mask, dtype)
    key_positions = torch.arange(key_length, device=device)
    query_positions = torch.arange(key_length - query_length, key_length, device=device)
    is_allowed = (key_positions[None, :] <= query_positions[:, None])[None, None, :, :]
    if attention_mask is not None:
        if attention_mask.dim() != 2 or attention_mask.shape[1] != key_length:
            raise ValueError(
                f"the attention mask must have the shape (batch, {key_length}), one value for every token "
                f"including those in the cache, not {tuple(attention_mask.shape)}"
            )
        is_allowed = is_allowed & (attention_mask != 0)[:, None, None, :]
    return expand_attention_mask(is_allowed, dtype)


# Copied from add_model.zoo.models.bert.modeling_bert.eager_attention
def eager_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention written out: `softmax(query key^T * scaling + mask) value` (https://arxiv.org/abs/1706.03762).

    Args:
        query: `(batch, heads, query_length, head_size)`.
        key, value: `(batch, heads, key_length, head_size)`.
        attention_mask: numbers to add to the scores, as `expand_attention_mask` returns them.
        scaling: factor of the scores.
        dropout: probability of dropping an attention probability; 0 outside training.

    Returns:
        The attended values, `(batch, heads, query_length, head_size)`, and the attention probabilities,
        `(batch, heads, query_length, key_length)`.
    """
    attention_scores = torch.matmul(query, key.transpose(-1, -2)) * scaling
    if attention_mask is not None:
        attention_scores = attention_scores + attention_mask
    attention_probabilities = functional.softmax(attention_scores, dim=-1)
    attention_probabilities = functional.dropout(attention_probabilities, p=dropout)
    return torch.matmul(attention_probabilities, value), attention_probabilities


# Copied from add_model.zoo.models.bert.modeling_bert.sdpa_attention
def sdpa_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float,
) -> torch.Tensor:
    """Attention by PyTorch's fused function, which keeps no probabilities; otherwise the same as `eager_attention`."""
    return functional.scaled_dot_product_attention(
        query, key, value, attn_mask=attention_mask, dropout_p=dropout, scale=scaling
    )


# Copied from add_model.zoo.models.gpt2.modeling_gpt2.GPT2Conv1D with GPT2->DecisionTransformer
class DecisionTransformerConv1D(nn.Module):
    """A linear layer whose weight is stored as `(input_size, output_size)`, the transpose of `nn.Linear`'s.

    The published checkpoints store it so, because their layers were written as convolutions of width one.
    """

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(input_size, output_size))
        self.bias = nn.Parameter(torch.zeros(output_size))

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Map `(..., input_size)` to `(..., output_size)`."""
        return functional.linear(hidden_states, self.weight.t(), self.bias)


# Copied from add_model.zoo.models.gpt2.modeling_gpt2.GPT2Attention with GPT2->DecisionTransformer, n_embd->hidden_size
class DecisionTransformerAttention(nn.Module):
    """Causal self-attention with several heads; query, key and value come from one projection."""

    def __init__(self, config: DecisionTransformerConfig, layer_index: int) -> None:
        super().__init__()
        hidden_size = config.hidden_size
        if hidden_size % config.num_attention_heads != 0:
            raise ValueError(
                f"hidden_size ({hidden_size}) must be a multiple of n_head ({config.num_attention_heads})"
            )
        self.config = config
        self.layer_index = layer_index
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = hidden_size // self.num_attention_heads
        self.scaling = 1.0
        if config.scale_attn_weights:
            self.scaling /= math.sqrt(self.attention_head_size)
        if config.scale_attn_by_inverse_layer_idx:
            self.scaling /= layer_index + 1
        self.c_attn = DecisionTransformerConv1D(hidden_size, 3 * hidden_size)
        self.c_proj = DecisionTransformerConv1D(hidden_size, hidden_size)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

    def split_heads(self, projection: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, heads, length, head_size)`."""
        batch, length, _ = projection.shape
        heads = projection.view(batch, length, self.num_attention_heads, self.attention_head_size)
        return heads.transpose(1, 2)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        query, key, value = self.c_attn(hidden_states).chunk(3, dim=-1)
        query = self.split_heads(query)
        key = self.split_heads(key)
        value = self.split_heads(value)
        if past_key_values is not None:
            key, value = past_key_values.update(self.layer_index, key, value)

        dropout = self.config.attn_pdrop if self.training else 0.0
        probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            if self.config.reorder_and_upcast_attn:
                # Scores of half precision lose digits where they are large, so all this is computed in float32.
                query, key, value = query.float(), key.float(), value.float()
            context, probabilities = eager_attention(query, key, value, attention_mask, self.scaling, dropout)
            context = context.to(hidden_states.dtype)
            probabilities = probabilities.to(hidden_states.dtype)
        else:
            context = sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)

        context = context.transpose(1, 2).reshape(hidden_states.shape)
        output = self.resid_dropout(self.c_proj(context))
        return output, probabilities


# Copied from add_model.zoo.models.gpt2.modeling_gpt2.GPT2MLP with GPT2->DecisionTransformer
class DecisionTransformerMLP(nn.Module):
    """The feed-forward network of a block."""

    def __init__(self, config: DecisionTransformerConfig) -> None:
        super().__init__()
        hidden_size = config.hidden_size
        inner_size = config.n_inner if config.n_inner is not None else 4 * hidden_size
        self.c_fc = DecisionTransformerConv1D(hidden_size, inner_size)
        self.activation = get_activation(config.activation_function)
        self.c_proj = DecisionTransformerConv1D(inner_size, hidden_size)
        self.dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.c_fc(hidden_states)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.c_proj(hidden_states)
        hidden_states = self.dropout(hidden_states)
        return hidden_states


# Copied from add_model.zoo.models.gpt2.modeling_gpt2.GPT2Block with GPT2->DecisionTransformer
class DecisionTransformerBlock(nn.Module):
    """Self-attention and a feed-forward network, each behind a layer normalisation and around a residual."""

    def __init__(self, config: DecisionTransformerConfig, layer_index: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)
        self.attn = DecisionTransformerAttention(config, layer_index)
        self.ln_2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)
        self.mlp = DecisionTransformerMLP(config)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        attention_output, probabilities = self.attn(
            self.ln_1(hidden_states), attention_mask, past_key_values, output_attentions
        )
        hidden_states = hidden_states + attention_output
        hidden_states = hidden_states + self.mlp(self.ln_2(hidden_states))
        return hidden_states, probabilities


class DecisionTransformerPreTrainedModel(PreTrainedModel):
    """What all Decision Transformer models share: the configuration class and the initial weights."""

    config_class = DecisionTransformerConfig
    base_model_prefix = "decision_transformer"
    main_input_name = "states"
    # Older checkpoints hold the causal mask as a buffer of every layer.
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"\.attn\.bias$", r"\.attn\.masked_bias$")

    config: DecisionTransformerConfig

    # Copied from add_model.zoo.models.gpt2.modeling_gpt2.GPT2PreTrainedModel._init_weights with GPT2->DecisionTransformer
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding, DecisionTransformerConv1D)):
            nn.init.normal_(module.weight, mean=0.0, std=self.config.initializer_range)
            bias = getattr(module, "bias", None)
            if bias is not None:
                nn.init.zeros_(bias)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, (DecisionTransformerAttention, DecisionTransformerMLP)):
            # The residual stream sums up two outputs of every block. Section 2.3 of the paper scales their initial
            # weights by one over the square root of the number of these outputs, so that the sum does not grow.
            std = self.config.initializer_range / math.sqrt(2 * self.config.num_hidden_layers)
            nn.init.normal_(module.c_proj.weight, mean=0.0, std=std)


class DecisionTransformerDecoder(nn.Module):
    """The GPT-2 inside, which takes vectors where GPT-2 takes tokens.

    Section 3 of the paper: a position is a time step, three tokens have it, and whoever calls this has added it. The
    tables of tokens and positions are in the published checkpoints all the same. No token is looked up. Every token has
    GPT-2's first position, so that published weights give published outputs; it says nothing about the order.
    """

    def __init__(self, config: DecisionTransformerConfig) -> None:
        super().__init__()
        self.wte = nn.Embedding(config.vocab_size, config.hidden_size)
        self.wpe = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = nn.ModuleList([DecisionTransformerBlock(config, index) for index in range(config.num_hidden_layers)])
        self.ln_f = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)

    def forward(
        self,
        inputs_embeds: torch.Tensor,
        attention_mask: torch.Tensor | None,
        output_attentions: bool,
        output_hidden_states: bool,
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...] | None, tuple[torch.Tensor, ...] | None]:
        """Return the output of the last layer, and hidden states and attentions of all layers if they are asked for.

        Args:
            inputs_embeds: the vectors of the tokens, `(batch, length, hidden_size)`.
            attention_mask: 1 for tokens and 0 for padding, `(batch, length)`.
            output_attentions: whether to return the attention probabilities.
            output_hidden_states: whether to return the hidden states of all layers. The last of them has passed the
                final layer normalisation.
        """
        hidden_states = self.drop(inputs_embeds + self.wpe.weight[0])
        length = hidden_states.shape[1]
        causal_mask = make_causal_mask(attention_mask, length, length, hidden_states.dtype, hidden_states.device)

        all_hidden_states: list[torch.Tensor] = []
        all_attentions: list[torch.Tensor] = []
        for block in self.h:
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
            hidden_states, probabilities = block(hidden_states, causal_mask, None, output_attentions)
            if probabilities is not None:
                all_attentions.append(probabilities)
        hidden_states = self.ln_f(hidden_states)
        if output_hidden_states:
            all_hidden_states.append(hidden_states)
        return (
            hidden_states,
            tuple(all_hidden_states) if output_hidden_states else None,
            tuple(all_attentions) if output_attentions else None,
        )


class DecisionTransformerModel(DecisionTransformerPreTrainedModel):
    """The whole model: what turns a trajectory into tokens, the decoder, and what reads its predictions.

    Raises:
        ValueError: the configuration asks for cross-attention, which this model does not have.
    """

    def __init__(self, config: DecisionTransformerConfig) -> None:
        super().__init__(config)
        if config.add_cross_attention:
            raise ValueError("this model has no cross-attention; set add_cross_attention to False in its config")
        hidden_size = config.hidden_size
        self.encoder = DecisionTransformerDecoder(config)
        self.embed_timestep = nn.Embedding(config.max_ep_len, hidden_size)
        self.embed_return = nn.Linear(1, hidden_size)
        self.embed_state = nn.Linear(config.state_dim, hidden_size)
        self.embed_action = nn.Linear(config.act_dim, hidden_size)
        # As published, this normalisation does not follow the configuration's layer_norm_epsilon.
        self.embed_ln = nn.LayerNorm(hidden_size)
        self.predict_state = nn.Linear(hidden_size, config.state_dim)
        self.predict_action = nn.Sequential(nn.Linear(hidden_size, config.act_dim))
        if config.action_tanh:
            self.predict_action.append(nn.Tanh())
        self.predict_return = nn.Linear(hidden_size, 1)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the layer that turns states into vectors: there are no token ids."""
        return self.embed_state

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, nn.Linear)
        self.embed_state = embeddings

    def check_inputs(
        self,
        states: torch.Tensor,
        actions: torch.Tensor,
        returns_to_go: torch.Tensor,
        timesteps: torch.Tensor,
        attention_mask: torch.Tensor | None,
    ) -> None:
        """Refuse what is no trajectory of this model.

        Raises:
            ValueError: an input has a wrong shape, there are no steps, or a time step is no number of a step.
        """
        if states.dim() != 3 or states.numel() == 0 or states.shape[-1] != self.config.state_dim:
            raise ValueError(
                f"states must have the shape (batch, steps, {self.config.state_dim}) with at least one step, not "
                f"{tuple(states.shape)}"
            )
        batch_and_steps = tuple(states.shape[:2])
        for name, tensor, expected in (
            ("actions", actions, (*batch_and_steps, self.config.act_dim)),
            ("returns_to_go", returns_to_go, (*batch_and_steps, 1)),
            ("timesteps", timesteps, batch_and_steps),
            ("attention_mask", attention_mask, batch_and_steps),
        ):
            if tensor is not None and tuple(tensor.shape) != expected:
                raise ValueError(
                    f"{name} must have the shape {expected}, as the states say, not {tuple(tensor.shape)}"
                )
        first, last = (int(bound) for bound in timesteps.aminmax())
        if first < 0 or last >= self.config.max_ep_len:
            raise ValueError(
                f"time steps are numbers from 0 to {self.config.max_ep_len - 1} (max_ep_len), not "
                f"{first if first < 0 else last}"
            )

    def embed(
        self, states: torch.Tensor, actions: torch.Tensor, returns_to_go: torch.Tensor, timesteps: torch.Tensor
    ) -> torch.Tensor:
        """Return the vectors of the tokens, three for every step, `(batch, 3 * steps, hidden_size)`."""
        time_embeddings = self.embed_timestep(timesteps)
        step_embeddings = torch.stack(
            (self.embed_return(returns_to_go), self.embed_state(states), self.embed_action(actions)), dim=2
        )
        # All three tokens of a step have its time step for a position.
        embeddings: torch.Tensor = self.embed_ln(step_embeddings + time_embeddings[:, :, None, :])
        return embeddings.flatten(1, 2)

    def forward(
        self,
        states: torch.Tensor,
        actions: torch.Tensor,
        rewards: torch.Tensor | None = None,
        *,
        returns_to_go: torch.Tensor,
        timesteps: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> DecisionTransformerOutput:
        """Predict the action in every state, and the state and return after every step.

        Args:
            states: what is observed at every step, `(batch, steps, state_dim)`.
            actions: what is done at every step, `(batch, steps, act_dim)`; zeros where it is to be predicted.
            rewards: not used: what they add up to are the returns. Taken because published code passes them.
            returns_to_go: the sum of this and all later rewards that is wanted, or that was reached,
                `(batch, steps, 1)`.
            timesteps: the number of every step in its episode, counted from 0, `(batch, steps)`.
            attention_mask: 1 for steps and 0 for padding, `(batch, steps)`.
            output_attentions: whether to return the attention probabilities.
            output_hidden_states: whether to return the hidden states of all layers.

        Raises:
            ValueError: see `check_inputs`.
        """
        output_attentions = self.config.output_attentions if output_attentions is None else output_attentions
        output_hidden_states = (
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        )
        self.check_inputs(states, actions, returns_to_go, timesteps, attention_mask)
        if attention_mask is not None:
            attention_mask = attention_mask.repeat_interleave(TOKENS_PER_STEP, dim=1)
        last_hidden_state, hidden_states, attentions = self.encoder(
            self.embed(states, actions, returns_to_go, timesteps),
            attention_mask,
            output_attentions,
            output_hidden_states,
        )
        # An action follows from what was seen up to its state; what comes next from what was done as well.
        tokens = last_hidden_state.unflatten(1, (-1, TOKENS_PER_STEP))
        return DecisionTransformerOutput(
            state_preds=self.predict_state(tokens[:, :, ACTION_TOKEN]),
            action_preds=self.predict_action(tokens[:, :, STATE_TOKEN]),
            return_preds=self.predict_return(tokens[:, :, ACTION_TOKEN]),
            hidden_states=hidden_states,
            attentions=attentions,
            last_hidden_state=last_hidden_state,
        )
