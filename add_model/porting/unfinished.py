"""A file that appears as a whole beside others, or not at all.

Where the system can (Linux, most file systems), it has no name until it is complete: a process that is killed leaves
nothing behind, and its disk space is free again. Elsewhere it grows under a hidden name that tells whose it is; what a
killed process leaves of the kind is removed by the next that writes into the folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from pathlib import Path

_UNSUPPORTED = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}
_PART = re.compile(r"\..*\.add-model-(\d{1,9})(?:\.\w+)?\.part", re.DOTALL)


def part_name(name: str) -> str:
    """The hidden name, not too long for any file system, under which this process writes what is to be called so."""
    return f".{name[:40]}.add-model-{os.getpid()}.part"


def clear_parts(folder: Path) -> None:
    """Removes what processes that are over have left of unfinished files in a folder."""
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            found = _PART.fullmatch(entry.name)
            # A link that is called so was made by somebody else.
            if found is not None and not _is_alive(int(found[1])) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def nameless_file(folder: Path) -> int | None:
    """The descriptor of a new file in a folder that has no name; `None` where there is no such thing.

    Raises:
        OSError: no file can be written there.
    """
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(folder, flag | os.O_RDWR, 0o666)
    except OSError as error:
        if error.errno in _UNSUPPORTED and os.path.isdir(folder):
            return None
        raise


def give_name(descriptor: int, path: Path) -> None:
    """Gives a file that has no name one that is not taken."""
    # Only with the folder of the descriptors given does Python ask the system to follow them to the file.
    descriptors = os.open("/proc/self/fd", os.O_RDONLY)
    try:
        os.link(str(descriptor), path, src_dir_fd=descriptors, follow_symlinks=True)
    finally:
        os.close(descriptors)


def is_over(number: str) -> bool:
    """Whether the process that a name tells of runs no more."""
    return number.isdecimal() and number.isascii() and len(number) < 10 and not _is_alive(int(number))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
