"""The plan: everything that is going to be written, as a plain value, before a line of it exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import Configuration, Library
from add_model.names import ModelName
from add_model.references import Reference, find_reference
from add_model.registry import IMAGE_PROCESSOR_MAPPING, TOKENIZER_MAPPING
from add_model.scaffold.answers import NO_TOKENIZER, SAME_TOKENIZER, Answers
from add_model.scaffold.surroundings.installation import tool_requirement

# How the files begin that hold what turns a model's input into numbers, by the registry's mapping of these classes.
_PREPROCESSING = {TOKENIZER_MAPPING: "tokenization_", IMAGE_PROCESSOR_MAPPING: "image_processing_"}
# Blocks of these files are marked as copies. The others are meant to be filled in, so that they differ from the start.
_MARKED = ("modeling_", *_PREPROCESSING.values())


@dataclass(frozen=True)
class ModelFile:
    """A module of the new model: the reference and file it is copied from, and where it goes."""

    source: Path
    path: Path
    reference: Reference

    @property
    def is_marked(self) -> bool:
        """Whether its blocks carry markers."""
        return self.source.name.startswith(_MARKED)

    @property
    def source_module(self) -> str:
        """Dotted path of the module it is copied from."""
        return f"{self.reference.package}.{self.source.stem}"


@dataclass(frozen=True)
class Plan:
    """What `like` is going to do.

    Attributes:
        answers: the answers it follows from.
        library: the library it writes into; for one that is to be made, as it will be.
        is_new_library: whether the library is laid down first.
        name: the new model's name in every casing.
        reference: the model that it starts from.
        tokenizer: the reference of its tokenizer, or image processor where it reads no text, `None` for a model
            without one.
        model_files: the modules of the model and of its tests.
        tool: what the library's checks install add-model by, where it is laid down. It is no answer: whoever makes the
            model again has add-model from somewhere else, and a library that is there has its checks already.
    """

    answers: Answers
    library: Library
    is_new_library: bool
    name: ModelName
    reference: Reference
    tokenizer: Reference | None
    model_files: tuple[ModelFile, ...]
    tool: str | None = None

    @cached_property
    def dropped(self) -> frozenset[str]:
        """The reference's classes that the answers say to do without: heads that were not chosen, and its tokenizer."""
        chosen = {self.reference.heads[task] for task in self.answers.heads}
        dropped = {*self.reference.heads.values()} - chosen
        if self.tokenizer is None and self.reference.tokenizer is not None:
            dropped.add(self.reference.tokenizer)
        return frozenset(dropped)

    @property
    def borrowed(self) -> tuple[str, str] | None:
        """The module and the class of a tokenizer or image processor that is another model's; `None` where none is."""
        donor = self.tokenizer
        if donor is None or donor == self.reference or donor.tokenizer is None:
            return None
        beginning = _PREPROCESSING[str(donor.preprocessing)]
        module = next(file.path.stem for file in self.model_files if file.path.name.startswith(beginning))
        return module, donor.renaming(self.name).identifier(donor.tokenizer)

    @property
    def registry_entries(self) -> dict[str, dict[str, str]]:
        """Registry mapping -> model type -> class name, of the new model."""
        renaming = self.reference.renaming(self.name)
        classes = {mapping: renaming.identifier(name) for mapping, name in self.reference.classes.items() if name not in self.dropped}  # fmt: skip
        if self.tokenizer is not None and self.tokenizer.tokenizer is not None:
            classes[str(self.tokenizer.preprocessing)] = self.tokenizer.renaming(self.name).identifier(
                self.tokenizer.tokenizer
            )
        return {mapping: {self.name.snake: name} for mapping, name in classes.items()}


def make_plan(answers: Answers, target: Library | None, root: Path) -> Plan:
    """Plans the model that the answers describe.

    Args:
        answers: the answers.
        target: the library to write into, `None` where there is none yet.
        root: the folder of that library, or of the one to be made.

    Raises:
        AddModelError: a reference has gone, or one of its files cannot be read.
    """
    library = target or _library_to_be(root, answers.package)
    reference = find_reference(answers.reference, target)
    _check_is_whole(reference)
    tokenizer: Reference | None = None
    if answers.tokenizer_like == SAME_TOKENIZER:
        tokenizer = reference
    elif answers.tokenizer_like != NO_TOKENIZER:
        tokenizer = find_reference(answers.tokenizer_like, target)
    name = answers.model_name
    is_new = target is None
    model_files = tuple(_model_files(library, name, reference, tokenizer))
    tool = tool_requirement() if is_new else None
    return Plan(answers, library, is_new, name, reference, tokenizer, model_files, tool)


def _check_is_whole(reference: Reference) -> None:
    """Raises `AddModelError` where a class that the registry names stands in none of the reference's files."""
    missing = sorted(set(reference.classes.values()) - reference.defined)
    if missing:
        raise AddModelError(f"{reference.folder}: {missing[0]}, which the registry names, is not there; restore its file or mend {reference.library.registry}")  # fmt: skip


def _library_to_be(root: Path, package: str) -> Library:
    return Library(root, {package: root / "src" / package}, Configuration(package=package))


def _model_files(
    library: Library, name: ModelName, reference: Reference, tokenizer: Reference | None
) -> Iterator[ModelFile]:
    for source, is_preprocessing in _sources(reference):
        if not is_preprocessing:
            yield _model_file(library, name, reference, source)
    for source, is_preprocessing in _sources(tokenizer):
        if is_preprocessing and tokenizer is not None:
            yield _model_file(library, name, tokenizer, source)


def _sources(reference: Reference | None) -> Iterator[tuple[Path, bool]]:
    if reference is not None:
        beginning = _PREPROCESSING.get(reference.preprocessing or "")
        for path in reference.files:
            yield path, beginning is not None and path.name.removeprefix("test_").startswith(beginning)


def _model_file(library: Library, name: ModelName, reference: Reference, source: Path) -> ModelFile:
    folder = (
        library.tests_folder / "models" if source.is_relative_to(reference.tests_folder) else library.models_folder
    )
    file_name = reference.renaming(name).text(source.name)
    return ModelFile(source, folder / name.snake / file_name, reference)
