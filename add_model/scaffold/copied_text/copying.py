"""A module as a copy of another: renamed, and each block marked as the copy that it is."""

from __future__ import annotations

from dataclasses import replace

from add_model.copies.language.marker import without_markers
from add_model.scaffold.copied_text.marking import Unmarked, blocks_of, mark_blocks
from add_model.scaffold.copied_text.origins import without_origins
from add_model.scaffold.copied_text.renaming import FolderRenaming
from add_model.syntax_tree import syntax_tree


def marked_copy(original: str, module: str, renaming: FolderRenaming) -> tuple[str, tuple[Unmarked, ...]]:
    """The text of the new module, and the definitions that are copies and get no marker.

    Args:
        original: the text of the module that is copied.
        module: its dotted path, as markers name it.
        renaming: what becomes of its names.
    """
    own_blocks = list(blocks_of(syntax_tree(original).body))
    if not own_blocks:
        return renaming.rename_text(without_markers(original)), ()
    bare = without_origins(original, own_blocks)
    if bare != original:
        original, own_blocks = bare, list(blocks_of(syntax_tree(bare).body))
    text = renaming.rename_text(original)
    # A renaming keeps every line in its place, so that the blocks stand where they stood.
    renamed = [replace(block, name=renaming.identifier(block.name)) for block in own_blocks]
    return mark_blocks(text, renamed, original, own_blocks, module, renaming)
