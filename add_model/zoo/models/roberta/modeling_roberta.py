"""RoBERTa in PyTorch: BERT trained longer, on more text, without the second sentence's task.

The architecture is that of https://arxiv.org/abs/1907.11692, which keeps BERT's layers. What differs comes from the
code that the paper was written with, fairseq: positions are counted from behind the padding token's id on and skip
padding, and the head of the language models has a layer and a normalisation of its own.

Names in the shapes: `batch`, `length` (tokens of a text), `hidden_size`, `heads`, `head_size` (`hidden_size / heads`).
The names of the parameters are those of the published checkpoints.
"""

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
    BaseModelOutputWithPooling,
    BaseModelOutputWithPoolingAndPast,
    CausalLMOutputWithCrossAttentions,
    MaskedLMOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from ...modeling_utils import PreTrainedModel
from .configuration_roberta import RobertaConfig


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


def number_positions(input_ids: torch.Tensor, pad_token_id: int, past_length: int = 0) -> torch.Tensor:
    """Return the position of every token: `pad_token_id` for padding, then one more from token to token.

    Args:
        input_ids: ids of the tokens, `(batch, length)`; padding may stand anywhere.
        pad_token_id: id of the padding token.
        past_length: number of tokens before these.
    """
    is_token = (input_ids != pad_token_id).long()
    return (is_token.cumsum(dim=1) + past_length) * is_token + pad_token_id


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


class RobertaEmbeddings(nn.Module):
    """Adds up the embeddings of a token itself, of its position and of its segment.

    Raises:
        ValueError: the configuration has no padding token, which the positions are counted from.
    """

    def __init__(self, config: RobertaConfig) -> None:
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
        past_length: int = 0,
    ) -> torch.Tensor:
        if position_ids is None:
            if input_ids is not None:
                position_ids = number_positions(input_ids, self.pad_token_id, past_length)
            else:
                # Vectors do not tell which of them are padding, so all of them count.
                assert inputs_embeds is not None
                length = inputs_embeds.shape[1]
                start = self.pad_token_id + 1 + past_length
                position_ids = torch.arange(start, start + length, device=inputs_embeds.device)[None, :]
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


class RobertaSelfAttention(nn.Module):
    """Lets every token gather information from the tokens of the text, of a decoder from those in the cache too."""

    def __init__(self, config: RobertaConfig, layer_index: int) -> None:
        super().__init__()
        if config.hidden_size % config.num_attention_heads != 0:
            raise ValueError(
                f"hidden_size ({config.hidden_size}) must be a multiple of "
                f"num_attention_heads ({config.num_attention_heads})"
            )
        self.config = config
        self.layer_index = layer_index
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = config.hidden_size // config.num_attention_heads
        self.scaling = 1.0 / math.sqrt(self.attention_head_size)
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = config.attention_probs_dropout_prob

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
        query = self.split_heads(self.query(hidden_states))
        key = self.split_heads(self.key(hidden_states))
        value = self.split_heads(self.value(hidden_states))
        if past_key_values is not None:
            key, value = past_key_values.update(self.layer_index, key, value)
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


# Copied from add_model.zoo.models.bert.modeling_bert.BertSelfOutput with Bert->Roberta
class RobertaSelfOutput(nn.Module):
    """Projects what attention gathered and adds it to what the tokens were."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.dropout(hidden_states)
        hidden_states = self.LayerNorm(hidden_states + residual)
        return hidden_states


class RobertaAttention(nn.Module):
    """The attention block of a layer."""

    def __init__(self, config: RobertaConfig, layer_index: int) -> None:
        super().__init__()
        self.self = RobertaSelfAttention(config, layer_index)
        self.output = RobertaSelfOutput(config)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        context, attention_probabilities = self.self(hidden_states, attention_mask, past_key_values, output_attentions)
        attention_output: torch.Tensor = self.output(context, hidden_states)
        return attention_output, attention_probabilities


# Copied from add_model.zoo.models.bert.modeling_bert.BertIntermediate with Bert->Roberta
class RobertaIntermediate(nn.Module):
    """The first half of a layer's feed-forward block."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = get_activation(config.hidden_act)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.activation(hidden_states)
        return hidden_states


