"""Decision Transformer: a decoder of trajectories that picks the next action."""

from .configuration_decision_transformer import DecisionTransformerConfig
from .modeling_decision_transformer import (
    DecisionTransformerModel,
    DecisionTransformerPreTrainedModel,
)

__all__ = [
    "DecisionTransformerConfig",
    "DecisionTransformerModel",
    "DecisionTransformerPreTrainedModel",
]
