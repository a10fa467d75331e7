"""Where the tool keeps what it has to remember: in a library what belongs to it, in the user's own folder the rest.

What stands in a library may have come with it, from anybody. Whatever is obeyed without being asked about, such as how to
take back a run that was cut off, stands in a folder that only this user writes.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from add_model.errors import AddModelError

STATE_FOLDER = ".add-model"
# A run that writes stages its files in a folder of such a name, with a random end, inside the library's state folder.
STAGING = "transaction"


def staging_folders(root: Path) -> list[Path]:
    """What runs that are at work, or were cut off, have left in a library; whose runs they were is not told by it."""
    folder = root / STATE_FOLDER
    try:
        return [folder / name for name in sorted(os.listdir(folder)) if name.startswith(STAGING)]
    except OSError:
        return []


def user_folder() -> Path:
    """The tool's folder among what this user's programs keep; made where it is missing.

    It is `$XDG_STATE_HOME/add-model`, by default `~/.local/state/add-model`, as the XDG Base Directory Specification
    has it. For a user without a home that can be written it is one in the folder for temporary files.

    Raises:
        AddModelError: it cannot be made, or is somebody else's.
    """
    named = os.environ.get("XDG_STATE_HOME", "")
    # The specification has a relative path ignored.
    if os.path.isabs(named):
        return _made(Path(named) / "add-model")
    try:
        return _made(Path.home() / ".local" / "state" / "add-model")
    except (AddModelError, RuntimeError):
        return _own_temporary_folder()


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise AddModelError(f"{folder}: cannot be made ({error.strerror or error}), so nothing was changed; set XDG_STATE_HOME to a folder with room that you may write") from error  # fmt: skip
    return folder


def _own_temporary_folder() -> Path:
    """A folder of this user's among the temporary files, where anybody may have made one of its name before."""
    # By number: in a container the user may have no name.
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = _made(Path(tempfile.gettempdir()) / f"add-model-{user}")
    found = os.lstat(folder)
    is_own = user == "user" or (found.st_uid == user and not stat.S_IMODE(found.st_mode) & 0o077)
    if not stat.S_ISDIR(found.st_mode) or not is_own:
        raise AddModelError(f"{folder}: is not yours alone, so nothing was changed; set XDG_STATE_HOME to a folder that only you may write")  # fmt: skip
    return folder
