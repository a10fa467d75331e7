"""DistilBERT in PyTorch: a smaller, faster BERT that was distilled from the full one.

The architecture is that of https://arxiv.org/abs/1910.01108: BERT with half the layers, without segments and without
a vector of the whole text. Both normalisations of a layer and of the embeddings have the epsilon 1e-12, as the
configuration of the published checkpoints does not name any.

Names in the shapes: `batch`, `length` (tokens of a text), `hidden_size`, `heads`, `head_size` (`hidden_size / heads`).
The names of the parameters are those of the published checkpoints.
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
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from ...modeling_utils import PreTrainedModel
from .configuration_distilbert import DistilBertConfig

LAYER_NORM_EPSILON = 1e-12


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


def sinusoidal_positions(number: int, size: int) -> torch.Tensor:
    """Return `sin(position / 10000^(i / size))` in the even lanes `i`, the cosine of the same in the lanes behind them.

    This is section 3.5 of https://arxiv.org/abs/1706.03762; the result is `(number, size)`.
    """
    lanes = torch.arange(0, size, 2, dtype=torch.float64)
    angles = torch.arange(number, dtype=torch.float64)[:, None] / 10000 ** (lanes / size)
    positions = torch.empty(number, size)
    positions[:, 0::2] = angles.sin().float()
    positions[:, 1::2] = angles[:, : size // 2].cos().float()
    return positions


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


class DistilBertEmbeddings(nn.Module):
    """Adds up the embeddings of a token itself and of its position."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.dim, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.dim)
        self.LayerNorm = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPSILON)
        self.dropout = nn.Dropout(config.dropout)
        self.max_position_embeddings = config.max_position_embeddings

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
    ) -> torch.Tensor:
        if input_ids is not None:
            inputs_embeds = look_up_tokens(self.word_embeddings, input_ids)
        assert inputs_embeds is not None
        length = inputs_embeds.shape[1]
        if position_ids is None:
            if length > self.max_position_embeddings:
                raise ValueError(
                    f"the text has {length} tokens, the model takes {self.max_position_embeddings}; "
                    "cut it, for example with truncation=True in the tokenizer"
                )
            position_ids = torch.arange(length, device=inputs_embeds.device)[None, :]
        embeddings: torch.Tensor = inputs_embeds + self.position_embeddings(position_ids)
        embeddings = self.LayerNorm(embeddings)
        embeddings = self.dropout(embeddings)
        return embeddings


