"""Small configurations, and inputs, with which a forward pass takes a moment: tried in turn, none is known beforehand.

Sizes are recognised by their names, which the library's models share. What fits no model is tried less daringly: first
every size is made small, then fewer of them, then nothing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

BATCH, LENGTH = 2, 8
MOST_PARAMETERS = 64_000_000

Rules = tuple[tuple[re.Pattern[str], int], ...]

_LAYERS = re.compile(r"^(?!.*(?:feat_extract|conv|adapter|pool)).*(?:layers?|depth)$")
_EXPERTS: Rules = (
    (re.compile(r"^(?:num|n)_(?:local_|routed_)?experts$|^moe_num_experts$"), 4),
    (re.compile(r"experts_per_tok(?:en)?$|^moe_(?:top_?)?k$|^topk_group$|^n_group$"), 1),
)
_VOCABULARY: Rules = (
    (re.compile(r"^(?:vocab_size|.*_vocab_size|n_words|n_vocab)$"), 120),
    (re.compile(r"^codebook_size$"), 128),  # a power of two for some
)
_HEADS = re.compile(r"(?:^|_)(?:attention_|key_value_|kv_)?heads?$|_num_heads$")
_WIDTH = re.compile(
    r"^(?:hidden_size|d_model|n_embd|emb_dim|embed_dim|embedding_size|dim|model_dim|text_embed_dim|d_embed|d_latents)$"
)
_INNER = re.compile(
    r"^(?:intermediate_size|ffn_dim|d_ff|n_inner|(?:encoder|decoder)_ffn_dim|mlp_dim|moe_intermediate_size|dim_ff)$"
)
# What some models leave open, to be said by whoever makes one.
_OPEN: Rules = (*_EXPERTS, _VOCABULARY[0], (_INNER, 48), (re.compile(r"^prediction_length$"), 8))
_COUNTS: Rules = ((_LAYERS, 2), *_EXPERTS)
_NARROW: Rules = (
    # State space models have heads that together are twice as wide as the model.
    (re.compile(r"^mamba_(?:d_head|head_dim)$"), 16), (re.compile(r"^mamba_d_ssm$"), 64),
    *_EXPERTS, *_VOCABULARY, (_HEADS, 4), (_WIDTH, 32), (_INNER, 48),
    (re.compile(r"^(?:head_dim|d_kv|projection_dim|rotary_dim)$"), 8), (re.compile(r"^image_size$"), 64),
)  # fmt: skip
_SMALL: Rules = ((_LAYERS, 2), *_NARROW)
# The same where a model has nothing but such layers.
_STATE_SPACE: Rules = ((re.compile(r"^head_dim$"), 16), *_SMALL)
# Some models need a layer of each of their kinds, or the heads' own width.
_WIDE_HEADS: Rules = ((_LAYERS, 4), *_EXPERTS, *_VOCABULARY, (_HEADS, 2), (_WIDTH, 256), (_INNER, 48))
_TOKEN = re.compile(r"_(?:token_id|token_index|id)$")


def small_settings(configuration: Any) -> Iterator[dict[str, Any]]:
    """Arguments for a configuration's class, the smallest model first; the last changes nothing."""
    values = configuration.to_dict()
    for rules in (_SMALL, _WIDE_HEADS, _NARROW, _STATE_SPACE, (*_COUNTS, *_VOCABULARY), ()):
        yield _shrunk(values, rules, limit=120 if _VOCABULARY[0] in rules else None)


def _shrunk(values: Mapping[str, Any], rules: Rules, limit: int | None) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and "model_type" in value:
            inner = _shrunk(value, rules, limit)
            if inner:
                settings[name] = inner
        elif isinstance(value, int) and not isinstance(value, bool):
            small = next((size for pattern, size in rules if pattern.search(name)), value)
            if limit is not None and _TOKEN.search(name) and value >= limit:
                settings[name] = limit - 1 - value % 20
            elif small < value:
                settings[name] = small
        elif value is None and rules:
            said = next((size for pattern, size in _OPEN if pattern.search(name)), None)
            if said is not None:
                settings[name] = said
    return settings | _fewer_kinds(values, settings)


