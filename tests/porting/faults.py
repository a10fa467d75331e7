"""Faults for the bundled models: lines of their source that are broken, and weights and settings that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

from .breaking import (
    ACTIVATIONS,
    activation_on_up,
    computing,
    edited,
    heads_interleaved,
    heads_reversed,
    in_training,
    last_heads_reversed,
    low_precision,
    noisy,
    norm_with_weight_from_zero,
    norm_without_bias,
    one_row_lost,
    replaced,
    rounded,
    setting,
    swapped,
    thirds_rotated,
    weight,
)


@dataclass(frozen=True)
class Fault:
    """One fault, in one place.

    Attributes:
        model: "bert", "gpt2", "bart" or "llama".
        cause: what the diagnosis has to call it; `None` for one that it has no hypothesis about.
        what: what was done, in a few words.
        path: the submodule that is broken.
        place: the submodule that must be found; `path` where that is empty.
        change: breaks it.
        originals: which originals it can be seen against: "transformers", "zoo".
        following: whether the tokens of the texts follow each other, as those of inputs made up by hand do.
    """

    model: str
    cause: str | None
    what: str
    path: str
    change: Callable[[nn.Module, str], None]
    place: str = ""
    originals: tuple[str, ...] = ("transformers", "zoo")
    following: bool = False

    @property
    def expected_place(self) -> str:
        """The submodule that must be found."""
        return self.place or self.path


def bert_faults(layer: int) -> Iterator[Fault]:
    """Known faults in one layer of BERT."""

    def fault(cause: str, what: str, path: str, change: Callable[..., None], place: str = "") -> Fault:
        base = f"bert.encoder.layer.{layer}"
        return Fault("bert", cause, what, f"{base}.{path}", change, f"{base}.{place}" if place else "")

    attend, kind = "attention.self", "activation of another kind"
    for path in ("attention.output", "output"):
        line = "self.LayerNorm(hidden_states + residual)"
        yield fault("residual missing", "residual", path, edited("bert", (line, "self.LayerNorm(hidden_states)")))
        before = edited("bert", (line, "self.LayerNorm(hidden_states) + residual"))
        yield fault("norm before / after", "norm before the residual", path, before)
    activation = "hidden_states = self.activation(hidden_states)"
    yield fault("activation missing", "activation", "intermediate", edited("bert", (activation, "pass")))
    yield fault(kind, "SiLU in forward", "intermediate", edited("bert", (activation, "hidden_states = functional.silu(hidden_states)")))  # fmt: skip
    for name, make in ACTIVATIONS.items():
        if name != "exact GELU":
            yield fault(kind, name, "intermediate.activation", replaced(make))
    for epsilon in (1e-3, 1e-5):
        yield fault("epsilon", f"epsilon {epsilon}", "attention.output.LayerNorm", setting(eps=epsilon))
    for path in ("attention.self.query", "attention.self.value", "attention.output.dense"):
        yield fault("weight transposed", "transposed", path, weight(torch.t))
    yield fault("dropout active", "training flag", "output.dropout", in_training)
    always = edited("bert", ("self.dropout if self.training else 0.0", "self.dropout"))
    yield fault("dropout active", "functional dropout of attention", attend, always)
    dropped = edited("bert", ("hidden_states = self.dropout(hidden_states)", "hidden_states = functional.dropout(hidden_states, 0.1)"))  # fmt: skip
    yield fault("dropout active", "functional dropout", "attention.output", dropped)
    call = "self.self(hidden_states, attention_mask, output_attentions)"
    yield fault("mask ignored", "mask not handed on", "attention", edited("bert", (call, call.replace("attention_mask", "None"))))  # fmt: skip
    inside = "sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)"
    yield fault("mask ignored", "mask not used", attend, edited("bert", (inside, inside.replace("attention_mask", "None"))))  # fmt: skip
    upside_down = inside.replace("attention_mask", "torch.finfo(query.dtype).min - attention_mask")
    yield fault("mask inverted", "mask inverted", attend, edited("bert", (inside, upside_down)))
    yield fault("scale missing", "no scale", attend, setting(scaling=1.0))
    yield fault("query/key/value swapped", "weights of query and key", "attention.self.query", swapped("query", "key"))
    lines = (("self.split_heads(self.key(", "self.split_heads(self.value("), ("value = self.split_heads(self.value(", "value = self.split_heads(self.key("))  # fmt: skip
    yield fault("query/key/value swapped", "key and value in forward", attend, edited("bert", *lines))
    yield fault("heads in another order", "query's heads", "attention.self.query", weight(heads_reversed, "weight", "bias"))  # fmt: skip
    yield fault("heads in another order", "value's heads interleaved", "attention.self.value", weight(heads_interleaved, "weight", "bias"))  # fmt: skip
    yield fault("heads in another order", "inputs of dense", "attention.output.dense", weight(last_heads_reversed))
    merge = edited("bert", ("context.transpose(1, 2).reshape(", "context.reshape("))
    yield fault("heads in another order", "heads not laid together", attend, merge)
    yield fault("wrong dtype", "computes in bfloat16", "intermediate.dense", low_precision)
    yield fault("wrong dtype", "weight rounded", "output.dense", weight(rounded))


def gpt2_faults(layer: int) -> Iterator[Fault]:
    """Known faults in one block of GPT-2."""

    def fault(cause: str, what: str, path: str, change: Callable[..., None], place: str = "") -> Fault:
        base = f"transformer.h.{layer}"
        return Fault("gpt2", cause, what, f"{base}.{path}".rstrip("."), change, f"{base}.{place}" if place else "")

    attention, mlp = "hidden_states = hidden_states + attention_output", "hidden_states + self.mlp(self.ln_2(hidden_states))"  # fmt: skip
    first = "self.ln_1(hidden_states), attention_mask"
    yield fault("residual missing", "residual of attention", "", edited("gpt2", (attention, "hidden_states = attention_output")))  # fmt: skip
    yield fault("residual missing", "residual of the MLP", "", edited("gpt2", (mlp, "self.mlp(self.ln_2(hidden_states))")))  # fmt: skip
    behind = edited("gpt2", (first, "hidden_states, attention_mask"), (attention, "hidden_states = self.ln_1(hidden_states + attention_output)"))  # fmt: skip
    yield fault("norm before / after", "first norm behind attention", "", behind)
    yield fault("norm before / after", "second norm behind the MLP", "", edited("gpt2", (mlp, "self.ln_2(hidden_states + self.mlp(hidden_states))")))  # fmt: skip
    yield fault("activation missing", "activation", "mlp", edited("gpt2", ("hidden_states = self.activation(hidden_states)", "pass")))  # fmt: skip
    for name, make in ACTIVATIONS.items():
        if name != "tanh GELU":
            yield fault("activation of another kind", name, "mlp.activation", replaced(make))
    yield fault("epsilon", "epsilon 1e-3", "ln_2", setting(eps=1e-3))
    yield fault("epsilon", "epsilon 1e-12", "ln_1", setting(eps=1e-12))
    yield fault("weight transposed", "transposed", "attn.c_proj", weight(torch.t))
    in_layer = edited("gpt2", ("functional.linear(hidden_states, self.weight.t(), self.bias)", "functional.linear(hidden_states, self.weight, self.bias)"))  # fmt: skip
    yield fault("weight transposed", "transposed in forward", "attn.c_proj", in_layer)
    yield fault("dropout active", "training flag", "mlp.dropout", in_training)
    always = edited("gpt2", ("self.config.attn_pdrop if self.training else 0.0", "self.config.attn_pdrop"))
    yield fault("dropout active", "functional dropout of attention", "attn", always)
    inside = "context = sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)"
    yield fault("mask ignored", "no mask", "attn", edited("gpt2", (inside, inside.replace("attention_mask", "None"))))
    yield fault("scale missing", "no scale", "attn", setting(scaling=1.0))
    yield fault("query/key/value swapped", "thirds of c_attn", "attn.c_attn", weight(thirds_rotated, "weight", "bias"))
    chunks = edited("gpt2", ("query, key, value = self.c_attn", "key, query, value = self.c_attn"))
    yield fault("query/key/value swapped", "key before query", "attn", chunks)
    yield fault("heads in another order", "inputs of c_proj", "attn.c_proj", weight(heads_reversed))
    merge = edited("gpt2", ("context.transpose(1, 2).reshape(", "context.reshape("))
    yield fault("heads in another order", "heads not laid together", "attn", merge)
    yield fault("wrong dtype", "computes in bfloat16", "mlp.c_proj", low_precision)
    yield fault("wrong dtype", "bfloat16 in forward", "mlp", edited("gpt2", ("hidden_states = self.c_proj(hidden_states)", "hidden_states = self.c_proj(hidden_states.bfloat16().float())")))  # fmt: skip


def bart_faults(layer: int, side: str) -> Iterator[Fault]:
    """Known faults in one layer of BART's encoder or decoder."""

    def fault(cause: str, what: str, path: str, change: Callable[..., None]) -> Fault:
        return Fault("bart", cause, what, f"model.{side}.layers.{layer}.{path}".rstrip("."), change)

    line = "self.self_attn_layer_norm(residual + self.dropout(hidden_states))"
    last = "self.final_layer_norm(residual + hidden_states)"
    yield fault("residual missing", "residual of attention", "", edited("bart", (line, "self.self_attn_layer_norm(self.dropout(hidden_states))")))  # fmt: skip
    yield fault(
        "residual missing", "last residual", "", edited("bart", (last, "self.final_layer_norm(hidden_states)"))
    )
    yield fault("norm before / after", "norm before the residual", "", edited("bart", (line, "residual + self.self_attn_layer_norm(self.dropout(hidden_states))")))  # fmt: skip
    activation = "self.activation_dropout(self.activation(self.fc1(hidden_states)))"
    yield fault("activation missing", "activation", "", edited("bart", (activation, "self.fc1(hidden_states)")))
    yield fault("activation of another kind", "tanh GELU", "activation", replaced(ACTIVATIONS["tanh GELU"]))
    yield fault("activation of another kind", "ReLU", "activation", replaced(nn.ReLU))
    yield fault("epsilon", "epsilon 1e-12", "self_attn_layer_norm", setting(eps=1e-3))
    yield fault("weight transposed", "transposed", "self_attn.k_proj", weight(torch.t))
    yield fault("dropout active", "functional dropout of attention", "self_attn", edited("bart", ("self.config.attention_dropout if self.training else 0.0", "self.config.attention_dropout")))  # fmt: skip
    inside = "context = sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)"
    yield fault("mask ignored", "no mask", "self_attn", edited("bart", (inside, inside.replace("attention_mask", "None"))))  # fmt: skip
    yield fault("scale missing", "no scale", "self_attn", setting(scaling=1.0))
    yield fault("query/key/value swapped", "weights of key and value", "self_attn.k_proj", swapped("k_proj", "v_proj"))
    yield fault(
        "heads in another order", "value's heads", "self_attn.v_proj", weight(heads_reversed, "weight", "bias")
    )
    yield fault("wrong dtype", "computes in bfloat16", "fc1", low_precision)
    if side == "decoder":
        cross = "self.encoder_attn_layer_norm(residual + self.dropout(hidden_states))"
        yield fault("residual missing", "residual of cross-attention", "", edited("bart", (cross, "self.encoder_attn_layer_norm(self.dropout(hidden_states))")))  # fmt: skip
        yield fault("scale missing", "no scale in cross-attention", "encoder_attn", setting(scaling=1.0))
        handed_on = "encoder_attention_mask,\n                encoder_hidden_states"
        yield fault("mask ignored", "mask of cross-attention", "", edited("bart", (handed_on, "None,\n                encoder_hidden_states")))  # fmt: skip


