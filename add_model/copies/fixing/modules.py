"""The modules that imports lead to: from a dotted path to a file and back, what stands in one, and whom it imports itself."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from typing import NamedTuple

from add_model.copies.fixing.scopes import Scopes, is_for_checkers, scopes_of
from add_model.copies.reading.outlook import Kind
from add_model.copies.reading.sources import Sources
from add_model.encoding import SourceError

# How many modules a search for a circle of imports reads before it gives up.
_MOST_MODULES = 2_000


class Home(NamedTuple):
    """A module as imports name it.

    Attributes:
        dotted: its path.
        is_package: whether it is the `__init__.py` of a folder, which relative imports start from.
    """

    dotted: str
    is_package: bool = False

    @property
    def top(self) -> str:
        """The package that it belongs to."""
        return self.dotted.partition(".")[0]

    @property
    def folder(self) -> list[str]:
        """The path of the folder that it stands in, part by part."""
        return self.dotted.split(".") if self.is_package else self.dotted.split(".")[:-1]

    def absolute(self, level: int, module: str | None) -> str | None:
        """The path that an import in it reads from; `None` for one that leads out of the package."""
        if not level:
            return module
        outer = self.folder[: len(self.folder) - level + 1]
        return ".".join([*outer, *filter(None, [module])]) if level <= len(self.folder) else None

    def relative(self, dotted: str) -> str:
        """How an import in it names another module of its package."""
        own, other = self.folder, dotted.split(".")
        common = 0
        while common < min(len(own), len(other)) and own[common] == other[common]:
            common += 1
        return "." * (len(own) - common + 1) + ".".join(other[common:])


class Modules:
    """Reads modules for what stands in them; nothing is imported."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._imported: dict[str, set[str]] = {}

    def home(self, path: str) -> Home | None:
        """The module that a file of the library is, or of an installed package that a marker has led to."""
        folders = [(name, str(folder)) for name, folder in self._sources.library.packages.items()]
        folders += [(name, folder) for name, folder in self._sources.outlook.packages.items() if folder is not None]
        for name, folder in sorted(folders, key=lambda each: -len(each[1])):
            if path.startswith(f"{folder}{os.sep}"):
                inside = path[len(folder) + 1 :].removesuffix(".py").split(os.sep)
                is_package = inside[-1] == "__init__"
                return Home(".".join([name, *(inside[:-1] if is_package else inside)]), is_package)
        return None

    def file(self, dotted: str) -> str | None:
        """The file of a module; `None` where it is in none that can be found."""
        top, *parts = dotted.split(".")
        own = self._sources.library.packages.get(top)
        folder = str(own) if own is not None else self._sources.outlook.package(top)
        if folder is None:
            return None
        path = os.sep.join([folder, *parts])
        files = (f"{path}{os.sep}__init__.py", f"{path}.py")
        return next((file for file in files if self._sources.outlook.kind(file) is Kind.FILE), None)

    def scopes(self, path: str) -> Scopes | None:
        """The names of the module in a file; `None` where it cannot be read."""
        try:
            return scopes_of(self._sources.module(path).text)
        except SourceError:
            return None

    def text(self, path: str) -> str:
        """The text of a module whose names are known."""
        return self._sources.module(path).text

    def is_in_library(self, dotted: str) -> bool:
        """Whether a module belongs to one of the packages that are looked after."""
        return dotted.partition(".")[0] in self._sources.library.packages

    def beside(self, path: str, name: str) -> list[str]:
        """The files of the same folder that define a name."""
        folder, found = os.path.dirname(path), []
        for entry in self._sources.outlook.entries(folder):
            file = os.path.join(folder, f"{entry}.py")
            if file == path or entry == "__init__" or self._sources.outlook.kind(file) is not Kind.FILE:
                continue
            try:
                text = self._sources.module(file).text
            except SourceError:
                continue
            scopes = scopes_of(text) if name in text else None
            if scopes is not None and any(isinstance(binding.node, ast.ClassDef | ast.FunctionDef | ast.Name) and not binding.around for binding in scopes.bindings.get(name, ())):  # fmt: skip
                found.append(file)
        return found

    def offers(self, dotted: str, name: str, seen: frozenset[str] = frozenset()) -> bool | None:
        """Whether `from module import *` brings a name; `None` where that cannot be told."""
        path = self.file(dotted)
        scopes = self.scopes(path) if path is not None and dotted not in seen else None
        home = self.home(path) if path is not None else None
        if scopes is None or home is None:
            return None
        listed = _listed(scopes)
        if listed is not None and name not in listed:
            return False
        if scopes.binds(name):
            return listed is not None or not name.startswith("_")
        answers = [
            self.offers(inner, name, seen | {dotted})
            for star in scopes.stars
            if (inner := home.absolute(star.level, star.module)) is not None
        ]
        return True if True in answers else None if None in answers or "__all__" in scopes.bindings else False

    def lead_to(self, dotted: str, path: str) -> bool:
        """Whether importing one module of the library imports another, at once or by way of others."""
        start = self.file(dotted)
        pending, seen = [start] if start is not None else [], set[str]()
        while pending:
            module = pending.pop()
            if module == path:
                return True
            if module not in seen:
                seen.add(module)
                pending += self.imported_by(module)
            if len(seen) > _MOST_MODULES:
                return True
        return False

    def imported_by(self, path: str) -> set[str]:
        """The files of the library that a module imports while it is imported itself."""
        if path not in self._imported:
            scopes, home = self.scopes(path), self.home(path)
            dotted = set() if scopes is None or home is None else set(_imported(scopes.tree.body, home))
            files = {self.file(each) for each in dotted if self.is_in_library(each)}
            self._imported[path] = {file for file in files if file is not None}
        return self._imported[path]


def _listed(scopes: Scopes) -> set[str] | None:
    """What `__all__` lists; `None` where there is none, or it is no list of names."""
    for statement in scopes.tree.body:
        if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == ["__all__"]:
            if isinstance(statement.value, (ast.List, ast.Tuple)) and len(scopes.bindings["__all__"]) == 1:
                elements = statement.value.elts
                names = {element.value for element in elements if isinstance(element, ast.Constant)}
                return {str(name) for name in names} if len(names) == len(elements) else None
    return None


def _imported(body: list[ast.stmt], home: Home) -> Iterator[str]:
    """The paths of what statements import where they stand, functions left out; of names, as if they were modules, too."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = home.absolute(node.level, node.module)
            if module is not None:
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and is_for_checkers(node):
            pending += node.orelse
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.expr)):
            pending += ast.iter_child_nodes(node)
