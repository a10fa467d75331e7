"""A new model's names in the package files around it: beside the reference's, in every statement that lists those."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from add_model.scaffold.diffusers.exports import STRUCTURE, Branch, Export, branches
from add_model.scaffold.source_tree.edits import FileEdit
from add_model.scaffold.source_tree.insertions import Insertion, line_starts, newline_of
from add_model.scaffold.source_tree.listing import called, listed
from add_model.scaffold.source_tree.order import natural

_Key = Callable[[str], Any]


@dataclass(frozen=True)
class Added:
    """What is added to a package file.

    Attributes:
        names: the reference's public names, with the new model's.
        modules: the reference's modules as this file calls them, with the new model's.
    """

    names: Mapping[str, str]
    modules: Mapping[str, str]


def package_edit(path: Path, content: bytes, added: Added) -> FileEdit:
    """Adds a new model's names to a package file, or to any module that imports the reference's.

    A statement about a module of the reference's own gets one like it; one that lists more gets the names. Each goes
    where the alphabet has it, in a list that keeps to it, and else behind the reference's.

    Raises:
        AddModelError: the file does not parse.
    """
    editor = _Editor(content, added)
    found = [insertion for branch in branches(content, path) for insertion in editor.of_branch(branch)]
    return FileEdit(path, content, tuple(found))


class _Editor:
    def __init__(self, content: bytes, added: Added) -> None:
        self.content = content
        self.added = added
        self.starts = line_starts(content)

    def of_branch(self, branch: Branch) -> Iterator[Insertion]:
        for export in branch.exports:
            siblings = [other for other in branch.exports if other.form == export.form]
            new = self.added.modules.get(export.module)
            if new is not None:
                is_empty = export.form == "import" and self.added.names.keys().isdisjoint(export.names)
                if not is_empty and not any(sibling.module == new for sibling in siblings):
                    yield self._beside(export, new, siblings)
            else:
                yield from self._within(export)

    def _beside(self, export: Export, new: str, siblings: Sequence[Export]) -> Insertion:
        """A statement like that of the reference's module, for the new one."""
        names = [self.added.names[name] for name in export.names if name in self.added.names]
        if export.form == "import":
            names.sort(key=_as_imported)
        elif list(export.names) == sorted(export.names):
            names.sort()
        first = self._extent(export)[0]
        indent = self.content[self.starts[self._line(first)] : first]
        text = self._text(export, new, names)(indent).replace(b"\n", newline_of(self.content))
        text += b"," if export.form == "entry" else b""
        previous = _previous(siblings, export, new)
        if previous is None:
            offset = self.starts[self._line(self._extent(siblings[0])[0])]
        else:
            offset = self.starts[self._line(self._extent(previous)[1] - 1) + 1]
        return Insertion(offset, indent + text + newline_of(self.content))

    def _text(self, export: Export, module: str, names: Sequence[str]) -> Callable[[bytes], bytes]:
        start, end = self._extent(export)
        is_broken_up = b"\n" in self.content[start:end] and len(names) > 0
        if export.form == "import":
            return listed(f"from .{module} import ", "(", names, is_broken_up, is_bare=True)
        target, quoted = f'{STRUCTURE}["{module}"]', [f'"{name}"' for name in names]
        if export.form == "append":
            return lambda indent: called(f"{target}.append", quoted[0], indent.decode()).encode()
        if export.form == "extend":
            return listed(f"{target}.extend", "([", quoted, is_broken_up)
        if export.form == "entry":
            return listed(f'"{module}": ', "[", quoted, is_broken_up)
        return listed(f"{target} = ", "[", quoted, is_broken_up)

    def _within(self, export: Export) -> Iterator[Insertion]:
        """The new names among those that a statement about a larger module lists."""
        wanted = [
            (name, self.added.names[name])
            for name in export.names
            if name in self.added.names and self.added.names[name] not in export.names
        ]
        if not wanted:
            return
        names = list(export.names)
        for old, new in wanted:
            names.insert(_place(names, old, new, export.form), new)
        if self._has_line_each(export):
            yield from self._lines(export, names, {new: old for old, new in wanted})
            return
        start, end = self._extent(export)
        indent = self.content[self.starts[self._line(start)] : start]
        text = self._text(export, export.module, names)(indent).replace(b"\n", newline_of(self.content))
        yield Insertion(start, text, end - start)

    def _lines(self, export: Export, names: Sequence[str], olds: Mapping[str, str]) -> Iterator[Insertion]:
        """Each new name on a line of its own, below the one that it follows."""
        numbers = {item.name: item.first[0] - 1 for item in export.items}
        below = min(numbers.values())
        for name in names:
            if name not in olds:
                below = numbers[name] + 1
                continue
            old = olds[name]
            resembled = self.content[self.starts[numbers[old]] : self.starts[numbers[old] + 1]]
            yield Insertion(self.starts[below], resembled.replace(old.encode(), name.encode(), 1))

    def _has_line_each(self, export: Export) -> bool:
        """Whether each name of a statement stands on a line of its own, with a comma behind it."""
        lines = [self.content[self.starts[item.first[0] - 1] : self.starts[item.first[0]]] for item in export.items]
        spelled = zip(lines, export.names, strict=True)
        return all(line.strip().rstrip(b",").strip(b"\"'") == name.encode() and b"," in line for line, name in spelled)

    def _extent(self, export: Export) -> tuple[int, int]:
        first = export.node if export.key is None else export.key
        end = export.node
        assert end.end_lineno is not None and end.end_col_offset is not None
        return self._offset(first), self.starts[end.end_lineno - 1] + end.end_col_offset

    def _offset(self, node: ast.stmt | ast.expr) -> int:
        return self.starts[node.lineno - 1] + node.col_offset

    def _line(self, offset: int) -> int:
        """The number of the line that holds an offset, from 0."""
        return next(number for number in range(len(self.starts) - 2, -1, -1) if self.starts[number] <= offset)


def _previous(siblings: Sequence[Export], export: Export, new: str) -> Export | None:
    """The statement that the new one goes behind; `None` where it is the first."""
    for key in _ORDERS_OF_MODULES:
        keys = [key(sibling.module) for sibling in siblings]
        if keys == sorted(keys):
            smaller = [sibling for sibling in siblings if key(sibling.module) < key(new)]
            return smaller[-1] if smaller else None
    return export


_ORDERS_OF_MODULES: tuple[_Key, ...] = (natural, str)


def _place(names: Sequence[str], old: str, new: str, form: str) -> int:
    """The number of the name that a new one goes before."""
    key = _key(form, names)
    if key is None:
        return names.index(old) + 1
    return next((number for number, name in enumerate(names) if key(name) > key(new)), len(names))


def _key(form: str, names: Sequence[str]) -> _Key | None:
    """What names are sorted by; `None` where they are not sorted."""
    for key in _ORDERS_OF_IMPORTS if form == "import" else _ORDERS_OF_STRINGS:
        keys = [key(name) for name in names]
        if keys == sorted(keys):
            return key
    return None


def _as_imported(name: str) -> tuple[int, list[tuple[int, int, str]], str]:
    """Constants first, then classes, then functions, each by the alphabet, whatever the case."""
    rank = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return rank, natural(name.lower()), name


_ORDERS_OF_IMPORTS: tuple[_Key, ...] = (_as_imported, str)
_ORDERS_OF_STRINGS: tuple[_Key, ...] = (str, _as_imported, str.lower)
