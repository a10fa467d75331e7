"""XLNet in PyTorch: a language model that is trained on the words of a text in any order, so that it sees both sides.

The architecture is that of https://arxiv.org/abs/1906.08237, whose attention is Transformer-XL's
(https://arxiv.org/abs/1901.02860): positions are relative, and a text goes on from memories of the texts before it. In
pretraining a token is predicted from those that come before it in a drawn order. Two streams pass through the same layers
for that (section 2.3): the content stream, where a token sees itself, and the query stream, where it knows its position
only. Fine-tuning needs the content stream alone.

Names in the shapes: `batch`, `length` (tokens of a text), `hidden_size`, `heads`, `head_size` (`hidden_size / heads`),
`memory_length` (tokens in the memories), `key_length` (`memory_length + length`), `predictions` (tokens to predict).
The names of the parameters are those of the published checkpoints.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...configuration_utils import PreTrainedConfig
from ...modeling_outputs import ModelOutput
from ...modeling_utils import PreTrainedModel
from .configuration_xlnet import XLNetConfig

TensorTuple = tuple[torch.Tensor, ...]
# With two streams every layer has two tensors, those of the content stream first.
Attentions = tuple[torch.Tensor | tuple[torch.Tensor, torch.Tensor], ...]


@dataclass(kw_only=True)
class XLNetModelOutput(ModelOutput):
    """Output of the model without a head.

    Attributes:
        last_hidden_state: output of the last layer, `(batch, length, hidden_size)`, or `(batch, predictions, hidden_size)`
            of the query stream if there is one.
        mems: what to pass as `mems` with the text that follows: the input of every layer, each
            `(memory_length, batch, hidden_size)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`; with two streams
            each of them is followed by that of the query stream, `(batch, predictions, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, key_length)`; with two streams
            pairs of them.
    """

    last_hidden_state: torch.Tensor
    mems: TensorTuple | None = None
    hidden_states: TensorTuple | None = None
    attentions: Attentions | None = None


@dataclass(kw_only=True)
class XLNetHeadOutput(ModelOutput):
    """Output of a language model or a classifier.

    Attributes:
        loss: the loss, a scalar; present when labels were given.
        logits: score of every vocabulary entry at every token, `(batch, length or predictions, vocab_size)`; of every
            label of every text, `(batch, num_labels)`, or token, `(batch, length, num_labels)`; or of every choice,
            `(batch, choices)`.
        mems, hidden_states, attentions: as in `XLNetModelOutput`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    mems: TensorTuple | None = None
    hidden_states: TensorTuple | None = None
    attentions: Attentions | None = None


@dataclass(kw_only=True)
class XLNetForQuestionAnsweringSimpleOutput(ModelOutput):
    """Output of a model that marks the answer inside the text.

    Attributes:
        loss: mean of the cross-entropies of start and end, a scalar; present when both positions were given.
        start_logits, end_logits: score of every token as the start and as the end of the answer, `(batch, length)`.
        mems, hidden_states, attentions: as in `XLNetModelOutput`.
    """

    loss: torch.Tensor | None = None
    start_logits: torch.Tensor
    end_logits: torch.Tensor
    mems: TensorTuple | None = None
    hidden_states: TensorTuple | None = None
    attentions: Attentions | None = None


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


def relative_shift(scores: torch.Tensor, key_length: int) -> torch.Tensor:
    """Turn scores of distances into scores of keys (appendix B of https://arxiv.org/abs/1901.02860).

    Args:
        scores: scores of the distances `key_length, key_length - 1, ...`, `(batch, heads, length, distances)`. Token `i`
            of the text stands `key_length - length + i - j` behind the key `j`, whose score has the place
            `length - i + j`.
        key_length: number of the keys.

    Returns:
        A view of the scores, `(batch, heads, length, key_length)`.
    """
    batch, heads, length, distances = scores.shape
    # Rows that are shorter by one begin one place earlier each: token `i` has moved by `length - i` places then.
    return scores.flatten(-2)[..., length:].view(batch, heads, length, distances - 1)[..., :key_length]


