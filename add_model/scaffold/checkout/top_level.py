"""The top level of 4.x, `transformers/__init__.py`, which names every class twice, and the dummies that stand in for them.

A class is named once for the lazy import (`_import_structure`) and once for type checkers (`if TYPE_CHECKING`); where it
needs a library that may be absent, a dummy of the same name stands in `utils/dummy_<library>_objects.py`. Later releases
find all this out by themselves.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from add_model.scaffold.checkout.edits import Names
from add_model.scaffold.source_tree.edits import FileEdit, Note, Reader, read_file
from add_model.scaffold.source_tree.insertions import Insertion, entry_insertion, line_starts, newline_of
from add_model.scaffold.source_tree.listing import called, listed
from add_model.scaffold.source_tree.order import natural
from add_model.scaffold.source_tree.tables import find_tables, parsed

_STRUCTURE = "_import_structure"
_NEEDED = re.compile(_STRUCTURE)


@dataclass(frozen=True)
class _Export:
    """A statement that exports names of one module: its module, how it begins, its names, and whether it is broken up."""

    module: str
    kind: str
    names: tuple[str, ...]
    statement: ast.stmt

    @property
    def is_broken_up(self) -> bool:
        return self.statement.end_lineno != self.statement.lineno


def top_level_edits(names: Names, read: Reader = read_file) -> Iterator[FileEdit]:
    """Exports the new model's classes beside the reference's, and adds their dummies.

    Names that the new model shares with its reference are left out: each can be exported only once.

    Raises:
        AddModelError: a file cannot be read or does not parse.
    """
    path = names.checkout.package_folder / "__init__.py"
    content = read(path)
    if _STRUCTURE.encode() not in content:
        return
    editor = _TopLevel(path, content, names)
    yield FileEdit(path, content, (*editor.lazily(), *editor.statements()))
    for dummy, blocks in editor.dummies.items():
        file = names.checkout.package_folder / "utils" / f"{dummy}.py"
        if file.is_file():
            yield _dummy_edit(file, read(file), names, blocks)


def added_exports(names: Names, read: Reader = read_file) -> Iterator[FileEdit | Note]:
    """Exports what a new model takes over from one that is not its reference, whose own exports are there already.

    Yields:
        The edits, and a note where a list would have to be joined with that of the new model.
    """
    path = names.checkout.package_folder / "__init__.py"
    content = read(path)
    if _STRUCTURE.encode() not in content:
        return
    editor = _TopLevel(path, content, names)
    yield FileEdit(path, content, tuple(editor.statements(of_libraries=True)))
    for table in find_tables(content, path, _NEEDED):
        entry = table.find(editor.old)
        listed = [] if entry is None else editor.renamed([text.value for text in entry.texts[1:]])
        if entry is not None and listed:
            exported = ", ".join(new for _, new in listed)
            yield Note(path, entry.line, f"add {exported} to {editor.new} there, to import it from transformers itself")  # fmt: skip
    for dummy, blocks in editor.dummies.items():
        file = names.checkout.package_folder / "utils" / f"{dummy}.py"
        if file.is_file():
            yield _dummy_edit(file, read(file), names, blocks)


@dataclass(frozen=True)
class _Dummies:
    """The dummies to add to a file: old names with the new ones, and the names that they go behind, nearest last."""

    names: tuple[tuple[str, str], ...]
    before: tuple[str, ...]


class _TopLevel:
    def __init__(self, path: Path, content: bytes, names: Names) -> None:
        self.path = path
        self.content = content
        self.names = names
        self.old, self.new = f"models.{names.old_module}", f"models.{names.new_folder}"
        self.dummies: dict[str, list[_Dummies]] = {}
        self.starts = line_starts(content)

    def lazily(self) -> Iterator[Insertion]:
        """The entry of what needs no library, in the literal that `_import_structure` starts as."""
        for table in find_tables(self.content, self.path, _NEEDED):
            entry = table.find(self.old)
            if table.name != _STRUCTURE or entry is None or table.find(self.new) is not None:
                continue
            models = replace(table, entries=tuple(each for each in table.entries if each.key.startswith("models.")))
            exported = [f'"{new}"' for _, new in self.renamed([text.value for text in entry.texts[1:]])]
            is_broken_up = b"\n" in self.content[entry.start : entry.end]
            text = listed(f'"{self.new}": ', "[", exported, is_broken_up and bool(exported))
            yield entry_insertion(self.content, models, self.new, entry, self._with_line_ends(text))

    def statements(self, of_libraries: bool = False) -> Iterator[Insertion]:
        """The statements that add what needs a library, and those that import for type checkers.

        Args:
            of_libraries: whether to leave out what needs no library.
        """
        yield from self._in_body(parsed(self.content, self.path).body, None, of_libraries)

    def _in_body(self, body: Sequence[ast.stmt], dummy: str | None, of_libraries: bool = False) -> Iterator[Insertion]:
        found = [export for statement in body if (export := _export(statement)) is not None]
        exports = [] if of_libraries and dummy is None else found
        for export in exports:
            if export.module == self.old and not any(
                other.module == self.new and other.kind == export.kind for other in exports
            ):
                yield from self._beside(export, [other for other in exports if other.kind == export.kind], dummy)
        for statement in body:
            if isinstance(statement, ast.Try):
                for inner in (statement.body, *(handler.body for handler in statement.handlers)):
                    yield from self._in_body(inner, None, of_libraries)
                yield from self._in_body(statement.orelse, _dummy_of(statement), of_libraries)
            elif isinstance(statement, ast.If):
                yield from self._in_body(statement.body, None, of_libraries)
                yield from self._in_body(statement.orelse, None, of_libraries)

    def _beside(self, export: _Export, siblings: Sequence[_Export], dummy: str | None) -> Iterator[Insertion]:
        renamed = self.renamed(export.names)
        if not renamed:
            return
        previous = _previous(siblings, export, self.new)
        indent = b" " * export.statement.col_offset
        text = self._with_line_ends(self._text(export, [new for _, new in renamed]))(indent)
        if previous is None:
            offset = self.starts[siblings[0].statement.lineno - 1]
        else:
            assert previous.statement.end_lineno is not None
            offset = self.starts[previous.statement.end_lineno]
        yield Insertion(offset, indent + text + newline_of(self.content))
        if export.kind == "import" and dummy is not None:
            before = siblings[: siblings.index(previous) + 1] if previous is not None else []
            blocks = _Dummies(tuple(renamed), tuple(name for each in before for name in each.names))
            self.dummies.setdefault(dummy, []).append(blocks)

    def _with_line_ends(self, text: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        return lambda indent: text(indent).replace(b"\n", newline_of(self.content))

    def _text(self, export: _Export, exported: Sequence[str]) -> Callable[[bytes], bytes]:
        if export.kind == "import":
            return listed(f"from .{self.new} import ", "(", exported, export.is_broken_up, is_bare=True)
        target, quoted = f'{_STRUCTURE}["{self.new}"]', [f'"{name}"' for name in exported]
        if export.kind == "append":
            return lambda indent: called(f"{target}.append", quoted[0], indent.decode()).encode()
        if export.kind == "extend":
            return listed(f"{target}.extend", "([", quoted, export.is_broken_up)
        return listed(f"{target} = ", "[", quoted, export.is_broken_up)

    def renamed(self, old_names: Sequence[str]) -> list[tuple[str, str]]:
        """The names that the new model has instead, constants first, then classes, then functions, each by the alphabet."""
        classes = self.names.classes
        pairs = [(name, classes[name]) for name in old_names if classes.get(name, name) != name]
        return sorted(pairs, key=lambda pair: (_rank(pair[1]), natural(pair[1].lower())))


def _export(statement: ast.stmt) -> _Export | None:
    """What a statement exports, where it is of one of the forms that the file has."""
    if isinstance(statement, ast.ImportFrom):
        if statement.level != 1 or statement.module is None or not statement.module.startswith("models."):
            return None
        return _Export(statement.module, "import", tuple(alias.name for alias in statement.names), statement)
    if isinstance(statement, ast.Assign):
        module = _subscripted(statement.targets[0])
        return None if module is None else _Export(module, "assign", _strings(statement.value), statement)
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return None
    function = statement.value.func
    if not isinstance(function, ast.Attribute) or function.attr not in ("append", "extend"):
        return None
    module = _subscripted(function.value)
    exported = tuple(name for argument in statement.value.args for name in _strings(argument))
    return None if module is None else _Export(module, function.attr, exported, statement)


def _subscripted(node: ast.expr) -> str | None:
    """`models.bert` of `_import_structure["models.bert"]`."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name) or node.value.id != _STRUCTURE:
        return None
    key = node.slice.value if isinstance(node.slice, ast.Constant) else None
    return key if isinstance(key, str) and key.startswith("models.") else None


