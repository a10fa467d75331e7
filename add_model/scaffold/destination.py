"""Where a model is to be written: an existing library, or the folder of one that is to be laid down."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import find_library, installed_package
from add_model.names import ModelName, to_snake
from add_model.nearby import where_to_go
from add_model.scaffold.library_kinds import STANDALONE, is_around, new_target, target_at
from add_model.scaffold.naming import TAKEN_PACKAGES
from add_model.scaffold.target import Target
from add_model.transaction import was_interrupted

# What the folders are called that packages are installed into.
_INSTALLED = ("site-packages", "dist-packages")


def find_root(into: Path | None, working_folder: Path) -> Path:
    """Finds the folder to write into, whatever state it is in.

    Args:
        into: the folder that was asked for; by default the library or checkout around the working folder, or the
            working folder itself where it is empty.
        working_folder: what a relative path is relative to.

    Raises:
        AddModelError: the folder is a file, or a symbolic link out of the tree; or nothing was asked for, and there is
            neither a library nor an empty folder here; or a configuration is invalid.
    """
    if into is None:
        around = _root_around(working_folder)
        if around is not None:
            return around
        if any(not path.name.startswith(".") for path in working_folder.iterdir()):
            raise AddModelError(f"{working_folder} is no library and not empty; pass a folder for a new one, for example --into my_models")  # fmt: skip
        return working_folder
    root = Path(os.path.normpath(working_folder / into))
    _refuse_link(root, into, working_folder)
    if root.exists() and not root.is_dir():
        raise AddModelError(f"--into {into} is a file; pass a folder")
    target = target_at(root)
    return root if target is None else target.root


def find_written_root(into: Path | None, working_folder: Path) -> Path:
    """Finds the folder of a library or checkout that is there already; as `find_root`, but never a folder for a new one.

    Raises:
        AddModelError: as `find_root` does; or there is no library here, and where to go is said.
    """
    if into is not None:
        return find_root(into, working_folder)
    around = _root_around(working_folder)
    if around is None:
        raise AddModelError(f"{working_folder} is in no library; {where_to_go(working_folder)}")
    return around


def _root_around(folder: Path) -> Path | None:
    found = (
        candidate for candidate in (folder, *folder.parents) if was_interrupted(candidate) or is_around(candidate)
    )
    return next(found, None)


def find_destination(
    into: Path | None, working_folder: Path, reference: str | None = None, package: str | None = None
) -> Target:
    """Finds the library to write into, or the one that is to be made.

    Args:
        into: as of `find_root`.
        working_folder: as of `find_root`.
        reference: the model to start from, as it was given: one of Transformers makes a package that depends on it.
        package: what the package of a library that is to be made is called; by default after its folder.

    Raises:
        AddModelError: as `find_root` does; or the folder cannot be written, holds something that is no library of ours,
            or its name is none for a package.
    """
    root = find_root(into, working_folder)
    target = target_at(root) or new_target(root, package or package_name(root), reference)
    existing = next(path for path in (root, *root.parents) if path.exists())
    if not existing.is_dir():
        raise AddModelError(f"{existing} is a file, so that {root} cannot be made; pass another folder with --into")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise AddModelError(f"{existing} cannot be written; make it writable, or pass another folder with --into")
    target.ensure_ready()
    return target


def find_listed(into: Path | None, working_folder: Path) -> Target:
    """The library whose models are listed, and where new ones would go: around the working folder, or one to be made there.

    Raises:
        AddModelError: what was asked for is no folder, or holds no library; or a configuration is invalid.
    """
    start = working_folder if into is None else Path(os.path.abspath(working_folder / into))
    if not start.is_dir():
        raise AddModelError(f"--into {into} is no folder; pass a library's, or leave it out")
    if into is not None and (target := target_at(start)) is not None:
        return target
    around = next((candidate for candidate in (start, *start.parents) if is_around(candidate)), None)
    target = None if around is None else target_at(around)
    if target is None and into is not None:
        raise AddModelError(f"--into {into} holds no library yet; leave it out, or make one: add-model like bert --into {into}")  # fmt: skip
    return target or STANDALONE.new(start, to_snake(start.name))


def find_holder(start: Path) -> Target:
    """The library around a folder, for whoever works on a model that it holds; whatever lies there, where it is none of ours.

    Raises:
        AddModelError: that is no folder, or a configuration is invalid.
    """
    if not start.is_dir():
        raise AddModelError(f"--into {start} is no folder; pass a library's, or leave it out")
    start = Path(os.path.abspath(start))
    at = target_at(start)
    if at is not None:
        return at
    around = next((candidate for candidate in start.parents if is_around(candidate)), None)
    target = None if around is None else target_at(around)
    return target or STANDALONE.of(find_library(start))


def package_name(root: Path) -> str:
    """The name of the package of a library that is to be made in this folder.

    Raises:
        AddModelError: the folder's name makes no package name, or one that is taken.
    """
    name = root.name if _is_package_name(root.name) else to_snake(root.name)
    if _is_imported(name):
        raise AddModelError(f"{root}: a library cannot be called {name!r}, after its folder: Python, or what the library is made of, imports another {name}; choose one named like my_models")  # fmt: skip
    if not _is_package_name(name):
        raise AddModelError(f"{root}: a library cannot be called {name!r}, after its folder; choose one named like my_models")  # fmt: skip
    return name


def check_stored_package(name: str, answers: Path) -> None:
    """Checks the name of the package of a library that is to be made from stored answers.

    Raises:
        AddModelError: it is no package name, or one that is taken.
    """
    if not _is_package_name(name):
        raise AddModelError(f"--answers {answers}: `package` cannot be {name!r}; choose a name like my_models")


def _is_package_name(name: str) -> bool:
    try:
        ModelName.from_snake(name)
    except AddModelError:
        return False
    return not _is_imported(name)


def _is_imported(name: str) -> bool:
    """Whether a package of this name would hide one that is imported by it: of Python, of the declared ones, or installed."""
    if name in TAKEN_PACKAGES or name in sys.stdlib_module_names:
        return True
    found = installed_package(name) if name.isidentifier() else None
    # A library of ours that somebody has installed from elsewhere is no reason not to make another.
    return found is not None and found.parent.name in _INSTALLED and not (found / "registry.py").is_file()


def _refuse_link(root: Path, into: Path, working_folder: Path) -> None:
    """A symbolic link may lead somewhere the user did not mean to write; the real path says that they do."""
    real = Path(os.path.realpath(root))
    inside = working_folder if root.is_relative_to(working_folder) else root.parent
    if not real.is_relative_to(os.path.realpath(inside)):
        raise AddModelError(
            f"--into {into} is a symbolic link to {real}, outside {inside}; pass that path itself if you mean it"
        )