def _fewer_kinds(values: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The kinds of the layers, where a list names them, for as many layers as there are now: one of each, if they fit."""
    count = settings.get("num_hidden_layers")
    kinds = {name: values.get(name) for name in ("layer_types", "layers_block_type")}
    return {
        name: [*(kind for place, kind in enumerate(listed) if kind not in listed[:place]), *listed][:count]
        for name, listed in kinds.items()
        if isinstance(listed, list) and count is not None and len(listed) == values["num_hidden_layers"]
    }


def inputs_for(model: Any) -> Iterator[dict[str, Any]]:
    """Arguments for a model's `forward`: what it must have and what it is mainly about, then more of what it takes."""
    import torch

    generator = torch.Generator().manual_seed(0)
    parameters = inspect.signature(model.forward).parameters
    known = {name: tensor for name, tensor in _tensors(model.config, generator).items() if name in parameters}
    if "MultipleChoice" in type(model).__name__:
        known = {name: tensor.unsqueeze(1) for name, tensor in known.items()}
    if getattr(model.config, "pad_token_id", None) is None and "SequenceClassification" in type(model).__name__:
        known = {name: tensor[:1] for name, tensor in known.items()}
    required = {
        name
        for name, parameter in parameters.items()
        if parameter.default is inspect.Parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    }
    # What a model must have and nobody else calls so is taken to be vectors, as most of it is.
    width = _width_of(model.config)
    for name in sorted(required - known.keys()):
        if name.endswith(("embeds", "states", "features")):
            known[name] = torch.randn((BATCH, LENGTH, width), generator=generator)
    named = getattr(model, "main_input_name", "input_ids")
    main = {named} if isinstance(named, str) else set(named)
    seen: list[set[str]] = []
    for others in ({}, *_other_shapes(model.config, known, generator)):
        seen.clear()
        for names in (
            main,
            main | {"decoder_input_ids"},
            {"input_ids", "pixel_values"},
            {"input_ids", "bbox"},
            {"input_ids", "attention_mask", "decoder_input_ids"},
            {"inputs_embeds"},
            {"pixel_values"},
            {"hidden_states"},
            set(known),
        ):
            chosen = (names | required) & known.keys()
            if chosen and chosen not in seen and (not others or chosen & others.keys()):
                seen.append(chosen)
                yield {name: others.get(name, known[name]) for name in sorted(chosen)}


def _other_shapes(configuration: Any, known: Mapping[str, Any], generator: Any) -> Iterator[dict[str, Any]]:
    """Shapes that fewer models expect of sound and pictures."""
    import torch

    mels = _number(configuration, "num_mel_bins", _number(configuration, "feature_size", 80))
    if "input_features" in known:
        yield {"input_features": known["input_features"].transpose(1, 2).contiguous()}
    if "input_values" in known:
        yield {"input_values": known["input_values"].unsqueeze(1)}
        frames = _number(configuration, "max_length", 100)
        yield {"input_values": torch.randn(BATCH, frames, mels, generator=generator)}
    if "pixel_values" in known:
        yield {"pixel_values": known["pixel_values"].unsqueeze(1).repeat(1, _number(configuration, "num_frames", 2), 1, 1, 1)}  # fmt: skip


def _text_configuration(configuration: Any) -> Any:
    """The part of a configuration that is a language model's, or the whole; of several the decoder's."""
    if not hasattr(configuration, "get_text_config"):
        return configuration
    try:
        return configuration.get_text_config()
    except ValueError:
        return configuration.get_text_config(decoder=True)


def _width_of(configuration: Any) -> int:
    """The width of a text model's vectors."""
    text = _text_configuration(configuration)
    return _number(text, "hidden_size", _number(text, "d_model", 32))


def _tensors(configuration: Any, generator: Any) -> dict[str, Any]:
    """What arguments of these names usually are; ids stay clear of the special ones."""
    import torch

    text = _text_configuration(configuration)
    vision = getattr(configuration, "vision_config", None) or configuration
    vocabulary = _number(text, "vocab_size", 100)
    width = _width_of(configuration)
    side = _number(vision, "image_size", 64)
    channels = _number(vision, "num_channels", 3)
    frames = _number(vision, "num_frames", 4)
    mels = _number(configuration, "num_mel_bins", _number(configuration, "feature_size", 80))

    def normal(*shape: int) -> Any:
        return torch.randn(shape, generator=generator)

    def ids(*shape: int) -> Any:
        return torch.randint(min(3, vocabulary - 1), max(4, min(90, vocabulary - 25)), shape, generator=generator)

    words = ids(BATCH, LENGTH)
    # Where a sentence ends is where a classifier looks; a question is told from its text by three separators.
    for place, name in ((-3, "sep_token_id"), (-2, "sep_token_id"), (-1, "sep_token_id"), (-1, "eos_token_id")):
        special = _number(text, name, vocabulary)
        if 0 <= special < vocabulary:
            words[:, place] = special
    corners = torch.tensor([1, 2, 30, 40]).expand(BATCH, LENGTH, 4)
    return {
        "input_ids": words,
        "decoder_input_ids": ids(BATCH, LENGTH),
        "attention_mask": torch.ones(BATCH, LENGTH, dtype=torch.long),
        "inputs_embeds": normal(BATCH, LENGTH, width),
        "hidden_states": normal(BATCH, LENGTH, width),
        "encoder_hidden_states": normal(BATCH, LENGTH, width),
        "bbox": corners,
        "pixel_values": normal(BATCH, channels, side, side),
        "pixel_values_videos": normal(BATCH, frames, channels, side, side),
        "input_features": normal(BATCH, mels, 2 * _number(configuration, "max_source_positions", 50)),
        "input_features_mask": torch.ones(BATCH, 2 * _number(configuration, "max_source_positions", 50), dtype=torch.long),
        "input_values": normal(BATCH, 4000),
        "audio_values": normal(BATCH, 1, 4000),
        **_series(configuration, normal),
    }  # fmt: skip


def _series(configuration: Any, normal: Callable[..., Any]) -> dict[str, Any]:
    """The past of a series: as long as a model looks back, with the lags that it adds."""
    length = _number(configuration, "context_length", 32)
    lags = getattr(configuration, "lags_sequence", None)
    if not lags:
        return {"past_values": normal(BATCH, length, _number(configuration, "num_input_channels", 1))}
    values = normal(BATCH, length + max(lags))
    features = normal(BATCH, length + max(lags), _number(configuration, "num_time_features", 0))
    coming = normal(BATCH, _number(configuration, "prediction_length", 8), features.shape[-1])
    return {
        "past_values": values,
        "past_time_features": features,
        "past_observed_mask": values.abs() >= 0,
        "future_values": normal(BATCH, coming.shape[1]),
        "future_time_features": coming,
    }


def _number(configuration: Any, name: str, default: int) -> int:
    value = getattr(configuration, name, None)
    if isinstance(value, (list, tuple)) and value:
        value = value[0]
    return value if isinstance(value, int) and not isinstance(value, bool) else default
