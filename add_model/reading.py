"""Files of a tree, read so that no file of it can hold a run up: regular files alone, and none of more than so many bytes."""

from __future__ import annotations

import errno
import os
import stat

# The largest file of a tree that is read. No module that people wrote is a tenth of it.
MOST_BYTES = 16_000_000
# The largest file that holds answers, settings or records.
MOST_BYTES_OF_SETTINGS = 4_000_000

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_CHUNK = 1 << 20
# From how many bytes on a file may not be so many times as large as what is on the disk of it, which is in such blocks.
_FEW_HOLES, _MOST_HOLES, _BLOCK = 1 << 30, 100, 512


def read_bytes(path: str | os.PathLike[str], most: int = MOST_BYTES) -> bytes:
    """Reads a file whole.

    Args:
        path: the file.
        most: how many bytes it may hold.

    Raises:
        OSError: it cannot be read, holds more, or is a pipe or a device, where reading may never end.
    """
    # Opening a pipe waits for somebody to write to it, unless told not to.
    file = os.open(path, _READ)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        if status.st_size > most:
            raise _too_large(path, most)
        content = os.read(file, status.st_size + 1)
        # A file may grow while it is read, and one system call hands over two gigabytes at most.
        while len(content) != status.st_size and (more := os.read(file, _CHUNK)):
            content += more
            if len(content) > most:
                raise _too_large(path, most)
        return content
    finally:
        os.close(file)


def read_settings(path: str | os.PathLike[str]) -> bytes:
    """Reads a file of answers, settings or records whole.

    Raises:
        OSError: it cannot be read, is larger than any of the kind, or is a pipe or a device.
    """
    return read_bytes(path, MOST_BYTES_OF_SETTINGS)


def refuse_holes(status: os.stat_result, path: str | os.PathLike[str]) -> None:
    """Raises `OSError` for a file that says it is many times as large as what it takes of a disk.

    Nobody has written what is not there, and reading it takes as long as if somebody had.
    """
    on_disk = getattr(status, "st_blocks", None)
    if on_disk is not None and status.st_size > _FEW_HOLES and on_disk * _BLOCK * _MOST_HOLES < status.st_size:
        raise OSError(errno.EFBIG, "is nearly all holes, as no file is that somebody has written", str(path))


def _too_large(path: str | os.PathLike[str], most: int) -> OSError:
    return OSError(errno.EFBIG, f"is larger than {most // 1_000_000} MB", str(path))
