"""Where these commands write: in the place that the user named, and nowhere that a link, or a repository, makes of it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from add_model.boundary import ensure_unversioned
from add_model.errors import AddModelError
from add_model.porting.unfinished import clear_parts, part_name


def destination(path: Path, option: str) -> Path:
    """The place that a path leads to, where something may be written there.

    The working folder may be a checkout of somebody else's: a link in it does not lead out of it. Links around it are
    the user's own, and so are those of a path that they have spelled from the root of the file system.

    Args:
        path: what the user named, or what is written by default.
        option: what is to be passed to write elsewhere.

    Raises:
        AddModelError: it lies in a folder of version control, leads out of the working folder, or stands for something
            that is neither a file nor a folder.
    """
    real, here = Path(os.path.realpath(path)), os.path.abspath(".")
    is_below = Path(os.path.abspath(path)).is_relative_to(here)
    if is_below and not real.is_relative_to(os.path.realpath(here)):
        raise AddModelError(f"{path}: leads through a link to {real}, out of this folder; pass {option} with that path itself, if it is meant")  # fmt: skip
    ensure_unversioned(path)
    if os.path.lexists(real) and not (real.is_file() or real.is_dir()):
        raise AddModelError(f"{path}: is neither a file nor a folder; pass another with {option}")
    return real


def write_whole(path: Path, text: str, option: str) -> None:
    """Writes a text file, as a whole or not at all.

    Raises:
        AddModelError: it may not be written there, or cannot be.
    """
    real = destination(path, option)
    if real.is_dir():
        raise AddModelError(f"{path}: is a folder; pass a file with {option}")
    try:
        clear_parts(real.parent)
        name = real.with_name(part_name(real.name))
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            os.chmod(name, real.stat().st_mode & 0o7777 if real.exists() else 0o666 & ~_umask())
            os.replace(name, real)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise AddModelError(f"{path}: cannot be written: {error.strerror or error}; pass another with {option}") from error  # fmt: skip


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
