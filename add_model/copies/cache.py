"""What earlier runs found out, so that a run looks only at what has changed since.

The unit is a file: what its check came to holds for as long as its own text and that of every file it used are the
same, and as long as every other answer of the disk is (see `outlook`), the set of checked files included. Texts are
the same where time, size and inode of their file are. A file that was written just before a run is looked at again in
the next, as its clock may be too coarse to tell a second edit from the first; so is one that cannot be read.

A cache lies in the user's cache folder, never in the tree. One that is missing, broken, of another version, another
Python or another configuration is none; one that cannot be written is not written. It is read as data only.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from add_model import __version__
from add_model.copies.files import CheckedFile, Tree, relative_path, search
from add_model.copies.finding import Code, Counts, Finding
from add_model.copies.outlook import Outlook
from add_model.copies.records import (
    FileResult,
    finding_from_record,
    finding_to_record,
    outlook_from_record,
    outlook_to_record,
    result_from_record,
    result_to_record,
)
from add_model.library import Library

if TYPE_CHECKING:
    from add_model.copies.check import Check

# When a file's text and its entry last changed, in nanoseconds; its size; its inode. Empty for one that is not there;
# `None` where the next run cannot rely on it.
Signature = list[int] | None
Progress = Callable[[int, int], None]

_PACKAGE = Path(__file__).parents[1]
_KIND_OF_CACHE = 1
# For so long, in nanoseconds, the clock of a file may stand still; and one that counts whole seconds.
_TICK, _COARSE_TICK = 100_000_000, 2_000_000_000


class Checked(NamedTuple):
    """What a run comes to: its findings in the order of a report, and what it looked at."""

    findings: list[Finding]
    counts: Counts


class _Cache(NamedTuple):
    """What an earlier run wrote: what is needed where nothing has changed, and the rest, which is not decoded yet."""

    head: Any
    body: bytes


def check_library(
    library: Library, folder: Path | None, progress: Progress = lambda done, total: None
) -> Checked:  # fmt: skip
    """Checks a whole library, as far as no earlier run did.

    Args:
        library: what is checked.
        folder: where caches lie; `None` for a run without one.
        progress: told, for each file that is looked at, how many are done and how many there are.
    """
    started = time.time_ns()
    tree = search(library)
    files = tree.files
    if folder is None:
        checker, results = _check(library, tree, files, progress)
        return _in_order(checker, results)
    key = _key(library)
    path = folder / _name(library)
    signatures = {file: _signature(file, started) for _, file in files}
    known: dict[str, FileResult] = {}
    outlook = Outlook()
    # Whatever a broken cache leads to here, it leads to a run without one.
    with contextlib.suppress(LookupError, TypeError, ValueError, AttributeError, RecursionError):
        cache = _load(path, key)
        found = outlook_from_record(cache.head["outlook"])
        if cache.head["files"].keys() == signatures.keys() and found.is_current():
            others = {other: _signature(other, started) for other in cache.head["others"]}
            changed = _differing(cache.head["files"], signatures) | _differing(cache.head["others"], others)
            if not changed:
                findings = [finding_from_record(record) for record in cache.head["findings"]]
                return Checked(findings, Counts(*cache.head["counts"]))
            known, outlook = _unaffected(cache, files, changed), found
    checker, results = _check(library, tree, [file for file in files if file[1] not in known], progress, known)
    checked = _in_order(checker, results)
    outlook.add(checker.sources.outlook)
    _store(path, key, library, signatures, results, outlook, checked, started)
    return checked


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The user's folder for caches; `None` where there is no telling."""
    named = environment.get("XDG_CACHE_HOME", "")
    try:
        parent = Path(named) if os.path.isabs(named) else Path.home() / ".cache"
    except RuntimeError:
        return None
    return parent / "add-model"


def _check(
    library: Library,
    tree: Tree,
    some: Sequence[CheckedFile],
    progress: Progress,
    known: Mapping[str, FileResult] | None = None,
) -> tuple[Check, dict[str, FileResult]]:
    """Checks some of the files; the results of all of them, in their order."""
    from add_model.copies.check import Check
    from add_model.copies.parallel import results_of

    checker = Check(library, progress=progress, tree=tree)
    results = {**(known or {}), **results_of(checker, some)}
    return checker, {path: results[path] for _, path in tree.files}


