"""From answers to the written tree, made anew where somebody saved one of its files meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from add_model.errors import ChangedMeanwhile
from add_model.scaffold import tree
from add_model.scaffold.answers import Answers
from add_model.scaffold.destination import find_destination
from add_model.scaffold.questionnaire import Request, complete
from add_model.scaffold.rendering import Rendering
from add_model.scaffold.tree import Outcome

# Of runs that begin together one writes each time, so that this many can.
_ATTEMPTS = 10


def prepare(answers: Answers, request: Request) -> tuple[Rendering, Outcome]:
    """Makes the model's files, and decides what becomes of each; nothing is written.

    Raises:
        AddModelError: as `make` and `decide` do.
    """
    rendering = request.target.make(answers)
    return rendering, tree.decide(rendering, request.overwrites)


def make_and_write(answers: Answers, request: Request) -> tuple[Rendering, Outcome]:
    """Makes the model's files, and writes them.

    Raises:
        ModelExists: another run has made a model of that name meanwhile.
        ChangedMeanwhile: somebody saves one of the files over and over.
        AddModelError: as `make`, `decide` and `write` do.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return _written(answers, request)
        except ChangedMeanwhile:
            request = as_it_is_now(answers, request)
            answers = complete(request)
    return _written(answers, request)


def _written(answers: Answers, request: Request) -> tuple[Rendering, Outcome]:
    rendering, outcome = prepare(answers, request)
    # What another run has written since the name was checked would pass for an earlier one's of this model.
    request.target.check_new_name(answers.model_name, None, request.may_exist)
    tree.write(rendering, outcome)
    return rendering, outcome


def as_it_is_now(answers: Answers, request: Request) -> Request:
    """What was answered, for the library that stands there by now.

    Raises:
        AddModelError: as `find_destination` does.
    """
    return replace(
        in_what_is_there_now(replace(request, reference=answers.reference)),
        name=answers.name,
        heads=answers.heads,
        tokenizer_like=answers.tokenizer_like,
        novelty=answers.novelty,
        style=answers.style,
        class_name=answers.class_name or None,
    )


def in_what_is_there_now(request: Request) -> Request:
    """What was asked for, of the library that stands there by now.

    Raises:
        AddModelError: as `find_destination` does.
    """
    return replace(request, target=find_destination(request.root, Path.cwd(), request.reference, request.package))
