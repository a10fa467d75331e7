"""Folders for what is needed only while a run is at work. A run that was killed leaves one; a later run removes it."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "add-model-scratch-"
_NOTE = "made-by-add-model"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new, empty folder below the folder for temporary files, that nobody else can read; gone at the end.

    Raises:
        OSError: it cannot be made.
    """
    above = tempfile.gettempdir()
    _clear(above)
    folder = tempfile.mkdtemp(prefix=_PREFIX, dir=above)
    # It is ours as long as this is open: the system closes it even for a process that is killed.
    held = _hold(folder, wait=True)
    try:
        # Not before: a folder with this note that nobody holds is one to remove.
        Path(folder, _NOTE).touch()
        work = Path(folder, "work")
        work.mkdir()
        yield work
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


@functools.cache
def _clear(above: str) -> None:
    """Removes what runs have left behind that are over: this user's folders of that name which nobody holds."""
    try:
        names = [name for name in os.listdir(above) if name.startswith(_PREFIX)]
    except OSError:
        return
    for name in names:
        folder = os.path.join(above, name)
        held = _hold(folder, wait=False)
        if held is None:
            continue
        try:
            if os.fstat(held).st_uid == os.getuid() and _NOTE in os.listdir(held):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass
        finally:
            os.close(held)


def _hold(folder: str, wait: bool) -> int | None:
    """Takes a folder for this process; `None` where another has it, and on a system that cannot tell."""
    try:
        import fcntl
    except ImportError:
        return None
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return None
    return held
