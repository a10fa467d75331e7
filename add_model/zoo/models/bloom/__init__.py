"""BLOOM: a decoder that continues a text in any of many languages, with linear biases in place of positions."""

from .configuration_bloom import BloomConfig
from .modeling_bloom import (
    BloomForCausalLM,
    BloomForQuestionAnswering,
    BloomForSequenceClassification,
    BloomForTokenClassification,
    BloomModel,
    BloomPreTrainedModel,
)
from .tokenization_bloom import BloomTokenizer

__all__ = [
    "BloomConfig",
    "BloomForCausalLM",
    "BloomForQuestionAnswering",
    "BloomForSequenceClassification",
    "BloomForTokenClassification",
    "BloomModel",
    "BloomPreTrainedModel",
    "BloomTokenizer",
]
