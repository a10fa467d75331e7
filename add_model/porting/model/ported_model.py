"""What stands in a library of one model, found out by reading: its classes and its files. Nothing is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from add_model.boundary import named_below
from add_model.errors import AddModelError
from add_model.held_model import HeldModel, ModelHolder
from add_model.library import Library
from add_model.names import ModelName
from add_model.nearby import where_to_go
from add_model.porting.documents import parse_json, parse_toml
from add_model.porting.model.library_models import no_such_model
from add_model.reading import read_settings
from add_model.registry import CONFIGURATION_MAPPING, IMAGE_PROCESSOR_MAPPING, TOKENIZER_MAPPING
from add_model.state import STATE_FOLDER


@dataclass(frozen=True)
class PortedModel:
    """A model of a library, with what is remembered of how it was made; a path may name a file that is not there.

    Attributes:
        held: the model, and where everything of it is.
        answers: the answers that it was made from; empty where it was not made by `like`.
        docs_page: its page in the docs.
    """

    held: HeldModel
    answers: Mapping[str, Any]
    docs_page: Path

    @property
    def library(self) -> Library:
        """The library that holds it."""
        return self.held.library

    @property
    def name(self) -> str:
        """Its name, in snake_case."""
        return self.held.name

    @property
    def classes(self) -> Mapping[str, str]:
        """Registry mapping -> class name; empty where nothing registers it."""
        return self.held.classes

    @property
    def folder(self) -> Path:
        """The folder of its modules."""
        return self.held.folder

    @property
    def tests_folder(self) -> Path:
        """The folder of its tests."""
        return self.held.tests_folder

    @property
    def model_card(self) -> Path:
        """The card that its checkpoints are published with."""
        return self.held.model_card

    @property
    def root(self) -> Path:
        """The library's root."""
        return self.library.root

    @property
    def called(self) -> ModelName:
        """Its name in every casing, as its classes and its answers say them.

        Raises:
            AddModelError: its type is no name that a model can be given.
        """
        configuration = self.classes.get(CONFIGURATION_MAPPING, "").removesuffix("Config")
        camel = configuration or str(self.answers.get("class_name", ""))
        try:
            return ModelName.from_snake(self.name, camel or None)
        except AddModelError:
            return ModelName.from_snake(self.name)

    @property
    def source(self) -> Path:
        """The folder that the library's package is imported from."""
        return self.held.source

    @property
    def module(self) -> str:
        """Dotted name of the package of its modules."""
        return self.held.package

    @property
    def has_tokenizer(self) -> bool:
        """Whether it has a tokenizer of its own."""
        return TOKENIZER_MAPPING in self.classes or any(self.folder.glob("tokenization_*.py"))

    @property
    def has_image_processor(self) -> bool:
        """Whether it has an image processor of its own."""
        return IMAGE_PROCESSOR_MAPPING in self.classes or any(self.folder.glob("image_processing_*.py"))

    @property
    def notebook(self) -> Path:
        """Its demonstration notebook."""
        return self.root / "notebooks" / f"{self.name}.ipynb"

    @property
    def integration_test(self) -> Path:
        """The test that holds the original's numbers."""
        return self.tests_folder / f"test_integration_{self.name}.py"

    def modules(self) -> tuple[Path, ...]:
        """Its own modules, `__init__` and conversion scripts included."""
        return self.held.modules

    def code(self) -> tuple[Path, ...]:
        """Everything that decides what the model computes: its own modules, and what all models of the library share."""
        return self.held.code

    def tests(self) -> tuple[Path, ...]:
        """Its own tests with the data beside them, and the tests that all models of the library share."""
        own = [path for path in self.tests_folder.glob("*") if path.suffix in (".py", ".json")]
        shared = self.held.shared_tests
        return tuple(sorted(path for path in {*own, *shared} if path.is_file()))

    def shown(self, path: Path) -> str:
        """A path as a user of the library types it: relative to its root where it lies inside."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


def find_ported_model(holder: ModelHolder, name: str) -> PortedModel:
    """Finds a model of a library: one that it registers, or that `like` wrote there.

    Raises:
        AddModelError: there is no such model; the nearest names are offered.
    """
    held = holder.find_model(name)
    if held is None:
        raise no_such_model(holder, name)
    paths = [holder.root / path for path in _written(holder.root, held.name)]
    return PortedModel(held, _answers(holder.root, held.name), _docs_page(paths) or held.docs_page)


def find_ported_models(holder: ModelHolder) -> tuple[PortedModel, ...]:
    """Every model of a library, by name.

    Raises:
        AddModelError: it has none.
    """
    found = tuple(find_ported_model(holder, name) for name in holder.model_names())
    if not found:
        raise AddModelError(f"{holder.root} has no models; {where_to_go(holder.root)}")
    return found


def _written(root: Path, name: str) -> Sequence[str]:
    """The files that `like` wrote, relative to the root; not those that got an entry of the model's."""
    path = root / STATE_FOLDER / "models" / name / "written.json"
    if not name.isidentifier() or not path.is_file():
        return ()
    try:
        content = parse_json(read_settings(path))
    except (OSError, ValueError) as error:
        raise AddModelError(
            f"{path}: cannot be read: {error}; restore it from your version control, or remove it"
        ) from error
    written = (
        [name for name, put_in in content.items() if isinstance(put_in, str)] if isinstance(content, dict) else []
    )
    # What the tool keeps of the model for itself is none of its files.
    own = [name for name in written if name.partition("/")[0] != STATE_FOLDER]
    for name in own:
        named_below(root, name, str(path))
    return own


def _answers(root: Path, name: str) -> Mapping[str, Any]:
    path = root / STATE_FOLDER / "models" / name / "answers.toml"
    try:
        return parse_toml(read_settings(path).decode("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise AddModelError(f"{path}: cannot be read: {error}; mend it and run again") from error


def _docs_page(paths: Sequence[Path]) -> Path | None:
    pages = [path for path in paths if path.suffix == ".md" and path.parent.name not in ("checklists", "model_cards")]
    return pages[0] if pages else None
