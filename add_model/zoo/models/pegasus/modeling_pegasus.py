"""Pegasus in plain PyTorch: the encoder-decoder and its heads.

The architecture is that of https://arxiv.org/abs/1912.08777: a Transformer whose sublayers normalise what they read, with
computed positions; parameter names and shapes are those of the published checkpoints.
"""

import copy
import math
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...generation_utils import GenerationMixin, KeyValueCache
from ...modeling_outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    Seq2SeqLMOutput,
    Seq2SeqModelOutput,
)
from ...modeling_utils import PreTrainedModel
from .configuration_pegasus import PegasusConfig


# Copied from add_model.zoo.models.bart.modeling_bart.shift_tokens_right
def shift_tokens_right(
    token_ids: torch.Tensor, pad_token_id: int | None, decoder_start_token_id: int | None
) -> torch.Tensor:
    """Turn texts into decoder inputs: every token moves one place to the right, the last one falls out.

    Args:
        token_ids: ids or labels, `(batch, length)`. Labels of -100 become padding.
        pad_token_id: id of the padding token.
        decoder_start_token_id: id that stands first.

    Returns:
        Token ids, `(batch, length)`.

    Raises:
        ValueError: one of the two special tokens is not known.
    """
    if pad_token_id is None or decoder_start_token_id is None:
        raise ValueError("decoder inputs cannot be made: set pad_token_id and decoder_start_token_id in the config")
    start_ids = token_ids.new_full((token_ids.shape[0], 1), decoder_start_token_id)
    shifted_ids = torch.cat((start_ids, token_ids[:, :-1]), dim=1)
    return shifted_ids.masked_fill(shifted_ids == -100, pad_token_id)


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


# Copied from add_model.zoo.models.t5.modeling_t5.make_padding_mask
def make_padding_mask(attention_mask: torch.Tensor | None, key_length: int, dtype: torch.dtype) -> torch.Tensor | None:
    """Return what is added to the scores of attention to a source text, so that no token attends to padding.

    Raises:
        ValueError: the attention mask is not as long as the text, or has neither two nor four dimensions.
    """
    if attention_mask is None:
        return None
    if attention_mask.shape[-1] != key_length:
        raise ValueError(
            f"the attention mask must have one value for each of the {key_length} tokens, "
            f"not the shape {tuple(attention_mask.shape)}"
        )
    return expand_attention_mask(attention_mask, dtype)


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


# Copied from add_model.zoo.models.opt.modeling_opt.look_up_tokens
def look_up_tokens(embeddings: nn.Embedding, input_ids: torch.Tensor) -> torch.Tensor:
    """Return the embeddings of token ids: `(batch, length)` to `(batch, length, embedding_size)`.

    Raises:
        ValueError: an id is not in the vocabulary.
    """
    if input_ids.numel() > 0:
        lowest, highest = (int(bound) for bound in input_ids.aminmax())
        if lowest < 0 or highest >= embeddings.num_embeddings:
            raise ValueError(
                f"the token id {lowest if lowest < 0 else highest} is not in the vocabulary of "
                f"{embeddings.num_embeddings} tokens (vocab_size); take the tokenizer of the checkpoint"
            )
    token_embeddings: torch.Tensor = embeddings(input_ids)
    return token_embeddings


