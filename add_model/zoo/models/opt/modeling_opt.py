"""OPT in plain PyTorch: the decoder and its heads.

The architecture is that of https://arxiv.org/abs/2205.01068; where the paper is silent, the facts are those of its code,
metaseq, and parameter names and shapes those of the published checkpoints.
"""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...configuration_utils import PreTrainedConfig
from ...generation_utils import GenerationMixin
from ...key_value_cache import KeyValueCache
from ...modeling_outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
)
from ...modeling_utils import PreTrainedModel
from .configuration_opt import OPTConfig


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


class OPTLearnedPositionalEmbedding(nn.Embedding):
    """Learned embeddings of positions.

    The weight is `(max_positions + 2, hidden_size)`: the original numbered positions behind its padding index, which
    is 1. So position 0 has row 2, padding, at position -1, has row 1, and row 0 is never used.
    """

    def __init__(self, max_positions: int, hidden_size: int) -> None:
        self.offset = 2
        self.max_positions = max_positions
        super().__init__(max_positions + self.offset, hidden_size)

    def forward(self, positions: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of positions: `(batch, length)` to `(batch, length, hidden_size)`.

        Raises:
            ValueError: there are not that many positions.
        """
        last_position = int(positions.max())
        if last_position >= self.max_positions:
            raise ValueError(
                f"a text of {last_position + 1} tokens is longer than the {self.max_positions} positions of the model "
                "(max_position_embeddings); shorten it"
            )
        return super().forward(positions + self.offset)


class OPTAttention(nn.Module):
    """Causal self-attention with several heads."""

    def __init__(self, config: OPTConfig, layer_index: int) -> None:
        super().__init__()
        hidden_size = config.hidden_size
        if hidden_size % config.num_attention_heads != 0:
            raise ValueError(
                f"hidden_size ({hidden_size}) must be a multiple of num_attention_heads ({config.num_attention_heads})"
            )
        self.config = config
        self.layer_index = layer_index
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = hidden_size // self.num_attention_heads
        self.scaling = self.attention_head_size**-0.5
        self.k_proj = nn.Linear(hidden_size, hidden_size, bias=config.enable_bias)
        self.v_proj = nn.Linear(hidden_size, hidden_size, bias=config.enable_bias)
        self.q_proj = nn.Linear(hidden_size, hidden_size, bias=config.enable_bias)
        self.out_proj = nn.Linear(hidden_size, hidden_size, bias=config.enable_bias)

    # Copied from add_model.zoo.models.bert.modeling_bert.BertSelfAttention.split_heads
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
        query = self.split_heads(self.q_proj(hidden_states))
        key = self.split_heads(self.k_proj(hidden_states))
        value = self.split_heads(self.v_proj(hidden_states))
        if past_key_values is not None:
            key, value = past_key_values.update(self.layer_index, key, value)

        dropout = self.config.attention_dropout if self.training else 0.0
        probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, probabilities = eager_attention(query, key, value, attention_mask, self.scaling, dropout)
        else:
            context = sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)

        context = context.transpose(1, 2).reshape(hidden_states.shape)
        return self.out_proj(context), probabilities


class OPTDecoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each around a residual.

    The layer normalisation stands before each of them, or behind the residual where `do_layer_norm_before` is not set:
    of the published sizes only the one of 350 million parameters has it behind.
    """

    def __init__(self, config: OPTConfig, layer_index: int) -> None:
        super().__init__()
        has_weights = config.layer_norm_elementwise_affine
        self.norm_is_before = config.do_layer_norm_before
        self.self_attn = OPTAttention(config, layer_index)
        self.self_attn_layer_norm = nn.LayerNorm(config.hidden_size, elementwise_affine=has_weights)
        self.dropout = nn.Dropout(config.dropout)
        self.activation = get_activation(config.activation_function)
        self.fc1 = nn.Linear(config.hidden_size, config.ffn_dim, bias=config.enable_bias)
        self.fc2 = nn.Linear(config.ffn_dim, config.hidden_size, bias=config.enable_bias)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, elementwise_affine=has_weights)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        residual = hidden_states
        if self.norm_is_before:
            hidden_states = self.self_attn_layer_norm(hidden_states)
        hidden_states, probabilities = self.self_attn(
            hidden_states, attention_mask, past_key_values, output_attentions
        )
        hidden_states = residual + self.dropout(hidden_states)
        if not self.norm_is_before:
            hidden_states = self.self_attn_layer_norm(hidden_states)

        residual = hidden_states
        if self.norm_is_before:
            hidden_states = self.final_layer_norm(hidden_states)
        hidden_states = self.fc2(self.activation(self.fc1(hidden_states)))
        hidden_states = residual + self.dropout(hidden_states)
        if not self.norm_is_before:
            hidden_states = self.final_layer_norm(hidden_states)
        return hidden_states, probabilities


