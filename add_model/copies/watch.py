"""What a watching run looks at to tell whether a file has changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from add_model.copies.reading.files import search
from add_model.library import CONFIGURATION_FILE, Library


def snapshot(library: Library, paths: Sequence[Path] = ()) -> tuple[tuple[str, int, int], ...]:
    """Every file that a check looks at with its time and size; equal as long as nobody saves one.

    Args:
        library: what is checked.
        paths: files and folders that are checked instead of its packages; the originals are in those all the same.

    Raises:
        AddModelError: one of the paths does not exist.
    """
    whole = [CONFIGURATION_FILE, *(path for pair in library.configuration.full_copies.items() for path in pair)]
    files = [*(str(library.root / path) for path in whole), *(path for _, path in search(library).files)]
    if paths:
        files += (path for _, path in search(library, paths).files)
    return tuple(entry for path in dict.fromkeys(files) if (entry := _entry(path)) is not None)


def _entry(path: str) -> tuple[str, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return path, status.st_mtime_ns, status.st_size
