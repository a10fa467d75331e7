"""A folder of large files that appears as a whole, or not at all.

Where the system can (Linux, most file systems), a file has no name until all of them are complete: a process that is
killed leaves nothing behind, and its disk space is free again. Elsewhere the files grow in a hidden folder beside the
one to be; what a killed process leaves there is removed by the next.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from add_model.errors import AddModelError
from add_model.porting.unfinished import give_name, is_over, nameless_file

# What the folder is called that another is about to replace.
_BEFORE = ".before."


class StagedFolder:
    """The files of a folder that is not there yet; `staged_folder` makes one.

    Attributes:
        target: the folder.
        names: the names of its files so far.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self._nameless: dict[str, BinaryIO] = {}
        self._open: list[BinaryIO] = []
        self.names: list[str] = []
        self._hidden: Path | None = None

    def create(self, name: str) -> BinaryIO:
        """A new file, to be written anywhere; it is closed and given its name at the end."""
        descriptor = nameless_file(self.target.parent)
        if descriptor is not None:
            file: BinaryIO = os.fdopen(descriptor, "w+b")
            self._nameless[name] = file
        else:
            file = open(self.hidden_folder / name, "w+b")  # noqa: SIM115
        self._open.append(file)
        self.names.append(name)
        return file

    @property
    def hidden_folder(self) -> Path:
        """The folder beside the target in which everything is put together."""
        if self._hidden is None:
            prefix = f"{_prefix(self.target)}{os.getpid()}."
            self._hidden = Path(tempfile.mkdtemp(prefix=prefix, dir=self.target.parent))
            self._hidden.chmod(0o777 & ~_umask())
        return self._hidden

    def publish(self) -> None:
        """Gives every file its name, and the folder its place."""
        # This takes long: a process that is killed meanwhile must not leave so much as the folder.
        for file in self._open:
            file.flush()
            os.fsync(file.fileno())
        folder = self.hidden_folder
        for name, file in self._nameless.items():
            give_name(file.fileno(), folder / name)
        self._close()
        if self.target.is_dir() and any(self.target.iterdir()):
            self._take_place(folder)
        else:
            os.rename(folder, self.target)

    def _take_place(self, folder: Path) -> None:
        """Takes the place of a folder that exists; what else is in there stays in there."""
        ours = {path.name for path in folder.iterdir()}
        prefix = f"{_prefix(self.target)}{os.getpid()}{_BEFORE}"
        before = Path(tempfile.mkdtemp(prefix=prefix, dir=self.target.parent))
        for path in self.target.iterdir():
            if path.name not in ours and not is_weights_file(path.name):
                _copy(path, folder / path.name)
        folder.chmod(self.target.stat().st_mode & 0o7777)
        try:
            os.rename(self.target, before)
            os.rename(folder, self.target)
        except BaseException:
            _put_back(before, self.target)
            raise
        shutil.rmtree(before)

    def discard(self) -> None:
        """Leaves nothing behind."""
        self._close()
        if self._hidden is not None:
            shutil.rmtree(self._hidden, ignore_errors=True)

    def _close(self) -> None:
        for file in self._open:
            with contextlib.suppress(OSError):
                file.close()


@contextlib.contextmanager
def staged_folder(target: Path) -> Iterator[StagedFolder]:
    """A folder whose files get their names when the block ends without an exception.

    A folder that exists is replaced, but for files in it that have nothing to do with weights.

    Raises:
        AddModelError: it cannot be written; nothing is left behind then.
    """
    made: list[Path] = []
    # What takes the place of a link would not be what the link leads to.
    target = target.resolve()
    try:
        made = _make_parents(target.parent)
        remove_leftovers(target)
        staged = StagedFolder(target)
        try:
            yield staged
            staged.publish()
        except BaseException:
            staged.discard()
            raise
    except BaseException as error:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir()
        if isinstance(error, OSError):
            raise AddModelError(f"{error.filename or target}: cannot be written: {error.strerror or error}; nothing was changed: make room, or pass another folder with --out") from error  # fmt: skip
        raise


def remove_leftovers(target: Path) -> str | None:
    """Removes what processes that were killed have left beside the target; what was to be replaced is put back.

    Returns:
        What there is to say of it; `None` where nothing was put back.

    Raises:
        OSError: the folder around cannot be read, or what was to be replaced not be put back.
    """
    target = target.resolve()
    restored = None
    for path in sorted(target.parent.iterdir()) if target.parent.is_dir() else ():
        number, dot, rest = path.name.removeprefix(_prefix(target)).partition(".")
        # A link that is called so was made by somebody else.
        if not path.name.startswith(_prefix(target)) or path.is_symlink() or not path.is_dir() or not is_over(number):
            continue
        if f"{dot}{rest}".startswith(_BEFORE) and any(path.iterdir()) and not _holds_something(target):
            os.rename(path, target)
            restored = f"{target}: a run that was cut off had put it aside to replace it; it is back as it was"
        else:
            shutil.rmtree(path, ignore_errors=True)
    return restored


def _holds_something(folder: Path) -> bool:
    return os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir()))


def _put_back(before: Path, target: Path) -> None:
    """Gives a folder its place again, if nothing has taken that; one that has not been moved has left an empty one."""
    if target.exists():
        before.rmdir()
    else:
        os.rename(before, target)


def is_weights_file(name: str) -> bool:
    """Whether a file of that name belongs to a checkpoint, and would contradict the weights that replace it."""
    return name.startswith(("model", "pytorch_model")) and name.endswith((".safetensors", ".bin", ".index.json"))


def _make_parents(folder: Path) -> list[Path]:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    made = []
    for path in reversed(missing):
        path.mkdir()
        made.append(path)
    return made


def _copy(source: Path, target: Path) -> None:
    """Puts a file or folder into another place without a second copy of its content, where that can be done."""

    def link(old: str, new: str) -> None:
        try:
            os.link(old, new, follow_symlinks=False)
        except OSError:
            shutil.copy2(old, new, follow_symlinks=False)

    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True, copy_function=link)
    else:
        link(str(source), str(target))


def _prefix(target: Path) -> str:
    return f".{target.name}.add-model-"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
