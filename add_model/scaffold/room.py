"""Taking files away where there is no room to note that they go: on a full disk the first of them make room for the rest.

What is taken away beforehand is what a removal deletes in any case, and as it was written: tests and pages before the
model's own modules. Each of these files is put back where the removal does not come about. Only a process that is killed
between the two leaves such a file missing; removing the model once more does not miss it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from add_model.boundary import ensure_writable
from add_model.errors import AddModelError
from add_model.reading import read_bytes
from add_model.transaction import Change, is_for_want_of_room, write_files


class _Taken(NamedTuple):
    """A file that was taken away beforehand, and its permission bits."""

    change: Change
    mode: int


def write_in_any_case(root: Path, changes: Sequence[Change]) -> None:
    """Writes every change, or nothing, also where the disk is full and some of the changes delete files.

    Raises:
        AddModelError: something cannot be written, or was changed since it was looked at.
    """
    left, spare, taken = list(changes), _spare(changes), list[_Taken]()
    while True:
        try:
            write_files(root, left)
        except AddModelError as error:
            if spare and is_for_want_of_room(error):
                found = _take_away(root, spare.pop())
                if found is not None:
                    taken.append(found)
                    left.remove(found.change)
                    continue
            _put_back(taken)
            raise
        return


def _spare(changes: Sequence[Change]) -> list[Change]:
    """The files that can go first, the last of them before the others: those with which no folder goes, modules at last."""
    deleted = [change for change in changes if change.content is None and change.expected]
    last = {change.path.parent: change for change in deleted}
    spare = [change for change in deleted if change is not last[change.path.parent]]
    return sorted(spare, key=lambda change: ("test" in change.path.name, len(change.expected or b"")))


def _take_away(root: Path, change: Change) -> _Taken | None:
    """Deletes a file that is still what it is expected to be."""
    ensure_writable(root, change.path)
    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(change.path.stat().st_mode)
        if read_bytes(change.path) == change.expected:
            change.path.unlink()
            return _Taken(change, mode)
    return None


def _put_back(taken: Sequence[_Taken]) -> None:
    for change, mode in taken:
        with contextlib.suppress(OSError), open(change.path, "xb") as file:
            file.write(change.expected or b"")
            os.chmod(change.path, mode)
