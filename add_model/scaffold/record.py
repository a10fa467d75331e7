"""What `like` remembers of a model it wrote, so that an edit can be told from its own text later, and all be undone.

`written.json` lies in the model's state folder. Of a file that was written it holds the digest; of a file that got
entries it holds those, as hunks: lines that were put in, and the lines that stood there before, if any did. A hunk is
found again by its lines, wherever they have moved, so that other models may have been added since.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from add_model.boundary import named_below
from add_model.reading import read_settings
from add_model.state import STATE_FOLDER

RECORD_FILE = "written.json"
# Each is looked for in its file; no model has a tenth of them.
_MOST_HUNKS = 2_000
_ENTRY = re.compile(rb"\s*[(\"'].*,\s*", re.DOTALL)


@dataclass(frozen=True)
class Hunk:
    """Lines of a file that gave way to others.

    Attributes:
        line: where the new lines started, from 1, when they were written.
        removed: the old lines; often none.
        added: the new lines; never none.
    """

    line: int
    removed: bytes
    added: bytes


@dataclass(frozen=True)
class Record:
    """What was written for a model, by path relative to the root, with `/`.

    Attributes:
        digests: of each file that was written, the digest of its bytes.
        hunks: of each file that got entries, what was put in.
    """

    digests: Mapping[str, str] = field(default_factory=dict)
    hunks: Mapping[str, Sequence[Hunk]] = field(default_factory=dict)

    def dump(self) -> str:
        """The record as the text of its file."""
        values: dict[str, Any] = dict(self.digests)
        for path, hunks in self.hunks.items():
            values[path] = [
                {"line": hunk.line, "removed": _text(hunk.removed), "added": _text(hunk.added)} for hunk in hunks
            ]
        return json.dumps(dict(sorted(values.items())), indent=2) + "\n"


def state_of(root: Path, name: str) -> Path:
    """The folder in which a library remembers one model."""
    return root / STATE_FOLDER / "models" / name


def load_record(folder: Path) -> Record | None:
    """The record in a model's state folder; `None` where there is none that can be read."""
    try:
        values = json.loads(read_settings(folder / RECORD_FILE))
        digests = {path: value for path, value in values.items() if isinstance(value, str)}
        hunks = {path: tuple(map(_hunk, value)) for path, value in values.items() if isinstance(value, list)}
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None
    is_whole = len(digests) + len(hunks) == len(values)
    return Record(digests, hunks) if is_whole and sum(map(len, hunks.values())) <= _MOST_HUNKS else None


def _hunk(value: Any) -> Hunk:
    """A hunk as the record has it.

    Raises:
        KeyError, TypeError, ValueError: it is none that was ever written: what came back with it would be more than
            what was taken away.
    """
    hunk = Hunk(value["line"], _bytes(value["removed"]), _bytes(value["added"]))
    left = iter(b"".join(hunk.added.split()))
    if not isinstance(hunk.line, int) or not all(byte in left for byte in b"".join(hunk.removed.split())):
        raise ValueError(hunk)
    return hunk


def digest(content: bytes) -> str:
    """The digest by which a file is known again."""
    return hashlib.sha256(content).hexdigest()


