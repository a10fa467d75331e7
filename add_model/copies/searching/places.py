"""The definitions of a library as candidates: by what path a marker names each, what it stands in, and which share a key."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property, lru_cache

from add_model.copies.reading.files import CheckedFile
from add_model.copies.reading.sources import TESTS
from add_model.copies.searching.fingerprint import words_of
from add_model.copies.searching.index import INSIDE, MARKED, MODULAR, Indexed, IndexedFile
from add_model.definitions import indent_at
from add_model.library import Library
from add_model.source import Module
from add_model.values import NamedTuple

_INIT = "__init__"
# How many modules are kept at once while definitions are compared.
_MOST_MODULES = 400


class Candidate(NamedTuple):
    """A definition that may be a copy or an original.

    Attributes:
        file: the path of its file on disk.
        number: its number among the definitions of that file.
    """

    file: str
    number: int


class Places:
    """All definitions of a library.

    Attributes:
        files: what the index says of each file, by its path on disk.
        relative: the path of each file as reports show it.
        named: how often markers name each path.
    """

    def __init__(
        self,
        library: Library,
        checked: Collection[CheckedFile],
        files: Mapping[str, IndexedFile],
        packages: Mapping[str, list[str]],
        read: Callable[[str], Module],
    ) -> None:
        self.files = files
        self.relative = {path: relative for relative, path in checked}
        self.named = Counter(source for file in files.values() for _, source in file.named)
        folders = [(name, str(folder)) for name, folder in library.packages.items()]
        folders += [(name, folder) for name, found in packages.items() for folder in found]
        self._folders = [(name, folder + os.sep) for name, folder in folders]
        tests = library.packages.get(TESTS)
        self._tests = None if tests is None else str(tests) + os.sep
        self.module = lru_cache(maxsize=_MOST_MODULES)(read)
        self._dotted: dict[str, str | None] = {}
        self._around: dict[str, list[int]] = {}
        self._built_on: dict[str, set[str]] = {}

    def definition(self, candidate: Candidate) -> Indexed:
        """What the index says of a candidate."""
        return self.files[candidate.file].definitions[candidate.number]

    def block(self, candidate: Candidate) -> str:
        """The lines of a candidate from its header on."""
        found = self.definition(candidate)
        return self.module(candidate.file).text[found.header : found.end]

    def words(self, candidate: Candidate) -> tuple[str, ...]:
        """The different words of a candidate."""
        from add_model.copies.language.marker import without_markers

        return words_of(without_markers(self.block(candidate)))

    def indent(self, candidate: Candidate) -> str:
        """The white space before a candidate's header."""
        return indent_at(self.module(candidate.file).text, self.definition(candidate).header)

    def source(self, candidate: Candidate) -> str | None:
        """The path by which a marker names a candidate; `None` where no path leads to it."""
        dotted = self.dotted(candidate.file)
        found = self.definition(candidate)
        path = f"{dotted}.{found.name}"
        return path if dotted is not None and found.is_named and path.count(".") >= 2 else None

    def dotted(self, file: str) -> str | None:
        """The path of a module; `None` for one that lies in no package."""
        if file not in self._dotted:
            self._dotted[file] = self._dotted_path(file)
        return self._dotted[file]

    def _dotted_path(self, file: str) -> str | None:
        for name, folder in self._folders:
            if file.startswith(folder):
                parts = file[len(folder) :].removesuffix(".py").split(os.sep)
                parts = parts[:-1] if parts[-1] == _INIT else parts
                return ".".join([name, *parts]) if all(map(str.isidentifier, parts)) else None
        return None

    def is_test(self, file: str) -> bool:
        """Whether a file is one of the tests, whose definitions only tests can name."""
        return self._tests is not None and file.startswith(self._tests)

    def is_original_for(self, original: Candidate, copy: Candidate) -> bool:
        """Whether a marker above one definition may name the other."""
        if original == copy or os.path.basename(original.file).startswith(MODULAR):
            return False
        if self.is_test(original.file) and not self.is_test(copy.file):
            return False
        if original.file == copy.file:
            one, other = self.definition(original), self.definition(copy)
            if one.header < other.end and other.header < one.end:
                return False
        return self.source(original) is not None

    def is_generated_from(self, file: str, source: str) -> bool:
        """Whether a generated file takes over what stands in another one, directly or by way of others.

        Where no modular file beside it says what it is generated from, it may be anything.
        """
        folder = os.path.dirname(file)
        if folder not in self._imported:
            return True
        if folder not in self._built_on:
            self._built_on[folder] = self._found_below(folder)
        return os.path.basename(source).removesuffix(".py") in self._built_on[folder]

    def _found_below(self, folder: str) -> set[str]:
        found: set[str] = set()
        folders = [folder]
        for each in folders:
            for module in self._imported.get(each, ()):
                if module not in found:
                    found.add(module)
                    folders += self._folders_of.get(module, ())
        return found

    @cached_property
    def _imported(self) -> dict[str, list[str]]:
        """What the modular files in each folder import from."""
        found: dict[str, list[str]] = {}
        for path, file in self.files.items():
            if file.builds_on:
                found.setdefault(os.path.dirname(path), []).extend(file.builds_on)
        return found

    @cached_property
    def _folders_of(self) -> dict[str, list[str]]:
        """The folders with modular files in which there is a module of each name."""
        found: dict[str, list[str]] = {}
        for path in self.files:
            if (folder := os.path.dirname(path)) in self._imported:
                found.setdefault(os.path.basename(path).removesuffix(".py"), []).append(folder)
        return found

    def around(self, candidate: Candidate) -> Iterator[Candidate]:
        """The definitions that a candidate is a part of, from the inside out."""
        known = self._around.get(candidate.file)
        if known is None:
            known = self._around[candidate.file] = _parents(self.files[candidate.file].definitions)
        number = known[candidate.number]
        while number >= 0:
            yield Candidate(candidate.file, number)
            number = known[number]

    @cached_property
    def edges(self) -> dict[str, str]:
        """What the path of each definition below a marker is a copy of."""
        return {
            f"{self.dotted(path)}.{name}": source for path, file in self.files.items() for name, source in file.named
        }

    def is_marked(self, candidate: Candidate) -> bool:
        """Whether a candidate is a copy by a marker that stands, or a part of one."""
        return self.definition(candidate).state in (MARKED, INSIDE)


def _parents(definitions: tuple[Indexed, ...]) -> list[int]:
    """The number of the definition around each one; -1 for none."""
    found: list[int] = []
    around: list[int] = []
    for number, definition in enumerate(definitions):
        while around and definitions[around[-1]].end <= definition.header:
            around.pop()
        found.append(around[-1] if around else -1)
        around.append(number)
    return found
