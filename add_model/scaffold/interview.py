"""The interview: the questions one after the other, then a review in which every answer can be changed.

The flow is pure: a `Conversation` says what to ask next, and `answered` and `revised` make the next one of it. Only
`interview` talks, through an `Asker`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from add_model.errors import AddModelError, ModelExists
from add_model.names import ModelName
from add_model.scaffold.answers import NO_TOKENIZER, SAME_TOKENIZER, SHARED_TOKENIZER, SINGLE_STYLE, Answers
from add_model.scaffold.questionnaire import Earlier, Request, check_name, chosen_heads, complete
from add_model.scaffold.questions import (
    ANY_GROUP,
    OTHER_NAME,
    OTHER_TOKENIZER,
    Choose,
    Option,
    Question,
    Topic,
    chosen_reference,
    question,
)
from add_model.scaffold.targets import check_style, check_tokenizer, styles
from add_model.visible import visible

PREVIEW = "preview"
WRITE = "write"
STOP = "stop"

_CHANGES = {
    Topic.REFERENCE: "change the reference",
    Topic.NAME: "change the name",
    Topic.HEADS: "change the heads",
    Topic.NOVELTY: "change what is new",
    Topic.TOKENIZER: "change the tokenizer",
    Topic.STYLE: "change the style",
}

Reply = str | tuple[str, ...]


class Asker(Protocol):
    """Whoever puts the questions: a terminal, or a test."""

    def ask(self, question: Question) -> Reply:
        """The answer: a value, a text, or the values of a `Check`. Raises KeyboardInterrupt when it is cut off."""

    def show(self, text: str) -> None:
        """Shows a text."""


@dataclass(frozen=True)
class Conversation:
    """How far the interview has got.

    Attributes:
        request: the answers so far. One that is to be asked again is still there, as the one to propose.
        pending: what is still to be asked, in this order.
        group: the modality and kind to browse references by.
        notices: what to tell before the next question.
    """

    request: Request
    pending: tuple[Topic, ...]
    group: str | None = None
    notices: tuple[str, ...] = ()


def interview(request: Request, preview: Callable[[Answers], str], asker: Asker | None = None) -> Answers | None:
    """Asks for every answer that the request lacks, then for a yes; nothing is written here.

    Args:
        request: what was asked for on the command line; those answers are not asked for, but can be changed.
        preview: what would be written for these answers, as a text to show.
        asker: who puts the questions; the terminal by default.

    Returns:
        The answers; `None` where the user stops.

    Raises:
        AddModelError: an answer on the command line is invalid.
        KeyboardInterrupt: Ctrl-C, at any question.
    """
    answers, _ = decided(request, lambda answers, _: preview(answers), asker)
    return answers


def decided(
    request: Request, preview: Callable[[Answers, Request], str], asker: Asker | None = None
) -> tuple[Answers | None, Request]:
    """As `interview` does, and what the request has become: it says what to do with an earlier attempt.

    Where that is to be removed there are no answers, for there is nothing to write.
    """
    conversation = started(request)
    if asker is None:
        from add_model.scaffold.prompts import Terminal

        asker = Terminal()
    previewed: Answers | None = None
    while True:
        conversation = _asked(conversation, asker)
        request = conversation.request
        if request.earlier is Earlier.REMOVE:
            return None, request
        answers = complete(request)
        asker.show(summary(answers))
        reply = asker.ask(review(previewed == answers, with_style=len(styles(request.target)) > 1))
        if reply == WRITE:
            return answers, request
        if reply == STOP:
            return None, replace(request, earlier=None)
        if reply == PREVIEW:
            try:
                asker.show(preview(answers, request))
                previewed = answers
            except AddModelError as error:
                # Said here rather than at the end, where the answers could not be changed any more.
                asker.show(f"error: {error}")
        else:
            conversation = revised(conversation, Topic(reply))


def started(request: Request) -> Conversation:
    """The interview before its first question; what the request answers already is checked and not asked.

    Raises:
        AddModelError: an answer is invalid.
    """
    pending = tuple(topic for topic in Topic if _is_missing(topic, request))
    if request.name is not None:
        try:
            check_name(request.name, request)
        except ModelExists:
            pending = (Topic.EARLIER, *pending)
    if request.reference is None:
        return Conversation(request, pending)
    reference = chosen_reference(request)
    heads = None if request.heads is None else chosen_heads(request.heads, reference)
    tokenizer_like = request.tokenizer_like
    if tokenizer_like is not None:
        tokenizer_like = check_tokenizer(tokenizer_like, reference, request.target)
    request = replace(request, reference=reference.specification, heads=heads, tokenizer_like=tokenizer_like)
    return Conversation(request, _without_heads(pending) if not reference.heads else pending)


def answered(conversation: Conversation, topic: Topic, reply: Reply) -> Conversation:
    """The conversation after an answer, with what follows from it.

    Raises:
        AddModelError: the answer is invalid; the message says why.
    """
    request = conversation.request
    pending = tuple(other for other in conversation.pending if other is not topic)
    conversation = replace(conversation, pending=pending, notices=())
    if isinstance(reply, tuple):
        heads = chosen_heads(reply, chosen_reference(request))
        return replace(conversation, request=replace(request, heads=heads))
    if topic is Topic.GROUP:
        return replace(conversation, group=reply)
    if topic is Topic.REFERENCE:
        return _with_reference(conversation, reply)
    if topic is Topic.NAME:
        return _with_name(conversation, reply)
    if topic is Topic.EARLIER:
        return _with_earlier(conversation, reply)
    if topic is Topic.NOVELTY:
        return replace(conversation, request=replace(request, novelty=reply.strip()))
    if topic is Topic.STYLE:
        return replace(conversation, request=replace(request, style=check_style(reply, request.target)))
    if reply == OTHER_TOKENIZER:
        return replace(conversation, pending=(Topic.TOKENIZER_REFERENCE, *pending))
    tokenizer_like = check_tokenizer(reply, chosen_reference(request), request.target)
    return replace(conversation, request=replace(request, tokenizer_like=tokenizer_like))


def revised(conversation: Conversation, topic: Topic) -> Conversation:
    """The conversation in which a topic is asked again; a reference is found again by its kind."""
    topics = (Topic.GROUP, Topic.REFERENCE) if topic is Topic.REFERENCE else (topic,)
    if topic is Topic.HEADS and not chosen_reference(conversation.request).heads:
        return replace(conversation, notices=("the reference has no heads to choose from",))
    return replace(conversation, pending=topics, group=conversation.group or ANY_GROUP)


def summary(answers: Answers) -> str:
    """Every answer, one a line."""
    name = ModelName.from_snake(answers.name)
    tokenizer = {
        SAME_TOKENIZER: "the same as the reference's",
        SHARED_TOKENIZER: "the reference's own, shared",
        NO_TOKENIZER: "none",
    }
    lines = {
        "reference": answers.reference,
        "name": f"{name.snake}, {name.camel}, {name.upper}, {name.kebab}",
        "heads": ", ".join(answers.heads) or "none",
        "what is new": answers.novelty or "(nothing yet)",
        "tokenizer": tokenizer.get(answers.tokenizer_like, f"like {answers.tokenizer_like}"),
        "style": answers.style,
        "library": answers.package,
    }
    return "\n".join(["", *(f"  {label:<12} {visible(value)}" for label, value in lines.items()), ""])


def review(seen: bool, with_style: bool = False) -> Choose:
    """The last question. What is proposed is to look at the files first, and to write them once they were seen."""
    changes = (
        Option(topic.value, label) for topic, label in _CHANGES.items() if with_style or topic is not Topic.STYLE
    )
    options = (
        Option(PREVIEW, "preview the files"),
        Option(WRITE, "write them"),
        *changes,
        Option(STOP, "stop without writing"),
    )
    return Choose("Is that right?", options, WRITE if seen else PREVIEW)


def _asked(conversation: Conversation, asker: Asker) -> Conversation:
    """Puts every pending question; an answer that does not fit is explained and asked for again."""
    while conversation.pending or conversation.notices:
        for notice in conversation.notices:
            asker.show(notice)
        conversation = replace(conversation, notices=())
        if not conversation.pending:
            break
        topic = conversation.pending[0]
        reply = asker.ask(question(topic, conversation.request, conversation.group))
        try:
            conversation = answered(conversation, topic, reply)
        except AddModelError as error:
            conversation = replace(conversation, notices=(str(error),))
    return conversation


def _with_name(conversation: Conversation, name: str) -> Conversation:
    """The conversation with a name; where there is such a model, what becomes of that is asked next."""
    request = replace(conversation.request, earlier=None)
    try:
        check_name(name, request)
    except ModelExists:
        pending = (Topic.EARLIER, *conversation.pending)
        return replace(conversation, request=replace(request, name=name), pending=pending)
    return replace(conversation, request=replace(request, name=name))


def _with_earlier(conversation: Conversation, reply: str) -> Conversation:
    if reply == OTHER_NAME:
        request = replace(conversation.request, name=None)
        return replace(conversation, request=request, pending=_with(conversation.pending, Topic.NAME))
    return replace(conversation, request=replace(conversation.request, earlier=Earlier(reply)))


def _with_reference(conversation: Conversation, specification: str) -> Conversation:
    """The conversation with another reference; answers that it does not allow are asked for again."""
    request, pending, notices = conversation.request, conversation.pending, list[str]()
    request = replace(request, reference=specification)
    reference = chosen_reference(request)
    request = replace(request, reference=reference.specification)
    if request.name is not None:
        try:
            check_name(request.name, request)
        except ModelExists:
            pass  # asked for by itself
        except AddModelError as error:
            notices.append(str(error))
            request, pending = replace(request, name=None), _with(pending, Topic.NAME)
    if not reference.heads:
        request, pending = replace(request, heads=()), _without_heads(pending)
    elif request.heads is not None:
        try:
            request = replace(request, heads=chosen_heads(request.heads, reference))
        except AddModelError as error:
            notices.append(str(error))
            request, pending = replace(request, heads=None), _with(pending, Topic.HEADS)
    if request.tokenizer_like is not None:
        try:
            tokenizer_like = check_tokenizer(request.tokenizer_like, reference, request.target)
            request = replace(request, tokenizer_like=tokenizer_like)
        except AddModelError as error:
            notices.append(str(error))
            request, pending = replace(request, tokenizer_like=None), _with(pending, Topic.TOKENIZER)
    return replace(conversation, request=request, pending=pending, notices=tuple(notices))


def _is_missing(topic: Topic, request: Request) -> bool:
    given = {
        Topic.GROUP: request.reference,
        Topic.REFERENCE: request.reference,
        Topic.NAME: request.name,
        Topic.HEADS: request.heads,
        Topic.NOVELTY: request.novelty,
        Topic.TOKENIZER: request.tokenizer_like,
        Topic.STYLE: request.style or (None if len(styles(request.target)) > 1 else SINGLE_STYLE),
    }
    return topic in given and given[topic] is None


def _without_heads(pending: tuple[Topic, ...]) -> tuple[Topic, ...]:
    return tuple(topic for topic in pending if topic is not Topic.HEADS)


def _with(pending: tuple[Topic, ...], topic: Topic) -> tuple[Topic, ...]:
    wanted = {*pending, topic}
    return tuple(other for other in Topic if other in wanted)
