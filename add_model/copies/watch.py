"""What a watching run looks at to tell whether a file has changed."""

from __future__ import annotations

import os

from add_model.copies.files import search
from add_model.library import CONFIGURATION_FILE, Library


def snapshot(library: Library) -> tuple[tuple[str, int, int], ...]:
    """Every file of the library with its time and size; equal as long as nobody saves one."""
    paths = [str(library.root / CONFIGURATION_FILE), *(path for _, path in search(library).files)]
    return tuple(entry for path in paths if (entry := _entry(path)) is not None)


def _entry(path: str) -> tuple[str, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return path, status.st_mtime_ns, status.st_size
