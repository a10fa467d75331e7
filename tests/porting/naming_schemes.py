"""How code bases name and store what the bundled models and Llama hold: each scheme renames a model's weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch

from tests.porting.foreign_checkpoints import Weights
from tests.porting.judged import Model

Scheme = Callable[[Weights], Weights]

_LAYERS, _HEADS, _SIZE = 3, 4, 24
BERT = Model("zoo:bert", "BertForMaskedLM", {"vocab_size": 40, "hidden_size": _SIZE, "num_hidden_layers": _LAYERS, "num_attention_heads": _HEADS, "intermediate_size": 32, "max_position_embeddings": 20})  # fmt: skip
GPT2 = Model("zoo:gpt2", "GPT2LMHeadModel", {"vocab_size": 40, "n_positions": 20, "n_embd": _SIZE, "n_head": _HEADS, "n_layer": _LAYERS, "bos_token_id": 0, "eos_token_id": 1})  # fmt: skip
BART = Model("zoo:bart", "BartForConditionalGeneration", {"vocab_size": 40, "d_model": _SIZE, "encoder_layers": _LAYERS, "decoder_layers": _LAYERS, "encoder_attention_heads": _HEADS, "decoder_attention_heads": _HEADS, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_position_embeddings": 20})  # fmt: skip
LLAMA = Model("transformers:llama", "LlamaForCausalLM", {"vocab_size": 40, "hidden_size": _SIZE, "intermediate_size": 32, "num_hidden_layers": _LAYERS, "num_attention_heads": _HEADS, "num_key_value_heads": _HEADS, "max_position_embeddings": 20, "tie_word_embeddings": False})  # fmt: skip
NEOX = Model("transformers:gpt_neox", "GPTNeoXForCausalLM", {"vocab_size": 40, "hidden_size": _SIZE, "intermediate_size": 32, "num_hidden_layers": _LAYERS, "num_attention_heads": _HEADS, "max_position_embeddings": 20})  # fmt: skip
_BEHIND = {**LLAMA.values, "pad_token_id": None, "bos_token_id": 0, "eos_token_id": 1, "head_dim": 6}
OLMO2 = Model("transformers:olmo2", "Olmo2ForCausalLM", _BEHIND)
GEMMA2 = Model("transformers:gemma2", "Gemma2ForCausalLM", _BEHIND)
LAYERS = {
    BERT.name: r"bert\.encoder\.layer\.(\d+)",
    GPT2.name: r"transformer\.h\.(\d+)",
    BART.name: r"(encoder|decoder)\.layers\.(\d+)",
}  # fmt: skip


def renamed(*changes: tuple[str, str]) -> Scheme:
    """Every name with these regular expressions replaced, one after the other."""

    def scheme(weights: Weights) -> Weights:
        result = {}
        for name, tensor in weights.items():
            for pattern, text in changes:
                name = re.sub(pattern, text, name)
            result[name] = tensor
        return result

    return scheme


def numbered(model: Model, written: str, start: int) -> Scheme:
    """The layers with another word, counted from another number: `blk{}`."""

    def layer(found: re.Match[str]) -> str:
        above = f"{found[1]}." if len(found.groups()) > 1 else ""
        return above + written.format(int(found[found.lastindex or 1]) + start)

    return lambda weights: {re.sub(LAYERS[model.name], layer, name): tensor for name, tensor in weights.items()}


def in_networks(first: str, second: str) -> dict[str, tuple[Model, Scheme]]:
    """The two projections of a feed-forward network under other names, in two models and where both are square."""
    bert = renamed(("intermediate.dense", first), (r"(layer\.\d+)\.output\.dense", rf"\1.{second}"))
    gpt2 = renamed((r"mlp\.c_fc", first), (r"mlp\.c_proj", second))
    return {
        f"BERT with {first} and {second}": (BERT, bert),
        f"square BERT with {first} and {second}": (BERT.but(intermediate_size=_SIZE), bert),
        f"GPT-2 with {first} and {second}": (GPT2, gpt2),
        f"square GPT-2 with {first} and {second}": (GPT2.but(n_inner=_SIZE), gpt2),
    }


def norms(first: str, second: str) -> Scheme:
    """GPT-2's two normalisations of a layer under other names."""
    return renamed((r"\.ln_1\.", ".FIRST."), (r"\.ln_2\.", f".{second}."), ("FIRST", first))


def fused_in_gpt2(name: str, order: str = "qkv", by_heads: bool = False) -> Scheme:
    """GPT-2's fused projection under another name, with its parts in another order or head by head."""

    def scheme(weights: Weights) -> Weights:
        result = {}
        for old, tensor in weights.items():
            if "c_attn" in old:
                parts = dict(zip("qkv", tensor.chunk(3, -1), strict=True))
                tensor = _joined([parts[letter] for letter in order], -1, by_heads)
            result[old.replace("c_attn", name)] = tensor
        return result

    return scheme


