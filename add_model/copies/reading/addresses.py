"""Originals that a marker names by their address on GitHub, looked for in a clone, or in what is installed of them.

Nothing is fetched. Of a clone the file is read as it was at the commit or tag of the address; of a folder that is no clone,
and of a package that is installed in the very version of the tag, as it is.
"""

from __future__ import annotations

import os
from pathlib import Path

from add_model.copies.language.marker import Address
from add_model.copies.reading.outlook import Kind
from add_model.copies.reading.sources import Origin, Original, Sources
from add_model.definitions import Definition
from add_model.encoding import SourceError
from add_model.reading import MOST_BYTES
from add_model.source import Module, decode_module
from add_model.values import TYPE_CHECKING

# Most addresses lead to nothing that lies here; only where one may do, git is loaded.
if TYPE_CHECKING:
    from add_model.git import Repository

# Git's files that change whenever a tag or a commit may have come or moved.
_OF_GIT = ("HEAD", "packed-refs")


class Addresses:
    """The files that addresses lead to, with a memory of what was found."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        clones = sources.library.configuration.clones.items()
        self._clones = {name: str(sources.library.root / folder) for name, folder in clones}
        self._clones |= {name: str(folder) for name, folder in sources.library.clones.items()}
        self._modules: dict[tuple[str, str, str], Module | None] = {}

    def find(self, address: Address, name: str) -> Original | None:
        """The definition that an address means; `None` where nothing here can tell.

        Args:
            address: where it stands.
            name: the dotted name of the copy: a definition of this name is meant before one at the lines of the address.
        """
        try:
            module = self._module(address)
        except SourceError:
            return None
        definition = _definition(module, name, address.first) if module is not None else None
        return None if module is None or definition is None else Original(module, definition, Origin.INSTALLED)

    def _module(self, address: Address) -> Module | None:
        key = address.repository, address.revision, address.path
        clone = self._clones.get(address.repository)
        if clone is not None and self._sources.outlook.has_folder(clone):
            from add_model.git import find_repository

            repository = find_repository(Path(clone))
            if repository is not None and os.path.realpath(clone) == str(repository.top):
                self._sources.used.update(str(repository.common / name) for name in _OF_GIT)
                if key not in self._modules:
                    self._modules[key] = _at_revision(repository, address)
                return self._modules[key]
            return self._in_folder(clone, address.path)
        return self._installed(address)

    def _in_folder(self, folder: str, path: str) -> Module | None:
        file = os.path.join(folder, *path.split("/"))
        # No link leads out of the folder that was named.
        if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder)):
            return None
        return self._sources.module(file) if self._sources.outlook.kind(file) is Kind.FILE else None

    def _installed(self, address: Address) -> Module | None:
        """The module in a package that is installed in the version that the address names."""
        top, _, inside = address.path.removeprefix("src/").partition("/")
        folder = self._sources.outlook.package(top) if inside else None
        if folder is None or self._sources.outlook.version(top) != address.revision.removeprefix("v"):
            return None
        return self._in_folder(folder, inside)


def _at_revision(repository: Repository, address: Address) -> Module | None:
    """The module as it was at a commit or tag; `None` where git knows none."""
    from add_model.git import ask

    answer = ask(repository, "cat-file", "--batch", questions=f"{address.revision}:{address.path}\n".encode())
    head, _, rest = answer.output.partition(b"\n")
    words = head.rsplit(b" ", 2)
    if answer.code != 0 or len(words) != 3 or words[1] != b"blob" or not 0 <= int(words[2]) <= MOST_BYTES:
        return None
    place = f"{repository.top}/{address.path}@{address.revision}"
    return decode_module(place, rest[: int(words[2])])


def _definition(module: Module, name: str, line: int | None) -> Definition | None:
    """The definition of a name, in whatever class, or else the one that starts at a line or has it in itself."""
    own = name.rpartition(".")[2]
    named = module.find(name) or module.find(own)
    if named is not None:
        return named
    alike = [each for each in module.definitions.values() if each.name.rpartition(".")[2] == own]
    around = [
        each
        for each in module.definitions.values()
        if line is not None and module.line_of(each.start) <= line <= module.line_of(max(each.start, each.end - 1))
    ]
    return max(
        [each for each in around if each in alike] or around or alike[:1], key=lambda each: each.header, default=None
    )
