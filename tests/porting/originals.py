"""Transformers' models and the bundled ones with the same random weights, small enough to run hundreds of times.

LLaMA is not bundled; it is Transformers' own a second time, for what the others lack: a gated MLP, rotary positions.
"""

from __future__ import annotations

from typing import Any

import torch
import transformers
from torch import nn

from add_model.zoo.models import bart, bert, gpt2

LAYERS = 3
_SIZES: dict[str, dict[str, Any]] = {
    "bert": {
        "vocab_size": 97,
        "hidden_size": 32,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 40,
    },
    "gpt2": {
        "vocab_size": 97,
        "n_embd": 32,
        "n_layer": LAYERS,
        "n_head": 4,
        "n_positions": 40,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "bart": {
        "vocab_size": 97,
        "d_model": 32,
        "encoder_layers": LAYERS,
        "decoder_layers": LAYERS,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
        "max_position_embeddings": 40,
        "scale_embedding": True,
        "attention_dropout": 0.1,
    },
    "llama": {
        "vocab_size": 97,
        "hidden_size": 32,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 40,
    },
}  # fmt: skip
_CLASSES: dict[str, tuple[Any, Any, Any, Any]] = {
    "bert": (transformers.BertForMaskedLM, transformers.BertConfig, bert.BertForMaskedLM, bert.BertConfig),
    "gpt2": (transformers.GPT2LMHeadModel, transformers.GPT2Config, gpt2.GPT2LMHeadModel, gpt2.GPT2Config),
    "bart": (
        transformers.BartForConditionalGeneration,
        transformers.BartConfig,
        bart.BartForConditionalGeneration,
        bart.BartConfig,
    ),
    "llama": (transformers.LlamaForCausalLM, transformers.LlamaConfig) * 2,
}


def published(model: str, seed: int, implementation: str = "sdpa") -> nn.Module:
    """Transformers' model with random weights: none of them zero or one everywhere."""
    torch.manual_seed(seed)
    model_class, config_class, _, _ = _CLASSES[model]
    network: nn.Module = model_class(config_class(**_SIZES[model], attn_implementation=implementation))
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
            else:
                # Large enough for attention to look at some positions more than at others.
                parameter.mul_(6)
    return network.eval()


def bundled(model: str, source: nn.Module) -> nn.Module:
    """The bundled model, or the one that stands for it, with the same weights."""
    _, _, model_class, config_class = _CLASSES[model]
    network: nn.Module = model_class(config_class(**_SIZES[model]))
    network.load_state_dict(source.state_dict())
    return network.eval()


def inputs(model: str, seed: int, following: bool = False) -> dict[str, torch.Tensor]:
    """Two texts, of which the second is padded; their tokens may be made to follow each other."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, 97, (2, 11), generator=generator)
    if following:
        ids = torch.arange(5, 16).expand(2, 11)
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    given = {"input_ids": ids, "attention_mask": mask}
    if model == "bart":
        given["decoder_input_ids"] = torch.randint(3, 97, (2, 9), generator=generator)
    return given
