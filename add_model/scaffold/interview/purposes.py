"""What a model is for, where its library is still to be made: the kinds of library that can be laid down."""

from __future__ import annotations

from dataclasses import replace

from add_model.errors import AddModelError
from add_model.scaffold.library_kinds import KINDS, STANDALONE, kind_called
from add_model.scaffold.questionnaire import Request
from add_model.scaffold.target import Kind, Target


def purposes(request: Request) -> tuple[Kind, ...]:
    """The kinds of library that can be laid down, the plainest one first; none, where there is a library already."""
    if not request.target.is_new:
        return ()
    return tuple(kind for kind in reversed(KINDS) if kind is STANDALONE or _made(kind, request) is not None)


def proposed_purpose(request: Request) -> str:
    """The kind that was chosen, or that the project in the folder asks for."""
    asked = next(kind for kind in KINDS if kind.is_meant(request.root, ""))
    return request.target.kind if request.target.kind != STANDALONE.name else asked.name


def with_purpose(request: Request, purpose: str) -> Request:
    """The request for a library of that kind; what was answered for another kind has to be answered anew.

    Raises:
        AddModelError: a library of that kind cannot be made here.
    """
    if purpose == request.target.kind:
        return request
    target = kind_called(purpose).new(request.root, request.package)
    return replace(request, target=target, reference=None)


def why_not_here(request: Request) -> str:
    """Why a model that is known cannot be started from, and what to do to start from it."""
    target = request.target
    if not (target.is_new and target.starts_from_bundled):
        return target.why_not_here
    others = [kind for kind in purposes(request) if kind is not STANDALONE]
    if others:
        return f"not in plain PyTorch: go back, and choose {others[0].purpose[0]} to start from them"  # fmt: skip
    return "not in plain PyTorch: a package on transformers can start from them (Ctrl-C, pip install transformers, and add-model like again)"  # fmt: skip


def _made(kind: Kind, request: Request) -> Target | None:
    """The library of a kind that could be made in the folder; `None` where it cannot."""
    try:
        return kind.new(request.root, request.package)
    except AddModelError:
        return None
