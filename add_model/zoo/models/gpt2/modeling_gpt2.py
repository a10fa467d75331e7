"""GPT-2 in plain PyTorch: the decoder and its heads.

The architecture is described in "Language Models are Unsupervised Multitask Learners"
(https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf); parameter
names and shapes are those of the published checkpoints.
"""

import math
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
    TokenClassifierOutput,
)
from ...modeling_utils import PreTrainedModel
from .configuration_gpt2 import GPT2Config


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


class GPT2Conv1D(nn.Module):
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


class GPT2Attention(nn.Module):
    """Causal self-attention with several heads; query, key and value come from one projection."""

    def __init__(self, config: GPT2Config, layer_index: int) -> None:
        super().__init__()
        hidden_size = config.hidden_size
        if hidden_size % config.num_attention_heads != 0:
            raise ValueError(f"n_embd ({hidden_size}) must be a multiple of n_head ({config.num_attention_heads})")
        self.config = config
        self.layer_index = layer_index
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = hidden_size // self.num_attention_heads
        self.scaling = 1.0
        if config.scale_attn_weights:
            self.scaling /= math.sqrt(self.attention_head_size)
        if config.scale_attn_by_inverse_layer_idx:
            self.scaling /= layer_index + 1
        self.c_attn = GPT2Conv1D(hidden_size, 3 * hidden_size)
        self.c_proj = GPT2Conv1D(hidden_size, hidden_size)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

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


class GPT2MLP(nn.Module):
    """The feed-forward network of a block."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        hidden_size = config.hidden_size
        inner_size = config.n_inner if config.n_inner is not None else 4 * hidden_size
        self.c_fc = GPT2Conv1D(hidden_size, inner_size)
        self.activation = get_activation(config.activation_function)
        self.c_proj = GPT2Conv1D(inner_size, hidden_size)
        self.dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.c_fc(hidden_states)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.c_proj(hidden_states)
        hidden_states = self.dropout(hidden_states)
        return hidden_states


class GPT2Block(nn.Module):
    """Self-attention and a feed-forward network, each behind a layer normalisation and around a residual."""

    def __init__(self, config: GPT2Config, layer_index: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)
        self.attn = GPT2Attention(config, layer_index)
        self.ln_2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)
        self.mlp = GPT2MLP(config)

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


class GPT2PreTrainedModel(PreTrainedModel):
    """What all GPT-2 models share: the configuration class and the initial weights."""

    config_class = GPT2Config
    base_model_prefix = "transformer"
    # Older checkpoints hold the causal mask as a buffer of every layer.
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"\.attn\.bias$", r"\.attn\.masked_bias$")

    config: GPT2Config

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding, GPT2Conv1D)):
            nn.init.normal_(module.weight, mean=0.0, std=self.config.initializer_range)
            bias = getattr(module, "bias", None)
            if bias is not None:
                nn.init.zeros_(bias)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, (GPT2Attention, GPT2MLP)):
            # The residual stream sums up two outputs of every block. Section 2.3 of the paper scales their initial
            # weights by one over the square root of the number of these outputs, so that the sum does not grow.
            std = self.config.initializer_range / math.sqrt(2 * self.config.num_hidden_layers)
            nn.init.normal_(module.c_proj.weight, mean=0.0, std=std)


class GPT2Model(GPT2PreTrainedModel):
    """The decoder without a head.

    Raises:
        ValueError: the configuration asks for cross-attention, which this model does not have.
    """

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        if config.add_cross_attention:
            raise ValueError("this model has no cross-attention; set add_cross_attention to False in its config")
        self.wte = nn.Embedding(config.vocab_size, config.hidden_size)
        self.wpe = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = nn.ModuleList([GPT2Block(config, index) for index in range(config.num_hidden_layers)])
        self.ln_f = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.wte

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, nn.Embedding)
        self.wte = embeddings

    def embed(
        self,
        input_ids: torch.Tensor | None,
        inputs_embeds: torch.Tensor | None,
        position_ids: torch.Tensor | None,
        token_type_ids: torch.Tensor | None,
        past_length: int,
    ) -> torch.Tensor:
        """Return the sum of the embeddings of tokens, positions and token types, `(batch, length, hidden_size)`."""
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass either input_ids or inputs_embeds")
        if input_ids is not None:
            inputs_embeds = look_up_tokens(self.wte, input_ids)
        assert inputs_embeds is not None
        length = inputs_embeds.shape[1]
        if position_ids is None:
            position_ids = torch.arange(past_length, past_length + length, device=inputs_embeds.device)[None, :]
        last_position = int(position_ids.max())
        if last_position >= self.config.max_position_embeddings:
            raise ValueError(
                f"a text of {last_position + 1} tokens is longer than the {self.config.max_position_embeddings} "
                "positions of the model (n_positions); shorten it"
            )
        embeddings: torch.Tensor = inputs_embeds + self.wpe(position_ids)
        if token_type_ids is not None:
            # Token types have no embedding of their own: they are ids of the vocabulary.
            embeddings = embeddings + look_up_tokens(self.wte, token_type_ids)
        return embeddings

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
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
            token_type_ids: ids of the vocabulary whose embeddings are added, `(batch, length)`.
            position_ids: position of every token, `(batch, length)`; counted from the end of the cache if missing.
            inputs_embeds: embeddings instead of `input_ids`, `(batch, length, hidden_size)`.
            past_key_values: the cache of the tokens before; it is extended in place.
            use_cache: whether to return a cache, `config.use_cache` if missing.
            output_attentions: whether to return the attention probabilities.
            output_hidden_states: whether to return the hidden states of all layers. The last of them has passed the
                final layer normalisation.

        Raises:
            ValueError: neither or both of `input_ids` and `inputs_embeds` are given, the text is longer than the
                model's positions, or the attention mask has a wrong shape.
        """
        use_cache = self.config.use_cache if use_cache is None else use_cache
        output_attentions = self.config.output_attentions if output_attentions is None else output_attentions
        output_hidden_states = (
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        )
        if use_cache and past_key_values is None:
            past_key_values = KeyValueCache()
        past_length = 0 if past_key_values is None else past_key_values.sequence_length

        hidden_states = self.embed(input_ids, inputs_embeds, position_ids, token_type_ids, past_length)
        hidden_states = self.drop(hidden_states)
        length = hidden_states.shape[1]
        causal_mask = make_causal_mask(
            attention_mask, length, past_length + length, hidden_states.dtype, hidden_states.device
        )

        all_hidden_states: list[torch.Tensor] = []
        all_attentions: list[torch.Tensor] = []
        for block in self.h:
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
            hidden_states, probabilities = block(hidden_states, causal_mask, past_key_values, output_attentions)
            if probabilities is not None:
                all_attentions.append(probabilities)
        hidden_states = self.ln_f(hidden_states)
        if output_hidden_states:
            all_hidden_states.append(hidden_states)

        return BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden_states,
            past_key_values=past_key_values if use_cache else None,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


