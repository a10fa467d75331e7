"""What two definitions have in common that are one up to a renaming, however they are laid out.

A definition is read as its words in order; names, numbers, what strings and comments hold, all alike. What is renamed
consistently keeps the places where its words come again, so that these places, with the marks between the words, are a
key: definitions of one key differ at most in what they call things. Whether a marker can say how, is another question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, pairwise
from zlib import crc32

from add_model.definitions import Definition

# A word with what a replacement may exchange together with it: a dot, slash or dash.
_WORD = re.compile(r"[\w./-]+")
# What is told by the words, and what another layout may add or drop.
_LEFT_OUT = bytes(byte for byte in range(128) if chr(byte).isalnum() or chr(byte) in "_./- \t\f\n\r\\\"'(){},;#+")


def keys_of(text: str, definitions: Sequence[Definition]) -> list[int]:
    """The key of each definition of a text, which holds no line of a marker."""
    cuts = sorted({place for definition in definitions for place in (definition.header, definition.end)})
    number = {cut: place for place, cut in enumerate(cuts)}
    words = [_WORD.findall(text, start, end) for start, end in pairwise(cuts)]
    marks = [_marks(text[start:end]) for start, end in pairwise(cuts)]
    keys = []
    for definition in definitions:
        part = slice(number[definition.header], number[definition.end])
        keys.append(_key(list(chain.from_iterable(words[part])), b"".join(marks[part])))
    return keys


def words_of(block: str) -> tuple[str, ...]:
    """The different words of a block that starts at its header, in the order in which they come first.

    Those of two blocks of one key stand for each other, place by place.
    """
    words = _WORD.findall(block)
    _take_name(words)
    return tuple(dict.fromkeys(words))


def _key(words: list[str], marks: bytes) -> int:
    _take_name(words)
    different = dict.fromkeys(words)
    places = dict(zip(different, range(len(different)), strict=True))
    return hash((crc32(marks), tuple(map(places.__getitem__, words))))


def _take_name(words: list[str]) -> None:
    """Takes the definition's own name away, which a copy is free to have for itself."""
    del words[2 if words[:1] == ["async"] else 1]


def _marks(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").translate(None, _LEFT_OUT)
