"""Archives that weights come in (`torch.save`, `numpy.savez`), looked through before anything of them is unpacked.

Both are ZIP files. One that claims more than a checkpoint of its size can hold was made to fill the memory.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from add_model.errors import AddModelError

# Weights are hardly smaller when they are compressed, but for those that are all the same.
_MOST_TIMES, _SPARE = 16, 64 << 20
# The list of members stands at the end, behind it a record of so many bytes, and a comment.
_END, _LONGEST_COMMENT = b"PK\x05\x06", 1 << 16
_END64, _END64_BYTES = b"PK\x06\x06", 76
# A list of so many bytes names a hundred thousand weights.
_MOST_LIST_BYTES = 12 << 20


def open_archive(path: Path) -> zipfile.ZipFile:
    """Opens an archive whose members are no more than the file can hold.

    Raises:
        AddModelError: they are.
        OSError, zipfile.BadZipFile: it is no archive.
    """
    _refuse_long_list(path)
    archive = zipfile.ZipFile(path)
    size = path.stat().st_size
    claimed = sum(member.file_size for member in archive.infolist())
    if claimed > _MOST_TIMES * size + _SPARE:
        archive.close()
        raise AddModelError(f"{path}: claims to hold {claimed} bytes, which {size} bytes of weights do not hold; fetch it again, from where you trust")  # fmt: skip
    return archive


def _refuse_long_list(path: Path) -> None:
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _LONGEST_COMMENT - _END64_BYTES - 22))
        tail = file.read()
    end = tail.rfind(_END)
    if end < 0:
        return
    length = int.from_bytes(tail[end + 12 : end + 16], "little")
    end64 = tail.rfind(_END64, 0, end)
    if end64 >= 0:
        length = max(length if length != 0xFFFFFFFF else 0, int.from_bytes(tail[end64 + 40 : end64 + 48], "little"))
    if length > _MOST_LIST_BYTES:
        raise AddModelError(f"{path}: is an archive of more members than are read; save the weights in several files")