class DistilBertSelfAttention(nn.Module):
    """Lets every token gather information from all tokens of the text."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        if config.dim % config.n_heads != 0:
            raise ValueError(f"dim ({config.dim}) must be a multiple of n_heads ({config.n_heads})")
        self.config = config
        self.num_attention_heads = config.n_heads
        self.attention_head_size = config.dim // config.n_heads
        self.scaling = 1.0 / math.sqrt(self.attention_head_size)
        self.q_lin = nn.Linear(config.dim, config.dim)
        self.k_lin = nn.Linear(config.dim, config.dim)
        self.v_lin = nn.Linear(config.dim, config.dim)
        self.out_lin = nn.Linear(config.dim, config.dim)

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
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        query = self.split_heads(self.q_lin(hidden_states))
        key = self.split_heads(self.k_lin(hidden_states))
        value = self.split_heads(self.v_lin(hidden_states))
        dropout = self.config.attention_dropout if self.training else 0.0

        probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            context, probabilities = eager_attention(query, key, value, attention_mask, self.scaling, dropout)
        else:
            context = sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)
        context = context.transpose(1, 2).reshape(hidden_states.shape)
        return self.out_lin(context), probabilities


class DistilBertFeedForward(nn.Module):
    """The feed-forward block of a layer."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.lin1 = nn.Linear(config.dim, config.hidden_dim)
        self.activation = get_activation(config.activation)
        self.lin2 = nn.Linear(config.hidden_dim, config.dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.lin1(hidden_states)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.lin2(hidden_states)
        hidden_states = self.dropout(hidden_states)
        return hidden_states


class DistilBertLayer(nn.Module):
    """One layer: attention and the feed-forward block, each followed by a residual and a normalisation."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.attention = DistilBertSelfAttention(config)
        self.sa_layer_norm = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPSILON)
        self.ffn = DistilBertFeedForward(config)
        self.output_layer_norm = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPSILON)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        attention_output, probabilities = self.attention(hidden_states, attention_mask, output_attentions)
        hidden_states = self.sa_layer_norm(attention_output + hidden_states)
        hidden_states = self.output_layer_norm(self.ffn(hidden_states) + hidden_states)
        return hidden_states, probabilities


class DistilBertTransformer(nn.Module):
    """All layers, one after the other."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList([DistilBertLayer(config) for _ in range(config.n_layers)])

    # Copied from add_model.zoo.models.bert.modeling_bert.BertEncoder.forward
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


class DistilBertPreTrainedModel(PreTrainedModel):
    """What all DistilBERT models share: configuration, names and initialisation."""

    config_class = DistilBertConfig
    base_model_prefix = "distilbert"
    # The model without a head may go by the name of another model that the checkpoint was made with.
    _renamed_checkpoint_keys: ClassVar[dict[str, str]] = {r"^\w+\.(?=(?:embeddings|transformer)\.)": "distilbert."}
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"embeddings\.position_ids$",)

    config: DistilBertConfig

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            module.weight.normal_(mean=0.0, std=self.config.initializer_range)
            module.bias.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(mean=0.0, std=self.config.initializer_range)
            if module.padding_idx is not None:
                module.weight[module.padding_idx].zero_()
        elif isinstance(module, nn.LayerNorm):
            module.weight.fill_(1.0)
            module.bias.zero_()
        elif isinstance(module, DistilBertEmbeddings) and self.config.sinusoidal_pos_embds:
            positions = module.position_embeddings.weight
            positions.copy_(sinusoidal_positions(*positions.shape))