def hunks_between(before: bytes, after: bytes) -> tuple[Hunk, ...]:
    """What turns one text into another, line by line."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    added = _added(old, new)
    return tuple(_differences(old, new)) if added is None else added


def without_hunks(content: bytes, hunks: Sequence[Hunk]) -> tuple[bytes, tuple[Hunk, ...]]:
    """The text with each hunk taken back, and the hunks whose lines are no longer there as they were written."""
    groups: dict[bytes, list[Hunk]] = {}
    for hunk in hunks:
        groups.setdefault(hunk.added, []).append(hunk)
    spans: list[tuple[int, Hunk]] = []
    missing: list[Hunk] = []
    for added, group in groups.items():
        found, lost = _matched(content, _places(content, added), group)
        spans += found
        missing += lost
    for offset, hunk in sorted(spans, key=lambda span: span[0], reverse=True):
        content = content[:offset] + hunk.removed + content[offset + len(hunk.added) :]
    return content, tuple(missing)


def _added(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[Hunk, ...] | None:
    """The hunks where lines were added and none changed; `None` where that is not so."""
    spans: list[tuple[int, int]] = []
    place, start = 0, None
    for number, line in enumerate(new):
        if place < len(old) and line == old[place]:
            if start is not None:
                spans.append((start, number))
                start = None
            place += 1
        elif start is None:
            start = number
    if start is not None:
        spans.append((start, len(new)))
    if place < len(old):
        return None
    hunks: list[Hunk] = []
    border = 0
    for start, end in spans:
        start, border = _aligned(new, start, end, border)
        for first, last in _entries(new, start, border):
            hunks.append(Hunk(first + 1, b"", b"".join(new[first:last])))
    return tuple(hunks)


def _entries(lines: Sequence[bytes], start: int, end: int) -> list[tuple[int, int]]:
    """Lines that were added, entry by entry where they are entries of a table: others may come to stand in between."""
    spans: list[tuple[int, int]] = []
    first = start
    for last in range(start + 1, end + 1):
        if _is_closed(lines[first:last]):
            spans.append((first, last))
            first = last
    texts = [b"".join(lines[first:last]) for first, last in spans]
    return spans if first == end and all(map(_ENTRY.fullmatch, texts)) else [(start, end)]


def _aligned(lines: Sequence[bytes], start: int, end: int, border: int) -> tuple[int, int]:
    """The lines that were added as one writes them, where the same lines around them leave a choice.

    Of `(`, `"jay",`, `),` before another `(` the first may as well have been there already; but what somebody puts
    between two entries stands between whole entries, and must not come to stand within a hunk.
    """
    first, last = start, end
    while not _is_closed(lines[first:last]):
        if first <= border or lines[first - 1] != lines[last - 1]:
            return start, end
        first, last = first - 1, last - 1
    return first, last


def _is_closed(lines: Sequence[bytes]) -> bool:
    """Whether every bracket that the lines open is closed in them, and the other way round."""
    depth = 0
    for line in lines:
        for byte in line:
            depth += (byte in b"([{") - (byte in b")]}")
            if depth < 0:
                return False
    return depth == 0


def _differences(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[Hunk]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) > 2000)
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        if new_start == new_end:
            # Lines that went are found again by the line beside them.
            if new_start:
                old_start, new_start = old_start - 1, new_start - 1
            else:
                old_end, new_end = old_end + 1, new_end + 1
        yield Hunk(new_start + 1, b"".join(old[old_start:old_end]), b"".join(new[new_start:new_end]))


def _places(content: bytes, added: bytes) -> list[int]:
    """Where these lines stand, by offset."""
    places: list[int] = []
    start = content.find(added) if added else -1
    while start >= 0:
        end = start + len(added)
        begins = start == 0 or content[start - 1 : start] in (b"\n", b"\r")
        ends = added[-1:] in (b"\n", b"\r") or end == len(content)
        if begins and ends:
            places.append(start)
        start = content.find(added, end if begins and ends else start + 1)
    return places


def _matched(content: bytes, places: list[int], hunks: Sequence[Hunk]) -> tuple[list[tuple[int, Hunk]], list[Hunk]]:
    """Which hunk stands at which of the places where its lines do; of too many places the nearest."""
    if len(places) <= len(hunks):
        return list(zip(places, hunks, strict=False)), list(hunks[len(places) :])
    starts = [match for match, byte in enumerate(content) if byte == 0x0A]
    free, matched = list(places), []
    for hunk in hunks:
        nearest = min(free, key=lambda offset: abs(bisect_left(starts, offset) + 1 - hunk.line))
        free.remove(nearest)
        matched.append((nearest, hunk))
    return matched, []


def _text(content: bytes) -> str:
    return content.decode(errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def checked_path(root: Path, relative: str) -> Path:
    """A path of a record, below the root.

    Raises:
        AddModelError: it leads elsewhere; no record of ours does.
    """
    return named_below(root, relative, f"{RECORD_FILE} below {root / STATE_FOLDER}: a path", state=True)
