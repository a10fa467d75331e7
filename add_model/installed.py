"""The packages that are installed: found on disk, and never imported."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from add_model.reading import read_bytes
from add_model.values import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

UNKNOWN_VERSION = "unknown"
# What comes with this tool is not looked for elsewhere.
_OWN = "add_model"
_VERSION = r"""^__version__\s*(?::\s*str\s*)?=\s*["']([^"']+)["']"""
_METADATA_VERSION = r"^Version: *(\S+)"


def installed_package(name: str, environment: Path | None = None, root: Path | None = None) -> Path | None:
    """The folder of an installed top-level package, found on disk and never imported; `None` where there is none.

    What an empty or relative entry of Python's path leads to is not installed: it is whatever lies in the current folder.

    Args:
        name: the package.
        environment: the folder with packages that alone is looked into, if the user has named one.
        root: the library's folder, where originals are looked for: what the virtual environment that is active, or
            else one in that folder, holds is installed as well.
    """
    if not name.isidentifier():
        return None
    if environment is not None and name != _OWN:
        return _in_folder(environment, name)
    active = _active_environment() if root is not None and name != _OWN else None
    found = _in_folder(active, name) if active is not None else None
    if found is None:
        specification = _specification(name)
        locations = (specification.submodule_search_locations or ()) if specification is not None else ()
        found = next((Path(location) for location in locations), None)
    if found is None and root is not None and name != _OWN:
        found = _in_environment_of(root, name)
    return found


def packages_of_environment(place: Path) -> Path | None:
    """The folder with the packages of a virtual environment, by its own folder or by its Python."""
    if place.is_file():
        place = place.parent.parent
    folders = [*sorted(place.glob("lib/python3*/site-packages")), place / "Lib" / "site-packages"]
    return next((folder for folder in folders if folder.is_dir()), None)


def _active_environment() -> Path | None:
    """The folder with the packages of the virtual environment that is active, where that is not this Python's own."""
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        named = os.environ.get(variable, "")
        if os.path.isabs(named) and os.path.realpath(named) != os.path.realpath(sys.prefix):
            return packages_of_environment(Path(named))
    return None


def _in_environment_of(root: Path, name: str) -> Path | None:
    """The folder of a package in a virtual environment below the root, which no link leads out of."""
    place = root / ".venv"
    if not (place / "pyvenv.cfg").is_file():
        return None
    packages = packages_of_environment(place)
    found = _in_folder(packages, name) if packages is not None else None
    is_inside = found is not None and Path(os.path.realpath(found)).is_relative_to(os.path.realpath(root))
    return found if is_inside else None


def _in_folder(packages: Path, name: str) -> Path | None:
    """The folder of a package in one with packages, or in one that its `.pth` files name, as they do for work trees."""
    folders = (packages, *_named_in(packages))
    return next((folder / name for folder in folders if (folder / name).is_dir()), None)


def _named_in(packages: Path) -> Iterator[Path]:
    for path in sorted(packages.glob("*.pth")):
        try:
            lines = read_bytes(path).decode("utf-8", "replace").splitlines()
        except OSError:
            continue
        # A line that begins with `import` is a program, and no folder.
        yield from (packages / line.strip() for line in lines if line.strip() and not line.startswith(("import", "#")))


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


def installed_version(package: str, environment: Path | None = None, root: Path | None = None) -> str:
    """The version of an installed package, read off its files; `unknown` where they do not say."""
    folder = installed_package(package, environment, root)
    return UNKNOWN_VERSION if folder is None else version_in(folder)


def version_in(folder: Path) -> str:
    """The version of the package in a folder, read off its files; `unknown` where they do not say."""
    for path, pattern in ((folder / "__init__.py", _VERSION), *_metadata(folder)):
        try:
            found = re.search(pattern, read_bytes(path).decode("utf-8", "replace"), re.MULTILINE)
        except OSError:
            continue
        if found is not None:
            return found[1]
    return UNKNOWN_VERSION


def _metadata(folder: Path) -> Iterator[tuple[Path, str]]:
    for metadata in sorted(folder.parent.glob(f"{folder.name}-*.dist-info")):
        yield metadata / "METADATA", _METADATA_VERSION
