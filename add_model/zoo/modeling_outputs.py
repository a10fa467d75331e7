"""What the models return: plain dataclasses whose fields are tensors.

Every output can be read by field name (`outputs.logits`), by key (`outputs["logits"]`) and by position
(`outputs[0]`); positions count only the fields that are not `None`.

Shapes are written with these names: `batch`, `length` (tokens of the input), `target_length` (tokens of the decoder
input), `source_length` (tokens of the encoder input), `hidden_size`, `heads`, `vocab_size`, `num_labels`, `choices`.
"""

from dataclasses import dataclass, fields
from typing import Any

import torch

from .key_value_cache import KeyValueCache

TensorTuple = tuple[torch.Tensor, ...]


@dataclass(kw_only=True)
class ModelOutput:
    """Base of all outputs."""

    def to_tuple(self) -> tuple[Any, ...]:
        """Return the values of the fields that are not `None`, in the order of the fields."""
        values = (getattr(self, field.name) for field in fields(self))
        return tuple(value for value in values if value is not None)

    def __getitem__(self, key: int | str) -> Any:
        """Return a field by its name, or by its position among the fields that are not `None`.

        Raises:
            KeyError: no field has the name `key`.
            IndexError: there are not that many fields with a value.
        """
        if isinstance(key, int):
            return self.to_tuple()[key]
        if key not in (field.name for field in fields(self)):
            raise KeyError(key)
        return getattr(self, key)


