"""What a model is for, where its library is still to be made: one in plain PyTorch, or a package on Transformers."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from add_model.copies.versions import installed_version
from add_model.errors import AddModelError
from add_model.scaffold.checkout.layout import PACKAGE, Checkout
from add_model.scaffold.out_of_tree.target import OutOfTree, depends_on_transformers, new_package
from add_model.scaffold.questionnaire import Request
from add_model.scaffold.targets import Target


class Purpose(str, Enum):
    """What kind of library is laid down."""

    PYTORCH = "pytorch"
    TRANSFORMERS = "transformers"


def purposes(request: Request) -> tuple[Purpose, ...]:
    """The kinds of library that can be laid down; none, where there is a library already."""
    if not _is_to_be_made(request.target):
        return ()
    return (Purpose.PYTORCH,) if _package(request) is None else (Purpose.PYTORCH, Purpose.TRANSFORMERS)


def proposed_purpose(request: Request) -> Purpose:
    """The kind that was chosen, or that the project in the folder asks for."""
    is_package = isinstance(request.target, OutOfTree) or depends_on_transformers(request.root)
    return Purpose.TRANSFORMERS if is_package else Purpose.PYTORCH


def with_purpose(request: Request, purpose: Purpose) -> Request:
    """The request for a library of that kind; what was answered for another kind has to be answered anew.

    Raises:
        AddModelError: Transformers is not installed.
    """
    if purpose is Purpose.PYTORCH:
        target: Target = None
    else:
        target = request.target if isinstance(request.target, OutOfTree) else new_package(request.root, request.package)  # fmt: skip
    if target == request.target:
        return request
    return replace(request, target=target, reference=None)


def library_kind(target: Target) -> str:
    """What kind of library a model goes into, in words."""
    if isinstance(target, Checkout):
        return "a source tree of Transformers"
    if isinstance(target, OutOfTree):
        new = "a new package" if target.is_new else "a package"
        return f"{new} on the installed {PACKAGE} {installed_version(PACKAGE)}"
    return "a new library in plain PyTorch" if target is None else "a library in plain PyTorch"


def why_not_here(request: Request) -> str:
    """Why a model that is known cannot be started from, and what to do to start from it."""
    target = request.target
    if isinstance(target, Checkout):
        return "not in this tree of Transformers: take one that is"
    if isinstance(target, OutOfTree):
        return f"not in {PACKAGE} {installed_version(PACKAGE)}, which is installed: take one that is"
    if target is not None:
        return f"not in plain PyTorch: a package on {PACKAGE} can start from them, in another folder (Ctrl-C, then add-model like --into DIR)"  # fmt: skip
    if _package(request) is not None:
        return f"not in plain PyTorch: go back, and choose a package on the installed {PACKAGE} to start from them"
    return f"not in plain PyTorch: a package on {PACKAGE} can start from them (Ctrl-C, pip install {PACKAGE}, and add-model like again)"  # fmt: skip


def _is_to_be_made(target: Target) -> bool:
    return target is None or (isinstance(target, OutOfTree) and target.is_new)


def _package(request: Request) -> OutOfTree | None:
    """The package on Transformers that could be made in the folder; `None` where Transformers is not installed."""
    try:
        return new_package(request.root, request.package)
    except AddModelError:
        return None
