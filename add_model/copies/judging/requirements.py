"""Which versions of other packages a library is made for: by its configuration, or by what its project pins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from add_model.configuration import CONFIGURATION_FILE
from add_model.library import Library
from add_model.reading import read_settings

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")
_CLAUSE = re.compile(r"(===|==|~=|!=|<=|>=|<|>)\s*([^\s,;]+)")
_REQUIREMENT = re.compile(r"""^\s*["']?([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?((?:(?:===|==|~=|!=|<=|>=|<|>)\s*[^\s,;"')]+\s*,?\s*)+)""", re.MULTILINE)  # fmt: skip
_LOCKED = re.compile(r'^name = "([^"\n]+)"\nversion = "([^"\n]+)"', re.MULTILINE)
_NUMBER = re.compile(r"\d+")


def required(library: Library, package: str) -> str:
    """The versions of a package that copies of it are held to, as a specifier; empty where nothing says so."""
    told = library.configuration.requires
    if package in told:
        return told[package]
    wanted = _normal(package)
    for text, is_lock in _project_files(library.root):
        found = _LOCKED.findall(text) if is_lock else _REQUIREMENT.findall(text)
        for name, versions in found:
            if _normal(name) == wanted:
                return f"=={versions}" if is_lock else versions.strip().rstrip(",")
    return ""


def is_stated(library: Library, package: str) -> bool:
    """Whether the library's project says that it needs a package."""
    name = r"[-_.]+".join(map(re.escape, re.split(r"[-_.]+", package)))
    stated = re.compile(rf"""^\s*(?:[\w-]+\s*=\s*)?\[?\s*["']?{name}(?![\w.-])""", re.MULTILINE | re.IGNORECASE)
    return any(stated.search(text) for text, is_lock in _project_files(library.root) if not is_lock)


def fulfils(version: str, specifier: str) -> bool:
    """Whether a version is one of those that a specifier stands for; what cannot be read is fulfilled."""
    return all(_holds(version, operator, wanted) for operator, wanted in _CLAUSE.findall(specifier))


def _holds(version: str, operator: str, wanted: str) -> bool:
    here, there = _release(version), _release(wanted)
    if not here or not there:
        return True
    if wanted.endswith(".*") or operator == "~=":
        prefix = there if wanted.endswith(".*") else there[:-1]
        is_prefix = here[: len(prefix)] == prefix
        return is_prefix == (operator != "!=") and (operator != "~=" or here >= there)
    length = max(len(here), len(there))
    first, second = (release + (0,) * (length - len(release)) for release in (here, there))
    return {
        "==": first == second,
        "===": version == wanted,
        "!=": first != second,
        "<=": first <= second,
        ">=": first >= second,
        "<": first < second,
        ">": first > second,
    }[operator]


def _release(version: str) -> tuple[int, ...]:
    """The numbers of a version's release; what follows them, such as `.dev0`, has no say."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(map(int, _NUMBER.findall(match[1]))) if match is not None else ()


def _project_files(root: Path) -> Iterator[tuple[str, bool]]:
    """The texts in which a project pins what it needs, and whether they are lock files; those of it alone first."""
    locks = [root / name for name in _LOCKS]
    stated = [
        root / CONFIGURATION_FILE,
        root / "setup.cfg",
        root / "setup.py",
        *sorted(root.glob("requirements*.txt")),
    ]
    for path in (*locks, *stated):
        try:
            if path.is_file() and path.resolve().is_relative_to(root.resolve()):
                yield read_settings(path).decode("utf-8", "replace"), path in locks
        except OSError:
            continue


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