def sinusoidal_embeddings(distances: torch.Tensor, size: int) -> torch.Tensor:
    """Return the sines of `distance / 10000^(2 i / size)` and behind them the cosines, `(distances, size)`.

    Unlike in section 3.5 of https://arxiv.org/abs/1706.03762 sines and cosines do not stand in turn.
    """
    frequencies = 1 / 10000 ** (torch.arange(0, size, 2, device=distances.device).float() / size)
    angles = distances[:, None].float() * frequencies
    return torch.cat((angles.sin(), angles.cos()), dim=-1)


class AttentionContext(NamedTuple):
    """What all layers attend with.

    Attributes:
        positions: vectors of the distances, `(1, distances, hidden_size)`; the distances forwards and backwards,
            `(2, distances, hidden_size)`, if the second half of the batch is read backwards.
        is_other_segment: 1 where a key is in another segment than a token, otherwise 0, `(batch, 1, length, key_length)`.
        content_mask, query_mask: numbers to add to the scores of the two streams,
            `(1 or batch, 1, 1 or length, key_length)`; they differ in that a token of the content stream sees itself.
        target_mapping: the tokens to predict, `(batch, predictions, length)`.
    """

    positions: torch.Tensor
    is_other_segment: torch.Tensor | None
    content_mask: torch.Tensor | None
    query_mask: torch.Tensor | None
    target_mapping: torch.Tensor | None


