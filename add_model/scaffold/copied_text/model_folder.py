"""What a folder of a model is asked for by whoever renames it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Protocol

from add_model.names import ModelName
from add_model.scaffold.copied_text.vocabulary import Vocabulary


class FolderFile(Protocol):
    """A file of a model folder."""

    @property
    def path(self) -> PurePosixPath:
        """Where it stands in the folder."""


class ModelFolder(Protocol):
    """A model folder, as far as its renaming is concerned."""

    @property
    def folder(self) -> PurePosixPath:
        """Where it is, below the models' folder."""

    @property
    def package(self) -> str:
        """Dotted name of the folder."""

    @property
    def name(self) -> ModelName:
        """Its name in every casing."""

    @property
    def files(self) -> Sequence[FolderFile]:
        """Its files that are copied."""

    @property
    def not_copied(self) -> Sequence[PurePosixPath]:
        """Those that are not."""

    @property
    def vocabulary(self) -> Vocabulary:
        """What its code says."""

    @property
    def classes(self) -> frozenset[str]:
        """The public names that it defines, functions included."""

    @property
    def spellings(self) -> tuple[str, ...]:
        """The prefixes of its classes that spell its name, the most frequent one first."""

    @property
    def titles(self) -> frozenset[str]:
        """What else prose calls it."""

    @property
    def model_types(self) -> Mapping[str, str]:
        """Its model types, each with its configuration class."""

    @property
    def aliases(self) -> Mapping[str, str]:
        """What else its configuration classes are registered under."""

    @property
    def registered(self) -> Mapping[str, str]:
        """Model type -> configuration class, of every model around it."""
