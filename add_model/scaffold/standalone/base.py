"""The library around the models: the modules of the bundled one that a library's models need, and of those what they use.

A library is laid down with the modules that its models import, directly or through others. A few modules hold names that
stand side by side, such as the auto classes: of these a library has the ones that its models are registered for, or that
their tests name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path

from add_model.library import Library
from add_model.references import read_text, zoo
from add_model.registry import CONFIGURATION_MAPPING, MODEL_MAPPING
from add_model.registry_edits import without_entries, without_mappings
from add_model.scaffold.standalone.selection import without_names
from add_model.syntax_tree import syntax_tree

# What the package exports whatever its models are.
_ALWAYS = frozenset({"AutoConfig", "AutoModel", "PreTrainedConfig", "PreTrainedModel"})
# What the common tests hold for some models only.
_TESTERS = frozenset({"GenerationTesterMixin"})
# Whoever loads a tokenizer by its class's name may do so by that of the base class.
_TOGETHER = {"AutoTokenizer": "PreTrainedTokenizer"}
MENTIONED_MAPPING = re.compile(r"\bregistry\.(\w+_MAPPING_NAMES)\b")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Base:
    """The bundled library's own files, at their places in a library.

    Attributes:
        library: the library.
    """

    library: Library

    @cached_property
    def texts(self) -> Mapping[Path, str]:
        """Every file but the models', by its path in the library, importing from the library's package."""
        source = zoo()
        tests, texts = source.package_folder / "tests", dict[Path, str]()
        for path in sorted(source.package_folder.rglob("*")):
            if path.suffix != ".py" and path.name != "py.typed":
                continue
            inside_tests = path.is_relative_to(tests)
            relative = path.relative_to(tests if inside_tests else source.package_folder)
            if relative.parts[0] == "models" and len(relative.parts) > 2:
                continue
            folder = self.library.tests_folder if inside_tests else self.library.package_folder
            texts[folder / relative] = with_package(read_text(path), source.package, self.library.package)
        return texts

    @cached_property
    def core(self) -> frozenset[Path]:
        """The files that every library has, whatever its models import."""
        package, tests = self.library.package_folder, self.library.tests_folder
        packages = (package, package / "models", tests, tests / "models")
        return frozenset(
            {package / "py.typed", self.library.registry, *(folder / "__init__.py" for folder in packages)}
        )

    @cached_property
    def optional(self) -> frozenset[str]:
        """The names that a library has only where something of it needs them."""
        module = syntax_tree(self.texts[self.library.package_folder / "__init__.py"])
        exported = {alias.name for node in module.body if isinstance(node, ast.ImportFrom) for alias in node.names}
        return frozenset(exported | _TESTERS) - _ALWAYS

    @cached_property
    def mappings(self) -> Mapping[str, str]:
        """The registry's mapping that each of the optional auto classes looks into."""
        found: dict[str, str] = {}
        for path, text in self.texts.items():
            if path.suffix == ".py" and path.stem.startswith("auto"):
                for node in syntax_tree(text).body:
                    if isinstance(node, ast.ClassDef) and node.name in self.optional:
                        mentioned = set(MENTIONED_MAPPING.findall(ast.get_source_segment(text, node) or ""))
                        found |= dict.fromkeys([node.name], *(mentioned - {CONFIGURATION_MAPPING}))
        return found

    @property
    def selective(self) -> Iterator[Path]:
        """The files that hold optional names beside each other, of which a library has some."""
        package = self.library.package_folder
        yield from (package / "__init__.py", package / "auto.py", package / "auto_preprocessor.py")
        yield self.library.tests_folder / "test_modeling_common.py"

    def needed(self, mappings: Iterable[str], texts: Iterable[str]) -> frozenset[str]:
        """The optional names that are needed for these mappings of the registry, and by modules of these texts."""
        wanted = set(mappings)
        names = {name for name, mapping in self.mappings.items() if mapping in wanted}
        names |= {name for text in texts for name in self.held(text)}
        return frozenset(names | {other for name, other in _TOGETHER.items() if name in names})

    def held(self, text: str) -> frozenset[str]:
        """The optional names that a text mentions."""
        return self.optional.intersection(_WORD.findall(text))

    def bound(self, text: str) -> frozenset[str]:
        """The optional names that a module imports, or defines; one that does not parse, all that it mentions."""
        module, names = _tree(text), set[str]()
        if module is None:
            return self.held(text)
        for node in module.body:
            if isinstance(node, ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.ImportFrom):
                names |= {alias.name for alias in node.names}
        return self.optional & names

    def with_names(self, path: Path, names: Set[str]) -> str:
        """A file as it is where these of the optional names are needed."""
        text = self.texts[path]
        if path == self.library.registry:
            return self._registry({self.mappings[name] for name in names if name in self.mappings})
        if path not in self.selective:
            return text
        return without_names(text, self.bound(text) - names, keep=frozenset(_WORD.findall(text)))[0]

    def _registry(self, mappings: Set[str]) -> str:
        text = without_entries(self.texts[self.library.registry])
        return without_mappings(text, frozenset(self.mappings.values()) - mappings - {MODEL_MAPPING})

    def reached(self, texts: Mapping[Path, str], start: Iterable[Path]) -> frozenset[Path]:
        """The files among these texts that the first ones import, directly or through others, and those themselves."""
        found: set[Path] = set()
        waiting = [path for path in start if path in texts]
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                if path.suffix == ".py":
                    waiting += [other for other in _imported(path, texts[path], self.library) if other in texts]
        return frozenset(found)


