"""DeBERTa in PyTorch: an encoder whose attention keeps what a token is apart from where it stands.

The architecture is that of https://arxiv.org/abs/2006.03654, in the form of its first release: the score of a pair of
tokens is the sum of content to content, content to position and position to content (section 3.1), divided by the
square root of the head's size times the number of these terms. Projections are those of the original code: query, key
and value of a head stand beside each other in one weight, and query and value have a bias.

Names in the shapes: `batch`, `length` (tokens of a text), `hidden_size`, `heads`, `head_size` (`hidden_size / heads`),
`span` (distances that are told apart in one direction). The names of the parameters are those of the published
checkpoints.
"""

import math
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...configuration_utils import PreTrainedConfig
from ...modeling_outputs import (
    BaseModelOutput,
    MaskedLMOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from ...modeling_utils import PreTrainedModel
from .configuration_deberta import DebertaConfig


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


# Copied from add_model.zoo.models.bert.modeling_bert.look_up_token_types
def look_up_token_types(embeddings: nn.Embedding, token_type_ids: torch.Tensor) -> torch.Tensor:
    """Return the embeddings of token types: `(batch, length)` to `(batch, length, embedding_size)`.

    Raises:
        ValueError: the model has no such type.
    """
    if token_type_ids.numel() > 0:
        lowest, highest = (int(bound) for bound in token_type_ids.aminmax())
        if lowest < 0 or highest >= embeddings.num_embeddings:
            raise ValueError(
                f"the token type {lowest if lowest < 0 else highest} is none of the {embeddings.num_embeddings} that the "
                "model has, counted from 0 (type_vocab_size)"
            )
    type_embeddings: torch.Tensor = embeddings(token_type_ids)
    return type_embeddings


class DebertaEmbeddings(nn.Module):
    """The embedding of a token, to which those of its position and segment are added where the model has them."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.position_embeddings = None
        if config.position_biased_input:
            self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = None
        if config.type_vocab_size > 0:
            self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.max_position_embeddings = config.max_position_embeddings

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return the embeddings, `(batch, length, hidden_size)`; those of padding are zero."""
        if input_ids is not None:
            inputs_embeds = look_up_tokens(self.word_embeddings, input_ids)
        assert inputs_embeds is not None
        embeddings: torch.Tensor = inputs_embeds
        length = embeddings.shape[1]
        if self.position_embeddings is not None:
            if position_ids is None:
                if length > self.max_position_embeddings:
                    raise ValueError(
                        f"the text has {length} tokens, the model takes {self.max_position_embeddings}; "
                        "cut it, for example with truncation=True in the tokenizer"
                    )
                position_ids = torch.arange(length, device=embeddings.device)[None, :]
            embeddings = embeddings + self.position_embeddings(position_ids)
        if self.token_type_embeddings is not None:
            if token_type_ids is None:
                token_type_ids = torch.zeros(embeddings.shape[:2], dtype=torch.long, device=embeddings.device)
            embeddings = embeddings + look_up_token_types(self.token_type_embeddings, token_type_ids)
        embeddings = self.LayerNorm(embeddings)
        if attention_mask is not None and attention_mask.dim() == 2:
            embeddings = embeddings * attention_mask[:, :, None].to(embeddings.dtype)
        embeddings = self.dropout(embeddings)
        return embeddings


class DebertaSelfAttention(nn.Module):
    """Attention whose scores know the contents of two tokens and, in terms of their own, the distance between them.

    Raises:
        ValueError: the size is no multiple of the number of heads, or the configuration has "talking heads", which no
            published model has.
    """

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        if config.hidden_size % config.num_attention_heads != 0:
            raise ValueError(
                f"hidden_size ({config.hidden_size}) must be a multiple of "
                f"num_attention_heads ({config.num_attention_heads})"
            )
        if getattr(config, "talking_head", False):
            raise ValueError("this model has no talking heads; set talking_head to False in its config")
        self.config = config
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = config.hidden_size // config.num_attention_heads
        terms = config.pos_att_type or []
        # Every term adds to the variance of a score; the terms count even where distances are not known.
        self.scaling = 1.0 / math.sqrt(self.attention_head_size * (1 + len(terms)))
        self.in_proj = nn.Linear(config.hidden_size, 3 * config.hidden_size, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(config.hidden_size))
        self.v_bias = nn.Parameter(torch.zeros(config.hidden_size))
        self.pos_dropout = nn.Dropout(config.hidden_dropout_prob)
        has_distances = config.relative_attention
        self.pos_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False) if has_distances and "c2p" in terms else None  # fmt: skip
        self.pos_q_proj = nn.Linear(config.hidden_size, config.hidden_size) if has_distances and "p2c" in terms else None  # fmt: skip

    def split_heads(self, projection: torch.Tensor) -> torch.Tensor:
        """`(batch, length, heads * size)` to `(batch, heads, length, size)`, whatever size a head has."""
        batch, length, size = projection.shape
        heads = projection.view(batch, length, self.num_attention_heads, size // self.num_attention_heads)
        return heads.transpose(1, 2)

    def score_distances(
        self, query: torch.Tensor, key: torch.Tensor, distance_embeddings: torch.Tensor
    ) -> torch.Tensor | None:
        """Return the terms of the scores that positions have a part in, `(batch, heads, length, length)`, if any.

        Args:
            query, key: `(batch, heads, length, head_size)`.
            distance_embeddings: embeddings of the distances from `-span` to before `span`, `(2 * span, hidden_size)`.
        """
        distance_embeddings = self.pos_dropout(distance_embeddings)[None]
        span, length = distance_embeddings.shape[1] // 2, query.shape[2]
        positions = torch.arange(length, device=query.device)
        # Row i and column j: the index of the distance i - j, as in equation 3.
        distances = (positions[:, None] - positions[None, :] + span).clamp(0, 2 * span - 1)
        index = distances.expand(*query.shape[:2], length, length)
        scores: torch.Tensor | None = None
        if self.pos_proj is not None:
            position_key = self.split_heads(self.pos_proj(distance_embeddings))
            scores = torch.matmul(query * self.scaling, position_key.transpose(-1, -2)).gather(-1, index)
        if self.pos_q_proj is not None:
            position_query = self.split_heads(self.pos_q_proj(distance_embeddings)) * self.scaling
            # Equation 4 counts the distance from token j to token i here; the original code does not turn it round.
            term = torch.matmul(position_query, key.transpose(-1, -2)).gather(-2, index)
            scores = term if scores is None else scores + term
        return scores

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        distance_embeddings: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        # Of every head the query, the key and the value stand beside each other.
        query, key, value = self.split_heads(self.in_proj(hidden_states)).chunk(3, dim=-1)
        query = query + self.split_heads(self.q_bias[None, None, :])
        value = value + self.split_heads(self.v_bias[None, None, :])
        scores = None if distance_embeddings is None else self.score_distances(query, key, distance_embeddings)
        if attention_mask is not None:
            # Padding attends to everything alike, whatever it is; written as scores of 0, because the fused function's
            # gradients are wrong where all scores are the lowest number.
            is_masked = attention_mask == torch.finfo(attention_mask.dtype).min
            is_padding = is_masked.all(dim=-1, keepdim=True)
            query = query.masked_fill(is_padding, 0.0)
            attention_mask = attention_mask.masked_fill(is_padding, 0.0)
            scores = attention_mask if scores is None else scores.masked_fill(is_masked, 0.0) + attention_mask
        dropout = self.config.attention_probs_dropout_prob if self.training else 0.0

        probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, probabilities = eager_attention(query, key, value, scores, self.scaling, dropout)
        else:
            context = sdpa_attention(query, key, value, scores, self.scaling, dropout)
        context = context.transpose(1, 2).reshape(hidden_states.shape)
        return context, probabilities


# Copied from add_model.zoo.models.bert.modeling_bert.BertSelfOutput with Bert->Deberta
class DebertaSelfOutput(nn.Module):
    """Projects what attention gathered and adds it to what the tokens were."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.dropout(hidden_states)
        hidden_states = self.LayerNorm(hidden_states + residual)
        return hidden_states


class DebertaAttention(nn.Module):
    """The attention block of a layer."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.self = DebertaSelfAttention(config)
        self.output = DebertaSelfOutput(config)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        distance_embeddings: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        context, probabilities = self.self(hidden_states, attention_mask, distance_embeddings, output_attentions)
        attention_output: torch.Tensor = self.output(context, hidden_states)
        return attention_output, probabilities


# Copied from add_model.zoo.models.bert.modeling_bert.BertIntermediate with Bert->Deberta
class DebertaIntermediate(nn.Module):
    """The first half of a layer's feed-forward block."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = get_activation(config.hidden_act)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.activation(hidden_states)
        return hidden_states


# Copied from add_model.zoo.models.bert.modeling_bert.BertOutput with Bert->Deberta
class DebertaOutput(nn.Module):
    """The second half of a layer's feed-forward block."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.dropout(hidden_states)
        hidden_states = self.LayerNorm(hidden_states + residual)
        return hidden_states


class DebertaLayer(nn.Module):
    """One layer: attention, then the feed-forward block."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.attention = DebertaAttention(config)
        self.intermediate = DebertaIntermediate(config)
        self.output = DebertaOutput(config)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        distance_embeddings: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        attention_output, probabilities = self.attention(
            hidden_states, attention_mask, distance_embeddings, output_attentions
        )
        layer_output: torch.Tensor = self.output(self.intermediate(attention_output), attention_output)
        return layer_output, probabilities


class DebertaEncoder(nn.Module):
    """All layers, one after the other, and the embeddings of distances, which they share."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList([DebertaLayer(config) for _ in range(config.num_hidden_layers)])
        self.max_relative_positions = config.max_relative_positions
        if self.max_relative_positions < 1:
            self.max_relative_positions = config.max_position_embeddings
        self.rel_embeddings = None
        if config.relative_attention:
            self.rel_embeddings = nn.Embedding(2 * self.max_relative_positions, config.hidden_size)

    def embed_distances(self, length: int) -> torch.Tensor | None:
        """Return the embeddings of the distances in a text, from the least to the greatest, `(2 * span, hidden_size)`."""
        if self.rel_embeddings is None:
            return None
        middle = self.max_relative_positions
        span = min(length, middle)
        return self.rel_embeddings.weight[middle - span : middle + span]

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> BaseModelOutput:
        distance_embeddings = self.embed_distances(hidden_states.shape[1])
        all_hidden_states = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        for layer in self.layer:
            hidden_states, probabilities = layer(hidden_states, attention_mask, distance_embeddings, output_attentions)
            all_hidden_states.append(hidden_states)
            if output_attentions:
                all_attentions.append(probabilities)
        return BaseModelOutput(
            last_hidden_state=hidden_states,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


class DebertaPooler(nn.Module):
    """Makes one vector of the whole text from its first token."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.pooler_dropout)
        self.dense = nn.Linear(config.pooler_hidden_size, config.pooler_hidden_size)
        self.activation = get_activation(config.pooler_hidden_act)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        pooled_output: torch.Tensor = self.dense(self.dropout(hidden_states[:, 0]))
        pooled_output = self.activation(pooled_output)
        return pooled_output


# Copied from add_model.zoo.models.bert.modeling_bert.BertPredictionHeadTransform with Bert->Deberta
class DebertaPredictionHeadTransform(nn.Module):
    """Prepares the vectors of the tokens for the scores of the vocabulary."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = get_activation(config.hidden_act)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.LayerNorm(hidden_states)
        return hidden_states


# Copied from add_model.zoo.models.bert.modeling_bert.BertLMPredictionHead with Bert->Deberta
class DebertaLMPredictionHead(nn.Module):
    """Scores every entry of the vocabulary at every token.

    The weight of `decoder` is tied to the word embeddings, and its bias to `bias`, the name in older checkpoints.
    """

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.transform = DebertaPredictionHeadTransform(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.transform(hidden_states)
        hidden_states = self.decoder(hidden_states)
        return hidden_states


# Copied from add_model.zoo.models.bert.modeling_bert.BertOnlyMLMHead with Bert->Deberta
class DebertaOnlyMLMHead(nn.Module):
    """The head of the masked language model; it gives the published names of the weights their prefix."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.predictions = DebertaLMPredictionHead(config)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.predictions(hidden_states)
        return hidden_states


class DebertaPublishedLMHead(nn.Module):
    """Scores the vocabulary with the word embeddings themselves, as the original code does."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = get_activation(config.hidden_act)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden_states: torch.Tensor, word_embeddings: torch.Tensor) -> torch.Tensor:
        hidden_states = self.activation(self.dense(hidden_states))
        return functional.linear(self.LayerNorm(hidden_states), word_embeddings, self.bias)


class DebertaPublishedOnlyMLMHead(nn.Module):
    """The head of the masked language model as it was published; it gives the names of the weights their prefix."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.lm_head = DebertaPublishedLMHead(config)

    def forward(self, hidden_states: torch.Tensor, word_embeddings: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.lm_head(hidden_states, word_embeddings)
        return logits


class DebertaPreTrainedModel(PreTrainedModel):
    """What all DeBERTa models share: configuration, names and initialisation."""

    config_class = DebertaConfig
    base_model_prefix = "deberta"
    # The model without a head may go by the name of another model that the checkpoint was made with.
    _renamed_checkpoint_keys: ClassVar[dict[str, str]] = {r"^\w+\.(?=(?:embeddings|encoder)\.)": "deberta."}
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (
        r"embeddings\.position_ids$",
        r"embeddings\.position_embeddings\.weight$",
    )

    config: DebertaConfig

    # Copied from add_model.zoo.models.bert.modeling_bert.BertPreTrainedModel._init_weights
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            module.weight.normal_(mean=0.0, std=self.config.initializer_range)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(mean=0.0, std=self.config.initializer_range)
            if module.padding_idx is not None:
                module.weight[module.padding_idx].zero_()
        elif isinstance(module, nn.LayerNorm):
            module.weight.fill_(1.0)
            module.bias.zero_()


class DebertaModel(DebertaPreTrainedModel):
    """The encoder, without a head.

    Raises:
        ValueError: the configuration asks for embeddings of another size than the layers, which this model lacks.
    """

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__(config)
        if getattr(config, "embedding_size", config.hidden_size) != config.hidden_size:
            raise ValueError("embeddings have the size of the layers here: set embedding_size to hidden_size")
        self.embeddings = DebertaEmbeddings(config)
        self.encoder = DebertaEncoder(config)
        self.post_init()

    # Copied from add_model.zoo.models.bert.modeling_bert.BertModel.get_input_embeddings
    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.word_embeddings

    # Copied from add_model.zoo.models.bert.modeling_bert.BertModel.set_input_embeddings
    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, nn.Embedding)
        self.embeddings.word_embeddings = embeddings

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutput:
        """Encode texts.

        Args:
            input_ids: ids of the tokens, `(batch, length)`.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`, or four dimensions as in
                `expand_attention_mask`; everything is attended to when missing. As in the original code, padding
                attends to all tokens and all padding alike; no token attends to padding.
            token_type_ids: segment of every token, `(batch, length)`; all 0 when missing, unused without segments.
            position_ids: position of every token, `(batch, length)` or `(1, length)`; 0, 1, 2, ... when missing,
                unused where positions are not added to the embeddings.
            inputs_embeds: vectors instead of `input_ids`, `(batch, length, hidden_size)`.
            output_attentions: whether to return attention probabilities; as configured when missing.
            output_hidden_states: whether to return the output of every layer; as configured when missing.

        Raises:
            ValueError: both or none of `input_ids` and `inputs_embeds` are given, the text is too long, or the
                attention mask has a wrong shape.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass either input_ids or inputs_embeds")
        if output_attentions is None:
            output_attentions = self.config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states

        texts = input_ids if input_ids is not None else inputs_embeds
        assert texts is not None
        if attention_mask is not None and attention_mask.dim() == 2:
            if attention_mask.shape[1] != texts.shape[1]:
                raise ValueError(
                    f"the attention mask must have the shape (batch, {texts.shape[1]}), one value for every token, "
                    f"not {tuple(attention_mask.shape)}"
                )
            if bool((attention_mask != 0).all()):
                # A mask that leaves nothing out only costs time.
                attention_mask = None
        embeddings: torch.Tensor = self.embeddings(
            input_ids, token_type_ids, position_ids, inputs_embeds, attention_mask
        )
        if attention_mask is not None:
            if attention_mask.dim() == 2:
                is_token = attention_mask != 0
                attention_mask = (is_token[:, None, :] & is_token[:, :, None])[:, None]
            attention_mask = expand_attention_mask(attention_mask, embeddings.dtype)
        outputs: BaseModelOutput = self.encoder(embeddings, attention_mask, output_attentions, output_hidden_states)
        return outputs


class DebertaForMaskedLM(DebertaPreTrainedModel):
    """DeBERTa that fills in masked tokens, with one of two heads; see `legacy` in `DebertaConfig`."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {
        "cls.predictions.decoder.weight": "deberta.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    }

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__(config)
        self.deberta = DebertaModel(config)
        if config.legacy:
            self.cls = DebertaOnlyMLMHead(config)
        else:
            self.lm_predictions = DebertaPublishedOnlyMLMHead(config)
        self.post_init()

    def tied_weights(self) -> dict[str, str]:
        # The published head uses the word embeddings without having them.
        return super().tied_weights() if self.config.legacy else {}

    def get_output_embeddings(self) -> nn.Module | None:
        return self.cls.predictions.decoder if self.config.legacy else None

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
    ) -> MaskedLMOutput:
        """Score the vocabulary at every token.

        Args:
            labels: id of the right token at every position, `(batch, length)`; positions with -100 do not count.

        The other arguments are those of `DebertaModel.forward`.
        """
        outputs: BaseModelOutput = self.deberta(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor
        if self.config.legacy:
            logits = self.cls(outputs.last_hidden_state)
        else:
            logits = self.lm_predictions(outputs.last_hidden_state, self.deberta.embeddings.word_embeddings.weight)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.view(-1, self.config.vocab_size), labels.view(-1))
        return MaskedLMOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class DebertaForSequenceClassification(DebertaPreTrainedModel):
    """DeBERTa that classifies whole texts, or predicts numbers from them."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__(config)
        self.deberta = DebertaModel(config)
        self.pooler = DebertaPooler(config)
        classifier_dropout = getattr(config, "cls_dropout", None)
        self.dropout = nn.Dropout(config.hidden_dropout_prob if classifier_dropout is None else classifier_dropout)
        self.classifier = nn.Linear(config.pooler_hidden_size, config.num_labels)
        self.post_init()

    def compute_loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss, which differs from other models' where the configuration has no `problem_type`.

        As in the original code, numbers for every label are probabilities then, and a negative class does not count.
        """
        if self.config.problem_type is not None or self.config.num_labels == 1:
            return sequence_classification_loss(logits, labels, self.config)
        if labels.dim() == 2 and labels.shape[1] > 1:
            return functional.cross_entropy(logits, labels.to(logits.dtype))
        classes = labels.view(-1).long()
        total = functional.cross_entropy(logits, classes.clamp(min=-1), ignore_index=-1, reduction="sum")
        return total / (classes >= 0).sum().clamp(min=1)

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
    ) -> SequenceClassifierOutput:
        """Score every label of every text.

        Args:
            labels: the right labels or values, as in `compute_loss` and `sequence_classification_loss`.

        The other arguments are those of `DebertaModel.forward`.
        """
        outputs: BaseModelOutput = self.deberta(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor = self.classifier(self.dropout(self.pooler(outputs.last_hidden_state)))
        return SequenceClassifierOutput(
            loss=None if labels is None else self.compute_loss(logits, labels),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class DebertaForTokenClassification(DebertaPreTrainedModel):
    """DeBERTa that classifies every token."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__(config)
        self.deberta = DebertaModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    # Copied from add_model.zoo.models.bert.modeling_bert.BertForTokenClassification.forward with bert->deberta, Bert->Deberta, BaseModelOutputWithPooling->BaseModelOutput
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
        """Score every label of every token.

        Args:
            labels: the right label of every token, `(batch, length)`; positions with -100 do not count.

        The other arguments are those of `DebertaModel.forward`.
        """
        outputs: BaseModelOutput = self.deberta(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        hidden_states = self.dropout(outputs.last_hidden_state)
        logits: torch.Tensor = self.classifier(hidden_states)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.view(-1, self.config.num_labels), labels.view(-1))
        return TokenClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class DebertaForQuestionAnswering(DebertaPreTrainedModel):
    """DeBERTa that marks the answer inside a text."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__(config)
        self.deberta = DebertaModel(config)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.post_init()

    # Copied from add_model.zoo.models.bert.modeling_bert.BertForQuestionAnswering.forward with bert->deberta, Bert->Deberta, BaseModelOutputWithPooling->BaseModelOutput
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
        """Score every token as the start and as the end of the answer.

        Args:
            start_positions, end_positions: indices of the right tokens, `(batch,)`; both or none.

        The other arguments are those of `DebertaModel.forward`.
        """
        outputs: BaseModelOutput = self.deberta(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor = self.qa_outputs(outputs.last_hidden_state)
        start_logits, end_logits = logits.unbind(dim=-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = question_answering_loss(start_logits, end_logits, start_positions, end_positions)
        return QuestionAnsweringModelOutput(
            loss=loss,
            start_logits=start_logits,
            end_logits=end_logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
