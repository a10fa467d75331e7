"""What a library says of itself: the `[tool.add-model]` table of its `pyproject.toml`, read and held to its root."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from add_model.errors import AddModelError
from add_model.reading import read_settings
from add_model.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
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
        sources: several such folders, where they are named.
        packages: the packages that lie in them, where they are named; a folder without `__init__.py` is one then, too.
        alias: dotted path that markers begin with -> the path in this library that it stands for.
        requires: another package -> the versions of it that copies are held to.
        ignore_kinds: what does not count where the original is in another package: comments, docstrings, annotations.
        baseline: the file that holds the findings which do not count, relative to the root.
        clones: repository, as `owner/name` -> folder of a clone of it, relative to the root.
        decorators: whether the decorators of a copy must be those of its original.
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
    sources: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    alias: Mapping[str, str] = MappingProxyType({})
    requires: Mapping[str, str] = MappingProxyType({})
    ignore_kinds: tuple[str, ...] = ()
    baseline: str | None = None
    clones: Mapping[str, str] = MappingProxyType({})
    decorators: bool = False

    @property
    def source_folders(self) -> tuple[str, ...]:
        """The folders that hold packages, as far as they are named."""
        return self.sources or (() if self.source is None else (self.source,))


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


_STRING, _STRINGS, _TABLE = "a string", "a list of strings", "a table of strings"
_LISTS, _EITHER, _SWITCH = "a table of lists of strings", "a string or a list of strings", "true or false"
_KINDS = {
    "package": _STRING,
    "source": _EITHER,
    "tests": _STRING,
    "docs": _STRING,
    "templates": _STRING,
    "exclude": _STRINGS,
    "full-copies": _TABLE,
    "per-file-ignores": _LISTS,
    "follows": _STRINGS,
    "packages": _STRINGS,
    "alias": _TABLE,
    "requires": _TABLE,
    "ignore-kinds": _STRINGS,
    "baseline": _STRING,
    "clones": _TABLE,
    "decorators": _SWITCH,
}
# What of a copy may be left out of account where its original is another package's.
IGNORABLE_KINDS = ("comments", "docstrings", "annotations")
_REPOSITORY = r"[\w.-]+/[\w.-]+"


def _configuration(table: Any, path: Path) -> Configuration:
    if not isinstance(table, dict):
        raise AddModelError(f"{path}: [{CONFIGURATION_TABLE}] must be a table")
    for key, value in table.items():
        _ensure_known(key, value, path)
    values: dict[str, Any] = {key.replace("-", "_"): value for key, value in table.items()}
    if isinstance(values.get("source"), list):
        values["sources"] = tuple(values.pop("source"))
    for key in ("exclude", "follows", "packages", "ignore_kinds"):
        values[key] = tuple(values.get(key, ()))
    full_copies = values.get("full_copies", {}).items()
    values["full_copies"] = {posixpath.normpath(copy): posixpath.normpath(original) for copy, original in full_copies}
    values["per_file_ignores"] = {
        pattern: tuple(codes) for pattern, codes in values.get("per_file_ignores", {}).items()
    }
    configuration = Configuration(**values)
    _ensure_below(configuration, path)
    _ensure_names(configuration, path)
    return configuration


def _ensure_known(key: str, value: Any, path: Path) -> None:
    """Raises `AddModelError` unless the table may hold this key, and the key this value."""
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


def _ensure_names(configuration: Configuration, path: Path) -> None:
    """Raises `AddModelError` where something that must be a name is none."""
    where = f"in [{CONFIGURATION_TABLE}]"
    package, alias = configuration.package, configuration.alias
    if package is not None and not _is_dotted(package):
        raise AddModelError(f"{path}: `package` {where} is not a dotted module name: {package!r}")
    named = [("packages", name) for name in configuration.packages]
    named += [("alias", name) for pair in alias.items() for name in pair]
    for key, name in named:
        if not _is_dotted(name):
            raise AddModelError(f"{path}: `{key}` {where} holds what is not a dotted module name: {name[:_SHOWN]!r}")
    for kind in configuration.ignore_kinds:
        if kind not in IGNORABLE_KINDS:
            known = ", ".join(IGNORABLE_KINDS)
            raise AddModelError(f"{path}: `ignore-kinds` {where} knows {known}, and no {kind[:_SHOWN]!r}")
    for repository in configuration.clones:
        if not re.fullmatch(_REPOSITORY, repository):
            raise AddModelError(f"{path}: `clones` {where} names repositories as owner/name, not {repository[:_SHOWN]!r}")  # fmt: skip


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _ensure_below(configuration: Configuration, path: Path) -> None:
    """Raises `AddModelError` unless everything that a configuration names lies below its root, links followed."""
    folders = ("tests", "docs", "templates")
    named = [(key, value) for key in folders if (value := getattr(configuration, key)) is not None]
    named += [("source", source) for source in configuration.source_folders]
    named += [("full-copies", text) for pair in configuration.full_copies.items() for text in pair]
    named += [("clones", folder) for folder in configuration.clones.values()]
    named += [("baseline", configuration.baseline)] if configuration.baseline is not None else []
    from add_model.boundary import named_below

    for key, text in named:
        kind = "file" if key in ("full-copies", "baseline") else "folder"
        named_below(path.parent, text, f"{path}: `{key}` in [{CONFIGURATION_TABLE}]", kind)


def _is_of_kind(value: Any, kind: str) -> bool:
    if kind == _SWITCH:
        return isinstance(value, bool)
    if kind == _EITHER:
        return _is_of_kind(value, _STRING) or _is_of_kind(value, _STRINGS)
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
    if isinstance(value, bool):
        return True
    if isinstance(value, str):
        return len(value) <= _MOST_CHARACTERS
    entries = [*value, *value.values()] if isinstance(value, dict) else value
    return len(value) <= _MOST_ENTRIES and all(map(_is_of_size, entries))
