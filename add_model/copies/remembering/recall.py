"""What an earlier run found out and still holds, told by a look at the files' times alone.

The unit is a file: what its check came to holds for as long as its own text and that of every file it used are the
same, and as long as every other answer of the disk is (see `outlook`), what stands in the searched folders included.
Texts are the same where time, size and inode of their file are, and so is what stands in a folder. What was written
just before a run is looked at again in the next, as its clock may be too coarse to tell a second edit from the first;
so is a file that cannot be read.

A cache lies in the user's cache folder, never in the tree. One that is missing, broken, of another version, another
Python or another configuration is none. It is data in the form in which Python keeps its compiled modules, and none of
it is ever run.

A run on a tree that has not changed needs this module and little else, so that it loads nothing that takes its time.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
import time
import zlib
from collections.abc import Iterable, Mapping, Set
from pathlib import Path

from add_model import __version__
from add_model.copies.reading.files import Tree, is_same_tree, search, tree_from_record, tree_to_record
from add_model.copies.reading.outlook import Outlook
from add_model.library import Library
from add_model.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, BinaryIO

    Record = Any


# When a file's text and its entry last changed, in nanoseconds; its size; its inode. Empty for one that is not there;
# `None` where the next run cannot rely on it.
Signature = tuple[int, ...] | None

_CHECKER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What stands at the top of the tool is what the checker stands on.
_TOOL = (os.path.dirname(_CHECKER), _CHECKER, *(entry.path for entry in os.scandir(_CHECKER) if entry.is_dir()))
_KIND_OF_CACHE = "add-model check-copies 4"
# For so long, in nanoseconds, the clock of a file may stand still; and one that counts whole seconds.
_TICK, _COARSE_TICK = 100_000_000, 2_000_000_000
# What lets git look elsewhere than where a tree lies.
_OF_GIT = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CEILING_DIRECTORIES")  # fmt: skip
# Whatever a broken cache leads to, it leads to a run without one.
_BROKEN = (OSError, EOFError, LookupError, TypeError, ValueError, AttributeError, RecursionError)


class Answer(NamedTuple):
    """What a run has said, where nothing but the tree decides what it says.

    Attributes:
        text: its findings as text without colours.
        outcome: the start of its summary.
        errors: how many of the findings are errors.
        warnings: how many are warnings.
    """

    text: str
    outcome: str
    errors: int
    warnings: int


def timed(outcome: str, seconds: float) -> str:
    """A summary of an outcome that took so long."""
    return f"{outcome}, {seconds:.2f} s"


class Recalled(NamedTuple):
    """A look at the tree, and what earlier runs have to say of it.

    Attributes:
        started: when the look was taken, in nanoseconds.
        tree: what stands there.
        signatures: of each file to check.
        folders: likewise, of each folder that was searched for them.
        path: where the cache lies; `None` for a run without one.
        first_line: what a cache that holds starts with.
        outlook: what else of the disk was asked, and still is as it was answered.
        changed: the files that are not as they were.
        answer: what the last run said, if nothing has changed since and no more is wanted.
        kept: what it found, as `store` was given it; `None` where there is an answer, or no cache that holds.
    """

    started: int
    tree: Tree
    signatures: Mapping[str, Signature]
    folders: Mapping[str, Signature]
    path: Path | None
    first_line: bytes
    outlook: Outlook
    changed: frozenset[str] = frozenset()
    answer: Answer | None = None
    kept: Record = None


def recall(library: Library, folder: Path | None, in_full: bool = True) -> Recalled:
    """Looks at a library's files, and at what is kept of them in this folder.

    Args:
        library: whose files they are.
        folder: where caches lie; `None` for a run without one.
        in_full: whether more is wanted than the answer, where that is known.
    """
    started = time.time_ns()
    if folder is None:
        return Recalled(started, search(library), {}, {}, None, b"", Outlook())
    path, first_line = folder / _name(library), _first_line(library)
    with contextlib.suppress(*_BROKEN), open(path, "rb") as file:
        if file.readline().rstrip(b"\n") == first_line:
            return _compared(started, library, path, first_line, file, in_full)
    tree = search(library)
    files, folders = signatures(path for _, path in tree.files), signatures(tree.folders | tree.doubtful)
    return Recalled(started, tree, files, folders, path, first_line, Outlook())


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The user's folder for caches; `None` where there is no telling."""
    named = environment.get("XDG_CACHE_HOME", "")
    try:
        parent = Path(named) if os.path.isabs(named) else Path.home() / ".cache"
    except RuntimeError:
        return None
    return parent / "add-model"


def signatures(paths: Iterable[str]) -> dict[str, Signature]:
    """What tells whether the text of each file is the same as at another time."""
    found: dict[str, Signature] = {}
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            found[path] = ()
        else:
            found[path] = status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
    return found


