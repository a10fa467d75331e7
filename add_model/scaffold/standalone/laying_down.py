"""The files around a model that its library has not yet: all of them in a new one, in another what the model needs more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import Library
from add_model.reading import read_bytes
from add_model.registry import parse_registry
from add_model.registry_edits import with_entries
from add_model.scaffold.formatting import format_files
from add_model.scaffold.rendering import LeftOut, RenderedFile, as_it_is
from add_model.scaffold.standalone.base import MENTIONED_MAPPING, Base, carried_over


def library_files(
    library: Library, is_new: bool, mappings: Iterable[str], modules: Mapping[Path, str]
) -> tuple[list[RenderedFile], list[LeftOut]]:
    """The files of the library that a model needs and that are not there, or not with all that it needs.

    Args:
        library: the library; where it is to be laid down, as it will be.
        is_new: whether it is laid down first.
        mappings: the mappings of the registry that the model has a class in.
        modules: the model's modules and their tests.

    Returns:
        The files without the registry, and what had no place in a file that was edited.

    Raises:
        AddModelError: a file of the library cannot be read.
    """
    base = Base(library)
    names = base.needed(mappings, modules.values())
    if is_new:
        texts = {path: base.with_names(path, names) for path in base.texts}
        needed = base.reached({**texts, **modules}, [*modules, *base.core])
        paths = sorted((needed & texts.keys()) - {library.registry})
        return [RenderedFile(path, texts[path], of_model=False) for path in paths], []
    widened, left_out = list[RenderedFile](), list[LeftOut]()
    for file, missing in _lacking(base, names):
        text = _widened(base, file, missing)
        if text is None:
            left_out.append(LeftOut(f"{', '.join(sorted(missing))} in {file.path.relative_to(library.root)}", "the file was edited where that belongs; add it as the other names stand there"))  # fmt: skip
        else:
            widened.append(RenderedFile(file.path, text, file.before, of_model=False))
    present = {path: readable_text(path) for path in base.texts if path.is_file()}
    texts = {path: base.with_names(path, names) for path in base.texts if path not in present}
    texts |= present | {file.path: file.text for file in widened} | dict(modules)
    needed = base.reached(texts, [*modules, *(file.path for file in widened)])
    added = sorted(path for path in needed if path in base.texts and path not in present)
    return [*widened, *(RenderedFile(path, texts[path], of_model=False) for path in added)], left_out


def _lacking(base: Base, names: frozenset[str]) -> Iterator[tuple[RenderedFile, frozenset[str]]]:
    """The files of a library that hold some optional names and not all of these, and which they lack."""
    for path in base.selective:
        if path.is_file():
            file = as_it_is(path, of_model=False)
            missing = (base.bound(base.texts[path]) & names) - base.bound(file.text)
            if missing:
                yield file, missing


def _widened(base: Base, file: RenderedFile, missing: frozenset[str]) -> str | None:
    held = base.bound(file.text)
    before = as_laid_down(base, {file.path: held})[file.path]
    after = as_laid_down(base, {file.path: held | missing})[file.path]
    text = with_line_ends(file.text, "\n")
    changed = after[before.index(text)] if text in before else carried_over(before[-1], after[-1], text)
    return None if changed is None else with_line_ends(changed, line_end(file.text))


def as_laid_down(base: Base, names: Mapping[Path, frozenset[str]]) -> dict[Path, tuple[str, str]]:
    """Each file as it is bundled, with these names of the optional ones, and as it is formatted in this library."""
    texts = {path: base.with_names(path, found) for path, found in names.items()}
    formatted = format_files(base.library.root, texts)[0] if texts else {}
    return {path: (text, formatted[path]) for path, text in texts.items()}


def readable_text(path: Path) -> str:
    """What can be read of a module: its imports are wanted, and it may be anybody's.

    Raises:
        AddModelError: it cannot be opened.
    """
    try:
        return read_bytes(path).decode("utf-8-sig", "replace")
    except OSError as error:
        raise AddModelError(f"{path}: cannot be read: {error.strerror}; mend that and run again") from error


def line_end(text: str) -> str:
    """How the lines of a text end."""
    return "\r\n" if "\r\n" in text else "\n"


def with_line_ends(text: str, end: str) -> str:
    """A text whose lines end so."""
    return text.replace("\r\n", "\n").replace("\n", end)


def with_mentioned_mappings(registry: str, texts: Iterable[str]) -> str:
    """A registry that has every mapping which these texts of the library look into, be it an empty one."""
    mentioned = {name for text in texts for name in MENTIONED_MAPPING.findall(text)}
    missing = mentioned - parse_registry(registry, "registry.py").mappings.keys()
    return with_entries(registry, {name: {} for name in sorted(missing)}) if missing else registry
