"""T5 in plain PyTorch: the encoder-decoder, the encoder alone, and their heads.

The architecture is that of https://arxiv.org/abs/1910.10683; parameter names and shapes are those of the published
checkpoints.
"""

import copy
import math
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...configuration_utils import PreTrainedConfig
from ...generation_utils import GenerationMixin
from ...key_value_cache import KeyValueCache
from ...modeling_outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    Seq2SeqLMOutput,
    Seq2SeqModelOutput,
    Seq2SeqQuestionAnsweringModelOutput,
    Seq2SeqSequenceClassifierOutput,
    TokenClassifierOutput,
)
from ...modeling_utils import PreTrainedModel
from .configuration_t5 import T5Config


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


# Copied from add_model.zoo.models.bert.modeling_bert.sequence_classification_loss
def sequence_classification_loss(logits: torch.Tensor, labels: torch.Tensor, config: PreTrainedConfig) -> torch.Tensor:
    """Return the loss of a classifier of whole sequences.

    The configuration's `problem_type` chooses it: "regression" is the mean squared error, "single_label_classification"
    the cross-entropy, "multi_label_classification" the binary cross-entropy of every label. `None` stands for
    regression if there is one label, for a single label if the labels are integers, for several labels otherwise.

    Args:
        logits: `(batch, num_labels)`.
        labels: class indices, `(batch,)`; values to predict, `(batch,)` or `(batch, num_labels)`; or 0 or 1 for every
            label, `(batch, num_labels)`.
        config: gives `num_labels` and `problem_type`.
    """
    num_labels = config.num_labels
    problem_type = config.problem_type
    if problem_type is None:
        if num_labels == 1:
            problem_type = "regression"
        elif labels.dtype in (torch.int32, torch.int64):
            problem_type = "single_label_classification"
        else:
            problem_type = "multi_label_classification"
    if problem_type == "regression":
        if num_labels == 1:
            return functional.mse_loss(logits.squeeze(), labels.squeeze())
        return functional.mse_loss(logits, labels)
    if problem_type == "single_label_classification":
        return functional.cross_entropy(logits.view(-1, num_labels), labels.view(-1))
    return functional.binary_cross_entropy_with_logits(logits, labels)


# Copied from add_model.zoo.models.bert.modeling_bert.question_answering_loss
def question_answering_loss(
    start_logits: torch.Tensor,
    end_logits: torch.Tensor,
    start_positions: torch.Tensor,
    end_positions: torch.Tensor,
) -> torch.Tensor:
    """Return the mean of the cross-entropies of an answer's start and end.

    Args:
        start_logits, end_logits: `(batch, length)`.
        start_positions, end_positions: indices of tokens, `(batch,)` or `(batch, 1)`. An answer that begins or ends
            behind the text, because the text was cut, does not count.
    """
    length = start_logits.shape[1]
    start_positions = start_positions.view(-1).clamp(0, length)
    end_positions = end_positions.view(-1).clamp(0, length)
    start_loss = functional.cross_entropy(start_logits, start_positions, ignore_index=length)
    end_loss = functional.cross_entropy(end_logits, end_positions, ignore_index=length)
    return (start_loss + end_loss) / 2


def relative_position_buckets(
    relative_positions: torch.Tensor, is_bidirectional: bool, num_buckets: int, max_distance: int
) -> torch.Tensor:
    """Sort distances between tokens into classes (section 2.1 of the paper; the original code has the formula).

    Of the buckets of a direction the first half holds one distance each; the others grow logarithmically up to
    `max_distance`, and the last one holds everything beyond. Two directions share the buckets, those of later tokens
    come second. With one direction, later tokens count as distance 0; the causal mask hides them.

    Args:
        relative_positions: position of the token that is attended to minus that of the one that attends, any shape.
        is_bidirectional: whether a token attends to later ones as well.
        num_buckets: number of all buckets.
        max_distance: the distance that the last bucket begins with, at the latest.

    Returns:
        Numbers of buckets, of the same shape.
    """
    offsets = torch.zeros_like(relative_positions)
    if is_bidirectional:
        num_buckets = num_buckets // 2
        offsets = (relative_positions > 0).long() * num_buckets
        distances = relative_positions.abs()
    else:
        distances = (-relative_positions).clamp(min=0)
    num_exact = num_buckets // 2
    # Without the lower bound the logarithm of 0 would be turned into an integer, for distances that don't need it.
    ratio = torch.log(distances.clamp(min=1).float() / num_exact) / math.log(max_distance / num_exact)
    far_buckets = num_exact + (ratio * (num_buckets - num_exact)).long()
    return offsets + torch.where(distances < num_exact, distances, far_buckets.clamp(max=num_buckets - 1))


