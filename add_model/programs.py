"""Where the programs lie that the tool starts: never in the tree that it looks at, nor wherever it was called from."""

from __future__ import annotations

import os
from pathlib import Path


def find_program(name: str, tree: Path) -> str | None:
    """The absolute path of a program; `None` where there is none.

    Of `PATH` only absolute entries count: an empty or relative one leads into whatever folder is the current one. Nor
    do those that lie below the tree, which may have come with it.
    """
    suffixes = os.environ.get("PATHEXT", "").split(os.pathsep) if os.name == "nt" else [""]
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if not os.path.isabs(folder):
            continue
        for suffix in suffixes:
            path = os.path.join(folder, name + suffix)
            if os.path.isfile(path) and os.access(path, os.X_OK) and not is_of_tree(path, tree):
                return path
    return None


def is_of_tree(path: str, tree: Path) -> bool:
    """Whether a program lies below a tree, or is a link that leads there."""
    real_tree = os.path.realpath(tree)
    if os.path.dirname(real_tree) == real_tree:
        # In a container the library may be all that there is; its programs are the system's nevertheless.
        return False
    places = (path, os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)))
    return any(Path(place).is_relative_to(real_tree) for place in (*places, os.path.realpath(path)))
