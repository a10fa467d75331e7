"""Pairs of an original and its port that are arranged differently: right ones, and ones with one fault beside it.

One small decoder is built in two styles from the same weights: with other names, length before batch, lanes in turn or in
halves, one projection or three, a bias or the last norm outside their modules, modules that compute nothing, another
number that hides, another form of the output.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional

HEADS, LANES, LAYERS, WORDS = 2, 8, 2, 40
WIDTH, INNER = HEADS * LANES, 24

NAMES = {"embed": "embed", "layers": "layers", "norm1": "norm1", "norm2": "norm2", "attention": "attention", "q": "wq", "k": "wk", "v": "wv", "qkv": "wqkv", "o": "wo", "mlp": "mlp", "gate": "w1", "up": "w3", "down": "w2", "norm": "norm", "head": "head", "trunk": "trunk"}  # fmt: skip
OTHER_NAMES = {"embed": "embed_tokens", "layers": "blocks", "norm1": "input_layernorm", "norm2": "post_attention_layernorm", "attention": "self_attn", "q": "q_proj", "k": "k_proj", "v": "v_proj", "qkv": "query_key_value", "o": "o_proj", "mlp": "ffn", "gate": "gate_proj", "up": "up_proj", "down": "down_proj", "norm": "final_norm", "head": "lm_head", "trunk": "model"}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """How the decoder is arranged; what is no arrangement is a fault in one of the two."""

    names: Mapping[str, str] = field(default_factory=lambda: NAMES)
    length_first: bool = False
    rotation: str = "halves"
    reorder: bool = False
    fused: str = ""
    split_as: str = ""
    bias_outside: bool = False
    norm_outside: bool = False
    identities: int = 0
    hidden: float = -10000.0
    boolean: bool = False
    output: str = "tensor"
    leading_axis: bool = False
    gate_swapped: bool = False
    fault: str = ""
    layer: int = 0
    rows: int = WORDS


def rotated(states: torch.Tensor, rotation: str) -> torch.Tensor:
    """`(batch, length, heads, lanes)`, rotated by position."""
    angles = torch.outer(torch.arange(states.shape[1]).float(), 10000 ** -(torch.arange(0, LANES, 2) / LANES))
    if rotation == "turn":
        turned = torch.view_as_complex(states.reshape(*states.shape[:-1], -1, 2).contiguous())
        return torch.view_as_real(turned * torch.polar(torch.ones_like(angles), angles)[None, :, None]).flatten(3)
    angles = torch.cat([angles, angles], -1)[None, :, None]
    first, second = states.chunk(2, -1)
    return states * angles.cos() + torch.cat([-second, first], -1) * angles.sin()


def reordered(weight: torch.Tensor) -> torch.Tensor:
    """The rows of a query or key, from lanes in turn to lanes in halves."""
    return weight.reshape(HEADS, LANES // 2, 2, -1).transpose(1, 2).reshape(weight.shape)


class Attention(nn.Module):
    def __init__(self, style: Style, layer: int) -> None:
        super().__init__()
        self.style, self.layer = style, layer
        names = style.names
        for part in ("qkv", "o") if style.fused else ("q", "k", "v", "o"):
            setattr(self, names[part], nn.Linear(WIDTH, WIDTH * (3 if part == "qkv" else 1), bias=False))

    def forward(self, states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        style, names = self.style, self.style.names
        x = states.transpose(0, 1) if style.length_first else states
        if style.fused:
            made = getattr(self, names["qkv"])(states)
            made = made.transpose(0, 1) if style.length_first else made
            if (style.split_as or style.fused) == "per head":
                parts = made.unflatten(-1, (HEADS, 3, LANES)).unbind(-2)
            else:
                parts = [part.unflatten(-1, (HEADS, LANES)) for part in made.chunk(3, -1)]
        else:
            made_each = [getattr(self, names[part])(states) for part in "qkv"]
            parts = [(m.transpose(0, 1) if style.length_first else m).unflatten(-1, (HEADS, LANES)) for m in made_each]
        query, key, value = parts
        query, key = rotated(query, style.rotation), rotated(key, style.rotation)
        scale = 1.0 if self._has("scale") else LANES**-0.5
        scores = torch.einsum("bqhd,bkhd->bhqk", query, key) * scale
        mask = attention_mask
        if self._has("mask"):
            mask = torch.zeros_like(mask) if mask.dtype != torch.bool else torch.ones_like(mask)
        scores = scores.masked_fill(~mask, -1e30) if mask.dtype == torch.bool else scores + mask
        mixed = torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), value).flatten(2)
        del x
        returned: torch.Tensor = getattr(self, names["o"])(mixed.transpose(0, 1) if style.length_first else mixed)
        return returned

    def _has(self, fault: str) -> bool:
        return self.style.fault == fault and self.style.layer == self.layer


class Mlp(nn.Module):
    def __init__(self, style: Style, layer: int) -> None:
        super().__init__()
        self.style, self.layer = style, layer
        for part, sizes in (("gate", (WIDTH, INNER)), ("up", (WIDTH, INNER)), ("down", (INNER, WIDTH))):
            setattr(self, style.names[part], nn.Linear(*sizes, bias=False))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        gate, up, down = (getattr(self, self.style.names[part]) for part in ("gate", "up", "down"))
        activation = functional.gelu if self.style.fault == "activation" and self.style.layer == self.layer else functional.silu  # fmt: skip
        returned: torch.Tensor = down(activation(gate(states)) * up(states))
        return returned


class Layer(nn.Module):
    def __init__(self, style: Style, layer: int) -> None:
        super().__init__()
        self.style, self.layer = style, layer
        names = style.names
        setattr(self, names["norm1"], nn.LayerNorm(WIDTH))
        setattr(self, names["attention"], Attention(style, layer))
        setattr(self, names["norm2"], nn.LayerNorm(WIDTH))
        setattr(self, names["mlp"], Mlp(style, layer))
        for number in range(style.identities):
            setattr(self, f"drop_path{number or ''}", nn.Identity())
        if style.fault == "epsilon" and style.layer == layer:
            getattr(self, names["norm2"]).eps = 0.1

    def forward(self, states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        norm1, attention, norm2, mlp = (getattr(self, self.style.names[part]) for part in ("norm1", "attention", "norm2", "mlp"))  # fmt: skip
        mixed = attention(norm1(states), attention_mask)
        if self.style.identities:
            mixed = self.drop_path(mixed)
        states = states + mixed
        made = mlp(norm2(states))
        if self.style.identities > 1:
            made = self.drop_path1(made)
        if self.style.fault == "residual" and self.style.layer == self.layer:
            return made  # type: ignore[no-any-return]
        return states + made


class Trunk(nn.Module):
    def __init__(self, style: Style) -> None:
        super().__init__()
        self.style = style
        setattr(self, style.names["embed"], nn.Embedding(WORDS, WIDTH))
        setattr(self, style.names["layers"], nn.ModuleList(Layer(style, layer) for layer in range(LAYERS)))
        if not style.norm_outside:
            setattr(self, style.names["norm"], nn.LayerNorm(WIDTH))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> list[torch.Tensor]:
        names, style = self.style.names, self.style
        states = getattr(self, names["embed"])(input_ids)
        length = input_ids.shape[1]
        sees = attention_mask[:, None, None, :].bool() & torch.ones(length, length, dtype=torch.bool).tril()
        mask = sees if style.boolean else (~sees).float() * 1.0
        if not style.boolean:
            mask = torch.zeros(sees.shape).masked_fill(~sees, style.hidden)
        states = states.transpose(0, 1) if style.length_first else states
        every = []
        for layer in getattr(self, names["layers"]):
            states = layer(states, mask)
            every.append(states.transpose(0, 1) if style.length_first else states)
        states = states if style.norm_outside else getattr(self, names["norm"])(states)
        return [*every, states.transpose(0, 1) if style.length_first else states]


class Decoder(nn.Module):
    def __init__(self, style: Style) -> None:
        super().__init__()
        self.style = style
        setattr(self, style.names["trunk"], Trunk(style))
        if style.norm_outside:
            setattr(self, style.names["norm"], nn.LayerNorm(WIDTH))
        setattr(self, style.names["head"], nn.Linear(WIDTH, style.rows, bias=not style.bias_outside))
        if style.bias_outside:
            self.bias = nn.Parameter(torch.zeros(style.rows))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        style = self.style
        every = getattr(self, style.names["trunk"])(input_ids, attention_mask)
        states = getattr(self, style.names["norm"])(every[-1]) if style.norm_outside else every[-1]
        given = states[:, None] if style.leading_axis else states
        logits = getattr(self, style.names["head"])(given)
        logits = logits[:, 0] if style.leading_axis else logits
        logits = logits + self.bias if style.bias_outside else logits
        logits = logits * 1.5 if style.fault == "logits" else logits
        forms: dict[str, Callable[[], Any]] = {
            "tensor": lambda: logits,
            "tuple": lambda: (logits, states),
            "mapping": lambda: {"loss": None, "logits": logits, "last_hidden_state": states},
            "reversed": lambda: {"hidden": states, "scores": logits},
            "layers": lambda: [*every[:-1], logits],
            "states": lambda: [*every[:-1], states],
            "state": lambda: {"last_hidden_state": states},
        }
        return forms[style.output]()


def weights(seed: int) -> dict[str, torch.Tensor]:
    """The weights of the decoder whose lanes stand in turn, under names of their own."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"embed": (WORDS, WIDTH), "head": (WORDS, WIDTH), "head bias": (WORDS,)}
    for layer in range(LAYERS):
        shapes |= {f"{layer} {part}": (WIDTH, WIDTH) for part in "qkvo"}
        shapes |= {f"{layer} gate": (INNER, WIDTH), f"{layer} up": (INNER, WIDTH), f"{layer} down": (WIDTH, INNER)}
    made = {name: torch.randn(shape, generator=generator) * (0.4 if len(shape) == 2 else 0.5) for name, shape in shapes.items()}  # fmt: skip
    for norm in ("norm", *(f"{layer} norm{number}" for layer in range(LAYERS) for number in (1, 2))):
        made[norm] = 1 + 0.3 * torch.randn(WIDTH, generator=generator)
        made[f"{norm} bias"] = 0.3 * torch.randn(WIDTH, generator=generator)
    return made


