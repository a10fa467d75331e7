"""Evidence that a step of a port is done: a result, its figure, and the files it rests on.

A result is kept as JSON with the model, in `<root>/.add-model/models/<model>/evidence/<kind>.json`. It counts only as
long as every file that it rests on still holds what it held: results are checked, not remembered.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from add_model.boundary import ensure_writable
from add_model.errors import AddModelError
from add_model.porting.documents import parse_json
from add_model.reading import read_settings, refuse_holes
from add_model.state import STATE_FOLDER
from add_model.transaction import Change, write_files

# Which of the fourteen steps a kind of evidence belongs to.
STEP_OF_KIND: Mapping[str, int] = {
    "recording": 4,
    "conversion": 6,
    "comparison": 7,
    "tests": 8,
    "tokenizer": 9,
    "end-to-end": 10,
    "docs": 11,
    "publish": 12,
    "notebook": 14,
}
_NOTE = re.compile(r"note-(\d+)")
_MODEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPES = {"kind": str, "step": int, "made_at": str, "passed": bool, "figure": str, "files": dict, "details": dict}
# What other results, and what is shown of them, ask of one.
_DETAIL_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("checkpoint", "folder", "new", "original", "state"), (str,)),
    **dict.fromkeys(("failed", "passed"), (int,)),
    "devices": (list,),
    "tolerance": (int, float),
    "written": (dict,),
}


@dataclass(frozen=True)
class Evidence:
    """One result.

    Attributes:
        kind: what was done: a key of `STEP_OF_KIND`, or `note-<step>` for what a person says.
        step: the number of the step that it speaks for.
        made_at: when, in ISO 8601 and UTC, to the second.
        passed: whether the result is what the step asks for.
        figure: the result in a few words, with its number ("largest difference 2.4e-07").
        files: the files it rests on: path, relative to the library's root where it lies inside it -> SHA-256, in hex.
        details: whatever else a reader may want, as JSON.
    """

    kind: str
    step: int
    made_at: str
    passed: bool
    figure: str
    files: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


def make(
    root: Path,
    kind: str,
    *,
    passed: bool,
    figure: str,
    files: Iterable[Path] = (),
    known: Mapping[str, str] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Evidence:
    """A result of now, resting on the files as they are now, and on those of `known` as they were then.

    Raises:
        AddModelError: one of the files cannot be read.
        ValueError: there is no such kind.
    """
    made_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    held = {**fingerprints(root, files), **(known or {})}
    return Evidence(kind, step_of(kind), made_at, passed, figure, held, dict(details or {}))


def step_of(kind: str) -> int:
    """The step that a kind of evidence belongs to.

    Raises:
        ValueError: there is no such kind.
    """
    note = _NOTE.fullmatch(kind)
    if note is not None:
        return int(note[1])
    if kind not in STEP_OF_KIND:
        raise ValueError(f"no kind of evidence is called {kind!r}; known: {', '.join(STEP_OF_KIND)}, note-<step>")
    return STEP_OF_KIND[kind]


def store(root: Path, model: str, evidence: Evidence) -> Path:
    """Keeps a result with its model, in place of an earlier one of the same kind; returns where.

    Raises:
        AddModelError: the model's name is no name, or the file cannot be written.
    """
    path = _path(root, model, evidence.kind)
    ensure_writable(root, path)
    content = json.dumps(asdict(evidence), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    try:
        before = read_settings(path) if os.path.lexists(path) else None
    except OSError as error:
        raise AddModelError(f"{path}: cannot be read: {error.strerror}; remove it and run again") from error
    write_files(root, [Change(path, content.encode("utf-8"), before)])
    return path


def load(root: Path, model: str) -> dict[str, Evidence]:
    """Every result that is kept for a model, by its kind.

    Raises:
        AddModelError: a file among them is no result; it is named.
    """
    return {path.stem: _read(path) for path in sorted(_folder(root, model).glob("*.json"))}


def forget(root: Path, model: str, kind: str) -> bool:
    """Removes a result; returns whether there was one.

    Raises:
        AddModelError: the file cannot be removed.
    """
    path = _path(root, model, kind)
    ensure_writable(root, path)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise AddModelError(f"{path}: cannot be removed: {error.strerror or error}") from error
    return True


def stale_because(root: Path, evidence: Evidence, digest: Callable[[Path], str] | None = None) -> str | None:
    """Why a result no longer counts: which file has gone or changed since; `None` while it counts.

    Args:
        root: the library's root.
        evidence: the result.
        digest: in place of `fingerprint`, by somebody who asks for several results that rest on the same files.
    """
    for name, expected in evidence.files.items():
        path = root / name
        if not path.is_file():
            return f"{name} has gone"
        if (digest or fingerprint)(path) != expected:
            return f"{name} has changed"
    return None


def fingerprints(root: Path, files: Iterable[Path]) -> dict[str, str]:
    """What files hold now, as evidence keeps it: path -> SHA-256.

    Raises:
        AddModelError: one of them cannot be read.
    """
    return {shown(root, path): fingerprint(path) for path in files}


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file's content, in hex; read piece by piece, whatever its size.

    Raises:
        AddModelError: the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            refuse_holes(os.fstat(file.fileno()), path)
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise AddModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def shown(root: Path, path: Path) -> str:
    """A path as it is kept: it must mean the same in a clone of the library, and in any working folder."""
    path = Path(os.path.abspath(path))
    for base in (Path(os.path.abspath(root)), Path(os.path.realpath(root))):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return path.as_posix()


def _folder(root: Path, model: str) -> Path:
    if not _MODEL.fullmatch(model):
        raise AddModelError(f"{model!r} is no name of a model; pass a model type such as brand_new_bert")
    return root / STATE_FOLDER / "models" / model / "evidence"


def _path(root: Path, model: str, kind: str) -> Path:
    step_of(kind)
    return _folder(root, model) / f"{kind}.json"


def _read(path: Path) -> Evidence:
    try:
        content = parse_json(read_settings(path))
        values = {name: content[name] for name in (entry.name for entry in fields(Evidence))}
        if any(type(values[name]) is not kind for name, kind in _TYPES.items()):
            raise TypeError("a value is of the wrong kind")
        if any(not isinstance(digest, str) for digest in values["files"].values()):
            raise TypeError("a fingerprint is no text")
        for name, kinds in _DETAIL_TYPES.items():
            if name in values["details"] and not isinstance(values["details"][name], kinds):
                raise TypeError(f"its detail {name} is of the wrong kind")
        if values["kind"] != path.stem or step_of(path.stem) != values["step"]:
            raise ValueError(f"it speaks for {values['kind']}, step {values['step']}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AddModelError(f"{path}: is no evidence that add-model wrote ({error}); remove it and run that step's command again") from error  # fmt: skip
    return Evidence(**values)