class OPTDecoder(nn.Module):
    """Embeddings and the layers of the decoder.

    Where `word_embed_proj_dim` is not `hidden_size`, the token embeddings have that size, and two projections lead from
    it to the layers and back. The final layer normalisation stands before the way back; where the layers have theirs
    behind the residual, the last layer has already normalised, and there is none.
    """

    def __init__(self, config: OPTConfig) -> None:
        super().__init__()
        self.config = config
        embedding_size, hidden_size = config.word_embed_proj_dim, config.hidden_size
        self.embed_tokens = nn.Embedding(config.vocab_size, embedding_size, config.pad_token_id)
        self.embed_positions = OPTLearnedPositionalEmbedding(config.max_position_embeddings, hidden_size)
        self.project_out: nn.Linear | None = None
        self.project_in: nn.Linear | None = None
        if embedding_size != hidden_size:
            self.project_out = nn.Linear(hidden_size, embedding_size, bias=False)
            self.project_in = nn.Linear(embedding_size, hidden_size, bias=False)
        self.final_layer_norm: nn.LayerNorm | None = None
        if config.do_layer_norm_before and not config._remove_final_layer_norm:
            has_weights = config.layer_norm_elementwise_affine
            self.final_layer_norm = nn.LayerNorm(hidden_size, elementwise_affine=has_weights)
        self.layers = nn.ModuleList([OPTDecoderLayer(config, index) for index in range(config.num_hidden_layers)])

    def positions(self, attention_mask: torch.Tensor | None, past_length: int, length: int) -> torch.Tensor:
        """Return the positions of the new tokens, `(batch or 1, length)`.

        The tokens of a text are numbered, and padding is not, on whichever side it is: that is at -1. A mask of pairs
        does not say what is padding.
        """
        if attention_mask is None or attention_mask.dim() != 2:
            return torch.arange(past_length, past_length + length, device=self.embed_positions.weight.device)[None, :]
        is_token = (attention_mask != 0).long()
        return (is_token.cumsum(dim=1) * is_token - 1)[:, past_length:]

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """Compute the hidden states of the new tokens; for the arguments see `OPTModel.forward`."""
        use_cache = self.config.use_cache if use_cache is None else use_cache
        output_attentions = self.config.output_attentions if output_attentions is None else output_attentions
        output_hidden_states = (
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        )
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass either input_ids or inputs_embeds")
        if input_ids is not None:
            inputs_embeds = look_up_tokens(self.embed_tokens, input_ids)
        assert inputs_embeds is not None
        if use_cache and past_key_values is None:
            past_key_values = KeyValueCache()
        past_length = 0 if past_key_values is None else past_key_values.sequence_length
        length = inputs_embeds.shape[1]
        causal_mask = make_causal_mask(
            attention_mask, length, past_length + length, inputs_embeds.dtype, inputs_embeds.device
        )
        if position_ids is None:
            position_ids = self.positions(attention_mask, past_length, length)
        if self.project_in is not None:
            inputs_embeds = self.project_in(inputs_embeds)
        hidden_states = inputs_embeds + self.embed_positions(position_ids)

        all_hidden_states: list[torch.Tensor] = []
        all_attentions: list[torch.Tensor] = []
        for layer in self.layers:
            # LayerDrop, see https://arxiv.org/abs/1909.11556.
            if self.training and float(torch.rand([])) < self.config.layerdrop:
                continue
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
            hidden_states, probabilities = layer(hidden_states, causal_mask, past_key_values, output_attentions)
            if probabilities is not None:
                all_attentions.append(probabilities)
        if self.final_layer_norm is not None:
            hidden_states = self.final_layer_norm(hidden_states)
        if self.project_out is not None:
            hidden_states = self.project_out(hidden_states)
        if output_hidden_states:
            all_hidden_states.append(hidden_states)

        return BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden_states,
            past_key_values=past_key_values if use_cache else None,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