def fields_besides_the_last_hidden_state(outputs: Seq2SeqModelOutput) -> dict[str, Any]:
    """Return what the heads of the encoder-decoder hand on as it is, by the name of the field."""
    return {name: value for name, value in vars(outputs).items() if name != "last_hidden_state"}


def without_overflow(hidden_states: torch.Tensor) -> torch.Tensor:
    """Return hidden states in which half precision has no infinite numbers; the large published models overflow it."""
    if hidden_states.dtype == torch.float16 and not bool(torch.isfinite(hidden_states).all()):
        limit = torch.finfo(torch.float16).max - 1000
        return hidden_states.clamp(min=-limit, max=limit)
    return hidden_states


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


class T5LayerNorm(nn.Module):
    """Normalisation by the root of the mean square: nothing is subtracted or added (https://arxiv.org/abs/1910.07467)."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(config.d_model))
        self.epsilon = config.layer_norm_epsilon

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Map `(batch, length, hidden_size)` to the same shape."""
        return functional.rms_norm(hidden_states, self.weight.shape, self.weight, self.epsilon)


class T5Attention(nn.Module):
    """Attention with several heads, over the same sequence or, in the decoder, over the encoder's output.

    Scores are not scaled: the initial weights of the queries are that much smaller instead. The first self-attention of
    the encoder and of the decoder holds the biases of relative positions for all layers.
    """

    def __init__(
        self, config: T5Config, layer_index: int, has_position_bias: bool = False, is_bidirectional: bool = True
    ) -> None:
        super().__init__()
        if config.num_heads < 1 or config.d_kv < 1:
            raise ValueError(f"num_heads ({config.num_heads}) and d_kv ({config.d_kv}) must be 1 or more")
        self.config = config
        self.layer_index = layer_index
        self.num_attention_heads = config.num_heads
        self.attention_head_size = config.d_kv
        self.is_bidirectional = is_bidirectional
        inner_size = config.num_heads * config.d_kv
        self.q = nn.Linear(config.d_model, inner_size, bias=False)
        self.k = nn.Linear(config.d_model, inner_size, bias=False)
        self.v = nn.Linear(config.d_model, inner_size, bias=False)
        self.o = nn.Linear(inner_size, config.d_model, bias=False)
        if has_position_bias:
            num_buckets, max_distance = config.relative_attention_num_buckets, config.relative_attention_max_distance
            if num_buckets < 4 or num_buckets % 2 != 0 or max_distance <= num_buckets // 2:
                raise ValueError(
                    f"relative_attention_num_buckets ({num_buckets}) must be even and 4 or more, "
                    f"relative_attention_max_distance ({max_distance}) more than half of it"
                )
            self.relative_attention_bias = nn.Embedding(num_buckets, config.num_heads)

    # Copied from add_model.zoo.models.bert.modeling_bert.BertSelfAttention.split_heads
    def split_heads(self, projection: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, heads, length, head_size)`."""
        batch, length, _ = projection.shape
        heads = projection.view(batch, length, self.num_attention_heads, self.attention_head_size)
        return heads.transpose(1, 2)

    # Copied from add_model.zoo.models.bart.modeling_bart.BartAttention.keys_and_values with k_proj->k,v_proj->v
    def keys_and_values(
        self,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None,
        past_key_values: KeyValueCache | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values, each `(batch, heads, key_length, head_size)`, and keep them in the cache."""
        if encoder_hidden_states is None:
            key = self.split_heads(self.k(hidden_states))
            value = self.split_heads(self.v(hidden_states))
            if past_key_values is not None:
                key, value = past_key_values.update(self.layer_index, key, value)
            return key, value
        if past_key_values is not None:
            cached = past_key_values.get_cross_attention(self.layer_index)
            if cached is not None:
                return cached
        key = self.split_heads(self.k(encoder_hidden_states))
        value = self.split_heads(self.v(encoder_hidden_states))
        if past_key_values is not None:
            past_key_values.set_cross_attention(self.layer_index, key, value)
        return key, value

    def position_bias(self, query_length: int, key_length: int) -> torch.Tensor:
        """Return what is added to the scores of every pair of tokens, `(1, heads, query_length, key_length)`.

        Args:
            query_length: number of new tokens. They are the last ones of the keys.
            key_length: number of all tokens, those in the cache included.
        """
        key_positions = torch.arange(key_length, device=self.q.weight.device)
        buckets = relative_position_buckets(
            key_positions[None, :] - key_positions[key_length - query_length :, None],
            self.is_bidirectional,
            self.config.relative_attention_num_buckets,
            self.config.relative_attention_max_distance,
        )
        biases: torch.Tensor = self.relative_attention_bias(buckets)
        return biases.permute(2, 0, 1)[None]

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
            attention_mask: added to the scores, in self-attention with the biases of positions in it:
                `(batch or 1, 1 or heads, 1 or length, key_length)`.
            encoder_hidden_states: what is attended to in cross-attention, `(batch, source_length, hidden_size)`;
                `None` in self-attention.
            past_key_values: the cache, which is extended in place.
            output_attentions: whether to return the attention probabilities.
        """
        query = self.split_heads(self.q(hidden_states))
        key, value = self.keys_and_values(hidden_states, encoder_hidden_states, past_key_values)

        dropout = self.config.dropout_rate if self.training else 0.0
        probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, probabilities = eager_attention(query, key, value, attention_mask, 1.0, dropout)
        else:
            context = sdpa_attention(query, key, value, attention_mask, 1.0, dropout)

        return self.o(context.transpose(1, 2).flatten(2)), probabilities


class T5LayerSelfAttention(nn.Module):
    """Normalisation, self-attention and a residual."""

    def __init__(self, config: T5Config, layer_index: int, is_decoder: bool) -> None:
        super().__init__()
        self.SelfAttention = T5Attention(
            config, layer_index, has_position_bias=layer_index == 0, is_bidirectional=not is_decoder
        )
        self.layer_norm = T5LayerNorm(config)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        context, probabilities = self.SelfAttention(
            self.layer_norm(hidden_states), attention_mask, None, past_key_values, output_attentions
        )
        return without_overflow(hidden_states + self.dropout(context)), probabilities


class T5LayerCrossAttention(nn.Module):
    """Normalisation, attention over the encoder's output and a residual."""

    def __init__(self, config: T5Config, layer_index: int) -> None:
        super().__init__()
        self.EncDecAttention = T5Attention(config, layer_index)
        self.layer_norm = T5LayerNorm(config)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(
        self,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        context, probabilities = self.EncDecAttention(
            self.layer_norm(hidden_states), attention_mask, encoder_hidden_states, past_key_values, output_attentions
        )
        return without_overflow(hidden_states + self.dropout(context)), probabilities


class T5DenseActDense(nn.Module):
    """The feed-forward network: two projections and an activation between them.

    In the second release the activation is a factor of a third projection (https://arxiv.org/abs/2002.05202).
    """

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.is_gated = config.is_gated_act
        if self.is_gated:
            self.wi_0 = nn.Linear(config.d_model, config.d_ff, bias=False)
            self.wi_1 = nn.Linear(config.d_model, config.d_ff, bias=False)
        else:
            self.wi = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.wo = nn.Linear(config.d_ff, config.d_model, bias=False)
        self.dropout = nn.Dropout(config.dropout_rate)
        self.activation = get_activation(config.dense_act_fn)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Map `(batch, length, hidden_size)` to the same shape."""
        if self.is_gated:
            inner = self.activation(self.wi_0(hidden_states)) * self.wi_1(hidden_states)
        else:
            inner = self.activation(self.wi(hidden_states))
        hidden_states = self.wo(self.dropout(inner))
        return hidden_states


class T5LayerFF(nn.Module):
    """Normalisation, a feed-forward network and a residual."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        # The published name, whatever the activation is.
        self.DenseReluDense = T5DenseActDense(config)
        self.layer_norm = T5LayerNorm(config)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Map `(batch, length, hidden_size)` to the same shape."""
        change = self.DenseReluDense(self.layer_norm(hidden_states))
        return without_overflow(hidden_states + self.dropout(change))


class T5Block(nn.Module):
    """Self-attention, in the decoder attention over the encoder's output, and a feed-forward network."""

    def __init__(self, config: T5Config, layer_index: int, is_decoder: bool) -> None:
        super().__init__()
        self.layer = nn.ModuleList([T5LayerSelfAttention(config, layer_index, is_decoder)])
        if is_decoder:
            self.layer.append(T5LayerCrossAttention(config, layer_index))
        self.layer.append(T5LayerFF(config))

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
        hidden_states, probabilities = self.layer[0](
            hidden_states, attention_mask, past_key_values=past_key_values, output_attentions=output_attentions
        )
        cross_probabilities: torch.Tensor | None = None
        if encoder_hidden_states is not None:
            hidden_states, cross_probabilities = self.layer[1](
                hidden_states, encoder_hidden_states, encoder_attention_mask, past_key_values, output_attentions
            )
        return self.layer[-1](hidden_states), probabilities, cross_probabilities


class T5Stack(nn.Module):
    """Token embeddings and the layers of the encoder or of the decoder. Positions come in as biases of attention."""

    def __init__(self, config: T5Config, is_decoder: bool) -> None:
        super().__init__()
        self.config = config
        self.is_decoder = is_decoder
        self.embed_tokens = nn.Embedding(config.vocab_size, config.d_model)
        num_layers = config.num_decoder_layers if is_decoder else config.num_layers
        self.block = nn.ModuleList([T5Block(config, index, is_decoder) for index in range(num_layers)])
        self.final_layer_norm = T5LayerNorm(config)
        self.dropout = nn.Dropout(config.dropout_rate)

    def position_bias(
        self, attention_mask: torch.Tensor | None, length: int, key_length: int, dtype: torch.dtype
    ) -> torch.Tensor:
        """Return what all layers add to the scores: the first layer's biases of positions, and the mask."""
        attention = self.block[0].get_submodule("layer.0.SelfAttention")
        assert isinstance(attention, T5Attention)
        bias = attention.position_bias(length, key_length)
        if self.is_decoder:
            return bias + make_causal_mask(attention_mask, length, key_length, dtype, bias.device)
        padding_mask = make_padding_mask(attention_mask, key_length, dtype)
        return bias if padding_mask is None else bias + padding_mask

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
        """Compute the hidden states of the source texts, or in the decoder those of the target texts.

        Args:
            input_ids: token ids, `(batch, length)`; with a cache only the tokens that it does not hold.
            attention_mask: 1 for tokens and 0 for padding, `(batch, length)`, tokens in the cache included; or 1 for
                every pair of tokens that may attend, `(batch, 1 or heads, length, length with cache)`.
            encoder_hidden_states: the encoder's output, for the decoder, `(batch, source_length, hidden_size)`; if it
                is missing, no attention over it takes place.
            encoder_attention_mask: 1 for tokens and 0 for padding of the encoder, `(batch, source_length)`.
            past_key_values: the decoder's cache of the tokens before; it is extended in place.
            inputs_embeds: embeddings instead of `input_ids`, `(batch, length, hidden_size)`.
            use_cache: whether the decoder is to return a cache, `config.use_cache` if missing.
            output_attentions: whether to return the attention probabilities.
            output_hidden_states: whether to return the hidden states of all layers.

        Raises:
            ValueError: neither or both of `input_ids` and `inputs_embeds` are given, or an attention mask has a wrong
                shape.
        """
        use_cache = self.is_decoder and (self.config.use_cache if use_cache is None else use_cache)
        output_attentions = self.config.output_attentions if output_attentions is None else output_attentions
        output_hidden_states = (
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        )
        if (input_ids is None) == (inputs_embeds is None):
            prefix = "decoder_" if self.is_decoder else ""
            raise ValueError(f"pass either {prefix}input_ids or {prefix}inputs_embeds")
        if input_ids is not None:
            inputs_embeds = look_up_tokens(self.embed_tokens, input_ids)
        assert inputs_embeds is not None
        if use_cache and past_key_values is None:
            past_key_values = KeyValueCache()
        hidden_states = self.dropout(inputs_embeds)
        length, dtype = hidden_states.shape[1], hidden_states.dtype
        key_length = length + (0 if past_key_values is None else past_key_values.sequence_length)
        bias = self.position_bias(attention_mask, length, key_length, dtype)
        if encoder_hidden_states is not None:
            encoder_attention_mask = make_padding_mask(encoder_attention_mask, encoder_hidden_states.shape[1], dtype)

        all_hidden_states: list[torch.Tensor] = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        all_cross_attentions: list[torch.Tensor] = []
        for block in self.block:
            hidden_states, probabilities, cross_probabilities = block(
                hidden_states, bias, encoder_hidden_states, encoder_attention_mask, past_key_values, output_attentions
            )
            all_hidden_states.append(hidden_states)
            if probabilities is not None:
                all_attentions.append(probabilities)
            if cross_probabilities is not None:
                all_cross_attentions.append(cross_probabilities)
        hidden_states = self.dropout(self.final_layer_norm(hidden_states))
        all_hidden_states[-1] = hidden_states

        has_cross_attentions = output_attentions and encoder_hidden_states is not None
        return BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden_states,
            past_key_values=past_key_values if use_cache else None,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
            cross_attentions=tuple(all_cross_attentions) if has_cross_attentions else None,
        )


class T5PreTrainedModel(PreTrainedModel):
    """What all T5 models share: the configuration class, the initial weights and the token embeddings."""

    config_class = T5Config
    base_model_prefix = "transformer"
    # Early checkpoints hold biases of positions for attention over the encoder's output, which has none.
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"EncDecAttention\.relative_attention_bias\.weight$",)

    config: T5Config

    def _init_weights(self, module: nn.Module) -> None:
        # The standard deviations are those of the original code base, in which scores are not scaled.
        factor = self.config.initializer_factor
        if isinstance(module, nn.Linear):
            module.weight.normal_(mean=0.0, std=factor * module.in_features**-0.5)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(mean=0.0, std=factor)
        elif isinstance(module, T5LayerNorm):
            module.weight.fill_(factor)
        elif isinstance(module, T5Attention):
            module.q.weight.normal_(mean=0.0, std=factor * (self.config.d_model * self.config.d_kv) ** -0.5)
            if hasattr(module, "relative_attention_bias"):
                module.relative_attention_bias.weight.normal_(mean=0.0, std=factor * self.config.d_model**-0.5)

    def get_input_embeddings(self) -> nn.Module:
        embeddings = self.base_model.shared
        assert isinstance(embeddings, nn.Embedding)
        return embeddings

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        self.base_model.shared = embeddings
        for module in self.base_model.modules():
            if isinstance(module, T5Stack):
                module.embed_tokens.num_embeddings = int(embeddings.get_parameter("weight").shape[0])
        self.tie_weights()


class T5EncoderDecoder(T5PreTrainedModel):
    """Encoder and decoder, which share their token embeddings, and what the models made of both do with them.

    A model's `__init__` calls this one, adds its head, and ends with `self.post_init()`.
    """

    _shared_weights_keys: ClassVar[dict[str, str]] = {
        "encoder.embed_tokens.weight": "shared.weight",
        "decoder.embed_tokens.weight": "shared.weight",
    }

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = T5Stack(config, is_decoder=False)
        self.decoder = T5Stack(config, is_decoder=True)

    def get_encoder(self) -> T5Stack:
        """Return the encoder, which `generate` runs once for a batch."""
        return self.encoder

    def encode_and_decode(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        decoder_input_ids: torch.Tensor | None = None,
        decoder_attention_mask: torch.Tensor | None = None,
        encoder_outputs: BaseModelOutputWithPastAndCrossAttentions | tuple[Any, ...] | None = None,
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
            ValueError: inputs are missing or given twice, or an attention mask has a wrong shape.
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
            encoder_outputs = BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=encoder_outputs[0])
        assert isinstance(encoder_outputs, BaseModelOutputWithPastAndCrossAttentions)

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


class T5Model(T5EncoderDecoder):
    """The encoder-decoder without a head."""

    forward = T5EncoderDecoder.encode_and_decode

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.post_init()


class T5ForConditionalGeneration(T5EncoderDecoder, GenerationMixin):
    """T5 with a layer that scores the target tokens.

    In the first release its weight is that of the token embeddings, and what it scores is scaled down.
    """

    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_head.weight": "shared.weight"}

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            self.lm_head.weight.normal_(mean=0.0, std=self.config.initializer_factor)

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def load_checkpoint(self, weights: dict[str, torch.Tensor], source: str = "the checkpoint") -> None:
        # Some writers say that the head is tied whatever it is. Two weights that differ are not one and the same.
        head, embeddings = weights.get("lm_head.weight"), weights.get("shared.weight")
        if head is None and embeddings is not None:
            weights = {**weights, "lm_head.weight": embeddings}
        elif self.config.tie_word_embeddings and head is not None and embeddings is not None:
            if head.shape == embeddings.shape and not torch.equal(head, embeddings):
                self.config.tie_word_embeddings = False
                self.lm_head.weight = nn.Parameter(self.lm_head.weight.detach().clone())
        super().load_checkpoint(weights, source)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        decoder_input_ids: torch.Tensor | None = None,
        decoder_attention_mask: torch.Tensor | None = None,
        encoder_outputs: BaseModelOutputWithPastAndCrossAttentions | tuple[Any, ...] | None = None,
        past_key_values: KeyValueCache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        decoder_inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> Seq2SeqLMOutput:
        """Score the vocabulary at every target position; for the other arguments see `T5EncoderDecoder.encode_and_decode`.

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
        outputs = self.encode_and_decode(
            input_ids,
            attention_mask,
            decoder_input_ids,
            decoder_attention_mask,
            encoder_outputs,
            past_key_values,
            inputs_embeds,
            decoder_inputs_embeds,
            use_cache,
            output_attentions,
            output_hidden_states,
        )
        hidden_states = outputs.last_hidden_state
        if self.config.scale_decoder_outputs:
            hidden_states = hidden_states * self.config.d_model**-0.5
        logits = self.lm_head(hidden_states)

        loss: torch.Tensor | None = None
        if labels is not None:
            loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return Seq2SeqLMOutput(
            loss=loss,
            logits=logits,
            **fields_besides_the_last_hidden_state(outputs),
        )


class T5EncoderModel(T5PreTrainedModel):
    """The encoder alone, as a source of vectors. The model keeps a copy of the configuration that says so."""

    _shared_weights_keys: ClassVar[dict[str, str]] = {"encoder.embed_tokens.weight": "shared.weight"}
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"^(transformer\.)?decoder\.", r"^lm_head\.")

    def __init__(self, config: T5Config) -> None:
        config = copy.deepcopy(config)
        config.is_encoder_decoder = False
        config.use_cache = False
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = T5Stack(config, is_decoder=False)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """Compute the hidden states of texts; for the arguments see `T5EncoderDecoder.encode_and_decode`."""
        outputs: BaseModelOutputWithPastAndCrossAttentions = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        return outputs


# Copied from add_model.zoo.models.bart.modeling_bart.BartClassificationHead with Bart->T5
class T5ClassificationHead(nn.Module):
    """A hidden layer and a layer that scores the labels."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.dense = nn.Linear(config.d_model, config.d_model)
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.out_proj = nn.Linear(config.d_model, config.num_labels)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Map `(batch, hidden_size)` to `(batch, num_labels)`."""
        hidden_states = self.dropout(hidden_states)
        hidden_states = self.dense(hidden_states)
        hidden_states = torch.tanh(hidden_states)
        hidden_states = self.dropout(hidden_states)
        hidden_states = self.out_proj(hidden_states)
        return hidden_states


class T5ForSequenceClassification(T5PreTrainedModel):
    """T5 with a classifier of whole sequences, which reads the decoder at the last end-of-text token."""

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.transformer = T5Model(config)
        self.classification_head = T5ClassificationHead(config)
        self.post_init()

    # Copied from add_model.zoo.models.bart.modeling_bart.BartForSequenceClassification.last_end_positions
    def last_end_positions(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Return the position of the last end-of-text token of every text, `(batch,)`.

        Raises:
            ValueError: the texts do not all have the same number of such tokens, or have none, or the configuration
                does not name exactly one such token.
        """
        if not isinstance(self.config.eos_token_id, int):
            raise ValueError("the end of a text cannot be found: set eos_token_id in the config to one token id")
        is_end = torch.eq(input_ids, self.config.eos_token_id)
        counts = is_end.sum(dim=1)
        if not bool((counts == counts[0]).all()) or int(counts[0]) == 0:
            raise ValueError("every text must have the same number of eos tokens, at least one")
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)
        return (positions * is_end).argmax(dim=1)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        decoder_input_ids: torch.Tensor | None = None,
        decoder_attention_mask: torch.Tensor | None = None,
        encoder_outputs: BaseModelOutputWithPastAndCrossAttentions | tuple[Any, ...] | None = None,
        decoder_inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> Seq2SeqSequenceClassifierOutput:
        """Score every label for every text; for the other arguments see `T5EncoderDecoder.encode_and_decode`.

        Args:
            input_ids: token ids, `(batch, length)`. They are needed, because they say where a text ends; decoder
                inputs, if given, must be as long.
            labels: class indices, `(batch,)`; numbers, `(batch,)` or `(batch, num_labels)`, for a regression; zeros
                and ones, `(batch, num_labels)`, when several labels can hold at once.

        Raises:
            ValueError: the texts do not all have the same number of end-of-text tokens, or have none.
        """
        outputs = self.transformer(
            input_ids=input_ids,
            attention_mask=attention_mask,
            decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask,
            encoder_outputs=encoder_outputs,
            decoder_inputs_embeds=decoder_inputs_embeds,
            use_cache=False if labels is not None else use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        hidden_states = outputs.last_hidden_state
        rows = torch.arange(hidden_states.shape[0], device=hidden_states.device)
        logits = self.classification_head(hidden_states[rows, self.last_end_positions(input_ids)])

        loss: torch.Tensor | None = None
        if labels is not None:
            loss = sequence_classification_loss(logits, labels, self.config)
        return Seq2SeqSequenceClassifierOutput(
            loss=loss,
            logits=logits,
            **fields_besides_the_last_hidden_state(outputs),
        )


class T5ForTokenClassification(T5PreTrainedModel):
    """The encoder with a layer that scores the labels of every token."""

    _shared_weights_keys: ClassVar[dict[str, str]] = {
        "transformer.encoder.embed_tokens.weight": "transformer.shared.weight"
    }
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"^(transformer\.)?decoder\.", r"^lm_head\.")

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        # Not a model with a head inside another one: the names are those of the model of both parts.
        embeddings = nn.Embedding(config.vocab_size, config.d_model)
        self.transformer = nn.ModuleDict({"shared": embeddings, "encoder": T5Stack(config, is_decoder=False)})
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.classifier = nn.Linear(config.d_model, config.num_labels)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            self.classifier.weight.normal_(mean=0.0, std=self.config.initializer_factor)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> TokenClassifierOutput:
        """Score every label at every token; for the other arguments see `T5EncoderDecoder.encode_and_decode`.

        Args:
            labels: class indices, `(batch, length)`. Labels of -100 do not count.
        """
        outputs = self.transformer["encoder"](
            input_ids=input_ids,
            attention_mask=attention_mask,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.classifier(self.dropout(outputs.last_hidden_state))

        loss: torch.Tensor | None = None
        if labels is not None:
            loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return TokenClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class T5ForQuestionAnswering(T5EncoderDecoder):
    """T5 with a layer that scores every token as the start and as the end of the answer."""

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.qa_outputs = nn.Linear(config.d_model, 2)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        decoder_input_ids: torch.Tensor | None = None,
        decoder_attention_mask: torch.Tensor | None = None,
        encoder_outputs: BaseModelOutputWithPastAndCrossAttentions | tuple[Any, ...] | None = None,
        inputs_embeds: torch.Tensor | None = None,
        decoder_inputs_embeds: torch.Tensor | None = None,
        start_positions: torch.Tensor | None = None,
        end_positions: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> Seq2SeqQuestionAnsweringModelOutput:
        """Score start and end of the answer; for the other arguments see `T5EncoderDecoder.encode_and_decode`.

        Args:
            start_positions: index of the first token of the answer, `(batch,)`.
            end_positions: index of the last token of the answer, `(batch,)`.
        """
        has_labels = start_positions is not None and end_positions is not None
        outputs = self.encode_and_decode(
            input_ids,
            attention_mask,
            decoder_input_ids,
            decoder_attention_mask,
            encoder_outputs,
            None,
            inputs_embeds,
            decoder_inputs_embeds,
            False if has_labels else use_cache,
            output_attentions,
            output_hidden_states,
        )
        start_logits, end_logits = self.qa_outputs(outputs.last_hidden_state).unbind(dim=-1)

        loss: torch.Tensor | None = None
        if start_positions is not None and end_positions is not None:
            loss = question_answering_loss(start_logits, end_logits, start_positions, end_positions)
        return Seq2SeqQuestionAnsweringModelOutput(
            loss=loss,
            start_logits=start_logits,
            end_logits=end_logits,
            **fields_besides_the_last_hidden_state(outputs),
        )