# Copied from add_model.zoo.models.bert.modeling_bert.BertOutput with Bert->Roberta
class RobertaOutput(nn.Module):
    """The second half of a layer's feed-forward block."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden_states: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        hidden_states = self.dense(hidden_states)
        hidden_states = self.dropout(hidden_states)
        hidden_states = self.LayerNorm(hidden_states + residual)
        return hidden_states


class RobertaLayer(nn.Module):
    """One layer: attention, then the feed-forward block."""

    def __init__(self, config: RobertaConfig, layer_index: int) -> None:
        super().__init__()
        self.attention = RobertaAttention(config, layer_index)
        self.intermediate = RobertaIntermediate(config)
        self.output = RobertaOutput(config)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        attention_output, attention_probabilities = self.attention(
            hidden_states, attention_mask, past_key_values, output_attentions
        )
        intermediate_output = self.intermediate(attention_output)
        layer_output: torch.Tensor = self.output(intermediate_output, attention_output)
        return layer_output, attention_probabilities


class RobertaEncoder(nn.Module):
    """All layers, one after the other."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList([RobertaLayer(config, index) for index in range(config.num_hidden_layers)])

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        all_hidden_states = [hidden_states]
        all_attentions: list[torch.Tensor] = []
        for layer in self.layer:
            hidden_states, attention_probabilities = layer(
                hidden_states, attention_mask, past_key_values, output_attentions
            )
            all_hidden_states.append(hidden_states)
            if output_attentions:
                all_attentions.append(attention_probabilities)
        return BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden_states,
            past_key_values=past_key_values,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


