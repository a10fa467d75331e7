"""BART: an encoder-decoder that turns one text into another."""

from .configuration_bart import BartConfig
from .modeling_bart import (
    BartForCausalLM,
    BartForConditionalGeneration,
    BartForQuestionAnswering,
    BartForSequenceClassification,
    BartModel,
    BartPreTrainedModel,
)
from .tokenization_bart import BartTokenizer

__all__ = [
    "BartConfig",
    "BartForCausalLM",
    "BartForConditionalGeneration",
    "BartForQuestionAnswering",
    "BartForSequenceClassification",
    "BartModel",
    "BartPreTrainedModel",
    "BartTokenizer",
]
