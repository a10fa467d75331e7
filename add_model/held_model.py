"""A model that a library holds, and where everything of it is, whatever kind of library that is. Nothing is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from add_model.library import Library
from add_model.references import registry_of
from add_model.registry import CONFIGURATION_MAPPING, MODEL_MAPPING, Registry

_CHANGING = ("__init__.py", "registry.py")


@dataclass(frozen=True)
class HeldModel:
    """A model of a library. A path may name a file that is not there.

    Attributes:
        library: the library that holds it.
        name: its name in snake_case, by which its folder and its files are called.
        classes: registry mapping -> class name, its configuration's and base model's among them; what is not known of
            it is left out.
        heads: task -> class name (`{"masked-lm": "BrandNewBertForMaskedLM"}`).
        further_classes: the other classes of it that can be built from its configuration.
        folder: the folder of its modules.
        package: dotted name of that folder (`my_models.models.brand_new_bert`).
        shared_code: what else decides what it computes: what all models of the library share.
        tests_folder: the folder of its tests.
        shared_tests: what all tests of the library share.
        docs_page: its page in the docs.
        model_card: the card that its checkpoints are published with.
        auto_classes: auto class of Transformers -> the class that it answers with; where these are the model's own to
            say, a checkpoint is published with its modules, as nobody else has them.
    """

    library: Library
    name: str
    classes: Mapping[str, str]
    heads: Mapping[str, str]
    folder: Path
    package: str
    shared_code: tuple[Path, ...]
    tests_folder: Path
    shared_tests: tuple[Path, ...]
    docs_page: Path
    model_card: Path
    further_classes: tuple[str, ...] = ()
    auto_classes: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Path:
        """The folder that its package is imported from."""
        return self.top_folder.parent

    @property
    def top_folder(self) -> Path:
        """The folder of the package at the top of its own."""
        return self.library.packages[self.package.partition(".")[0]]

    @property
    def modules(self) -> tuple[Path, ...]:
        """Its own modules, `__init__` and conversion scripts included."""
        return tuple(sorted(self.folder.glob("*.py")))

    @property
    def code(self) -> tuple[Path, ...]:
        """Everything that decides what it computes: its own modules, and what all models of the library share."""
        return (*self.modules, *self.shared_code)

    @property
    def configuration_name(self) -> str | None:
        """The name of its configuration class."""
        return self.classes.get(CONFIGURATION_MAPPING)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes that can be built: the base model, where it has one, then the heads and the others."""
        base = self.classes.get(MODEL_MAPPING)
        first = () if base is None else (base,)
        return tuple(dict.fromkeys((*first, *self.heads.values(), *self.further_classes)))


def registered_model(library: Library, name: str) -> HeldModel:
    """A model of a library with a registry of ours, whether that lists it or its files are all there is.

    Raises:
        AddModelError: the registry cannot be read, or the library has no package.
    """
    registry = registry_of(library) if library.registry.is_file() else Registry({})
    docs, tests = library.docs_folder, library.tests_folder
    # Neither the registry nor an `__init__` decides anything: both change whenever another model is added.
    shared = (path for path in sorted(library.package_folder.glob("*.py")) if path.name not in _CHANGING)
    return HeldModel(
        library,
        name,
        classes=registry.classes(name),
        heads=registry.heads(name),
        folder=library.models_folder / name,
        package=f"{library.package}.models.{name}",
        shared_code=tuple(shared),
        tests_folder=tests / "models" / name,
        shared_tests=tuple(sorted(tests.glob("*.py"))),
        docs_page=docs / "models" / f"{name}.md",
        model_card=docs / "model_cards" / f"{name}.md",
    )


class ModelHolder(Protocol):
    """A library, as far as the models that it holds are concerned."""

    @property
    def root(self) -> Path:
        """Its root, or the folder that a search for it began in."""

    @property
    def library(self) -> Library:
        """Its layout."""

    @property
    def origin(self) -> str:
        """What stands before the names of its own models, where they are called by their origin."""

    @property
    def starts_from_itself(self) -> bool:
        """Whether a name with that origin is one of its own models, rather than of what it depends on."""

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
