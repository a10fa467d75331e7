"""Many files written as one: all of them, or none, also when the process is killed or the disk is full.

Every new content is first staged in a folder below `<root>/.add-model/`, and what it will replace is kept there too.
Only then are the steps noted in the user's own journal, and the staged files renamed onto their targets. Steps that are
found there later belong to a run that was cut off; `recover` takes its half-done work back, so that the tree is as it
was before. Folders that staging has left in the tree and the journal knows nothing of are somebody else's: left alone.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from add_model.boundary import ensure_writable
from add_model.errors import AddModelError, ChangedMeanwhile
from add_model.journal import Folder, Journal, Step, Steps, locked, relative_names, write_durably
from add_model.reading import MOST_BYTES, read_bytes
from add_model.state import STAGING, STATE_FOLDER, staging_folders

_CACHE = "__pycache__"


@dataclass(frozen=True)
class Change:
    """One file to write whole, or to delete.

    Attributes:
        path: where it goes; inside the root, and no symbolic link on the way there.
        content: its bytes; `None` for a file that is to go, and with it the folders that it was the last file of.
        expected: what the file must still hold for the change to apply; `None` for a file that must not exist yet.
        mode: permission bits of a file that is new; a file that exists keeps its own.
    """

    path: Path
    content: bytes | None
    expected: bytes | None
    mode: int | None = None


def write_files(root: Path, changes: Sequence[Change]) -> None:
    """Writes every change, or nothing.

    Raises:
        ChangedMeanwhile: a target is not what it was expected to be; the tree is then as it was before.
        AddModelError: a target lies outside the root, behind a symbolic link or in a folder of version control, or
            cannot be written; the tree is as it was before, too.
    """
    for path in (root / STATE_FOLDER, *(change.path for change in changes)):
        ensure_writable(root, path)
    journal = Journal(root)
    try:
        with locked(root):
            made = _make_folders(root)
            try:
                _recover_locked(root, journal)
                _write_locked(Path(os.path.realpath(root)), changes, journal)
            finally:
                _tidy(root, made)
    except OSError as error:
        # Of a rename that failed, the second name is the file that was to be written.
        path = error.filename2 or error.filename or root
        raise AddModelError(f"{path}: cannot be written: {error.strerror or error}; nothing was changed") from error


def recover(root: Path) -> list[Path]:
    """Takes back what a run that was cut off has half done below `root`; returns the files put back or removed.

    Raises:
        AddModelError: a file cannot be put back (a read-only or full disk).
    """
    if not (root / STATE_FOLDER).is_dir():
        return []
    ensure_writable(root, root / STATE_FOLDER)
    try:
        with locked(root):
            restored = _recover_locked(root, Journal(root))
            _tidy(root, [])
    except (OSError, AddModelError) as error:
        # Without room for a lock nobody is at work here either.
        if is_for_want_of_room(error) and not staging_folders(root):
            return []
        if isinstance(error, AddModelError):
            raise
        path = error.filename2 or error.filename or root
        raise AddModelError(f"{path}: an interrupted run cannot be taken back: {error.strerror or error}") from error
    return restored


def is_for_want_of_room(error: BaseException) -> bool:
    """Whether something failed as the disk is full, or this user's share of it."""
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)


def was_interrupted(root: Path) -> bool:
    """Whether a run of this user that wrote below `root` was cut off (or is still writing): `recover` has work to do."""
    folders = staging_folders(root)
    return bool(folders) and Journal(root).staging in _real(folders)


def strange_folders(root: Path) -> list[Path]:
    """What some other run has staged below `root`, another user's or one in another place; no run here touches it."""
    folders = staging_folders(root)
    if not folders:
        return []
    own = Journal(root).staging
    return [folder for folder in folders if _real([folder]) != [own]]


def _real(folders: Sequence[Path]) -> list[Path]:
    return [Path(os.path.realpath(folder.parent)) / folder.name for folder in folders]


def _write_locked(root: Path, changes: Sequence[Change], journal: Journal) -> None:
    staging = root / STATE_FOLDER / f"{STAGING}-{secrets.token_hex(8)}"
    try:
        journal.open(staging)
        staging.mkdir(parents=True)
        files = [_stage(root, staging, number, change) for number, change in enumerate(changes)]
        missing = _missing_folders(root, changes)
        emptied = _emptied_folders(root, [root / step.target for step in files if step.staged is None])
        steps = Steps(tuple(files), relative_names(root, missing), tuple(emptied))
        journal.begin(steps)
        for path in missing:
            path.mkdir()
        for step, change in zip(files, changes, strict=True):
            # Staging many files takes long enough for somebody to save one of them.
            _ensure_expected(root / step.target, change)
            if step.staged is not None:
                os.replace(staging / step.staged, root / step.target)
            elif step.kept is not None:
                os.replace(root / step.target, staging / step.kept)
        for folder in emptied:
            _take_away(root, staging, folder)
        # From here on the run counts as done: without its steps there is nothing to take back.
        journal.finish()
        shutil.rmtree(staging, ignore_errors=True)
        journal.close()
    except BaseException:
        _recover_locked(root, journal)
        raise


def _stage(root: Path, staging: Path, number: int, change: Change) -> Step:
    target = root / _relative(root, change.path)
    kept = f"{number}.old"
    name = target.relative_to(root).as_posix()
    if change.content is None:
        _ensure_expected(target, change)
        return Step(name, None, kept, "")
    staged = f"{number}.new"
    write_durably(staging / staged, change.content)
    if not target.exists():
        _ensure_expected(target, change)
        if change.mode is not None:
            os.chmod(staging / staged, change.mode)
        return Step(name, staged, None, _digest(change.content))
    _keep(target, staging / kept)
    _ensure_expected(staging / kept, change)
    os.chmod(staging / staged, stat.S_IMODE(target.stat().st_mode))
    return Step(name, staged, kept, _digest(change.content))


