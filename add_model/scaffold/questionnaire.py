"""From what was asked for to complete, valid answers: defaults filled in, each answer checked, nothing written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from add_model.errors import AddModelError
from add_model.names import ModelName
from add_model.nearest import close
from add_model.scaffold.answers import SAME_TOKENIZER, SINGLE_STYLE, Answers, load_answers
from add_model.scaffold.elsewhere import find_candidate
from add_model.scaffold.record import state_of
from add_model.scaffold.target import Candidate, Target, check_style

ALL_HEADS = "all"
NO_HEADS = "none"


class Earlier(str, Enum):
    """What becomes of an earlier attempt at a model of the same name."""

    FINISH = "finish"
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True)
class Request:
    """What was asked for so far; `None` is an answer that is still missing.

    Attributes:
        target: the library to write into, or the one that is to be made.
        replace: whether a model of that name may exist already (`--force`).
        earlier: what becomes of one that does; `None` where that was not asked.
    """

    target: Target
    reference: str | None = None
    name: str | None = None
    heads: tuple[str, ...] | None = None
    tokenizer_like: str | None = None
    novelty: str | None = None
    style: str | None = None
    class_name: str | None = None
    replace: bool = False
    earlier: Earlier | None = None

    @property
    def root(self) -> Path:
        """The folder of the library."""
        return self.target.root

    @property
    def package(self) -> str:
        """The name of its package."""
        return self.target.package

    @property
    def may_exist(self) -> bool:
        """Whether a model of that name may exist already."""
        return self.replace or self.earlier is not None

    @property
    def overwrites(self) -> bool:
        """Whether files that are there and differ are written over."""
        return self.replace or self.earlier is Earlier.REPLACE

    def with_defaults(self, stored: Answers) -> Request:
        """Takes from stored answers whatever was not asked for otherwise.

        Heads and tokenizer answer for the reference they were given with; another reference starts afresh. So do the
        names of classes with another name.
        """
        same_name = self.name is None or self.name == stored.name
        same = self.reference is None or self.reference == stored.reference
        return replace(
            self,
            reference=self.reference or stored.reference,
            name=self.name or stored.name,
            heads=stored.heads if self.heads is None and same else self.heads,
            tokenizer_like=self.tokenizer_like or (stored.tokenizer_like if same else None),
            novelty=self.novelty if self.novelty is not None else stored.novelty,
            style=self.style or stored.style,
            class_name=self.class_name if self.class_name is not None or not same_name else stored.class_name or None,
        )


def complete(request: Request) -> Answers:
    """Fills in the defaults (all heads, the reference's tokenizer) and checks every answer.

    Raises:
        AddModelError: an answer without a default is missing (the flag to pass is named), or one is invalid.
    """
    if request.reference is None:
        raise AddModelError("which model to start from? pass it: add-model like bert (see: add-model references)")
    if request.name is None:
        raise AddModelError("what is the new model called? pass --name, for example --name brand_new_bert")
    snake, reference = request.name, find_candidate(request.reference, request.target)
    if request.class_name is None and request.earlier is Earlier.FINISH:
        request = replace(request, class_name=earlier_class_name(snake, request.root))
    name = check_name(snake, request)
    heads = reference.all_heads if request.heads is None else chosen_heads(request.heads, reference)
    tokenizer_like = request.target.check_tokenizer(request.tokenizer_like or SAME_TOKENIZER, reference)
    style = check_style(request.style or SINGLE_STYLE, request.target)
    novelty = checked_novelty(request.novelty or "")
    class_name = "" if name == ModelName.from_snake(name.snake) else name.camel
    return Answers(reference.specification, name.snake, request.package, heads, tokenizer_like, novelty, style, class_name)  # fmt: skip


def checked_novelty(novelty: str) -> str:
    """The text as it is, where it can be written to a file: an argument may be any bytes.

    Raises:
        AddModelError: it cannot.
    """
    try:
        novelty.encode()
    except UnicodeEncodeError as error:
        raise AddModelError(f"--novelty: character {error.start + 1} of the text is none in UTF-8; write it anew") from error  # fmt: skip
    return novelty


def check_name(snake: str, request: Request) -> ModelName:
    """The new model's name.

    Raises:
        AddModelError: the name or what its classes are to be called is invalid, exists in the library, differs from an existing one only by casing, or
            clashes with what the reference's code or the library's base classes are called.
    """
    name = ModelName.from_snake(snake, request.class_name)
    if request.reference is not None:
        reference = find_candidate(request.reference, request.target)
        if request.target.is_made_from_itself(reference, snake):
            raise AddModelError(f"{reference.specification} cannot be made from itself; choose another --name, or another reference")  # fmt: skip
    return request.target.check_new_name(name, request.reference, request.may_exist)


def earlier_class_name(snake: str, root: Path) -> str | None:
    """What the classes start with of an earlier attempt at the model, where its answers say."""
    try:
        return load_answers(state_of(root, snake) / "answers.toml").class_name or None
    except AddModelError:
        return None


def with_fitting_class_name(request: Request, snake: str) -> Request:
    """The request, without what its classes are to be called where that is the casing of another name."""
    try:
        ModelName.from_snake(snake)
        ModelName.from_snake(snake, request.class_name)
    except AddModelError:
        return replace(request, class_name=None)
    return request


def chosen_heads(wanted: Iterable[str], reference: Candidate) -> tuple[str, ...]:
    """The tasks chosen, in the reference's order; each is given as its task or as its class, in any casing.

    Raises:
        AddModelError: the reference has no such head; its heads are listed.
    """
    wanted = list(wanted)
    if [head.lower() for head in wanted] == [ALL_HEADS] or (not wanted and not reference.heads):
        return reference.all_heads
    if reference.all_heads and not reference.heads:
        raise AddModelError(f"--heads: {reference.specification} is copied with all of its heads; leave --heads out")
    if [head.lower() for head in wanted] == [NO_HEADS]:
        return ()
    spelled = {
        _bare(spelling): task
        for task, name in reference.heads.items()
        for spelling in _spellings(task, name, reference)
    }
    unknown = [head for head in wanted if _bare(head) not in spelled]
    if unknown:
        likely = close(unknown[0], spelled, 1)
        hint = f"did you mean {spelled[likely[0]]}? " if likely else ""
        raise AddModelError(f"--heads: {reference.name.snake} has no head {unknown[0]!r}; {hint}choose from: {', '.join(reference.heads)}, all, none")  # fmt: skip
    chosen = {spelled[_bare(head)] for head in wanted}
    return tuple(task for task in reference.heads if task in chosen)


def _spellings(task: str, class_name: str, reference: Candidate) -> list[str]:
    suffix = class_name.removeprefix(reference.name.camel)
    return [task, class_name, suffix, suffix.removeprefix("For")]


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
