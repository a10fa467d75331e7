"""OPT: a decoder that continues a text, and numbers its tokens by the attention mask."""

from .configuration_opt import OPTConfig
from .modeling_opt import (
    OPTForCausalLM,
    OPTForQuestionAnswering,
    OPTForSequenceClassification,
    OPTModel,
    OPTPreTrainedModel,
)
from .tokenization_opt import OPTTokenizer

__all__ = [
    "OPTConfig",
    "OPTForCausalLM",
    "OPTForQuestionAnswering",
    "OPTForSequenceClassification",
    "OPTModel",
    "OPTPreTrainedModel",
    "OPTTokenizer",
]
