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
    """The tool's folder among what this user's programs keep; it need not be there yet.

    It is `$XDG_STATE_HOME/add-model`, by default `~/.local/state/add-model`, as the XDG Base Directory Specification
    has it. For a user without a home that can be written it is one in the folder for temporary files.

    Raises:
        AddModelError: the one in the folder for temporary files is somebody else's.
    """
    named = os.environ.get("XDG_STATE_HOME", "")
    # The specification has a relative path ignored.
    if os.path.isabs(named):
        return Path(named) / "add-model"
    try:
        folder = Path.home() / ".local" / "state" / "add-model"
    except RuntimeError:
        return _own_temporary_folder()
    return folder if _can_be_made(folder) else _own_temporary_folder()


def made_user_folder(*names: str) -> Path:
    """A folder in the user's one, made where it is missing, and readable by nobody else.

    Raises:
        AddModelError: it cannot be made, or is somebody else's.
    """
    return _made(user_folder(), *names)


def _made(folder: Path, *names: str) -> Path:
    path = folder.joinpath(*names)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise AddModelError(f"{path}: cannot be made ({error.strerror or error}), so nothing was changed; set XDG_STATE_HOME to a folder with room that you may write") from error  # fmt: skip
    return path


def _can_be_made(folder: Path) -> bool:
    existing = next((path for path in (folder, *folder.parents) if os.path.exists(path)), None)
    return existing is not None and existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


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