class GPT2LMHeadModel(GPT2PreTrainedModel, GenerationMixin):
    """GPT-2 with a layer that scores the next token; its weight is tied to the token embeddings."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_head.weight": "transformer.wte.weight"}

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.transformer = GPT2Model(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        logits_to_keep: int = 0,
    ) -> CausalLMOutputWithCrossAttentions:
        """Score the next token after every position; for the other arguments see `GPT2Model.forward`.

        Args:
            labels: token ids, `(batch, length)`, usually the input ids themselves: they are shifted here, so that
                every position predicts the label after it. Labels of -100 do not count.
            logits_to_keep: how many positions, the last ones, get scores, when there are no labels; 0 means all.
        """
        outputs = self.transformer(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
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


class GPT2ForSequenceClassification(GPT2PreTrainedModel):
    """GPT-2 with a classifier of whole sequences, which reads the last token that is not padding."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.transformer = GPT2Model(config)
        self.score = nn.Linear(config.hidden_size, config.num_labels, bias=False)
        self.post_init()

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
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> SequenceClassifierOutput:
        """Score every label for every text; for the other arguments see `GPT2Model.forward`.

        Args:
            labels: class indices, `(batch,)`; numbers, `(batch,)` or `(batch, num_labels)`, for a regression; zeros
                and ones, `(batch, num_labels)`, when several labels can hold at once.

        Raises:
            ValueError: there are several texts and `config.pad_token_id` is not set.
        """
        outputs = self.transformer(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
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


class GPT2ForTokenClassification(GPT2PreTrainedModel):
    """GPT-2 with a classifier of every token."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.transformer = GPT2Model(config)
        # Published configurations have this key only where it differs from 0.1.
        classifier_dropout: float | None = getattr(config, "classifier_dropout", None)
        self.dropout = nn.Dropout(0.1 if classifier_dropout is None else classifier_dropout)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> TokenClassifierOutput:
        """Score every label at every position; for the other arguments see `GPT2Model.forward`.

        Args:
            labels: class indices, `(batch, length)`. Labels of -100 do not count.
        """
        outputs = self.transformer(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            use_cache=False,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.classifier(self.dropout(outputs.last_hidden_state))

        loss: torch.Tensor | None = None
        if labels is not None:
            loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return TokenClassifierOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class GPT2ForQuestionAnswering(GPT2PreTrainedModel):
    """GPT-2 with a layer that scores every token as the start and as the end of the answer."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.transformer = GPT2Model(config)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        start_positions: torch.Tensor | None = None,
        end_positions: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> QuestionAnsweringModelOutput:
        """Score start and end of the answer; for the other arguments see `GPT2Model.forward`.

        Args:
            start_positions: index of the first token of the answer, `(batch,)`.
            end_positions: index of the last token of the answer, `(batch,)`.
        """
        outputs = self.transformer(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
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