def _in_order(checker: Check, results: Mapping[str, FileResult]) -> Checked:
    findings = sorted(checker.merged(results), key=lambda finding: finding.sort_key)
    return Checked(findings, checker.counts)


def _key(library: Library) -> Any:
    """What must be the same for a cache to hold: this tool, this Python, and what is asked of them."""
    tool = [
        [str(path), path.stat().st_mtime_ns] for path in (*(_PACKAGE / "copies").glob("*.py"), _PACKAGE / "source.py")
    ]
    packages = {name: str(folder) for name, folder in library.packages.items()}
    key = [_KIND_OF_CACHE, __version__, sys.version, sorted(tool), str(library.root), packages, asdict(library.configuration)]  # fmt: skip
    return json.loads(json.dumps(key))


def _name(library: Library) -> str:
    # Another library of the same name is told apart by the key.
    packages = [os.fsencode(folder) for folder in (library.root, *library.packages.values())]
    return f"{library.root.name}-{zlib.crc32(bytes([0]).join(packages)):08x}"


def _signature(path: str, started: int) -> Signature:
    try:
        status = os.stat(path)
    except OSError:
        return []
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    if changed > started - (_TICK if changed % 1_000_000_000 else _COARSE_TICK):
        return None
    return [status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino]


def _differing(before: Mapping[str, Signature], now: Mapping[str, Signature]) -> set[str]:
    return {path for path, signature in before.items() if signature is None or signature != now[path]}


def _unaffected(cache: _Cache, files: Sequence[CheckedFile], changed: set[str]) -> dict[str, FileResult]:
    """What still holds: the results of files that have not changed, and used none that has."""
    results = (
        (path, result_from_record(path, record))
        for (_, path), record in zip(files, json.loads(cache.body), strict=True)
        if path not in changed
    )
    return {path: result for path, result in results if changed.isdisjoint(result.used)}


def _load(path: Path, key: Any) -> _Cache:
    """Reads a cache.

    Raises:
        ValueError: there is none that holds.
    """
    try:
        checksum, head, body = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ValueError(str(error)) from error
    if checksum != _checksum(head, body):
        raise ValueError("broken")
    decoded = json.loads(head)
    if decoded["key"] != key:
        raise ValueError("written by another tool, or for another library")
    return _Cache(decoded, body)


def _store(
    path: Path,
    key: Any,
    library: Library,
    signatures: Mapping[str, Signature],
    results: Mapping[str, FileResult],
    outlook: Outlook,
    checked: Checked,
    started: int,
) -> None:
    used = {other for result in results.values() for other in result.used}
    full_copies = {str(library.root / name) for pair in library.configuration.full_copies.items() for name in pair}
    others = {other: _signature(other, started) for other in sorted((used | full_copies) - signatures.keys())}
    # Whether a file can be read or parsed depends on more than its text.
    unreadable = {finding.path for finding in checked.findings if finding.code is Code.CP006}
    trusted = [
        {file: None if relative_path(file, library.root) in unreadable else known for file, known in side.items()}
        for side in (signatures, others)
    ]
    head = {
        "key": key,
        "files": trusted[0],
        "others": trusted[1],
        "outlook": outlook_to_record(outlook),
        "findings": [finding_to_record(finding) for finding in checked.findings],
        "counts": list(vars(checked.counts).values()),
    }
    _write(path, json.dumps(head), json.dumps([result_to_record(*item) for item in results.items()]))


def _write(path: Path, head: str, body: str) -> None:
    """Puts a cache in place whole, or leaves what is there."""
    staged = path.with_name(f"{path.name}.{os.getpid()}")
    parts = head.encode(), body.encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            staged.write_bytes(b"\n".join((_checksum(*parts), *parts)))
            os.replace(staged, path)
        except OSError:
            staged.unlink(missing_ok=True)
    except OSError:
        return


def _checksum(head: bytes, body: bytes) -> bytes:
    return b"%08x" % zlib.crc32(body, zlib.crc32(head))
