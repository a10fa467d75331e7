"""The plan for a model in a source tree of Diffusers: which modules are copied to where, under which names."""

from __future__ import annotations

from collections.abc import Iterator
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
    find_diffusers_reference,
    references_in,
)
from add_model.scaffold.diffusers.units import Unit, bare, deprecated_names
from add_model.scaffold.naming import OF_EVERY_MODULE


@dataclass(frozen=True)
class Source:
    """A module to copy.

    Attributes:
        original: where it stands.
        text: its text.
        path: where the copy goes.
    """

    original: Path
    text: str
    path: Path


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
    def renaming(self) -> FolderRenaming:
        """The renaming of the reference."""
        return renaming_of(self.reference, self.name)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Every module that is copied."""
        return tuple(source for unit in self.reference.units for source in self._sources(unit))

    def _sources(self, unit: Unit) -> Iterator[Source]:
        new = new_place(unit, self.renaming)
        for path, text in unit.texts.items():
            if unit.is_folder:
                yield Source(unit.path / path, text, new / self.renaming.path(path))
            else:
                yield Source(unit.path, text, new)


def renaming_of(reference: DiffusersReference, name: ModelName) -> FolderRenaming:
    """The renaming of a reference into a model of this name."""
    return FolderRenaming(reference, reference.new_name(name), is_said_in_quotes=False)


def new_place(unit: Unit, renaming: FolderRenaming) -> Path:
    """Where the copy of a unit goes: the module, or the folder.

    A folder is called by the model's name, and a module with it.
    """
    if unit.is_folder:
        return unit.path.with_name(renaming.new.snake)
    return unit.path.parent / renaming.path(PurePosixPath(unit.path.name))


def make_diffusers_plan(answers: Answers, tree: SourceTree) -> DiffusersPlan:
    """Plans the model that the answers describe.

    Raises:
        AddModelError: the reference has gone, or one of its files cannot be read.
    """
    reference = find_diffusers_reference(answers.reference, tree)
    return DiffusersPlan(answers, tree, reference.of_kinds(answers.heads))


def check_diffusers_name(name: ModelName, specification: str | None, tree: SourceTree, may_exist: bool) -> ModelName:
    """The new model's name.

    Raises:
        ModelExists: there is such a model, scheduler or pipeline.
        AddModelError: its name differs from one only in casing, or a name that the model would bring means something
            else already.
    """
    snake = name.snake
    for existing in sorted({*references_in(tree), *deprecated_names(tree)}):
        if existing == snake and not may_exist:
            raise ModelExists(f"{existing!r} exists in {tree.root}; choose another --name, or replace it with --force, or keep what is there of it and write the rest with --finish")  # fmt: skip
        if existing != snake and bare(existing) == bare(snake):
            raise AddModelError(f"--name {snake!r} differs from {existing!r} of {tree.root} only in its casing or its underscores; choose another")  # fmt: skip
    if specification is None:
        return name
    reference = find_diffusers_reference(specification, tree)
    renaming = renaming_of(reference, name)
    _check_clashes(reference, renaming, tree, may_exist)
    return name


def _check_clashes(reference: DiffusersReference, renaming: FolderRenaming, tree: SourceTree, may_exist: bool) -> None:
    """Raises `AddModelError` where a name or a file that the new model brings means something else already."""
    vocabulary, snake = reference.vocabulary, renaming.new.snake
    renamed = {old: new for old in vocabulary.identifiers | vocabulary.defined if (new := renaming.identifier(old)) != old}  # fmt: skip
    used = (vocabulary.identifiers | vocabulary.foreign | vocabulary.defined) - renamed.keys()
    clashes = sorted({*renamed.values()} & used)
    if renaming.attributes and snake in used - renaming.attributes | OF_EVERY_MODULE:
        clashes.append(snake)
    if not may_exist:
        clashes += sorted({*renaming.classes.values()} & reference.public)
        places = (new_place(unit, renaming) for unit in reference.units)
        clashes += [place.relative_to(tree.root).as_posix() for place in places if place.exists()]
    if clashes:
        raise AddModelError(f"--name {snake!r} clashes with {clashes[0]!r}, which means something else already in {tree.root}; choose another")  # fmt: skip
