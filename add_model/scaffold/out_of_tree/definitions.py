"""What the classes of a new model are, as far as their text tells: of what configuration, and needing which packages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

from add_model.references import read_text
from add_model.scaffold.checkout.layout import PACKAGE, Checkout
from add_model.scaffold.checkout.reference import PREPROCESSING, kind_of
from add_model.syntax_tree import syntax_tree

# What Transformers takes a file of such a name to need beside what its classes say.
_NEEDS_OF_FILES = {"image_processing_": ("vision",), "video_processing_": ("torch", "torchvision", "vision")}
_NEEDS_OF_BASES = {"TorchvisionBackend": ("torchvision",), "BaseImageProcessorFast": ("torchvision",)}
# Whatever depends on Transformers to run models has it.
_ALWAYS_THERE = frozenset({"torch"})
_PLAIN_BASES = frozenset({"object", "Generic", "Protocol"})


@dataclass(frozen=True)
class _Module:
    """A module's classes, and where the names come from that it imports: name -> module and name there."""

    classes: Mapping[str, ast.ClassDef]
    imported: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Definitions:
    """The classes of a model that is to be, whose modules are told as if they stood in Transformers.

    Attributes:
        checkout: the tree that the modules import from.
        folder: dotted path of the model's folder, such as `transformers.models.my_llama`.
        texts: dotted path of a module within that folder, such as `modeling_my_llama` -> its source.
    """

    checkout: Checkout
    folder: str
    texts: Mapping[str, str]

    @cached_property
    def defined_in(self) -> Mapping[str, str]:
        """Name of a class -> the module that defines it, within the folder.

        Some modeling files have a layer that is called as the feature extractor is; what is offered is the latter.
        """
        modules = sorted(self.texts, key=_is_of_preprocessing)
        return {name: module for module in modules for name in self._module(f"{self.folder}.{module}").classes}

    def configuration(self, name: str) -> str | None:
        """The configuration class that a model's class says is its own, itself or by what it derives from."""
        return next(self._configurations(f"{self.folder}.{self.defined_in[name]}", name, frozenset()), None)

    def derives(self, name: str) -> bool:
        """Whether a class derives from something of Transformers, so that it has what is asked of every such class."""
        node = self._node(name)
        bases = [ast.unparse(base).partition("[")[0] for base in node.bases]
        return any(self.derives(base) if base in self.defined_in else base not in _PLAIN_BASES for base in bases)

    def needs(self, name: str) -> tuple[str, ...]:
        """The optional packages without which Transformers offers no such class, by its names for them, sorted.

        The class is one of the model's, or a tokenizer or processor of the tree's; of any other nothing is known.
        """
        dotted = f"{self.folder}.{self.defined_in[name]}" if name in self.defined_in else self._home(name)
        if dotted is None:
            return ()
        node, module = self._module(dotted).classes[name], dotted.rpartition(".")[2]
        needed = {need for start, needs in _NEEDS_OF_FILES.items() if module.startswith(start) for need in needs}
        for base in node.bases:
            needed.update(_NEEDS_OF_BASES.get(ast.unparse(base), ()))
        for decorator in node.decorator_list:
            needed.update(_required(decorator))
        return tuple(sorted(needed - _ALWAYS_THERE))

    def _home(self, name: str) -> str | None:
        """The module of the tree that defines a tokenizer or processor, if one does."""
        for path in sorted(self.checkout.models_folder.glob("*/*.py")):
            if _is_of_preprocessing(path.stem) and f"class {name}(" in read_text(path):
                return f"{PACKAGE}.models.{path.parent.name}.{path.stem}"
        return None

    def _node(self, name: str) -> ast.ClassDef:
        return self._module(f"{self.folder}.{self.defined_in[name]}").classes[name]

    def _configurations(self, module: str, name: str, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        """What a class says of its configuration, the nearest first."""
        if (module, name) in seen:
            return
        found = self._module(module)
        node = found.classes.get(name)
        if node is None:
            if name in found.imported:
                yield from self._configurations(*found.imported[name], seen | {(module, name)})
            return
        yield from (name for _, name in sorted(_said_configurations(node), reverse=True))
        for base in node.bases:
            if isinstance(base, ast.Name):
                yield from self._configurations(module, base.id, seen | {(module, name)})

    def _module(self, module: str) -> _Module:
        """A module of the model's, or one of the tree; an empty one where it is neither."""
        own = self.texts.get(module.removeprefix(f"{self.folder}."))
        if own is not None and module.startswith(f"{self.folder}."):
            return _parsed(own, module)
        path = self.checkout.package_folder.joinpath(*module.split(".")[1:]).with_suffix(".py")
        is_there = module.startswith(f"{PACKAGE}.models.") and path.is_file()
        return _parsed(_text(path), module) if is_there else _Module({}, {})


def _is_of_preprocessing(module: str) -> bool:
    return kind_of(PurePosixPath(module.rpartition(".")[2])) in PREPROCESSING


def _said_configurations(node: ast.ClassDef) -> Iterator[tuple[bool, str]]:
    """The configuration class that a class names in its body, and whether as a value, which goes before."""
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == "config":
            yield from ((False, name) for name in _class_name(line.annotation))
        elif isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "config_class":
            yield from ((True, name) for name in _class_name(line.value))


def _class_name(node: ast.expr) -> Iterator[str]:
    text = node.value if isinstance(node, ast.Constant) else ast.unparse(node)
    if isinstance(text, str) and text.isidentifier() and text not in ("None", "Any"):
        yield text


def _required(decorator: ast.expr) -> Iterator[str]:
    """What `@requires(backends=("torchaudio",))` names; what it says of versions is not asked for."""
    if not isinstance(decorator, ast.Call) or ast.unparse(decorator.func) != "requires":
        return
    for keyword in decorator.keywords:
        if keyword.arg == "backends" and isinstance(keyword.value, (ast.Tuple, ast.List)):
            for element in keyword.value.elts:
                if isinstance(element, ast.Constant) and isinstance(element.value, str):
                    yield re.split("[<>=!]", element.value)[0]


@lru_cache(maxsize=256)
def _parsed(text: str, module: str) -> _Module:
    tree = syntax_tree(text)
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    imported = {
        alias.asname or alias.name: (_absolute(node, module), alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return _Module(classes, imported)


def _absolute(node: ast.ImportFrom, module: str) -> str:
    """The module that names are imported from."""
    outer = module.split(".")[: -node.level] if node.level else []
    return ".".join([*outer, *filter(None, [node.module])])


@lru_cache(maxsize=256)
def _text(path: Path) -> str:
    return read_text(path)
