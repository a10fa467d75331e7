"""A package of one's own that depends on an installed Transformers, as a place for models."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from add_model.errors import AddModelError, ModelExists
from add_model.held_model import HeldModel
from add_model.installed import installed_version
from add_model.library import (
    CONFIGURATION_FILE,
    Configuration,
    Library,
    installed_package,
    library_at,
    read_configuration,
)
from add_model.names import ModelName
from add_model.reading import read_settings
from add_model.references import TARGET
from add_model.scaffold.answers import SINGLE_STYLE, Answers
from add_model.scaffold.belongings import Belongings, Release, in_own_library
from add_model.scaffold.checkout.choices import TOKENIZER_ANSWERS, check_tokenizer, titles_of, tokenizer_donors
from add_model.scaffold.checkout.layout import PACKAGE, Checkout, find_checkout
from add_model.scaffold.checkout.plan import check_checkout_name
from add_model.scaffold.checkout.reference import CheckoutReference, find_checkout_reference, model_folders
from add_model.scaffold.naming import NAMED_PACKAGES, check_is_new
from add_model.scaffold.rendering import Rendering
from add_model.scaffold.target import Candidate, Target
from add_model.toml_text import parse_toml

_REQUIREMENT = re.compile(rf"{PACKAGE}(?![\w.-])", re.IGNORECASE)
# The models' folders are packages themselves; `models` is where Transformers has its own.
_TAKEN_FOLDERS = NAMED_PACKAGES | {"models"}


@dataclass(frozen=True)
class OutOfTree:
    """A package that depends on Transformers.

    Attributes:
        library: the package; where it is to be laid down, as it will be.
        is_new: whether it is laid down first.
    """

    library: Library
    is_new: bool = False

    kind = "transformers"
    is_reviewed = False
    origin = PACKAGE
    starts_from_itself = False
    starts_from_bundled = False

    @property
    def root(self) -> Path:
        """The folder that everything is written below."""
        return self.library.root

    @property
    def package(self) -> str:
        """Name of the package."""
        return self.library.package

    @cached_property
    def installed(self) -> Checkout:
        """The installed Transformers, to be read only.

        Raises:
            AddModelError: it is not installed.
        """
        folder = installed_package(PACKAGE)
        checkout = None if folder is None else find_checkout(folder)
        if checkout is None:
            raise AddModelError(f"{PACKAGE} is not installed where add-model runs; install it there (pip install {PACKAGE}), or pass the root of a checkout with --into")  # fmt: skip
        return checkout

    @property
    def described(self) -> str:
        """What it is, in words."""
        new = "a new package" if self.is_new else "a package"
        return f"{new} on the installed {PACKAGE} {installed_version(PACKAGE)}"

    @property
    def why_not_here(self) -> str:
        """Why a model that is known cannot be started from here."""
        return f"not in {PACKAGE} {installed_version(PACKAGE)}, which is installed: take one that is"

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

    def ensure_ready(self) -> None:
        """Checks that Transformers is installed."""
        assert self.installed

    def startable(self) -> dict[str, Collection[str]]:
        """The models of the installed Transformers."""
        return {TARGET: model_folders(self.installed)}

    def find_candidate(self, specification: str) -> CheckoutReference:
        """One of the models of the installed Transformers."""
        try:
            return find_checkout_reference(specification, self.installed)
        except AddModelError as error:
            # Where the package is installed is no place to be sent to.
            raise AddModelError(str(error).replace(f" --into {self.installed.root}", "")) from error

    def titles(self) -> dict[str, str]:
        """How each model of the installed Transformers is called in prose."""
        return titles_of(self.installed)

    def styles(self) -> tuple[str, ...]:
        """There is one."""
        return (SINGLE_STYLE,)

    def tokenizer_answers(self) -> tuple[str, ...]:
        """The same as the reference's, the reference's own, or none."""
        return TOKENIZER_ANSWERS

    def tokenizer_donors(self, reference: Candidate) -> list[tuple[str, str, str]]:
        """The other models of the installed Transformers that have a tokenizer."""
        return tokenizer_donors(self.installed, reference)

    def check_tokenizer(self, wanted: str, reference: Candidate) -> str:
        """The answer for the tokenizer."""
        return check_tokenizer(wanted, reference, self.installed)

    def check_new_name(self, name: ModelName, reference: str | None, may_exist: bool) -> ModelName:
        """The new model's name; what it is registered as must be new to the installed Transformers as well."""
        if name.snake in _TAKEN_FOLDERS:
            raise AddModelError(f"--name {name.snake!r} is the name of a package that the model's code or markers lead to; choose another")  # fmt: skip
        place = f"the installed {PACKAGE}"
        try:
            check_checkout_name(name, reference, self.installed, may_exist=False, place=place)
        except ModelExists as error:
            raise AddModelError(f"--name {name.snake!r} is a model of {place}; choose another") from error
        check_is_new(name.snake, self.models, self.root, self.package, may_exist)
        return name

    def is_made_from_itself(self, candidate: Candidate, name: str) -> bool:
        """Whether the reference is called so."""
        return candidate.name.snake == name

    def make(self, answers: Answers) -> Rendering:
        """Plans and renders a model."""
        from add_model.scaffold.checkout.plan import make_checkout_plan
        from add_model.scaffold.out_of_tree.render import render_out_of_tree

        return render_out_of_tree(make_checkout_plan(answers, self.installed), self)

    def belongings(self, name: str) -> Belongings:
        """The places of a model."""
        return in_own_library(self.library, name)

    def release(self, gone: frozenset[Path], texts: Mapping[Path, str]) -> Release | None:
        """Nothing: what is around its models is not this tool's."""
        return None

    def model_names(self) -> Sequence[str]:
        """The models that it holds."""
        return self.models

    def find_model(self, name: str) -> HeldModel | None:
        """The model of a folder of the package."""
        from add_model.scaffold.out_of_tree.held import find_held_model

        return find_held_model(self.library, name)


class OutOfTreeKind:
    """The packages that depend on Transformers."""

    name = OutOfTree.kind

    @property
    def purpose(self) -> tuple[str, str]:
        """What it is, and what can be started from there."""
        return f"a package on the installed {PACKAGE}", f"like any model of release {installed_version(PACKAGE)}"  # fmt: skip

    def at(self, root: Path) -> Target | None:
        """The library whose configuration stands here, if it says that it follows Transformers."""
        configuration = read_configuration(root)
        if configuration is None or PACKAGE not in configuration.follows:
            return None
        return OutOfTree(library_at(root, configuration))

    def is_around(self, folder: Path) -> bool:
        """Whether the folder holds such a configuration."""
        return self.at(folder) is not None

    def new(self, root: Path, package: str) -> OutOfTree:
        """The package that is to be made in a folder."""
        configuration = Configuration(package=package, source="src", follows=(PACKAGE,))
        made = OutOfTree(Library(root, {package: root / "src" / package}, configuration), is_new=True)
        made.ensure_ready()
        return made

    def is_meant(self, root: Path, reference: str | None) -> bool:
        """Whether the model is one of Transformers, or the project there depends on it and nothing else is said."""
        origin, colon, _ = (reference or "").rpartition(":")
        return origin == PACKAGE or (not colon and reference is not None and depends_on_transformers(root))


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
