"""Longformer in PyTorch: a RoBERTa whose attention grows linearly with the length of the text.

The architecture is that of https://arxiv.org/abs/2004.05150. A token attends to a window around it (section 3.1,
"Sliding Window"), and a few tokens that the task chooses are global: they attend to everything, by projections of
their own, and everything attends to them (sections 3.1, "Global Attention" and "Linear Projections for Global
Attention"). What the paper says of dilated and of left-to-right windows is for the language models of its section 4,
and not here. All else is RoBERTa.

The window is computed in blocks as long as half of it, each of which attends to itself and to its two neighbours, with
a mask that leaves a band of them. So no more than `length * 1.5 * window` scores are ever held, and no loop is needed.

Names in the shapes: `batch`, `length` (tokens of a text), `hidden_size`, `heads`, `head_size` (`hidden_size / heads`),
`globals` (global tokens of the text that has most of them), `window` (of a layer), `block` (tokens of a block).
The names of the parameters are those of the published checkpoints.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...configuration_utils import PreTrainedConfig
from ...modeling_outputs import (
    BaseModelOutputWithPooling,
    MaskedLMOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from ...modeling_utils import PreTrainedModel
from .configuration_longformer import LongformerConfig


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


@dataclass(kw_only=True)
class LongformerBaseModelOutputWithPooling(BaseModelOutputWithPooling):
    """Output of the model without a head.

    Attributes:
        attentions: attention probabilities of every layer, each `(batch, heads, length, globals + window + 1)`: to the
            global tokens, then to the window, whose middle is the token itself. A global token in the window counts
            among the global ones only. The rows of global tokens and of padding are 0.
        global_attentions: what the global tokens attend to, in every layer, each
            `(batch, heads, padded_length, globals)`: the text with its padding to the window; `None` if there are no
            global tokens. The columns of a text that has fewer global tokens than another have no meaning.
    """

    global_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass(kw_only=True)
class LongformerMaskedLMOutput(MaskedLMOutput):
    """Output of the masked language model; for the attentions see `LongformerBaseModelOutputWithPooling`."""

    global_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass(kw_only=True)
class LongformerSequenceClassifierOutput(SequenceClassifierOutput):
    """Output of the model that classifies whole texts; for the attentions see `LongformerBaseModelOutputWithPooling`."""

    global_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass(kw_only=True)
class LongformerTokenClassifierOutput(TokenClassifierOutput):
    """Output of the model that classifies every token; for the attentions see `LongformerBaseModelOutputWithPooling`."""

    global_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass(kw_only=True)
class LongformerMultipleChoiceModelOutput(MultipleChoiceModelOutput):
    """Output of the model that picks one of several continuations; for the attentions see `LongformerBaseModelOutputWithPooling`."""

    global_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass(kw_only=True)
class LongformerQuestionAnsweringModelOutput(QuestionAnsweringModelOutput):
    """Output of the model that marks the answer inside a text; for the attentions see `LongformerBaseModelOutputWithPooling`."""

    global_attentions: tuple[torch.Tensor, ...] | None = None


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


def number_positions(input_ids: torch.Tensor, pad_token_id: int) -> torch.Tensor:
    """Return the position of every token, `(batch, length)`: `pad_token_id` for padding, then one more each token."""
    is_token = (input_ids != pad_token_id).long()
    return is_token.cumsum(dim=1) * is_token + pad_token_id


def find_first_separator(input_ids: torch.Tensor, sep_token_id: int | None) -> torch.Tensor:
    """Return the place of the first separator of every text, `(batch, 1)`; a pair has three: `<s> a </s></s> b </s>`.

    Raises:
        ValueError: a text does not have three separators.
    """
    is_separator = input_ids == (-1 if sep_token_id is None else sep_token_id)
    if not bool((is_separator.sum(dim=1) == 3).all()):
        raise ValueError(
            f"every text must be a pair with three separators (the id {sep_token_id}), which the global tokens are "
            "found by; pass global_attention_mask to choose them yourself"
        )
    return is_separator.long().argmax(dim=1, keepdim=True)


def merge_masks(
    attention_mask: torch.Tensor | None, global_attention_mask: torch.Tensor | None, vectors: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return which tokens are no padding and which are global, both `(batch, length)`.

    Raises:
        ValueError: a mask has another shape than the first two dimensions of the vectors.
    """
    shape = vectors.shape[:2]
    for name, mask in (("attention mask", attention_mask), ("global attention mask", global_attention_mask)):
        if mask is not None and mask.shape != shape:
            raise ValueError(
                f"the {name} must have the shape {tuple(shape)}, one value a token, not {tuple(mask.shape)}"
            )
    is_token = torch.ones(shape, dtype=torch.bool, device=vectors.device)
    is_global = torch.zeros_like(is_token)
    if attention_mask is not None:
        is_token = attention_mask > 0
        is_global = attention_mask > 1
    if global_attention_mask is not None:
        is_global = is_global | (global_attention_mask > 0)
    return is_token, is_global & is_token