def fused(letters: Mapping[str, str], name: str, order: str, by_heads: bool = False) -> Scheme:
    """Projections in one weight: letters say which they are."""

    def scheme(weights: Weights) -> Weights:
        result = {}
        for old, tensor in weights.items():
            word = next((word for word in letters.values() if f".{word}." in old), None)
            if word is None:
                result[old] = tensor
            elif word == letters[order[0]]:
                parts = [weights[old.replace(word, letters[letter])] for letter in order]
                result[old.replace(word, name)] = _joined(parts, 0, by_heads)
        return result

    return scheme


def _joined(parts: list[torch.Tensor], axis: int, by_heads: bool) -> torch.Tensor:
    if by_heads:
        parts = [piece for pieces in zip(*(part.chunk(_HEADS, axis) for part in parts), strict=True) for piece in pieces]  # fmt: skip
    return torch.cat(parts, axis)


BERT_PARTS = {"q": "query", "k": "key", "v": "value"}
LLAMA_PARTS = {"q": "q_proj", "k": "k_proj", "v": "v_proj"}
GATED_PARTS = {"g": "gate_proj", "u": "up_proj"}


def gated(gate: str, up: str, down: str) -> Scheme:
    return renamed(("mlp.gate_proj", gate), ("mlp.up_proj", up), ("mlp.down_proj", down))


META = renamed(
    ("model.embed_tokens", "tok_embeddings"), ("lm_head", "output"), (r"model\.norm", "norm"),
    ("model.layers", "layers"), ("self_attn.([qkv])_proj", r"attention.w\1"), ("self_attn.o_proj", "attention.wo"),
    ("mlp.gate_proj", "feed_forward.w1"), ("mlp.up_proj", "feed_forward.w3"), ("mlp.down_proj", "feed_forward.w2"),
    ("input_layernorm", "attention_norm"), ("post_attention_layernorm", "ffn_norm"),
)  # fmt: skip


def torch_transformer(weights: Weights) -> Weights:
    """BART as `torch.nn.Transformer` names it."""
    result = {}
    for name, tensor in weights.items():
        found = re.match(r"(.*_attn)\.([qkv])_proj\.(weight|bias)", name)
        if found is not None and found[2] != "q":
            continue
        if found is not None:
            name = f"{found[1]}.in_proj_{found[3]}"
            tensor = torch.cat([weights[f"{found[1]}.{letter}_proj.{found[3]}"] for letter in "qkv"])
        if "decoder.layers" in name:
            name = name.replace("final_layer_norm", "norm3").replace("encoder_attn_layer_norm", "norm2")
        name = name.replace("self_attn_layer_norm", "norm1").replace("final_layer_norm", "norm2")
        name = name.replace("encoder_attn", "multihead_attn").replace("fc", "linear")
        result[name.replace("model.", "transformer.", 1)] = tensor
    return result


def marian(weights: Weights) -> Weights:
    """BART as Marian names it: words for the weights themselves, and layers that are counted from one."""
    norm = {"self_attn_layer_norm.": "self_Wo_ln_", "encoder_attn_layer_norm.": "context_Wo_ln_", "final_layer_norm.": "ffn_ffn_ln_"}  # fmt: skip
    result = {}
    for name, tensor in weights.items():
        found = re.match(r"model\.(encoder|decoder)\.layers\.(\d+)\.(.*)", name)
        text = name.replace("model.", "").replace(".", "_") if found is None else found[3]
        for old, new in norm.items():
            text = text.replace(f"{old}weight", f"{new}scale").replace(f"{old}bias", f"{new}bias")
        text = text.replace("self_attn.", "self_").replace("encoder_attn.", "context_").replace("out_proj", "o_proj")
        text = re.sub(r"([qkvo])_proj\.weight", r"W\1", re.sub(r"([qkvo])_proj\.bias", r"b\1", text))
        text = re.sub(r"fc(\d)\.weight", r"ffn_W\1", re.sub(r"fc(\d)\.bias", r"ffn_b\1", text))
        prefix = "" if found is None else f"{found[1]}_l{int(found[2]) + 1}_"
        is_matrix = tensor.dim() == 2 and found is not None
        result[prefix + text] = tensor.T if is_matrix else tensor[None] if tensor.dim() == 1 else tensor
    return result


def flax_automatic(weights: Weights) -> Weights:
    """BERT under the names that Flax gives by itself, with kernels (input, output)."""
    result = {}
    for name, tensor in renamed(("intermediate.dense", "Dense_0"), (r"(layer\.\d+)\.output\.dense", r"\1.Dense_1"))(weights).items():  # fmt: skip
        if re.search("(query|key|value|dense|Dense_.|decoder).weight", name):
            name, tensor = name.replace("weight", "kernel"), tensor.T
        result[name.replace(".", "/")] = tensor
    return result


def as_convolutions(weights: Weights) -> Weights:
    """BERT with its projections as convolutions of size one, (height, width, input, output)."""
    is_projection = re.compile(r"(query|key|value|dense)\.weight")
    return {
        name.replace("weight", "kernel"): tensor.T[None, None] if is_projection.search(name) else tensor
        for name, tensor in weights.items()
    }


def with_average(weights: Weights) -> Weights:
    """The weights, and beside them their average over the training."""
    average = {f"ema.{name}": tensor * 0.9 + 0.01 for name, tensor in weights.items()}
    return {**{f"model.{name}": tensor for name, tensor in weights.items()}, **average}
