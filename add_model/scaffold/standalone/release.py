"""What a library needs no longer once a model is gone: modules that only it imported, auto classes that only it had."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from add_model.library import Library
from add_model.registry import parse_registry
from add_model.registry_edits import without_mappings
from add_model.scaffold.belongings import Release
from add_model.scaffold.standalone.base import Base
from add_model.scaffold.standalone.laying_down import (
    as_laid_down,
    line_end,
    readable_text,
    with_line_ends,
    with_mentioned_mappings,
)
from add_model.scaffold.standalone.requirements import project_without


def release(library: Library, gone: frozenset[Path], registry: str) -> Release:
    """Finds out what of the library nothing uses any more.

    Args:
        library: the library.
        gone: the files of the model that go.
        registry: the registry without the model.

    Returns:
        What the files that change hold then, which of them go, and those that would go had they not been edited.

    Raises:
        AddModelError: a file of the library cannot be read, or its registry does not parse.
    """
    base = Base(library)
    before = {path: readable_text(path) for path in _modules(library)}
    after = {path: text for path, text in before.items() if path not in gone}
    around = base.texts.keys() & after.keys()
    mappings = [name for name, types in parse_registry(registry, str(library.registry)).mappings.items() if types]
    names = base.needed(mappings, [text for path, text in after.items() if path not in around])
    narrowed = dict(_narrowed(base, after, names))
    after |= narrowed
    start = [path for path in after if path not in around] + [path for path in base.core if path in after]
    idle = (base.reached(before, [*gone, *start]) - base.reached(after, start)) & around - base.core
    ours = as_laid_down(
        base, {path: base.bound(after[path]) if path.suffix == ".py" else frozenset() for path in idle}
    )
    edited = frozenset(path for path in idle if with_line_ends(after[path], "\n") not in ours[path])
    # What stays keeps what it imports.
    unused = idle - base.reached(after, [*start, *edited])
    kept = {path: text for path, text in after.items() if path in around and path not in unused}
    changed = {path: text for path, text in narrowed.items() if path not in unused}
    left = [text for path, text in after.items() if path not in unused]
    # A library that has lost its last model is made for the next one as it was for the first.
    project = project_without(library, before.values(), left) if mappings else {}
    return Release({**changed, **project, library.registry: _registry(base, registry, kept)}, unused, edited)


def _modules(library: Library) -> Iterator[Path]:
    """The modules of the package and of its tests."""
    for folder in dict.fromkeys((library.package_folder, library.tests_folder)):
        for path in sorted(folder.rglob("*.py")):
            inside = os.path.realpath(path).startswith(os.path.realpath(library.root) + os.sep)
            if "__pycache__" not in path.parts and path.is_file() and inside:
                yield path


def _narrowed(base: Base, texts: Mapping[Path, str], names: frozenset[str]) -> Iterator[tuple[Path, str]]:
    """Each file that is as it was laid down and holds more of the optional names than these, without the others."""
    held = {path: base.bound(texts[path]) for path in base.selective if path in texts}
    unused = {path: found - names for path, found in held.items() if found - names}
    as_it_was = as_laid_down(base, {path: held[path] for path in unused})
    as_it_is_then = as_laid_down(base, {path: held[path] - found for path, found in unused.items()})
    for path in unused:
        text = with_line_ends(texts[path], "\n")
        if text in as_it_was[path]:
            narrowed = as_it_is_then[path][as_it_was[path].index(text)]
            yield path, with_line_ends(narrowed, line_end(texts[path]))


def _registry(base: Base, registry: str, around: Mapping[Path, str]) -> str:
    """The registry without the mappings that nothing looks into any more, and with those that something does."""
    parsed = parse_registry(registry, str(base.library.registry))
    text = with_mentioned_mappings(registry, around.values())
    mentioned = "".join(around.values())
    known = frozenset(base.mappings.values())
    idle = {name for name in known if not parsed.mappings.get(name) and f"registry.{name}" not in mentioned}
    return without_mappings(text, idle & parsed.mappings.keys())
