"""What a reference's comments say of where its own blocks come from: those of its copies come in their place."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from add_model.copies.language.marker import NEEDLE, Marker, Mention, read_comment, without_markers
from add_model.scaffold.copied_text.marking import Block, blocks, lines_of


def without_origins(text: str, own_blocks: Sequence[Block]) -> str:
    """The text without the comments outside its blocks that say what a block was copied from, as markers or otherwise.

    They are about the reference, and those of the new model's blocks come in their place. Those inside a block are a
    part of it.
    """
    if NEEDLE.decode() not in text:
        return text
    inside = {line for block in own_blocks for line in range(block.header, block.last)}
    lines = text.split("\n")
    kept = [line for number, line in enumerate(lines) if number in inside or not _is_origin(line)]
    return "\n".join(kept)


def _is_origin(line: str) -> bool:
    return line.lstrip().startswith("#") and isinstance(read_comment(line), (Marker, Mention))


def without_inner_markers(text: str, names: Collection[str]) -> str:
    """The text without the markers within definitions of these names, which are no copies themselves."""
    lines = lines_of(text)
    for block in reversed([block for block in blocks(text) if block.name in names]):
        lines[block.header : block.last] = lines_of(without_markers("".join(lines[block.header : block.last])))
    return "".join(lines)
