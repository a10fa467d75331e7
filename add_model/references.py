"""References: the models that a new one can start from, found in libraries and read as text, never imported."""

from __future__ import annotations

import codecs
import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from add_model.errors import AddModelError
from add_model.family import family_member
from add_model.library import Configuration, Library, installed_package, library_at
from add_model.names import ModelName
from add_model.reading import read_bytes
from add_model.registry import CONFIGURATION_MAPPING, MODEL_MAPPING, TOKENIZER_MAPPING, Registry, parse_registry

ZOO = "zoo"
TARGET = "library"


@dataclass(frozen=True)
class Reference:
    """A model found in a library.

    Attributes:
        origin: where it was found: `zoo` (bundled), `library` (the target itself) or an installed package's name.
        library: the library that holds it.
        name: its name in every casing.
        classes: registry mapping -> class name.
        heads: task -> class name (`{"masked-lm": "BertForMaskedLM"}`).
    """

    origin: str
    library: Library
    name: ModelName
    classes: Mapping[str, str]
    heads: Mapping[str, str]

    @property
    def specification(self) -> str:
        """What to type for exactly this reference: `zoo:bert`."""
        return f"{self.origin}:{self.name.snake}"

    @property
    def folder(self) -> Path:
        """The folder of its model files."""
        return self.library.models_folder / self.name.snake

    @property
    def tests_folder(self) -> Path:
        """The folder of its tests."""
        return self.library.tests_folder / "models" / self.name.snake

    @property
    def package(self) -> str:
        """Dotted name of `folder`."""
        return f"{self.library.package}.models.{self.name.snake}"

    @property
    def all_heads(self) -> tuple[str, ...]:
        """Every task that it has a head for."""
        return tuple(self.heads)

    @property
    def tokenizer(self) -> str | None:
        """Name of its tokenizer class, where it has one."""
        return self.classes.get(TOKENIZER_MAPPING)

    @cached_property
    def files(self) -> Mapping[Path, str]:
        """The text of every module of the model and of its tests, by path.

        Raises:
            AddModelError: one of them cannot be read.
        """
        paths = [*sorted(self.folder.glob("*.py")), *sorted(self.tests_folder.glob("*.py"))]
        return {path: read_text(path) for path in paths}


def read_text(path: Path) -> str:
    """Reads a UTF-8 text with its line endings as they are, and no byte order mark before it.

    Raises:
        AddModelError: the file cannot be read, or is no UTF-8.
    """
    return read_bytes_and_text(path)[1]


def read_bytes_and_text(path: Path) -> tuple[bytes, str]:
    """Reads a UTF-8 text once, as the bytes that it is, and as `read_text` does.

    Raises:
        AddModelError: the file cannot be read, or is no UTF-8.
    """
    try:
        content = read_bytes(path)
        return content, content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AddModelError(f"{path}: cannot be read: {error}") from error


def encoded(text: str, before: bytes | None) -> bytes:
    """A text in UTF-8, behind the byte order mark that the file begins with which it is written to."""
    mark = codecs.BOM_UTF8 if before is not None and before.startswith(codecs.BOM_UTF8) else b""
    return mark + text.encode()


def zoo() -> Library:
    """The library bundled with this tool."""
    folder = Path(__file__).parent
    return Library(folder.parent, {"add_model": folder}, Configuration(package="add_model.zoo"))


def registry_of(library: Library) -> Registry:
    """The registry of a library; an empty one where it has none.

    Raises:
        AddModelError: the registry cannot be read or does not parse.
    """
    path = library.registry
    return parse_registry(read_text(path), str(path)) if path.is_file() else Registry({})


def find_reference(specification: str, target: Library | None) -> Reference:
    """Finds `bert`, `zoo:bert`, `library:brand_new_bert` or `package:type`.

    A type without an origin is looked for in the target library, then in the zoo.

    Raises:
        AddModelError: there is no such reference; the nearest ones are offered.
    """
    origin, colon, model_type = specification.rpartition(":")
    origins = [origin] if colon else [*([TARGET] if target is not None else []), ZOO]
    for candidate in origins:
        library = _library_of(candidate, target)
        registry = registry_of(library)
        if model_type in registry.model_types:
            return _reference(candidate, library, registry, model_type)
    known = available(target)
    if colon:
        known = {found: where for found, where in known.items() if found.startswith(f"{origin}:")} or known
    close = difflib.get_close_matches(model_type, [found.partition(":")[2] for found in known], n=3, cutoff=0.5)
    nearest = [found for found in known if found.partition(":")[2] in close] or list(known)
    raise AddModelError(f"unknown reference {specification!r}; nearest: {', '.join(nearest)} (all: add-model references){_elsewhere(model_type)}")  # fmt: skip


def available(target: Library | None) -> dict[str, Library]:
    """Every reference that can be generated from: specification -> the library that holds it, the target's first."""
    places = [*([(TARGET, target)] if target is not None else []), (ZOO, zoo())]
    return {f"{origin}:{name}": library for origin, library in places for name in registry_of(library).model_types}


def transformers_folder(model_type: str) -> Path | None:
    """The folder of a model in the installed Transformers, found on disk and never imported."""
    package = installed_package("transformers")
    for parent in ("models", "models/deprecated"):
        folder = package and package / parent / model_type
        if folder and any(folder.glob("modeling_*.py")):
            return folder
    return None


def _elsewhere(model_type: str) -> str:
    if not model_type.isidentifier() or transformers_folder(model_type) is None:
        return ""
    return "; the installed transformers has it, but a standalone library cannot start from there"


def _library_of(origin: str, target: Library | None) -> Library:
    if origin == ZOO:
        return zoo()
    if origin == TARGET and target is not None:
        return target
    if target is not None and origin == target.package:
        return target
    folder = installed_package(origin) if origin != TARGET else None
    if folder is None:
        raise AddModelError(
            f"no package {origin!r} to take a reference from; install it, or choose one of: zoo, library"
        )
    return library_at(Path(os.path.realpath(folder)))


def _reference(origin: str, library: Library, registry: Registry, model_type: str) -> Reference:
    classes = registry.classes(model_type)
    camel = classes[CONFIGURATION_MAPPING].removesuffix("Config")
    member = family_member(model_type)
    title = member.title if member is not None and member.title.replace("-", "").lower() == camel.lower() else camel
    if MODEL_MAPPING not in classes:
        raise AddModelError(
            f"{library.registry}: {model_type} has no base model in {MODEL_MAPPING}; add it and run again"
        )
    return Reference(origin, library, ModelName(model_type, camel, title), classes, registry.heads(model_type))