def with_package(text: str, old: str, new: str) -> str:
    """A text that calls the package by its new name."""
    return re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w)", new, text)


def _tree(text: str) -> ast.Module | None:
    try:
        return syntax_tree(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imported(path: Path, text: str, library: Library) -> Iterator[Path]:
    """Where the modules would lie that a module imports from its own library, and perhaps do not."""
    module = _tree(text)
    if module is None:
        # What cannot be read may import whatever it mentions.
        places = (library.package_folder, library.tests_folder)
        yield from (place / f"{word}.py" for place in places for word in dict.fromkeys(_WORD.findall(text)))
        return
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            folder = path.parents[node.level - 1] if 0 < node.level <= len(path.parents) else None
            place = _place(node.module or "", folder, library)
            if place is not None:
                yield from _modules(place)
                yield from (place / f"{alias.name}.py" for alias in node.names)
        elif isinstance(node, ast.Import):
            named = (_place(alias.name, None, library) for alias in node.names)
            yield from (path for place in named if place is not None for path in _modules(place))


def _place(module: str, folder: Path | None, library: Library) -> Path | None:
    if folder is not None:
        return folder.joinpath(*module.split(".")) if module else folder
    if module == library.package or module.startswith(f"{library.package}."):
        rest = module.removeprefix(library.package).strip(".")
        return library.package_folder.joinpath(*rest.split(".")) if rest else library.package_folder
    return None


def _modules(place: Path) -> tuple[Path, Path]:
    return place.with_name(f"{place.name}.py"), place / "__init__.py"


def carried_over(before: str, after: str, edited: str) -> str | None:
    """Makes the difference between two texts in an edited copy of the first; `None` where it has no place there."""
    lines, present = before.splitlines(keepends=True), edited.splitlines(keepends=True)
    places = {
        block.a + offset: block.b + offset
        for block in SequenceMatcher(None, lines, present, autojunk=False).get_matching_blocks()
        for offset in range(block.size)
    }
    wanted, result, done = after.splitlines(keepends=True), list[str](), 0
    for tag, start, end, new_start, new_end in SequenceMatcher(None, lines, wanted, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        found = [places.get(line) for line in range(start, end)]
        if start < end:
            first = found[0]
            if first is None or found != list(range(first, first + len(found))):
                return None
        elif start - 1 in places:
            first = places[start - 1] + 1
        elif start in places:
            first = places[start]
        else:
            return None
        if first < done:
            return None
        result += [*present[done:first], *wanted[new_start:new_end]]
        done = first + end - start
    return "".join([*result, *present[done:]])
