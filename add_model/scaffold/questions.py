"""The interview's questions as plain values: what is asked, what there is to choose from, what is proposed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from add_model.errors import AddModelError, ModelExists
from add_model.names import ModelName
from add_model.references import TARGET
from add_model.scaffold.answers import MODULAR_STYLE, NO_TOKENIZER, SAME_TOKENIZER, SHARED_TOKENIZER, SINGLE_STYLE
from add_model.scaffold.catalogue import TRANSFORMERS, Row, catalogue
from add_model.scaffold.questionnaire import Earlier, Request, check_name
from add_model.scaffold.record import load_record, state_of
from add_model.scaffold.targets import Candidate, find_candidate, origin_of, tokenizer_answers, tokenizer_donors

ANY_GROUP = "any"
OTHER_TOKENIZER = "other"
OTHER_NAME = "other"
_TYPE_WIDTH = 14


class Topic(str, Enum):
    """What a question is about; in the order in which they are asked."""

    GROUP = "kind"
    REFERENCE = "reference"
    NAME = "name"
    EARLIER = "earlier attempt"
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
        label: the line that is shown.
        hindrance: why it is shown but cannot be chosen; `None` where it can.
        checked: whether it is preselected, where several can be chosen.
    """

    value: str
    label: str
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
        refuse: what is wrong with a text, `None` where nothing is.
        preview: what to show below while typing, from what is typed.
    """

    message: str
    default: str = ""
    example: str = ""
    refuse: Callable[[str], str | None] | None = None
    preview: Callable[[str], str] | None = None


Question = Choose | Check | Write


def question(topic: Topic, request: Request, group: str | None) -> Question:
    """The question about a topic.

    Args:
        topic: what to ask about.
        request: the answers so far; one that is there already is what is proposed. All topics after the reference
            need the reference.
        group: the modality and kind chosen to browse by, `None` before it is chosen.

    Raises:
        AddModelError: a registry cannot be read or does not parse.
    """
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
    if topic is Topic.HEADS:
        return _about_heads(request, reference)
    if topic is Topic.TOKENIZER:
        return _about_tokenizer(request, reference)
    return _about_tokenizer_reference(request, reference)


def chosen_reference(request: Request) -> Candidate:
    """The reference that was chosen.

    Raises:
        AddModelError: it is no longer there.
    """
    assert request.reference is not None
    return find_candidate(request.reference, request.target)


def casings(snake: str) -> str:
    """A name in all its casings, on one line; for a name that is none, how the line is to be read."""
    try:
        name = ModelName.from_snake(snake)
    except AddModelError:
        return "snake_case: letters a-z, digits, underscores"
    return f"files {name.snake}   classes {name.camel}   constants {name.upper}   web {name.kebab}"


def _about_group(request: Request, group: str | None) -> Choose:
    rows = catalogue(request.target)
    options = [Option(ANY_GROUP, "any (search all of them)")]
    for name in dict.fromkeys(row.group for row in rows):
        members = [row for row in rows if row.group == name]
        ready = [row.member.title for row in members if row.specifications]
        like = ", ".join(ready or [row.member.title for row in members])
        options.append(Option(name, f"{name}, like {like}", None if ready else "none to start from here"))
    return Choose("What kind of model is it?", tuple(options), _offered(options, group) or ANY_GROUP)


def _about_reference(request: Request, group: str | None) -> Choose:
    rows = [row for row in catalogue(request.target) if group in (None, ANY_GROUP, row.group)]
    options = [option for row in rows for option in _reference_options(row, request)]
    # Those that can be chosen come first, so that the first line and a search's first hit are of use.
    options.sort(key=lambda option: option.hindrance is not None)
    message = "Which existing model is it most like?"
    return Choose(message, tuple(options), _offered(options, request.reference), searchable=True)


def _reference_options(row: Row, request: Request) -> Iterator[Option]:
    member = row.member
    for specification in row.specifications:
        place = "this library" if specification.startswith(f"{TARGET}:") else "bundled"
        yield Option(
            _answer(specification, request),
            _reference_label(member.model_type, place, member.title, member.description),
        )
    if not row.specifications:
        place = "transformers" if TRANSFORMERS in row.available else "not here"
        label = _reference_label(member.model_type, place, member.title, member.description)
        yield Option(member.model_type, label, "cannot be started from")


def _answer(specification: str, request: Request) -> str:
    """A specification as answers spell it: the target's own models are called after where they are from."""
    origin, _, model_type = specification.partition(":")
    if origin != TARGET or request.target is None:
        return specification
    return f"{origin_of(request.target)}:{model_type}"


