"""When git first knew of files: of definitions that are equal, the oldest is the original."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from add_model.git import ask, find_repository

_ADDED = ("log", "--diff-filter=A", "--no-renames", "--format=%x00%at", "--name-only", "-z", "--")
_TIME = re.compile(rb"\d+")


def first_known(root: Path, paths: Iterable[str]) -> dict[str, int]:
    """The time at which each of these files was written that git first knew of, in seconds; files that git does not know are left out."""
    repository = find_repository(root)
    if repository is None:
        return {}
    asked = {os.path.relpath(os.path.realpath(path), repository.top).replace(os.sep, "/"): path for path in paths}
    answer = ask(repository, *_ADDED, os.path.relpath(os.path.realpath(root), repository.top))
    found: dict[str, int] = {}
    time = 0
    # The newest commits come first, so that what is said last of a file holds.
    for part in answer.output.split(b"\0") if answer.code == 0 else ():
        part = part.strip(b"\n")
        if _TIME.fullmatch(part):
            time = int(part)
        elif (path := asked.get(os.fsdecode(part))) is not None:
            found[path] = time
    return found
