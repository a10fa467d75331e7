"""A source tree of Diffusers as a place for models."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from add_model.errors import AddModelError
from add_model.held_model import HeldModel
from add_model.library import Configuration, Library, read_configuration
from add_model.names import ModelName
from add_model.references import TARGET
from add_model.scaffold.answers import NO_TOKENIZER, SAME_TOKENIZER, SINGLE_STYLE, Answers
from add_model.scaffold.belongings import Belongings, Release
from add_model.scaffold.diffusers.belongings import belongings_in
from add_model.scaffold.diffusers.layout import PACKAGE, SourceTree, find_source_tree
from add_model.scaffold.diffusers.reference import DiffusersReference, find_diffusers_reference, references_in
from add_model.scaffold.rendering import Rendering
from add_model.scaffold.target import Candidate, Target


@dataclass(frozen=True)
class DiffusersTarget:
    """A source tree of Diffusers.

    Attributes:
        tree: its layout.
    """

    tree: SourceTree

    kind = PACKAGE
    is_new = False
    is_reviewed = True
    origin = PACKAGE
    package = PACKAGE
    described = "a source tree of Diffusers"
    starts_from_itself = True
    starts_from_bundled = False
    why_not_here = "not in this tree of Diffusers: take one that is"

    @property
    def root(self) -> Path:
        """The folder that everything is written below."""
        return self.tree.root

    @cached_property
    def library(self) -> Library:
        """Its layout as that of any library."""
        root, tests = self.tree.root, self.tree.tests_folder
        packages = {PACKAGE: self.tree.package_folder, **({"tests": tests} if tests.is_dir() else {})}
        return Library(root, packages, Configuration(package=PACKAGE))

    def ensure_ready(self) -> None:
        """Checks that its folders can be written."""
        for folder in (self.tree.models_folder, self.tree.schedulers_folder, self.tree.pipelines_folder):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise AddModelError(
                    f"{folder} cannot be written; make it writable, or pass another folder with --into"
                )

    def startable(self) -> dict[str, Collection[str]]:
        """Its own models, schedulers and pipelines."""
        return {TARGET: references_in(self.tree)}

    def find_candidate(self, specification: str) -> DiffusersReference:
        """What of it goes by a name."""
        return find_diffusers_reference(specification, self.tree)

    def titles(self) -> dict[str, str]:
        """How the classes of each of them spell it."""
        return {name: reference.name.title for name, reference in references_in(self.tree).items()}

    def styles(self) -> tuple[str, ...]:
        """Single files."""
        return (SINGLE_STYLE,)

    def tokenizer_answers(self) -> tuple[str, ...]:
        """That there is none: pipelines take theirs from Transformers."""
        return (SAME_TOKENIZER, NO_TOKENIZER)

    def tokenizer_donors(self, reference: Candidate) -> list[tuple[str, str, str]]:
        """None."""
        return []

    def check_tokenizer(self, wanted: str, reference: Candidate) -> str:
        """The answer for the tokenizer."""
        if wanted in self.tokenizer_answers():
            return SAME_TOKENIZER
        raise AddModelError("--tokenizer-like: the pipelines of Diffusers take their tokenizers from Transformers; leave it out")  # fmt: skip

    def check_new_name(self, name: ModelName, reference: str | None, may_exist: bool) -> ModelName:
        """The new model's name, held against the tree's folders, files and classes."""
        from add_model.scaffold.diffusers.plan import check_diffusers_name

        return check_diffusers_name(name, reference, self.tree, may_exist)

    def is_made_from_itself(self, candidate: Candidate, name: str) -> bool:
        """Whether the reference is called so."""
        return candidate.name.snake == name

    def make(self, answers: Answers) -> Rendering:
        """Plans and renders a model."""
        from add_model.scaffold.diffusers.plan import make_diffusers_plan
        from add_model.scaffold.diffusers.render import render_diffusers

        return render_diffusers(make_diffusers_plan(answers, self.tree))

    def belongings(self, name: str) -> Belongings:
        """The places of a model."""
        return belongings_in(self.tree, name)

    def release(self, gone: frozenset[Path], texts: Mapping[Path, str]) -> Release | None:
        """Nothing: what is around its models is not this tool's."""
        return None

    def model_names(self) -> Sequence[str]:
        """What it holds."""
        return sorted(references_in(self.tree))

    def find_model(self, name: str) -> HeldModel | None:
        """None that the workbench can build: it knows no models that are made from keywords.

        Raises:
            AddModelError: there is something of that name.
        """
        if name in references_in(self.tree):
            raise AddModelError(f"{name} is of Diffusers, and models of Diffusers cannot be run here yet; work on it with the tree's own scripts")  # fmt: skip
        return None


class DiffusersKind:
    """The source trees of Diffusers; none is laid down here."""

    name = DiffusersTarget.kind
    purpose = (DiffusersTarget.described, "like any of its models, schedulers and pipelines")

    def at(self, root: Path) -> Target | None:
        """The tree with this root, or the one that the folder is the package of."""
        configuration = read_configuration(root)
        if configuration is not None and configuration.package not in (None, PACKAGE):
            # It says which of the packages there it is about.
            return None
        tree = find_source_tree(root)
        return None if tree is None else DiffusersTarget(tree)

    def is_around(self, folder: Path) -> bool:
        """Whether the folder has the package below `src`; one that holds it itself may be of installed packages."""
        return (folder / "src" / PACKAGE).is_dir() and find_source_tree(folder) is not None

    def new(self, root: Path, package: str) -> Target:
        """There is no new one."""
        raise AddModelError("a source tree of Diffusers is cloned, not made; pass the root of one with --into")

    def is_meant(self, root: Path, reference: str | None) -> bool:
        """Never."""
        return False
