"""A library of one's own in plain PyTorch, or one that is to be made, as a place for models."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.held_model import HeldModel, registered_model
from add_model.library import Configuration, Library, library_at, read_configuration
from add_model.names import ModelName
from add_model.references import TARGET, ZOO, Reference, available, find_reference, read_text, registry_of, zoo
from add_model.registry import CONFIGURATION_MAPPING, IMAGE_PROCESSOR_MAPPING, TOKENIZER_MAPPING
from add_model.scaffold.answers import NO_TOKENIZER, SAME_TOKENIZER, SHARED_TOKENIZER, SINGLE_STYLE, Answers
from add_model.scaffold.belongings import Belongings, Release, in_own_library
from add_model.scaffold.naming import check_is_new
from add_model.scaffold.rendering import Rendering
from add_model.scaffold.standalone.clashes import check_clashes
from add_model.scaffold.target import Candidate, Target
from add_model.state import STATE_FOLDER


@dataclass(frozen=True)
class Standalone:
    """A library in plain PyTorch.

    Attributes:
        library: the library; where it is to be laid down, as it will be.
        is_new: whether it is laid down first.
    """

    library: Library
    is_new: bool = False

    kind = "pytorch"
    is_reviewed = False
    origin = TARGET
    starts_from_itself = True
    starts_from_bundled = True

    @property
    def root(self) -> Path:
        """The folder that everything is written below."""
        return self.library.root

    @property
    def package(self) -> str:
        """The name of its package."""
        return self.library.package

    @property
    def described(self) -> str:
        """What it is, in words."""
        return "a new library in plain PyTorch" if self.is_new else "a library in plain PyTorch"

    @property
    def why_not_here(self) -> str:
        """Why a model that is known cannot be started from here."""
        return "not in plain PyTorch: a package on transformers can start from them, in another folder (Ctrl-C, then add-model like --into DIR)"  # fmt: skip

    def ensure_ready(self) -> None:
        """Checks that it has a registry, where it is there already."""
        if not self.is_new and not self.library.registry.is_file():
            raise AddModelError(f"{self.library.registry}: the library has no registry; check `package` and `source` in [tool.add-model] of {self.root / 'pyproject.toml'}")  # fmt: skip

    def startable(self) -> dict[str, Collection[str]]:
        """Its own models, and the bundled ones."""
        own = {} if self.is_new else {TARGET: registry_of(self.library).model_types}
        return {**own, ZOO: registry_of(zoo()).model_types}

    def find_candidate(self, specification: str) -> Reference:
        """A model of its own, of the zoo, or of an installed library of this kind."""
        return find_reference(specification, self._existing)

    def titles(self) -> dict[str, str]:
        """How each of its models is called in prose."""
        if self.is_new:
            return {}
        registry = registry_of(self.library)
        return {name: registry.mappings[CONFIGURATION_MAPPING][name].removesuffix("Config") for name in registry.model_types}  # fmt: skip

    def styles(self) -> tuple[str, ...]:
        """There is one."""
        return (SINGLE_STYLE,)

    def tokenizer_answers(self) -> tuple[str, ...]:
        """The same as the reference's, or none."""
        return SAME_TOKENIZER, NO_TOKENIZER

    def tokenizer_donors(self, reference: Candidate) -> list[tuple[str, str, str]]:
        """The other models that can be started from and have a tokenizer, or an image processor if the reference has."""
        found = [find_reference(specification, self._existing) for specification in available(self._existing)]
        kinds = self._preprocessing(reference)
        return [(other.specification, other.name.snake, other.tokenizer) for other in found if other.tokenizer and other.preprocessing in kinds and other.specification != reference.specification]  # fmt: skip

    def check_tokenizer(self, wanted: str, reference: Candidate) -> str:
        """The answer for the tokenizer; that of a model without one is none."""
        if wanted == SAME_TOKENIZER:
            return NO_TOKENIZER if reference.tokenizer is None else SAME_TOKENIZER
        if wanted == NO_TOKENIZER:
            return wanted
        if wanted == SHARED_TOKENIZER:
            raise AddModelError("--tokenizer-like shared: only models like one of Transformers can share a tokenizer; choose another reference, same or none")  # fmt: skip
        other = find_reference(wanted, self._existing)
        if other.preprocessing not in self._preprocessing(reference):
            kind = "image processor" if IMAGE_PROCESSOR_MAPPING in self._preprocessing(reference) else "tokenizer"
            raise AddModelError(f"--tokenizer-like: {wanted} has no {kind}; choose another reference, same or none")
        return SAME_TOKENIZER if other.specification == reference.specification else other.specification

    def check_new_name(self, name: ModelName, reference: str | None, may_exist: bool) -> ModelName:
        """The new model's name, held against the reference's code and the library's classes and models."""
        if reference is not None:
            start = find_reference(reference, self._existing)
            check_clashes(name, start, self._existing or zoo())
            if not self.is_new:
                _check_classes_are_new(start, name, self.library)
        models = [] if self.is_new else _existing_models(self.library)
        check_is_new(name.snake, models, None if self.is_new else self.root, self.package, may_exist)
        return name

    def is_made_from_itself(self, candidate: Candidate, name: str) -> bool:
        """Whether the reference is the library's own model of that name."""
        if candidate.name.snake != name or self.is_new:
            return False
        return isinstance(candidate, Reference) and candidate.library.root == self.root

    def make(self, answers: Answers) -> Rendering:
        """Plans and renders a model."""
        from add_model.scaffold.standalone.plan import make_plan
        from add_model.scaffold.standalone.render import render

        return render(make_plan(answers, self._existing, self.root))

    def belongings(self, name: str) -> Belongings:
        """The places of a model."""
        return in_own_library(self.library, name)

    def release(self, gone: frozenset[Path], texts: Mapping[Path, str]) -> Release | None:
        """The modules and auto classes that only the model used."""
        from add_model.scaffold.standalone.release import release

        registry = self.library.registry
        if not registry.is_file():
            return None
        return release(self.library, gone, texts[registry] if registry in texts else read_text(registry))

    def model_names(self) -> Sequence[str]:
        """The models that its registry lists, or that `like` wrote there."""
        made = [path.name for path in (self.root / STATE_FOLDER / "models").glob("*") if path.is_dir()]
        return sorted({*self._registered(), *made})

    def find_model(self, name: str) -> HeldModel | None:
        """A model that its registry lists, or whose modules are there."""
        try:
            folder = self.library.models_folder / name
        except AddModelError:
            return None
        is_known = name in self.model_names() or (name.isidentifier() and any(folder.glob("configuration_*.py")))
        return registered_model(self.library, name) if is_known else None

    def _preprocessing(self, reference: Candidate) -> tuple[str, ...]:
        """The mapping of what a model's like turns input into numbers with; either, for a model that has none."""
        own = find_reference(reference.specification, self._existing).preprocessing
        return (TOKENIZER_MAPPING, IMAGE_PROCESSOR_MAPPING) if own is None else (own,)

    @property
    def _existing(self) -> Library | None:
        return None if self.is_new else self.library

    def _registered(self) -> list[str]:
        try:
            registry = self.library.registry
        except AddModelError:
            # A folder with no package, or with several.
            return []
        return registry_of(self.library).model_types if registry.is_file() else []