class XLNetRelativeAttention(nn.Module):
    """Lets every token gather information from other tokens, by what they hold, their distance and their segment."""

    def __init__(self, config: XLNetConfig) -> None:
        super().__init__()
        if config.d_model % 2 != 0:
            raise ValueError(f"d_model ({config.d_model}) must be even, for sines and cosines of positions")
        if config.n_head * config.d_head != config.d_model:
            raise ValueError(
                f"d_model ({config.d_model}) must be n_head ({config.n_head}) times d_head ({config.d_head})"
            )
        self.config = config
        self.scaling = 1.0 / math.sqrt(config.d_head)
        projection, heads = (config.d_model, config.n_head, config.d_head), (config.n_head, config.d_head)
        self.q = nn.Parameter(torch.empty(projection))
        self.k = nn.Parameter(torch.empty(projection))
        self.v = nn.Parameter(torch.empty(projection))
        self.o = nn.Parameter(torch.empty(projection))
        self.r = nn.Parameter(torch.empty(projection))
        # What a query adds to itself before it meets a distance, a segment and the content of a key.
        self.r_r_bias = nn.Parameter(torch.empty(heads))
        self.r_s_bias = nn.Parameter(torch.empty(heads))
        self.r_w_bias = nn.Parameter(torch.empty(heads))
        # The same segment, and another one.
        self.seg_embed = nn.Parameter(torch.empty(2, *heads))
        self.layer_norm = nn.LayerNorm(config.d_model, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.dropout)

    def project(self, hidden_states: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, heads, length, head_size)`, by one of the projections."""
        batch, length, _ = hidden_states.shape
        heads = torch.matmul(hidden_states, weight.flatten(1)).view(batch, length, *weight.shape[1:])
        return heads.transpose(1, 2)

    def score_positions_and_segments(
        self,
        query: torch.Tensor,
        position_key: torch.Tensor,
        is_other_segment: torch.Tensor | None,
        key_length: int,
    ) -> torch.Tensor:
        """Return what is added to the scores of the content, `(batch, heads, length, key_length)`."""
        scores = torch.matmul(query + self.r_r_bias[:, None], position_key.transpose(-1, -2))
        scores = relative_shift(scores, key_length)
        if is_other_segment is not None:
            # Probabilities depend on the differences of a token's scores only, so the same segment can score 0.
            difference = (self.seg_embed[1] - self.seg_embed[0])[:, :, None]
            segment_score = torch.matmul(query + self.r_s_bias[:, None], difference)
            scores = torch.addcmul(scores, segment_score, is_other_segment)
        return scores * self.scaling

    def attend(
        self,
        query: torch.Tensor,
        keys: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
        is_other_segment: torch.Tensor | None,
        attention_mask: torch.Tensor | None,
        output_attentions: bool,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the attended values, `(batch, length, hidden_size)`, and the probabilities if they are asked for.

        Args:
            query: queries of one stream, `(batch, heads, length, head_size)`.
            keys: keys and values of the content, and keys of the distances, which both streams share.
            is_other_segment: as in `AttentionContext`.
            attention_mask: numbers to add to the scores.
            output_attentions: whether to return the probabilities.
        """
        key, value, position_key = keys
        bias = self.score_positions_and_segments(query, position_key, is_other_segment, key.shape[2])
        if attention_mask is not None:
            bias = bias + attention_mask
        query = query + self.r_w_bias[:, None]
        dropout = self.config.dropout if self.training else 0.0
        probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, probabilities = eager_attention(query, key, value, bias, self.scaling, dropout)
        else:
            context = sdpa_attention(query, key, value, bias, self.scaling, dropout)
        return context.transpose(1, 2).flatten(2), probabilities if output_attentions else None

    def add_and_normalize(self, context: torch.Tensor, hidden_states: torch.Tensor) -> torch.Tensor:
        """Put the attended values of all heads together, and add them to what came in."""
        output = self.dropout(functional.linear(context, self.o.flatten(1)))
        normalized: torch.Tensor = self.layer_norm(output + hidden_states)
        return normalized

    def forward(
        self,
        content: torch.Tensor,
        query_stream: torch.Tensor | None,
        context: AttentionContext,
        memory: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | tuple[torch.Tensor, torch.Tensor] | None]:
        """Return both streams, and their attention probabilities if these are asked for.

        Args:
            content: the content stream, `(batch, length, hidden_size)`.
            query_stream: the query stream, `(batch, length or predictions, hidden_size)`, or `None`.
            context: what all layers attend with.
            memory: what the layer got for the tokens before, `(batch, memory_length, hidden_size)`.
            output_attentions: whether to return the probabilities.
        """
        everything = content if memory is None else torch.cat((memory, content), dim=1)
        position_key = self.project(context.positions, self.r)
        if len(position_key) == 2:
            position_key = position_key.repeat_interleave(len(content) // 2, dim=0)
        keys = self.project(everything, self.k), self.project(everything, self.v), position_key

        attended, probabilities = self.attend(
            self.project(content, self.q), keys, context.is_other_segment, context.content_mask, output_attentions
        )
        new_content = self.add_and_normalize(attended, content)
        if query_stream is None:
            return new_content, None, probabilities

        query, mapping = self.project(query_stream, self.q), context.target_mapping
        if mapping is not None:
            query = torch.matmul(mapping[:, None].transpose(-1, -2), query)
        attended, query_probabilities = self.attend(
            query, keys, context.is_other_segment, context.query_mask, output_attentions
        )
        if mapping is not None:
            attended = torch.matmul(mapping, attended)
        query_stream = self.add_and_normalize(attended, query_stream)
        if probabilities is None or query_probabilities is None:
            return new_content, query_stream, None
        return new_content, query_stream, (probabilities, query_probabilities)


class XLNetFeedForward(nn.Module):
    """The feed-forward block of a layer, with the residual and the normalisation behind it."""

    def __init__(self, config: XLNetConfig) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(config.d_model, eps=config.layer_norm_eps)
        self.layer_1 = nn.Linear(config.d_model, config.d_inner)
        self.layer_2 = nn.Linear(config.d_inner, config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.activation = get_activation(config.ff_activation)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        output = self.dropout(self.activation(self.layer_1(hidden_states)))
        output = self.dropout(self.layer_2(output))
        normalized: torch.Tensor = self.layer_norm(output + hidden_states)
        return normalized


class XLNetLayer(nn.Module):
    """One layer, through which both streams pass."""

    def __init__(self, config: XLNetConfig) -> None:
        super().__init__()
        self.rel_attn = XLNetRelativeAttention(config)
        self.ff = XLNetFeedForward(config)

    def forward(
        self,
        content: torch.Tensor,
        query_stream: torch.Tensor | None,
        context: AttentionContext,
        memory: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | tuple[torch.Tensor, torch.Tensor] | None]:
        content, query_stream, probabilities = self.rel_attn(content, query_stream, context, memory, output_attentions)
        return self.ff(content), None if query_stream is None else self.ff(query_stream), probabilities


class XLNetSequenceSummary(nn.Module):
    """Turns the vectors of all tokens into one of the whole text."""

    def __init__(self, config: XLNetConfig) -> None:
        super().__init__()
        self.summary_type = config.summary_type
        self.summary = nn.Linear(config.d_model, config.d_model) if config.summary_use_proj else nn.Identity()
        self.activation = get_activation(config.summary_activation) if config.summary_activation else nn.Identity()
        self.last_dropout = nn.Dropout(config.summary_last_dropout)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, hidden_size)`."""
        if self.summary_type == "mean":
            output = hidden_states.mean(dim=1)
        else:
            output = hidden_states[:, -1 if self.summary_type == "last" else 0]
        summary: torch.Tensor = self.last_dropout(self.activation(self.summary(output)))
        return summary


class XLNetPreTrainedModel(PreTrainedModel):
    """What all XLNet models share: configuration, names and initialisation."""

    config_class = XLNetConfig
    base_model_prefix = "transformer"

    config: XLNetConfig

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            module.weight.normal_(mean=0.0, std=self.config.initializer_range)
            module.bias.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(mean=0.0, std=self.config.initializer_range)
        elif isinstance(module, nn.LayerNorm):
            module.weight.fill_(1.0)
            module.bias.zero_()
        elif isinstance(module, (XLNetRelativeAttention, XLNetModel)):
            for weight in module.parameters(recurse=False):
                weight.normal_(mean=0.0, std=self.config.initializer_range)


class XLNetModel(XLNetPreTrainedModel):
    """All layers, without a head."""

    def __init__(self, config: XLNetConfig) -> None:
        super().__init__(config)
        self.word_embedding = nn.Embedding(config.vocab_size, config.d_model)
        # Where the query stream starts, at every position.
        self.mask_emb = nn.Parameter(torch.empty(1, 1, config.d_model))
        self.layer = nn.ModuleList([XLNetLayer(config) for _ in range(config.n_layer)])
        self.dropout = nn.Dropout(config.dropout)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.word_embedding

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, nn.Embedding)
        self.word_embedding = embeddings

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        mems: Sequence[torch.Tensor] | None = None,
        perm_mask: torch.Tensor | None = None,
        target_mapping: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        use_mems: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> XLNetModelOutput:
        """Encode texts, or predict tokens of them if there is a `target_mapping`.

        Args:
            input_ids: ids of the tokens, `(batch, length)`.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`; everything is attended to when missing.
            mems: the `mems` that the text before returned; memories are always attended to.
            perm_mask: 1 where a token must not see another, `(batch, length, length)`: the value at `[b, i, j]` hides
                token `j` from token `i`. In the content stream a token sees itself nevertheless.
            target_mapping: 1 where a prediction is about a token, `(batch, predictions, length)`; the output is that of
                the query stream then.
            token_type_ids: segment of every token, `(batch, length)`. Only whether two of them are equal counts; the
                memories have segment 0.
            inputs_embeds: vectors instead of `input_ids`, `(batch, length, hidden_size)`.
            use_mems: whether to return memories; as configured for training and evaluation when missing.
            output_attentions: whether to return attention probabilities; as configured when missing.
            output_hidden_states: whether to return the output of every layer; as configured when missing.

        Raises:
            ValueError: both or none of `input_ids` and `inputs_embeds` are given, an id is not in the vocabulary, or a
                mask, a mapping or the memories have a wrong shape.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass either input_ids or inputs_embeds")
        if use_mems is None:
            use_mems = self.config.use_mems_train if self.training else self.config.use_mems_eval
        if output_attentions is None:
            output_attentions = self.config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        if input_ids is not None:
            inputs_embeds = look_up_tokens(self.word_embedding, input_ids)
        assert inputs_embeds is not None

        context = self.attention_context(
            inputs_embeds,
            self.memory_length(mems, inputs_embeds),
            attention_mask,
            perm_mask,
            target_mapping,
            token_type_ids,
        )
        content = self.dropout(inputs_embeds)
        query_stream: torch.Tensor | None = None
        if target_mapping is not None:
            query_stream = self.dropout(self.mask_emb.expand(*target_mapping.shape[:2], -1))
        new_mems: list[torch.Tensor] = []
        all_hidden_states: list[torch.Tensor] = []
        all_attentions: list[torch.Tensor | tuple[torch.Tensor, torch.Tensor]] = []
        for index, layer in enumerate(self.layer):
            memory = None if mems is None else mems[index]
            if use_mems:
                new_mems.append(self.remember(content, memory))
            all_hidden_states += [content] if query_stream is None else [content, query_stream]
            content, query_stream, probabilities = layer(
                content, query_stream, context, None if memory is None else memory.transpose(0, 1), output_attentions
            )
            all_attentions.append(probabilities)
        all_hidden_states += [content] if query_stream is None else [content, query_stream]
        return XLNetModelOutput(
            last_hidden_state=self.dropout(content if query_stream is None else query_stream),
            mems=tuple(new_mems) if use_mems else None,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )

    def memory_length(self, mems: Sequence[torch.Tensor] | None, inputs_embeds: torch.Tensor) -> int:
        """Return how many tokens the memories hold.

        Raises:
            ValueError: there is not one for each layer, or they do not belong to texts of the same number and sizes.
        """
        if mems is None:
            return 0
        batch, _, size = inputs_embeds.shape
        shapes = {tuple(memory.shape) for memory in mems}
        if len(mems) != len(self.layer) or len(shapes) != 1 or next(iter(shapes))[1:] != (batch, size):
            raise ValueError(
                f"mems must be {len(self.layer)} tensors of the same shape (memory_length, {batch}, {size}), one for each "
                f"layer, not {len(mems)} of the shapes {sorted(shapes)}"
            )
        return len(mems[0])

    def remember(self, content: torch.Tensor, memory: torch.Tensor | None) -> torch.Tensor:
        """Return a layer's memory for the text that follows, `(memory_length, batch, hidden_size)`.

        No gradient flows into memories (section 3.2 of https://arxiv.org/abs/1901.02860).
        """
        new_memory = content.detach().transpose(0, 1)
        if self.config.reuse_len:
            new_memory = new_memory[: self.config.reuse_len]
        if memory is not None:
            new_memory = torch.cat((memory.detach(), new_memory))
        return new_memory[-self.config.mem_len :] if self.config.mem_len else new_memory

    def attention_context(
        self,
        inputs_embeds: torch.Tensor,
        memory_length: int,
        attention_mask: torch.Tensor | None,
        perm_mask: torch.Tensor | None,
        target_mapping: torch.Tensor | None,
        token_type_ids: torch.Tensor | None,
    ) -> AttentionContext:
        """Return what all layers attend with.

        Raises:
            ValueError: a mask, the mapping or the segments have a wrong shape.
        """
        batch, length, _ = inputs_embeds.shape
        for name, tensor, shape in (
            ("attention_mask", attention_mask, (batch, length)),
            ("perm_mask", perm_mask, (batch, length, length)),
            ("target_mapping", target_mapping, (batch, "predictions", length)),
            ("token_type_ids", token_type_ids, (batch, length)),
        ):
            fits = tensor is None or (
                tensor.dim() == len(shape)
                and all(wanted in (size, "predictions") for size, wanted in zip(tensor.shape, shape, strict=True))
            )
            if tensor is not None and not fits:
                raise ValueError(
                    f"{name} must have the shape ({', '.join(map(str, shape))}), not {tuple(tensor.shape)}"
                )
        dtype = inputs_embeds.dtype
        content_mask, query_mask = self.masks(attention_mask, perm_mask, length, memory_length, inputs_embeds)
        is_other_segment: torch.Tensor | None = None
        if token_type_ids is not None:
            key_types = functional.pad(token_type_ids, (memory_length, 0))
            is_other_segment = (token_type_ids[:, None, :, None] != key_types[:, None, None, :]).to(dtype)
        return AttentionContext(
            positions=self.dropout(self.position_embeddings(batch, length, memory_length).to(dtype)),
            is_other_segment=is_other_segment,
            content_mask=content_mask,
            query_mask=query_mask,
            target_mapping=None if target_mapping is None else target_mapping.to(dtype),
        )

    def masks(
        self,
        attention_mask: torch.Tensor | None,
        perm_mask: torch.Tensor | None,
        length: int,
        memory_length: int,
        inputs_embeds: torch.Tensor,
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Return the numbers to add to the scores of the content stream and of the query stream; `None` adds nothing."""
        is_hidden: torch.Tensor | None = None
        if self.config.attn_type == "uni":
            is_hidden = self.one_way_mask(length, memory_length, inputs_embeds.device)
        # A mask that leaves nothing out only costs time.
        if attention_mask is not None and not bool((attention_mask != 0).all()):
            is_padding = functional.pad((attention_mask == 0)[:, None, None, :], (memory_length, 0))
            is_hidden = is_padding if is_hidden is None else is_hidden | is_padding
        if perm_mask is not None:
            is_later = functional.pad((perm_mask != 0)[:, None], (memory_length, 0))
            is_hidden = is_later if is_hidden is None else is_hidden | is_later
        if is_hidden is None:
            return None, None
        itself = torch.eye(length, dtype=torch.bool, device=inputs_embeds.device)
        itself = functional.pad(itself, (memory_length, 0))
        dtype = inputs_embeds.dtype
        return expand_attention_mask(~is_hidden | itself, dtype), expand_attention_mask(~is_hidden, dtype)

    def one_way_mask(self, length: int, memory_length: int, device: torch.device) -> torch.Tensor:
        """Return where a later token, or one that is too far back, is hidden, `(1, 1, length, key_length)`."""
        rows = torch.arange(length, device=device)[:, None]
        columns = torch.arange(memory_length + length, device=device)[None, :]
        is_hidden = columns > rows + memory_length
        if self.config.same_length:
            is_hidden = is_hidden | ((columns < rows) & (columns < length))
        return is_hidden[None, None]

    def position_embeddings(self, batch: int, length: int, memory_length: int) -> torch.Tensor:
        """Return the vectors of all distances between a token and a key, the greatest first; see `AttentionContext`.

        Raises:
            ValueError: half of the batch is read backwards, and the batch has an odd number of texts.
        """
        longest = memory_length + length
        shortest = -length if self.config.attn_type == "bi" else -1
        distances = torch.arange(longest, shortest, -1, device=self.device)
        if self.config.clamp_len > 0:
            distances = distances.clamp(-self.config.clamp_len, self.config.clamp_len)
        if not self.config.bi_data:
            return sinusoidal_embeddings(distances, self.config.d_model)[None]
        if batch % 2 != 0:
            raise ValueError(f"with bi_data half of the texts are read backwards; {batch} texts cannot be halved")
        return torch.stack([sinusoidal_embeddings(way, self.config.d_model) for way in (distances, -distances)])


class XLNetLMHeadModel(XLNetPreTrainedModel):
    """XLNet that predicts tokens; the weight of `lm_loss` is tied to the word embeddings.

    It has no `generate`: the tokens of a text see those behind them, so what a cache holds of them would be out of date
    with every new token. To predict the next one, append any token, hide it from all (`perm_mask[:, :, -1] = 1`), and
    map the prediction to it (`target_mapping[:, 0, -1] = 1`).
    """

    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_loss.weight": "transformer.word_embedding.weight"}

    def __init__(self, config: XLNetConfig) -> None:
        super().__init__(config)
        self.transformer = XLNetModel(config)
        self.lm_loss = nn.Linear(config.d_model, config.vocab_size)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_loss

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        mems: Sequence[torch.Tensor] | None = None,
        perm_mask: torch.Tensor | None = None,
        target_mapping: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_mems: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> XLNetHeadOutput:
        """Score the vocabulary at every token, or for every prediction of the `target_mapping`.

        Args:
            labels: id of the right token, `(batch, length)`, or `(batch, predictions)` with a `target_mapping`; it stands
                where it is predicted, not one place later. Positions with -100 do not count.

        The other arguments are those of `XLNetModel.forward`.
        """
        outputs: XLNetModelOutput = self.transformer(
            *(input_ids, attention_mask, mems, perm_mask, target_mapping, token_type_ids, inputs_embeds),
            *(use_mems, output_attentions, output_hidden_states),
        )
        logits: torch.Tensor = self.lm_loss(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return XLNetHeadOutput(
            loss=loss,
            logits=logits,
            mems=outputs.mems,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class XLNetForSequenceClassification(XLNetPreTrainedModel):
    """XLNet that classifies whole texts, or predicts numbers from them."""

    def __init__(self, config: XLNetConfig) -> None:
        super().__init__(config)
        self.transformer = XLNetModel(config)
        self.sequence_summary = XLNetSequenceSummary(config)
        self.logits_proj = nn.Linear(config.d_model, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        mems: Sequence[torch.Tensor] | None = None,
        perm_mask: torch.Tensor | None = None,
        target_mapping: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_mems: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> XLNetHeadOutput:
        """Score every label of every text.

        The last token stands for the whole text unless the configuration says otherwise, so padding goes to the left.

        Args:
            labels: the right labels or values, as in `sequence_classification_loss`.

        The other arguments are those of `XLNetModel.forward`.
        """
        outputs: XLNetModelOutput = self.transformer(
            *(input_ids, attention_mask, mems, perm_mask, target_mapping, token_type_ids, inputs_embeds),
            *(use_mems, output_attentions, output_hidden_states),
        )
        logits: torch.Tensor = self.logits_proj(self.sequence_summary(outputs.last_hidden_state))
        loss = None
        if labels is not None:
            loss = sequence_classification_loss(logits, labels, self.config)
        return XLNetHeadOutput(
            loss=loss,
            logits=logits,
            mems=outputs.mems,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class XLNetForTokenClassification(XLNetPreTrainedModel):
    """XLNet that classifies every token."""

    def __init__(self, config: XLNetConfig) -> None:
        super().__init__(config)
        self.transformer = XLNetModel(config)
        self.classifier = nn.Linear(config.d_model, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        mems: Sequence[torch.Tensor] | None = None,
        perm_mask: torch.Tensor | None = None,
        target_mapping: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_mems: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> XLNetHeadOutput:
        """Score every label of every token.

        Args:
            labels: the right label of every token, `(batch, length)`; positions with -100 do not count.

        The other arguments are those of `XLNetModel.forward`.
        """
        outputs: XLNetModelOutput = self.transformer(
            *(input_ids, attention_mask, mems, perm_mask, target_mapping, token_type_ids, inputs_embeds),
            *(use_mems, output_attentions, output_hidden_states),
        )
        logits: torch.Tensor = self.classifier(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return XLNetHeadOutput(
            loss=loss,
            logits=logits,
            mems=outputs.mems,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class XLNetForMultipleChoice(XLNetPreTrainedModel):
    """XLNet that picks one of several continuations of a text."""

    def __init__(self, config: XLNetConfig) -> None:
        super().__init__(config)
        self.transformer = XLNetModel(config)
        self.sequence_summary = XLNetSequenceSummary(config)
        self.logits_proj = nn.Linear(config.d_model, 1)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        mems: Sequence[torch.Tensor] | None = None,
        perm_mask: torch.Tensor | None = None,
        target_mapping: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_mems: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> XLNetHeadOutput:
        """Score every choice.

        Args:
            input_ids, attention_mask, token_type_ids: one text for every choice, `(batch, choices, length)`.
            mems: the memories of the texts of all choices, each `(memory_length, batch * choices, hidden_size)`.
            perm_mask, target_mapping: as in `XLNetModel.forward`, of every choice: `(batch, choices, ..., length)`.
            inputs_embeds: vectors instead of `input_ids`, `(batch, choices, length, hidden_size)`.
            labels: index of the right choice, `(batch,)`.
            use_mems, output_attentions, output_hidden_states: as in `XLNetModel.forward`, with all choices in one batch.

        Raises:
            ValueError: both or none of `input_ids` and `inputs_embeds` are given, or something has a wrong shape.
        """
        texts = input_ids if input_ids is not None else inputs_embeds
        if texts is None:
            raise ValueError("pass either input_ids or inputs_embeds")
        # Every choice is a text of its own: (batch, choices, length) becomes (batch * choices, length).
        outputs: XLNetModelOutput = self.transformer(
            None if input_ids is None else input_ids.flatten(0, 1),
            None if attention_mask is None else attention_mask.flatten(0, 1),
            mems,
            None if perm_mask is None else perm_mask.flatten(0, 1),
            None if target_mapping is None else target_mapping.flatten(0, 1),
            None if token_type_ids is None else token_type_ids.flatten(0, 1),
            None if inputs_embeds is None else inputs_embeds.flatten(0, 1),
            use_mems,
            output_attentions,
            output_hidden_states,
        )
        logits: torch.Tensor = self.logits_proj(self.sequence_summary(outputs.last_hidden_state))
        logits = logits.view(-1, texts.shape[1])
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits, labels)
        return XLNetHeadOutput(
            loss=loss,
            logits=logits,
            mems=outputs.mems,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class XLNetForQuestionAnsweringSimple(XLNetPreTrainedModel):
    """XLNet that marks the answer inside a text, its start and its end each for itself."""

    def __init__(self, config: XLNetConfig) -> None:
        super().__init__(config)
        self.transformer = XLNetModel(config)
        self.qa_outputs = nn.Linear(config.d_model, 2)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        mems: Sequence[torch.Tensor] | None = None,
        perm_mask: torch.Tensor | None = None,
        target_mapping: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        start_positions: torch.Tensor | None = None,
        end_positions: torch.Tensor | None = None,
        use_mems: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> XLNetForQuestionAnsweringSimpleOutput:
        """Score every token as the start and as the end of the answer.

        Args:
            start_positions, end_positions: indices of the right tokens, `(batch,)`; both or none.

        The other arguments are those of `XLNetModel.forward`.
        """
        outputs: XLNetModelOutput = self.transformer(
            *(input_ids, attention_mask, mems, perm_mask, target_mapping, token_type_ids, inputs_embeds),
            *(use_mems, output_attentions, output_hidden_states),
        )
        logits: torch.Tensor = self.qa_outputs(outputs.last_hidden_state)
        start_logits, end_logits = logits.unbind(dim=-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = question_answering_loss(start_logits, end_logits, start_positions, end_positions)
        return XLNetForQuestionAnsweringSimpleOutput(
            loss=loss,
            start_logits=start_logits,
            end_logits=end_logits,
            mems=outputs.mems,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
