"""What stands in a library of one model, found out by reading: its classes and its files. Nothing is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from add_model.boundary import named_below
from add_model.errors import AddModelError
from add_model.library import Library, find_library
from add_model.names import ModelName
from add_model.nearby import where_to_go
from add_model.porting.documents import parse_json, parse_toml
from add_model.porting.model.library_models import has_registry, model_names, no_such_model
from add_model.reading import read_settings
from add_model.references import registry_of
from add_model.registry import CONFIGURATION_MAPPING, TOKENIZER_MAPPING
from add_model.state import STATE_FOLDER


@dataclass(frozen=True)
class PortedModel:
    """A model of a library, and where its files are; a path may name a file that is not there.

    Attributes:
        library: the library that holds it.
        name: its type, in snake_case.
        classes: registry mapping -> class name; empty where the library has no registry of ours.
        answers: the answers that it was made from; empty where it was not made by `like`.
        folder: the folder of its modules.
        tests_folder: the folder of its tests.
        docs_page: its page in the docs.
        model_card: the card that its checkpoints are published with.
    """

    library: Library
    name: str
    classes: Mapping[str, str]
    answers: Mapping[str, Any]
    folder: Path
    tests_folder: Path
    docs_page: Path
    model_card: Path

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
        return self.library.packages[self.library.package.partition(".")[0]].parent

    @property
    def module(self) -> str:
        """Dotted name of the package of its modules."""
        return ".".join(self.folder.relative_to(self.source).parts)

    @property
    def has_tokenizer(self) -> bool:
        """Whether it has a tokenizer of its own."""
        return TOKENIZER_MAPPING in self.classes or any(self.folder.glob("tokenization_*.py"))

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
        return tuple(sorted(self.folder.glob("*.py")))

    def code(self) -> tuple[Path, ...]:
        """Everything that decides what the model computes: its own modules, and what all models of the library share.

        Neither the registry nor an `__init__` belongs to it: both change whenever another model is added.
        """
        shared = sorted(self.library.package_folder.glob("*.py"))
        return (*self.modules(), *(path for path in shared if path.name not in ("__init__.py", "registry.py")))

    def tests(self) -> tuple[Path, ...]:
        """Its own tests with the data beside them, and the tests that all models of the library share."""
        own = [path for path in self.tests_folder.glob("*") if path.suffix in (".py", ".json")]
        shared = self.library.tests_folder.glob("*.py")
        return tuple(sorted(path for path in {*own, *shared} if path.is_file()))

    def shown(self, path: Path) -> str:
        """A path as a user of the library types it: relative to its root where it lies inside."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


def find_ported_model(start: Path, name: str) -> PortedModel:
    """Finds a model of the library around `start`: one that its registry lists, or that `like` wrote there.

    Raises:
        AddModelError: there is no such library or model; the nearest names are offered.
    """
    if not start.is_dir():
        raise AddModelError(f"--into {start} is no folder; pass a library's, or leave it out")
    library = find_library(start)
    classes = registry_of(library).classes(name) if has_registry(library) else {}
    paths = [library.root / path for path in _written(library.root, name)]
    if not classes and not paths and not _stands(library, name):
        raise no_such_model(library, name)
    return PortedModel(
        library=library,
        name=name,
        classes=classes,
        answers=_answers(library.root, name),
        folder=_folder_of(paths, "configuration_", "modeling_") or library.models_folder / name,
        tests_folder=_folder_of(paths, "test_") or library.tests_folder / "models" / name,
        docs_page=_docs_page(paths) or _usual_page(library, name),
        model_card=library.docs_folder / "model_cards" / f"{name}.md",
    )


def find_ported_models(start: Path) -> tuple[PortedModel, ...]:
    """Every model of the library around `start`, by name.

    Raises:
        AddModelError: there is no such library, or it has no model.
    """
    if not start.is_dir():
        raise AddModelError(f"--into {start} is no folder; pass a library's, or leave it out")
    library = find_library(start)
    found = tuple(find_ported_model(library.root, name) for name in model_names(library))
    if not found:
        raise AddModelError(f"{library.root} has no models; {where_to_go(library.root)}")
    return found


def _stands(library: Library, name: str) -> bool:
    """Whether a library without a registry of ours, such as Transformers, has the model's modules."""
    try:
        folder = library.models_folder / name
    except AddModelError:
        return False
    return name.isidentifier() and any(folder.glob("configuration_*.py"))


def _usual_page(library: Library, name: str) -> Path:
    """Where the docs of this library, or of Transformers, hold a model's page."""
    own = library.docs_folder / "models" / f"{name}.md"
    published = library.docs_folder / "source" / "en" / "model_doc" / f"{name}.md"
    return published if published.is_file() and not own.is_file() else own


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


def _folder_of(paths: Sequence[Path], *starts: str) -> Path | None:
    return next((path.parent for path in _modules(paths) if path.name.startswith(starts)), None)


def _modules(paths: Sequence[Path]) -> Iterator[Path]:
    return (path for path in paths if path.suffix == ".py")


def _docs_page(paths: Sequence[Path]) -> Path | None:
    pages = [path for path in paths if path.suffix == ".md" and path.parent.name not in ("checklists", "model_cards")]
    return pages[0] if pages else None