@dataclass(kw_only=True)
class BaseModelOutput(ModelOutput):
    """Output of an encoder.

    Attributes:
        last_hidden_state: output of the last layer, `(batch, length, hidden_size)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    last_hidden_state: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class BaseModelOutputWithPooling(ModelOutput):
    """Output of an encoder that also sums up the whole sequence in one vector.

    Attributes:
        last_hidden_state: output of the last layer, `(batch, length, hidden_size)`.
        pooler_output: the vector of the whole sequence, `(batch, hidden_size)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    last_hidden_state: torch.Tensor
    pooler_output: torch.Tensor | None = None
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class BaseModelOutputWithPoolingAndPast(BaseModelOutputWithPooling):
    """Output of an encoder that also sums up the whole sequence in one vector, and that can be a decoder instead.

    Attributes:
        past_key_values: the cache of a decoder, filled up to the last token of the input.
    """

    past_key_values: KeyValueCache | None = None


@dataclass(kw_only=True)
class BaseModelOutputWithPastAndCrossAttentions(ModelOutput):
    """Output of a decoder.

    Attributes:
        last_hidden_state: output of the last layer, `(batch, length, hidden_size)`.
        past_key_values: the cache, filled up to the last token of the input.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: self-attention probabilities of every layer, each `(batch, heads, length, length)`; the last
            size also counts the tokens that came from the cache.
        cross_attentions: attention probabilities over the encoder's output, each
            `(batch, heads, length, source_length)`.
    """

    last_hidden_state: torch.Tensor
    past_key_values: KeyValueCache | None = None
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None
    cross_attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class Seq2SeqModelOutput(ModelOutput):
    """Output of an encoder-decoder.

    Attributes:
        last_hidden_state: output of the decoder's last layer, `(batch, target_length, hidden_size)`.
        past_key_values: the decoder's cache.
        decoder_hidden_states: the decoder's embeddings and the output of every decoder layer, each
            `(batch, target_length, hidden_size)`.
        decoder_attentions: the decoder's self-attention probabilities, each
            `(batch, heads, target_length, target_length)`.
        cross_attentions: the decoder's attention probabilities over the encoder's output, each
            `(batch, heads, target_length, source_length)`.
        encoder_last_hidden_state: output of the encoder's last layer, `(batch, source_length, hidden_size)`.
        encoder_hidden_states: the encoder's embeddings and the output of every encoder layer, each
            `(batch, source_length, hidden_size)`.
        encoder_attentions: the encoder's self-attention probabilities, each
            `(batch, heads, source_length, source_length)`.
    """

    last_hidden_state: torch.Tensor
    past_key_values: KeyValueCache | None = None
    decoder_hidden_states: TensorTuple | None = None
    decoder_attentions: TensorTuple | None = None
    cross_attentions: TensorTuple | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: TensorTuple | None = None
    encoder_attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class MaskedLMOutput(ModelOutput):
    """Output of a masked language model.

    Attributes:
        loss: mean cross-entropy over the labelled tokens, a scalar; present when labels were given.
        logits: score of every vocabulary entry at every position, `(batch, length, vocab_size)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class CausalLMOutputWithCrossAttentions(ModelOutput):
    """Output of a language model that predicts the next token.

    Attributes:
        loss: mean cross-entropy of the next tokens, a scalar; present when labels were given.
        logits: score of every vocabulary entry after every position, `(batch, length, vocab_size)`.
        past_key_values: the cache, filled up to the last token of the input.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: self-attention probabilities of every layer, each `(batch, heads, length, length)`.
        cross_attentions: attention probabilities over an encoder's output, each
            `(batch, heads, length, source_length)`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    past_key_values: KeyValueCache | None = None
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None
    cross_attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class Seq2SeqLMOutput(ModelOutput):
    """Output of an encoder-decoder language model.

    Attributes:
        loss: mean cross-entropy over the labelled tokens, a scalar; present when labels were given.
        logits: score of every vocabulary entry at every target position, `(batch, target_length, vocab_size)`.
        past_key_values: the decoder's cache.
        decoder_hidden_states: as in `Seq2SeqModelOutput`, each `(batch, target_length, hidden_size)`.
        decoder_attentions: as in `Seq2SeqModelOutput`, each `(batch, heads, target_length, target_length)`.
        cross_attentions: as in `Seq2SeqModelOutput`, each `(batch, heads, target_length, source_length)`.
        encoder_last_hidden_state: output of the encoder's last layer, `(batch, source_length, hidden_size)`.
        encoder_hidden_states: as in `Seq2SeqModelOutput`, each `(batch, source_length, hidden_size)`.
        encoder_attentions: as in `Seq2SeqModelOutput`, each `(batch, heads, source_length, source_length)`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    past_key_values: KeyValueCache | None = None
    decoder_hidden_states: TensorTuple | None = None
    decoder_attentions: TensorTuple | None = None
    cross_attentions: TensorTuple | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: TensorTuple | None = None
    encoder_attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class NextSentencePredictorOutput(ModelOutput):
    """Output of a model that judges whether the second sentence follows the first.

    Attributes:
        loss: mean cross-entropy, a scalar; present when labels were given.
        logits: scores of "it follows" and "it does not", `(batch, 2)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class SequenceClassifierOutput(ModelOutput):
    """Output of a model that classifies whole sequences.

    Attributes:
        loss: the loss of the configuration's `problem_type`, a scalar; present when labels were given.
        logits: score of every label, `(batch, num_labels)`; the predicted value when `num_labels` is 1.
        past_key_values: the cache, when the model is a decoder.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    past_key_values: KeyValueCache | None = None
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class Seq2SeqSequenceClassifierOutput(ModelOutput):
    """Output of an encoder-decoder that classifies whole sequences.

    Attributes:
        loss: the loss of the configuration's `problem_type`, a scalar; present when labels were given.
        logits: score of every label, `(batch, num_labels)`; the predicted value when `num_labels` is 1.
        past_key_values: the decoder's cache.
        decoder_hidden_states: as in `Seq2SeqModelOutput`, each `(batch, target_length, hidden_size)`.
        decoder_attentions: as in `Seq2SeqModelOutput`, each `(batch, heads, target_length, target_length)`.
        cross_attentions: as in `Seq2SeqModelOutput`, each `(batch, heads, target_length, source_length)`.
        encoder_last_hidden_state: output of the encoder's last layer, `(batch, source_length, hidden_size)`.
        encoder_hidden_states: as in `Seq2SeqModelOutput`, each `(batch, source_length, hidden_size)`.
        encoder_attentions: as in `Seq2SeqModelOutput`, each `(batch, heads, source_length, source_length)`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    past_key_values: KeyValueCache | None = None
    decoder_hidden_states: TensorTuple | None = None
    decoder_attentions: TensorTuple | None = None
    cross_attentions: TensorTuple | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: TensorTuple | None = None
    encoder_attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class TokenClassifierOutput(ModelOutput):
    """Output of a model that classifies every token.

    Attributes:
        loss: mean cross-entropy over the labelled tokens, a scalar; present when labels were given.
        logits: score of every label at every position, `(batch, length, num_labels)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class MultipleChoiceModelOutput(ModelOutput):
    """Output of a model that picks one of several continuations.

    Attributes:
        loss: mean cross-entropy, a scalar; present when labels were given.
        logits: score of every choice, `(batch, choices)`.
        hidden_states: the embeddings and the output of every layer, each `(batch * choices, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch * choices, heads, length, length)`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class QuestionAnsweringModelOutput(ModelOutput):
    """Output of a model that marks the answer inside the text.

    Attributes:
        loss: mean of the cross-entropies of start and end, a scalar; present when both positions were given.
        start_logits: score of every token as the start of the answer, `(batch, length)`.
        end_logits: score of every token as the end of the answer, `(batch, length)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    loss: torch.Tensor | None = None
    start_logits: torch.Tensor
    end_logits: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class Seq2SeqQuestionAnsweringModelOutput(ModelOutput):
    """Output of an encoder-decoder that marks the answer inside the text.

    Attributes:
        loss: mean of the cross-entropies of start and end, a scalar; present when both positions were given.
        start_logits: score of every token as the start of the answer, `(batch, target_length)`.
        end_logits: score of every token as the end of the answer, `(batch, target_length)`.
        past_key_values: the decoder's cache.
        decoder_hidden_states: as in `Seq2SeqModelOutput`, each `(batch, target_length, hidden_size)`.
        decoder_attentions: as in `Seq2SeqModelOutput`, each `(batch, heads, target_length, target_length)`.
        cross_attentions: as in `Seq2SeqModelOutput`, each `(batch, heads, target_length, source_length)`.
        encoder_last_hidden_state: output of the encoder's last layer, `(batch, source_length, hidden_size)`.
        encoder_hidden_states: as in `Seq2SeqModelOutput`, each `(batch, source_length, hidden_size)`.
        encoder_attentions: as in `Seq2SeqModelOutput`, each `(batch, heads, source_length, source_length)`.
    """

    loss: torch.Tensor | None = None
    start_logits: torch.Tensor
    end_logits: torch.Tensor
    past_key_values: KeyValueCache | None = None
    decoder_hidden_states: TensorTuple | None = None
    decoder_attentions: TensorTuple | None = None
    cross_attentions: TensorTuple | None = None
    encoder_last_hidden_state: torch.Tensor | None = None
    encoder_hidden_states: TensorTuple | None = None
    encoder_attentions: TensorTuple | None = None
