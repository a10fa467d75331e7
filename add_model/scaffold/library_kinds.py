"""The kinds of library, in the order in which a folder is asked for them. A new kind is a room, and a line here."""

from __future__ import annotations

from pathlib import Path

from add_model.scaffold.checkout.target import CheckoutKind
from add_model.scaffold.diffusers.target import DiffusersKind
from add_model.scaffold.out_of_tree.target import OutOfTreeKind
from add_model.scaffold.standalone.target import StandaloneKind
from add_model.scaffold.target import Kind, Target

STANDALONE = StandaloneKind()
KINDS: tuple[Kind, ...] = (CheckoutKind(), DiffusersKind(), OutOfTreeKind(), STANDALONE)


def target_at(root: Path) -> Target | None:
    """The library with this root; `None` where there is none.

    Raises:
        AddModelError: its configuration is invalid, or its layout is not known.
    """
    return next((target for kind in KINDS if (target := kind.at(root)) is not None), None)


def is_around(folder: Path) -> bool:
    """Whether a folder above where somebody works is the root of a library.

    Raises:
        AddModelError: it is one, but its configuration is invalid, or its layout is not known.
    """
    return any(kind.is_around(folder) for kind in KINDS)


def new_target(root: Path, package: str, reference: str | None) -> Target:
    """The library that is to be made in a folder.

    Args:
        root: the folder.
        package: the name of its package.
        reference: the model to start from, as it was given.

    Raises:
        AddModelError: a library of the kind that is meant cannot be made here.
    """
    return next(kind for kind in KINDS if kind.is_meant(root, reference)).new(root, package)


def kind_called(name: str) -> Kind:
    """The kind of this name."""
    return next(kind for kind in KINDS if kind.name == name)
