"""What a suggestion does not mark unsure is true, however the original names and stores its weights."""

import pytest

from add_model.porting.rules.rule import Fill
from tests.porting import naming_schemes as schemes
from tests.porting.judged import Model, judged
from tests.porting.naming_schemes import BART, BERT, GEMMA2, GPT2, LLAMA, NEOX, OLMO2, Scheme

# Schemes that are clear: nothing of them is unsure.
_LISTS = ("layer_{}", "l{}", "L{}", "blk{}", "n{}", "sub{}", "unit{}", "encoderblock_{}", "stack_{}", "tf_layer_{:02}")
_PAIRS = (("fc0", "fc1"), ("fc1", "fc2"), ("mlp.lin_0", "mlp.lin_1"), ("dense_0", "dense_1"), ("dense", "dense_1"), ("mlp.0", "mlp.2"), ("linear0", "linear1"), ("ff.w0", "ff.w1"), ("ff.w_1", "ff.w_2"), ("ff.layer_0", "ff.layer_1"))  # fmt: skip
_NORMS = (("ln_0", "ln_1"), ("ln0", "ln1"), ("norm.0", "norm.1"), ("norm_0", "norm_1"), ("norm1", "norm2"), ("LayerNorm_0", "LayerNorm_1"), ("norm", "norm_1"), ("attn_norm", "mlp_norm"))  # fmt: skip
CLEAR: dict[str, tuple[Model, Scheme]] = {
    **{
        f"{model.class_name} with {written} from {start}": (model, schemes.numbered(model, written, start))
        for model in (BERT, GPT2, BART)
        for written in _LISTS
        for start in (0, 1)
    },
    **{
        name: scheme
        for pair in _PAIRS
        for name, scheme in schemes.in_networks(*pair).items()
        if not name.startswith("square BERT")
    },
    **{f"GPT-2 with {first} and {second}": (GPT2, schemes.norms(first, second)) for first, second in _NORMS},
    "BERT of Flax": (BERT, schemes.flax_automatic),
    "BERT with convolutions": (BERT, schemes.as_convolutions),
    "BART of torch.nn": (BART, schemes.torch_transformer),
    "GPT-2 with in_proj": (GPT2, schemes.fused_in_gpt2("in_proj")),
    "BERT with in_proj": (BERT, schemes.fused(schemes.BERT_PARTS, "in_proj", "qkv")),
    "BERT with kqv": (BERT, schemes.fused(schemes.BERT_PARTS, "kqv", "kqv")),
    "BERT with to_vk": (BERT, schemes.fused({"k": "key", "v": "value"}, "to_vk", "vk")),
    # Normalisations behind the attention and the network, alone or beside those in front of them.
    **{
        f"OLMo 2 with {attention} and {network}": (OLMO2, schemes.renamed((r"post_attention_layernorm", attention), (r"post_feedforward_layernorm", network)))
        for attention, network in (("attention_norm", "feed_forward_norm"), ("norm1", "norm2"), ("post_attn_norm", "post_mlp_norm"), ("sa_norm", "ff_norm"))
    },
    "Gemma 2 with pre and post": (GEMMA2, schemes.renamed(("input_layernorm", "pre_attn_norm"), ("post_attention_layernorm", "post_attn_norm"), ("pre_feedforward_layernorm", "pre_ffn_norm"), ("post_feedforward_layernorm", "post_ffn_norm"))),
    "GPT-NeoX with a prefix": (NEOX, schemes.renamed(("^", "wrapped."))),
}  # fmt: skip
# Schemes that leave something open, and the word in what is left open.
_BY_HEADS = ("query_key_value", "linear_qkv", "Wqkv", "qkv_proj", "wqkv")
OPEN: dict[str, tuple[Model, Scheme, str]] = {
    **{f"GPT-2 with {name} by heads": (GPT2, schemes.fused_in_gpt2(name, by_heads=True), name) for name in _BY_HEADS},
    **{
        f"BERT with {name} by heads": (BERT, schemes.fused(schemes.BERT_PARTS, name, "qkv", by_heads=True), name)
        for name in _BY_HEADS
    },
    **{f"GPT-2 with {name}": (GPT2, schemes.fused_in_gpt2(name, name), name) for name in ("kqv", "vkq", "qvk")},
    "GPT-2 with key_query_value": (GPT2, schemes.fused_in_gpt2("key_query_value", "kqv"), "key_query_value"),
    "BERT with key_query_value": (BERT, schemes.fused(schemes.BERT_PARTS, "key_query_value", "kqv"), "key_query_value"),
    "GPT-NeoX with c_attn": (NEOX, schemes.renamed(("query_key_value", "c_attn")), "c_attn"),
    "Llama with linear_fc1": (LLAMA, schemes.fused(schemes.GATED_PARTS, "linear_fc1", "ug"), "linear_fc1"),
    "Llama with gate_up_proj": (LLAMA, schemes.fused(schemes.GATED_PARTS, "gate_up_proj", "gu"), "gate_up_proj"),
    "Llama with up_gate_proj": (LLAMA, schemes.fused(schemes.GATED_PARTS, "up_gate_proj", "ug"), "up_gate_proj"),
    "Llama with wq and wk": (LLAMA, schemes.META, "attention.wq"),
    "Llama with fc_1, fc_2 and proj": (LLAMA, schemes.gated("mlp.fc_1", "mlp.fc_2", "mlp.proj"), "mlp.fc_1"),
    "Llama of Meta": (LLAMA, schemes.META, "feed_forward.w1"),
    "Llama with w1, w2 and w3": (LLAMA, schemes.gated("mlp.w1", "mlp.w2", "mlp.w3"), "mlp.w1"),
    "Llama with fc1, fc2 and fc3": (LLAMA, schemes.gated("mlp.fc1", "mlp.fc2", "mlp.fc3"), "mlp.fc1"),
    "Llama with wi_0, wi_1 and wo": (LLAMA, schemes.gated("mlp.wi_0", "mlp.wi_1", "mlp.wo"), "mlp.wi_0"),
    "square Llama of Meta": (LLAMA.but(intermediate_size=24), schemes.META, "feed_forward.w1"),
    "BART of Marian": (BART, schemes.marian, "ffn_W1"),
    **{
        name: (*scheme, pair[0])
        for pair in _PAIRS
        for name, scheme in schemes.in_networks(*pair).items()
        if name.startswith("square BERT")
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CLEAR)
def test_a_clear_scheme_is_sure_and_right(name: str) -> None:
    found = judged(*CLEAR[name])
    assert not found.wrong
    assert not found.unsure and not found.missing


@pytest.mark.slow
@pytest.mark.parametrize("name", OPEN)
def test_an_open_scheme_is_right_as_far_as_it_is_sure(name: str) -> None:
    model, scheme, word = OPEN[name]
    found = judged(model, scheme)
    assert not found.wrong
    assert any(word in source.text for rule in found.unsure if isinstance(rule, Fill) for source in rule.sources)
    assert found.right


def test_an_average_beside_the_weights_fills_nothing() -> None:
    for model in (BERT, GPT2, BART):
        found = judged(model, schemes.with_average)
        assert found.right and not found.wrong
        fills = [rule for rule in found.rules.rules if isinstance(rule, Fill)]
        assert not any(source.text.startswith("ema") for rule in fills for source in rule.sources)


def test_an_original_that_does_not_tie_what_the_new_model_ties_loses_nothing() -> None:
    found = judged(GPT2, lambda weights: {**weights, "lm_head.weight": weights["transformer.wte.weight"] + 1})
    assert found.wrong == ["lm_head.weight -> transformer.wte.weight ()"] and not found.dropped