def build(style: Style, seed: int) -> nn.Module:
    """The decoder in a style."""
    given, names, model = weights(seed), style.names, Decoder(style).eval()
    trunk = getattr(model, names["trunk"])

    def fill(module: nn.Module, name: str) -> None:
        module.weight.data = given[name].clone()  # type: ignore[union-attr]
        if f"{name} bias" in given and getattr(module, "bias", None) is not None:
            module.bias.data = given[f"{name} bias"].clone()  # type: ignore[union-attr]

    fill(getattr(trunk, names["embed"]), "embed")
    fill(getattr(model if style.norm_outside else trunk, names["norm"]), "norm")
    head = getattr(model, names["head"])
    for target, name in ((head, "weight"), (model if style.bias_outside else head, "bias")):
        full = given["head" if name == "weight" else "head bias"]
        more = torch.zeros(max(0, style.rows - WORDS), *full.shape[1:])
        getattr(target, name).data = torch.cat([full, more])[: style.rows].clone()
    for number, layer in enumerate(getattr(trunk, names["layers"])):
        fill(getattr(layer, names["norm1"]), f"{number} norm1")
        fill(getattr(layer, names["norm2"]), f"{number} norm2")
        attention, mlp = getattr(layer, names["attention"]), getattr(layer, names["mlp"])
        three = [given[f"{number} {part}"] for part in "qkv"]
        three[:2] = [reordered(each) if style.reorder else each for each in three[:2]]
        if style.fused:
            joined = torch.cat(three)
            if style.fused == "per head":
                joined = joined.reshape(3, HEADS, LANES, WIDTH).transpose(0, 1).reshape(3 * WIDTH, WIDTH)
            getattr(attention, names["qkv"]).weight.data = joined.contiguous()
        else:
            for part, each in zip("qkv", three, strict=True):
                getattr(attention, names[part]).weight.data = each.contiguous().clone()
        fill(getattr(attention, names["o"]), f"{number} o")
        swap = style.gate_swapped
        fill(getattr(mlp, names["gate"]), f"{number} {'up' if swap else 'gate'}")
        fill(getattr(mlp, names["up"]), f"{number} {'gate' if swap else 'up'}")
        fill(getattr(mlp, names["down"]), f"{number} down")
    return model


