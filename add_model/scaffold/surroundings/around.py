"""What stands around the code of a model in a library of one's own, whatever that depends on: values, files, the index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from add_model import __version__
from add_model.boundary import ensure_inside
from add_model.errors import AddModelError
from add_model.library import CONFIGURATION_FILE, Library
from add_model.names import ModelName
from add_model.scaffold.answers import Answers
from add_model.scaffold.rendering import LeftOut, RenderedFile, as_it_is
from add_model.scaffold.surroundings.documentation import document, with_index_entry
from add_model.scaffold.surroundings.project_file import with_configuration
from add_model.scaffold.surroundings.templates import render_folder
from add_model.state import STATE_FOLDER

# The folders that stand for the library's own in the paths of the templates.
_DOCS, _PACKAGE, _TESTS = "docs/", "package/", "tests/"


def template_values(
    library: Library, answers: Answers, name: ModelName, folder: Path, modules: Mapping[Path, str]
) -> dict[str, Any]:
    """What the templates of every kind of library can use. Plain values only: through a path, a template could read
    and write whatever the user can.

    Args:
        library: where the model goes.
        answers: what it is made from.
        name: its name.
        folder: the folder of its modules.
        modules: its modules, and those of its tests: path -> text.
    """
    root = library.root
    return {
        "name": name,
        "version": __version__,
        "package": library.package,
        "module": ".".join([library.package, *folder.relative_to(library.package_folder).parts]),
        "follows": list(library.configuration.follows),
        "answers": answers.for_pages,
        "documentation": document(modules),
        "folders": {
            "model": folder.relative_to(root).as_posix(),
            "tests": (library.tests_folder / "models" / name.snake).relative_to(root).as_posix(),
            "docs": library.configuration.docs,
            "state": f"{STATE_FOLDER}/models/{name.snake}",
        },
    }


def files_from_templates(
    group: str,
    library: Library,
    name: ModelName,
    values: Mapping[str, Any],
    own_group: str | None = None,
    of_model: bool = True,
) -> Iterator[RenderedFile]:
    """The files that the templates of a group give.

    Args:
        group: the group (`model`, `library`).
        library: where the files go.
        name: the model's name.
        values: what the templates can use.
        own_group: the group of the templates that only libraries of this kind have, and that win.
        of_model: whether the files belong to the model, rather than to the library around it.

    Raises:
        AddModelError: a template fails, or the folder with the user's own leads out of the library.
    """
    own = None if library.configuration.templates is None else library.root / library.configuration.templates
    if own is not None:
        ensure_inside(library.root, own)
    groups = [found for found in (own_group, group) if found is not None]
    for path, text in render_folder(groups, values, name.snake, own):
        yield RenderedFile(placed(library, path.as_posix()), text, of_model=of_model)


def with_project_file(files: Iterator[RenderedFile], library: Library) -> Iterator[RenderedFile]:
    """The files that a library is laid down with; a project that is there already is taught about the library."""
    path = library.root / CONFIGURATION_FILE
    for file in files:
        if file.path == path and path.exists():
            there = as_it_is(path, of_model=False)
            configuration = library.configuration
            yield replace(there, text=with_configuration(there.text, library.package, configuration.follows))
        else:
            yield file


def refuse_duplicates(library: Library, files: Sequence[RenderedFile]) -> None:
    """A template of the user's own may not stand for a file that is not made from a template.

    Raises:
        AddModelError: one does.
    """
    paths = [file.path for file in files]
    for path in paths:
        if paths.count(path) > 1:
            raise AddModelError(f"{library.root / (library.configuration.templates or '')}: a template there would write {path}, which is not made from a template; give it another path")  # fmt: skip


def with_index(
    library: Library, files: Sequence[RenderedFile], name: ModelName, reference: ModelName
) -> tuple[list[RenderedFile], list[LeftOut]]:
    """The files with the model's entry in the docs index, which is one of them or stands in the library already."""
    path = library.docs_folder / "index.md"
    laid_down = [file for file in files if file.path == path]
    if not laid_down and not path.is_file():
        return list(files), [LeftOut(f"entry in {path.name} of the docs", "the library has none")]
    index = laid_down[0] if laid_down else as_it_is(path)
    text = with_index_entry(index.text, f"- [{name.title}](models/{name.snake}.md): like {reference.title}")
    others = [file for file in files if file.path != path]
    if text is None:
        return others, [LeftOut(f"entry in {path.name} of the docs", "it has no heading `## Models` to put it under")]
    return [*others, replace(index, text=text)], []


def setup_command(library: Library, packages: Sequence[str]) -> str:
    """What installs a library that is laid down, and what its tests run with.

    Args:
        library: the library; a project that is there already says itself what it depends on.
        packages: what the library imports, for a project that may not know of it.
    """
    if not (library.root / CONFIGURATION_FILE).exists():
        return 'pip install -e ".[dev]"'
    return f"pip install -e . pytest {' '.join(packages)}"


def placed(library: Library, path: str) -> Path:
    """Where a template's file goes."""
    if path.startswith(_DOCS):
        return library.docs_folder / path.removeprefix(_DOCS)
    if path.startswith(_TESTS):
        return library.tests_folder / path.removeprefix(_TESTS)
    if path.startswith(_PACKAGE):
        return library.package_folder / path.removeprefix(_PACKAGE)
    return library.root / path
