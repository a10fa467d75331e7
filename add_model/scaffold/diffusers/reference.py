"""What of a source tree of Diffusers goes by one name, as a reference: a transformer, its controlnet, its pipelines."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import PurePosixPath

from add_model.errors import AddModelError
from add_model.names import ModelName
from add_model.nearest import close, named_in_checkpoint, spelled_otherwise
from add_model.references import spellings
from add_model.scaffold.copied_text.model_folder import FolderFile
from add_model.scaffold.copied_text.vocabulary import Vocabulary
from add_model.scaffold.diffusers.exports import exported_names
from add_model.scaffold.diffusers.layout import PACKAGE, SourceTree
from add_model.scaffold.diffusers.units import (
    KINDS,
    Unit,
    deprecated_names,
    find_units,
    modular_names,
    spelling_of,
)
from add_model.syntax_tree import syntax_tree


@dataclass(frozen=True)
class _File:
    """A module, by where it stands in its folder."""

    path: PurePosixPath


@dataclass(frozen=True)
class UnitFolder:
    """A unit, as far as its renaming is concerned: a module stands for a folder that holds nothing else.

    Attributes:
        snake: the name that it goes by.
        unit: the unit.
        public: every name that the package exports.
    """

    snake: str
    unit: Unit
    public: frozenset[str]

    not_copied: Sequence[PurePosixPath] = ()
    titles: frozenset[str] = frozenset()

    @property
    def folder(self) -> PurePosixPath:
        """What its folder is called, where it is one, and what its files are."""
        return PurePosixPath(self.snake)

    @property
    def package(self) -> str:
        """The package that it is in."""
        return PACKAGE

    @property
    def files(self) -> Sequence[FolderFile]:
        """Its modules."""
        return [_File(path) for path in self.unit.texts]

    @cached_property
    def trees(self) -> Mapping[PurePosixPath, ast.Module]:
        """The syntax of its modules.

        Raises:
            AddModelError: one does not parse.
        """
        return {path: self._tree(path, text) for path, text in self.unit.texts.items()}

    def _tree(self, path: PurePosixPath, text: str) -> ast.Module:
        try:
            return syntax_tree(text)
        except (SyntaxError, ValueError) as error:
            place = self.unit.path / path if self.unit.is_folder else self.unit.path
            line = getattr(error, "lineno", None)
            raise AddModelError(f"{place}{f':{line}' if line else ''}: does not parse: {error}; mend it and run again") from error  # fmt: skip

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What its code says.

        Raises:
            AddModelError: a module does not parse.
        """
        vocabulary = Vocabulary()
        for path, tree in self.trees.items():
            # What stands beside a module that is no folder's is none of its own.
            depth = len(path.parts) if self.unit.is_folder else 0
            vocabulary.read(tree, self.unit.stem, depth)
            # What stands in where an import fails, or wraps what is imported, is called as that.
            vocabulary.defined -= _imported_from_outside(tree, depth) - {*self.unit.exported}
        vocabulary.exported.update(self.unit.exported)
        return vocabulary

    @property
    def classes(self) -> frozenset[str]:
        """The public names that it defines, functions included."""
        return frozenset(self.unit.exported)

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """How its classes spell its name."""
        return (spelling_of(self.snake, self.unit.classes or self.unit.exported),)

    @property
    def name(self) -> ModelName:
        """Its name in every casing."""
        return ModelName(self.snake, self.spellings[0], self.spellings[0])

    @property
    def model_types(self) -> Mapping[str, str]:
        """None: nothing here is looked up by a type."""
        return {}

    @property
    def aliases(self) -> Mapping[str, str]:
        """None."""
        return {}

    @cached_property
    def registered(self) -> Mapping[str, str]:
        """The names that the package exports; those of other models are told by them."""
        return {name: name for name in self.public}

    def imported_from(self, modules: Collection[str]) -> frozenset[str]:
        """The names that it imports from modules of these names."""
        return frozenset(name for module, names in self._imports if module in modules for name in names)

    @cached_property
    def _imports(self) -> list[tuple[str, tuple[str, ...]]]:
        """The last word of each module that it imports from, and what it imports from there."""
        found = (node for tree in self.trees.values() for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
        return [((node.module or "").rpartition(".")[2], tuple(alias.name for alias in node.names)) for node in found]


@dataclass(frozen=True)
class DiffusersReference:
    """Every unit of a tree that goes by one name.

    Attributes:
        snake: the name.
        folders: the units, in the order of their kinds, as folders that are renamed.
        public: every name that the package exports.
    """

    snake: str
    folders: Mapping[Unit, UnitFolder]
    public: frozenset[str]

    reads_by: str = "tokenizer"
    tokenizer: str | None = None

    @property
    def units(self) -> tuple[Unit, ...]:
        """The units."""
        return tuple(self.folders)

    @property
    def specification(self) -> str:
        """What to type for exactly this reference: `diffusers:flux`."""
        return f"{PACKAGE}:{self.snake}"

    @cached_property
    def heads(self) -> Mapping[str, str]:
        """Its kinds, each with the class that it is known by."""
        return {unit.kind: next(iter(unit.classes), unit.exported[0]) for unit in self.units}

    @property
    def all_heads(self) -> tuple[str, ...]:
        """Every kind that it has."""
        return tuple(self.heads)

    def of_kinds(self, kinds: Iterable[str]) -> DiffusersReference:
        """What of it is of these kinds."""
        return replace(self, folders={unit: folder for unit, folder in self.folders.items() if unit.kind in kinds})

    @property
    def name(self) -> ModelName:
        """Its name in every casing."""
        camel = next(iter(self.folders.values())).spellings[0]
        return ModelName(self.snake, camel, camel)


def _imported_from_outside(tree: ast.Module, depth: int) -> frozenset[str]:
    """The names that a module imports from elsewhere than the folder that lies so many levels above."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    outside = (node for node in found if node.level == 0 or node.level > depth)
    return frozenset(alias.asname or alias.name for node in outside for alias in node.names)


def references_in(tree: SourceTree) -> dict[str, DiffusersReference]:
    """Every reference of a tree, by its name.

    Raises:
        AddModelError: a file of the tree cannot be read, or its package file does not parse.
    """
    return _references_in(tree, tuple(_states(tree)))


@lru_cache(maxsize=1)
def _references_in(tree: SourceTree, states: tuple[object, ...]) -> dict[str, DiffusersReference]:
    """The references of a tree whose files are in these states: one command asks for them over and over."""
    public = exported_names(tree.package_folder / "__init__.py")
    grouped: dict[str, list[Unit]] = {}
    for unit in find_units(tree):
        grouped.setdefault(unit.name, []).append(unit)
    return {name: _reference(name, units, public) for name, units in sorted(grouped.items())}


def _states(tree: SourceTree) -> Iterator[object]:
    """What tells whether the files changed that references are read from."""
    folders = (tree.models_folder, tree.schedulers_folder, tree.pipelines_folder)
    for path in (tree.package_folder / "__init__.py", *(path for folder in folders for path in folder.rglob("*.py"))):
        status = path.stat()
        yield path, status.st_mtime_ns, status.st_size, status.st_ino


def _reference(name: str, units: Iterable[Unit], public: frozenset[str]) -> DiffusersReference:
    in_order = sorted(units, key=lambda unit: KINDS.index(unit.kind))
    return DiffusersReference(name, {unit: UnitFolder(name, unit, public) for unit in in_order}, public)


def find_diffusers_reference(specification: str, tree: SourceTree) -> DiffusersReference:
    """Finds `flux`, `diffusers:flux`, or what a file of it is called: `transformer_flux`, `scheduling_ddim`.

    Raises:
        AddModelError: there is no such reference; the nearest ones are offered, or why it is none is said.
    """
    origin, colon, wanted = specification.rpartition(":")
    if colon and origin not in (PACKAGE, "library"):
        raise AddModelError(f"reference {specification!r}: a source tree of Diffusers starts from its own models; pass one of them, such as {PACKAGE}:flux")  # fmt: skip
    found = references_in(tree)
    spelled = wanted.lower().replace("-", "_")
    if spelled in found:
        return found[spelled]
    for reference in found.values():
        of_file = {unit.kind for unit in reference.units if spelled in _called(unit)}
        if of_file:
            return reference.of_kinds(of_file)
    if spelled in deprecated_names(tree):
        raise AddModelError(f"{wanted!r} is deprecated in {tree.root}, so that nothing new starts from it; choose another reference (all: add-model references --into {tree.root})")  # fmt: skip
    if spelled in modular_names(tree):
        raise AddModelError(f"{wanted!r} has only a modular pipeline in {tree.root}, and add-model starts from models, schedulers and pipelines; choose another reference")  # fmt: skip
    meant = spelled_otherwise(spelled, spellings(found))
    if meant is not None:
        return found[meant]
    meant = named_in_checkpoint(wanted, spellings(found))
    if meant is not None and close(spelled, found, 1) != [meant]:
        raise AddModelError(f"unknown reference {specification!r}: it looks like a checkpoint of {meant}; pass {PACKAGE}:{meant}")  # fmt: skip
    called = {
        stem: name for name, reference in found.items() for unit in reference.units for stem in (name, unit.stem)
    }
    likely = dict.fromkeys(called[each] for each in close(spelled, called))
    raise AddModelError(f"unknown reference {specification!r}; nearest: {', '.join(f'{PACKAGE}:{name}' for name in likely) or 'none'} (all: add-model references --into {tree.root})")  # fmt: skip


def _called(unit: Unit) -> tuple[str, ...]:
    return (unit.stem, *(name.lower() for name in unit.exported))