@dataclass(frozen=True)
class AttentionPattern:
    """Which tokens attend to which, the same in every layer but for the length of the window.

    Attributes:
        is_local: which tokens are seen through windows only: neither padding nor global, `(batch, length)`.
        is_global: which tokens are global, `(batch, length)`.
        global_places: where the global tokens of every text stand, in their order, `(batch, globals)`. A text that
            has fewer of them than another is filled with places of other tokens.
        is_place: which of these places are those of global tokens, `(batch, globals)`.
        global_mask: what is added to the scores of global tokens, `(batch, 1, globals, length)`.
    """

    is_local: torch.Tensor
    is_global: torch.Tensor
    global_places: torch.Tensor
    is_place: torch.Tensor
    global_mask: torch.Tensor

    @classmethod
    def of(cls, is_token: torch.Tensor, is_global: torch.Tensor, dtype: torch.dtype) -> "AttentionPattern":
        """Return the pattern of texts with these tokens and global tokens, `(batch, length)` both."""
        number = is_global.sum(dim=1, keepdim=True)
        globals_ = int(number.max())
        is_place = torch.arange(globals_, device=is_global.device) < number
        return cls(
            is_local=is_token & ~is_global,
            is_global=is_global,
            global_places=is_global.long().argsort(dim=1, descending=True, stable=True)[:, :globals_],
            is_place=is_place,
            global_mask=expand_attention_mask((is_place[:, :, None] & is_token[:, None, :])[:, None], dtype),
        )

    def block_mask(self, reach: int, dtype: torch.dtype) -> torch.Tensor | None:
        """Return what is added to the scores of the blocks, or `None` if all of them count; `reach` is half the window.

        The mask is `(batch * blocks, 1, block, globals + 3 * block)`, the global tokens first. A text that is a block
        by itself has no neighbours: `(batch, 1, length, globals + length)`.
        """
        length = self.is_local.shape[1]
        block = min(reach, length)
        blocks = length // block
        is_seen = look_around(self.is_local[:, :, None], block).transpose(1, 2)
        if blocks > 1:
            # Token `row` of a block stands at `block + row` of the three.
            places = torch.arange(3 * block, device=is_seen.device)
            is_seen = is_seen & ((places - block - places[:block, None]).abs() <= reach)
        elif bool(self.is_local.all()):
            return None
        is_place = self.is_place.repeat_interleave(blocks, dim=0)[:, None, :].expand(-1, block, -1)
        is_seen = torch.cat((is_place, is_seen.expand(-1, block, -1)), dim=2)
        return expand_attention_mask(is_seen[:, None], dtype)


def look_around(states: torch.Tensor, block: int) -> torch.Tensor:
    """Return what each block of tokens can see: the block before it, itself, and the block behind it.

    Vectors of all tokens, `(batch, length, size)`, become `(batch * blocks, 3 * block, size)`, with zeros before the
    text and behind it. Of a text that is one block, the vectors are returned as they are.
    """
    if states.shape[1] == block:
        return states
    neighbours = functional.pad(states, (0, 0, block, block)).unfold(1, 3 * block, block)
    return neighbours.transpose(2, 3).flatten(0, 1)


