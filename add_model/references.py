"""References: the models that a new one can start from, found in libraries and read as text, never imported."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from add_model.errors import AddModelError
from add_model.family import family, family_member
from add_model.library import Configuration, Library, installed_package, library_at
from add_model.names import ModelName, Renaming
from add_model.nearest import close, spelled_otherwise
from add_model.reading import read_bytes
from add_model.registry import (
    CONFIGURATION_MAPPING,
    IMAGE_PROCESSOR_MAPPING,
    MODEL_MAPPING,
    TOKENIZER_MAPPING,
    Registry,
    parse_registry,
)

ZOO = "zoo"
TARGET = "library"
_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)


class UnknownReference(AddModelError):
    """There is no such model where it was looked for; it may be known elsewhere."""


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
    def preprocessing(self) -> str | None:
        """The registry's mapping of what turns its input into numbers: tokenizers, or image processors."""
        return next((mapping for mapping in (TOKENIZER_MAPPING, IMAGE_PROCESSOR_MAPPING) if mapping in self.classes), None)  # fmt: skip

    @property
    def reads_by(self) -> str:
        """What `tokenizer` is, in words."""
        return "image processor" if self.preprocessing == IMAGE_PROCESSOR_MAPPING else "tokenizer"

    @property
    def tokenizer(self) -> str | None:
        """Name of its tokenizer class, or of its image processor's where it reads no text; `None` without either."""
        return None if self.preprocessing is None else self.classes[self.preprocessing]

    def renaming(self, new: ModelName) -> Renaming:
        """The renaming of this model into another.

        Raises:
            AddModelError: a file cannot be read.
        """
        return Renaming(self.name, new, self.defined)

    @cached_property
    def defined(self) -> frozenset[str]:
        """The classes that its files define.

        Raises:
            AddModelError: one of them cannot be read.
        """
        return frozenset(name for text in self.files.values() for name in _CLASS.findall(text))

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
    """Finds `bert`, `zoo:bert`, `library:brand_new_bert` or `package:type`; the type in any spelling (`BERT`, `GPT-2`).

    A type without an origin is looked for in the target library, then in the zoo.

    Raises:
        UnknownReference: there is no such reference; the nearest ones are offered.
        AddModelError: there is no such origin, or a registry cannot be read.
    """
    origin, colon, typed = specification.rpartition(":")
    origins = [origin] if colon else [*([TARGET] if target is not None else []), ZOO]
    places = [(candidate, _library_of(candidate, target)) for candidate in origins]
    registries = [(candidate, library, registry_of(library)) for candidate, library in places]
    for candidate, library, registry in registries:
        if typed in registry.model_types:
            return _reference(candidate, library, registry, typed)
    for candidate, library, registry in registries:
        model_type = spelled_otherwise(typed, spellings(registry.model_types))
        if model_type is not None:
            return _reference(candidate, library, registry, model_type)
    known = list(available(target))
    if colon:
        known = [found for found in known if found.startswith(f"{origin}:")] or known
    likely = close(typed, [found.partition(":")[2] for found in known])
    offered = sorted((found for found in known if found.partition(":")[2] in likely), key=lambda found: likely.index(found.partition(":")[2])) or known  # fmt: skip
    raise UnknownReference(f"unknown reference {specification!r}; nearest: {', '.join(offered)} (all: add-model references)")  # fmt: skip


def spellings(model_types: Iterable[str]) -> dict[str, str]:
    """How these models may be called: by their type, and by their title in prose where they are known; each with its type."""
    types = dict.fromkeys(model_types)
    return {member.title: member.model_type for member in family() if member.model_type in types} | {name: name for name in types}  # fmt: skip


def available(target: Library | None) -> dict[str, Library]:
    """Every reference that can be generated from: specification -> the library that holds it, the target's first."""
    places = [*([(TARGET, target)] if target is not None else []), (ZOO, zoo())]
    return {f"{origin}:{name}": library for origin, library in places for name in registry_of(library).model_types}


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
