"""A new model's pages in the documentation, and their places in its table of contents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.scaffold.copied_text.renaming import FolderRenaming
from add_model.scaffold.diffusers.plan import DiffusersPlan
from add_model.scaffold.diffusers.units import FAMILIES, SCHEDULER, Unit, bare
from add_model.scaffold.source_tree.edits import FileEdit, NewFile, Reader
from add_model.scaffold.source_tree.insertions import Insertion, line_starts, newline_of

_AUTODOC = re.compile(r"^\[\[autodoc\]\] +([\w.]+)", re.MULTILINE)
_ITEM = re.compile(rb"^( *)- local: *(\S+) *\r?\n( *)title: *(.*?) *\r?$", re.MULTILINE)


@dataclass(frozen=True)
class _Item:
    """An entry of the table of contents: its lines, from 0, and what it says."""

    first: int
    indent: int
    local: str
    title: str


def documentation_edits(plan: DiffusersPlan, read: Reader) -> Iterator[FileEdit | NewFile]:
    """Writes a page like each of the reference's, and lists it beside that.

    Raises:
        AddModelError: a page cannot be read, or is no UTF-8.
    """
    docs = plan.tree.docs_folder
    locals_: dict[str, tuple[str, FolderRenaming]] = {}
    for unit in plan.reference.units:
        renaming = plan.renamings.of_units[unit]
        for page in _pages(docs / "api" / _section(unit), unit, read):
            new = page.with_stem(_stem(page.stem, unit, renaming))
            if new != page:
                yield NewFile(new, renaming.rename_text(_text(page, read)).encode())
                old_local, new_local = (each.relative_to(docs).with_suffix("").as_posix() for each in (page, new))
                locals_[old_local] = (new_local, renaming)
    contents = docs / "_toctree.yml"
    if locals_ and contents.is_file():
        content = read(contents)
        yield FileEdit(contents, content, tuple(_listed(content, locals_)))


def _section(unit: Unit) -> str:
    return "models" if unit.kind in FAMILIES else "schedulers" if unit.kind == SCHEDULER else "pipelines"


def _pages(folder: Path, unit: Unit, read: Reader) -> Iterator[Path]:
    """The pages of a section that are about a unit first of all: of what they document, most is its own."""
    for page in sorted(folder.glob("*.md")) if folder.is_dir() else ():
        documented = [name.rpartition(".")[2] for name in _AUTODOC.findall(_text(page, read))]
        own = sum(name in unit.exported for name in documented)
        if own and 2 * own >= len(documented) and documented[0] in unit.exported:
            yield page


def _text(page: Path, read: Reader) -> str:
    try:
        return read(page).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AddModelError(f"{page}: is not UTF-8: {error.reason}; convert it and run again") from error


def _stem(stem: str, unit: Unit, renaming: FolderRenaming) -> str:
    """What the new page is called: as the reference's, with the name exchanged, or else as the new module."""
    spelled = re.sub(rf"(?<![a-z0-9]){re.escape(unit.name)}(?![a-z0-9])", renaming.new.snake, stem.replace("-", "_"))
    if spelled != stem.replace("-", "_"):
        return spelled
    return renaming.new.snake if bare(stem) == bare(unit.name) or unit.has_whole_name else f"{renaming.new.snake}_{stem}"  # fmt: skip


def _listed(content: bytes, locals_: Mapping[str, tuple[str, FolderRenaming]]) -> Iterator[Insertion]:
    starts, newline = line_starts(content), newline_of(content)
    items = [_item(content, match) for match in _ITEM.finditer(content)]
    known = {item.local for item in items}
    for item in items:
        new_local, renaming = locals_.get(item.local, ("", None))
        if renaming is None or new_local in known:
            continue
        title = renaming.rename_text(item.title)
        title = title if title != item.title else renaming.new.title
        indent = b" " * item.indent
        text = b"%s- local: %s%s%s  title: %s%s" % (indent, new_local.encode(), newline, indent, title.encode(), newline)  # fmt: skip
        yield Insertion(starts[_line_of(title, item, items)], text)


def _item(content: bytes, match: re.Match[bytes]) -> _Item:
    line = content.count(b"\n", 0, match.start())
    return _Item(line, len(match[1]), match[2].decode(), match[4].decode())


def _line_of(title: str, item: _Item, items: Sequence[_Item]) -> int:
    """The line that a new entry goes before: where the alphabet has it, in a list that keeps to it."""
    at = items.index(item)
    first = last = at
    while first and items[first - 1].first + 2 == items[first].first and items[first - 1].indent == item.indent:
        first -= 1
    while last + 1 < len(items) and items[last].first + 2 == items[last + 1].first and items[last + 1].indent == item.indent:  # fmt: skip
        last += 1
    run = [each for each in items[first : last + 1] if each.title != "Overview"]
    titles = [each.title.lower() for each in run]
    if titles == sorted(titles):
        behind = [each for each in run if each.title.lower() < title.lower()]
        return behind[-1].first + 2 if behind else run[0].first
    return item.first + 2
