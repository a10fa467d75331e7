"""A library's layout: which folder holds which package, and which folders are looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from add_model.configuration import CONFIGURATION_FILE as CONFIGURATION_FILE
from add_model.configuration import CONFIGURATION_TABLE as CONFIGURATION_TABLE
from add_model.configuration import Configuration as Configuration
from add_model.configuration import read_configuration as read_configuration
from add_model.errors import AddModelError
from add_model.installed import installed_package as installed_package
from add_model.values import NamedTuple

# A folder with one of these is a project of its own, whatever lies above it.
PROJECT_FILES = (CONFIGURATION_FILE, "setup.py", "setup.cfg")


class Library(NamedTuple):
    """A place where models live.

    Attributes:
        root: the folder that everything else is relative to.
        packages: dotted top-level name -> folder, the tests' folder included, e.g.
            `{"my_models": root / "src/my_models", "tests": root / "tests"}`.
        configuration: what `[tool.add-model]` says, or the defaults.
        searched: the folders that are looked at; those of the packages, where none is named.
        environment: the folder with the packages that are installed, where the user has named one.
        clones: repository, as `owner/name` -> the folder of a clone of it that the user has named.
    """

    root: Path
    packages: Mapping[str, Path]
    configuration: Configuration = Configuration()
    searched: tuple[Path, ...] = ()
    environment: Path | None = None
    clones: Mapping[str, Path] = MappingProxyType({})

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that are looked at."""
        return self.searched or tuple(self.packages.values())

    @property
    def package(self) -> str:
        """Dotted name of the package that holds the models.

        Raises:
            AddModelError: the root holds no package, or several and none is configured.
        """
        if self.configuration.package is not None:
            return self.configuration.package
        names = [name for name in self.packages if name != "tests"]
        if len(names) == 1:
            return names[0]
        found = f"found {', '.join(names)}" if names else "found none"
        raise AddModelError(f'{self.root}: name the library\'s package with `package = "..."` in [{CONFIGURATION_TABLE}] of {CONFIGURATION_FILE} ({found})')  # fmt: skip

    @property
    def package_folder(self) -> Path:
        """The folder of `package`."""
        top, *rest = self.package.split(".")
        if top not in self.packages:
            raise AddModelError(f"{self.root}: package {self.package} not found; check `package` and `source` in [{CONFIGURATION_TABLE}]")  # fmt: skip
        return self.packages[top].joinpath(*rest)

    @property
    def models_folder(self) -> Path:
        """The folder with one sub-folder a model."""
        return self.package_folder / "models"

    @property
    def registry(self) -> Path:
        """The file that says which class stands for which model type."""
        return self.package_folder / "registry.py"

    @property
    def tests_folder(self) -> Path:
        """The folder of the tests; the package's own when it brings them along."""
        inside = self.package_folder / "tests"
        return inside if inside.is_dir() else self.root / self.configuration.tests

    @property
    def docs_folder(self) -> Path:
        """The folder of the documentation."""
        return self.root / self.configuration.docs


def find_library(start: Path) -> Library:
    """Finds the library that `start`, a file or a folder, belongs to, walking up from it.

    The nearest folder wins that holds a `pyproject.toml` with a `[tool.add-model]` table; without one, the nearest
    repository root or folder with packages below it (`src/<package>`, or `<package>` itself as in an unpacked wheel).

    Raises:
        AddModelError: the configuration does not parse, or holds an unknown key or a value of the wrong kind.
    """
    start = Path(os.path.abspath(start))
    folder = start if start.is_dir() else start.parent
    for candidate in (folder, *folder.parents):
        configuration = read_configuration(candidate)
        if configuration is not None:
            return library_at(candidate, configuration)
    return _library_by_layout(folder)


def library_at(root: Path, configuration: Configuration | None = None) -> Library:
    """The library with exactly this root; a package's own folder stands for a library of that package alone."""
    if configuration is None:
        configuration = read_configuration(root)
    top = _top_package(root)
    if configuration is None and top is not None and not (top == root and _is_repository(root)):
        return Library(top.parent, {top.name: top}, searched=(top,))
    configuration = configuration or Configuration()
    packages = dict(_packages(root, configuration))
    if top == root and root.name.isidentifier():
        # Where the root of a repository is a package itself, its modules call each other by its name.
        packages = {root.name: root, **packages}
    return Library(root, packages, configuration, (root,))


def _library_by_layout(folder: Path) -> Library:
    """The library around `folder` where no configuration names one: a repository, or a folder that holds packages."""
    top = _top_package(folder)
    outside = folder if top is None else top.parent
    if top is not None and _is_repository(top):
        return library_at(top)
    if outside.name == "src":
        return library_at(outside.parent)
    for candidate in (outside, *outside.parents):
        if _is_repository(candidate):
            return library_at(candidate)
    if top is not None:
        return library_at(top)
    for candidate in (outside, *outside.parents):
        if any((candidate / name).is_file() for name in PROJECT_FILES):
            return library_at(candidate)
        if any(name != "tests" for name, _ in _packages(candidate, Configuration())):
            return library_at(candidate.parent if candidate.name == "src" else candidate)
    return library_at(outside)


def _is_repository(folder: Path) -> bool:
    return (folder / ".git").exists()


def _top_package(folder: Path) -> Path | None:
    """The outermost package that `folder` lies in, or is."""
    top = None
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        top, folder = folder, folder.parent
    return top


def _packages(root: Path, configuration: Configuration) -> Iterator[tuple[str, Path]]:
    tests = root / configuration.tests
    if tests.is_dir():
        yield "tests", tests
    named = {name.partition(".")[0] for name in (*configuration.packages, configuration.package or "")}
    seen: set[str] = set()
    for source in [root / source for source in configuration.source_folders] or [root / "src", root]:
        found = [path for path in _subfolders(source) if path != tests and _is_package(path, named)]
        yield from ((path.name, path) for path in found if path.name not in seen)
        seen.update(path.name for path in found)
        # Which of several folders was meant is the configuration's to say.
        if found and len(configuration.sources) < 2:
            return


def _is_package(folder: Path, named: set[str]) -> bool:
    """Whether a folder is a package: by what stands in it, or because the configuration names it."""
    return (folder / "__init__.py").is_file() or folder.name in named


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.isidentifier() and path.is_dir())
    except OSError:
        return []