def store(
    recalled: Recalled,
    elsewhere: Iterable[str],
    unreadable: Iterable[str],
    outlook: Outlook,
    answer: Answer | None,
    kept: Record,
    deciding: Iterable[str] = (),
) -> None:
    """Keeps what a run has found out.

    Args:
        recalled: the look that it took at first.
        elsewhere: the files that it used besides those that it checked.
        unreadable: the files that it could not read or parse, on which more has a say than their text.
        outlook: what else of the disk it asked.
        answer: what it said, as far as nothing but the tree decides that.
        kept: what it found, as plain data.
        deciding: the other files on which what it said depends, such as those of git.
    """
    if recalled.path is None:
        return
    passing = set(unreadable)
    head: Record = (
        _trusted(recalled.signatures, recalled.started, passing),
        _trusted(recalled.folders, recalled.started, recalled.tree.doubtful),
        _trusted(signatures(sorted(set(elsewhere) - recalled.signatures.keys())), recalled.started, passing),
        tree_to_record(recalled.tree),
        outlook.to_record(),
        answer and tuple(answer),
        _trusted(signatures(deciding), recalled.started, passing),
    )
    _write(recalled.path, recalled.first_line, marshal.dumps(head), marshal.dumps(kept))


def _trusted(found: Mapping[str, Signature], started: int, passing: Set[str]) -> dict[str, Signature]:
    """Signatures, less those on which the next run cannot rely."""
    recent = started - _COARSE_TICK
    new = [path for path, known in found.items() if known and max(known[:2]) >= recent and _is_new(known, started)]
    return {**found, **dict.fromkeys(new), **dict.fromkeys(passing & found.keys())}


def _compared(
    started: int, library: Library, path: Path, first_line: bytes, file: BinaryIO, in_full: bool
) -> Recalled:
    """What is kept in the cache, behind its first line, as far as it holds.

    Raises:
        Exception: one of `_BROKEN`: there is no cache that holds.
    """
    size, *checksums = file.readline().split()
    files, folders, elsewhere, record, asked, said, deciding = _load(file, checksums[0], int(size))
    standing, outlook = signatures(folders), Outlook.from_record(asked, library)
    tree = before = tree_from_record(record)
    # Nothing has come or gone where no folder has changed.
    if _differing(folders, standing):
        tree = search(library)
        standing = signatures(tree.folders | tree.doubtful)
    now = signatures(path for _, path in tree.files)
    recalled = Recalled(started, tree, now, standing, path, first_line, Outlook())
    if not is_same_tree(tree, before) or not outlook.is_current():
        return recalled
    changed = _differing(files, now) | _differing(elsewhere, signatures(elsewhere))
    if said and not changed and not in_full and _is_decided(deciding):
        return recalled._replace(outlook=outlook, answer=Answer(*said))
    return recalled._replace(outlook=outlook, changed=changed, kept=_load(file, checksums[1]))


def _is_decided(deciding: Mapping[str, Signature]) -> bool:
    """Whether what was said rests on these files alone, and they are what they were."""
    if not deciding:
        return True
    return not any(name in os.environ for name in _OF_GIT) and not _differing(deciding, signatures(deciding))


def _differing(before: Mapping[str, Signature], now: Mapping[str, Signature]) -> frozenset[str]:
    if before == now and None not in before.values():
        return frozenset()
    return frozenset(path for path, known in before.items() if known is None or known != now[path])


def _is_new(signature: tuple[int, ...], started: int) -> bool:
    """Whether a file may be written to once more without another signature."""
    changed = max(signature[0], signature[1])
    return changed > started - (_TICK if changed % 1_000_000_000 else _COARSE_TICK)


def _first_line(library: Library) -> bytes:
    """What must be the same for a cache to hold: this tool, this Python, and what is asked of them."""
    modules = (entry for folder in _TOOL for entry in os.scandir(folder) if entry.name.endswith(".py"))
    times = sorted((entry.path, entry.stat().st_mtime_ns) for entry in modules)
    packages = sorted((name, str(folder)) for name, folder in library.packages.items())
    configuration = [dict(value) if isinstance(value, Mapping) else value for value in library.configuration]
    searched = [str(folder) for folder in (*library.searched, library.environment, *sorted(library.clones.items()))]
    key = (_KIND_OF_CACHE, __version__, sys.version, times, str(library.root), packages, searched, configuration)
    return repr(key).encode("utf-8", "surrogateescape")


def _name(library: Library) -> str:
    # Another library of the same name is told apart by the first line.
    packages = [os.fsencode(folder) for folder in (library.root, *library.packages.values())]
    return f"{library.root.name}-{zlib.crc32(bytes([0]).join(packages)):08x}"


def _load(file: BinaryIO, checksum: bytes, size: int = -1) -> Record:
    """The next part of a cache.

    Raises:
        ValueError: it is broken.
    """
    content = file.read(size)
    if int(checksum, 16) != zlib.crc32(content):
        raise ValueError("broken")
    return marshal.loads(content)


def _write(path: Path, first_line: bytes, head: bytes, kept: bytes) -> None:
    """Puts a cache in place whole, or leaves what is there."""
    staged = path.with_name(f"{path.name}.{os.getpid()}")
    sizes = b"%d %08x %08x" % (len(head), zlib.crc32(head), zlib.crc32(kept))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            staged.write_bytes(b"".join((first_line, b"\n", sizes, b"\n", head, kept)))
            os.replace(staged, path)
        except OSError:
            staged.unlink(missing_ok=True)
    except OSError:
        return
