"""What a source tree of Diffusers is made of: a module that defines a model or a scheduler, or a folder of pipelines.

Each is called by what its file and its classes spell alike. Where both say what it is beside whose it is
(`transformer_flux.py`, `FluxTransformer2DModel`), the latter is its name: `flux`. Where the classes begin as the file
does (`autoencoder_kl.py`, `AutoencoderKL`), all of it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from add_model.errors import AddModelError
from add_model.names import ModelName, word_spans
from add_model.references import read_text
from add_model.scaffold.diffusers.exports import exported_names
from add_model.scaffold.diffusers.layout import SourceTree

PIPELINE, SCHEDULER = "pipeline", "scheduler"
# Kind of model -> its folder, and what the names of files of it begin with.
FAMILIES: Mapping[str, tuple[str, str]] = {
    "transformer": ("transformers", "transformer"),
    "unet": ("unets", "unet"),
    "autoencoder": ("autoencoders", "autoencoder"),
    "controlnet": ("controlnets", "controlnet"),
}
# In the order in which parts of one model are made: what a pipeline is made of stands before it.
KINDS = (*FAMILIES, SCHEDULER, PIPELINE)
DEPRECATED = "deprecated"
_SCHEDULING = "scheduling_"
_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
_DEFINITION = re.compile(r"^(?:class|def) (\w+)", re.MULTILINE)
_TAIL = re.compile(r"(?:_transformer)?(?:_[123]d)?")
# What the name of a class ends with that says what it is, not whose.
_ROLE = re.compile(r"(?:(?:Multi)?ControlNet|Transformer(?:[123]D)?|[123]D)*(?:Model|Scheduler|Pipeline|Output)?$")


@dataclass(frozen=True, eq=False)
class Unit:
    """A module of a model or scheduler, or a folder of pipelines.

    Attributes:
        kind: one of `KINDS`.
        path: the module, or the folder.
        name: what it is called by: `flux`, `autoencoder_kl`, `ddim`.
        texts: each of its modules, relative to where `path` stands or, in a folder, to that; with its text.
        exported: the public names that it defines and the package exports, in the order in which it defines them.
    """

    kind: str
    path: Path
    name: str
    texts: Mapping[PurePosixPath, str]
    exported: tuple[str, ...]

    @property
    def is_folder(self) -> bool:
        """Whether it is a package of its own."""
        return self.kind == PIPELINE

    @property
    def stem(self) -> str:
        """The name of its file or folder."""
        return self.path.stem

    @property
    def has_whole_name(self) -> bool:
        """Whether its name is all that its file is called by."""
        return not self.is_folder and self.name == self.stem

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The public names that it defines and that are classes."""
        return tuple(name for name in self.exported if name[:1].isupper())

    def new_name(self, name: ModelName) -> ModelName:
        """How what stands for its name is called in a new model: one that says what it is goes on saying so."""
        lead = FAMILIES[self.kind][1] if self.kind in FAMILIES else ""
        spelled = self.leads_with(lead)
        if not self.has_whole_name or not spelled or name.snake.startswith(f"{lead}_"):
            return name
        return ModelName(f"{lead}_{name.snake}", spelled + name.camel, spelled + name.title)

    def leads_with(self, lead: str) -> str:
        """How its classes spell a word that its name begins with; empty where they do not."""
        found = next((each for each in self.classes if each.lower().startswith(lead)), "")
        return found[: len(lead)] if self.stem.startswith(f"{lead}_") or self.stem == lead else ""


@dataclass(frozen=True)
class _Module:
    """A module of a model or scheduler, before it is told what it is called."""

    kind: str
    path: Path
    stripped: str


def find_units(tree: SourceTree) -> list[Unit]:
    """Every model, scheduler and folder of pipelines that can be imported from the package itself.

    Raises:
        AddModelError: a file cannot be read, or the package file does not parse.
    """
    exported = exported_names(tree.package_folder / "__init__.py")
    units = [unit for module in _modules(tree) if (unit := _unit(module, exported)) is not None]
    return [*units, *(unit for folder in _folders(tree) if (unit := _pipeline(folder, exported)) is not None)]