def llama_faults(layer: int) -> Iterator[Fault]:
    """Known faults in one layer of LLaMA."""
    base = f"model.layers.{layer}"
    two = (
        ("query/key/value swapped", "self_attn.q_proj", "k_proj"),
        ("query/key/value swapped", "self_attn.k_proj", "v_proj"),
        ("projections swapped", "mlp.gate_proj", "up_proj"),
    )
    for cause, path, other in two:
        change = swapped(path.rpartition(".")[2], other)
        yield Fault(
            "llama", cause, f"weights of {path} and {other}", f"{base}.{path}", change, originals=("transformers",)
        )


def whole_model_faults() -> Iterator[Fault]:
    """Known faults outside the layers."""
    shift = "positions shifted by an offset"
    for offset in (1, 2):
        counted = edited("bert", ("torch.arange(length, device=inputs_embeds.device)", f"torch.arange({offset}, length + {offset}, device=inputs_embeds.device)"))  # fmt: skip
        yield Fault("bert", shift, f"positions from {offset}", "bert.embeddings", counted)
        counted = edited("gpt2", ("torch.arange(past_length, past_length + length,", f"torch.arange({offset}, length + {offset},"))  # fmt: skip
        yield Fault("gpt2", shift, f"positions from {offset}", "transformer", counted)
    for side in ("encoder", "decoder"):
        yield Fault("bart", shift, "no offset", f"model.{side}.embed_positions", setting(offset=0))
        yield Fault("bart", "scale missing", "embeddings not scaled", f"model.{side}.embed_tokens", setting(scale=1.0))
        yield Fault("bart", shift, "offset of 3", f"model.{side}.embed_positions", setting(offset=3))  # fmt: skip
    for model, path in (("bert", "cls.predictions.decoder"), ("gpt2", "lm_head"), ("bart", "lm_head")):
        yield Fault(model, "embeddings not tied", "own weight", path, weight(lambda value: torch.randn(value.shape, generator=torch.Generator().manual_seed(1)) * 0.3))  # fmt: skip
    handed_on = "expand_attention_mask(attention_mask, embeddings.dtype)"
    yield Fault("bert", "mask inverted", "mask inverted", "bert", edited("bert", (handed_on, "expand_attention_mask(1 - attention_mask, embeddings.dtype)")))  # fmt: skip
    yield Fault("bert", "mask ignored", "mask left out", "bert", edited("bert", (handed_on, "None")))
    yield Fault("gpt2", "mask ignored", "padding left out", "transformer", edited("gpt2", ("make_causal_mask(\n            attention_mask,", "make_causal_mask(\n            None,")))  # fmt: skip
    yield Fault("gpt2", "mask inverted", "padding inverted", "transformer", edited("gpt2", ("make_causal_mask(\n            attention_mask,", "make_causal_mask(\n            1 - attention_mask,")))  # fmt: skip
    yield Fault("bart", "mask inverted", "mask of the encoder", "model.encoder", edited("bart", ("expand_attention_mask(attention_mask, hidden_states.dtype)", "expand_attention_mask(1 - attention_mask, hidden_states.dtype)")))  # fmt: skip
    for model, path in (
        ("bert", "bert.embeddings.position_embeddings"),
        ("gpt2", "transformer.wpe"),
        ("gpt2", "transformer.wte"),
    ):
        yield Fault(model, "weight not the original's", "never filled", path, weight(torch.zeros_like))
    yield Fault("bert", "epsilon", "epsilon 1e-5", "bert.embeddings.LayerNorm", setting(eps=1e-5))
    yield Fault("bert", "dropout active", "whole model in training mode", "", in_training, "bert.embeddings.dropout")
    yield Fault("gpt2", "dropout active", "whole model in training mode", "", in_training, "transformer.drop")
    yield Fault("bart", "dropout active", "whole model in training mode", "", in_training, "model.encoder.dropout")
    yield Fault("bert", "activation missing", "activation of the head", "cls.predictions.transform", edited("bert", ("hidden_states = self.activation(hidden_states)", "pass")))  # fmt: skip


