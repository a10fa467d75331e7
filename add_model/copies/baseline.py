"""The findings that a library has had when it took up checking, set aside so that a run fails on new ones only.

A baseline is a file of the library's own, an entry a line, sorted, so that two branches' entries merge as lines do. An
entry is a finding's code, file, definition and source, with digests of both sides: when either of them changes, it
speaks of something that is no more, and the finding is reported again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from add_model.boundary import ensure_writable
from add_model.copies.finding import Code, Finding
from add_model.errors import AddModelError
from add_model.library import Library
from add_model.reading import read_bytes
from add_model.transaction import Change, write_files

_HEAD = "# Findings of `add-model check-copies` that do not count; `--write-baseline` writes them anew."


def entry(finding: Finding) -> str:
    """The line that stands for a finding."""
    fields = (finding.code.name, finding.path, finding.object or "-", finding.source or "-")
    # What a name holds that would end a field, or steer a terminal, does not stand in the file as it is.
    return " ".join([*(quote(field, errors="surrogateescape") for field in fields), finding.digests or "- -"])


def write_baseline(root: Path, path: Path, findings: Iterable[Finding]) -> int:
    """Writes down what was found, less what no baseline can set aside; returns how many entries there are.

    Raises:
        AddModelError: the file may not be written, or cannot be.
    """
    ensure_writable(root, path)
    entries = sorted(entry(finding) for finding in findings if finding.code is not Code.CP006)
    before = read_bytes(path) if path.exists() else None
    content = "".join(f"{line}\n" for line in (_HEAD, *entries)).encode()
    write_files(root, [Change(path, content, expected=before)])
    return len(entries)


def set_aside(library: Library, findings: Sequence[Finding]) -> frozenset[tuple[str, str, str]]:
    """The file, definition and source of every finding that the library's baseline holds: none, where it has no baseline.

    Raises:
        AddModelError: the file cannot be read.
    """
    if library.configuration.baseline is None:
        return frozenset()
    new, _ = without_baseline(findings, library.root / library.configuration.baseline)
    left = Counter(map(entry, findings)) - Counter(map(entry, new))
    return frozenset((found.path, found.object, found.source) for found in findings if entry(found) in left)


def without_baseline(findings: Sequence[Finding], path: Path) -> tuple[list[Finding], int]:
    """The findings that a baseline does not hold, and how many of its entries stand for none.

    Raises:
        AddModelError: the file cannot be read.
    """
    try:
        lines = read_bytes(path).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise AddModelError(f"{path}: the baseline cannot be read: {error.strerror or error}; write it with --write-baseline {path}") from error  # fmt: skip
    left = Counter(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    new = []
    for finding in findings:
        line = entry(finding)
        if finding.code is not Code.CP006 and left[line] > 0:
            left[line] -= 1
        else:
            new.append(finding)
    return new, sum(left.values())
