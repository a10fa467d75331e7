"""From a marker's dotted path to the file and the definition that it names; nothing is imported on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

from add_model.copies.language.by_lines import reads_by_lines
from add_model.copies.language.marker import marker_lines, without_markers
from add_model.copies.reading.files import Tree, search
from add_model.copies.reading.layout import Layout
from add_model.copies.reading.outlook import Kind, Outlook
from add_model.definitions import Definition
from add_model.encoding import SourceError
from add_model.library import Library
from add_model.source import Module, decode_module
from add_model.values import TYPE_CHECKING, NamedTuple

# The package of this tool: its zoo comes with it, so that a copy of it is judged as strictly as one of the library.
BUNDLED = "add_model"
TESTS = "tests"
# So many classes are looked into for what another inherits, and a name is followed through so many imports.
_MOST_BASES, _MOST_IMPORTS = 20, 5

if TYPE_CHECKING:
    from typing import TypeVar

    _Answer = TypeVar("_Answer")


class Origin(Enum):
    """Where a source is looked for."""

    LIBRARY = "in this library"
    BUNDLED = "in the zoo"
    INSTALLED = "in another package"


class Original:
    """A definition that markers name as their source.

    Attributes:
        module: where it stands.
        definition: it.
        origin: whose it is.
        elsewhere: its true path, where that is not the one asked for: not in the class that was named, but in one
            that follows it. The libraries' own scripts take the first method of the name below the class's header,
            and their released trees rely on that.
        is_inherited: whether it is in a class that the one that was named inherits from.
        place: its file, and where its header starts; one value for all copies, however many there are.
    """

    def __init__(
        self,
        module: Module,
        definition: Definition,
        origin: Origin,
        elsewhere: str | None = None,
        is_inherited: bool = False,
    ) -> None:
        self.module, self.definition, self.origin, self.elsewhere = module, definition, origin, elsewhere
        self.is_inherited = is_inherited
        self.place = module.place, definition.header
        self._block: str | None = None

    def as_rewritten(self, block: str) -> Original:
        """The same definition, about to hold other lines."""
        original = Original(self.module, self.definition, self.origin, self.elsewhere, self.is_inherited)
        original._block = without_markers(block)
        return original

    @property
    def block(self) -> str:
        """Its lines from the header on, without the markers in them, ending in a line feed."""
        if self._block is None:
            text = self.module.text[self.definition.header : self.definition.end]
            self._block = without_markers(text if text.endswith("\n") else f"{text}\n")
        return self._block

    @property
    def markers(self) -> str:
        """The lines of the markers in it, which libraries' own scripts compare as lines like others."""
        return marker_lines(self.module.text[self.definition.header : self.definition.end])


class Missing(NamedTuple):
    """Why a path leads to no definition.

    Attributes:
        reason: the end of a sentence that starts with the path.
        checkable: whether it should lead to one here: not so where its package is not installed, or that part of
            the library is not in this tree.
        module: the module that was searched for it, if the path leads to one.
        origin: whose the package is, if there is one.
        is_module: whether the path leads to a module itself.
    """

    reason: str
    checkable: bool
    module: Module | None = None
    origin: Origin | None = None
    is_module: bool = False


