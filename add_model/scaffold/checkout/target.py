"""A source tree of Transformers as a place for models."""

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
from add_model.scaffold.answers import MODULAR_STYLE, SINGLE_STYLE, Answers
from add_model.scaffold.belongings import Belongings, Release
from add_model.scaffold.checkout.belongings import belongings_in
from add_model.scaffold.checkout.choices import TOKENIZER_ANSWERS, check_tokenizer, titles_of, tokenizer_donors
from add_model.scaffold.checkout.layout import PACKAGE, Checkout, find_checkout
from add_model.scaffold.checkout.plan import check_checkout_name
from add_model.scaffold.checkout.reference import CheckoutReference, find_checkout_reference, model_folders
from add_model.scaffold.rendering import Rendering
from add_model.scaffold.target import Candidate, Target


@dataclass(frozen=True)
class CheckoutTarget:
    """A source tree of Transformers.

    Attributes:
        checkout: its layout.
    """

    checkout: Checkout

    kind = "checkout"
    is_new = False
    is_reviewed = True
    origin = PACKAGE
    package = PACKAGE
    described = "a source tree of Transformers"
    starts_from_itself = True
    starts_from_bundled = False
    why_not_here = "not in this tree of Transformers: take one that is"

    @property
    def root(self) -> Path:
        """The folder that everything is written below."""
        return self.checkout.root

    @cached_property
    def library(self) -> Library:
        """Its layout as that of any library."""
        root, tests = self.checkout.root, self.checkout.root / "tests"
        packages = {PACKAGE: self.checkout.package_folder, **({"tests": tests} if tests.is_dir() else {})}
        return Library(root, packages, Configuration(package=PACKAGE))

    def ensure_ready(self) -> None:
        """Checks that the folders of its models can be written."""
        for folder in (self.checkout.models_folder, self.checkout.auto_folder):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise AddModelError(
                    f"{folder} cannot be written; make it writable, or pass another folder with --into"
                )

    def startable(self) -> dict[str, Collection[str]]:
        """Its own models."""
        return {TARGET: model_folders(self.checkout)}

    def find_candidate(self, specification: str) -> CheckoutReference:
        """One of its own models."""
        return find_checkout_reference(specification, self.checkout)

    def titles(self) -> dict[str, str]:
        """How each of its models is called in prose."""
        return titles_of(self.checkout)

    def styles(self) -> tuple[str, ...]:
        """Single files; and, where models of the tree have them, modular ones."""
        has_modular = any(self.checkout.models_folder.glob("*/modular_*.py"))
        return (SINGLE_STYLE, MODULAR_STYLE) if has_modular else (SINGLE_STYLE,)

    def tokenizer_answers(self) -> tuple[str, ...]:
        """The same as the reference's, the reference's own, or none."""
        return TOKENIZER_ANSWERS

    def tokenizer_donors(self, reference: Candidate) -> list[tuple[str, str, str]]:
        """Its other models that have a tokenizer."""
        return tokenizer_donors(self.checkout, reference)

    def check_tokenizer(self, wanted: str, reference: Candidate) -> str:
        """The answer for the tokenizer."""
        return check_tokenizer(wanted, reference, self.checkout)

    def check_new_name(self, name: ModelName, reference: str | None, may_exist: bool) -> ModelName:
        """The new model's name, held against the tree's folders, types and classes."""
        return check_checkout_name(name, reference, self.checkout, may_exist)

    def is_made_from_itself(self, candidate: Candidate, name: str) -> bool:
        """Whether the reference is called so."""
        return candidate.name.snake == name

    def make(self, answers: Answers) -> Rendering:
        """Plans and renders a model."""
        from add_model.scaffold.checkout.plan import make_checkout_plan
        from add_model.scaffold.checkout.render import render_checkout

        return render_checkout(make_checkout_plan(answers, self.checkout))

    def belongings(self, name: str) -> Belongings:
        """The places of a model."""
        return belongings_in(self.checkout, name)

    def release(self, gone: frozenset[Path], texts: Mapping[Path, str]) -> Release | None:
        """Nothing: what is around its models is not this tool's."""
        return None

    def model_names(self) -> Sequence[str]:
        """Its models."""
        return sorted(model_folders(self.checkout))

    def find_model(self, name: str) -> HeldModel | None:
        """The model of a folder, or the one that has this model type."""
        from add_model.scaffold.checkout.held import find_held_model

        return find_held_model(self.checkout, self.library, name)


class CheckoutKind:
    """The source trees of Transformers; none is laid down here."""

    name = CheckoutTarget.kind
    purpose = (CheckoutTarget.described, "like any of its models")

    def at(self, root: Path) -> Target | None:
        """The tree with this root, or the one that the folder is the package of."""
        configuration = read_configuration(root)
        if configuration is not None and configuration.package not in (None, PACKAGE):
            # It says which of the packages there it is about.
            return None
        checkout = find_checkout(root)
        return None if checkout is None else CheckoutTarget(checkout)

    def is_around(self, folder: Path) -> bool:
        """Whether the folder has the package below `src`; one that holds it itself may be of installed packages."""
        return (folder / "src" / PACKAGE).is_dir() and find_checkout(folder) is not None

    def new(self, root: Path, package: str) -> Target:
        """There is no new one."""
        raise AddModelError("a source tree of Transformers is cloned, not made; pass the root of one with --into")

    def is_meant(self, root: Path, reference: str | None) -> bool:
        """Never."""
        return False