def weight_faults(layer: int) -> Iterator[Fault]:
    """Weights that do not hold what the original's hold, in one layer of each model."""
    other = "weight not the original's"
    bert, gpt2 = f"bert.encoder.layer.{layer}", f"transformer.h.{layer}"
    bart, llama = f"model.encoder.layers.{layer}", f"model.layers.{layer}"
    yield Fault("bert", other, "noise in a weight", f"{bert}.attention.self.key", weight(noisy))
    yield Fault("bert", other, "a row lost", f"{bert}.intermediate.dense", weight(one_row_lost))
    yield Fault("bert", other, "noise in a bias", f"{bert}.output.dense", weight(noisy, "bias"))
    yield Fault("gpt2", other, "noise in a weight", f"{gpt2}.mlp.c_fc", weight(noisy))
    yield Fault("gpt2", other, "norm's weight noisy", f"{gpt2}.ln_2", weight(noisy))
    yield Fault("bart", other, "noise in a weight", f"{bart}.self_attn.out_proj", weight(noisy))
    yield Fault("bart", other, "columns shuffled", f"{bart}.fc2", weight(lambda value: value[torch.randperm(len(value), generator=torch.Generator().manual_seed(3))], "weight", "bias"))  # fmt: skip
    yield Fault("bert", other, "never filled", f"{bert}.intermediate.dense", weight(torch.zeros_like))
    yield Fault("bert", other, "never filled", f"{bert}.output.LayerNorm", weight(torch.ones_like))
    yield Fault("gpt2", other, "never filled", f"{gpt2}.attn.c_attn", weight(torch.zeros_like, "weight", "bias"))
    yield Fault("bart", other, "never filled", f"{bart}.fc2", weight(torch.zeros_like, "weight", "bias"))
    yield Fault("bart", other, "bias never filled", f"{bart}.fc1", weight(torch.zeros_like, "bias"))
    yield Fault(
        "llama", other, "never filled", f"{llama}.mlp.up_proj", weight(torch.zeros_like), originals=("transformers",)
    )
    yield Fault(
        "llama", other, "other values", f"{llama}.input_layernorm", weight(torch.sin), originals=("transformers",)
    )
    yield Fault(
        "llama",
        other,
        "rows moved",
        f"{llama}.mlp.gate_proj",
        weight(lambda value: value.roll(24, 0)),
        originals=("transformers",),
    )


