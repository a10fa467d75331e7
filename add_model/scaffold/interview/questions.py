"""The interview's questions as plain values: what is asked, what there is to choose from, what is proposed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from add_model.errors import AddModelError, ModelExists
from add_model.names import ModelName
from add_model.references import TARGET
from add_model.scaffold.answers import (
    MODULAR_STYLE,
    NO_TOKENIZER,
    SAME_TOKENIZER,
    SHARED_TOKENIZER,
    SINGLE_STYLE,
)
from add_model.scaffold.catalogue import OF_THIS_LIBRARY, OF_TRANSFORMERS, TRANSFORMERS, Row, catalogue
from add_model.scaffold.elsewhere import find_candidate
from add_model.scaffold.interview.purposes import proposed_purpose, purposes, why_not_here
from add_model.scaffold.interview.wording import in_words
from add_model.scaffold.questionnaire import (
    Earlier,
    Request,
    check_name,
    checked_novelty,
    earlier_class_name,
    with_fitting_class_name,
)
from add_model.scaffold.record import load_record, state_of
from add_model.scaffold.target import Candidate

ANY_GROUP = "any"
OTHER_TOKENIZER = "other"
OTHER_NAME = "other"
STYLES = {
    SINGLE_STYLE: "files that stand by themselves, each block marked as the copy that it is",
    MODULAR_STYLE: "a modular file of classes that derive from the reference's, and single files from it",
}
# More of them would not be read.
_EXAMPLES = 8


class Topic(str, Enum):
    """What a question is about; in the order in which they are asked."""

    PURPOSE = "what it is for"
    GROUP = "kind"
    REFERENCE = "reference"
    NAME = "name"
    EARLIER = "earlier attempt"
    CLASS_NAME = "class names"
    HEADS = "heads"
    NOVELTY = "what is new"
    TOKENIZER = "tokenizer"
    TOKENIZER_REFERENCE = "tokenizer's reference"
    STYLE = "style"


@dataclass(frozen=True)
class Option:
    """One thing to choose.

    Attributes:
        value: what choosing it answers.
        label: what it is called.
        details: what else there is to say of it, each in a column of its own.
        hindrance: why it is shown but cannot be chosen, and what to do about it; `None` where it can be.
        checked: whether it is preselected, where several can be chosen.
    """

    value: str
    label: str
    details: tuple[str, ...] = ()
    hindrance: str | None = None
    checked: bool = False


@dataclass(frozen=True)
class Choose:
    """Choose one of the options; `default` is the value that is proposed."""

    message: str
    options: tuple[Option, ...]
    default: str | None = None
    searchable: bool = False


@dataclass(frozen=True)
class Check:
    """Choose any number of the options."""

    message: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Write:
    """Type a line; `default` stands there already.

    Attributes:
        example: shown as long as nothing is typed.
        refuse: what is wrong with a text, `None` where nothing is. Asked once a text is to be taken.
        preview: what to show below while typing, from what is typed; of no cost.
    """

    message: str
    default: str = ""
    example: str = ""
    refuse: Callable[[str], str | None] | None = None
    preview: Callable[[str], str] | None = None


Question = Choose | Check | Write


def question(topic: Topic, request: Request, group: str | None, other_tokenizer: bool = False) -> Question:
    """The question about a topic.

    Args:
        topic: what to ask about.
        request: the answers so far; one that is there already is what is proposed. All topics after the reference
            need the reference.
        group: the modality and kind chosen to browse by, `None` before it is chosen.
        other_tokenizer: whether another model's tokenizer was asked for, and not yet which one.

    Raises:
        AddModelError: a registry cannot be read or does not parse.
    """
    if topic is Topic.PURPOSE:
        return _about_purpose(request)
    if topic is Topic.GROUP:
        return _about_group(request, group)
    if topic is Topic.REFERENCE:
        return _about_reference(request, group)
    if topic is Topic.NAME:
        return _about_name(request)
    if topic is Topic.EARLIER:
        return _about_earlier(request)
    if topic is Topic.NOVELTY:
        return _about_novelty(request)
    if topic is Topic.STYLE:
        return _about_style(request)
    reference = chosen_reference(request)
    if topic is Topic.CLASS_NAME:
        return _about_class_name(request, reference)
    if topic is Topic.HEADS:
        return _about_heads(request, reference)
    if topic is Topic.TOKENIZER:
        return _about_tokenizer(request, reference, other_tokenizer)
    return _about_tokenizer_reference(request, reference)


def chosen_reference(request: Request) -> Candidate:
    """The reference that was chosen.

    Raises:
        AddModelError: it is no longer there.
    """
    assert request.reference is not None
    return find_candidate(request.reference, request.target)


def casings(snake: str) -> str:
    """A name in all its casings, on one line; for a name that is none, what is wrong with it."""
    if not snake:
        return "snake_case: letters a-z, digits, underscores"
    try:
        name = ModelName.from_snake(snake)
    except AddModelError as error:
        return in_words(error)
    return f"files {name.snake}, classes {name.camel}, constants {name.upper}, web {name.kebab}"


def _about_purpose(request: Request) -> Choose:
    options = tuple(Option(kind.name, label, (said,)) for kind in purposes(request) for label, said in (kind.purpose,))
    return Choose("What is the model for?", options, proposed_purpose(request))


def _about_group(request: Request, group: str | None) -> Choose:
    rows = catalogue(request.target)
    options, reason = [Option(ANY_GROUP, ANY_GROUP, ("search all of them",))], why_not_here(request)
    for name in dict.fromkeys(row.group for row in rows):
        members = [row for row in rows if row.group == name]
        ready = [row.member.title for row in members if row.specifications]
        like = ", ".join((ready or [row.member.title for row in members])[:_EXAMPLES])
        options.append(Option(name, name, (f"like {like}",), None if ready else reason))
    return Choose("What kind of model is it?", tuple(options), _offered(options, group) or ANY_GROUP)


def _about_reference(request: Request, group: str | None) -> Choose:
    rows = [row for row in catalogue(request.target) if group in (None, ANY_GROUP, row.group)]
    reason = why_not_here(request)
    options = _without_repetition([option for row in rows for option in _reference_options(row, request, reason)])
    message = "Which existing model is it most like?"
    return Choose(message, options, _offered(options, request.reference), searchable=True)


def _reference_options(row: Row, request: Request, reason: str) -> Iterator[Option]:
    member = row.member
    said = (
        member.title
        if member.description in (OF_THIS_LIBRARY, OF_TRANSFORMERS)
        else f"{member.title}: {member.description}"
    )
    for specification in row.specifications:
        is_own = specification.startswith(f"{TARGET}:")
        place = _own_place(request) if is_own else "bundled"
        yield Option(_answer(specification, request), member.model_type, (place, said))
    if not row.specifications:
        place = TRANSFORMERS if TRANSFORMERS in row.available else "not here"
        yield Option(member.model_type, member.model_type, (place, said), reason)


def _own_place(request: Request) -> str:
    """How the place is called that the models are from which the library calls its own."""
    origin = request.target.origin
    return "this library" if origin == TARGET else origin


def _without_repetition(options: Sequence[Option]) -> tuple[Option, ...]:
    """The options without the column that says the same of each."""
    if len({option.details[0] for option in options if option.hindrance is None}) > 1:
        return tuple(options)
    return tuple(replace(option, details=option.details[1:]) for option in options)


def _answer(specification: str, request: Request) -> str:
    """A specification as answers spell it: the target's own models are called after where they are from."""
    origin, _, model_type = specification.partition(":")
    return f"{request.target.origin}:{model_type}" if origin == TARGET else specification


