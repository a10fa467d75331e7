"""The configuration that a tree calls for, each key with the number of markers that it brings in or leaves out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from add_model.boundary import ensure_writable
from add_model.copies.judging.check import Check
from add_model.copies.judging.requirements import is_stated, required
from add_model.copies.language.marker import NEEDLE, Marker, find_comments
from add_model.copies.reading.sources import BUNDLED, Missing, Origin, Original, Sources
from add_model.encoding import SourceError
from add_model.errors import AddModelError
from add_model.installed import UNKNOWN_VERSION
from add_model.library import CONFIGURATION_FILE, CONFIGURATION_TABLE, Library
from add_model.reading import read_bytes
from add_model.source import decode_module
from add_model.transaction import Change, write_files
from add_model.values import NamedTuple

# What of a project is somebody else's, by the names that people give it.
_FOREIGN = frozenset({"third_party", "thirdparty", "vendor", "vendored", "_vendor", "external", "submodules"})
_FEWEST = 3


class Line(NamedTuple):
    """A key to write.

    Attributes:
        key: its name.
        value: what it is set to.
        why: how many markers it is about.
    """

    key: str
    value: object
    why: str

    @property
    def toml(self) -> str:
        """The line as it stands in the table."""
        if isinstance(self.value, dict):
            pairs = ", ".join(f"{_quoted_key(name)} = {_quoted(text)}" for name, text in self.value.items())
            return f"{self.key} = {{{pairs}}}"
        assert isinstance(self.value, list)
        return f"{self.key} = [{', '.join(map(_quoted, self.value))}]"


def propose(library: Library) -> list[Line]:
    """The keys that the tree of a library calls for and that its configuration does not hold."""
    check = Check(library)
    found = list(_markers(check))
    settled = library.configuration
    lines = []
    if not settled.exclude:
        foreign = Counter(folder for path, _ in found if (folder := _foreign(path)) is not None)
        if foreign:
            lines.append(Line("exclude", [f"{folder}/**" for folder in sorted(foreign)], _told(sum(foreign.values()), "left out")))  # fmt: skip
    paths = [source for path, source in found if settled.exclude or _foreign(path) is None]
    outside = Counter(source.partition(".")[0] for source in paths if not _is_own(check.sources, source))
    mirrors = {package: _mirror(package, paths, check.sources) for package in sorted(outside)} if not settled.alias else {}  # fmt: skip
    alias = {package: mirror for package, (mirror, count) in mirrors.items() if count >= _FEWEST}
    if alias:
        lines.append(Line("alias", alias, _told(sum(mirrors[package][1] for package in alias), "resolved")))
    lines += _of_packages(
        library, {name: count for name, count in outside.items() if name not in alias}, check.sources
    )
    return lines


def written(library: Library, lines: list[Line]) -> Path:
    """Writes the keys into the library's project file; returns its path.

    Raises:
        AddModelError: the file may not be written, or is not valid TOML.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = library.root / CONFIGURATION_FILE
    ensure_writable(library.root, path)
    before = read_bytes(path) if path.exists() else None
    try:
        document = tomlkit.parse((before or b"").decode("utf-8-sig"))
        tool = document.setdefault("tool", tomlkit.table(is_super_table=True))
        table = tool.setdefault("add-model", tomlkit.table())
        for line in lines:
            table[line.key] = tomlkit.item(line.value)
            if isinstance(line.value, dict):
                inline = tomlkit.inline_table()
                inline.update(line.value)
                table[line.key] = inline
            table[line.key].comment(line.why)
        content = tomlkit.dumps(document).encode()
    except (TOMLKitError, UnicodeDecodeError, TypeError, AttributeError) as error:
        raise AddModelError(
            f"{path}: [{CONFIGURATION_TABLE}] cannot be added to it: {error}; write it by hand"
        ) from error
    write_files(library.root, [Change(path, content, expected=before)])
    return path


def _markers(check: Check) -> Iterator[tuple[str, str]]:
    """The file and the source of every marker of a library."""
    for relative, path in check.files:
        try:
            content = read_bytes(path)
            module = decode_module(path, content) if NEEDLE in content else None
        except (OSError, SourceError):
            continue
        for start, comment in find_comments(module.text) if module is not None else ():
            if isinstance(comment, Marker) and module is not None and module.is_code(start):
                yield relative, comment.source


def _foreign(path: str) -> str | None:
    """The folder of a file that holds what is somebody else's, by its name."""
    parts = path.split("/")
    for number, part in enumerate(parts[:-1], 1):
        if part in _FOREIGN:
            return "/".join(parts[:number])
    return None


def _is_own(sources: Sources, source: str) -> bool:
    return source.partition(".")[0] == BUNDLED or sources.leads_into_library(source, in_tests=True)


def _mirror(package: str, paths: list[str], sources: Sources) -> tuple[str, int]:
    """The folder of the tree that mirrors a package, and how many markers lead to something in it."""
    asked = [path for path in paths if path.startswith(f"{package}.")]
    counted = [
        (sum(_origin(sources, f"{mirror}{path.removeprefix(package)}") is Origin.LIBRARY for path in asked), mirror)
        for mirror in sources.layout.within(package)
    ]
    count, mirror = max(counted, default=(0, ""))
    return mirror, count


def _of_packages(library: Library, outside: dict[str, int], sources: Sources) -> Iterator[Line]:
    """The keys about packages that others have written."""
    settled, installed = library.configuration, {name: sources.outlook.version(name) for name in outside}
    stated = {name for name in outside if is_stated(library, name) or required(library, name)}
    if not settled.follows and (follows := sorted(name for name in stated if installed[name] != UNKNOWN_VERSION)):
        yield Line("follows", follows, _told(sum(outside[name] for name in follows), "held to what is installed"))
    held = {name: required(library, name) or f"=={installed[name]}" for name in sorted(outside) if name in stated or installed[name] != UNKNOWN_VERSION}  # fmt: skip
    held = {name: specifier for name, specifier in held.items() if not specifier.endswith(UNKNOWN_VERSION)}
    if held and not settled.requires:
        yield Line("requires", held, _told(sum(outside[name] for name in held), "of these versions"))


def _origin(sources: Sources, path: str) -> Origin | None:
    try:
        found: Original | Missing = sources.find(path)
    except SourceError:
        return None
    return found.origin if isinstance(found, Original) else None


def _told(count: int, how: str) -> str:
    return f"{count:,} marker{'' if count == 1 else 's'} {how}"


def _quoted(text: object) -> str:
    import json

    return json.dumps(str(text), ensure_ascii=False)


def _quoted_key(name: str) -> str:
    return name if name.isidentifier() and os.fsencode(name).isascii() else _quoted(name)