def _strings(node: ast.expr) -> tuple[str, ...]:
    constants = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)]
    return tuple(value for value in constants if isinstance(value, str))


def _previous(siblings: Sequence[_Export], export: _Export, new: str) -> _Export | None:
    """The statement that the new one goes behind; `None` where it is the first."""
    keys = [natural(sibling.module) for sibling in siblings]
    if keys != sorted(keys):
        return export
    smaller = [sibling for sibling in siblings if natural(sibling.module) < natural(new)]
    return smaller[-1] if smaller else None


def _rank(name: str) -> int:
    if name.isupper():
        return 0
    return 1 if name[:1].isupper() else 2


def _dummy_of(statement: ast.Try) -> str | None:
    """The module of dummies that stands in where the library of this block is absent."""
    for handler in statement.handlers:
        for inner in handler.body:
            if not isinstance(inner, ast.ImportFrom) or not inner.module:
                continue
            # Lazily it is imported as a module, for type checkers by its names.
            if inner.module == "utils" and inner.names[0].name.startswith("dummy_"):
                return inner.names[0].name
            if inner.module.startswith("utils.dummy_"):
                return inner.module.removeprefix("utils.")
    return None


def _dummy_edit(path: Path, content: bytes, names: Names, added: Sequence[_Dummies]) -> FileEdit:
    starts, newline = line_starts(content), newline_of(content)
    blocks = {node.name: node for node in parsed(content, path).body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}  # fmt: skip
    insertions = []
    for dummies in added:
        texts = []
        for old, new in dummies.names:
            if old in blocks and new not in blocks:
                block = content[starts[blocks[old].lineno - 1] : starts[blocks[old].end_lineno or 0]]
                texts.append(re.sub(rb"\b" + re.escape(old.encode()) + rb"\b", new.encode(), block))
        previous = next((blocks[name] for name in reversed(dummies.before) if name in blocks), None)
        gap = newline * 2
        if not texts:
            continue
        if previous is not None:
            offset = starts[previous.end_lineno or 0]
            insertions.append(Insertion(offset, b"".join(gap + text for text in texts)))
        else:
            offset = starts[min(block.lineno for block in blocks.values()) - 1]
            insertions.append(Insertion(offset, b"".join(text + gap for text in texts)))
    return FileEdit(path, content, tuple(insertions))
