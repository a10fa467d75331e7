"""What the judge of checkpoints must see: conversions that were forgotten, and words that are called otherwise."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mixtral() -> Any:
    """Mixtral with a configuration so small that it is one right away."""
    from transformers import MixtralConfig, MixtralForCausalLM

    class SmallConfig(MixtralConfig):
        vocab_size: int = 40
        hidden_size: int = 16
        intermediate_size: int = 24
        num_hidden_layers: int = 1
        num_attention_heads: int = 2
        num_key_value_heads: int = 2

    class Small(MixtralForCausalLM):
        config_class = SmallConfig

    return Small


def copy_of(model_class: Any, model_type: str) -> Any:
    class CopiedConfig(model_class.config_class):
        pass

    class Copied(model_class):
        config_class = CopiedConfig

    CopiedConfig.model_type = model_type
    return Copied


def test_a_forgotten_conversion_is_seen(mixtral: Any) -> None:
    from transformers.conversion_mapping import (
        get_checkpoint_conversion_mapping,
        register_checkpoint_conversion_mapping,
    )

    from tests.transformers_models.checkpoints import checkpoint_problem

    problem = checkpoint_problem(mixtral, copy_of(mixtral, "forgotten"))
    assert problem is not None and "missing keys, the reference has 0" in problem
    register_checkpoint_conversion_mapping("remembered", get_checkpoint_conversion_mapping("mixtral"))
    assert checkpoint_problem(mixtral, copy_of(mixtral, "remembered")) == ""


def test_words_that_the_copy_calls_otherwise_are_no_fault() -> None:
    from torch import nn
    from transformers import BertConfig, PreTrainedModel

    from tests.transformers_models.checkpoints import checkpoint_problem

    def model(prefix: str, kind: str) -> Any:
        class Config(BertConfig):
            pass

        class Model(PreTrainedModel):
            config_class = Config
            base_model_prefix = prefix

            def __init__(self, config: Any) -> None:
                super().__init__(config)
                setattr(self, prefix, nn.Linear(2, 2))
                self.head = nn.Linear(2, 2)
                self.post_init()

            def forward(self, values: Any) -> Any:
                return self.head(getattr(self, prefix)(values))

        Config.model_type = kind
        return Model

    assert checkpoint_problem(model("wren", "wren"), model("new_wren", "new_wren")) == ""
