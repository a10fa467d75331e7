"""The edits of a module that put its markers where they belong, or in place of what they were meant to be."""

from __future__ import annotations

from collections.abc import Iterable

from add_model.copies.fixing.edits import Edit
from add_model.copies.judging.mending import Malformed
from add_model.copies.judging.pair import Pair
from add_model.source import Module


def moved(module: Module, misplaced: Iterable[Pair]) -> list[Edit]:
    """The edits that move the markers of these copies, those of a module, directly above their headers; two for each."""
    edits: list[Edit] = []
    for pair in misplaced:
        if pair.module is module:
            below = module.text.index("\n", pair.start) + 1
            edits += Edit(pair.start, below, ""), Edit(pair.header, pair.header, module.text[pair.start : below])
    return edits


def mended(module: Module, malformed: Iterable[Malformed]) -> list[Edit]:
    """The edits that write these markers, those of a module, anew."""
    length = len(module.text)
    return [
        Edit(each.start, min(each.end + 1, length), f"{each.line}\n") for each in malformed if each.module is module
    ]
