"""Originals: small Transformers models with random weights, stored as other code bases would store them."""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
import transformers
from safetensors.torch import save_file
from torch import nn

Weights = dict[str, torch.Tensor]

_BERT = {"vocab_size": 40, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 20}  # fmt: skip
_GPT2 = {"vocab_size": 40, "n_positions": 20, "n_embd": 24, "n_head": 2, "n_layer": 2, "bos_token_id": 0, "eos_token_id": 1}  # fmt: skip
_BART = {"vocab_size": 40, "d_model": 24, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_position_embeddings": 20}  # fmt: skip


@dataclass(frozen=True)
class Original:
    """A model of Transformers that plays the original.

    Attributes:
        name: the model type.
        class_name: its class, in Transformers and in the zoo.
        values: its configuration.
    """

    name: str
    class_name: str
    values: Mapping[str, Any]

    def build(self, seed: int = 0) -> nn.Module:
        """The model, in evaluation mode, with weights that are all different."""
        torch.manual_seed(seed)
        config_class = getattr(transformers, {"bert": "BertConfig", "gpt2": "GPT2Config", "bart": "BartConfig"}[self.name])  # fmt: skip
        model: nn.Module = getattr(transformers, self.class_name)(config_class(**self.values)).eval()
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(torch.randn_like(weight) * 0.1)
        return model

    def configuration(self, model: nn.Module) -> dict[str, Any]:
        """The content of its `config.json`."""
        content: dict[str, Any] = json.loads(model.config.to_json_string())  # type: ignore[union-attr, operator]
        return {**content, "architectures": [self.class_name]}


BERT = Original("bert", "BertForMaskedLM", _BERT)
GPT2 = Original("gpt2", "GPT2LMHeadModel", _GPT2)
BART = Original("bart", "BartForConditionalGeneration", _BART)
ORIGINALS = (BERT, GPT2, BART)


def stored_weights(model: nn.Module) -> Weights:
    """The weights of a model, tied ones once, in the order of its modules."""
    seen: set[int] = set()
    weights: Weights = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            weights[name] = tensor.detach().clone()
    return weights


def logits(model: nn.Module) -> torch.Tensor:
    """What a model says to a fixed text."""
    with torch.no_grad():
        output: torch.Tensor = model(torch.tensor([[5, 6, 7, 8, 9, 10]])).logits
    return output


def write_safetensors(original: Original, folder: Path, seed: int = 0) -> nn.Module:
    """The original under its own names; returns the model."""
    model = original.build(seed)
    write_configuration(original, model, folder)
    save_file(stored_weights(model), folder / "model.safetensors")
    return model


def write_minimal_gpt2(folder: Path) -> nn.Module:
    """GPT-2 as the minimal research code bases have it: linear layers, so that the fused projection and the others
    are (output, input); the causal mask among the weights; settings of training beside them."""
    model = GPT2.build()
    weights: Weights = {}
    for name, tensor in stored_weights(model).items():
        is_projection = re.search(r"\.(c_attn|c_proj|c_fc)\.weight$", name)
        weights[name] = tensor.T.contiguous() if is_projection else tensor
    for layer in range(_GPT2["n_layer"]):
        weights[f"transformer.h.{layer}.attn.bias"] = torch.tril(torch.ones(20, 20)).view(1, 1, 20, 20)
    weights["lm_head.weight"] = weights["transformer.wte.weight"]
    settings = {"n_layer": 2, "n_head": 2, "n_embd": 24, "block_size": 20, "bias": True, "vocab_size": 40}
    folder.mkdir(parents=True)
    torch.save({"model": weights, "model_args": settings, "iter_num": 7, "best_val_loss": 1.5}, folder / "ckpt.pt")
    (folder / "config.json").write_text(json.dumps(settings))
    return model


def write_tensorflow_bert(folder: Path) -> nn.Module:
    """BERT under the names of its TensorFlow variables, with its kernels (input, output), as `.npz`; with what an
    optimiser leaves."""
    model = BERT.build()
    arrays: dict[str, numpy.ndarray[Any, Any]] = {}
    for name, tensor in stored_weights(model).items():
        text = re.sub(r"\blayer\.(\d+)", r"layer_\1", name)
        if "LayerNorm" in text:
            text = text.replace(".weight", ".gamma").replace(".bias", ".beta")
        elif "embeddings" in text:
            text = text.removesuffix(".weight")
        elif text.endswith(".weight"):
            text, tensor = text.removesuffix("weight") + "kernel", tensor.T
        text = text.replace("cls.predictions.bias", "cls.predictions.output_bias")
        arrays[text.replace(".", "/")] = tensor.numpy()
    kernel = "bert/encoder/layer_0/output/dense/kernel"
    arrays |= {f"{kernel}/adam_m": arrays[kernel], f"{kernel}/adam_v": arrays[kernel], "global_step": numpy.array(3)}
    write_configuration(BERT, model, folder)
    numpy.savez(folder / "bert.npz", **arrays)  # type: ignore[arg-type]
    return model


def write_fairseq_bart(folder: Path) -> nn.Module:
    """BART under the names of fairseq, with its two tables of tokens that hold the same, and its command line."""
    model = BART.build()
    weights: Weights = {}
    for name, tensor in stored_weights(model).items():
        text = name.removeprefix("model.")
        if text == "shared.weight":
            weights["encoder.embed_tokens.weight"] = weights["decoder.embed_tokens.weight"] = tensor
        elif text != "final_logits_bias":
            weights[text] = tensor
    weights["encoder.version"] = weights["decoder.version"] = torch.tensor([3.0])
    write_configuration(BART, model, folder)
    torch.save({"model": weights, "args": argparse.Namespace(arch="bart")}, folder / "model.pt")
    return model


FOREIGN: Mapping[str, tuple[Original, Callable[[Path], nn.Module]]] = {
    "GPT-2 of research code": (GPT2, write_minimal_gpt2),
    "BERT of TensorFlow": (BERT, write_tensorflow_bert),
    "BART of fairseq": (BART, write_fairseq_bart),
}


def scrambled_names(names: list[str], seed: int) -> dict[str, str]:
    """Name -> the same name in words that nobody knows: every word but numbers, `weight` and `bias` is replaced."""
    generator = random.Random(seed)
    words: dict[str, str] = {}

    def unknown(word: str) -> str:
        if word.isdigit() or word in ("weight", "bias"):
            return word
        if word not in words:
            words[word] = "".join(generator.choice("bcdfgjmprstz") + generator.choice("aeiou") for _ in range(3))
        return words[word]

    return {name: ".".join(unknown(word) for word in name.split(".")) for name in names}


def write_scrambled(original: Original, folder: Path, seed: int) -> nn.Module:
    """The original under names that say nothing, in the order of its modules."""
    model = original.build(seed)
    weights = stored_weights(model)
    names = scrambled_names(list(weights), seed)
    write_configuration(original, model, folder)
    torch.save({names[name]: tensor for name, tensor in weights.items()}, folder / "weights.pt")
    return model


def write_configuration(original: Original, model: nn.Module, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(original.configuration(model)))


def write_separate_gpt2(folder: Path) -> nn.Module:
    """GPT-2 with query, key and value apart, linear layers, and layers that are counted from one in two digits."""
    model = GPT2.build()
    words = {"attn.c_proj": "self_attn.o_proj", "ln_1": "input_layernorm", "ln_2": "post_attention_layernorm", "mlp.c_fc": "mlp.up_proj", "mlp.c_proj": "mlp.down_proj"}  # fmt: skip
    weights: Weights = {}
    for name, tensor in stored_weights(model).items():
        text = re.sub(r"transformer\.h\.(\d+)", lambda found: f"layers.{int(found[1]) + 1:02}", name)
        text = text.removeprefix("transformer.")
        for old, new in words.items():
            text = text.replace(f".{old}.", f".{new}.")
        tensor = tensor.T if re.search(r"proj.weight$", text) else tensor
        if ".attn.c_attn." in text:
            for word, part in zip("qkv", tensor.chunk(3, -1), strict=True):
                weights[text.replace("attn.c_attn", f"self_attn.{word}_proj")] = (
                    part.mT.clone() if part.dim() == 2 else part.clone()
                )
        else:
            weights[text] = tensor.contiguous()
    write_configuration(GPT2, model, folder)
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / "model.safetensors")
    return model


def write_fused_bert(folder: Path) -> nn.Module:
    """BERT with query, key and value in one weight."""
    model = BERT.build()
    weights: Weights = {}
    for name, tensor in stored_weights(model).items():
        text = name.replace("bert.encoder.layer.", "blocks.").replace("attention.output.dense", "attn.proj")
        if ".attention.self." in text:
            fused = re.sub(r"attention\.self\.\w+", "attn.qkv", text)
            weights[fused] = torch.cat([weights[fused], tensor]) if fused in weights else tensor
        else:
            weights[text] = tensor
    write_configuration(BERT, model, folder)
    torch.save(weights, folder / "weights.pt")
    return model
