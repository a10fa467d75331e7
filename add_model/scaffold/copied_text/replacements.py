"""The shortest list of replacements that turns one definition's source into another's, found from how the two differ.

A list is text for text, so that it hits wherever the text stands: `opt->brand_new` in `option` too. What a pair hits
by mistake is put right by a later one, which is cheaper than naming every identifier as long as the mistakes are few.
The search proposes; whether a list holds is for the checker to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from add_model.copies.language.equality import is_copy
from add_model.copies.language.marker import Marker, Replacement, read_comment, without_markers
from add_model.copies.language.region import from_header, with_name

Pair = tuple[str, str]

# What a replacement can hold: no white space, no comma or arrow, and nothing that another tool reads as a pattern.
_CHUNK = re.compile(r"[^\s,>\\^$*+?{}\[\]|()]+")
_TOKEN = re.compile(r"[\w-]+")


def shortest_replacements(original: str, copy: str, spelled: Sequence[Pair]) -> tuple[Replacement, ...] | None:
    """The shortest list of replacements that turns one definition's source into another's; `None` where none is found.

    Args:
        original: the lines of a class or function, decorators allowed.
        copy: the lines of another.
        spelled: how the model's name is spelled in the one and in the other; the pairs to prefer.
    """
    # Markers within follow as well, where some list makes them do so; what they say is not compared.
    for prepared in (str, without_markers) if without_markers(original) != original else (str,):
        before, after = (with_name(prepared(from_header(text)), "_") for text in (original, copy))
        chunks = _changes(before, after)
        for pairs in () if chunks is None else _candidates(chunks, spelled):
            replacements = tuple(Replacement(*pair) for pair in _effective(pairs, from_header(original)))
            if _can_be_written(replacements) and is_copy(original, copy, replacements):
                return replacements
    return () if is_copy(original, copy) else None


def _changes(before: str, after: str) -> dict[str, str] | None:
    """What becomes of each chunk of the text; `None` where that is not one thing, or not told chunk by chunk."""
    changes: dict[str, str] = {}
    for old, new in zip_longest(_CHUNK.findall(before), _CHUNK.findall(after)):
        if old is None or new is None or changes.setdefault(old, new) != new:
            return None
    return changes


def _candidates(chunks: dict[str, str], spelled: Sequence[Pair]) -> Iterable[list[Pair]]:
    """Lists of pairs that make of each chunk what it is to become, the shortest first."""
    changed = {old: new for old, new in chunks.items() if old != new}
    if not changed:
        yield []
        return
    atoms = _atoms(changed)
    if not all(_is_renamed(atom, spelled) for atom in atoms):
        return
    groups: dict[Pair, list[Pair]] = {}
    for atom in atoms:
        groups.setdefault(_core(atom, spelled), []).append(atom)
    chosen = [pair for core, members in groups.items() for pair in _cheapest(core, members, chunks)]
    order = {pair: rank for rank, pair in enumerate(spelled)}
    chosen.sort(key=lambda pair: (-len(pair[0]), order.get(pair, len(order))))
    lists = (_in_turn([*dict.fromkeys(chosen)]), _long_first(atoms), _long_first(changed.items()))
    corrected = (_corrected(pairs, chunks) for pairs in lists)
    yield from sorted((_needed(pairs, chunks) for pairs in corrected if pairs is not None), key=len)


def _in_turn(pairs: list[Pair]) -> list[Pair]:
    """The pairs in an order in which none hits what another one has just made, as far as there is one."""
    ordered: list[Pair] = []
    while pairs:
        free = (pair for pair in pairs if not any(other[0] in pair[1] for other in pairs if other != pair))
        ordered.append(next(free, pairs[0]))
        pairs = [pair for pair in pairs if pair != ordered[-1]]
    return ordered


def _needed(pairs: list[Pair], chunks: dict[str, str]) -> list[Pair]:
    """The pairs without those that the others do without."""
    for pair in pairs:
        fewer = [other for other in pairs if other != pair]
        if all(_replaced(old, fewer) == new for old, new in chunks.items()):
            pairs = fewer
    return pairs


def _long_first(pairs: Iterable[Pair]) -> list[Pair]:
    return sorted(set(pairs), key=lambda pair: (-len(pair[0]), pair))


def _atoms(changed: dict[str, str]) -> list[Pair]:
    """The words that change, each with what it becomes; a chunk as a whole where its words cannot be told apart."""
    atoms: dict[Pair, None] = {}
    for old, new in changed.items():
        here, there = _TOKEN.findall(old), _TOKEN.findall(new)
        pairs = list(zip(here, there, strict=True)) if len(here) == len(there) else [(old, new)]
        atoms.update(dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]))
    return list(atoms)


def _is_renamed(atom: Pair, spelled: Sequence[Pair]) -> bool:
    """Whether a change has to do with the model's name at all: what else differs is no matter of replacements."""
    return any(old in atom[0] or new in atom[1] for old, new in spelled)


def _core(atom: Pair, spelled: Sequence[Pair]) -> Pair:
    """The spelling of the name that explains a change; the change itself where none does."""
    return next((pair for pair in spelled if pair[0] in atom[0] and atom[0].replace(*pair) == atom[1]), atom)


def _cheapest(core: Pair, members: list[Pair], chunks: dict[str, str]) -> list[Pair]:
    """One pair for all of these changes, or one for each: whichever leaves less to be put right."""
    return min([core], members, key=lambda pairs: len(pairs) + _mistakes(pairs, chunks))


def _mistakes(pairs: list[Pair], chunks: dict[str, str]) -> int:
    """How many words of chunks that stay as they are these pairs would change."""
    hit = {word for old, new in chunks.items() if old == new for word in _TOKEN.findall(old)}
    return sum(_replaced(word, pairs) != word for word in hit)


def _corrected(pairs: list[Pair], chunks: dict[str, str]) -> list[Pair] | None:
    """The pairs, and behind them those that put right what they hit by mistake; `None` where that cannot be."""
    results = {old: _replaced(old, pairs) for old in chunks}
    right = [new for old, new in chunks.items() if results[old] == new]
    repairs: dict[Pair, None] = {}
    for old, new in chunks.items():
        wrong = results[old]
        if wrong != new:
            narrow = _atoms({wrong: new})
            safe = all(not any(pair[0] in text for text in right) for pair in narrow)
            repairs.update(dict.fromkeys(narrow if safe else [(wrong, new)]))
    pairs = [*pairs, *_long_first(repairs)]
    return pairs if all(_replaced(old, pairs) == new for old, new in chunks.items()) else None


def _replaced(text: str, pairs: Iterable[Pair]) -> str:
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def _effective(pairs: Iterable[Pair], text: str) -> list[Pair]:
    """The pairs that change something when their turn comes."""
    found = []
    for old, new in pairs:
        if old in text:
            found.append((old, new))
            text = text.replace(old, new)
    return found


def _can_be_written(replacements: tuple[Replacement, ...]) -> bool:
    """Whether a marker with these replacements is read as it was written."""
    marker = Marker("", "a.b.c", replacements)
    return read_comment(str(marker)) == marker