# Copied from add_model.zoo.models.bart.modeling_bart.BartScaledWordEmbedding with Bart->Pegasus
class PegasusScaledWordEmbedding(nn.Embedding):
    """Token embeddings that are multiplied by a constant when they are looked up."""

    def __init__(self, vocab_size: int, hidden_size: int, padding_idx: int | None, scale: float) -> None:
        super().__init__(vocab_size, hidden_size, padding_idx)
        self.scale = scale

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of token ids: `(batch, length)` to `(batch, length, hidden_size)`."""
        return super().forward(input_ids) * self.scale

    def replace_weight(self, embeddings: nn.Module) -> None:
        """Share the weight of other embeddings; the constant stays."""
        assert isinstance(embeddings, nn.Embedding)
        self.weight = embeddings.weight
        self.num_embeddings = embeddings.num_embeddings


def sinusoidal_positions(max_positions: int, hidden_size: int) -> torch.Tensor:
    """Compute the positions of section 3.5 of https://arxiv.org/abs/1706.03762, but in halves, as the original code has it.

    All sines come first, then all cosines: of an odd number of lanes there is one sine more.

    Returns:
        `(max_positions, hidden_size)`, in float32.
    """
    lanes = torch.arange(0, hidden_size, 2, dtype=torch.float64)
    angles = torch.arange(max_positions, dtype=torch.float64)[:, None] / 10000 ** (lanes / hidden_size)
    return torch.cat((angles.sin(), angles[:, : hidden_size // 2].cos()), dim=1).float()


class PegasusSinusoidalPositionalEmbedding(nn.Module):
    """Computed embeddings of positions, `(max_positions, hidden_size)`. Checkpoints may hold them; they do not learn."""

    weight: torch.Tensor

    def __init__(self, max_positions: int, hidden_size: int) -> None:
        super().__init__()
        self.max_positions = max_positions
        self.register_buffer("weight", sinusoidal_positions(max_positions, hidden_size))

    def embed_range(self, start: int, stop: int) -> torch.Tensor:
        """Return the embeddings of the positions from `start` to before `stop`, `(stop - start, hidden_size)`.

        Raises:
            ValueError: there are not that many positions.
        """
        if stop > self.max_positions:
            raise ValueError(
                f"a text of {stop} tokens is longer than the {self.max_positions} positions of the model "
                "(max_position_embeddings); shorten it"
            )
        return self.weight[start:stop]


# Copied from add_model.zoo.models.bart.modeling_bart.BartAttention with Bart->Pegasus
class PegasusAttention(nn.Module):
    """Attention with several heads, over the same sequence or, in the decoder, over the encoder's output."""

    def __init__(self, config: PegasusConfig, num_heads: int, layer_index: int) -> None:
        super().__init__()
        if config.d_model % num_heads != 0:
            raise ValueError(f"d_model ({config.d_model}) must be a multiple of the number of heads ({num_heads})")
        self.config = config
        self.num_attention_heads = num_heads
        self.layer_index = layer_index
        self.attention_head_size = config.d_model // num_heads
        self.scaling = self.attention_head_size**-0.5
        self.k_proj = nn.Linear(config.d_model, config.d_model)
        self.v_proj = nn.Linear(config.d_model, config.d_model)
        self.q_proj = nn.Linear(config.d_model, config.d_model)
        self.out_proj = nn.Linear(config.d_model, config.d_model)

    # Copied from add_model.zoo.models.bert.modeling_bert.BertSelfAttention.split_heads
    def split_heads(self, projection: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, heads, length, head_size)`."""
        batch, length, _ = projection.shape
        heads = projection.view(batch, length, self.num_attention_heads, self.attention_head_size)
        return heads.transpose(1, 2)

    def keys_and_values(
        self,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None,
        past_key_values: KeyValueCache | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values, each `(batch, heads, key_length, head_size)`, and keep them in the cache."""
        if encoder_hidden_states is None:
            key = self.split_heads(self.k_proj(hidden_states))
            value = self.split_heads(self.v_proj(hidden_states))
            if past_key_values is not None:
                key, value = past_key_values.update(self.layer_index, key, value)
            return key, value
        if past_key_values is not None:
            cached = past_key_values.get_cross_attention(self.layer_index)
            if cached is not None:
                return cached
        key = self.split_heads(self.k_proj(encoder_hidden_states))
        value = self.split_heads(self.v_proj(encoder_hidden_states))
        if past_key_values is not None:
            past_key_values.set_cross_attention(self.layer_index, key, value)
        return key, value

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        encoder_hidden_states: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for.

        Args:
            hidden_states: what attends, `(batch, length, hidden_size)`.
            attention_mask: added to the scores, `(batch or 1, 1 or heads, length, key_length)`.
            encoder_hidden_states: what is attended to in cross-attention, `(batch, source_length, hidden_size)`;
                `None` in self-attention.
            past_key_values: the cache, which is extended in place.
            output_attentions: whether to return the attention probabilities.
        """
        query = self.split_heads(self.q_proj(hidden_states))
        key, value = self.keys_and_values(hidden_states, encoder_hidden_states, past_key_values)

        dropout = self.config.attention_dropout if self.training else 0.0
        probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, probabilities = eager_attention(query, key, value, attention_mask, self.scaling, dropout)
        else:
            context = sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)

        context = context.transpose(1, 2).reshape(hidden_states.shape)
        return self.out_proj(context), probabilities


class PegasusEncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each behind a layer normalisation and added to what it read."""

    # Copied from add_model.zoo.models.bart.modeling_bart.BartEncoderLayer.__init__ with Bart->Pegasus
    def __init__(self, config: PegasusConfig, layer_index: int) -> None:
        super().__init__()
        self.self_attn = PegasusAttention(config, config.encoder_attention_heads, layer_index)
        self.self_attn_layer_norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.activation = get_activation(config.activation_function)
        self.activation_dropout = nn.Dropout(config.activation_dropout)
        self.fc1 = nn.Linear(config.d_model, config.encoder_ffn_dim)
        self.fc2 = nn.Linear(config.encoder_ffn_dim, config.d_model)
        self.final_layer_norm = nn.LayerNorm(config.d_model)

    def forward(
        self, hidden_states: torch.Tensor, attention_mask: torch.Tensor | None = None, output_attentions: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        residual = hidden_states
        hidden_states, probabilities = self.self_attn(
            self.self_attn_layer_norm(hidden_states), attention_mask, output_attentions=output_attentions
        )
        hidden_states = residual + self.dropout(hidden_states)

        residual = hidden_states
        hidden_states = self.activation_dropout(self.activation(self.fc1(self.final_layer_norm(hidden_states))))
        hidden_states = residual + self.dropout(self.fc2(hidden_states))

        if hidden_states.dtype == torch.float16 and not bool(torch.isfinite(hidden_states).all()):
            # The large published models overflow half precision now and then.
            limit = torch.finfo(torch.float16).max - 1000
            hidden_states = hidden_states.clamp(min=-limit, max=limit)
        return hidden_states, probabilities


class PegasusDecoderLayer(nn.Module):
    """Causal self-attention, attention over the encoder's output and a feed-forward network.

    Each stands behind a layer normalisation and is added to what it read.
    """

    # Copied from add_model.zoo.models.bart.modeling_bart.BartDecoderLayer.__init__ with Bart->Pegasus
    def __init__(self, config: PegasusConfig, layer_index: int) -> None:
        super().__init__()
        self.self_attn = PegasusAttention(config, config.decoder_attention_heads, layer_index)
        self.self_attn_layer_norm = nn.LayerNorm(config.d_model)
        self.encoder_attn = PegasusAttention(config, config.decoder_attention_heads, layer_index)
        self.encoder_attn_layer_norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.activation = get_activation(config.activation_function)
        self.activation_dropout = nn.Dropout(config.activation_dropout)
        self.fc1 = nn.Linear(config.d_model, config.decoder_ffn_dim)
        self.fc2 = nn.Linear(config.decoder_ffn_dim, config.d_model)
        self.final_layer_norm = nn.LayerNorm(config.d_model)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        encoder_hidden_states: torch.Tensor | None = None,
        encoder_attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the probabilities of self- and cross-attention.

        The probabilities are `None` if they are not asked for. Without `encoder_hidden_states` the attention over
        the encoder's output is left out.
        """
        residual = hidden_states
        hidden_states, probabilities = self.self_attn(
            self.self_attn_layer_norm(hidden_states),
            attention_mask,
            past_key_values=past_key_values,
            output_attentions=output_attentions,
        )
        hidden_states = residual + self.dropout(hidden_states)

        cross_probabilities: torch.Tensor | None = None
        if encoder_hidden_states is not None:
            residual = hidden_states
            hidden_states, cross_probabilities = self.encoder_attn(
                self.encoder_attn_layer_norm(hidden_states),
                encoder_attention_mask,
                encoder_hidden_states=encoder_hidden_states,
                past_key_values=past_key_values,
                output_attentions=output_attentions,
            )
            hidden_states = residual + self.dropout(hidden_states)

        residual = hidden_states
        hidden_states = self.activation_dropout(self.activation(self.fc1(self.final_layer_norm(hidden_states))))
        hidden_states = residual + self.dropout(self.fc2(hidden_states))
        return hidden_states, probabilities, cross_probabilities


class PegasusEncoder(nn.Module):
    """Embeddings, the layers of the encoder, and a normalisation of what comes out."""

    def __init__(self, config: PegasusConfig) -> None:
        super().__init__()
        self.config = config
        scale = math.sqrt(config.d_model) if config.scale_embedding else 1.0
        self.embed_tokens = PegasusScaledWordEmbedding(config.vocab_size, config.d_model, config.pad_token_id, scale)
        self.embed_positions = PegasusSinusoidalPositionalEmbedding(config.max_position_embeddings, config.d_model)
        self.layers = nn.ModuleList([PegasusEncoderLayer(config, index) for index in range(config.encoder_layers)])
        self.layer_norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutput:
        """Compute the hidden states of the source texts; for the arguments see `PegasusModel.forward`.

        Raises:
            ValueError: neither or both of `input_ids` and `inputs_embeds` are given, the text is longer than the
                model's positions, or the attention mask has a wrong shape.
        """
        output_attentions = self.config.output_attentions if output_attentions is None else output_attentions
        output_hidden_states = (
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        )
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass either input_ids or inputs_embeds")
        if input_ids is not None:
            inputs_embeds = look_up_tokens(self.embed_tokens, input_ids)
        assert inputs_embeds is not None
        hidden_states = self.dropout(inputs_embeds + self.embed_positions.embed_range(0, inputs_embeds.shape[1]))
        attention_mask = make_padding_mask(attention_mask, inputs_embeds.shape[1], hidden_states.dtype)

        all_hidden_states: list[torch.Tensor] = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        for layer in self.layers:
            # LayerDrop, see https://arxiv.org/abs/1909.11556.
            if self.training and float(torch.rand([])) < self.config.encoder_layerdrop:
                continue
            hidden_states, probabilities = layer(hidden_states, attention_mask, output_attentions)
            all_hidden_states.append(hidden_states)
            if probabilities is not None:
                all_attentions.append(probabilities)
        hidden_states = self.layer_norm(hidden_states)
        all_hidden_states[-1] = hidden_states

        return BaseModelOutput(
            last_hidden_state=hidden_states,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


class PegasusDecoder(nn.Module):
    """Embeddings, the layers of the decoder, and a normalisation of what comes out."""

    def __init__(self, config: PegasusConfig) -> None:
        super().__init__()
        self.config = config
        scale = math.sqrt(config.d_model) if config.scale_embedding else 1.0
        self.embed_tokens = PegasusScaledWordEmbedding(config.vocab_size, config.d_model, config.pad_token_id, scale)
        self.embed_positions = PegasusSinusoidalPositionalEmbedding(config.max_position_embeddings, config.d_model)
        self.layers = nn.ModuleList([PegasusDecoderLayer(config, index) for index in range(config.decoder_layers)])
        self.layer_norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        encoder_hidden_states: torch.Tensor | None = None,
        encoder_attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """Compute the hidden states of the target texts.

        Args:
            input_ids: token ids, `(batch, target_length)`; with a cache only the tokens that it does not hold.
            attention_mask: 1 for tokens and 0 for padding, `(batch, target_length)`, tokens in the cache included; or
                1 for every pair of tokens that may attend, `(batch, 1 or heads, target_length, length with cache)`.
            encoder_hidden_states: the encoder's output, `(batch, source_length, hidden_size)`; if it is missing, no
                attention over it takes place.
            encoder_attention_mask: 1 for tokens and 0 for padding of the encoder, `(batch, source_length)`.
            past_key_values: the cache of the tokens before; it is extended in place.
            inputs_embeds: embeddings instead of `input_ids`, `(batch, target_length, hidden_size)`. Here, other than in
                the encoder, they are scaled as those of tokens are.
            use_cache: whether to return a cache, `config.use_cache` if missing.
            output_attentions: whether to return the attention probabilities.
            output_hidden_states: whether to return the hidden states of all layers.

        Raises:
            ValueError: neither or both of `input_ids` and `inputs_embeds` are given, the text is longer than the
                model's positions, or the attention mask has a wrong shape.
        """
        use_cache = self.config.use_cache if use_cache is None else use_cache
        output_attentions = self.config.output_attentions if output_attentions is None else output_attentions
        output_hidden_states = (
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        )
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass either decoder_input_ids or decoder_inputs_embeds")
        if input_ids is not None:
            inputs_embeds = look_up_tokens(self.embed_tokens, input_ids)
        else:
            assert inputs_embeds is not None
            inputs_embeds = inputs_embeds * self.embed_tokens.scale
        if use_cache and past_key_values is None:
            past_key_values = KeyValueCache()
        past_length = 0 if past_key_values is None else past_key_values.sequence_length
        length = inputs_embeds.shape[1]

        positions = self.embed_positions.embed_range(past_length, past_length + length)
        hidden_states = self.dropout(inputs_embeds + positions)
        causal_mask = make_causal_mask(
            attention_mask, length, past_length + length, hidden_states.dtype, hidden_states.device
        )
        if encoder_hidden_states is not None:
            source_length = encoder_hidden_states.shape[1]
            encoder_attention_mask = make_padding_mask(encoder_attention_mask, source_length, hidden_states.dtype)

        all_hidden_states: list[torch.Tensor] = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        all_cross_attentions: list[torch.Tensor] = []
        for layer in self.layers:
            # LayerDrop, see https://arxiv.org/abs/1909.11556.
            if self.training and float(torch.rand([])) < self.config.decoder_layerdrop:
                continue
            hidden_states, probabilities, cross_probabilities = layer(
                hidden_states,
                causal_mask,
                encoder_hidden_states=encoder_hidden_states,
                encoder_attention_mask=encoder_attention_mask,
                past_key_values=past_key_values,
                output_attentions=output_attentions,
            )
            all_hidden_states.append(hidden_states)
            if probabilities is not None:
                all_attentions.append(probabilities)
            if cross_probabilities is not None:
                all_cross_attentions.append(cross_probabilities)
        hidden_states = self.layer_norm(hidden_states)
        all_hidden_states[-1] = hidden_states

        has_cross_attentions = output_attentions and encoder_hidden_states is not None
        return BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden_states,
            past_key_values=past_key_values if use_cache else None,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
            cross_attentions=tuple(all_cross_attentions) if has_cross_attentions else None,
        )


class PegasusPreTrainedModel(PreTrainedModel):
    """What all Pegasus models share: the configuration class, the initial weights and the computed positions."""

    config_class = PegasusConfig
    base_model_prefix = "model"

    config: PegasusConfig

    # Copied from add_model.zoo.models.bert.modeling_bert.BertPreTrainedModel._init_weights with initializer_range->init_std
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            module.weight.normal_(mean=0.0, std=self.config.init_std)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(mean=0.0, std=self.config.init_std)
            if module.padding_idx is not None:
                module.weight[module.padding_idx].zero_()
        elif isinstance(module, nn.LayerNorm):
            module.weight.fill_(1.0)
            module.bias.zero_()

    def load_checkpoint(self, weights: dict[str, torch.Tensor], source: str = "the checkpoint") -> None:
        # Most published checkpoints leave the positions out, because they can be computed.
        own_weights = self.state_dict()
        positions = {name: own_weights[name] for name in own_weights if name.endswith("embed_positions.weight")}
        super().load_checkpoint({**positions, **weights}, source)


# Copied from add_model.zoo.models.bart.modeling_bart.BartModel with Bart->Pegasus
class PegasusModel(PegasusPreTrainedModel):
    """The encoder-decoder without a head. Encoder and decoder share their token embeddings."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {
        "encoder.embed_tokens.weight": "shared.weight",
        "decoder.embed_tokens.weight": "shared.weight",
    }

    def __init__(self, config: PegasusConfig) -> None:
        super().__init__(config)
        scale = math.sqrt(config.d_model) if config.scale_embedding else 1.0
        self.shared = PegasusScaledWordEmbedding(config.vocab_size, config.d_model, config.pad_token_id, scale)
        self.encoder = PegasusEncoder(config)
        self.decoder = PegasusDecoder(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.shared

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        for module in (self.shared, self.encoder.embed_tokens, self.decoder.embed_tokens):
            module.replace_weight(embeddings)

    def get_encoder(self) -> PegasusEncoder:
        """Return the encoder, which `generate` runs once for a batch."""
        return self.encoder

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        decoder_input_ids: torch.Tensor | None = None,
        decoder_attention_mask: torch.Tensor | None = None,
        encoder_outputs: BaseModelOutput | tuple[Any, ...] | None = None,
        past_key_values: KeyValueCache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        decoder_inputs_embeds: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> Seq2SeqModelOutput:
        """Encode the source texts and compute the hidden states of the target texts.

        Args:
            input_ids: token ids of the source, `(batch, source_length)`.
            attention_mask: 1 for tokens and 0 for padding of the source, `(batch, source_length)`.
            decoder_input_ids: token ids of the target, `(batch, target_length)`; with a cache only the tokens that it
                does not hold. Made from `input_ids` by `shift_tokens_right` if missing.
            decoder_attention_mask: 1 for tokens and 0 for padding of the target, `(batch, target_length)`, tokens in
                the cache included.
            encoder_outputs: what the encoder returned before, instead of `input_ids`.
            past_key_values: the decoder's cache; it is extended in place.
            inputs_embeds: embeddings instead of `input_ids`, `(batch, source_length, hidden_size)`.
            decoder_inputs_embeds: embeddings instead of `decoder_input_ids`, `(batch, target_length, hidden_size)`.
            use_cache: whether to return a cache, `config.use_cache` if missing.
            output_attentions: whether to return the attention probabilities.
            output_hidden_states: whether to return the hidden states of all layers.

        Raises:
            ValueError: inputs are missing or given twice, a text is longer than the model's positions, or an
                attention mask has a wrong shape.
        """
        if decoder_input_ids is None and decoder_inputs_embeds is None:
            if input_ids is None:
                raise ValueError("pass decoder_input_ids or decoder_inputs_embeds when there are no input_ids")
            decoder_input_ids = shift_tokens_right(
                input_ids, self.config.pad_token_id, self.config.decoder_start_token_id
            )
        if encoder_outputs is None:
            encoder_outputs = self.encoder(
                input_ids=input_ids,
                attention_mask=attention_mask,
                inputs_embeds=inputs_embeds,
                output_attentions=output_attentions,
                output_hidden_states=output_hidden_states,
            )
        elif isinstance(encoder_outputs, tuple):
            encoder_outputs = BaseModelOutput(last_hidden_state=encoder_outputs[0])
        assert isinstance(encoder_outputs, BaseModelOutput)

        decoder_outputs = self.decoder(
            input_ids=decoder_input_ids,
            attention_mask=decoder_attention_mask,
            encoder_hidden_states=encoder_outputs.last_hidden_state,
            encoder_attention_mask=attention_mask,
            past_key_values=past_key_values,
            inputs_embeds=decoder_inputs_embeds,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        return Seq2SeqModelOutput(
            last_hidden_state=decoder_outputs.last_hidden_state,
            past_key_values=decoder_outputs.past_key_values,
            decoder_hidden_states=decoder_outputs.hidden_states,
            decoder_attentions=decoder_outputs.attentions,
            cross_attentions=decoder_outputs.cross_attentions,
            encoder_last_hidden_state=encoder_outputs.last_hidden_state,
            encoder_hidden_states=encoder_outputs.hidden_states,
            encoder_attentions=encoder_outputs.attentions,
        )


# Copied from add_model.zoo.models.bart.modeling_bart.BartForConditionalGeneration with Bart->Pegasus,BART->Pegasus
class PegasusForConditionalGeneration(PegasusPreTrainedModel, GenerationMixin):
    """Pegasus with a layer that scores the target tokens; its weight is tied to the token embeddings."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_head.weight": "model.shared.weight"}

    final_logits_bias: torch.Tensor

    def __init__(self, config: PegasusConfig) -> None:
        super().__init__(config)
        self.model = PegasusModel(config)
        self.register_buffer("final_logits_bias", torch.zeros(1, config.vocab_size))
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def get_encoder(self) -> PegasusEncoder:
        """Return the encoder, which `generate` runs once for a batch."""
        return self.model.encoder

    def load_checkpoint(self, weights: dict[str, torch.Tensor], source: str = "the checkpoint") -> None:
        # The bias is a constant, zero unless a checkpoint says otherwise; those of the base model do not have it.
        super().load_checkpoint({"final_logits_bias": torch.zeros_like(self.final_logits_bias), **weights}, source)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        decoder_input_ids: torch.Tensor | None = None,
        decoder_attention_mask: torch.Tensor | None = None,
        encoder_outputs: BaseModelOutput | tuple[Any, ...] | None = None,
        past_key_values: KeyValueCache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        decoder_inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> Seq2SeqLMOutput:
        """Score the vocabulary at every target position; for the other arguments see `PegasusModel.forward`.

        Args:
            labels: token ids of the target, `(batch, target_length)`. Labels of -100 do not count. The decoder
                inputs are made from them by `shift_tokens_right` if they are missing, and no cache is returned.
        """
        if labels is not None:
            use_cache = False
            if decoder_input_ids is None and decoder_inputs_embeds is None:
                decoder_input_ids = shift_tokens_right(
                    labels, self.config.pad_token_id, self.config.decoder_start_token_id
                )
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask,
            encoder_outputs=encoder_outputs,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            decoder_inputs_embeds=decoder_inputs_embeds,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.lm_head(outputs.last_hidden_state) + self.final_logits_bias

        loss: torch.Tensor | None = None
        if labels is not None:
            loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return Seq2SeqLMOutput(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            decoder_hidden_states=outputs.decoder_hidden_states,
            decoder_attentions=outputs.decoder_attentions,
            cross_attentions=outputs.cross_attentions,
            encoder_last_hidden_state=outputs.encoder_last_hidden_state,
            encoder_hidden_states=outputs.encoder_hidden_states,
            encoder_attentions=outputs.encoder_attentions,
        )


# Copied from add_model.zoo.models.bart.modeling_bart.BartDecoderWrapper with Bart->Pegasus
class PegasusDecoderWrapper(nn.Module):
    """Holds the decoder under the name that it has in the checkpoints of the whole model."""

    def __init__(self, config: PegasusConfig) -> None:
        super().__init__()
        self.decoder = PegasusDecoder(config)

    def forward(self, *args: Any, **kwargs: Any) -> BaseModelOutputWithPastAndCrossAttentions:
        """Call the decoder; see `PegasusDecoder.forward`."""
        outputs: BaseModelOutputWithPastAndCrossAttentions = self.decoder(*args, **kwargs)
        return outputs


# Copied from add_model.zoo.models.bart.modeling_bart.BartForCausalLM with Bart->Pegasus
class PegasusForCausalLM(PegasusPreTrainedModel, GenerationMixin):
    """The decoder alone with a layer that scores the next token; its weight is tied to the token embeddings.

    The model keeps a copy of the configuration, in which `is_decoder` is set and `is_encoder_decoder` is not.
    """

    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_head.weight": "model.decoder.embed_tokens.weight"}
    # Checkpoints of the encoder-decoder save the token embeddings once, outside the decoder.
    _renamed_checkpoint_keys: ClassVar[dict[str, str]] = {
        r"^(model\.)?shared\.weight$": "model.decoder.embed_tokens.weight"
    }
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (
        r"^(model\.)?encoder\.",
        r"decoder\.version$",
        r"^final_logits_bias$",
    )

    def __init__(self, config: PegasusConfig) -> None:
        config = copy.deepcopy(config)
        config.is_decoder = True
        config.is_encoder_decoder = False
        super().__init__(config)
        self.model = PegasusDecoderWrapper(config)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.model.decoder.embed_tokens

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        self.model.decoder.embed_tokens.replace_weight(embeddings)
        self.tie_weights()

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        encoder_hidden_states: torch.Tensor | None = None,
        encoder_attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> CausalLMOutputWithCrossAttentions:
        """Score the vocabulary at every position; for the other arguments see `PegasusDecoder.forward`.

        Args:
            labels: token ids, `(batch, length)`. Labels of -100 do not count. They are *not* shifted here: the label
                of a position is compared with the scores of the same position.
        """
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.lm_head(outputs.last_hidden_state)

        loss: torch.Tensor | None = None
        if labels is not None:
            loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return CausalLMOutputWithCrossAttentions(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            cross_attentions=outputs.cross_attentions,
        )
