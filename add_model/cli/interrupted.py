"""What a run that was cut off while it was writing has left: taken back before another writes, and said by one that reads."""

from __future__ import annotations

import shlex
from pathlib import Path

from add_model.cli.output import tell
from add_model.errors import AddModelError


def take_back(root: Path, dry_run: bool = False) -> list[Path]:
    """Puts every file back as it was before such a run; returns them.

    Raises:
        AddModelError: there is something to take back, and this is a dry run, which touches nothing.
    """
    from add_model.transaction import recover, was_interrupted

    _tell_strange(root)
    if dry_run:
        if was_interrupted(root):
            raise AddModelError(f"{root}: a run was cut off while it was writing here; run without --dry-run to take that back first")  # fmt: skip
        return []
    restored = recover(root)
    for path in restored:
        tell(f"taken back from a run that was cut off: {path}")
    return restored


def tell_interrupted(root: Path) -> None:
    """Says what such a run has left, and what to type, for a command that only reads, and so takes nothing back."""
    from add_model.transaction import was_interrupted

    _tell_strange(root)
    if was_interrupted(root):
        tell(f"warning: {root}: a run was cut off while it was writing here, and half of its files may stand; `add-model recover --into {shlex.quote(str(root))}` takes it back")  # fmt: skip


def _tell_strange(root: Path) -> None:
    from add_model.transaction import strange_folders

    for folder in strange_folders(root):
        tell(f"warning: {folder}: was left by a run of somebody else, or in another place, and is not touched; remove it if nothing in it is needed")  # fmt: skip