def _about_name(request: Request) -> Write:
    def refuse(text: str) -> str | None:
        try:
            check_name(text, with_fitting_class_name(request, text))
        except ModelExists:
            # What to do with it is the next question.
            return None
        except AddModelError as error:
            return in_words(error)
        return None

    return Write("What is the new model called?", request.name or "", "such as brand_new_bert", refuse, casings)


def _about_class_name(request: Request, reference: Candidate) -> Write:
    assert request.name is not None
    name = request.name
    usual = ModelName.from_snake(name).camel

    def refuse(text: str) -> str | None:
        try:
            check_name(name, replace(request, class_name=text, replace=True))
        except AddModelError as error:
            return in_words(error)
        return None

    def preview(text: str) -> str:
        try:
            return ", ".join(class_names(ModelName.from_snake(name, text), reference))
        except AddModelError as error:
            return in_words(error)

    proposed = request.class_name or earlier_class_name(name, request.root) or usual
    return Write("What do the names of its classes start with?", proposed, f"such as {usual}", refuse, preview)


def class_names(name: ModelName, reference: Candidate) -> Iterator[str]:
    """Some of the new model's classes, as they will be called."""
    heads = (f"{name.camel}{head.removeprefix(reference.name.camel)}" for head in reference.heads.values())
    return itertools.islice(itertools.chain((f"{name.camel}Config", f"{name.camel}Model"), heads), 3)