def inputs(seed: int) -> dict[str, torch.Tensor]:
    """Two texts, one of which is padded."""
    ids = torch.randint(0, WORDS, (2, 7), generator=torch.Generator().manual_seed(seed))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    return {"input_ids": ids, "attention_mask": mask}


@dataclass(frozen=True)
class Pair:
    """An original and its port.

    Attributes:
        what: the kind of arrangement, and the fault beside it.
        original, new: their styles.
        seed: of weights and inputs.
        place: the submodule at which the difference begins; `None` for a right port.
        cause: what it is called; `None` where there is none to be named.
    """

    what: str
    original: Style
    new: Style
    seed: int
    place: str | None = None
    cause: str | None = None


_LANES = Style(rotation="turn")
ARRANGEMENTS: Mapping[str, tuple[Style, Style]] = {
    "identities": (Style(identities=2), Style(identities=1)),
    "length first": (Style(length_first=True), Style()),
    "bias outside": (Style(bias_outside=True), Style()),
    "norm outside": (Style(norm_outside=True), Style()),
    "rotary": (_LANES, Style(reorder=True)),
    "leading axis": (Style(leading_axis=True), Style()),
    "lowest number": (Style(), Style(hidden=torch.finfo(torch.float32).min)),
    "minus infinity": (Style(), Style(hidden=float("-inf"))),
    "boolean mask": (Style(hidden=-1e9), Style(boolean=True)),
    "fused": (Style(fused="thirds"), Style()),
    "fused head by head": (Style(fused="per head"), Style(fused="thirds")),
    "outputs by value": (Style(output="tuple"), Style(output="reversed")),
    "outputs named": (Style(output="mapping"), Style(output="tuple")),
    "a list of layers": (Style(output="states"), Style(output="state")),
    "everything": (
        Style(length_first=True, rotation="turn", norm_outside=True, bias_outside=True, identities=1),
        Style(reorder=True, identities=2, hidden=torch.finfo(torch.float32).min, output="mapping"),
    ),
}
FAULTS: Mapping[str, tuple[str, str]] = {
    "residual": ("layer", "residual missing"),
    "epsilon": ("norm2", "epsilon"),
    "activation": ("mlp", "activation of another kind"),
}


