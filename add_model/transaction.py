"""Many files written as one: all of them, or none, also when the process is killed or the disk is full.

Every new content is first staged below `<root>/.add-model/transaction/`, and what it will replace is kept there too.
Only then is the journal put in place, and the staged files are renamed onto their targets. A journal that is found
later belongs to a run that was cut off; `recover` takes its half-done work back, so that the tree is as it was before.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from add_model.errors import AddModelError, ChangedMeanwhile
from add_model.state import STATE_FOLDER as STATE_FOLDER
from add_model.state import is_left_behind, transaction_folder

_LOCK_SECONDS = 30


@dataclass(frozen=True)
class Change:
    """One file to write whole, or to delete.

    Attributes:
        path: where it goes; inside the root once every symbolic link is followed.
        content: its bytes; `None` for a file that is to go.
        expected: what the file must still hold for the change to apply; `None` for a file that must not exist yet.
        mode: permission bits of a file that is new; a file that exists keeps its own.
    """

    path: Path
    content: bytes | None
    expected: bytes | None
    mode: int | None = None


@dataclass(frozen=True)
class _Step:
    """A journal entry: `staged` replaces `target`; `kept` is the old content, `None` where there was no such file.

    Where `staged` is `None` the target is deleted, and `digest` says nothing.
    """

    target: str
    staged: str | None
    kept: str | None
    digest: str


def write_files(root: Path, changes: Sequence[Change]) -> None:
    """Writes every change, or nothing.

    Raises:
        ChangedMeanwhile: a target is not what it was expected to be; the tree is then as it was before.
        AddModelError: a target lies outside the root, or cannot be written; the tree is as it was before, too.
    """
    for path in (transaction_folder(root), *(change.path for change in changes)):
        ensure_inside(root, path)
    try:
        with _locked(root):
            made = _make_folders(root)
            try:
                _recover_locked(root)
                _write_locked(root, changes)
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
    if not is_left_behind(root):
        return []
    ensure_inside(root, transaction_folder(root))
    try:
        with _locked(root):
            restored = _recover_locked(root)
            _tidy(root, [])
    except OSError as error:
        path = error.filename2 or error.filename or root
        raise AddModelError(f"{path}: an interrupted run cannot be taken back: {error.strerror or error}") from error
    return restored


def was_interrupted(root: Path) -> bool:
    """Whether a run that wrote below `root` was cut off (or is still writing), so that `recover` has work to do."""
    return transaction_folder(root).exists()


def ensure_inside(root: Path, path: Path) -> None:
    """Raises `AddModelError` unless `path`, with every symbolic link followed, lies below `root`."""
    real_root, real_path = Path(os.path.realpath(root)), Path(os.path.realpath(path))
    if not real_path.is_relative_to(real_root):
        raise AddModelError(f"{path}: leads to {real_path}, outside {real_root}; remove the symbolic link or work on that folder itself")  # fmt: skip


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    """One writer at a time; the lock dies with its process, so a kill never leaves it behind.

    The lock file lies outside the tree: it must never be deleted (a waiting process may hold it open), and a tree
    is to hold nothing of ours once a run is done.
    """
    from filelock import FileLock, Timeout

    # By number where there is one: in a container the user may have no name.
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    folder = Path(tempfile.gettempdir()) / f"add-model-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()
    try:
        with FileLock(folder / f"{name}.lock", timeout=_LOCK_SECONDS):
            yield
    except Timeout as error:
        raise AddModelError(f"{root}: another add-model run is writing here; wait for it and run again") from error


def _write_locked(root: Path, changes: Sequence[Change]) -> None:
    folder = transaction_folder(root)
    try:
        folder.mkdir(parents=True)
        steps = [_stage(root, folder, number, change) for number, change in enumerate(changes)]
        missing = _missing_folders(root, changes)
        journal = {"steps": [asdict(step) for step in steps], "folders": [_relative(root, path) for path in missing]}
        _write_durably(folder / "journal.part", json.dumps(journal).encode())
        os.replace(folder / "journal.part", folder / "journal.json")
        for path in missing:
            path.mkdir()
        for step, change in zip(steps, changes, strict=True):
            # Staging many files takes long enough for somebody to save one of them.
            _ensure_expected(root / step.target, change)
            if step.staged is None:
                os.unlink(root / step.target)
            else:
                os.replace(folder / step.staged, root / step.target)
        # From here on the run counts as done: without its journal there is nothing to take back.
        os.unlink(folder / "journal.json")
        shutil.rmtree(folder, ignore_errors=True)
    except BaseException:
        _recover_locked(root)
        raise


def _stage(root: Path, folder: Path, number: int, change: Change) -> _Step:
    target = Path(os.path.realpath(change.path))
    if change.content is None:
        return _stage_deletion(root, folder, number, change, target)
    staged, kept = f"{number}.new", None
    _write_durably(folder / staged, change.content)
    if target.exists():
        kept = f"{number}.old"
        shutil.copy2(target, folder / kept)
        _ensure_expected(folder / kept, change)
        os.chmod(folder / staged, stat.S_IMODE(target.stat().st_mode))
    else:
        _ensure_expected(target, change)
    if kept is None and change.mode is not None:
        os.chmod(folder / staged, change.mode)
    return _Step(_relative(Path(os.path.realpath(root)), target), staged, kept, _digest(change.content))


def _stage_deletion(root: Path, folder: Path, number: int, change: Change, target: Path) -> _Step:
    kept = f"{number}.old"
    _ensure_expected(target, change)
    shutil.copy2(target, folder / kept)
    return _Step(_relative(Path(os.path.realpath(root)), target), None, kept, "")


def _ensure_expected(path: Path, change: Change) -> None:
    """Raises `ChangedMeanwhile` unless a file, or a copy of it, holds what the change is to replace."""
    try:
        content: bytes | None = path.read_bytes()
    except FileNotFoundError:
        content = None
    if content != change.expected:
        what = "removed" if content is None else "changed"
        raise ChangedMeanwhile(f"{change.path}: was {what} while this run was at work; run again")


def _recover_locked(root: Path) -> list[Path]:
    folder = transaction_folder(root)
    if not folder.exists():
        return []
    restored: list[Path] = []
    steps, folders = _read_journal(root, folder)
    for step in steps:
        target = root / step.target
        if step.staged is None:
            if step.kept is None or target.exists() or not (folder / step.kept).exists():
                continue
            os.replace(folder / step.kept, target)
            restored.append(target)
            continue
        # A file that no longer holds what the cut-off run wrote has been edited since: it is left alone.
        if not target.is_file() or _digest(target.read_bytes()) != step.digest:
            continue
        if step.kept is None:
            target.unlink()
        elif (folder / step.kept).exists():
            # A move, for which a full disk has room; being cut off here as well leaves the other steps to take back.
            os.replace(folder / step.kept, target)
        restored.append(target)
    for path in reversed(folders):
        with contextlib.suppress(OSError):
            path.rmdir()
    (folder / "journal.json").unlink(missing_ok=True)
    shutil.rmtree(folder)
    return restored


def _read_journal(root: Path, folder: Path) -> tuple[list[_Step], list[Path]]:
    """The steps of the run that was cut off, and the folders it made; none where no target had been touched yet.

    Raises:
        AddModelError: the journal is none of ours; whoever wrote it, it reaches nothing outside the tree.
    """
    path = folder / "journal.json"
    try:
        journal = json.loads(path.read_bytes())
        steps = [_Step(**fields) for fields in journal["steps"]]
        folders = [root / relative for relative in journal["folders"]]
        for target in (*folders, *(root / step.target for step in steps)):
            ensure_inside(root, target)
        for step in steps:
            ensure_inside(folder, folder / (step.kept or ""))
    except FileNotFoundError:
        return [], []
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AddModelError(f"{path}: is no journal of add-model ({error}); remove {folder} and run again") from error
    return steps, folders


def _missing_folders(root: Path, changes: Sequence[Change]) -> list[Path]:
    """The folders to make for the changes, parents first."""
    missing: dict[Path, None] = {}
    for change in changes:
        above = [
            path for path in change.path.parents if path != root and path.is_relative_to(root) and not path.exists()
        ]
        missing.update(dict.fromkeys(reversed(above)))
    return list(missing)


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


def _write_durably(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _relative(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