class OPTPreTrainedModel(PreTrainedModel):
    """What all OPT models share: the configuration class and the initial weights."""

    config_class = OPTConfig
    base_model_prefix = "model"
    # Older checkpoints hold a version number of the decoder.
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"decoder\.version$",)

    config: OPTConfig

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            module.weight.normal_(mean=0.0, std=self.config.init_std)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(mean=0.0, std=self.config.init_std)
            if module.padding_idx is not None:
                module.weight[module.padding_idx].zero_()
        elif isinstance(module, nn.LayerNorm) and module.elementwise_affine:
            module.weight.fill_(1.0)
            module.bias.zero_()


class OPTModel(OPTPreTrainedModel):
    """The decoder without a head."""

    def __init__(self, config: OPTConfig) -> None:
        super().__init__(config)
        self.decoder = OPTDecoder(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.decoder.embed_tokens

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, nn.Embedding)
        self.decoder.embed_tokens = embeddings

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """Compute the hidden states of the new tokens.

        Args:
            input_ids: token ids, `(batch, length)`; with a cache only the tokens that it does not hold.
            attention_mask: 1 for tokens and 0 for padding, `(batch, length)`, tokens in the cache included; or 1 for
                every pair of tokens that may attend, `(batch, 1 or heads, length, length with cache)`.
            position_ids: position of every token, `(batch, length)`. If missing, the tokens that the attention mask
                leaves are counted, those in the cache included, and padding is at -1.
            inputs_embeds: embeddings instead of `input_ids`, `(batch, length, word_embed_proj_dim)`.
            past_key_values: the cache of the tokens before; it is extended in place.
            use_cache: whether to return a cache, `config.use_cache` if missing.
            output_attentions: whether to return the attention probabilities.
            output_hidden_states: whether to return the hidden states of all layers. The last of them has passed the
                final layer normalisation and the projection to `word_embed_proj_dim`, where the model has them.

        Returns:
            The hidden states, `(batch, length, word_embed_proj_dim)`, and what else is asked for.

        Raises:
            ValueError: neither or both of `input_ids` and `inputs_embeds` are given, an id is not in the vocabulary,
                the text is longer than the model's positions, or the attention mask has a wrong shape.
        """
        outputs: BaseModelOutputWithPastAndCrossAttentions = self.decoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            past_key_values=past_key_values,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        return outputs


