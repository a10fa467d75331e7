"""What fixes keep outside the tree, in the user's state folder.

The text that a fix replaces, and that is kept nowhere else, is written down there before the tree is touched: one patch
for each run, which puts every file back byte by byte.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from add_model.copies.language.line_diff import unified_diff
from add_model.copies.reading.files import relative_path
from add_model.errors import AddModelError
from add_model.state import made_user_folder, user_folder

PATCH = "replaced.patch"
_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")


def keep(root: Path, replaced: Mapping[str, tuple[bytes, bytes]]) -> Path:
    """Writes down what a fix of the tree at `root` replaces; returns the patch that puts it back.

    Args:
        root: the folder that the patch applies to.
        replaced: what files held, and what they are about to hold, by path.

    Raises:
        AddModelError: it cannot be written.
    """
    folder = None
    try:
        folder = _new_folder(root)
        # Half a patch would pass for a whole one.
        part = folder / f"{PATCH}.part"
        with open(part, "xb") as file:
            for path, (before, after) in sorted(replaced.items()):
                file.writelines(_patch(relative_path(path, root), after, before))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, folder / PATCH)
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise AddModelError(
            f"the text to be replaced cannot be kept ({error.strerror or error}), so nothing was changed; commit it, "
            "or set XDG_STATE_HOME to a folder with room"
        ) from error
    return folder / PATCH


def discard(patch: Path) -> None:
    """Removes a patch again, for a run that has changed nothing."""
    shutil.rmtree(patch.parent, ignore_errors=True)


def memory(place: Path) -> Path | None:
    """The file in which fixes of a tree remember what they wrote; `None` for a user without a home.

    It lies in the user's state folder, where nobody else's tree can bring one along.

    Args:
        place: the folder that tells the tree from others: its root, or what all work trees of its repository share.
    """
    try:
        folder = user_folder()
    except AddModelError:
        return None
    return folder / "written" / f"{hashlib.sha256(os.fsencode(os.path.realpath(place))).hexdigest()}.json"


def _new_folder(root: Path) -> Path:
    above = made_user_folder("replaced")
    name = f"{time.strftime('%Y%m%dT%H%M%S')}-{root.resolve().name or 'root'}"
    for number in itertools.count(2):
        try:
            # What is replaced may be somebody's secret draft.
            (above / name).mkdir(mode=0o700)
            return above / name
        except FileExistsError:
            name = f"{name.partition('~')[0]}~{number}"
    raise AssertionError


def _patch(name: str, before: bytes, after: bytes) -> Iterator[bytes]:
    # The tab ends a name that holds spaces.
    path = os.fsencode(f"{name}\t" if " " in name else name)
    for line in unified_diff(_LINE.findall(before), _LINE.findall(after), b"a/" + path, b"b/" + path):
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"
