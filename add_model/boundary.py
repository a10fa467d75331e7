"""The boundary of a tree: what its own files may name, and what may be written below its root.

A tree is somebody else's as a rule. Nothing that stands in it is a reason to reach out of it, to write through a link,
or to touch the folders of version control, in which a file may be a command that the next commit runs.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from add_model.errors import AddModelError
from add_model.state import STATE_FOLDER

VERSION_CONTROL = frozenset({".git", ".hg", ".jj", ".svn"})
# What file systems pass over in a name, so that two spellings are one folder: HFS+ these characters, NTFS dots and
# spaces at the end and whatever stands behind a colon; git protects its own folder in the same way.
_PASSED_OVER = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_SHORT_NAME = "git~1"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_PATH, _LONGEST_NAME = 4096, 255


def ensure_inside(root: Path, path: Path) -> None:
    """Raises `AddModelError` unless `path`, with every symbolic link followed, lies below `root`."""
    real_root, real_path = Path(os.path.realpath(root)), Path(os.path.realpath(path))
    if not real_path.is_relative_to(real_root):
        raise AddModelError(f"{path}: leads to {real_path}, outside {real_root}; remove the symbolic link or work on that folder itself")  # fmt: skip


def ensure_writable(root: Path, path: Path) -> None:
    """Raises `AddModelError` unless `path` may be written.

    It lies below `root`, no part of it below the root is a symbolic link, and none of it is version control's own.
    """
    ensure_inside(root, path)
    relative = os.path.relpath(_spelled(root, path), os.path.realpath(root))
    place = Path(os.path.realpath(root))
    for part in Path(relative).parts:
        place /= part
        if os.path.islink(place):
            raise AddModelError(f"{path}: {place} is a symbolic link to {os.path.realpath(place)}, and nothing is written through one; work on that itself, or remove the symbolic link")  # fmt: skip
    ensure_unversioned(place)


def ensure_unversioned(path: Path) -> None:
    """Raises `AddModelError` where a path lies in a folder of version control, or is one."""
    own = next((part for part in Path(os.path.realpath(path)).parts if is_version_control(part)), None)
    if own is not None:
        raise AddModelError(f"{path}: {own} is version control's own, and nothing is written there; choose another place")  # fmt: skip


def is_version_control(part: str) -> bool:
    """Whether a part of a path is the folder of a version control system, however a file system lets it be spelled."""
    name = _PASSED_OVER.sub("", part).partition(":")[0].rstrip(". ").lower()
    return name in VERSION_CONTROL or name == _SHORT_NAME


def named_below(root: Path, text: str, where: str, kind: str = "file", state: bool = False) -> Path:
    """The path that a file of the tree names, relative to the root.

    Args:
        root: the folder that it is relative to.
        text: the path, as it stands in that file.
        where: the place in which it stands, for the message.
        kind: what it is the path of, for the message.
        state: whether it may lie in the folder in which the tool remembers things.

    Raises:
        AddModelError: it leads, or a symbolic link on its way leads, out of the tree or into what is version
            control's or the tool's own; or it is no path at all.
    """
    path, problem = root / text, _problem(text)
    shown = repr(text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}...")
    if problem is None:
        real_root, real_path = Path(os.path.realpath(root)), Path(os.path.realpath(path))
        is_inside = real_path.is_relative_to(real_root)
        parts = (*Path(text).parts, *(real_path.relative_to(real_root).parts if is_inside else ()))
        if not is_inside:
            shown, problem = str(path), f"leads to {real_path}, outside it; remove the symbolic link"
        elif any(map(is_version_control, parts)) or (not state and STATE_FOLDER in map(str.lower, parts)):
            problem = "leads into what is version control's or add-model's own"
    if problem is not None:
        raise AddModelError(f"{where} must be a {kind} below {root}, and {shown} {problem}")
    return path


def _problem(text: str) -> str | None:
    """What is wrong with a path as it is written; `None` where nothing is."""
    if _CONTROL.search(text):
        return "holds a control character"
    parts = re.split(r"[/\\]", text) if os.sep == "\\" else text.split("/")
    if len(text) > _LONGEST_PATH or any(len(part) > _LONGEST_NAME for part in parts):
        return "is too long"
    if text.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", text):
        return "is absolute, and so leads out of it"
    if ".." in parts:
        return "leads out of it"
    return None


def _spelled(root: Path, path: Path) -> str:
    """The absolute path, below the real root, that was asked for: links in the root are followed, those below are not."""
    absolute, spelled_root = os.path.abspath(path), os.path.abspath(root)
    if absolute == spelled_root or absolute.startswith(spelled_root.rstrip(os.sep) + os.sep):
        return os.path.join(os.path.realpath(root), os.path.relpath(absolute, spelled_root))
    return absolute
