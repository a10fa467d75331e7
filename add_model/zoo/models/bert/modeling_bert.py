"""BERT in PyTorch: an encoder that reads a text in both directions.

The architecture is that of https://arxiv.org/abs/1810.04805.

Names in the shapes: `batch`, `length` (tokens of a text), `hidden_size`, `heads`, `head_size` (`hidden_size / heads`).
The names of the parameters are those of the published checkpoints.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...configuration_utils import PreTrainedConfig
from ...modeling_outputs import (
    BaseModelOutput,
    BaseModelOutputWithPooling,
    MaskedLMOutput,
    MultipleChoiceModelOutput,
    NextSentencePredictorOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from ...modeling_utils import PreTrainedModel
from .configuration_bert import BertConfig


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


class BertEmbeddings(nn.Module):
    """Adds up the embeddings of a token itself, of its position and of its segment."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
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


class BertSelfAttention(nn.Module):
    """Lets every token gather information from all tokens of the text."""

    def __init__(self, config: BertConfig) -> None:
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
        self.dropout = config.attention_probs_dropout_prob

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
        return context, attention_probabilities


class BertSelfOutput(nn.Module):
    """Projects what attention gathered and adds it to what the tokens were."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.dropout(hidden_states)
        hidden_states = self.LayerNorm(hidden_states + residual)
        return hidden_states


class BertAttention(nn.Module):
    """The attention block of a layer."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.self = BertSelfAttention(config)
        self.output = BertSelfOutput(config)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        context, attention_probabilities = self.self(hidden_states, attention_mask, output_attentions)
        attention_output: torch.Tensor = self.output(context, hidden_states)
        return attention_output, attention_probabilities


class BertIntermediate(nn.Module):
    """The first half of a layer's feed-forward block."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = get_activation(config.hidden_act)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.activation(hidden_states)
        return hidden_states


class BertOutput(nn.Module):
    """The second half of a layer's feed-forward block."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.dropout(hidden_states)
        hidden_states = self.LayerNorm(hidden_states + residual)
        return hidden_states


