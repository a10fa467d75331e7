"""A model folder of a checkout as a reference: its files, model types, and how its name is spelled. Read as text."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from add_model.errors import AddModelError
from add_model.family import family_member
from add_model.names import ModelName, words
from add_model.nearest import close, named_in_checkpoint, spelled_otherwise
from add_model.references import read_text, spellings
from add_model.scaffold.checkout.layout import PACKAGE, Checkout
from add_model.scaffold.copied_text.vocabulary import Vocabulary
from add_model.syntax_tree import syntax_tree

# Kinds of files by what their names start with; the longer of two comes first.
_KINDS = {
    "__init__": "package",
    "configuration": "configuration",
    "modeling": "modeling",
    "generation": "generation",
    "tokenization": "tokenization",
    "image_processing": "image processing",
    "video_processing": "video processing",
    "feature_extraction": "feature extraction",
    "processing": "processing",
    "processor": "processing",
    "convert": "conversion",
    "modular": "modular",
}
OTHER_KIND = "helper"
# A conversion script is about the original's checkpoints, and a modular file is what single files are generated from.
NOT_COPIED = frozenset({"conversion", "modular"})
TOKENIZATION = "tokenization"
PREPROCESSING = frozenset({TOKENIZATION, "image processing", "video processing", "feature extraction", "processing"})
# The auto mappings that say which class of a kind a model type has.
TABLES_OF_KIND = {
    TOKENIZATION: ("TOKENIZER_MAPPING_NAMES",),
    "image processing": ("IMAGE_PROCESSOR_MAPPING_NAMES",),
    "video processing": ("VIDEO_PROCESSOR_MAPPING_NAMES",),
    "feature extraction": ("FEATURE_EXTRACTOR_MAPPING_NAMES",),
    "processing": ("PROCESSOR_MAPPING_NAMES",),
}
_NO_MODELS = frozenset({"auto", "deprecated"})
_REGISTERED = re.compile(r"""["']([\w.-]+)["']\s*[:,]\s*["'](\w+Config)["']""")
_NAMED = re.compile(r"""["']([A-Z]\w+)["']""")
_FRAMEWORK = re.compile(r"_*(?:TF|Flax)(?=[A-Z])")
_TITLES = "\nMODEL_NAMES_MAPPING"
_TITLE = re.compile(r"""["']([\w.-]+)["'],\s*["']([^"']+)["']""")
_HEADING = re.compile(r"(?m)^# (.+?)[ \t]*$")
# Behind a slash, or with more to it, it is the name of a checkpoint.
_HYPHENATED = re.compile(r"(?<![\w/.-])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+(?![\w/-])")