class Paths:
    """The packages that markers may name, with a memory of what was found in them.

    Attributes:
        library: whose packages come first.
        read: how a file's bytes are read; a fix looks at texts that are not on disk yet.
        used: the files whose text had a say in what was answered since the caller emptied it.
        outlook: what else of the disk had a say in any answer.
        layout: what its tree looks like beyond its packages.
    """

    def __init__(
        self, library: Library, read: Callable[[str], bytes], tree: Tree | None = None, is_whole: bool = True
    ) -> None:
        """Prepares to answer.

        Args:
            library: whose packages come first.
            read: how a file's bytes are read.
            tree: what stands there, as far as the caller has searched it.
            is_whole: whether that is all that stands below the library's folders.
        """
        self.library, self.read = library, read
        self.layout = Layout(library, lambda: tree if tree is not None and is_whole else search(library))
        self._aliases = sorted(library.configuration.alias.items(), key=lambda pair: -len(pair[0]))
        self.used: set[str] = set()
        self.outlook = Outlook(tree=tree, environment=library.environment, root=library.root)
        # What a path was answered with, and the files that had a say in that.
        self._found: dict[str, tuple[Original | Missing, set[str]]] = {}
        self._own: dict[str, list[str]] = {name: [str(folder)] for name, folder in library.packages.items()}
        self._installed: dict[str, str | None] = {}
        # Which package lies in a folder, with its number: where one lies in another, the first counts.
        self._package_at = {
            str(folder): (number, name, str(folder)) for number, (name, folder) in enumerate(library.packages.items())
        }
        self._files: dict[str, str | None] = {}
        self._modules: dict[str, Module] = {}
        # The files of which somebody wanted to know what stands in them.
        self._asked: set[str] = set()

    def remember(self, path: str, content: bytes) -> Module:
        """Decodes a file's bytes, unless its module is known.

        Raises:
            SourceError: the bytes are not in the encoding that they declare.
        """
        module = self._modules.get(path)
        if module is None:
            module = self._modules[path] = decode_module(path, content)
        return module

    def forget(self, path: str) -> None:
        """Gives a module's memory back if no marker has led there so far: few do to most, and memory takes its time."""
        if path not in self._asked:
            self._modules.pop(path, None)

    def module(self, path: str) -> Module:
        """The module in a file.

        Raises:
            SourceError: it cannot be read.
        """
        self.used.add(path)
        self._asked.add(path)
        known = self._modules.get(path)
        if known is not None:
            return known
        try:
            return self.remember(path, self.read(path))
        except OSError as error:
            raise SourceError(Path(path), f"cannot be read: {error.strerror or error}") from error

    def find(self, source: str) -> Original | Missing:
        """The definition at a dotted path.

        Raises:
            SourceError: the module that should hold it cannot be read.
        """
        return self._once(self._found, self._look_up, self._unaliased(source))

    def _unaliased(self, source: str) -> str:
        """The path that a path stands for, where the configuration says that it stands for another."""
        for name, meant in self._aliases:
            if source.startswith(name) and source[len(name) :][:1] in ("", "."):
                return meant + source[len(name) :]
        return source

    def _aliased(self, source: str) -> str:
        """The path as markers write it that stands for one in the library."""
        for name, meant in self._aliases:
            if source.startswith(f"{meant}."):
                return name + source[len(meant) :]
        return source

    def _once(
        self, known: dict[str, tuple[_Answer, set[str]]], look: Callable[[str], _Answer], source: str
    ) -> _Answer:
        """What is answered about a path, looked for once; the files that had a say in it are used each time."""
        answer = known.get(source)
        if answer is None:
            used, self.used = self.used, set()
            try:
                answer = known[source] = look(source), self.used
            finally:
                self.used |= used
        self.used |= answer[1]
        return answer[0]

    def names_a_definition(self, source: str) -> bool:
        """Whether something is left of the path behind the longest prefix that is a module."""
        path, name, _ = self._place(f"{self._unaliased(source)}.")
        return path is None or name != ""

    def leads_into_library(self, source: str, in_tests: bool) -> bool:
        """Whether a path starts with a package of the library or of the zoo; `tests` is one for test files only."""
        source = self._unaliased(source) if self._aliases else source
        top = source.partition(".")[0]
        if top == BUNDLED:
            return True
        if top in self.library.packages:
            return (top != TESTS or in_tests) and not self._names_tests(source)
        return top != TESTS and self._place(source)[2] is Origin.LIBRARY

    def is_installed(self, source: str) -> bool:
        """Whether a path starts with a package that is installed, and that the library has none of its own of."""
        return self._installed_package(source.partition(".")[0]) is not None

    def _names_tests(self, source: str) -> bool:
        """Whether a path looks for the tests in a package that holds none."""
        top, _, inside = source.partition(".")
        if not inside.startswith(f"{TESTS}."):
            return False
        paths = (os.path.join(folder, TESTS) for folder in self._own_folders(top))
        return not any(self._is_module_or_folder(path) for path in paths)

    def _look_up(self, source: str) -> Original | Missing:
        top, *parts = source.split(".")
        path, name, origin = self._place(source)
        if origin is None:
            return Missing(f"package `{top}` is neither in this library nor installed", checkable=False)
        if path is None or not name:
            reason = "names a module, not a definition" if path else "leads to no module"
            return Missing(reason, self._is_shipped(top, parts[0]), origin=origin, is_module=path is not None)
        module = self.module(path)
        definition = module.find(name)
        if definition is not None:
            return Original(module, definition, origin)
        definition = _first_behind(module, name)
        elsewhere = f"{source.removesuffix(name)}{definition.name}" if definition is not None else None
        behind = Original(module, definition, origin, elsewhere) if definition is not None else None
        # What the scripts of these libraries compare with is what their copies are copies of.
        is_read_so = behind is not None and origin is Origin.LIBRARY and reads_by_lines([top])
        inherited = None if is_read_so else self._inherited(source, module, name)
        if inherited is not None or behind is not None:
            return inherited or behind  # type: ignore[return-value]
        inside = os.path.join(os.path.dirname(path), *name.split("."))
        if os.path.basename(path) == "__init__.py" and self._module_file(inside) is not None:
            return Missing("names a module, not a definition", True, origin=origin, is_module=True)
        return Missing(f"`{source.removesuffix(name)[:-1]}` holds no `{name}`", True, module, origin)

    def _inherited(self, source: str, module: Module, name: str) -> Original | None:
        """The definition that a class has from one that it inherits from, for the path of one that it does not define."""
        class_name, _, member = name.rpartition(".")
        named = module.find(class_name) if class_name else None
        if named is None:
            return None
        from add_model.copies.reading.inherited import bases

        path = source.removesuffix(f".{name}")
        pending, seen = [(module, path, base) for base in bases(module, named)], 0
        while pending and seen < _MOST_BASES:
            around, path, base = pending.pop(0)
            seen += 1
            found = self._class(around, path, base)
            if found is None:
                continue
            home, path, definition, origin = found
            inherited = home.find(f"{definition.name}.{member}")
            if inherited is not None:
                return Original(home, inherited, origin, f"{path}.{inherited.name}", is_inherited=True)
            pending += [(home, path, behind) for behind in bases(home, definition)]
        return None

    def _class(self, module: Module, path: str, name: str) -> tuple[Module, str, Definition, Origin] | None:
        """The class that a name in a module stands for: its module, the path of that, and whose it is."""
        from add_model.copies.reading.inherited import imported_from

        for _ in range(_MOST_IMPORTS):
            definition = module.find(name)
            if definition is not None:
                origin = self._place(f"{path}.{name}")[2]
                return None if origin is None else (module, path, definition, origin)
            source = imported_from(module, path, name)
            file, left, origin = self._place(source) if source else (None, "", None)
            if source is None or file is None or not left or origin is None:
                return None
            module, path, name = self.module(file), source.removesuffix(f".{left}"), left
        return None

    def _is_shipped(self, top: str, name: str) -> bool:
        """Whether what a path names belongs into this tree; what stands in the tests does where that part is there."""
        return top != TESTS or any(
            self._is_module_or_folder(os.path.join(folder, name)) for folder in self._own.get(top, ())
        )

    def _is_module_or_folder(self, path: str) -> bool:
        return self.outlook.has_folder(path) or self.outlook.kind(f"{path}.py") is not Kind.ABSENT

    def _place(self, source: str) -> tuple[str | None, str, Origin | None]:
        """The file of the longest prefix that is a module, what is left of the path behind it, and whose that is.

        No origin means that the package is neither in the library nor installed.
        """
        top, *parts = source.split(".")
        found = self._best(self._own_folders(top), parts)
        if found is None and top not in self.library.packages and top != BUNDLED:
            # What is no package counts where the path leads to something in it.
            found = self._best(self.layout.others(top), parts)
            found = found if found is not None and found[0] is not None else None
        if found is not None:
            return *found, Origin.LIBRARY
        installed = self._installed_package(top)
        if installed is None:
            return None, "", None
        return *self._module(installed, parts), Origin.BUNDLED if top == BUNDLED else Origin.INSTALLED

    def _own_folders(self, top: str) -> list[str]:
        """The folders of the library's own packages of that name."""
        known = self._own.get(top)
        if known is None:
            known = self._own[top] = [] if top in (BUNDLED, TESTS) else self.layout.packages.get(top, [])
        return known

    def _best(self, folders: Sequence[str], parts: list[str]) -> tuple[str | None, str] | None:
        """Where a path leads in the folder in which it leads furthest; `None` where there is no folder."""
        if len(folders) < 2:
            return self._module(folders[0], parts) if folders else None
        ways = [self._module(folder, parts) for folder in folders]
        return min(ways, key=lambda way: (way[0] is None, way[1].count("."), way[1] == ""))

    def _installed_package(self, top: str) -> str | None:
        if top not in self._installed:
            self._installed[top] = self.outlook.package(top)
        return self._installed[top]

    def package_folder(self, top: str) -> str | None:
        """The folder of a package, of the library's own or installed."""
        own = self._own_folders(top) or self.layout.others(top)[:1]
        return own[0] if own else self._installed_package(top)

    def _module(self, package: str, parts: list[str]) -> tuple[str | None, str]:
        """The file of the longest prefix that is a module, and what is left of the path behind it."""
        for count in range(len(parts) - 1, -1, -1):
            folder = os.sep.join([package, *parts[:count]])
            if folder not in self._files:
                self._files[folder] = self._module_file(folder)
            path = self._files[folder]
            if path is not None:
                return path, ".".join(parts[count:])
        return None, ""

    def _module_file(self, path: str) -> str | None:
        for file in (f"{path}{os.sep}__init__.py", f"{path}.py"):
            if self.outlook.kind(file) is Kind.FILE:
                return file
        return None


def _first_behind(module: Module, name: str) -> Definition | None:
    """The first method of that name in any class behind the one that was named."""
    class_name, _, method = name.rpartition(".")
    named = module.find(class_name) if class_name else None
    if named is None:
        return None
    behind = module.find_all_behind(named.end, method)
    return next((found for found in behind if found.name.count(".") == name.count(".")), None)