def _reference_label(model_type: str, place: str, title: str, description: str) -> str:
    return f"{model_type:<{_TYPE_WIDTH}} {place:<12} {title}: {description}"


def _about_name(request: Request) -> Write:
    def refuse(text: str) -> str | None:
        try:
            check_name(text, request)
        except ModelExists:
            # What to do with it is the next question.
            return None
        except AddModelError as error:
            return str(error).removeprefix("--name ")
        return None

    return Write("What is the new model called?", request.name or "", "such as brand_new_bert", refuse, casings)


def _about_earlier(request: Request) -> Choose:
    assert request.name is not None
    unknown = None if load_record(state_of(request.root, request.name)) else "add-model does not remember writing it"
    options = (
        Option(Earlier.FINISH.value, "finish it: keep the files that are there, write the others"),
        Option(Earlier.REPLACE.value, "replace it: write every file anew, yours included"),
        Option(Earlier.REMOVE.value, "remove it, and stop", unknown),
        Option(OTHER_NAME, "leave it, and choose another name"),
    )
    return Choose(f"There is a model {request.name} already. What becomes of it?", options, Earlier.FINISH.value)


def _about_heads(request: Request, reference: Candidate) -> Check:
    chosen = reference.heads if request.heads is None else request.heads
    options = tuple(Option(task, f"{task} ({name})", checked=task in chosen) for task, name in reference.heads.items())
    return Check("What is it used for?", options)


def _about_novelty(request: Request) -> Write:
    title = chosen_reference(request).name.title if request.reference is not None else "the reference"
    example = "a line for its docs page; may stay empty"
    return Write(f"What is new in it, compared with {title}?", request.novelty or "", example)


def _about_tokenizer(request: Request, reference: Candidate) -> Choose:
    title = reference.name.title
    others = tokenizer_donors(request.target, reference)
    if reference.tokenizer is None:
        same = Option(SAME_TOKENIZER, f"the same as {title}'s", f"{title} has none")
    else:
        same = Option(SAME_TOKENIZER, f"the same as {title}'s ({reference.tokenizer})")
    hindrance = None if others else "there is no other here"
    other = Option(OTHER_TOKENIZER, "like another model's", hindrance)
    answers = tokenizer_answers(request.target)
    shared = (Option(SHARED_TOKENIZER, f"{title}'s own, shared with it"),) if SHARED_TOKENIZER in answers else ()
    options = (same, *shared, other, Option(NO_TOKENIZER, "none"))
    current = request.tokenizer_like
    if current is not None and current not in answers:
        current = OTHER_TOKENIZER
    return Choose("Which tokenizer does it have?", options, _offered(options, current))


def _about_tokenizer_reference(request: Request, reference: Candidate) -> Choose:
    groups = {_answer(specification, request): row.group for row in catalogue(request.target) for specification in row.specifications}  # fmt: skip
    options = [
        Option(specification, f"{name:<{_TYPE_WIDTH}} {tokenizer} ({groups.get(specification, 'other')})")
        for specification, name, tokenizer in tokenizer_donors(request.target, reference)
    ]
    return Choose("Which model's tokenizer?", tuple(options), _offered(options, request.tokenizer_like), True)


def _about_style(request: Request) -> Choose:
    options = (
        Option(SINGLE_STYLE, "single files, each block marked as the copy that it is"),
        Option(
            MODULAR_STYLE, "a modular file, in which each class derives from the reference's, and single files from it"
        ),
    )
    return Choose("How is it written?", options, request.style or SINGLE_STYLE)


def _offered(options: Sequence[Option], value: str | None) -> str | None:
    """The value, where it can be chosen."""
    return value if any(option.value == value and option.hindrance is None for option in options) else None