# Copied from add_model.zoo.models.bert.modeling_bert.BertPooler with Bert->Roberta
class RobertaPooler(nn.Module):
    """Makes one vector of the whole text from its first token."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = nn.Tanh()

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        pooled_output: torch.Tensor = self.dense(hidden_states[:, 0])
        pooled_output = self.activation(pooled_output)
        return pooled_output


class RobertaLMHead(nn.Module):
    """Scores every entry of the vocabulary at every token, behind a layer and a normalisation of its own.

    The weight of `decoder` is tied to the word embeddings, and its bias to `bias`, the name in older checkpoints. The
    activation is GELU whatever `hidden_act` is, as in the published models.
    """

    def __init__(self, config: RobertaConfig) -> None:
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


class RobertaClassificationHead(nn.Module):
    """A hidden layer and a layer that scores the labels, over the first token of the text."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        classifier_dropout = config.classifier_dropout
        if classifier_dropout is None:
            classifier_dropout = config.hidden_dropout_prob
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(classifier_dropout)
        self.out_proj = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Map `(batch, length, hidden_size)` to `(batch, num_labels)`."""
        pooled_output = self.dropout(hidden_states[:, 0])
        pooled_output = torch.tanh(self.dense(pooled_output))
        logits: torch.Tensor = self.out_proj(self.dropout(pooled_output))
        return logits


class RobertaPreTrainedModel(PreTrainedModel):
    """What all RoBERTa models share: configuration, names and initialisation."""

    config_class = RobertaConfig
    base_model_prefix = "roberta"
    # The model without a head may go by the name of another model that the checkpoint was made with.
    _renamed_checkpoint_keys: ClassVar[dict[str, str]] = {r"^\w+\.(?=(?:embeddings|encoder|pooler)\.)": "roberta."}
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (
        r"embeddings\.position_ids$",
        r"embeddings\.token_type_ids$",
    )

    config: RobertaConfig

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


class RobertaModel(RobertaPreTrainedModel):
    """The layers without a head: an encoder, or with `is_decoder` a decoder.

    Args:
        config: the configuration.
        add_pooling_layer: whether to make a vector of the whole text, for the heads that need one.

    Raises:
        ValueError: the configuration asks for cross-attention or relative positions, which this model does not have.
    """

    def __init__(self, config: RobertaConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        if config.add_cross_attention:
            raise ValueError("this model has no cross-attention; set add_cross_attention to False in its config")
        position_embedding_type = getattr(config, "position_embedding_type", "absolute")
        if position_embedding_type != "absolute":
            raise ValueError(f"position_embedding_type must be 'absolute', not {position_embedding_type!r}")
        self.embeddings = RobertaEmbeddings(config)
        self.encoder = RobertaEncoder(config)
        self.pooler = RobertaPooler(config) if add_pooling_layer else None
        self.post_init()

    # Copied from add_model.zoo.models.bert.modeling_bert.BertModel.get_input_embeddings
    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.word_embeddings

    # Copied from add_model.zoo.models.bert.modeling_bert.BertModel.set_input_embeddings
    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, nn.Embedding)
        self.embeddings.word_embeddings = embeddings

    def expand_mask(
        self, attention_mask: torch.Tensor | None, hidden_states: torch.Tensor, past_length: int
    ) -> torch.Tensor | None:
        """Return what is added to the attention scores of new tokens, or `None` if all of them attend to everything.

        Raises:
            ValueError: the attention mask has a wrong shape.
        """
        length = hidden_states.shape[1]
        key_length = past_length + length
        if attention_mask is not None and attention_mask.dim() == 2:
            if attention_mask.shape[1] != key_length:
                raise ValueError(
                    f"the attention mask must have the shape (batch, {key_length}), one value for every token "
                    f"including those in the cache, not {tuple(attention_mask.shape)}"
                )
            if bool((attention_mask != 0).all()):
                attention_mask = None
        if self.config.is_decoder and not (attention_mask is None and length == 1):
            return make_causal_mask(attention_mask, length, key_length, hidden_states.dtype, hidden_states.device)
        return None if attention_mask is None else expand_attention_mask(attention_mask, hidden_states.dtype)

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
    ) -> BaseModelOutputWithPoolingAndPast:
        """Compute the hidden states of texts, with a cache those of the new tokens.

        Args:
            input_ids: ids of the tokens, `(batch, length)`; with a cache only the tokens that it does not hold.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`, tokens in the cache included; or four
                dimensions as in `expand_attention_mask`; everything is attended to when missing.
            token_type_ids: segment of every token, `(batch, length)`; all 0 when missing.
            position_ids: position of every token, `(batch, length)` or `(1, length)`; as `number_positions` counts
                them when missing, which takes every token in the cache for one that is no padding.
            inputs_embeds: vectors instead of `input_ids`, `(batch, length, hidden_size)`.
            past_key_values: the cache of the tokens before, in a decoder; it is extended in place.
            use_cache: whether a decoder returns a cache, `config.use_cache` if missing; an encoder never does.
            output_attentions: whether to return attention probabilities; as configured when missing.
            output_hidden_states: whether to return the output of every layer; as configured when missing.

        Raises:
            ValueError: both or none of `input_ids` and `inputs_embeds` are given, the text is too long, the attention
                mask has a wrong shape, or an encoder is given a cache.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass either input_ids or inputs_embeds")
        if past_key_values is not None and not self.config.is_decoder:
            raise ValueError("an encoder has no use for a cache; set is_decoder in the config")
        use_cache = self.config.is_decoder and (self.config.use_cache if use_cache is None else use_cache)
        if output_attentions is None:
            output_attentions = self.config.output_attentions
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        if use_cache and past_key_values is None:
            past_key_values = KeyValueCache()
        past_length = 0 if past_key_values is None else past_key_values.sequence_length

        embeddings: torch.Tensor = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds, past_length)
        outputs: BaseModelOutputWithPastAndCrossAttentions = self.encoder(
            embeddings,
            self.expand_mask(attention_mask, embeddings, past_length),
            past_key_values,
            output_attentions,
            output_hidden_states,
        )
        return BaseModelOutputWithPoolingAndPast(
            last_hidden_state=outputs.last_hidden_state,
            pooler_output=None if self.pooler is None else self.pooler(outputs.last_hidden_state),
            past_key_values=outputs.past_key_values if use_cache else None,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class RobertaForMaskedLM(RobertaPreTrainedModel):
    """RoBERTa that fills in masked tokens."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {
        "lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight",
        "lm_head.decoder.bias": "lm_head.bias",
    }

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        self.roberta = RobertaModel(config, add_pooling_layer=False)
        self.lm_head = RobertaLMHead(config)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head.decoder

    # Copied from add_model.zoo.models.bert.modeling_bert.BertForMaskedLM.forward with bert->roberta, Bert->Roberta, self.cls->self.lm_head
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

        The other arguments are those of `RobertaModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.roberta(
            input_ids,
            attention_mask=attention_mask,
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
        return MaskedLMOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class RobertaForCausalLM(RobertaPreTrainedModel, GenerationMixin):
    """RoBERTa as a decoder that scores the next token.

    Raises:
        ValueError: the configuration does not set `is_decoder`, without which every token would see what it predicts.
    """

    _tied_weights_keys: ClassVar[dict[str, str]] = {
        "lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight",
        "lm_head.decoder.bias": "lm_head.bias",
    }

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        if not config.is_decoder:
            raise ValueError("a causal language model is a decoder: set is_decoder to True in its config")
        self.roberta = RobertaModel(config, add_pooling_layer=False)
        self.lm_head = RobertaLMHead(config)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head.decoder

    def longest_text(self) -> int | None:
        return self.roberta.embeddings.longest_text

    def prepare_inputs_for_generation(
        self,
        generated_ids: torch.Tensor,
        past_key_values: KeyValueCache | None,
        attention_mask: torch.Tensor,
        encoder_outputs: Any = None,
    ) -> dict[str, Any]:
        """Return the arguments of the next forward pass, with the positions that the whole text would have.

        The cache does not tell which of its tokens are padding, so the positions are counted here. For the arguments
        see `GenerationMixin`.
        """
        model_inputs = super().prepare_inputs_for_generation(
            generated_ids, past_key_values, attention_mask, encoder_outputs
        )
        pad_token_id = self.roberta.embeddings.pad_token_id
        already_seen = generated_ids.shape[1] - model_inputs["input_ids"].shape[1]
        model_inputs["position_ids"] = number_positions(generated_ids, pad_token_id)[:, already_seen:]
        return model_inputs

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
    ) -> CausalLMOutputWithCrossAttentions:
        """Score the next token after every position; for the other arguments see `RobertaModel.forward`.

        Args:
            labels: token ids, `(batch, length)`, usually the input ids themselves: they are shifted here, so that
                every position predicts the label after it. Labels of -100 do not count. No cache is returned then.
        """
        outputs: BaseModelOutputWithPoolingAndPast = self.roberta(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            past_key_values=past_key_values,
            use_cache=use_cache if labels is None else False,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits: torch.Tensor = self.lm_head(outputs.last_hidden_state)
        loss = None
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


class RobertaForSequenceClassification(RobertaPreTrainedModel):
    """RoBERTa that classifies whole texts, or predicts numbers from them."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        self.roberta = RobertaModel(config, add_pooling_layer=False)
        self.classifier = RobertaClassificationHead(config)
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

        The other arguments are those of `RobertaModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.roberta(
            input_ids,
            attention_mask=attention_mask,
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
        return SequenceClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


# Copied from add_model.zoo.models.bert.modeling_bert.BertForTokenClassification with bert->roberta, Bert->Roberta, BERT->RoBERTa
class RobertaForTokenClassification(RobertaPreTrainedModel):
    """RoBERTa that classifies every token."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        self.roberta = RobertaModel(config, add_pooling_layer=False)
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

        The other arguments are those of `RobertaModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.roberta(
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


class RobertaForMultipleChoice(RobertaPreTrainedModel):
    """RoBERTa that picks one of several continuations of a text."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        self.roberta = RobertaModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, 1)
        self.post_init()

    # Copied from add_model.zoo.models.bert.modeling_bert.BertForMultipleChoice.forward with bert->roberta, Bert->Roberta
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
            output_attentions, output_hidden_states: as in `RobertaModel.forward`, with all choices in one batch.

        Raises:
            ValueError: both or none of `input_ids` and `inputs_embeds` are given, or the text is too long.
        """
        texts = input_ids if input_ids is not None else inputs_embeds
        if texts is None:
            raise ValueError("pass either input_ids or inputs_embeds")
        number_of_choices = texts.shape[1]
        # Every choice is a text of its own: (batch, choices, length) becomes (batch * choices, length).
        outputs: BaseModelOutputWithPooling = self.roberta(
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


# Copied from add_model.zoo.models.bert.modeling_bert.BertForQuestionAnswering with bert->roberta, Bert->Roberta, BERT->RoBERTa
class RobertaForQuestionAnswering(RobertaPreTrainedModel):
    """RoBERTa that marks the answer inside a text."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        self.roberta = RobertaModel(config, add_pooling_layer=False)
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

        The other arguments are those of `RobertaModel.forward`.
        """
        outputs: BaseModelOutputWithPooling = self.roberta(
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
