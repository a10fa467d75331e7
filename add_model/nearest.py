"""What somebody most likely meant by a name that is none: the nearest of those there are, and what spells one otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from add_model.names import words

# How alike two names must be for one to be offered for the other, and how many are.
_ALIKE, _MOST = 0.6, 3


def bare(text: str) -> str:
    """A name without what is often written otherwise: casing, hyphens, underscores, spaces."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def nearest(wanted: str, names: Iterable[str]) -> list[str]:
    """All of these names, the one that is most like the wanted one first; of two that are equally like it, as given."""
    return sorted(dict.fromkeys(names), key=lambda name: -likeness(wanted, name))


def close(wanted: str, names: Iterable[str], most: int = _MOST) -> list[str]:
    """Those of the names that may have been meant, at most so many, the most likely one first."""
    return [name for name in nearest(wanted, names) if likeness(wanted, name) >= _ALIKE][:most]


def likeness(wanted: str, name: str) -> float:
    """How alike two names are, from 0 to 1: by their letters, by one beginning with the other, by the words they share."""
    from difflib import SequenceMatcher

    first, second = bare(wanted), bare(name)
    if not first or not second:
        return 0.0
    if first == second:
        return 1.0
    by_letters = SequenceMatcher(None, first, second, autojunk=False).ratio()
    begins = first.startswith(second) or second.startswith(first)
    by_beginning = 0.7 + 0.2 * min(len(first), len(second)) / max(len(first), len(second)) if begins else 0.0
    own, others = _words(wanted), _words(name)
    by_words = 0.9 * len(own & others) / max(len(own), len(others)) if own and others else 0.0
    return max(by_letters, by_beginning, by_words)


def spelled_otherwise(typed: str, spellings: Mapping[str, str]) -> str | None:
    """What a name stands for that is spelled in another casing, or with other marks between its words: `GPT-2` for `gpt2`.

    Args:
        typed: what was typed.
        spellings: spelling -> what it stands for.

    Returns:
        What it stands for; `None` where nothing, or more than one thing, is spelled so.
    """
    if not re.fullmatch(r"[\w .-]+", typed):
        return None
    wanted = bare(typed)
    found = {meant for spelling, meant in spellings.items() if wanted and bare(spelling) == wanted}
    return found.pop() if len(found) == 1 else None


def named_in_checkpoint(typed: str, spellings: Mapping[str, str]) -> str | None:
    """What the name of a checkpoint is about, such as `bert` of `google-bert/bert-base-uncased`.

    The longest run of words that spells something wins, and of two the one that comes first.
    """
    parts = re.findall(r"[a-z0-9]+", typed.rpartition("/")[2].lower())
    meant = {bare(spelling): found for spelling, found in spellings.items()}
    for length in range(len(parts), 0, -1):
        for start in range(len(parts) - length + 1):
            found = meant.get("".join(parts[start : start + length]))
            if found is not None:
                return found
    return None


def _words(name: str) -> set[str]:
    return {word.lower() for word in words(name)}
