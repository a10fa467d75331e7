"""A package of one's own that depends on an installed Transformers, as a place to write a model into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import CONFIGURATION_FILE, Configuration, Library, installed_package
from add_model.reading import read_settings
from add_model.scaffold.checkout.layout import PACKAGE, Checkout, find_checkout
from add_model.toml_text import parse_toml

_REQUIREMENT = re.compile(rf"{PACKAGE}(?![\w.-])", re.IGNORECASE)


@dataclass(frozen=True)
class OutOfTree:
    """A package that depends on Transformers.

    Attributes:
        library: the package; where it is to be laid down, as it will be.
        is_new: whether it is laid down first.
        installed: the installed Transformers, to be read only.
    """

    library: Library
    is_new: bool
    installed: Checkout

    @property
    def root(self) -> Path:
        """The folder that everything is written below."""
        return self.library.root

    @property
    def package(self) -> str:
        """Name of the package."""
        return self.library.package

    @property
    def models_folder(self) -> Path:
        """The folder with one sub-folder a model: the package's own.

        In a folder `models`, Transformers would take each for one that it registers itself, and miss it.
        """
        return self.library.package_folder

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it holds."""
        return tuple(sorted(path.parent.name for path in self.models_folder.glob("*/modeling_*.py")))


def find_out_of_tree(root: Path, library: Library | None, package: str, reference: str | None) -> OutOfTree | None:
    """The package in `root` that depends on Transformers; `None` where a model goes into a standalone library.

    A library does that follows Transformers. One that is to be made does where the model starts from Transformers
    (`transformers:llama`), or where the project in that folder depends on it and nothing else is said.

    Args:
        root: the folder to write into.
        library: the library there; `None` where there is none yet.
        package: the name of the package that is to be made.
        reference: the model to start from, as it was given.

    Raises:
        AddModelError: Transformers is to be started from, and is not installed.
    """
    origin, colon, _ = (reference or "").rpartition(":")
    if library is not None:
        if PACKAGE not in library.configuration.follows:
            return None
        return OutOfTree(library, False, _installed())
    if origin != PACKAGE and (colon or reference is None or not depends_on_transformers(root)):
        return None
    return new_package(root, package)


def new_package(root: Path, package: str) -> OutOfTree:
    """The package of that name that is to be made in `root`.

    Raises:
        AddModelError: Transformers is not installed.
    """
    configuration = Configuration(package=package, source="src", follows=(PACKAGE,))
    return OutOfTree(Library(root, {package: root / "src" / package}, configuration), True, _installed())


def _installed() -> Checkout:
    folder = installed_package(PACKAGE)
    checkout = None if folder is None else find_checkout(folder)
    if checkout is None:
        raise AddModelError(f"{PACKAGE} is not installed where add-model runs; install it there (pip install {PACKAGE}), or pass the root of a checkout with --into")  # fmt: skip
    return checkout


def depends_on_transformers(root: Path) -> bool:
    """Whether the project in a folder lists Transformers among its dependencies."""
    try:
        project = parse_toml(read_settings(root / CONFIGURATION_FILE).decode("utf-8-sig")).get("project", {})
        listed = project.get("dependencies", [])
    except (OSError, ValueError, AttributeError):
        return False
    return isinstance(listed, list) and any(
        isinstance(line, str) and _REQUIREMENT.match(line.strip()) for line in listed
    )
