"""Blocks of the released trees laid out in other ways: a copy stays a copy, whichever side it is done to."""

from __future__ import annotations

import random
import textwrap
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from add_model.copies.language.equality import is_copy
from add_model.copies.language.marker import Replacement

from .layouts import KINDS, laid_out_anew, same_count
from .reference import Tree
from .released import released

SEED = 7
FILES = 25
LINES = 120


@cache
def copies() -> list[tuple[str, str, tuple[Replacement, ...]]]:
    """Originals, their copies, and the replacements between them, from some files of two trees."""
    found = []
    for release in ("transformers-5.23.0", "diffusers-0.42.1"):
        library = released(release)
        tree = Tree(library.root, library.packages)
        (package,) = library.packages.values()
        files = sorted(path for path in package.rglob("*.py") if b"Copied from" in path.read_bytes())
        for path in random.Random(SEED).sample(files, FILES):
            for mark in tree.marks(str(path)):
                original = tree.original(mark.source)
                if original is None or tree.verdict(mark) or mark.copy is None:
                    continue
                sides = original[0].block_text(original[1]), tree.file(mark.path).block_text(mark.copy)
                replacements = tuple(Replacement(old, new) for old, new in mark.replacements)
                if max(side.count("\n") for side in sides) <= LINES:
                    found.append((*map(textwrap.dedent, sides), replacements))
    return found


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_layout_of_real_blocks(data: st.DataObject) -> None:
    original, copy, replacements = data.draw(st.sampled_from(copies()))
    kinds = st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=6)
    chance = data.draw(st.randoms(use_true_random=False))
    # An edit that tears apart what a replacement names is more than one of layout.
    whole = same_count([replacement.old for replacement in replacements], original)
    there = laid_out_anew(original, data.draw(kinds), chance, whole)
    here = laid_out_anew(copy, data.draw(kinds), chance, lambda edited: True)
    assert is_copy(original, copy, replacements)
    assert is_copy(there, copy, replacements)
    assert is_copy(original, here, replacements)
    assert is_copy(there, here, replacements)


BLOCK = """
def f(a, b):
    x = call(
        a,
        "one " "two",
    )

    y = (a + b)
    return g("three four", x)
""".lstrip()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_layout_is_tried(kind: str) -> None:
    anew = {laid_out_anew(BLOCK, [kind], random.Random(seed), lambda edited: True) for seed in range(9)}
    assert anew - {BLOCK}
    assert all(is_copy(BLOCK, block) for block in anew)
