"""The folder in a library in which the tool keeps what it has to remember there, and whether a run left work in it."""

from __future__ import annotations

from pathlib import Path

STATE_FOLDER = ".add-model"


def transaction_folder(root: Path) -> Path:
    """Where a run that writes keeps what it replaces, until it is done."""
    return root / STATE_FOLDER / "transaction"


def is_left_behind(root: Path) -> bool:
    """Whether a run that is at work, or was cut off, left something: its folder, or an empty one around it."""
    try:
        return transaction_folder(root).exists() or not any((root / STATE_FOLDER).iterdir())
    except OSError:
        return False
