"""What this user's runs note of their writing below a root, so that one which is cut off can be taken back.

The notes lie in the user's own folder, one folder for each root, and nothing like them in the tree is believed: a tree may
come from anybody, journal and all. They name the folder in the tree in which a run stages its files, and, once
everything is staged, each step of putting it in place.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from add_model.boundary import ensure_writable
from add_model.errors import AddModelError
from add_model.state import STAGING, STATE_FOLDER, made_user_folder, user_folder

_LOCK_SECONDS = 30
_STAGING_NAME = re.compile(rf"{STAGING}-[0-9a-f]{{16}}")
_KEPT_NAME = re.compile(r"\d+\.(old|cache)")


@dataclass(frozen=True)
class Step:
    """One file: `staged` replaces `target`, whose old content is `kept`; `None` where there was no such file.

    Where `staged` is `None` the target is moved to `kept`, and `digest`, of what is staged, says nothing.
    """

    target: str
    staged: str | None
    kept: str | None
    digest: str


@dataclass(frozen=True)
class Folder:
    """A folder that goes once the files in it have gone: its permission bits, for it may have to come back.

    Where `kept` is a name the folder goes with all that it holds, and is kept under that name meanwhile.
    """

    target: str
    mode: int
    kept: str | None = None


@dataclass(frozen=True)
class Steps:
    """All that a run does once it is staged; targets are relative to the root, staged and kept names to the staging.

    Attributes:
        files: the files, in the order in which they are put in place.
        made: the folders that are made for them, parents first.
        emptied: the folders that go with the last of their files, those within others first.
    """

    files: tuple[Step, ...]
    made: tuple[str, ...]
    emptied: tuple[Folder, ...]


class Journal:
    """The notes about one root."""

    def __init__(self, root: Path) -> None:
        """Finds the place of the notes.

        Raises:
            AddModelError: the user has no folder for them.
        """
        self._root = Path(os.path.realpath(root))
        self._folder = user_folder() / "transactions" / _digest(root)

    @property
    def staging(self) -> Path | None:
        """The folder in which a run of this user has staged files below the root; `None` where none is noted.

        Raises:
            AddModelError: the note is none.
        """
        note = self._read("staging.json")
        if note is None:
            return None
        name = note.get("staging") if isinstance(note, dict) else None
        if not isinstance(name, str) or not _STAGING_NAME.fullmatch(name):
            raise self._broken("staging.json")
        return self._root / STATE_FOLDER / name

    @property
    def steps(self) -> Steps | None:
        """What a run has noted of putting its files in place; `None` where it had not begun, or was through.

        Raises:
            AddModelError: the notes are none, or reach out of the tree.
        """
        notes = self._read("steps.json")
        if notes is None:
            return None
        try:
            steps = Steps(
                tuple(Step(**step) for step in notes["files"]),
                tuple(notes["made"]),
                tuple(Folder(**folder) for folder in notes["emptied"]),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise self._broken("steps.json") from error
        targets = [*steps.made, *(step.target for step in steps.files), *(folder.target for folder in steps.emptied)]
        kept = [*(step.kept for step in steps.files), *(folder.kept for folder in steps.emptied)]
        modes = [folder.mode for folder in steps.emptied]
        if not (all(map(_is_target, targets)) and all(map(_is_kept, kept)) and all(isinstance(mode, int) for mode in modes)):  # fmt: skip
            raise self._broken("steps.json")
        for target in targets:
            ensure_writable(self._root, self._root / target)
        return steps

    def open(self, staging: Path) -> None:
        """Notes that files are going to be staged in this folder."""
        made_user_folder("transactions", self._folder.name)
        self._write("staging.json", {"root": str(self._root), "staging": staging.name})

    def begin(self, steps: Steps) -> None:
        """Notes the steps that are about to be taken."""
        self._write("steps.json", asdict(steps))

    def finish(self) -> None:
        """Forgets the steps: there is nothing left to take back. This takes no room on the disk."""
        (self._folder / "steps.json").unlink(missing_ok=True)

    def close(self) -> None:
        """Forgets everything, once what was staged is gone."""
        for name in ("steps.json", "staging.json"):
            (self._folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def _read(self, name: str) -> Any:
        try:
            return json.loads((self._folder / name).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, RecursionError) as error:
            raise self._broken(name) from error
        except OSError as error:
            raise AddModelError(f"{self._folder / name}: cannot be read: {error.strerror}; mend that and run again") from error  # fmt: skip

    def _write(self, name: str, value: Any) -> None:
        part = self._folder / f"{name}.part"
        try:
            write_durably(part, json.dumps(value).encode())
            os.replace(part, self._folder / name)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    def _broken(self, name: str) -> AddModelError:
        return AddModelError(f"{self._folder / name}: is no note of add-model about {self._root}; remove {self._folder} and run again")  # fmt: skip


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """One writer of this user at a time; the lock dies with its process, so a kill never leaves it behind.

    The lock file lies outside the tree: it must never be deleted (a waiting process may hold it open), and a tree
    is to hold nothing of ours once a run is done.

    Raises:
        AddModelError: another run does not come to its end, or the user has no folder for the lock.
    """
    from filelock import FileLock, Timeout

    folder = made_user_folder("locks")
    try:
        with FileLock(folder / f"{_digest(root)}.lock", timeout=_LOCK_SECONDS):
            yield
    except Timeout as error:
        raise AddModelError(f"{root}: another add-model run is writing here; wait for it and run again") from error


def write_durably(path: Path, content: bytes) -> None:
    """Writes a file, and returns once it is on the disk."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def relative_names(root: Path, paths: Sequence[Path]) -> tuple[str, ...]:
    """Paths as notes have them: relative to the root, with forward slashes."""
    return tuple(path.relative_to(root).as_posix() for path in paths)


def _is_target(target: object) -> bool:
    return isinstance(target, str) and bool(target) and "\0" not in target


def _is_kept(name: object) -> bool:
    return name is None or (isinstance(name, str) and _KEPT_NAME.fullmatch(name) is not None)


def _digest(root: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()
