"""The files of the new folder: the reference's, renamed, each block marked as the copy that it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from add_model.copies.language.marker import without_markers
from add_model.scaffold.checkout.reference import SourceFile
from add_model.scaffold.copied_text.copying import marked_copy
from add_model.scaffold.copied_text.marking import Unmarked
from add_model.scaffold.copied_text.renaming import FolderRenaming

_GENERATED = "This file was automatically generated from"
_COMMENT_LINES = re.compile(r"(?:#[^\n]*\n)*")
_BANNER_LINE = re.compile(r"#[ \t]*\N{POLICE CARS REVOLVING LIGHT}")


@dataclass(frozen=True)
class NewModule:
    """A file of the new folder.

    Attributes:
        path: where it stands in the new folder.
        text: its text, not yet laid out.
        unmarked: the definitions that are copies and get no marker.
    """

    path: PurePosixPath
    text: str
    unmarked: tuple[Unmarked, ...]


def new_module(file: SourceFile, renaming: FolderRenaming) -> NewModule:
    """Makes a file of the new folder from one of the reference's."""
    if file.kind == "package":
        return NewModule(renaming.path(file.path), renaming.rename_text(without_markers(file.text)), ())
    module = ".".join([renaming.reference.package, *file.path.with_suffix("").parts])
    text, unmarked = marked_copy(without_banner(file.text), module, renaming)
    return NewModule(renaming.path(file.path), text, unmarked)


def without_banner(text: str) -> str:
    """The text without the comment at its top that says which modular file it was generated from.

    The new file is generated from none: it is edited by hand.
    """
    return text[len(banner_of(text)) :]


def banner_of(text: str) -> str:
    """The comment at the top of a text that says which modular file it was generated from; empty where none does."""
    head = _COMMENT_LINES.match(text).group()  # type: ignore[union-attr]
    if _GENERATED not in head:
        return ""
    lines: Sequence[str] = head.splitlines(keepends=True)
    bars = [number for number, line in enumerate(lines) if _BANNER_LINE.match(line)]
    return "".join(lines[: bars[-1] + 1]) if len(bars) > 1 else ""
