"""The page of a new model in the documentation of a checkout, and its entry in the table of contents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from add_model.scaffold.checkout.edits import Names
from add_model.scaffold.source_tree.edits import FileEdit, NewFile, Note, Reader, read_file
from add_model.scaffold.source_tree.insertions import Insertion, newline_of

_PAGES = "model_doc"
_CONTENTS = "_toctree.yml"
_INDEX = "index.md"
_ITEM = re.compile(r"( *)- (?:local: *(\S+)|title: *(.+?)) *")
_FIELD = re.compile(r" *(local|title): *(.+?) *")
_AUTODOC = re.compile(r"^ *\[\[autodoc\]\] *(\S+)", re.MULTILINE)
_LICENCE = re.compile(r"\A\s*<!--.*?-->\s*?\n", re.DOTALL)
_HEADING = re.compile(r"^# +(.+?) *$", re.MULTILINE)
_FENCE = re.compile(r" *(?:```|~~~)")
# The frameworks' blocks of 4.x, within which the classes of one framework are documented.
_BLOCK = re.compile(r"</?(?:frameworkcontent|pt|tf|jax)>")

_OVERVIEW = """\
## Overview

{title} was proposed in TODO (the paper, with a link) by TODO (its authors).

TODO: what it is for, and what is new in it. It started as a copy of [{reference}](./{page}).

The abstract of the paper:

*TODO*

Tips:

- TODO

The original code is at TODO (a link). This model was contributed by TODO.
"""


def documentation_edits(names: Names, read: Reader = read_file) -> Iterator[FileEdit | NewFile | Note]:
    """The page and the entry, where the checkout has documentation of the reference.

    The page says of the new model what is known, which classes it has, and asks for the rest: what the reference's page
    tells of its paper, its authors and its checkpoints would be wrong of another model.

    Raises:
        AddModelError: a file cannot be read.
    """
    folder = names.checkout.docs_folder
    old = page_of(names, read)
    if old is None:
        return
    new = renamed_stem(old.stem, names)
    text = read(old).decode(errors="replace")
    yield NewFile(folder / _PAGES / f"{new}{old.suffix}", _new_page(text, old.stem, names).encode())
    yield from _listing(folder / _INDEX, old.stem, new, read)
    contents = folder / _CONTENTS
    if not contents.is_file():
        return
    content = read(contents)
    insertion = _entry(content.decode(errors="surrogateescape"), f"{_PAGES}/{old.stem}", f"{_PAGES}/{new}", names)
    if insertion is None:
        yield Note(contents, 1, f"has no entry of {_PAGES}/{old.stem} to put one of {_PAGES}/{new} beside; add it")
    else:
        yield FileEdit(contents, content, tuple(insertion))


def _listing(index: Path, old: str, new: str, read: Reader) -> Iterator[Note]:
    """The table of all models and their frameworks, which 4.x makes by a script."""
    lines = read(index).splitlines() if index.is_file() else []
    for number, line in enumerate(lines, start=1):
        if f"({_PAGES}/{old})".encode() in line:
            yield Note(index, number, f"lists {_PAGES}/{old}; run utils/check_table.py --fix_and_overwrite to list {_PAGES}/{new}")  # fmt: skip
            return


def page_of(names: Names, read: Reader) -> Path | None:
    """The reference's page: called as its folder or a model type is, or else the one that documents its classes."""
    folder = names.checkout.docs_folder / _PAGES
    if not folder.is_dir():
        return None
    spelled = [names.old_name, *names.model_types]
    stems = dict.fromkeys([*spelled, *(name.replace("_", "-") for name in spelled)])
    for stem in stems:
        for suffix in (".md", ".mdx"):
            if (folder / f"{stem}{suffix}").is_file():
                return folder / f"{stem}{suffix}"
    configurations = {name.encode() for name in names.classes if name.endswith("Config")}
    for path in sorted((*folder.glob("*.md"), *folder.glob("*.mdx"))):
        content = read(path)
        if any(name in content for name in configurations) and set(_AUTODOC.findall(content.decode(errors="replace"))) & names.classes.keys():  # fmt: skip
            return path
    return None


def renamed_stem(stem: str, names: Names) -> str:
    """What the new model's page is called, whose reference's has this stem."""
    kebab = names.old_name.replace("_", "-")
    spelled = {kebab: names.new_folder.replace("_", "-"), **names.model_types, names.old_name: names.new_folder}
    return spelled.get(stem, names.new_folder)


def _new_page(text: str, stem: str, names: Names) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    licence = _LICENCE.match(text)
    heading = _HEADING.search(text)
    reference = heading[1] if heading else stem
    title = _title(reference, names)
    overview = _OVERVIEW.format(title=title, reference=reference, page=stem)
    sections = [names.rename_text(section) for section in _documenting(text)]
    page = f"{licence[0] if licence else ''}\n# {title}\n\n{overview}\n" + "\n".join(sections)
    return f"{page.strip()}\n".replace("\n", newline)


