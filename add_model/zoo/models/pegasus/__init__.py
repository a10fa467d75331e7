"""Pegasus: an encoder-decoder that is made for summaries."""

from .configuration_pegasus import PegasusConfig
from .modeling_pegasus import (
    PegasusForCausalLM,
    PegasusForConditionalGeneration,
    PegasusModel,
    PegasusPreTrainedModel,
)
from .tokenization_pegasus import PegasusTokenizer

__all__ = [
    "PegasusConfig",
    "PegasusForCausalLM",
    "PegasusForConditionalGeneration",
    "PegasusModel",
    "PegasusPreTrainedModel",
    "PegasusTokenizer",
]