@dataclass(frozen=True)
class SourceFile:
    """A Python file of a model folder.

    Attributes:
        path: where it stands in the folder.
        kind: what it is for: `configuration`, `modeling`, `tokenization`, ...
        text: its text, with the line endings that it has.
    """

    path: PurePosixPath
    kind: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree.

        Raises:
            AddModelError: it does not parse.
        """
        try:
            return syntax_tree(self.text)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            raise AddModelError(f"{self.path}{f':{line}' if line else ''}: does not parse: {error}; mend it and run again") from error  # fmt: skip


@dataclass(frozen=True)
class CheckoutReference:
    """A model of a checkout.

    Attributes:
        checkout: the tree that holds it.
        folder: where its files are, below the models' folder: `bert`, `deprecated/van`.
        files: its files that a copy of it is made of, sub-folders' included.
        not_copied: those that it is not made of.
        registered: model type -> configuration class, of every model of the tree.
        called: model type -> how prose calls it, of every model of the tree that says so.
        heading: what its page of the documentation is headed by.
    """

    checkout: Checkout
    folder: PurePosixPath
    files: tuple[SourceFile, ...]
    not_copied: tuple[PurePosixPath, ...]
    registered: Mapping[str, str]
    called: Mapping[str, str] = field(default_factory=dict)
    heading: str = ""

    @property
    def specification(self) -> str:
        """What to type for exactly this reference: `transformers:bert`."""
        return f"{PACKAGE}:{self.folder.name}"

    @property
    def package(self) -> str:
        """Dotted name of its folder."""
        return ".".join([PACKAGE, "models", *self.folder.parts])

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What its code says."""
        vocabulary = Vocabulary()
        for file in self.files:
            try:
                vocabulary.read(file.tree, self.folder.name, len(file.path.parts))
            except AddModelError as error:
                raise AddModelError(f"{self.checkout.models_folder / self.folder}/{error}") from error
        return vocabulary

    @cached_property
    def model_types(self) -> Mapping[str, str]:
        """Its model types, each with its configuration class: those that its classes say, and are registered for."""
        return {model_type: name for name, model_type in self.vocabulary.model_types.items() if self.registered.get(model_type) == name}  # fmt: skip

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """What else its configuration classes are registered under; a type that a folder is called after is that model's."""
        vocabulary, models = self.vocabulary, self.checkout.models_folder
        said = {*vocabulary.model_types.values()}
        found = {alias: name for alias, name in self.registered.items() if name in vocabulary.classes and alias not in said}  # fmt: skip
        names = {alias: alias.replace("-", "_") for alias in found}
        return {alias: name for alias, name in found.items() if names[alias] == self.folder.name or not (models / names[alias]).is_dir()}  # fmt: skip

    @cached_property
    def classes(self) -> frozenset[str]:
        """The public names that it defines, functions included."""
        return frozenset(self.vocabulary.exported & self.vocabulary.defined)

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """The prefixes of its classes that spell its name, the most frequent one first."""
        own = re.sub("_", "", self.folder.name)
        found = Counter(prefix for name in self._prefixed for prefix in _prefixes(name) if _bare(prefix) == own)
        return tuple(prefix for prefix, _ in found.most_common()) or (self._common_prefix,)

    @cached_property
    def name(self) -> ModelName:
        """Its name in every casing."""
        camel = self.spellings[0]
        member = family_member(self.folder.name)
        title = member.title if member is not None and _bare(member.title) == _bare(camel) else camel
        return ModelName(self.folder.name, camel.rstrip("_"), title)

    @cached_property
    def titles(self) -> frozenset[str]:
        """What else prose calls it by a name with hyphens: `BLIP-2`, `XLM-RoBERTa`.

        As its own files spell its name, and as the tree's table of titles and its page do.
        """
        own = {_bare(self.folder.name), *(_bare(spelling) for spelling in self.spellings)}
        written = {title.rstrip(".") for file in self.files for title in _HYPHENATED.findall(file.text)}
        spelled = {title for title in written if not title.islower() and _bare(title) in own}
        of_others = {title for model_type, title in self.called.items() if model_type not in self.model_types}
        given = {self.heading, *self.called.values()} - of_others
        return frozenset({*spelled, *filter(_HYPHENATED.fullmatch, given)} - {self.name.title})

    @property
    def heads(self) -> Mapping[str, str]:
        """The heads to choose from: none, for a model of a checkout has all of its reference's."""
        return {}

    @property
    def all_heads(self) -> tuple[str, ...]:
        """The answer that stands for every head."""
        return ("all",)

    @property
    def reads_by(self) -> str:
        """What can be left out or taken from another model here is a tokenizer; a processor comes along by itself."""
        return "tokenizer"

    @property
    def tokenizer(self) -> str | None:
        """Name of its tokenizer class, the slow one where it has two."""
        return self.tokenizers[0] if self.tokenizers else None

    @cached_property
    def tokenizers(self) -> tuple[str, ...]:
        """Its tokenizer classes."""
        return tuple(sorted(name for name in self.classes if re.search(r"Tokenizer(Fast)?$", name)))

    def has(self, kind: str) -> bool:
        """Whether it has a file of a kind."""
        return any(file.kind == kind for file in self.files)

    @property
    def _prefixed(self) -> list[str]:
        names = self.vocabulary.exported & self.vocabulary.classes or self.vocabulary.classes
        return sorted(_FRAMEWORK.sub("", name) for name in names)

    @property
    def _common_prefix(self) -> str:
        """What the configurations' names have in common, where no class spells the folder's name."""
        stems = sorted(name.removesuffix("Config") for name in self._prefixed if name.endswith("Config")) or self._prefixed  # fmt: skip
        shared = [prefix for prefix in _prefixes(stems[0]) if all(stem.startswith(prefix) for stem in stems)] if stems else []  # fmt: skip
        return shared[-1] if shared else "".join(word.capitalize() for word in self.folder.name.split("_"))


