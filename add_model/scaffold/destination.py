"""Where a model is to be written: an existing library, or the folder of one that is to be laid down."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from add_model.errors import AddModelError
from add_model.library import Library, installed_package, library_at, read_configuration
from add_model.names import ModelName, to_snake
from add_model.nearby import where_to_go
from add_model.scaffold.checkout.layout import PACKAGE, Checkout, find_checkout
from add_model.scaffold.out_of_tree.target import find_out_of_tree
from add_model.scaffold.targets import TAKEN_PACKAGES, Target
from add_model.transaction import was_interrupted

# What the folders are called that packages are installed into.
_INSTALLED = ("site-packages", "dist-packages")


@dataclass(frozen=True)
class Destination:
    """A folder to write into, and the library or checkout in it; `None` where there is none yet."""

    root: Path
    target: Target


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
    checkout = None if read_configuration(root) is not None else find_checkout(root)
    return root if checkout is None else checkout.root


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
    for candidate in (folder, *folder.parents):
        if was_interrupted(candidate) or read_configuration(candidate) is not None:
            return candidate
        if (candidate / "src" / PACKAGE).is_dir() and find_checkout(candidate) is not None:
            return candidate
    return None


def find_destination(into: Path | None, working_folder: Path, reference: str | None = None) -> Destination:
    """Finds the library to write into, or the folder of the one to be made.

    Args:
        into: as of `find_root`.
        working_folder: as of `find_root`.
        reference: the model to start from, as it was given: one of Transformers makes a package that depends on it.

    Raises:
        AddModelError: as `find_root` does; or the folder cannot be written, or holds something that is no library of
            ours.
    """
    root = find_root(into, working_folder)
    checkout = find_checkout(root)
    if checkout is not None:
        return _checked(Destination(root, checkout))
    configuration = read_configuration(root)
    library = None if configuration is None else library_at(root, configuration)
    package = to_snake(root.name) if library is None else library.package
    outside = find_out_of_tree(root, library, package, reference)
    if outside is not None and outside.is_new:
        package_name(root)  # says why, where the folder's name is none for a package
    return _checked(Destination(root, outside or library))


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


def stored_package(name: str, answers: Path) -> str:
    """The name of the package of a library that is to be made from stored answers.

    Raises:
        AddModelError: it is no package name, or one that is taken.
    """
    if not _is_package_name(name):
        raise AddModelError(f"--answers {answers}: `package` cannot be {name!r}; choose a name like my_models")
    return name


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


def _checked(destination: Destination) -> Destination:
    root, target = destination.root, destination.target
    existing = next(path for path in (root, *root.parents) if path.exists())
    if not existing.is_dir():
        raise AddModelError(f"{existing} is a file, so that {root} cannot be made; pass another folder with --into")
    folders = [existing, target.models_folder, target.auto_folder] if isinstance(target, Checkout) else [existing]
    for folder in folders:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise AddModelError(f"{folder} cannot be written; make it writable, or pass another folder with --into")
    if isinstance(target, Library) and not target.registry.is_file():
        raise AddModelError(f"{target.registry}: the library has no registry; check `package` and `source` in [tool.add-model] of {root / 'pyproject.toml'}")  # fmt: skip
    return destination


def _refuse_link(root: Path, into: Path, working_folder: Path) -> None:
    """A symbolic link may lead somewhere the user did not mean to write; the real path says that they do."""
    real = Path(os.path.realpath(root))
    inside = working_folder if root.is_relative_to(working_folder) else root.parent
    if not real.is_relative_to(os.path.realpath(inside)):
        raise AddModelError(
            f"--into {into} is a symbolic link to {real}, outside {inside}; pass that path itself if you mean it"
        )