def _keep(target: Path, kept: Path) -> None:
    """Keeps what a file holds, without room for it where the file system has hard links: the target is replaced whole."""
    try:
        os.link(target, kept)
    except (OSError, NotImplementedError):
        shutil.copy2(target, kept)


def _ensure_expected(path: Path, change: Change) -> None:
    """Raises `ChangedMeanwhile` unless a file, or a copy of it, holds what the change is to replace."""
    try:
        # What is longer than what is expected, or never ends, is something else.
        content: bytes | None = read_bytes(path, max(MOST_BYTES, len(change.expected or b"")))
    except FileNotFoundError:
        content = None
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(change.path)) from error
    if content != change.expected:
        what = "removed" if content is None else "changed"
        raise ChangedMeanwhile(f"{change.path}: was {what} while this run was at work; run again")


def _recover_locked(root: Path, journal: Journal) -> list[Path]:
    root, staging = Path(os.path.realpath(root)), journal.staging
    if staging is None:
        return []
    restored: list[Path] = []
    # Where the tree is another by now, what was kept of the old one is gone, and there is nothing to take back to.
    steps = journal.steps if os.path.isdir(staging) and not os.path.islink(staging) else None
    if steps is not None:
        for folder in reversed(steps.emptied):
            _bring_back(root, staging, folder)
        restored = [root / step.target for step in steps.files if _take_back(root, staging, step)]
        for made in reversed(steps.made):
            with contextlib.suppress(OSError):
                (root / made).rmdir()
    journal.finish()
    if os.path.isdir(staging) and not os.path.islink(staging):
        shutil.rmtree(staging)
    journal.close()
    return restored


def _take_back(root: Path, staging: Path, step: Step) -> bool:
    """Puts one file back; whether that was called for. A move, for which a full disk has room."""
    target = root / step.target
    kept = None if step.kept is None else staging / step.kept
    if step.staged is None:
        if kept is None or target.exists() or not kept.exists():
            return False
        os.replace(kept, target)
        return True
    # A file that no longer holds what the cut-off run wrote has been edited since: it is left alone.
    if not target.is_file() or _digest(target.read_bytes()) != step.digest:
        return False
    if kept is None:
        target.unlink()
    elif kept.exists():
        # Being cut off here as well leaves the other steps to take back.
        os.replace(kept, target)
    return True


def _missing_folders(root: Path, changes: Sequence[Change]) -> list[Path]:
    """The folders to make for the changes, parents first."""
    missing: dict[Path, None] = {}
    for change in changes:
        path = root / _relative(root, change.path)
        above = [parent for parent in path.parents if parent.is_relative_to(root) and not parent.exists()]
        missing.update(dict.fromkeys(reversed(above)))
    return list(missing)


def _emptied_folders(root: Path, deleted: Sequence[Path]) -> list[Folder]:
    """The folders that hold nothing once these files have gone, and nothing but what Python left of modules in them."""
    gone = set(deleted)
    found: list[Folder] = []
    candidates = {folder for path in deleted for folder in path.parents if folder != root and folder.is_relative_to(root)}  # fmt: skip
    for folder in sorted(candidates, key=lambda path: len(path.parts), reverse=True):
        with contextlib.suppress(OSError):
            left = {path for path in folder.iterdir() if path not in gone}
            cache = folder / _CACHE
            if left == {cache} and cache.is_dir() and not cache.is_symlink():
                found.append(Folder(_relative(root, cache), _mode(cache), kept=f"{len(found)}.cache"))
                left = set()
            if not left:
                found.append(Folder(_relative(root, folder), _mode(folder)))
                gone.add(folder)
    return found


def _take_away(root: Path, staging: Path, folder: Folder) -> None:
    # Somebody may have put a file there meanwhile, with which the folder stays.
    with contextlib.suppress(OSError):
        if folder.kept is None:
            (root / folder.target).rmdir()
        else:
            os.rename(root / folder.target, staging / folder.kept)


def _bring_back(root: Path, staging: Path, folder: Folder) -> None:
    target = root / folder.target
    if target.exists():
        return
    if folder.kept is None:
        target.mkdir()
        os.chmod(target, folder.mode)
    elif (staging / folder.kept).is_dir():
        os.rename(staging / folder.kept, target)


def _make_folders(root: Path) -> list[Path]:
    """Makes the root where it is missing; returns what was made, so that a failure can take it back."""
    made = [path for path in (root, *root.parents) if not path.exists()]
    try:
        for path in reversed(made):
            path.mkdir()
    except OSError as error:
        _tidy(root, made)
        raise AddModelError(f"{error.filename}: cannot be made: {error.strerror}; choose a folder you may write to") from error  # fmt: skip
    return made


def _tidy(root: Path, made: Sequence[Path]) -> None:
    """Removes our state folder, and the folders that were made, where they are empty again."""
    for path in (root / STATE_FOLDER, *made):
        with contextlib.suppress(OSError):
            path.rmdir()


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _relative(root: Path, path: Path) -> str:
    """A path below the real root, relative to it; the way to the root itself may lead through links."""
    return os.path.relpath(os.path.realpath(path), root).replace(os.sep, "/")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
