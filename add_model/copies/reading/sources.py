"""What was meant by a path that leads to nothing: the nearest one that exists, and where what it names has moved to."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Callable, Mapping, Sequence

from add_model.copies.reading.files import Tree, at_and_above
from add_model.copies.reading.outlook import Kind
from add_model.copies.reading.paths import BUNDLED as BUNDLED
from add_model.copies.reading.paths import TESTS as TESTS
from add_model.copies.reading.paths import Missing as Missing
from add_model.copies.reading.paths import Origin as Origin
from add_model.copies.reading.paths import Original as Original
from add_model.copies.reading.paths import Paths
from add_model.encoding import SourceError
from add_model.library import Library

# What finding the nearest of other names may take for one path, in comparisons of two letters; and how long a name is
# compared at all. What is not found by then is not named: a hint is no verdict.
_MOST_EFFORT, _MOST_LETTERS = 400_000, 200
# What a quick comparison of two names takes besides that, and a slow one.
_QUICK, _SLOW = 100, 1_000
# And a look for a module in a package, and one for what has moved; so many folders and modules are looked into for that.
_LOOK, _MOVED = 20, 2_000
_MOST_FOLDERS, _MOST_MODULES = 2_000, 200
_CLOSE = 0.6
# From how much of two names being the same one is taken for the other, misspelt.
_ALIKE = 0.85
_DEFINED_AT_THE_LEFT = re.compile(r"^(?:class|def|async def)[ ]+(\w+)", re.MULTILINE)


class Sources(Paths):
    """The packages that markers may name, with a memory of what was found in them, and of what was meant instead.

    Attributes:
        effort: what looking for other paths has taken since the caller set it to nothing, in comparisons of two letters.
        most_effort: what it may take; behind that no path is looked for in place of one that does not exist.
    """

    def __init__(
        self, library: Library, read: Callable[[str], bytes], tree: Tree | None = None, is_whole: bool = True
    ) -> None:
        super().__init__(library, read, tree, is_whole)
        self.effort, self.most_effort = 0, _MOST_EFFORT
        self._nearest: dict[str, tuple[str, set[str]]] = {}
        self._efforts: dict[str, int] = {}
        self._stop = 0
        self._below: dict[str, dict[str, list[tuple[str, str]]]] = {}
        self._defined: dict[str, tuple[dict[str, list[tuple[str, str]]], set[str]]] = {}

    def meant_path(self, source: str, in_tests: bool) -> str | None:
        """The path into the library that a path outside it was meant to be; `None` for one that means something else.

        Meant is a path whose package is misspelt (`transformer.models.…`), left out (`models.bart.…`, `bart.Bart`),
        doubled in its place (`models.models.…`), or `tests` where that is no package, or none of its own
        (`transformers.tests.…`). The nearest path that exists is answered.
        """
        meant = self._meant_path(source, in_tests)
        # A path that leads nowhere was not meant.
        return meant if meant is not None and self._leads_somewhere(meant) else None

    def _meant_path(self, source: str, in_tests: bool) -> str | None:
        top, _, inside = source.partition(".")
        if top in self.library.packages and self._names_tests(source):
            source, top, inside = inside, TESTS, inside.partition(".")[2]
            if in_tests:
                return self.nearest(source)
        # What is installed is called by its name, however much that is like one of the library's own.
        if top != TESTS and not _is_misspelt(top, TESTS) and self.is_installed(source):
            return None
        for package, folder in self._own_packages().items():
            if package == TESTS and not in_tests:
                continue
            self.effort += _LOOK + len(top) + len(package)
            if self.effort > self.most_effort:
                break
            if top == TESTS or _is_misspelt(top, package) or (not in_tests and _is_misspelt(top, TESTS)):
                path = f"{package}.{inside}"
                return self._meant_path(path, in_tests) if self._names_tests(path) else self.nearest(path)
            if self._module_file(os.path.join(folder, top)) is not None:
                return self.nearest(f"{package}.{inside if inside.startswith(f'{top}.') else source}")
        return None

    def _own_packages(self) -> dict[str, str]:
        """The library's packages by name: those that its layout shows, or else those at the top of its tree."""
        shown = {name: str(folder) for name, folder in self.library.packages.items()}
        if shown.keys() - {TESTS}:
            return shown
        return shown | {name: folders[0] for name, folders in self.layout.packages.items()}

    def _leads_somewhere(self, source: str) -> bool:
        """Whether a path leads to a definition, in the class that it names, or in one behind it."""
        try:
            return isinstance(self.find(source), Original)
        except SourceError:
            return False

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
        nearest = self.nearest(self._unaliased(source))
        return self._aliased(nearest) if nearest != source and self._leads_somewhere(nearest) else None

    def _look_for_nearest(self, source: str) -> str:
        nearest = self._closest_path(source)
        own = source.rpartition(".")[2]
        # A definition of the very name is what was meant, wherever it is by now.
        for look in (lambda path: nearest, self._with_module, self._moved):
            found = look(source)
            if found != source and found.rpartition(".")[2] == own and self._leads_somewhere(found):
                return found
        return nearest

    def _moved(self, source: str) -> str:
        """Where what a path names is by now: in a module of the same name, or in another one that lies near."""
        top, *inside = source.split(".")
        folder, path, package = str(self.package_folder(top) or ""), [top], str(self.package_folder(top) or "")
        while folder and len(inside) > 1 and self._is_package(os.path.join(folder, inside[0])):
            folder, path = os.path.join(folder, inside[0]), [*path, inside.pop(0)]
        self.effort += _MOVED
        if not folder or len(inside) < 2 or self.effort > self._stop:
            return source
        module, name = inside[0], ".".join(inside[1:])
        named = self._modules_below(package, top).get(module, [])
        # The nearest first.
        for file, dotted in sorted(named, key=lambda each: (not each[0].startswith(folder + os.sep), each)):
            if self._defines(file, name):
                return f"{dotted}.{name}"
            if self.effort > self._stop:
                return source
        for file, dotted in self._definitions_in(folder, ".".join(path)).get(inside[1], []):
            if self._defines(file, name):
                return f"{dotted}.{name}"
        return source

    def _modules_below(self, folder: str, path: str) -> dict[str, list[tuple[str, str]]]:
        """The modules in a package and in those in it, by name: their files and dotted paths."""
        known = self._below.get(folder)
        if known is not None:
            return known
        found: dict[str, list[tuple[str, str]]] = {}
        own = self.layout.modules_in(folder)
        for file in own or ():
            name = os.path.basename(file).removesuffix(".py")
            if name != "__init__":
                dotted = file[len(folder) :].removesuffix(".py").replace(os.sep, ".")
                found.setdefault(name, []).append((file, path + dotted))
        folders = [(folder, path)] if own is None else []
        for number, (folder_, path_) in enumerate(folders):
            if number >= _MOST_FOLDERS:
                break
            for name in self.outlook.entries(folder_):
                place = os.path.join(folder_, name)
                if self._is_package(place):
                    folders.append((place, f"{path_}.{name}"))
                elif name != "__init__" and self.outlook.kind(f"{place}.py") is Kind.FILE:
                    found.setdefault(name, []).append((f"{place}.py", f"{path_}.{name}"))
        self._below[folder] = found
        return found

    def _definitions_in(self, folder: str, path: str) -> dict[str, list[tuple[str, str]]]:
        """The modules in a package, and in those right in it, by what they define at the left."""
        known = self._defined.get(folder)
        if known is None:
            found: dict[str, list[tuple[str, str]]] = {}
            near = (
                module
                for modules in self._modules_below(folder, path).values()
                for module in modules
                if module[1].count(".") <= path.count(".") + 2
            )
            used, self.used = self.used, set()
            for file, dotted in itertools.islice(near, _MOST_MODULES):
                with contextlib.suppress(SourceError):
                    for name in _DEFINED_AT_THE_LEFT.findall(self.module(file).text):
                        found.setdefault(name, []).append((file, dotted))
            known = self._defined[folder] = found, self.used
            self.used = used
        self.used |= known[1]
        return known[0]

    def _is_package(self, folder: str) -> bool:
        return self.outlook.kind(os.path.join(folder, "__init__.py")) is Kind.FILE

    def _defines(self, file: str, name: str) -> bool:
        try:
            self.effort += 100 + len(self.module(file).text) // 100
            return self.module(file).find(name) is not None
        except SourceError:
            return False

    def _with_module(self, source: str) -> str:
        """A path that leaves its module out, with the module in its folder that holds what it names."""
        top, *inside = source.split(".")
        path, folder = [top], str(self.package_folder(top) or "")
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
        folder = self.package_folder(top)
        path = [top]
        while folder is not None and inside:
            found = self._closest(inside[0], self.outlook.entries(folder))
            if found is None:
                return source
            path.append(found)
            inside.pop(0)
            folder, file = os.path.join(folder, found), os.path.join(folder, f"{found}.py")
            # A package comes before a module of the same name.
            is_package = self.outlook.kind(os.path.join(folder, "__init__.py")) is Kind.FILE
            if not is_package and self.outlook.kind(file) is Kind.FILE:
                if not inside:
                    break
                module = self.module(file)
                name = ".".join(inside)
                found = name if module.find(name) is not None else self._closest(name, module.definitions)
                return ".".join([*path, found or name])
        return source if inside else ".".join(path)

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
