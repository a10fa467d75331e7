"""What the words in a weight's name mean: the many names that code bases have for one thing become one word.

`transformer.h.0.attn.c_proj.weight`, `bert/encoder/layer_0/attention/output/dense/kernel` and
`layers.0.self_attn.o_proj.weight` all speak of the projection behind an attention.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

# Numbers in a name are ranks among siblings (`Unit.reading`): `1of2`. Where there are more than two weights in a
# network, one of them is a gate, and their numbers do not say which.
# Read from top to bottom on the name as words with blanks between them; what an entry matches is replaced by its
# concepts, which are written in capitals so that no later entry takes them for words.
_PHRASES: Sequence[tuple[str, str]] = (
    # Embeddings.
    (r"(token type|segment|type) emb\w*|tok type emb\w*", "TYPE EMBEDDING"),
    (r"wpe|(embed|embd|emb) (positions?|pos)|(positions?|positional|pos|learned positional) (emb\w*|encoding|table)", "POSITION EMBEDDING"),
    (r"wte|(embed|emb) (tokens?|in)|(word|tok|token|tokens|input|vocab) emb\w*|shared", "TOKEN EMBEDDING"),
    # Normalisation.
    (r"(layer|rms|l) norm|layernorm|rmsnorm|ln|norms?", "NORM"),
    # Attention.
    (r"(encoder attn|encoder attention|cross attn|cross attention|crossattention|inter attention|enc dec attention|multihead attn|src attn)", "CROSS ATTENTION"),
    (r"(self attn|self attention|selfattention|attn|attention|att|mha|sa|mixer)( self)?", "ATTENTION"),
    (r"ATTENTION (in )?c ATTENTION|c ATTENTION|(query|key|value)( (query|key|value)){2}( proj)?|w?(qkv|qvk|kqv|kvq|vqk|vkq)( proj)?|in proj", "ATTENTION FUSED"),
    (r"(to )?(key value|value key|kv|vk)( proj)?", "ATTENTION PAIR"),
    (r"(to )?(query|q)( (proj|lin|linear|dense))?|w ?q", "QUERY"),
    (r"(to )?(key|k)( (proj|lin|linear|dense))?|w ?k", "KEY"),
    (r"(to )?(value|values|v)( (proj|lin|linear|dense))?|w ?v", "VALUE"),
    (r"(?<=ATTENTION )(output dense|(c|out|o) (proj|lin|linear)|to out|wo|output linear|proj|dense|o|out)", "RESULT"),
    (r"(?<=ATTENTION )(output|out) (?=NORM)", ""),
    # Feed-forward network.
    (r"mlp|ffn|feed forward|feedforward|ff|positionwise", "NETWORK"),
    (r"(gate|gate proj|w ?gate)\b", "GATE"),
    (r"(NETWORK )?(intermediate dense|c fc|fc in|up proj|up|wi(?! \d)|dense h to (\d )?h|((NETWORK|fc|lin|linear|w|dense|layer) )1of2$)", "NETWORK UP"),
    (r"(NETWORK )?(output dense|fc out|down proj|down|dense \d h to h|((NETWORK|fc|lin|linear|w|dense|layer) )2of2$)|NETWORK (c proj|wo|proj|out)", "NETWORK DOWN"),
    # The places of normalisations in a layer.
    (r"CROSS ATTENTION NORM|NORM 2of3", "CROSS NORMALISATION"),
    (r"behind ATTENTION NORM", "POST FIRST NORM"),
    (r"post NETWORK NORM", "POST SECOND NORM"),
    (r"post ATTENTION NORM|NORM (2of2|3of3|after)|NETWORK NORM|pre NETWORK NORM", "SECOND NORM"),
    (r"(input|pre ATTENTION|ATTENTION) NORM|NORM (1of[23]|before)", "FIRST NORM"),
    (r"(final|last|post|output|out) NORM|NORM (f|final|post|out|output)", "FINAL NORM"),
    (r"(emb\w*|EMBEDDING) NORM|NORM (emb\w*|EMBEDDING|pre)", "NORM EMBEDDING"),
    # What the attention and the network of a layer are multiplied by.
    (r"(gamma|lambda|ls|layer scale) 1of2", "FIRST SCALE"),
    (r"(gamma|lambda|ls|layer scale) 2of2", "SECOND SCALE"),
    # Heads.
    (r"(cls|mlm|lm|prediction|predictions)( head)?( predictions)?|lm head|embed out|output projection|generator", "HEAD"),
    (r"(seq relationship|nsp)", "RELATIONSHIP"),
    (r"pooler|pooled|pooling", "POOLER"),
    (r"classifier|classification head|score", "CLASSIFIER"),
    (r"transform(?= )", "TRANSFORM"),
)  # fmt: skip
_COMPILED = [(re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])"), concepts) for pattern, concepts in _PHRASES]
# Words that hold things together, and say nothing about what they hold.
_EMPTY = frozenset("h layer layers block blocks resblock resblocks model module transformer backbone base net network main params variables dense linear proj embeddings emb c x".split())  # fmt: skip
_WEIGHT = frozenset("weight kernel gamma scale w g embedding table embeddings".split())
_BIAS = frozenset("bias beta offset b shift".split())
# The number of what has no siblings, which may be the only layer.
_ALONE = "1of1"
# A normalisation `post_attention` belongs to the network that follows it. Where that has one behind it, too, it belongs
# to the attention before it, and is read as one behind that.
_POST_ATTENTION = re.compile(r"post_?(?=(self_?)?att)", re.IGNORECASE)
_POST_NETWORK = re.compile(r"post_?(?=mlp|ff|feed_?forward)", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+of\d+|\d+|#")


@dataclass(frozen=True)
class Meaning:
    """What a weight's name says.

    Attributes:
        role: `weight` or `bias`.
        leaf: the word that says so, empty where there is none.
        concepts: everything else, as words of one vocabulary.
    """

    role: str
    leaf: str
    concepts: frozenset[str]


def words_of(name: str) -> list[str]:
    """The words of a name, in small letters."""
    return [word.lower() for word in _WORD.findall(name)]


def told_apart(readings: Mapping[str, str]) -> dict[str, str]:
    """Readings in which a word that means two things says which, by what else there is on the same side.

    Args:
        readings: name -> its reading, of everything on one side.
    """
    if not any(map(_POST_NETWORK.search, readings.values())):
        return dict(readings)
    return {name: _POST_ATTENTION.sub("behind_", reading) for name, reading in readings.items()}


def meaning(reading: str, of_the_model: Collection[str] = ()) -> Meaning:
    """The meaning of a name in which numbers of layers are written `#`, and others as their rank.

    Args:
        reading: the name.
        of_the_model: words that name the model itself, which say nothing about a weight.
    """
    words = words_of(reading)
    role, leaf = "weight", ""
    if words and words[-1] in _WEIGHT | _BIAS and (len(words) > 1):
        leaf = words[-1]
        role = "bias" if leaf in _BIAS else "weight"
        # `word_embeddings` alone names the weight itself.
        if leaf not in ("embedding", "embeddings", "table"):
            words.pop()
    text = " ".join(word for word in words if word not in of_the_model)
    for pattern, concepts in _COMPILED:
        text = pattern.sub(concepts, text)
    found = set(text.split())
    if not {"#", _ALONE}.isdisjoint(words) and {"FINAL", "NORM"} <= found:
        # The last one of a layer, not of the model.
        found = found - {"FINAL"} | {"SECOND"}
    numbers = {word for word in found if word[0].isdigit()}
    words = [word for word in words if word != _ALONE]
    # A number that has no meaning of its own is one of its word: it is the same only where the word is.
    numbered = {f"{before}{number}" for before, number in itertools.pairwise(words) if number in numbers}
    return Meaning(role, leaf, frozenset(found - numbers | numbered) - _EMPTY - {"#"})
