"""A library's layout: which folder holds which package, and what its `[tool.add-model]` table says."""

from __future__ import annotations

import os
import posixpath
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from add_model.errors import AddModelError
from add_model.reading import read_settings
from add_model.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from typing import Any


CONFIGURATION_FILE = "pyproject.toml"
CONFIGURATION_TABLE = "tool.add-model"
# What a key of the table may hold: every pattern is held against every file.
_MOST_ENTRIES, _MOST_CHARACTERS = 1_000, 500
# How much of an unknown key is shown.
_SHOWN = 60


class Configuration(NamedTuple):
    """The `[tool.add-model]` table; every key has a default, so that a plain tree needs none.

    Attributes:
        package: dotted name of the package that holds the models; found by its layout when absent.
        source: folder of that package's top level, relative to the root (`src` or `.`); found when absent.
        tests: folder of the tests, relative to the root.
        docs: folder of the docs, relative to the root.
        templates: folder of the user's own templates, which win over the bundled ones of the same name.
        exclude: glob patterns, relative to the root, of files that are never checked.
        full_copies: files that are whole copies of others: path of the copy -> path of the original.
        per_file_ignores: glob pattern, relative to the root -> the codes that are not reported of such files.
        follows: installed packages whose copies are held to the version that is installed, like copies within.
    """

    package: str | None = None
    source: str | None = None
    tests: str = "tests"
    docs: str = "docs"
    templates: str | None = None
    exclude: tuple[str, ...] = ()
    full_copies: Mapping[str, str] = MappingProxyType({})
    per_file_ignores: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    follows: tuple[str, ...] = ()


class Library(NamedTuple):
    """A place where models live.

    Attributes:
        root: the folder that everything else is relative to.
        packages: dotted top-level name -> folder, the tests' folder included, e.g.
            `{"my_models": root / "src/my_models", "tests": root / "tests"}`.
        configuration: what `[tool.add-model]` says, or the defaults.
    """

    root: Path
    packages: Mapping[str, Path]
    configuration: Configuration = Configuration()

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
    if configuration is None and top is not None:
        return Library(top.parent, {top.name: top})
    configuration = configuration or Configuration()
    return Library(root, dict(_packages(root, configuration)), configuration)