class BertLayer(nn.Module):
    """One layer: attention, then the feed-forward block."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = BertAttention(config)
        self.intermediate = BertIntermediate(config)
        self.output = BertOutput(config)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        attention_output, attention_probabilities = self.attention(hidden_states, attention_mask, output_attentions)
        intermediate_output = self.intermediate(attention_output)
        layer_output: torch.Tensor = self.output(intermediate_output, attention_output)
        return layer_output, attention_probabilities


class BertEncoder(nn.Module):
    """All layers, one after the other."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList([BertLayer(config) for _ in range(config.num_hidden_layers)])

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> BaseModelOutput:
        all_hidden_states = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        for layer in self.layer:
            hidden_states, attention_probabilities = layer(hidden_states, attention_mask, output_attentions)
            all_hidden_states.append(hidden_states)
            if output_attentions:
                all_attentions.append(attention_probabilities)
        return BaseModelOutput(
            last_hidden_state=hidden_states,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


class BertPooler(nn.Module):
    """Makes one vector of the whole text from its first token."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = nn.Tanh()

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        pooled_output: torch.Tensor = self.dense(hidden_states[:, 0])
        pooled_output = self.activation(pooled_output)
        return pooled_output


class BertPredictionHeadTransform(nn.Module):
    """Prepares the vectors of the tokens for the scores of the vocabulary."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = get_activation(config.hidden_act)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.LayerNorm(hidden_states)
        return hidden_states


class BertLMPredictionHead(nn.Module):
    """Scores every entry of the vocabulary at every token.

    The weight of `decoder` is tied to the word embeddings, and its bias to `bias`, the name in older checkpoints.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.transform = BertPredictionHeadTransform(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.transform(hidden_states)
        hidden_states = self.decoder(hidden_states)
        return hidden_states


class BertOnlyMLMHead(nn.Module):
    """The head of the masked language model; it gives the published names of the weights their prefix."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.predictions = BertLMPredictionHead(config)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.predictions(hidden_states)
        return hidden_states


class BertOnlyNSPHead(nn.Module):
    """The head that judges whether the second sentence follows the first."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(self, pooled_output: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.seq_relationship(pooled_output)
        return logits


class BertPreTrainedModel(PreTrainedModel):
    """What all BERT models share: configuration, names and initialisation."""

    config_class = BertConfig
    base_model_prefix = "bert"
    # The first checkpoints call a layer normalisation's scale and shift by their names in the formula. The model
    # without a head may go by the name of another model that the checkpoint was made with.
    _renamed_checkpoint_keys = {
        r"^\w+\.(?=(?:embeddings|encoder|pooler)\.)": "bert.",
        r"LayerNorm\.gamma$": "LayerNorm.weight",
        r"LayerNorm\.beta$": "LayerNorm.bias",
    }
    _ignored_checkpoint_keys = (r"embeddings\.position_ids$",)

    config: BertConfig

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


class BertModel(BertPreTrainedModel):
    """The encoder, without a head.

    Args:
        config: the configuration.
        add_pooling_layer: whether to make a vector of the whole text, for the heads that classify texts.

    Raises:
        ValueError: the configuration asks for a decoder or for relative positions, which this model does not have.
    """

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        if config.is_decoder or config.add_cross_attention:
            raise ValueError("this model is an encoder: set is_decoder and add_cross_attention to false")
        position_embedding_type = getattr(config, "position_embedding_type", "absolute")
        if position_embedding_type != "absolute":
            raise ValueError(f"position_embedding_type must be 'absolute', not {position_embedding_type!r}")
        self.embeddings = BertEmbeddings(config)
        self.encoder = BertEncoder(config)
        self.pooler = BertPooler(config) if add_pooling_layer else None
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.word_embeddings

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
            inputs_embeds: vectors instead of `input_ids`, `(batch, length, hidden_size)`.
            output_attentions: whether to return attention probabilities; as configured when missing.
            output_hidden_states: whether to return the output of every layer; as configured when missing.

        Raises:
            ValueError: both or none of `input_ids` and `inputs_embeds` are given, or the text is too long.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass either input_ids or inputs_embeds")
        if output_attentions is None:
            output_attentions = self.config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states

        embeddings: torch.Tensor = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)
        if attention_mask is not None:
            attention_mask = expand_attention_mask(attention_mask, embeddings.dtype)
        encoder_outputs: BaseModelOutput = self.encoder(
            embeddings, attention_mask, output_attentions, output_hidden_states
        )
        return BaseModelOutputWithPooling(
            last_hidden_state=encoder_outputs.last_hidden_state,
            pooler_output=None if self.pooler is None else self.pooler(encoder_outputs.last_hidden_state),
            hidden_states=encoder_outputs.hidden_states,
            attentions=encoder_outputs.attentions,
        )


class BertForMaskedLM(BertPreTrainedModel):
    """BERT that fills in masked tokens."""

    _tied_weights_keys = {
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    }

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.cls = BertOnlyMLMHead(config)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.cls.predictions.decoder

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

        The other arguments are those of `BertModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.bert(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor = self.cls(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.view(-1, self.config.vocab_size), labels.view(-1))
        return MaskedLMOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class BertForNextSentencePrediction(BertPreTrainedModel):
    """BERT that judges whether the second sentence follows the first."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.cls = BertOnlyNSPHead(config)
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
    ) -> NextSentencePredictorOutput:
        """Score "it follows" (index 0) and "it does not" (index 1).

        Args:
            labels: the right index, `(batch,)`.

        The other arguments are those of `BertModel.forward`; the two sentences are segments 0 and 1.
        """
        outputs: BaseModelOutputWithPooling = self.bert(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor = self.cls(outputs.pooler_output)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits, labels.view(-1))
        return NextSentencePredictorOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class BertForSequenceClassification(BertPreTrainedModel):
    """BERT that classifies whole texts, or predicts numbers from them."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        classifier_dropout = config.classifier_dropout
        if classifier_dropout is None:
            classifier_dropout = config.hidden_dropout_prob
        self.dropout = nn.Dropout(classifier_dropout)
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
    ) -> SequenceClassifierOutput:
        """Score every label of every text.

        Args:
            labels: the right labels or values, as in `sequence_classification_loss`.

        The other arguments are those of `BertModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.bert(
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


class BertForTokenClassification(BertPreTrainedModel):
    """BERT that classifies every token."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        classifier_dropout = config.classifier_dropout
        if classifier_dropout is None:
            classifier_dropout = config.hidden_dropout_prob
        self.dropout = nn.Dropout(classifier_dropout)
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
        """Score every label of every token.

        Args:
            labels: the right label of every token, `(batch, length)`; positions with -100 do not count.

        The other arguments are those of `BertModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.bert(
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


class BertForMultipleChoice(BertPreTrainedModel):
    """BERT that picks one of several continuations of a text."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        classifier_dropout = config.classifier_dropout
        if classifier_dropout is None:
            classifier_dropout = config.hidden_dropout_prob
        self.dropout = nn.Dropout(classifier_dropout)
        self.classifier = nn.Linear(config.hidden_size, 1)
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
    ) -> MultipleChoiceModelOutput:
        """Score every choice.

        Args:
            input_ids, attention_mask, token_type_ids, position_ids: one text for every choice,
                `(batch, choices, length)`.
            inputs_embeds: vectors instead of `input_ids`, `(batch, choices, length, hidden_size)`.
            labels: index of the right choice, `(batch,)`.
            output_attentions, output_hidden_states: as in `BertModel.forward`, with all choices in one batch.

        Raises:
            ValueError: both or none of `input_ids` and `inputs_embeds` are given, or the text is too long.
        """
        texts = input_ids if input_ids is not None else inputs_embeds
        if texts is None:
            raise ValueError("pass either input_ids or inputs_embeds")
        number_of_choices = texts.shape[1]
        # Every choice is a text of its own: (batch, choices, length) becomes (batch * choices, length).
        outputs: BaseModelOutputWithPooling = self.bert(
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


class BertForQuestionAnswering(BertPreTrainedModel):
    """BERT that marks the answer inside a text."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
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

        The other arguments are those of `BertModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.bert(
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