def take_tokens(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return the vectors at places of their text, `(batch, globals, size)`, of `(batch, length, size)`."""
    return states.gather(1, places[:, :, None].expand(-1, -1, states.shape[2]))


class LongformerEmbeddings(nn.Module):
    """Adds up the embeddings of a token itself, of its position and of its segment.

    Raises:
        ValueError: the configuration has no padding token, which the positions are counted from.
    """

    # Copied from add_model.zoo.models.roberta.modeling_roberta.RobertaEmbeddings.__init__ with Roberta->Longformer
    def __init__(self, config: LongformerConfig) -> None:
        super().__init__()
        if config.pad_token_id is None:
            raise ValueError("positions are counted from the padding token's id: set pad_token_id in the config")
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(
            config.max_position_embeddings, config.hidden_size, padding_idx=config.pad_token_id
        )
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.pad_token_id = config.pad_token_id
        self.longest_text = config.max_position_embeddings - config.pad_token_id - 1

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
    ) -> torch.Tensor:
        if position_ids is None:
            if input_ids is not None:
                position_ids = number_positions(input_ids, self.pad_token_id)
            else:
                # Vectors do not tell which of them are padding, so all of them count.
                assert inputs_embeds is not None
                start = self.pad_token_id + 1
                position_ids = start + torch.arange(inputs_embeds.shape[1], device=inputs_embeds.device)[None, :]
        number_of_tokens = int(position_ids.max()) - self.pad_token_id
        if number_of_tokens > self.longest_text:
            raise ValueError(
                f"the text has {number_of_tokens} tokens, the model takes {self.longest_text}; "
                "cut it, for example with truncation=True in the tokenizer"
            )
        if input_ids is not None:
            inputs_embeds = look_up_tokens(self.word_embeddings, input_ids)
        assert inputs_embeds is not None
        if token_type_ids is None:
            token_type_ids = torch.zeros(inputs_embeds.shape[:2], dtype=torch.long, device=inputs_embeds.device)

        embeddings: torch.Tensor = inputs_embeds + look_up_token_types(self.token_type_embeddings, token_type_ids)
        embeddings = embeddings + self.position_embeddings(position_ids)
        embeddings = self.LayerNorm(embeddings)
        embeddings = self.dropout(embeddings)
        return embeddings


class LongformerSelfAttention(nn.Module):
    """Lets every token gather information from its window and the global tokens, and these from all tokens."""

    def __init__(self, config: LongformerConfig, window: int) -> None:
        super().__init__()
        if config.hidden_size % config.num_attention_heads != 0:
            raise ValueError(
                f"hidden_size ({config.hidden_size}) must be a multiple of "
                f"num_attention_heads ({config.num_attention_heads})"
            )
        self.config = config
        self.reach = window // 2
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = config.hidden_size // config.num_attention_heads
        self.scaling = 1.0 / math.sqrt(self.attention_head_size)
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        # Global tokens ask, and are answered, by projections of their own; others see them by those above.
        self.query_global = nn.Linear(config.hidden_size, config.hidden_size)
        self.key_global = nn.Linear(config.hidden_size, config.hidden_size)
        self.value_global = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = config.attention_probs_dropout_prob

    # Copied from add_model.zoo.models.bert.modeling_bert.BertSelfAttention.split_heads
    def split_heads(self, projection: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, heads, length, head_size)`."""
        batch, length, _ = projection.shape
        heads = projection.view(batch, length, self.num_attention_heads, self.attention_head_size)
        return heads.transpose(1, 2)

    def attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        output_attentions: bool,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Attend with projections, `(batch, query_length or key_length, hidden_size)`; the context is as the queries."""
        shape = query.shape
        query, key, value = self.split_heads(query), self.split_heads(key), self.split_heads(value)
        dropout = self.dropout if self.training else 0.0
        attention_probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, attention_probabilities = eager_attention(
                query, key, value, attention_mask, self.scaling, dropout
            )
        else:
            context = sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)
        return context.transpose(1, 2).reshape(shape), attention_probabilities

    def attend_locally(
        self,
        hidden_states: torch.Tensor,
        pattern: AttentionPattern,
        block_mask: torch.Tensor | None,
        output_attentions: bool,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Attend to the windows and the global tokens; what global tokens themselves get here has no meaning."""
        batch, length, hidden_size = hidden_states.shape
        block = min(self.reach, length)
        blocks = length // block
        seen = []
        for projection in (self.key(hidden_states), self.value(hidden_states)):
            neighbours = look_around(projection, block)
            if pattern.global_places.shape[1] > 0:
                everywhere = take_tokens(projection, pattern.global_places).repeat_interleave(blocks, dim=0)
                neighbours = torch.cat((everywhere, neighbours), dim=1)
            seen.append(neighbours)
        query = self.query(hidden_states).view(batch * blocks, block, hidden_size)
        context, probabilities = self.attend(query, seen[0], seen[1], block_mask, output_attentions)
        context = context.view(batch, length, hidden_size)
        if not output_attentions or probabilities is None:
            return context, None
        return context, self.cut_out_windows(probabilities, pattern)

    def cut_out_windows(self, probabilities: torch.Tensor, pattern: AttentionPattern) -> torch.Tensor:
        """Return `(batch, heads, length, globals + window + 1)` of the probabilities of blocks."""
        batch, length = pattern.is_local.shape
        to_globals, to_neighbours = probabilities.tensor_split([pattern.global_places.shape[1]], dim=-1)
        # The window of the first token of a block begins with the first one of the block before it.
        start = torch.arange(self.reach, device=probabilities.device)[:, None]
        columns = start + torch.arange(2 * self.reach + 1, device=probabilities.device)
        to_window = to_neighbours.gather(3, columns.expand(*to_neighbours.shape[:2], -1, -1))
        by_block = torch.cat((to_globals, to_window), dim=-1)
        by_block = by_block.view(batch, length // self.reach, *by_block.shape[1:])
        return by_block.transpose(1, 2).flatten(2, 3).masked_fill(~pattern.is_local[:, None, :, None], 0.0)

    def forward(
        self,
        hidden_states: torch.Tensor,
        pattern: AttentionPattern,
        block_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and both attentions if they are asked for.

        The length is a multiple of half the window, or shorter than it; for attentions, a multiple of the window.
        """
        context, attentions = self.attend_locally(hidden_states, pattern, block_mask, output_attentions)
        # Padding gathers nothing, as in the original: a text padded on the left begins with it, and is summed up by it.
        context = context.masked_fill(~(pattern.is_local | pattern.is_global)[:, :, None], 0.0)
        if pattern.global_places.shape[1] == 0:
            return context, attentions, None
        global_context, global_attentions = self.attend(
            self.query_global(take_tokens(hidden_states, pattern.global_places)),
            self.key_global(hidden_states),
            self.value_global(hidden_states),
            pattern.global_mask,
            output_attentions,
        )
        context = context.masked_scatter(pattern.is_global[:, :, None], global_context[pattern.is_place])
        return context, attentions, global_attentions.transpose(2, 3) if global_attentions is not None else None


# Copied from add_model.zoo.models.bert.modeling_bert.BertSelfOutput with Bert->Longformer
class LongformerSelfOutput(nn.Module):
    """Projects what attention gathered and adds it to what the tokens were."""

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.dropout(hidden_states)
        hidden_states = self.LayerNorm(hidden_states + residual)
        return hidden_states


class LongformerAttention(nn.Module):
    """The attention block of a layer."""

    def __init__(self, config: LongformerConfig, window: int) -> None:
        super().__init__()
        self.self = LongformerSelfAttention(config, window)
        self.output = LongformerSelfOutput(config)

    def forward(
        self,
        hidden_states: torch.Tensor,
        pattern: AttentionPattern,
        block_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        context, attentions, global_attentions = self.self(hidden_states, pattern, block_mask, output_attentions)
        attention_output: torch.Tensor = self.output(context, hidden_states)
        return attention_output, attentions, global_attentions


# Copied from add_model.zoo.models.bert.modeling_bert.BertIntermediate with Bert->Longformer
class LongformerIntermediate(nn.Module):
    """The first half of a layer's feed-forward block."""

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = get_activation(config.hidden_act)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.activation(hidden_states)
        return hidden_states


# Copied from add_model.zoo.models.bert.modeling_bert.BertOutput with Bert->Longformer
class LongformerOutput(nn.Module):
    """The second half of a layer's feed-forward block."""

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.dropout(hidden_states)
        hidden_states = self.LayerNorm(hidden_states + residual)
        return hidden_states


class LongformerLayer(nn.Module):
    """One layer: attention, then the feed-forward block."""

    def __init__(self, config: LongformerConfig, window: int) -> None:
        super().__init__()
        self.attention = LongformerAttention(config, window)
        self.intermediate = LongformerIntermediate(config)
        self.output = LongformerOutput(config)

    def forward(
        self,
        hidden_states: torch.Tensor,
        pattern: AttentionPattern,
        block_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        attention_output, attentions, global_attentions = self.attention(
            hidden_states, pattern, block_mask, output_attentions
        )
        intermediate_output = self.intermediate(attention_output)
        layer_output: torch.Tensor = self.output(intermediate_output, attention_output)
        return layer_output, attentions, global_attentions


class LongformerEncoder(nn.Module):
    """All layers, one after the other."""

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__()
        self.windows = config.windows()
        self.layer = nn.ModuleList([LongformerLayer(config, window) for window in self.windows])

    def padded_length(self, length: int, output_attentions: bool) -> int:
        """Return how long a text has to be for the blocks of every layer; for attentions, for whole windows."""
        reaches = [window // 2 for window in self.windows]
        if not output_attentions and length <= min(reaches, default=length):
            return length  # One block in every layer.
        step = math.lcm(*(self.windows if output_attentions else reaches))
        return math.ceil(length / step) * step

    def forward(
        self,
        hidden_states: torch.Tensor,
        is_token: torch.Tensor,
        is_global: torch.Tensor,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> LongformerBaseModelOutputWithPooling:
        """Pad the texts to the blocks, run the layers, and cut off the padding again; for masks see `merge_masks`."""
        length = hidden_states.shape[1]
        padding = self.padded_length(length, output_attentions) - length
        hidden_states = functional.pad(hidden_states, (0, 0, 0, padding))
        dtype = hidden_states.dtype
        pattern = AttentionPattern.of(
            functional.pad(is_token, (0, padding)), functional.pad(is_global, (0, padding)), dtype
        )
        block_masks = {window: pattern.block_mask(window // 2, dtype) for window in set(self.windows)}
        all_hidden_states = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        all_global_attentions: list[torch.Tensor] = []
        for window, layer in zip(self.windows, self.layer, strict=True):
            hidden_states, attentions, global_attentions = layer(
                hidden_states, pattern, block_masks[window], output_attentions
            )
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
            if attentions is not None:
                all_attentions.append(attentions[:, :, :length])
            if global_attentions is not None:
                all_global_attentions.append(global_attentions)
        return LongformerBaseModelOutputWithPooling(
            last_hidden_state=hidden_states[:, :length],
            hidden_states=tuple(states[:, :length] for states in all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
            global_attentions=tuple(all_global_attentions) or None,
        )


# Copied from add_model.zoo.models.bert.modeling_bert.BertPooler with Bert->Longformer
class LongformerPooler(nn.Module):
    """Makes one vector of the whole text from its first token."""

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = nn.Tanh()

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        pooled_output: torch.Tensor = self.dense(hidden_states[:, 0])
        pooled_output = self.activation(pooled_output)
        return pooled_output


# Copied from add_model.zoo.models.roberta.modeling_roberta.RobertaLMHead with Roberta->Longformer
class LongformerLMHead(nn.Module):
    """Scores every entry of the vocabulary at every token, behind a layer and a normalisation of its own.

    The weight of `decoder` is tied to the word embeddings, and its bias to `bias`, the name in older checkpoints. The
    activation is GELU whatever `hidden_act` is, as in the published models.
    """

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = functional.gelu(hidden_states)
        hidden_states = self.layer_norm(hidden_states)
        hidden_states = self.decoder(hidden_states)
        return hidden_states


class LongformerClassificationHead(nn.Module):
    """A hidden layer and a layer that scores the labels, over the first token of the text."""

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.out_proj = nn.Linear(config.hidden_size, config.num_labels)

    # Copied from add_model.zoo.models.roberta.modeling_roberta.RobertaClassificationHead.forward
    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Map `(batch, length, hidden_size)` to `(batch, num_labels)`."""
        pooled_output = self.dropout(hidden_states[:, 0])
        pooled_output = torch.tanh(self.dense(pooled_output))
        logits: torch.Tensor = self.out_proj(self.dropout(pooled_output))
        return logits


# Copied from add_model.zoo.models.roberta.modeling_roberta.RobertaPreTrainedModel with RoBERTa->Longformer, roberta->longformer, Roberta->Longformer
class LongformerPreTrainedModel(PreTrainedModel):
    """What all Longformer models share: configuration, names and initialisation."""

    config_class = LongformerConfig
    base_model_prefix = "longformer"
    # The model without a head may go by the name of another model that the checkpoint was made with.
    _renamed_checkpoint_keys: ClassVar[dict[str, str]] = {r"^\w+\.(?=(?:embeddings|encoder|pooler)\.)": "longformer."}
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (
        r"embeddings\.position_ids$",
        r"embeddings\.token_type_ids$",
    )

    config: LongformerConfig

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


class LongformerModel(LongformerPreTrainedModel):
    """The encoder without a head.

    Args:
        config: the configuration.
        add_pooling_layer: whether to make a vector of the whole text, for the heads that need one.

    Raises:
        ValueError: the configuration's windows are not even, or not as many as there are layers.
    """

    def __init__(self, config: LongformerConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = LongformerEmbeddings(config)
        self.encoder = LongformerEncoder(config)
        self.pooler = LongformerPooler(config) if add_pooling_layer else None
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
        global_attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> LongformerBaseModelOutputWithPooling:
        """Compute the hidden states of texts.

        Args:
            input_ids: ids of the tokens, `(batch, length)`.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`; everything is attended to when missing. As
                in the original, 2 stands for global tokens.
            global_attention_mask: 1 for tokens that attend to everything and that everything attends to, 0 for
                others, `(batch, length)`; there are none when missing.
            token_type_ids: segment of every token, `(batch, length)`; all 0 when missing.
            position_ids: position of every token, `(batch, length)` or `(1, length)`; as `number_positions` counts
                them when missing.
            inputs_embeds: vectors instead of `input_ids`, `(batch, length, hidden_size)`.
            output_attentions: whether to return attention probabilities; as configured when missing.
            output_hidden_states: whether to return the output of every layer; as configured when missing.

        Raises:
            ValueError: both or none of `input_ids` and `inputs_embeds` are given, the text is too long, or a mask has
                a wrong shape.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass either input_ids or inputs_embeds")
        if output_attentions is None:
            output_attentions = self.config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states

        embeddings: torch.Tensor = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)
        is_token, is_global = merge_masks(attention_mask, global_attention_mask, embeddings)
        outputs: LongformerBaseModelOutputWithPooling = self.encoder(
            embeddings, is_token, is_global, output_attentions, output_hidden_states
        )
        if self.pooler is not None:
            outputs.pooler_output = self.pooler(outputs.last_hidden_state)
        return outputs


class LongformerForMaskedLM(LongformerPreTrainedModel):
    """Longformer that fills in masked tokens."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {
        "lm_head.decoder.weight": "longformer.embeddings.word_embeddings.weight",
        "lm_head.decoder.bias": "lm_head.bias",
    }

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__(config)
        self.longformer = LongformerModel(config, add_pooling_layer=False)
        self.lm_head = LongformerLMHead(config)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head.decoder

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        global_attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> LongformerMaskedLMOutput:
        """Score the vocabulary at every token.

        Args:
            labels: id of the right token at every position, `(batch, length)`; positions with -100 do not count.

        The other arguments are those of `LongformerModel.forward`.
        """
        outputs: LongformerBaseModelOutputWithPooling = self.longformer(
            input_ids,
            attention_mask=attention_mask,
            global_attention_mask=global_attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor = self.lm_head(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.view(-1, self.config.vocab_size), labels.view(-1))
        return LongformerMaskedLMOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            global_attentions=outputs.global_attentions,
        )


class LongformerForSequenceClassification(LongformerPreTrainedModel):
    """Longformer that classifies whole texts, or predicts numbers from them."""

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__(config)
        self.longformer = LongformerModel(config, add_pooling_layer=False)
        self.classifier = LongformerClassificationHead(config)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        global_attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> LongformerSequenceClassifierOutput:
        """Score every label of every text.

        Args:
            global_attention_mask: as in `LongformerModel.forward`; the first token is global when missing, as the
                paper's section 3.1 has it for classification.
            labels: the right labels or values, as in `sequence_classification_loss`.

        The other arguments are those of `LongformerModel.forward`.
        """
        texts = input_ids if input_ids is not None else inputs_embeds
        if global_attention_mask is None and texts is not None:
            global_attention_mask = torch.zeros(texts.shape[:2], dtype=torch.long, device=texts.device)
            global_attention_mask[:, 0] = 1
        outputs: LongformerBaseModelOutputWithPooling = self.longformer(
            input_ids,
            attention_mask=attention_mask,
            global_attention_mask=global_attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor = self.classifier(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            loss = sequence_classification_loss(logits, labels, self.config)
        return LongformerSequenceClassifierOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            global_attentions=outputs.global_attentions,
        )


class LongformerForTokenClassification(LongformerPreTrainedModel):
    """Longformer that classifies every token."""

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__(config)
        self.longformer = LongformerModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        global_attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> LongformerTokenClassifierOutput:
        """Score every label of every token.

        Args:
            labels: the right label of every token, `(batch, length)`; positions with -100 do not count.

        The other arguments are those of `LongformerModel.forward`.
        """
        outputs: LongformerBaseModelOutputWithPooling = self.longformer(
            input_ids,
            attention_mask=attention_mask,
            global_attention_mask=global_attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor = self.classifier(self.dropout(outputs.last_hidden_state))
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.view(-1, self.config.num_labels), labels.view(-1))
        return LongformerTokenClassifierOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            global_attentions=outputs.global_attentions,
        )


class LongformerForMultipleChoice(LongformerPreTrainedModel):
    """Longformer that picks one of several continuations of a text."""

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__(config)
        self.longformer = LongformerModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, 1)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        global_attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> LongformerMultipleChoiceModelOutput:
        """Score every choice.

        Args:
            input_ids, attention_mask, token_type_ids, position_ids: one text for every choice,
                `(batch, choices, length)`.
            global_attention_mask: 1 for global tokens, 0 for others, `(batch, choices, length)`; the tokens of the
                choice, behind the text's two separators, are global when missing and ids are given.
            inputs_embeds: vectors instead of `input_ids`, `(batch, choices, length, hidden_size)`.
            labels: index of the right choice, `(batch,)`.

        Raises:
            ValueError: as in `LongformerModel.forward`, or the choice is not found by three separators.
        """
        texts = input_ids if input_ids is not None else inputs_embeds
        if texts is None:
            raise ValueError("pass either input_ids or inputs_embeds")
        number_of_choices = texts.shape[1]
        if global_attention_mask is None and input_ids is not None:
            places = torch.arange(input_ids.shape[2], device=input_ids.device)
            separators = find_first_separator(input_ids.flatten(0, 1), self.config.sep_token_id)
            global_attention_mask = (places > separators + 1).view(input_ids.shape)
        # Every choice is a text of its own: (batch, choices, length) becomes (batch * choices, length).
        outputs: LongformerBaseModelOutputWithPooling = self.longformer(
            None if input_ids is None else input_ids.flatten(0, 1),
            attention_mask=None if attention_mask is None else attention_mask.flatten(0, 1),
            global_attention_mask=None if global_attention_mask is None else global_attention_mask.flatten(0, 1),
            token_type_ids=None if token_type_ids is None else token_type_ids.flatten(0, 1),
            position_ids=None if position_ids is None else position_ids.flatten(0, 1),
            inputs_embeds=None if inputs_embeds is None else inputs_embeds.flatten(0, 1),
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        pooled_output = self.dropout(outputs.pooler_output)
        logits: torch.Tensor = self.classifier(pooled_output).view(-1, number_of_choices)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits, labels)
        return LongformerMultipleChoiceModelOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            global_attentions=outputs.global_attentions,
        )


class LongformerForQuestionAnswering(LongformerPreTrainedModel):
    """Longformer that marks the answer inside a text."""

    def __init__(self, config: LongformerConfig) -> None:
        super().__init__(config)
        self.longformer = LongformerModel(config, add_pooling_layer=False)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        global_attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        start_positions: torch.Tensor | None = None,
        end_positions: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> LongformerQuestionAnsweringModelOutput:
        """Score every token as the start and as the end of the answer.

        Args:
            global_attention_mask: as in `LongformerModel.forward`; the question, which is all before the first
                separator, is global when missing and ids are given, as the paper's section 3.1 has it.
            start_positions, end_positions: indices of the right tokens, `(batch,)`; both or none.

        The other arguments, and what is raised, are those of `LongformerModel.forward`.
        """
        if global_attention_mask is None and input_ids is not None:
            places = torch.arange(input_ids.shape[1], device=input_ids.device)
            global_attention_mask = places < find_first_separator(input_ids, self.config.sep_token_id)
        outputs: LongformerBaseModelOutputWithPooling = self.longformer(
            input_ids,
            attention_mask=attention_mask,
            global_attention_mask=global_attention_mask,
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
        return LongformerQuestionAnsweringModelOutput(
            loss=loss,
            start_logits=start_logits,
            end_logits=end_logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            global_attentions=outputs.global_attentions,
        )