def read_configuration(root: Path) -> Configuration | None:
    """Reads `[tool.add-model]` of `root/pyproject.toml`; `None` where there is no such table.

    Raises:
        AddModelError: the file does not parse, or the table holds an unknown key or a value of the wrong kind.
    """
    path = root / CONFIGURATION_FILE
    try:
        text = read_settings(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AddModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise AddModelError(f"{path}: cannot be read: {error}") from error
    # A file that is none of ours may be broken without stopping us; ours names the line to mend.
    if "add-model" not in text:
        return None
    from add_model.toml_text import TOMLDecodeError, parse_toml

    try:
        tool = parse_toml(text).get("tool")
    except TOMLDecodeError as error:
        raise AddModelError(f"{path}: is not valid TOML: {error}; mend it and run again") from error
    except ValueError as error:
        raise AddModelError(f"{path}: is nested too deeply, or holds too long a number, to be read") from error
    table = tool.get("add-model") if isinstance(tool, dict) else None
    return None if table is None else _configuration(table, path)


def installed_package(name: str) -> Path | None:
    """The folder of an installed top-level package, found on disk and never imported; `None` where there is none.

    What an empty or relative entry of Python's path leads to is not installed: it is whatever lies in the current folder.
    """
    if not name.isidentifier():
        return None
    specification = _specification(name)
    if specification is None:
        return None
    for location in specification.submodule_search_locations or ():
        return Path(location)
    return None


def _specification(name: str) -> ModuleSpec | None:
    from importlib.machinery import PathFinder

    path = _path_of_python()
    for finder in sys.meta_path:
        if not hasattr(finder, "find_spec"):
            continue
        try:
            found = finder.find_spec(name, path if finder is PathFinder else None, None)
        except (ImportError, ValueError):
            return None
        if found is not None:
            return found
    return None


def _path_of_python() -> list[str]:
    """The entries of Python's path that lead to the same place from whatever folder it was started in."""
    told = os.environ.get("PYTHONPATH")
    # Python has made those of the environment absolute when it started.
    entries = told.split(os.pathsep) if told is not None else []
    from_here = {os.path.abspath(entry) for entry in entries if not os.path.isabs(entry)}
    return [entry for entry in sys.path if os.path.isabs(entry) and entry not in from_here]


_STRING, _STRINGS, _TABLE = "a string", "a list of strings", "a table of strings"
_LISTS = "a table of lists of strings"
_KINDS = {
    "package": _STRING,
    "source": _STRING,
    "tests": _STRING,
    "docs": _STRING,
    "templates": _STRING,
    "exclude": _STRINGS,
    "full-copies": _TABLE,
    "per-file-ignores": _LISTS,
    "follows": _STRINGS,
}


def _configuration(table: Any, path: Path) -> Configuration:
    if not isinstance(table, dict):
        raise AddModelError(f"{path}: [{CONFIGURATION_TABLE}] must be a table")
    for key, value in table.items():
        if key not in _KINDS:
            from difflib import get_close_matches

            close = get_close_matches(key[:_SHOWN], _KINDS, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"known keys: {', '.join(_KINDS)}"
            raise AddModelError(f"{path}: [{CONFIGURATION_TABLE}] holds an unknown key `{key[:_SHOWN]}`; {hint}")
        if not _is_of_kind(value, _KINDS[key]):
            raise AddModelError(f"{path}: `{key}` in [{CONFIGURATION_TABLE}] must be {_KINDS[key]}")
        if not _is_of_size(value):
            raise AddModelError(
                f"{path}: `{key}` in [{CONFIGURATION_TABLE}] holds more than {_MOST_ENTRIES} entries, "
                f"or one of more than {_MOST_CHARACTERS} characters; write fewer, and wider patterns"
            )
    values: dict[str, Any] = {key.replace("-", "_"): value for key, value in table.items()}
    values["exclude"] = tuple(values.get("exclude", ()))
    values["follows"] = tuple(values.get("follows", ()))
    full_copies = values.get("full_copies", {}).items()
    values["full_copies"] = {posixpath.normpath(copy): posixpath.normpath(original) for copy, original in full_copies}
    values["per_file_ignores"] = {
        pattern: tuple(codes) for pattern, codes in values.get("per_file_ignores", {}).items()
    }
    configuration = Configuration(**values)
    _ensure_below(configuration, path)
    package = configuration.package
    if package is not None and not all(part.isidentifier() for part in package.split(".")):
        raise AddModelError(f"{path}: `package` in [{CONFIGURATION_TABLE}] is not a dotted module name: {package!r}")
    return configuration


def _ensure_below(configuration: Configuration, path: Path) -> None:
    """Raises `AddModelError` unless everything that a configuration names lies below its root, links followed."""
    folders = ("source", "tests", "docs", "templates")
    named = [(key, value) for key in folders if (value := getattr(configuration, key)) is not None]
    named += [("full-copies", text) for pair in configuration.full_copies.items() for text in pair]
    from add_model.boundary import named_below

    for key, text in named:
        kind = "folder" if key in folders else "file"
        named_below(path.parent, text, f"{path}: `{key}` in [{CONFIGURATION_TABLE}]", kind)


def _is_of_kind(value: Any, kind: str) -> bool:
    if kind == _STRING:
        return isinstance(value, str)
    if kind == _STRINGS:
        return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    if not isinstance(value, dict):
        return False
    inner = _STRING if kind == _TABLE else _STRINGS
    return all(_is_of_kind(entry, inner) for entry in value.values())


def _is_of_size(value: Any) -> bool:
    """Whether what a key says is as short as what people write, keys and entries of tables included."""
    if isinstance(value, str):
        return len(value) <= _MOST_CHARACTERS
    entries = [*value, *value.values()] if isinstance(value, dict) else value
    return len(value) <= _MOST_ENTRIES and all(map(_is_of_size, entries))


def _library_by_layout(folder: Path) -> Library:
    """The library around `folder` where no configuration names one: a repository, or a folder that holds packages."""
    top = _top_package(folder)
    outside = folder if top is None else top.parent
    if outside.name == "src":
        return library_at(outside.parent)
    for candidate in (outside, *outside.parents):
        if (candidate / ".git").exists():
            return library_at(candidate)
    if top is not None:
        return library_at(top)
    for candidate in (outside, *outside.parents):
        if any(name != "tests" for name, _ in _packages(candidate, Configuration())):
            return library_at(candidate.parent if candidate.name == "src" else candidate)
    return library_at(outside)


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
    sources = [root / configuration.source] if configuration.source is not None else [root / "src", root]
    for source in sources:
        found = [path for path in _subfolders(source) if (path / "__init__.py").is_file() and path != tests]
        yield from ((path.name, path) for path in found)
        if found:
            return


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.isidentifier() and path.is_dir())
    except OSError:
        return []
