"""From files in memory to the written tree: one transaction, in which nothing that the user edited is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from add_model.boundary import ensure_inside
from add_model.errors import AddModelError, ChangedMeanwhile
from add_model.library import CONFIGURATION_FILE
from add_model.reading import read_bytes
from add_model.scaffold.record import (
    RECORD_FILE,
    Hunk,
    Record,
    checked_path,
    digest,
    hunks_between,
    load_record,
    without_hunks,
)
from add_model.scaffold.rendering import RenderedFile, Rendering
from add_model.state import STATE_FOLDER
from add_model.transaction import Change, write_files


@dataclass(frozen=True)
class Outcome:
    """What became of each file of a rendering, by path.

    Attributes:
        written: new files, and files of ours that were brought up to date.
        edited: files of the library that got an entry.
        unchanged: files that hold already what they should.
        kept: files that the user wrote or edited; they are left as they are.
        stale: files that an earlier run wrote for the model and that are no longer a part of it; they are left.
        changes: what is to be written for all this.
    """

    written: tuple[Path, ...]
    edited: tuple[Path, ...]
    unchanged: tuple[Path, ...]
    kept: tuple[Path, ...]
    stale: tuple[Path, ...]
    changes: tuple[Change, ...]


def decide(rendering: Rendering, force: bool) -> Outcome:
    """Decides what becomes of each file; nothing is written.

    Args:
        rendering: the files.
        force: whether files that the user wrote or edited are replaced.

    Raises:
        ChangedMeanwhile: the library that was to be laid down is there already.
        AddModelError: a file leads out of the library, or cannot be read.
    """
    groups: dict[str, list[Path]] = {"written": [], "edited": [], "unchanged": [], "kept": []}
    changes: list[Change] = []
    # Without a record every file that is there counts as the user's.
    record = load_record(rendering.state_folder) or Record()
    recorded = record.digests
    for file in rendering.files:
        group, change = _decided(rendering, file, recorded.get(_relative(rendering, file.path)), force)
        groups[group].append(file.path)
        changes += change
    current_files = {_relative(rendering, file.path) for file in rendering.files}
    earlier = (checked_path(rendering.root, path) for path in sorted(recorded.keys() - current_files))
    stale = tuple(path for path in earlier if path.is_file())
    file = _record(rendering, record, stale, groups["kept"])
    group, change = _decided(rendering, file, None, force)
    groups[group].append(file.path)
    return Outcome(**{name: tuple(paths) for name, paths in groups.items()}, stale=stale, changes=(*changes, *change))


def write(rendering: Rendering, outcome: Outcome) -> None:
    """Writes what was decided, all of it or nothing.

    Raises:
        ChangedMeanwhile: something was changed since it was read.
        AddModelError: something cannot be written.
    """
    write_files(rendering.root, outcome.changes)


def _decided(
    rendering: Rendering, file: RenderedFile, recorded: str | None, force: bool
) -> tuple[str, tuple[Change, ...]]:
    """What becomes of a file, and what is to be written for it."""
    ensure_inside(rendering.root, file.path)
    # An entry was added to what was read then: whatever is saved since is to stop it, not to be replaced by it.
    current, content = file.before if file.is_edit else _current(file.path), file.content
    _refuse_other_library(file, current)
    group = _group(file, current, content, recorded, force)
    return group, (Change(file.path, content, expected=current),) if group in ("written", "edited") else ()


def _refuse_other_library(file: RenderedFile, current: bytes | None) -> None:
    """A configuration is written where there was none; where there is one now, another run has laid the library down."""
    if file.path.name == CONFIGURATION_FILE and not (file.is_edit or file.of_model) and current is not None:
        raise ChangedMeanwhile(f"{file.path}: was made while this run was at work; run again")


def _group(file: RenderedFile, current: bytes | None, content: bytes, recorded: str | None, force: bool) -> str:
    if current == content:
        return "unchanged"
    if file.is_edit:
        return "edited"
    if current is None or force or digest(current) == recorded or STATE_FOLDER in file.path.parts:
        return "written"
    return "kept"


def _record(rendering: Rendering, earlier: Record, stale: Sequence[Path], kept: Sequence[Path]) -> RenderedFile:
    """What was written for the model, so that an edit can be told from our own text later, and all be undone.

    What an earlier run wrote stays a part of it as long as it is there; what the user wrote before never is.
    """
    digests = {path: earlier.digests[path] for path in (_relative(rendering, path) for path in stale)}
    for file in rendering.files:
        relative = _relative(rendering, file.path)
        if file.of_model and not file.is_edit and (file.path not in kept or relative in earlier.digests):
            digests[relative] = digest(file.content)
    hunks = dict(earlier.hunks)
    for file in rendering.files:
        if file.of_model and file.is_edit:
            relative = _relative(rendering, file.path)
            hunks[relative] = _hunks(file.before or b"", file.content, hunks.get(relative, ()))
    record = Record(digests, {path: put_in for path, put_in in hunks.items() if put_in})
    return RenderedFile(rendering.state_folder / RECORD_FILE, record.dump())


def _hunks(current: bytes, content: bytes, earlier: Sequence[Hunk]) -> Sequence[Hunk]:
    """What a file has of the model once it holds this content, and may have in part from an earlier run."""
    if current == content:
        return earlier
    before, missing = without_hunks(current, earlier)
    return hunks_between(current if missing else before, content)


def _current(path: Path) -> bytes | None:
    try:
        return read_bytes(path)
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        file = next(parent for parent in path.parents if parent.is_file())
        raise AddModelError(f"{path}: cannot be written, for {file} is a file; make room and run again") from error
    except OSError as error:
        raise AddModelError(
            f"{path}: cannot be read: {error.strerror}; make room for the file and run again"
        ) from error


def _relative(rendering: Rendering, path: Path) -> str:
    return path.relative_to(rendering.root).as_posix()