def deprecated_names(tree: SourceTree) -> frozenset[str]:
    """What lies in the folders of what is deprecated: as it is called there."""
    places = (tree.pipelines_folder / DEPRECATED, tree.schedulers_folder / DEPRECATED)
    found = (path for place in places if place.is_dir() for path in place.iterdir() if not path.name.startswith("_"))
    return frozenset(path.stem.removeprefix(_SCHEDULING) for path in found)


def modular_names(tree: SourceTree) -> frozenset[str]:
    """The folders of modular pipelines."""
    place = tree.package_folder / "modular_pipelines"
    found = place.iterdir() if place.is_dir() else ()
    return frozenset(path.name for path in found if path.is_dir() and not path.name.startswith("_"))


def bare(text: str) -> str:
    """A name without its casing and what stands between its words."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def spelled_in(name: str, classes: Sequence[str]) -> str | None:
    """How the first of these classes that begins with a name spells it."""
    begins = re.compile(f"(?i:{'_?'.join(bare(name))})(?=[A-Z]|_|$)")
    return next((match.group() for each in classes if (match := begins.match(each))), None)


def spelling_of(name: str, classes: Sequence[str]) -> str:
    """What of the names of these classes stands for a name: as it is spelled there, or else what they begin with alike."""
    spelled = spelled_in(name, classes)
    if spelled is not None:
        return spelled
    for each in classes:
        spans = word_spans(each)
        for start, _ in spans:
            inside = next((each[start:end] for _, end in spans if bare(each[start:end]) == bare(name)), None)
            if inside is not None:
                return inside
    stems = [_ROLE.sub("", each) or each for each in classes]
    shared = [stems[0][:end] for _, end in word_spans(stems[0]) if all(stem.startswith(stems[0][:end]) for stem in stems)]  # fmt: skip
    return shared[-1] if shared else stems[0]


def _modules(tree: SourceTree) -> Iterator[_Module]:
    for kind, (folder, lead) in FAMILIES.items():
        for path in sorted((tree.models_folder / folder).glob("*.py")):
            led = re.fullmatch(rf"{lead}_(?:[123]d_)?(\w+)", path.stem)
            yield _Module(kind, path, led[1] if led else _without_tail(path.stem))
    for path in sorted(tree.schedulers_folder.glob(f"{_SCHEDULING}*.py")):
        yield _Module(SCHEDULER, path, path.stem.removeprefix(_SCHEDULING))


def _without_tail(stem: str) -> str:
    """`dit` of `dit_transformer_2d`."""
    return next((stem[:end] for end in range(1, len(stem)) if _TAIL.fullmatch(stem, end)), stem)


def _folders(tree: SourceTree) -> Iterator[Path]:
    for path in sorted(tree.pipelines_folder.iterdir()):
        if (path / "__init__.py").is_file() and path.name != DEPRECATED:
            yield path


def _unit(module: _Module, exported: frozenset[str]) -> Unit | None:
    if module.path.stem in ("__init__", "scheduling_utils"):
        return None
    text = _text(module.path)
    own = tuple(name for name in _DEFINITION.findall(text) if name in exported)
    if not own:
        return None
    classes = [name for name in own if name[:1].isupper()] or [*own]
    is_spelled = module.kind == SCHEDULER or spelled_in(module.stripped, classes) is not None
    is_whole = not is_spelled and spelled_in(module.path.stem, classes) is not None
    name = module.path.stem if is_whole else module.stripped
    return Unit(module.kind, module.path, name, {PurePosixPath(module.path.name): text}, own)


def _pipeline(folder: Path, exported: frozenset[str]) -> Unit | None:
    texts = {PurePosixPath(path.relative_to(folder).as_posix()): _text(path) for path in sorted(folder.rglob("*.py"))}
    defined = (name for text in texts.values() for name in _DEFINITION.findall(text))
    offered = exported | exported_names(folder / "__init__.py")
    own = tuple(dict.fromkeys(name for name in defined if name in offered))
    return Unit(PIPELINE, folder, folder.name, texts, own) if own else None


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except OSError as error:
        raise AddModelError(f"{path}: cannot be read: {error.strerror}; restore it and run again") from error