class DistilBertModel(DistilBertPreTrainedModel):
    """The encoder, without a head."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.embeddings = DistilBertEmbeddings(config)
        self.transformer = DistilBertTransformer(config)
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
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutput:
        """Encode texts.

        Args:
            input_ids: ids of the tokens, `(batch, length)`.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`, or four dimensions as in
                `expand_attention_mask`; everything is attended to when missing.
            position_ids: position of every token, `(batch, length)` or `(1, length)`; 0, 1, 2, ... when missing.
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

        embeddings: torch.Tensor = self.embeddings(input_ids, position_ids, inputs_embeds)
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
        outputs: BaseModelOutput = self.transformer(
            embeddings, attention_mask, output_attentions, output_hidden_states
        )
        return outputs


class DistilBertForMaskedLM(DistilBertPreTrainedModel):
    """DistilBERT that fills in masked tokens; the weight of `vocab_projector` is tied to the word embeddings."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {
        "vocab_projector.weight": "distilbert.embeddings.word_embeddings.weight"
    }

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.distilbert = DistilBertModel(config)
        self.vocab_transform = nn.Linear(config.dim, config.dim)
        self.activation = get_activation(config.activation)
        self.vocab_layer_norm = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPSILON)
        self.vocab_projector = nn.Linear(config.dim, config.vocab_size)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.vocab_projector

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> MaskedLMOutput:
        """Score the vocabulary at every token.

        Args:
            labels: id of the right token at every position, `(batch, length)`; positions with -100 do not count.

        The other arguments are those of `DistilBertModel.forward`.
        """
        outputs: BaseModelOutput = self.distilbert(
            input_ids, attention_mask, position_ids, inputs_embeds, output_attentions, output_hidden_states
        )
        hidden_states = self.activation(self.vocab_transform(outputs.last_hidden_state))
        logits: torch.Tensor = self.vocab_projector(self.vocab_layer_norm(hidden_states))
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.view(-1, self.config.vocab_size), labels.view(-1))
        return MaskedLMOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class DistilBertForSequenceClassification(DistilBertPreTrainedModel):
    """DistilBERT that classifies whole texts, or predicts numbers from them, by their first token."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.distilbert = DistilBertModel(config)
        self.pre_classifier = nn.Linear(config.dim, config.dim)
        self.dropout = nn.Dropout(config.seq_classif_dropout)
        self.classifier = nn.Linear(config.dim, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> SequenceClassifierOutput:
        """Score every label of every text.

        Args:
            labels: the right labels or values, as in `sequence_classification_loss`.

        The other arguments are those of `DistilBertModel.forward`.
        """
        outputs: BaseModelOutput = self.distilbert(
            input_ids, attention_mask, position_ids, inputs_embeds, output_attentions, output_hidden_states
        )
        pooled_output = functional.relu(self.pre_classifier(outputs.last_hidden_state[:, 0]))
        logits: torch.Tensor = self.classifier(self.dropout(pooled_output))
        loss = None
        if labels is not None:
            loss = sequence_classification_loss(logits, labels, self.config)
        return SequenceClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class DistilBertForTokenClassification(DistilBertPreTrainedModel):
    """DistilBERT that classifies every token."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.distilbert = DistilBertModel(config)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(config.dim, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> TokenClassifierOutput:
        """Score every label of every token.

        Args:
            labels: the right label of every token, `(batch, length)`; positions with -100 do not count.

        The other arguments are those of `DistilBertModel.forward`.
        """
        outputs: BaseModelOutput = self.distilbert(
            input_ids, attention_mask, position_ids, inputs_embeds, output_attentions, output_hidden_states
        )
        logits: torch.Tensor = self.classifier(self.dropout(outputs.last_hidden_state))
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.view(-1, self.config.num_labels), labels.view(-1))
        return TokenClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class DistilBertForMultipleChoice(DistilBertPreTrainedModel):
    """DistilBERT that picks one of several continuations of a text, by the first token of each."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.distilbert = DistilBertModel(config)
        self.pre_classifier = nn.Linear(config.dim, config.dim)
        self.dropout = nn.Dropout(config.seq_classif_dropout)
        self.classifier = nn.Linear(config.dim, 1)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> MultipleChoiceModelOutput:
        """Score every choice.

        Args:
            input_ids, attention_mask, position_ids: one text for every choice, `(batch, choices, length)`.
            inputs_embeds: vectors instead of `input_ids`, `(batch, choices, length, hidden_size)`.
            labels: index of the right choice, `(batch,)`.
            output_attentions, output_hidden_states: as in `DistilBertModel.forward`, with all choices in one batch.

        Raises:
            ValueError: both or none of `input_ids` and `inputs_embeds` are given, or the text is too long.
        """
        texts = input_ids if input_ids is not None else inputs_embeds
        if texts is None:
            raise ValueError("pass either input_ids or inputs_embeds")
        # Every choice is a text of its own: (batch, choices, length) becomes (batch * choices, length).
        outputs: BaseModelOutput = self.distilbert(
            None if input_ids is None else input_ids.flatten(0, 1),
            None if attention_mask is None else attention_mask.flatten(0, 1),
            None if position_ids is None else position_ids.flatten(0, 1),
            None if inputs_embeds is None else inputs_embeds.flatten(0, 1),
            output_attentions,
            output_hidden_states,
        )
        pooled_output = functional.relu(self.pre_classifier(outputs.last_hidden_state[:, 0]))
        logits: torch.Tensor = self.classifier(self.dropout(pooled_output)).view(-1, texts.shape[1])
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits, labels)
        return MultipleChoiceModelOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )


class DistilBertForQuestionAnswering(DistilBertPreTrainedModel):
    """DistilBERT that marks the answer inside a text."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.distilbert = DistilBertModel(config)
        self.dropout = nn.Dropout(config.qa_dropout)
        self.qa_outputs = nn.Linear(config.dim, 2)
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
        """Score every token as the start and as the end of the answer.

        Args:
            start_positions, end_positions: indices of the right tokens, `(batch,)`; both or none.

        The other arguments are those of `DistilBertModel.forward`.
        """
        outputs: BaseModelOutput = self.distilbert(
            input_ids, attention_mask, position_ids, inputs_embeds, output_attentions, output_hidden_states
        )
        logits: torch.Tensor = self.qa_outputs(self.dropout(outputs.last_hidden_state))
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
