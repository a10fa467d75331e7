"""What a run that was cut off while it was writing has left: taken back before another writes, and said."""

from __future__ import annotations

from pathlib import Path

from add_model.cli.output import tell
from add_model.errors import AddModelError


def take_back(root: Path, dry_run: bool = False) -> None:
    """Puts every file back as it was before such a run.

    Raises:
        AddModelError: there is something to take back, and this is a dry run, which touches nothing.
    """
    from add_model.transaction import recover, was_interrupted

    if dry_run:
        if was_interrupted(root):
            raise AddModelError(f"{root}: a run was cut off while it was writing here; run without --dry-run to take that back first")  # fmt: skip
        return
    for path in recover(root):
        tell(f"taken back from a run that was cut off: {path}")