class StandaloneKind:
    """The libraries in plain PyTorch; one is meant wherever no other is."""

    name = Standalone.kind

    @property
    def purpose(self) -> tuple[str, str]:
        """What it is, and what can be started from there."""
        from add_model.family import family

        bundled = [member.title for member in family() if member.model_type in registry_of(zoo()).model_types]
        return "a library of its own in plain PyTorch", f"like {', '.join(bundled)}"

    def at(self, root: Path) -> Target | None:
        """The library whose configuration stands here."""
        configuration = read_configuration(root)
        return None if configuration is None else Standalone(library_at(root, configuration))

    def is_around(self, folder: Path) -> bool:
        """Whether the folder holds a configuration."""
        return read_configuration(folder) is not None

    def new(self, root: Path, package: str) -> Target:
        """The library that is to be made in a folder."""
        library = Library(root, {package: root / "src" / package}, Configuration(package=package))
        return Standalone(library, is_new=True)

    def of(self, library: Library) -> Standalone:
        """A library that has no configuration of ours, or none at all: what was found where one was looked for."""
        return Standalone(library)

    def is_meant(self, root: Path, reference: str | None) -> bool:
        """Always."""
        return True


def _check_classes_are_new(reference: Reference, name: ModelName, library: Library) -> None:
    """Raises `AddModelError` where another model's classes are called so: `GPT` and its `LMHead...` beside `GPTLM`."""
    renaming = reference.renaming(name)
    own = {renaming.identifier(old) for old in reference.classes.values()}
    for types in registry_of(library).mappings.values():
        for model_type, taken in types.items():
            if taken in own and model_type != name.snake:
                raise AddModelError(f"--class-name {name.camel!r} clashes with {taken}, a class of {model_type}; choose another casing, or another --name")  # fmt: skip


def _existing_models(library: Library) -> Sequence[str]:
    folders = [path.parent.name for path in library.models_folder.glob("*/modeling_*.py")]
    return sorted({*registry_of(library).model_types, *folders})
