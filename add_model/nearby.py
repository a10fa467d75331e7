"""Where a library is, for somebody who has called a command beside it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import CONFIGURATION_FILE, read_configuration


def where_to_go(folder: Path) -> str:
    """What to type in a folder that is in no library: to the one that lies directly below it, where there is one."""
    below = libraries_below(folder)
    if not below:
        return "go to the folder of a library, or name it: --into DIR"
    names = ", ".join(path.name for path in below)
    shown = os.path.relpath(below[0])
    return f"go to {names}, or name it: --into {shlex.quote(shown)}"


def libraries_below(folder: Path) -> list[Path]:
    """The libraries that lie directly below a folder."""
    return [path.parent for path in sorted(folder.glob(f"*/{CONFIGURATION_FILE}")) if _is_library(path.parent)]


def _is_library(folder: Path) -> bool:
    try:
        return read_configuration(folder) is not None
    except AddModelError:
        # Ours, but broken: what is wrong with it is said there.
        return True