def unknown_faults(layer: int) -> Iterator[Fault]:
    """Faults that no hypothesis is about; the place must be found, and no cause be named."""
    bert, gpt2 = f"bert.encoder.layer.{layer}", f"transformer.h.{layer}"
    bart = f"model.encoder.layers.{layer}"
    yield Fault("bert", None, "positions rolled", f"{bert}.output", edited("bert", ("hidden_states = self.dense(hidden_states)", "hidden_states = self.dense(hidden_states.roll(1, 1))")))  # fmt: skip
    yield Fault("bert", None, "values clamped", f"{bert}.intermediate", edited("bert", ("hidden_states = self.activation(hidden_states)", "hidden_states = self.activation(hidden_states).clamp(max=0.3)")))  # fmt: skip
    yield Fault("bert", None, "norm without its bias", f"{bert}.output.LayerNorm", computing(norm_without_bias))
    yield Fault("bert", None, "a layer run twice", "bert.encoder", edited("bert", ("for layer in self.layer:", f"for layer in [*self.layer[:{layer + 1}], *self.layer[{layer}:]]:")))  # fmt: skip
    twice = ("self.LayerNorm(hidden_states + residual)", "self.LayerNorm(self.LayerNorm(hidden_states + residual))")
    yield Fault("bert", None, "norm applied twice", f"{bert}.output", edited("bert", twice))
    tokens = ("look_up_tokens(self.word_embeddings, input_ids)", "look_up_tokens(self.word_embeddings, input_ids + 1)")
    yield Fault("bert", None, "tokens counted from one", "bert.embeddings", edited("bert", tokens), following=True)
    yield Fault("gpt2", None, "norm's weight counted from zero", f"{gpt2}.ln_1", computing(norm_with_weight_from_zero))
    yield Fault("gpt2", None, "sign of the MLP", gpt2, edited("gpt2", ("hidden_states + self.mlp(", "hidden_states - 0.7 * self.mlp(")), originals=("zoo",))  # fmt: skip
    yield Fault("gpt2", None, "absolute values", f"{gpt2}.mlp", edited("gpt2", ("hidden_states = self.c_proj(hidden_states)", "hidden_states = self.c_proj(hidden_states.abs())")))  # fmt: skip
    yield Fault("bart", None, "softmax over queries", f"{bart}.self_attn", edited("bart", ("context = sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)", "context = torch.softmax(query @ key.mT, dim=-2) @ value")))  # fmt: skip
    yield Fault("llama", None, "activation of the other projection", f"model.layers.{layer}.mlp", computing(activation_on_up), originals=("transformers",))  # fmt: skip
    yield Fault("llama", None, "no rotary frequencies", "model.rotary_emb", lambda network, path: network.get_submodule(path).inv_freq.zero_(), originals=("transformers",))  # fmt: skip
    yield Fault(
        "bert", None, "norm's output zero", f"{bert}.output.LayerNorm", computing(lambda norm, states: states * 0)
    )
    yield Fault("bart", None, "signs only", f"{bart}.fc1", computing(lambda dense, states: nn.functional.linear(states, dense.weight, dense.bias).sign()))  # fmt: skip
