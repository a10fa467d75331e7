"""The plan for a model in a source tree of Diffusers: which modules are copied to where, under which names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from add_model.errors import AddModelError, ModelExists
from add_model.names import ModelName
from add_model.scaffold.answers import Answers
from add_model.scaffold.copied_text.renaming import FolderRenaming
from add_model.scaffold.diffusers.layout import SourceTree
from add_model.scaffold.diffusers.reference import (
    DiffusersReference,
    UnitFolder,
    find_diffusers_reference,
    references_in,
)
from add_model.scaffold.diffusers.units import Unit, bare, deprecated_names


@dataclass(frozen=True)
class Source:
    """A module to copy.

    Attributes:
        original: where it stands.
        text: its text.
        path: where the copy goes.
        renaming: what becomes of its names.
    """

    original: Path
    text: str
    path: Path
    renaming: FolderRenaming


@dataclass(frozen=True)
class DiffusersPlan:
    """What `like` is going to do in a tree.

    Attributes:
        answers: the answers it follows from.
        tree: the tree it writes into.
        reference: what of it the model starts from.
    """

    answers: Answers
    tree: SourceTree
    reference: DiffusersReference

    @property
    def name(self) -> ModelName:
        """The new model's name in every casing."""
        return self.answers.model_name

    @cached_property
    def renamings(self) -> Renamings:
        """The renaming of the reference."""
        return Renamings(self.reference, self.name)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Every module that is copied."""
        return tuple(source for unit in self.reference.units for source in self._sources(unit))

    def _sources(self, unit: Unit) -> Iterator[Source]:
        new, renaming = self.renamings.place(unit), self.renamings.of_units[unit]
        for path, text in unit.texts.items():
            if unit.is_folder:
                yield Source(unit.path / path, text, new / renaming.path(path), renaming)
            else:
                yield Source(unit.path, text, new, renaming)


@dataclass(frozen=True)
class Renamings:
    """The renaming of a reference, unit by unit: what one takes from another is called there as that calls it.

    Attributes:
        reference: the reference.
        name: the new model's name.
    """

    reference: DiffusersReference
    name: ModelName

    @cached_property
    def of_units(self) -> Mapping[Unit, FolderRenaming]:
        """The renaming of each unit."""
        alone = {unit: self._renaming(folder, {}) for unit, folder in self.reference.folders.items()}
        return {unit: self._renaming(folder, _taken(folder, alone)) for unit, folder in self.reference.folders.items()}

    def _renaming(self, folder: UnitFolder, given: Mapping[str, str]) -> FolderRenaming:
        return FolderRenaming(folder, folder.unit.new_name(self.name), given, is_type=False)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The public names of every unit, with the new model's."""
        return {old: new for renaming in self.of_units.values() for old, new in renaming.classes.items()}

    def place(self, unit: Unit) -> Path:
        """Where the copy of a unit goes: the module, or the folder.

        A folder is called by the model's name, and a module with it.
        """
        if unit.is_folder:
            return unit.path.with_name(self.name.snake)
        return unit.path.parent / self.of_units[unit].path(PurePosixPath(unit.path.name))


def _taken(folder: UnitFolder, renamings: Mapping[Unit, FolderRenaming]) -> dict[str, str]:
    """What is said in a unit that is another's: its public names, what is imported from its modules, and those."""
    taken: dict[str, str] = {}
    for other, renaming in renamings.items():
        if other is not folder.unit:
            modules = {old: new for old, new in renaming.modules.items() if old not in (new, folder.snake)}
            imported = folder.imported_from(modules)
            taken |= {**modules, **renaming.classes, **{name: renaming.identifier(name) for name in imported}}
    own = {*folder.vocabulary.defined, *(path.path.stem for path in folder.files)}
    return {old: new for old, new in taken.items() if old not in own}


def make_diffusers_plan(answers: Answers, tree: SourceTree) -> DiffusersPlan:
    """Plans the model that the answers describe.

    Raises:
        AddModelError: the reference has gone, nothing of it is to be written, or one of its files cannot be read.
    """
    reference = find_diffusers_reference(answers.reference, tree)
    if not answers.heads:
        raise AddModelError(f"--what none leaves nothing of {reference.specification} to write; choose from: {', '.join(reference.heads)}")  # fmt: skip
    return DiffusersPlan(answers, tree, reference.of_kinds(answers.heads))


def check_diffusers_name(name: ModelName, specification: str | None, tree: SourceTree, may_exist: bool) -> ModelName:
    """The new model's name.

    Raises:
        ModelExists: there is such a model, scheduler or pipeline.
        AddModelError: its name differs from one only in casing, or a name that the model would bring means something
            else already.
    """
    snake = name.snake
    taken = {name: "deprecated" for name in deprecated_names(tree)}
    taken |= {name: f"a {' and a '.join(found.heads)}" for name, found in references_in(tree).items()}
    for existing, what in sorted(taken.items()):
        if existing == snake and not may_exist:
            raise ModelExists(f"{existing!r} exists as {what} in {tree.root}; choose another --name, or replace it with --force, or keep what is there of it and write the rest with --finish")  # fmt: skip
        if existing != snake and bare(existing) == bare(snake):
            raise AddModelError(f"--name {snake!r} differs from {existing!r} of {tree.root} only in its casing or its underscores; choose another")  # fmt: skip
    if specification is None:
        return name
    renamings = Renamings(find_diffusers_reference(specification, tree), name)
    clashes = [clash for renaming in renamings.of_units.values() for clash in _clashes(renaming)]
    if not may_exist:
        clashes += sorted({*renamings.names.values()} & renamings.reference.public)
        places = (renamings.place(unit) for unit in renamings.reference.units)
        clashes += [place.relative_to(tree.root).as_posix() for place in places if place.exists()]
    if clashes:
        raise AddModelError(f"--name {snake!r} clashes with {clashes[0]!r}, which means something else already in {tree.root}; choose another")  # fmt: skip
    return name


def _clashes(renaming: FolderRenaming) -> Iterator[str]:
    """The new names that mean something else already in the code that is copied."""
    vocabulary = renaming.reference.vocabulary
    renamed = {old: new for old in vocabulary.identifiers | vocabulary.defined if (new := renaming.identifier(old)) != old}  # fmt: skip
    used = (vocabulary.identifiers | vocabulary.foreign | vocabulary.defined) - renamed.keys()
    yield from sorted({*renamed.values()} & used)
