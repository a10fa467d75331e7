"""From a marker's dotted path to the file and the definition that it names; nothing is imported on the way."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path

from add_model.copies.language.marker import marker_lines, without_markers
from add_model.copies.reading.files import Tree, at_and_above
from add_model.copies.reading.outlook import Kind, Outlook
from add_model.definitions import Definition
from add_model.encoding import SourceError
from add_model.library import Library
from add_model.source import Module, decode_module
from add_model.values import TYPE_CHECKING, NamedTuple

# The package of this tool: its zoo comes with it, so that a copy of it is judged as strictly as one of the library.
BUNDLED = "add_model"
TESTS = "tests"
# What finding the nearest of other names may take for one path, in comparisons of two letters; and how long a name is
# compared at all. What is not found by then is not named: a hint is no verdict.
_MOST_EFFORT, _MOST_LETTERS = 400_000, 200
# What a quick comparison of two names takes besides that, and a slow one.
_QUICK, _SLOW = 100, 1_000
# And a look for a module in a package.
_LOOK = 20
_CLOSE = 0.6
# From how much of two names being the same one is taken for the other, misspelt.
_ALIKE = 0.85

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
        place: its file, and where its header starts; one value for all copies, however many there are.
    """

    def __init__(self, module: Module, definition: Definition, origin: Origin, elsewhere: str | None = None) -> None:
        self.module, self.definition, self.origin, self.elsewhere = module, definition, origin, elsewhere
        self.place = module.place, definition.header
        self._block: str | None = None

    def as_rewritten(self, block: str) -> Original:
        """The same definition, about to hold other lines."""
        original = Original(self.module, self.definition, self.origin, self.elsewhere)
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
    """

    reason: str
    checkable: bool
    module: Module | None = None


class Sources:
    """The packages that markers may name, with a memory of what was found in them.

    Attributes:
        library: whose packages come first.
        read: how a file's bytes are read; a fix looks at texts that are not on disk yet.
        used: the files whose text had a say in what was answered since the caller emptied it.
        outlook: what else of the disk had a say in any answer.
        effort: what looking for other paths has taken since the caller set it to nothing, in comparisons of two letters.
        most_effort: what it may take; behind that no path is looked for in place of one that does not exist.
    """

    def __init__(self, library: Library, read: Callable[[str], bytes], tree: Tree | None = None) -> None:
        self.library, self.read = library, read
        self.used: set[str] = set()
        self.effort, self.most_effort = 0, _MOST_EFFORT
        self.outlook = Outlook(tree=tree)
        # What a path was answered with, and the files that had a say in that.
        self._found: dict[str, tuple[Original | Missing, set[str]]] = {}
        self._nearest: dict[str, tuple[str, set[str]]] = {}
        self._efforts: dict[str, int] = {}
        self._stop = 0
        self._packages: dict[str, str | None] = {name: str(folder) for name, folder in library.packages.items()}
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
        return self._once(self._found, self._look_up, source)

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
        top, *parts = source.split(".")
        package = self._package(top)
        return package is None or not self._module(package, [*parts, ""])[1] == ""

    def leads_into_library(self, source: str, in_tests: bool) -> bool:
        """Whether a path starts with a package of the library or of the zoo; `tests` is one for test files only."""
        top = source.partition(".")[0]
        if top == BUNDLED:
            return True
        return top in self.library.packages and (top != TESTS or in_tests) and not self._names_tests(source)

    def _names_tests(self, source: str) -> bool:
        """Whether a path looks for the tests in a package that holds none."""
        top, _, inside = source.partition(".")
        if not inside.startswith(f"{TESTS}."):
            return False
        path = os.path.join(str(self.library.packages[top]), TESTS)
        return all(self.outlook.kind(each) is Kind.ABSENT for each in (path, f"{path}.py"))

    def meant_path(self, source: str, in_tests: bool) -> str | None:
        """The path into the library that a path outside it was meant to be; `None` for one that means something else.

        Meant is a path whose package is misspelt (`transformer.models.…`), left out (`models.bart.…`, `bart.Bart`),
        doubled in its place (`models.models.…`), or `tests` where that is no package, or none of its own
        (`transformers.tests.…`). The nearest path that exists is answered.
        """
        top, _, inside = source.partition(".")
        if top in self.library.packages and self._names_tests(source):
            source, top, inside = inside, TESTS, inside.partition(".")[2]
            if in_tests:
                return self.nearest(source)
        for package, folder in self.library.packages.items():
            if package == TESTS and not in_tests:
                continue
            self.effort += _LOOK + len(top) + len(package)
            if self.effort > self.most_effort:
                break
            if top == TESTS or _is_misspelt(top, package) or (not in_tests and _is_misspelt(top, TESTS)):
                path = f"{package}.{inside}"
                return self.meant_path(path, in_tests) if self._names_tests(path) else self.nearest(path)
            if self._module_file(os.path.join(folder, top)) is not None:
                return self.nearest(f"{package}.{inside if inside.startswith(f'{top}.') else source}")
        return None

    def absolute(self, source: str, path: str) -> str:
        """A path that starts with dots, from its package on, as an import in this file would read it; empty where
        no module or folder stands there that it could begin with."""
        names, folder = source.lstrip("."), path
        for _ in range(len(source) - len(names)):
            folder = os.path.dirname(folder)
        if self._module_file(os.path.join(folder, names.partition(".")[0])) is None:
            return ""
        around = [self._package_at[above] for above in at_and_above(folder) if above in self._package_at]
        if not around:
            return ""
        _, package, top = min(around)
        return f"{package}{folder[len(top) :].replace(os.sep, '.')}.{names}"

    def nearest(self, source: str) -> str:
        """The existing path that is closest to a path whose package exists; as much of it as can be told.

        Raises:
            SourceError: the module that may hold it cannot be read.
        """
        left = self.most_effort - self.effort
        if left <= 0:
            return source
        before, known = self.effort, self._efforts.get(source)
        if known is not None and known <= left:
            # What is known counts as if it were not, so that nothing depends on who has asked before.
            self.effort += known
            return self._once(self._nearest, self._look_for_nearest, source)
        self._stop = before + min(left, _MOST_EFFORT)
        self._nearest.pop(source, None)
        nearest = self._once(self._nearest, self._look_for_nearest, source)
        # What was not looked for to the end is looked for once more for who has more to spend.
        self._efforts[source] = self.effort - before if self.effort <= self._stop else _MOST_EFFORT + left
        return nearest

    def suggestion(self, source: str) -> str | None:
        """The nearest path that leads to a definition, for one that leads to none; `None` where there is none.

        Raises:
            SourceError: the module that may hold it cannot be read.
        """
        nearest = self.nearest(source)
        return nearest if nearest != source else None

    def _look_for_nearest(self, source: str) -> str:
        nearest = self._closest_path(source)
        return nearest if nearest != source else self._with_module(source)

    def _with_module(self, source: str) -> str:
        """A path that leaves its module out, with the module in its folder that holds what it names."""
        top, *inside = source.split(".")
        path, folder = [top], str(self._package(top) or "")
        while inside and self.outlook.kind(os.path.join(folder, inside[0], "__init__.py")) is Kind.FILE:
            folder = os.path.join(folder, inside[0])
            path.append(inside.pop(0))
        for name in self.outlook.entries(folder) if folder and inside else ():
            file = os.path.join(folder, f"{name}.py")
            if self.outlook.kind(file) is not Kind.FILE:
                continue
            if self.effort > self._stop:
                break
            with contextlib.suppress(SourceError):
                self.effort += 100 + len(self.module(file).text) // 100
                if self.module(file).find(".".join(inside)) is not None:
                    return ".".join([*path, name, *inside])
        return source

    def _closest_path(self, source: str) -> str:
        top, *inside = source.split(".")
        folder = self._package(top)
        path = [top]
        while folder is not None and inside:
            found = self._closest(inside[0], self.outlook.entries(folder))
            if found is None:
                return source
            path.append(found)
            inside.pop(0)
            file = os.path.join(folder, f"{found}.py")
            if self.outlook.kind(file) is Kind.FILE:
                if not inside:
                    break
                module = self.module(file)
                name = ".".join(inside)
                found = name if module.find(name) is not None else self._closest(name, module.definitions)
                return ".".join([*path, found or name])
            folder = os.path.join(folder, found)
        return source if inside else ".".join(path)

    def _look_up(self, source: str) -> Original | Missing:
        top, *parts = source.split(".")
        package = self._package(top)
        if package is None:
            return Missing(f"package `{top}` is neither in this library nor installed", checkable=False)
        path, name = self._module(package, parts)
        if path is None or not name:
            shipped = top != TESTS or any(
                self.outlook.kind(os.path.join(package, name)) is not Kind.ABSENT
                for name in (parts[0], f"{parts[0]}.py")
            )
            reason = "names a module, not a definition" if path else "leads to no module"
            return Missing(reason, shipped)
        module = self.module(path)
        definition = module.find(name)
        if definition is not None:
            return Original(module, definition, self._origin(top))
        definition = _first_behind(module, name)
        if definition is not None:
            elsewhere = f"{source.removesuffix(name)}{definition.name}"
            return Original(module, definition, self._origin(top), elsewhere)
        return Missing(f"`{source.removesuffix(name)[:-1]}` holds no `{name}`", True, module)

    def _origin(self, top: str) -> Origin:
        if top in self.library.packages:
            return Origin.LIBRARY
        return Origin.BUNDLED if top == BUNDLED else Origin.INSTALLED

    def _package(self, top: str) -> str | None:
        if top not in self._packages:
            self._packages[top] = self.outlook.package(top)
        return self._packages[top]

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

    def _closest(self, name: str, names: Sequence[str] | Mapping[str, object]) -> str | None:
        """The name that is most like another, if one is; of as many as the effort for one path suffices for."""
        if name in names:
            return name
        from difflib import SequenceMatcher

        matcher = SequenceMatcher(b=name)
        closest = (_CLOSE, "")
        for candidate in sorted(names) if len(name) <= _MOST_LETTERS else ():
            self.effort += len(candidate)
            if self.effort > self._stop:
                break
            matcher.set_seq1(candidate)
            if len(candidate) > _MOST_LETTERS or matcher.real_quick_ratio() < _CLOSE:
                continue
            self.effort += _QUICK + 2 * (len(name) + len(candidate))
            if matcher.quick_ratio() >= _CLOSE:
                self.effort += _SLOW + len(name) * len(candidate)
                closest = max(closest, (matcher.ratio(), candidate))
        return closest[1] or None


def _first_behind(module: Module, name: str) -> Definition | None:
    """The first method of that name in any class behind the one that was named."""
    class_name, _, method = name.rpartition(".")
    named = module.find(class_name) if class_name else None
    if named is None:
        return None
    behind = module.find_all_behind(named.end, method)
    return next((found for found in behind if found.name.count(".") == name.count(".")), None)


def _is_misspelt(name: str, meant: str) -> bool:
    if name.lower() == meant.lower():
        return True
    if len(name) > _MOST_LETTERS:
        return False
    # No two words are more alike than the letters that they have in common let them be.
    common = sum(min(name.count(letter), meant.count(letter)) for letter in set(name))
    if 2 * common < _ALIKE * (len(name) + len(meant)):
        return False
    from difflib import SequenceMatcher

    return SequenceMatcher(None, name, meant).ratio() >= _ALIKE