class OPTForCausalLM(OPTPreTrainedModel, GenerationMixin):
    """OPT with a layer that scores the next token; its weight is tied to the token embeddings."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_head.weight": "model.decoder.embed_tokens.weight"}

    def __init__(self, config: OPTConfig) -> None:
        super().__init__(config)
        self.model = OPTModel(config)
        self.lm_head = nn.Linear(config.word_embed_proj_dim, config.vocab_size, bias=False)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        logits_to_keep: int = 0,
    ) -> CausalLMOutputWithCrossAttentions:
        """Score the next token after every position; for the other arguments see `OPTModel.forward`.

        Args:
            labels: token ids, `(batch, length)`, usually the input ids themselves: they are shifted here, so that
                every position predicts the label after it. Labels of -100 do not count.
            logits_to_keep: how many positions, the last ones, get scores, when there are no labels; 0 means all.
        """
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            past_key_values=past_key_values,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.lm_head(outputs.last_hidden_state[:, -logits_to_keep:])

        loss: torch.Tensor | None = None
        if labels is not None:
            # The scores of a position are about the token after it. Moving the labels copies less than moving the scores.
            next_labels = functional.pad(labels[:, 1:], (0, 1), value=-100)
            loss = functional.cross_entropy(logits.flatten(0, 1).float(), next_labels.flatten())
        return CausalLMOutputWithCrossAttentions(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class OPTForSequenceClassification(OPTPreTrainedModel):
    """OPT with a classifier of whole sequences, which reads the last token that is not padding."""

    def __init__(self, config: OPTConfig) -> None:
        super().__init__(config)
        self.model = OPTModel(config)
        self.score = nn.Linear(config.word_embed_proj_dim, config.num_labels, bias=False)
        self.post_init()

    # Copied from add_model.zoo.models.gpt2.modeling_gpt2.GPT2ForSequenceClassification.last_token_positions
    def last_token_positions(self, input_ids: torch.Tensor | None, batch_size: int, length: int) -> torch.Tensor:
        """Return the position of the last token of every text, `(batch,)`; padding may be on either side.

        Without a padding token, or without ids, this is the last position.

        Raises:
            ValueError: there are several texts and `config.pad_token_id` is not set.
        """
        pad_token_id = self.config.pad_token_id
        if pad_token_id is None and batch_size != 1:
            raise ValueError("several texts can only be classified at once when config.pad_token_id is set")
        if pad_token_id is None or input_ids is None:
            return torch.full((batch_size,), length - 1, device=self.device)
        positions = torch.arange(length, device=input_ids.device)
        return (positions * (input_ids != pad_token_id)).argmax(dim=-1)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> SequenceClassifierOutput:
        """Score every label for every text; for the other arguments see `OPTModel.forward`.

        Args:
            labels: class indices, `(batch,)`; numbers, `(batch,)` or `(batch, num_labels)`, for a regression; zeros
                and ones, `(batch, num_labels)`, when several labels can hold at once.

        Raises:
            ValueError: there are several texts and `config.pad_token_id` is not set.
        """
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            past_key_values=past_key_values,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.score(outputs.last_hidden_state)
        batch_size, length, _ = logits.shape
        positions = self.last_token_positions(input_ids, batch_size, length)
        logits = logits[torch.arange(batch_size, device=logits.device), positions]

        loss: torch.Tensor | None = None
        if labels is not None:
            loss = sequence_classification_loss(logits, labels, self.config)
        return SequenceClassifierOutput(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class OPTForQuestionAnswering(OPTPreTrainedModel):
    """OPT with a layer that scores every token as the start and as the end of the answer."""

    def __init__(self, config: OPTConfig) -> None:
        super().__init__(config)
        self.model = OPTModel(config)
        self.qa_outputs = nn.Linear(config.word_embed_proj_dim, 2)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        start_positions: torch.Tensor | None = None,
        end_positions: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> QuestionAnsweringModelOutput:
        """Score start and end of the answer; for the other arguments see `OPTModel.forward`.

        Args:
            start_positions: index of the first token of the answer, `(batch,)`.
            end_positions: index of the last token of the answer, `(batch,)`.
        """
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            use_cache=False,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        start_logits, end_logits = self.qa_outputs(outputs.last_hidden_state).unbind(dim=-1)

        loss: torch.Tensor | None = None
        if start_positions is not None and end_positions is not None:
            loss = question_answering_loss(start_logits, end_logits, start_positions, end_positions)
        return QuestionAnsweringModelOutput(
            loss=loss,
            start_logits=start_logits,
            end_logits=end_logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
