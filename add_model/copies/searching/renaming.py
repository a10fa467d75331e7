"""The shortest list of replacements that makes of some words others, told from the words alone.

A replacement without a mark in it that ends a word hits only within words, so that what a list makes of a text is what it
makes of the different words in it. The search goes word by word: what is wrong is put right in one of the ways in which a
person might have written it, until nothing is wrong or the list is too long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from add_model.copies.language.marker import Replacement

# Parts of a name: `XLMRobertaViT2Layer` is XLM, Roberta, ViT, 2, Layer.
_PART = re.compile(r"[A-Z][a-z]+[A-Z](?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+|_+|[^\w]+|.")
_SIMPLE = re.compile(r"\w+")
# So many lists are tried at most for one pair of definitions; which words differ is mostly plain.
_MOST_TRIED = 150

Changes = dict[str, str]


def shortest_renaming(before: Sequence[str], after: Sequence[str], most: int) -> tuple[Replacement, ...] | None:
    """The replacements that make of each word what stands at its place in the other list; `None` where none are found.

    Args:
        before: the different words of an original.
        after: what stands for each of them in a copy.
        most: how many replacements there may be.
    """
    if before == after:
        return ()
    for changes in (_by_simple_words(before, after), dict(zip(before, after, strict=True))):
        if changes is None:
            continue
        left = [_MOST_TRIED]
        for length in range(1, most + 1):
            found = _search(changes, (), length, left)
            if found is not None:
                return found
    return None


def _by_simple_words(before: Sequence[str], after: Sequence[str]) -> Changes | None:
    """What becomes of each word without marks in it; `None` where that is not one thing."""
    changes: Changes = {}
    for old, new in zip(before, after, strict=True):
        here, there = _SIMPLE.findall(old), _SIMPLE.findall(new)
        if _SIMPLE.sub("", old) != _SIMPLE.sub("", new) or len(here) != len(there):
            return None
        for word, other in zip(here, there, strict=True):
            if changes.setdefault(word, other) != other:
                return None
    return changes


def _search(
    changes: Changes, chosen: tuple[Replacement, ...], length: int, left: list[int]
) -> tuple[Replacement, ...] | None:
    """The chosen replacements with up to `length` more that leave nothing wrong."""
    results = zip(_results(changes, chosen), changes.values(), strict=True)
    wrong = [(word, new) for word, new in results if word != new]
    if not wrong:
        return chosen
    left[0] -= 1
    if not length or left[0] < 0:
        return None
    word, new = min(wrong, key=lambda pair: (len(pair[0]), pair))
    for replacement in _ways(word, new, wrong):
        found = _search(changes, (*chosen, replacement), length - 1, left)
        if found is not None:
            return found
    return None


def _results(changes: Changes, chosen: tuple[Replacement, ...]) -> list[str]:
    results = list(changes)
    for replacement in chosen:
        for old, new in replacement.pairs():
            results = [word.replace(old, new) for word in results]
    return results


def _ways(word: str, new: str, wrong: Sequence[tuple[str, str]]) -> Iterator[Replacement]:
    """The replacements that make of one word the other: of as few of its parts as differ, then of more around those."""
    parts, others = _PART.findall(word), _PART.findall(new)
    most = min(len(parts), len(others))
    head = next((count for count in range(most) if parts[count] != others[count]), most)
    tail = next((count for count in range(most - head) if parts[-1 - count] != others[-1 - count]), most - head)
    around = [(first, last) for first in range(head, -1, -1) for last in range(tail, -1, -1)]
    for first, last in sorted(around, key=lambda way: head - way[0] + tail - way[1]):
        old = "".join(parts[first : len(parts) - last])
        if not old or (text := "".join(others[first : len(others) - last])) == old:
            continue
        replacement = Replacement(old, text)
        if not text or word.replace(old, text) != new:
            continue
        yield from (each for each in _in_all_casings(old, text) if _saves(each, old, wrong))
        yield replacement


def _in_all_casings(old: str, new: str) -> Iterator[Replacement]:
    """The replacements in all casings of which this one is a part."""
    if old not in (old.lower(), old.upper()):
        yield Replacement(old, new, True)
    elif old.isalpha() and new[:1].isalpha() and new in (new.lower(), new.upper()):
        yield Replacement(old.capitalize(), new.capitalize(), True)


def _saves(replacement: Replacement, known: str, wrong: Sequence[tuple[str, str]]) -> bool:
    """Whether a word is wrong that another casing than the one that is known might put right."""
    return any(old != known and old in word for old, _ in replacement.pairs() for word, _ in wrong)
