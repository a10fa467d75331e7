"""What can be started from where, and what to say of a model that cannot be started from here."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

from add_model.errors import AddModelError
from add_model.family import family
from add_model.library import Library, installed_package
from add_model.nearest import close, named_in_checkpoint, spelled_otherwise
from add_model.references import UnknownReference, available, spellings
from add_model.scaffold.checkout.layout import PACKAGE, find_checkout
from add_model.scaffold.checkout.reference import model_folders
from add_model.scaffold.library_kinds import is_around
from add_model.scaffold.target import Candidate, Target

# So many of the models that can be started from are named where another was asked for.
_FEW = 4


def startable(target: Target) -> dict[str, Collection[str]]:
    """The model types that `like` takes for this target: place -> types.

    The places are `library` (the target, or the Transformers that it depends on), `zoo` (bundled) and, where no library
    is there yet, `transformers`: a model of the installed package makes a library of its own kind.
    """
    further = {PACKAGE: installed_types()} if target.is_new and target.starts_from_bundled else {}
    return {**target.startable(), **further}


def find_candidate(specification: str, target: Target) -> Candidate:
    """Finds a model to start from.

    Raises:
        AddModelError: there is no such model; the nearest ones are offered, or where it is to be had.
    """
    try:
        return target.find_candidate(specification)
    except UnknownReference as error:
        library = None if target.is_new else target.library
        said = whereabouts(specification, library) or str(error)
        raise AddModelError(_other_folder(target.root) + said) from error


def _other_folder(root: Path) -> str:
    """Which library was meant by a folder that is not there, and whose name is nearly that of one beside it; else empty.

    In the library that was meant the reference may well be known, so that the folder is said before the reference.
    """
    if root.exists() or not (root.parent.is_dir() and os.access(root.parent, os.R_OK)):
        return ""
    beside = {path.name: path for path in sorted(root.parent.iterdir()) if path.is_dir()}
    for name in close(root.name, beside):
        if is_around(beside[name]):
            return f"there is no folder {root.name}; did you mean --into {os.path.relpath(beside[name])}? A new library cannot start from that: "  # fmt: skip
    return ""


def installed_types() -> Collection[str]:
    """The models of the installed Transformers; none where it is not installed, or of a layout that is not known."""
    folder = installed_package(PACKAGE)
    return _types_in(str(folder)) if folder is not None else ()


def whereabouts(specification: str, target: Library | None) -> str | None:
    """What to say of a reference that is not to be had: the model that was meant, and what to type for it.

    `None` where nothing tells which model was meant.
    """
    origin, _, typed = specification.rpartition(":")
    here = available(target)
    own = {found.partition(":")[2]: found for found in reversed(here)}
    known = spellings({*own, *_known_to_transformers()})
    meant = spelled_otherwise(typed, known)
    said = meant
    if meant is None:
        meant = named_in_checkpoint(typed, known)
        said = f"{typed!r} looks like a checkpoint of {meant}, which"
    if meant is None:
        return None
    if meant in own and origin in ("", own[meant].partition(":")[0]):
        return f"unknown reference {specification!r}: it looks like a checkpoint of {meant}; pass {own[meant]}"
    return _in_transformers(f"{said}", meant, target, list(here))


def _in_transformers(said: str, meant: str, target: Library | None, here: Sequence[str]) -> str:
    """What to install and to type for a model of Transformers."""
    command = f"add-model like {PACKAGE}:{meant}"
    install = "" if installed_types() else f"pip install --upgrade {PACKAGE}, and "
    if not install and meant not in installed_types():
        return f"{said} is not bundled, and the installed Transformers has it no longer, or not yet; start from it in a checkout of a release that has it: add-model like {meant} --into CHECKOUT"  # fmt: skip
    if target is not None:
        more = f" and {len(here) - _FEW} more, see: add-model references" if len(here) > _FEW else ""
        return f"{said} is a model of Transformers, and this is a standalone library, which starts from its own and the bundled ones ({', '.join(here[:_FEW])}{more}); for a package that depends on Transformers, {install}type: {command} --into ANOTHER_FOLDER"  # fmt: skip
    return f"{said} is not bundled, but a model of Transformers; for a package that depends on it, {install}type: {command}"  # fmt: skip


def _known_to_transformers() -> set[str]:
    return {*installed_types(), *(member.model_type for member in family())}


@cache
def _types_in(folder: str) -> frozenset[str]:
    try:
        checkout = find_checkout(Path(folder))
    except AddModelError:
        return frozenset()
    return frozenset() if checkout is None else frozenset(model_folders(checkout))