def find_checkout_reference(specification: str, checkout: Checkout) -> CheckoutReference:
    """Finds `llama`, `transformers:llama`, a model type such as `xlm-roberta`, or a folder below `deprecated`.

    Raises:
        AddModelError: there is no such model, or its folder holds no modeling file; the nearest ones are offered.
    """
    origin, colon, wanted = specification.rpartition(":")
    if colon and origin not in (PACKAGE, "library"):
        raise AddModelError(f"reference {specification!r}: a checkout starts from its own models; pass one of them, such as {PACKAGE}:llama")  # fmt: skip
    folders = model_folders(checkout)
    registered = registered_types(checkout)
    spelled = wanted.removeprefix("deprecated/").removeprefix("deprecated.")
    for candidate in (spelled, spelled.replace("-", "_"), _folder_of_type(checkout, registered.get(spelled))):
        if candidate in folders:
            return read_reference(checkout, folders[candidate], registered)
    known = spellings(folders) | {
        name: name.replace("-", "_") for name in registered if name.replace("-", "_") in folders
    }
    meant = spelled_otherwise(spelled, known)
    if meant is not None:
        return read_reference(checkout, folders[meant], registered)
    if (checkout.models_folder / spelled).is_dir() and spelled.isidentifier():
        raise AddModelError(f"{checkout.models_folder / spelled}: has no modeling file, so that no model can start from it; choose another reference")  # fmt: skip
    meant = named_in_checkpoint(wanted, known)
    if meant is not None and close(wanted, folders, 1) != [meant]:
        raise AddModelError(f"unknown reference {specification!r}: it looks like a checkpoint of {meant}; pass {PACKAGE}:{meant}")  # fmt: skip
    likely = close(wanted, folders)
    raise AddModelError(f"unknown reference {specification!r}; nearest: {', '.join(f'{PACKAGE}:{name}' for name in likely) or 'none'} (all: add-model references --into {checkout.root})")  # fmt: skip


def model_folders(checkout: Checkout) -> dict[str, PurePosixPath]:
    """Every model folder of a checkout that has a modeling file, by its name."""
    models = checkout.models_folder
    found = sorted({path.parent for pattern in ("*/modeling_*.py", "deprecated/*/modeling_*.py") for path in models.glob(pattern)}, reverse=True)  # fmt: skip
    folders = {path.name: PurePosixPath(path.relative_to(models).as_posix()) for path in found if path.name not in _NO_MODELS}  # fmt: skip
    return dict(sorted(folders.items()))


def registered_types(checkout: Checkout) -> dict[str, str]:
    """Model type -> configuration class, of every model of a checkout."""
    files = [checkout.auto_folder / "configuration_auto.py", checkout.generated_mappings]
    return {model_type: name for path in files if path.is_file() for model_type, name in _REGISTERED.findall(read_text(path))}  # fmt: skip


def registered_names(checkout: Checkout) -> frozenset[str]:
    """Every class that the auto mappings of a checkout name."""
    return frozenset(name for path in checkout.auto_folder.glob("*.py") for name in _NAMED.findall(read_text(path)))


def read_reference(checkout: Checkout, folder: PurePosixPath, registered: Mapping[str, str]) -> CheckoutReference:
    """Reads a model folder.

    Raises:
        AddModelError: a file cannot be read.
    """
    place = checkout.models_folder / folder
    files, not_copied = [], []
    for path in sorted(place.rglob("*.py")):
        relative = PurePosixPath(path.relative_to(place).as_posix())
        kind = kind_of(relative)
        if kind in NOT_COPIED:
            not_copied.append(relative)
        else:
            files.append(SourceFile(relative, kind, read_text(path)))
    called, heading = _called(checkout), _heading(checkout, folder.name)
    return CheckoutReference(checkout, folder, tuple(files), tuple(not_copied), registered, called, heading)


def _called(checkout: Checkout) -> dict[str, str]:
    """Model type -> how prose calls it, by the table of titles that 4.x has."""
    path = checkout.auto_folder / "configuration_auto.py"
    return dict(_TITLE.findall(read_text(path).partition(_TITLES)[2].partition("\n)")[0])) if path.is_file() else {}


def _heading(checkout: Checkout, folder: str) -> str:
    """What the page of a folder's model is headed by; empty where there is none."""
    pages = (checkout.docs_folder / "model_doc" / f"{name}.md" for name in (folder, folder.replace("_", "-")))
    found = next((_HEADING.search(read_text(page)) for page in pages if page.is_file()), None)
    return found[1] if found is not None else ""


def _folder_of_type(checkout: Checkout, configuration: str | None) -> str:
    """The folder whose configuration defines a class; empty where none does."""
    if configuration is None:
        return ""
    pattern = re.compile(rf"^class {configuration}\b", re.MULTILINE)
    for path in sorted(checkout.models_folder.glob("*/configuration_*.py")):
        if pattern.search(read_text(path)):
            return path.parent.name
    return ""


def kind_of(path: PurePosixPath) -> str:
    """What a file of a model folder is for, told from its name."""
    return next((kind for start, kind in _KINDS.items() if path.name.startswith(start)), OTHER_KIND)


def _prefixes(name: str) -> Iterator[str]:
    """The beginnings of a name that end with a word of it; an underscore behind a word belongs to the beginning."""
    end = 0
    for word in words(name):
        end = name.index(word, end) + len(word)
        if name[end : end + 1] == "_" and name[end + 1 : end + 2].isalpha():
            yield name[: end + 1]
        yield name[:end]


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