def _title(reference: str, names: Names) -> str:
    title = names.rename_text(reference)
    if title != reference:
        return title
    configuration = next((new for old, new in names.class_keys.items() if old.endswith("Config")), None)
    return configuration.removesuffix("Config") if configuration else names.new_folder


def _documenting(text: str) -> Iterator[str]:
    """The sections that document classes, without what the reference's page tells about them in between."""
    for section in _sections(text):
        lines = section.splitlines()
        has_heading = any(_AUTODOC.match(line) for line in lines)
        kept = [
            number for number in range(len(lines)) if _is_documenting(lines, number) or (has_heading and not number)
        ]
        if kept:
            yield "\n".join(_spaced(lines, kept)) + "\n"


def _sections(text: str) -> Iterator[str]:
    """A page in pieces that start at headings of the second level."""
    piece: list[str] = []
    is_code = False
    for line in text.splitlines(keepends=True):
        is_code ^= _FENCE.match(line) is not None
        if line.startswith("## ") and not is_code:
            yield "".join(piece)
            piece = []
        piece.append(line)
    yield "".join(piece)


def _is_documenting(lines: Sequence[str], number: int) -> bool:
    """Whether a line asks for the documentation of a class, lists its methods, or opens or closes a framework's block."""
    line = lines[number]
    if _AUTODOC.match(line) or _BLOCK.fullmatch(line.strip()):
        return True
    if not re.match(r" +- \S+$", line):
        return False
    above = next((other for other in reversed(lines[:number]) if not re.match(r" +- \S+$", other)), "")
    return _AUTODOC.match(above) is not None


def _spaced(lines: Sequence[str], kept: Sequence[int]) -> Iterator[str]:
    for place, number in enumerate(kept):
        if place and not re.match(r" +- ", lines[number]):
            yield ""
        yield lines[number]


@dataclass(frozen=True)
class _Item:
    """An entry of the table of contents: its lines, how deep it stands, and what it says."""

    first: int
    end: int
    indent: str
    local: str
    title: str


def _entry(text: str, old: str, new: str, names: Names) -> list[Insertion] | None:
    """The insertion of the entry: by the alphabet among neighbours that stand so, else behind the reference's.

    Returns:
        The insertions, none where the entry is there; `None` where there is no entry of the reference.
    """
    lines = text.splitlines(keepends=True)
    items = list(_items(lines))
    if any(item.local == new for item in items):
        return []
    reference = next((item for item in items if item.local == old), None)
    if reference is None:
        return None
    neighbours = _neighbours(items, reference)
    title = _title(reference.title.strip("\"'"), names)
    titles = [item.title.casefold() for item in neighbours]
    previous: _Item | None = reference
    if len(titles) > 1 and titles == sorted(titles):
        smaller = [item for item in neighbours if item.title.casefold() <= title.casefold()]
        previous = smaller[-1] if smaller else None
    line = previous.end if previous is not None else neighbours[0].first
    newline = newline_of(text.encode(errors="surrogateescape")).decode()
    entry = f"{reference.indent}- local: {new}{newline}{reference.indent}  title: {title}{newline}"
    offset = len("".join(lines[:line]).encode(errors="surrogateescape"))
    if line and not lines[line - 1].endswith("\n"):
        return [Insertion(offset, (newline + entry.removesuffix(newline)).encode())]
    return [Insertion(offset, entry.encode())]


def _items(lines: Sequence[str]) -> Iterator[_Item]:
    """The entries that lead to a page; each starts at its dash and goes on as long as lines stand deeper."""
    for first, line in enumerate(lines):
        start = _ITEM.fullmatch(line.rstrip("\r\n"))
        if start is None:
            continue
        indent = start[1]
        end = first + 1
        while end < len(lines) and lines[end].startswith(f"{indent}  ") and lines[end].strip():
            end += 1
        fields = {found[1]: found[2] for each in lines[first + 1 : end] if (found := _FIELD.fullmatch(each.rstrip()))}
        local, title = start[2] or fields.get("local"), start[3] or fields.get("title")
        if local is not None and title is not None:
            yield _Item(first, end, indent, local, title)


def _neighbours(items: Sequence[_Item], item: _Item) -> list[_Item]:
    """The entries that stand with one, without another line between them."""
    place = first = items.index(item)
    while first and items[first - 1].end == items[first].first and items[first - 1].indent == item.indent:
        first -= 1
    while place + 1 < len(items) and items[place + 1].first == items[place].end and items[place + 1].indent == item.indent:  # fmt: skip
        place += 1
    return list(items[first : place + 1])