def pairs(seed: int) -> Iterator[Pair]:
    """All pairs, in a fixed order."""
    generator = random.Random(seed)
    for what, (first, second) in ARRANGEMENTS.items():
        for other_names in (False, True):
            for one, other in ((first, second), (second, first)):
                new = replace(other, names=OTHER_NAMES) if other_names else other
                said = f"{what}{', other names' if other_names else ''}"
                is_shorter = one.output == "state" or other.output == "tensor" != one.output
                if not is_shorter:
                    yield Pair(said, one, new, generator.randrange(1 << 30))
                if is_shorter or other_names != generator.choice((False, True)):
                    continue
                for fault, (part, cause) in FAULTS.items():
                    layer = generator.randrange(LAYERS)
                    broken = replace(new, fault=fault, layer=layer)
                    yield Pair(f"{said}; {fault}", one, broken, generator.randrange(1 << 30), place_of(new, layer, part), cause)  # fmt: skip
    yield from _known(generator)


def _known(generator: random.Random) -> Iterator[Pair]:
    """Faults that are ones of arrangement themselves."""
    plain = Style()
    others = replace(plain, names=OTHER_NAMES)
    for new in (plain, others):
        attention = place_of(new, 0, "attention")
        cases = [
            ("rotary lanes", _LANES, new, attention, "rotary lanes"),
            ("rotary lanes", plain, replace(new, rotation="turn"), attention, "rotary lanes"),
            ("rotary lanes, reordered", plain, replace(new, reorder=True), attention, "rotary lanes"),
            ("rotary lanes, length first", replace(_LANES, length_first=True), new, attention, "rotary lanes"),
            ("rotary lanes, fused", replace(_LANES, fused="thirds"), replace(new, fused="thirds"), attention, "rotary lanes"),
            ("split as thirds", Style(fused="per head"), replace(new, fused="per head", split_as="thirds"), attention, "query/key/value fused head by head"),
            ("split head by head", Style(fused="thirds"), replace(new, fused="thirds", split_as="per head"), attention, "query/key/value fused head by head"),
            ("vocabulary padded", plain, replace(new, rows=WORDS + 8), new.names["head"], "vocabulary or positions padded or cut"),
            ("vocabulary cut", plain, replace(new, rows=WORDS - 3), new.names["head"], "vocabulary or positions padded or cut"),
            ("scale of the scores", plain, replace(new, fault="scale"), attention, None),
            ("mask ignored", plain, replace(new, fault="mask"), attention, None),
            ("logits scaled", plain, replace(new, fault="logits", bias_outside=True), "", "scale missing"),
        ]  # fmt: skip
        if new is others:
            cases += [
                ("gate and up", plain, replace(new, gate_swapped=True), place_of(new, 0, "mlp"), "projections swapped")
            ]
            cases += [("gate and up, lanes", _LANES, replace(new, reorder=True, gate_swapped=True), place_of(new, 0, "mlp"), "projections swapped")]  # fmt: skip
        for what, one, other, place, cause in cases:
            yield Pair(what, one, other, generator.randrange(1 << 30), place, cause)


def place_of(style: Style, layer: int, part: str) -> str:
    """The path of a part of a layer."""
    names = style.names
    path = f"{names['trunk']}.{names['layers']}.{layer}"
    return path if part == "layer" else f"{path}.{names[part]}"
