"""What a kind of library is asked: where it is, what can be started from there, what is allowed, what is made, what it holds.

Whoever asks knows nothing of the kinds. Each is a room of its own, with a module `target`; `library_kinds` lists them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from add_model.errors import AddModelError
from add_model.held_model import HeldModel
from add_model.library import Library
from add_model.names import ModelName
from add_model.scaffold.answers import MODULAR_STYLE, Answers
from add_model.scaffold.belongings import Belongings, Release
from add_model.scaffold.rendering import Rendering


class Candidate(Protocol):
    """A model to start from, as far as questions about it are concerned."""

    @property
    def specification(self) -> str:
        """What to type for exactly this one."""

    @property
    def name(self) -> ModelName:
        """Its name in every casing."""

    @property
    def heads(self) -> Mapping[str, str]:
        """The heads to choose from: task -> class name."""

    @property
    def all_heads(self) -> tuple[str, ...]:
        """The answer that stands for every head it has."""

    @property
    def reads_by(self) -> str:
        """What turns its input into numbers, in words: a tokenizer, or an image processor."""

    @property
    def tokenizer(self) -> str | None:
        """Name of its tokenizer class, or of its image processor's where it reads no text; `None` without either."""


class Target(Protocol):
    """A library of one kind, or one that is to be made: the place that a model is written into, and that holds models."""

    @property
    def root(self) -> Path:
        """The folder that everything is written below."""

    @property
    def package(self) -> str:
        """The name of the package that the models are in."""

    @property
    def is_new(self) -> bool:
        """Whether it is laid down first."""

    @property
    def library(self) -> Library:
        """Its layout; where it is still to be made, as it will be."""

    @property
    def kind(self) -> str:
        """The kind's name, as answers to "what is it for?" spell it."""

    @property
    def described(self) -> str:
        """What kind of library it is, in words."""

    @property
    def is_reviewed(self) -> bool:
        """Whether others keep it, so that what is written into it is looked at as a difference."""

    def ensure_ready(self) -> None:
        """Checks that models can be written here.

        Raises:
            AddModelError: something of it is missing, or cannot be written.
        """

    # What can be started from.

    @property
    def origin(self) -> str:
        """Where answers say that a model is from which `startable` calls the library's own."""

    @property
    def starts_from_itself(self) -> bool:
        """Whether those are models that it holds, rather than ones of what it depends on."""

    @property
    def starts_from_bundled(self) -> bool:
        """Whether models of the zoo can be started from."""

    @property
    def why_not_here(self) -> str:
        """Why a model that is known cannot be started from, and what to do to start from it."""

    def startable(self) -> dict[str, Collection[str]]:
        """The model types that can be started from: place (`library`, `zoo`) -> types."""

    def find_candidate(self, specification: str) -> Candidate:
        """Finds a model to start from.

        Raises:
            UnknownReference: there is no such model here; it may be known elsewhere.
            AddModelError: there is no such model, and the nearest ones are offered.
        """

    def titles(self) -> dict[str, str]:
        """How each of the models that it calls its own is called in prose, as far as its registration tells."""

    # What is allowed.

    def styles(self) -> tuple[str, ...]:
        """The styles that a model can be written in."""

    def tokenizer_answers(self) -> tuple[str, ...]:
        """The answers to the question for a tokenizer that name no other model."""

    def tokenizer_donors(self, reference: Candidate) -> list[tuple[str, str, str]]:
        """The models whose tokenizer can be taken in place of the reference's: specification, name, and what it is."""

    def check_tokenizer(self, wanted: str, reference: Candidate) -> str:
        """`same`, `none`, `shared`, or the specification of the reference whose tokenizer is taken.

        Raises:
            AddModelError: there is no such reference, it has no tokenizer, or there is no such answer here.
        """

    def check_new_name(self, name: ModelName, reference: str | None, may_exist: bool) -> ModelName:
        """The new model's name.

        Args:
            name: the name.
            reference: the specification of the model to start from, where that is known.
            may_exist: whether there may be a model of that name, which is replaced.

        Raises:
            ModelExists: there is such a model.
            AddModelError: the name differs from an existing one only by casing, or clashes with what the reference's
                code or the code around it means by it.
        """

    def is_made_from_itself(self, candidate: Candidate, name: str) -> bool:
        """Whether the model to start from is the very one that is to be made."""

    # What is made, and what of it is whose.

    def make(self, answers: Answers) -> Rendering:
        """Plans and renders the model that the answers describe; nothing is written.

        Raises:
            AddModelError: a reference has gone, a file cannot be read, or a template fails.
        """

    def belongings(self, name: str) -> Belongings:
        """The places of a model."""

    def release(self, gone: frozenset[Path], texts: Mapping[Path, str]) -> Release | None:
        """What of the library nothing uses any more once these files of a model are gone; `None` where nothing can be.

        Args:
            gone: the files.
            texts: what the files that lose their entries of the model hold then.

        Raises:
            AddModelError: a file of the library cannot be read.
        """

    # What it holds, for whoever works on a model of it.

    def model_names(self) -> Sequence[str]:
        """The models that it holds.

        Raises:
            AddModelError: its registry cannot be read.
        """

    def find_model(self, name: str) -> HeldModel | None:
        """A model that it holds; `None` where there is none of that name.

        Raises:
            AddModelError: its registry cannot be read.
        """


class Kind(Protocol):
    """A kind of library."""

    @property
    def name(self) -> str:
        """Its name, as answers to "what is it for?" spell it."""

    @property
    def purpose(self) -> tuple[str, str]:
        """What a library of this kind is, and what can be started from there, for somebody who chooses."""

    def at(self, root: Path) -> Target | None:
        """The library of this kind with this root, or in whose package the folder lies; `None` where there is none.

        Raises:
            AddModelError: it is one, but its configuration is invalid, or its layout is not known.
        """

    def is_around(self, folder: Path) -> bool:
        """Whether a folder above where somebody works is the root of a library of this kind."""

    def new(self, root: Path, package: str) -> Target:
        """A library of this kind that is to be made.

        Raises:
            AddModelError: it cannot be made here, and what to do for that.
        """

    def is_meant(self, root: Path, reference: str | None) -> bool:
        """Whether a library that is to be made in a folder, to start from this model, is to be of this kind."""


def check_style(wanted: str, target: Target) -> str:
    """The style, where the target knows it.

    Raises:
        AddModelError: it does not.
    """
    if wanted in target.styles():
        return wanted
    if wanted != MODULAR_STYLE:
        raise AddModelError(f"--style {wanted!r} is none; choose from: {', '.join(target.styles())}")
    raise AddModelError("--style modular: only checkouts of Transformers with modular_*.py files have what writes single files anew from them; leave --style out")  # fmt: skip
