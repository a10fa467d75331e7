"""ALBERT in PyTorch: a BERT with few weights.

The architecture is that of https://arxiv.org/abs/1909.11942. What sets it apart from BERT (section 3.1 of the paper): the
embeddings are smaller than the vectors of the layers, which one matrix makes of them; the layers share their weights, in
groups; and in pretraining the model judges the order of two sentences, where BERT judges whether they belong together.

Names in the shapes: `batch`, `length` (tokens of a text), `embedding_size`, `hidden_size`, `heads`, `head_size`
(`hidden_size / heads`). The names of the parameters are those of the published checkpoints.
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
    BaseModelOutput,
    BaseModelOutputWithPooling,
    MaskedLMOutput,
    ModelOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TensorTuple,
    TokenClassifierOutput,
)
from ...modeling_utils import PreTrainedModel
from .configuration_albert import AlbertConfig


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
class AlbertForPreTrainingOutput(ModelOutput):
    """Output of the model with both heads of pretraining.

    Attributes:
        loss: sum of the mean cross-entropies of both heads, a scalar; present when labels of both were given.
        prediction_logits: score of every vocabulary entry at every position, `(batch, length, vocab_size)`.
        sop_logits: scores of "in order" and "swapped", `(batch, 2)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    loss: torch.Tensor | None = None
    prediction_logits: torch.Tensor
    sop_logits: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


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


# Copied from add_model.zoo.models.bert.modeling_bert.BertEmbeddings with Bert->Albert, hidden_size->embedding_size
class AlbertEmbeddings(nn.Module):
    """Adds up the embeddings of a token itself, of its position and of its segment."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.embedding_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.embedding_size)
        self.LayerNorm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.max_position_embeddings = config.max_position_embeddings

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
    ) -> torch.Tensor:
        if input_ids is not None:
            inputs_embeds = look_up_tokens(self.word_embeddings, input_ids)
        assert inputs_embeds is not None
        batch, length, _ = inputs_embeds.shape
        if position_ids is None:
            if length > self.max_position_embeddings:
                raise ValueError(
                    f"the text has {length} tokens, the model takes {self.max_position_embeddings}; "
                    "cut it, for example with truncation=True in the tokenizer"
                )
            position_ids = torch.arange(length, device=inputs_embeds.device)[None, :]
        if token_type_ids is None:
            token_type_ids = torch.zeros(batch, length, dtype=torch.long, device=inputs_embeds.device)

        embeddings: torch.Tensor = inputs_embeds + look_up_token_types(self.token_type_embeddings, token_type_ids)
        embeddings = embeddings + self.position_embeddings(position_ids)
        embeddings = self.LayerNorm(embeddings)
        embeddings = self.dropout(embeddings)
        return embeddings


class AlbertAttention(nn.Module):
    """Lets every token gather information from all tokens of the text, and adds it to what the token was."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        if config.hidden_size % config.num_attention_heads != 0:
            raise ValueError(
                f"hidden_size ({config.hidden_size}) must be a multiple of "
                f"num_attention_heads ({config.num_attention_heads})"
            )
        self.config = config
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = config.hidden_size // config.num_attention_heads
        self.scaling = 1.0 / math.sqrt(self.attention_head_size)
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = config.attention_probs_dropout_prob
        self.output_dropout = nn.Dropout(config.hidden_dropout_prob)

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
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        query = self.split_heads(self.query(hidden_states))
        key = self.split_heads(self.key(hidden_states))
        value = self.split_heads(self.value(hidden_states))
        dropout = self.dropout if self.training else 0.0

        attention_probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, attention_probabilities = eager_attention(
                query, key, value, attention_mask, self.scaling, dropout
            )
        else:
            context = sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)
        # The heads stand beside each other again: (batch, length, hidden_size).
        context = context.transpose(1, 2).reshape(hidden_states.shape)
        attention_output: torch.Tensor = self.output_dropout(self.dense(context))
        attention_output = self.LayerNorm(attention_output + hidden_states)
        return attention_output, attention_probabilities


class AlbertLayer(nn.Module):
    """One layer: attention, then the feed-forward block."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.attention = AlbertAttention(config)
        self.ffn = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = get_activation(config.hidden_act)
        self.ffn_output = nn.Linear(config.intermediate_size, config.hidden_size)
        self.full_layer_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        attention_output, attention_probabilities = self.attention(hidden_states, attention_mask, output_attentions)
        # The dropout is the original code's (`attention_ffn_block` in its modeling.py).
        ffn_output: torch.Tensor = self.dropout(self.ffn_output(self.activation(self.ffn(attention_output))))
        layer_output: torch.Tensor = self.full_layer_layer_norm(ffn_output + attention_output)
        return layer_output, attention_probabilities


class AlbertLayerGroup(nn.Module):
    """The layers of a group, each with weights of its own; it gives the published names of the weights their prefix."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.albert_layers = nn.ModuleList([AlbertLayer(config) for _ in range(config.inner_group_num)])


class AlbertTransformer(nn.Module):
    """Makes vectors of the layers' length of the embeddings, and applies the groups of layers, each several times.

    With 12 applications of 2 groups, the first 6 are those of the first group (section 3.1 of the paper).
    """

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        if not 1 <= config.num_hidden_groups <= config.num_hidden_layers:
            raise ValueError(
                f"num_hidden_groups ({config.num_hidden_groups}) must be at least 1 and at most "
                f"num_hidden_layers ({config.num_hidden_layers})"
            )
        self.num_hidden_layers = config.num_hidden_layers
        self.embedding_hidden_mapping_in = nn.Linear(config.embedding_size, config.hidden_size)
        self.albert_layer_groups = nn.ModuleList([AlbertLayerGroup(config) for _ in range(config.num_hidden_groups)])

    def layers(self) -> list[nn.Module]:
        """Return the layers in the order in which they are applied."""
        per_group = self.num_hidden_layers / len(self.albert_layer_groups)
        groups = [self.albert_layer_groups[int(index / per_group)] for index in range(self.num_hidden_layers)]
        return [layer for group in groups for layer in group.get_submodule("albert_layers").children()]

    def forward(
        self,
        embeddings: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> BaseModelOutput:
        hidden_states: torch.Tensor = self.embedding_hidden_mapping_in(embeddings)
        all_hidden_states = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        for layer in self.layers():
            hidden_states, attention_probabilities = layer(hidden_states, attention_mask, output_attentions)
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
            if output_attentions:
                all_attentions.append(attention_probabilities)
        return BaseModelOutput(
            last_hidden_state=hidden_states,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


class AlbertMLMHead(nn.Module):
    """Scores every entry of the vocabulary at every token, by vectors that are as long as the embeddings.

    The weight of `decoder` is tied to the word embeddings, and its bias to `bias`, the name in older checkpoints.
    """

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.embedding_size)
        self.activation = get_activation(config.hidden_act)
        self.LayerNorm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.decoder = nn.Linear(config.embedding_size, config.vocab_size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.LayerNorm(hidden_states)
        hidden_states = self.decoder(hidden_states)
        return hidden_states


class AlbertSOPHead(nn.Module):
    """The head that judges whether two sentences that follow each other are in order or swapped."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, 2)

    def forward(self, pooled_output: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.dropout(pooled_output))
        return logits


class AlbertPreTrainedModel(PreTrainedModel):
    """What all ALBERT models share: configuration, names and initialisation."""

    config_class = AlbertConfig
    base_model_prefix = "albert"
    # The model without a head may go by the name of another model that the checkpoint was made with.
    _renamed_checkpoint_keys: ClassVar[dict[str, str]] = {
        r"^\w+\.(?=(?:embeddings|encoder|pooler)\.)": "albert.",
    }
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"embeddings\.position_ids$",)

    config: AlbertConfig

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


class AlbertModel(AlbertPreTrainedModel):
    """The encoder, without a head.

    Args:
        config: the configuration.
        add_pooling_layer: whether to make a vector of the whole text, for the heads that classify texts.

    Raises:
        ValueError: the configuration's numbers of heads or of groups of layers do not fit its other sizes.
    """

    def __init__(self, config: AlbertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = AlbertEmbeddings(config)
        self.encoder = AlbertTransformer(config)
        self.pooler = nn.Linear(config.hidden_size, config.hidden_size) if add_pooling_layer else None
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
    ) -> BaseModelOutputWithPooling:
        """Encode texts.

        Args:
            input_ids: ids of the tokens, `(batch, length)`.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`, or four dimensions as in
                `expand_attention_mask`; everything is attended to when missing.
            token_type_ids: segment of every token, `(batch, length)`; all 0 when missing.
            position_ids: position of every token, `(batch, length)` or `(1, length)`; 0, 1, 2, ... when missing.
            inputs_embeds: vectors instead of `input_ids`, `(batch, length, embedding_size)`.
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

        embeddings: torch.Tensor = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)
        if attention_mask is not None:
            length = embeddings.shape[1]
            if attention_mask.dim() == 2 and attention_mask.shape[1] != length:
                raise ValueError(
                    f"the attention mask must have the shape (batch, {length}), one value for every token, "
                    f"not {tuple(attention_mask.shape)}"
                )
            # A mask that leaves nothing out only costs time.
            is_needed = attention_mask.dim() != 2 or not bool((attention_mask != 0).all())
            attention_mask = expand_attention_mask(attention_mask, embeddings.dtype) if is_needed else None
        outputs: BaseModelOutput = self.encoder(embeddings, attention_mask, output_attentions, output_hidden_states)
        pooled_output: torch.Tensor | None = None
        if self.pooler is not None:
            pooled_output = torch.tanh(self.pooler(outputs.last_hidden_state[:, 0]))
        return BaseModelOutputWithPooling(
            last_hidden_state=outputs.last_hidden_state,
            pooler_output=pooled_output,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class AlbertForPreTraining(AlbertPreTrainedModel):
    """ALBERT with both heads of pretraining: it fills in masked tokens, and judges the order of two sentences."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {
        "predictions.decoder.weight": "albert.embeddings.word_embeddings.weight",
        "predictions.decoder.bias": "predictions.bias",
    }

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config)
        self.predictions = AlbertMLMHead(config)
        self.sop_classifier = AlbertSOPHead(config)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.predictions.decoder

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        sentence_order_label: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> AlbertForPreTrainingOutput:
        """Score the vocabulary at every token, and "in order" (index 0) and "swapped" (index 1).

        Args:
            labels: id of the right token at every position, `(batch, length)`; positions with -100 do not count.
            sentence_order_label: the right index, `(batch,)`. There is a loss if both labels are given.

        The other arguments are those of `AlbertModel.forward`; the two sentences are segments 0 and 1.
        """
        outputs: BaseModelOutputWithPooling = self.albert(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        prediction_logits: torch.Tensor = self.predictions(outputs.last_hidden_state)
        sop_logits: torch.Tensor = self.sop_classifier(outputs.pooler_output)
        loss = None
        if labels is not None and sentence_order_label is not None:
            loss = functional.cross_entropy(prediction_logits.view(-1, self.config.vocab_size), labels.view(-1))
            loss = loss + functional.cross_entropy(sop_logits, sentence_order_label.view(-1))
        return AlbertForPreTrainingOutput(
            loss=loss,
            prediction_logits=prediction_logits,
            sop_logits=sop_logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class AlbertForMaskedLM(AlbertPreTrainedModel):
    """ALBERT that fills in masked tokens."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {
        "predictions.decoder.weight": "albert.embeddings.word_embeddings.weight",
        "predictions.decoder.bias": "predictions.bias",
    }

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config, add_pooling_layer=False)
        self.predictions = AlbertMLMHead(config)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.predictions.decoder

    # Copied from add_model.zoo.models.bert.modeling_bert.BertForMaskedLM.forward with bert->albert, Bert->Albert, self.cls->self.predictions
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

        The other arguments are those of `AlbertModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.albert(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor = self.predictions(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.view(-1, self.config.vocab_size), labels.view(-1))
        return MaskedLMOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class AlbertForSequenceClassification(AlbertPreTrainedModel):
    """ALBERT that classifies whole texts, or predicts numbers from them."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    # Copied from add_model.zoo.models.bert.modeling_bert.BertForSequenceClassification.forward with bert->albert, Bert->Albert
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
            labels: the right labels or values, as in `sequence_classification_loss`.

        The other arguments are those of `AlbertModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.albert(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        pooled_output = self.dropout(outputs.pooler_output)
        logits: torch.Tensor = self.classifier(pooled_output)
        loss = None
        if labels is not None:
            loss = sequence_classification_loss(logits, labels, self.config)
        return SequenceClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class AlbertForTokenClassification(AlbertPreTrainedModel):
    """ALBERT that classifies every token."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    # Copied from add_model.zoo.models.bert.modeling_bert.BertForTokenClassification.forward with bert->albert, Bert->Albert
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

        The other arguments are those of `AlbertModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.albert(
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


class AlbertForMultipleChoice(AlbertPreTrainedModel):
    """ALBERT that picks one of several continuations of a text."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, 1)
        self.post_init()

    # Copied from add_model.zoo.models.bert.modeling_bert.BertForMultipleChoice.forward with bert->albert, Bert->Albert
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
    ) -> MultipleChoiceModelOutput:
        """Score every choice.

        Args:
            input_ids, attention_mask, token_type_ids, position_ids: one text for every choice,
                `(batch, choices, length)`.
            inputs_embeds: vectors instead of `input_ids`, `(batch, choices, length, hidden_size)`.
            labels: index of the right choice, `(batch,)`.
            output_attentions, output_hidden_states: as in `AlbertModel.forward`, with all choices in one batch.

        Raises:
            ValueError: both or none of `input_ids` and `inputs_embeds` are given, or the text is too long.
        """
        texts = input_ids if input_ids is not None else inputs_embeds
        if texts is None:
            raise ValueError("pass either input_ids or inputs_embeds")
        number_of_choices = texts.shape[1]
        # Every choice is a text of its own: (batch, choices, length) becomes (batch * choices, length).
        outputs: BaseModelOutputWithPooling = self.albert(
            None if input_ids is None else input_ids.flatten(0, 1),
            attention_mask=None if attention_mask is None else attention_mask.flatten(0, 1),
            token_type_ids=None if token_type_ids is None else token_type_ids.flatten(0, 1),
            position_ids=None if position_ids is None else position_ids.flatten(0, 1),
            inputs_embeds=None if inputs_embeds is None else inputs_embeds.flatten(0, 1),
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        pooled_output = self.dropout(outputs.pooler_output)
        logits: torch.Tensor = self.classifier(pooled_output)
        logits = logits.view(-1, number_of_choices)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits, labels)
        return MultipleChoiceModelOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


# Copied from add_model.zoo.models.bert.modeling_bert.BertForQuestionAnswering with bert->albert, Bert->Albert, BERT->ALBERT
class AlbertForQuestionAnswering(AlbertPreTrainedModel):
    """ALBERT that marks the answer inside a text."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config, add_pooling_layer=False)
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
        """Score every token as the start and as the end of the answer.

        Args:
            start_positions, end_positions: indices of the right tokens, `(batch,)`; both or none.

        The other arguments are those of `AlbertModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.albert(
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