def _about_earlier(request: Request) -> Choose:
    assert request.name is not None
    unknown = (
        None
        if load_record(state_of(request.root, request.name))
        else "not to be removed here: add-model does not remember writing it; delete its files yourself"
    )
    options = (
        Option(Earlier.FINISH.value, "finish it", ("keep the files that are there, write the others",)),
        Option(Earlier.REPLACE.value, "replace it", ("write every file anew, yours included",)),
        Option(Earlier.REMOVE.value, "remove it", ("take back what was written for it, and stop",), unknown),
        Option(OTHER_NAME, "leave it", ("and choose another name",)),
    )
    return Choose(f"There is a model {request.name} already. What becomes of it?", options, Earlier.FINISH.value)


def _about_heads(request: Request, reference: Candidate) -> Check:
    chosen = reference.heads if request.heads is None else request.heads
    options = tuple(Option(task, task, (name,), checked=task in chosen) for task, name in reference.heads.items())
    return Check("What is it used for?", options)


def _about_novelty(request: Request) -> Write:
    title = chosen_reference(request).name.title if request.reference is not None else "the reference"
    example = "a line for its docs page; may stay empty"

    def refuse(text: str) -> str | None:
        try:
            checked_novelty(text)
        except AddModelError as error:
            return in_words(error)
        return None

    return Write(f"What is new in it, compared with {title}?", request.novelty or "", example, refuse)


def _about_tokenizer(request: Request, reference: Candidate, other_tokenizer: bool) -> Choose:
    title, kind = reference.name.title, reference.reads_by
    others = request.target.tokenizer_donors(reference)
    if reference.tokenizer is None:
        same = Option(SAME_TOKENIZER, f"the same as {title}'s", (), f"{title} has none to take: choose another model's, or none")  # fmt: skip
    else:
        same = Option(SAME_TOKENIZER, f"the same as {title}'s", (reference.tokenizer,))
    hindrance = None if others else f"no other model here has {_with_article(kind)}: choose the same, or none"
    other = Option(OTHER_TOKENIZER, "like another model's", (), hindrance)
    answers = request.target.tokenizer_answers()
    shared = (Option(SHARED_TOKENIZER, f"{title}'s own", ("shared with it",)),) if SHARED_TOKENIZER in answers else ()
    options = (same, *shared, other, Option(NO_TOKENIZER, "none"))
    current = request.tokenizer_like
    if other_tokenizer or (current is not None and current not in answers):
        current = OTHER_TOKENIZER
    return Choose(f"Which {kind} does it have?", options, _offered(options, current))


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _about_tokenizer_reference(request: Request, reference: Candidate) -> Choose:
    groups = {_answer(specification, request): row.group for row in catalogue(request.target) for specification in row.specifications}  # fmt: skip
    options = [
        Option(specification, name, (tokenizer, groups.get(specification, "other")))
        for specification, name, tokenizer in request.target.tokenizer_donors(reference)
    ]
    return Choose(
        f"Which model's {reference.reads_by}?",
        _without_repetition(options),
        _offered(options, request.tokenizer_like),
        True,
    )


def _about_style(request: Request) -> Choose:
    options = tuple(Option(style, style, (STYLES[style],)) for style in request.target.styles())
    return Choose("How is it written?", options, request.style or SINGLE_STYLE)


def _offered(options: Sequence[Option], value: str | None) -> str | None:
    """The value, where it can be chosen."""
    return value if any(option.value == value and option.hindrance is None for option in options) else None
