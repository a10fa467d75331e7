"""The interview's course, as a value: what is asked next, what follows from an answer, and the way back.

Nothing here talks: `interview` does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from add_model.errors import AddModelError, ModelExists
from add_model.names import ModelName
from add_model.scaffold.answers import SINGLE_STYLE
from add_model.scaffold.interview.purposes import purposes, with_purpose
from add_model.scaffold.interview.questions import ANY_GROUP, OTHER_NAME, OTHER_TOKENIZER, Topic, chosen_reference
from add_model.scaffold.interview.wording import in_words
from add_model.scaffold.library_kinds import STANDALONE
from add_model.scaffold.questionnaire import (
    Earlier,
    Request,
    check_name,
    checked_novelty,
    chosen_heads,
    earlier_class_name,
    with_fitting_class_name,
)
from add_model.scaffold.target import check_style

Reply = str | tuple[str, ...]


@dataclass(frozen=True)
class Conversation:
    """How far the interview has got.

    Attributes:
        request: the answers so far. One that is to be asked again is still there, as the one to propose.
        pending: what is still to be asked, in this order.
        group: the modality and kind to browse references by.
        other_tokenizer: whether another model's tokenizer was asked for, whatever became of the question for which one.
        notices: what to tell before the next question.
        before: how far it had got before the last answer; `None` at its beginning.
    """

    request: Request
    pending: tuple[Topic, ...]
    group: str | None = None
    other_tokenizer: bool = False
    notices: tuple[str, ...] = ()
    before: Conversation | None = None


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
        tokenizer_like = request.target.check_tokenizer(tokenizer_like, reference)
    request = replace(request, reference=reference.specification, heads=heads, tokenizer_like=tokenizer_like)
    return Conversation(request, _without_heads(pending) if not reference.heads else pending)


def answered(conversation: Conversation, topic: Topic, reply: Reply) -> Conversation:
    """The conversation after an answer, with what follows from it.

    Raises:
        AddModelError: the answer is invalid; the message says why.
    """
    before = replace(conversation, notices=())
    pending = tuple(other for other in conversation.pending if other is not topic)
    return replace(_following(replace(before, pending=pending), topic, reply), before=before)


def revised(conversation: Conversation, topic: Topic) -> Conversation:
    """The conversation in which a topic is asked again; a reference is found again by its kind."""
    topics = (Topic.GROUP, Topic.REFERENCE) if topic is Topic.REFERENCE else (topic,)
    before = replace(conversation, notices=())
    group = conversation.group or ANY_GROUP
    return replace(before, pending=topics, group=group, other_tokenizer=False, before=before)


def went_back(conversation: Conversation) -> Conversation:
    """The conversation before the last answer; what was answered since is what it proposes."""
    before = conversation.before
    if before is None:
        return conversation
    return replace(
        before,
        request=conversation.request,
        group=conversation.group,
        other_tokenizer=conversation.other_tokenizer,
    )


def _following(conversation: Conversation, topic: Topic, reply: Reply) -> Conversation:
    request, pending = conversation.request, conversation.pending
    if isinstance(reply, tuple):
        heads = chosen_heads(reply, chosen_reference(request))
        return replace(conversation, request=replace(request, heads=heads))
    if topic is Topic.PURPOSE:
        return _with_purpose(conversation, reply)
    if topic is Topic.GROUP:
        return replace(conversation, group=reply)
    if topic is Topic.REFERENCE:
        return _with_reference(conversation, reply)
    if topic is Topic.NAME:
        return _with_name(conversation, reply)
    if topic is Topic.EARLIER:
        return _with_earlier(conversation, reply)
    if topic is Topic.CLASS_NAME:
        return replace(conversation, request=_with_class_name(request, reply))
    if topic is Topic.NOVELTY:
        return replace(conversation, request=replace(request, novelty=checked_novelty(reply.strip())))
    if topic is Topic.STYLE:
        return replace(conversation, request=replace(request, style=check_style(reply, request.target)))
    if reply == OTHER_TOKENIZER:
        return replace(conversation, pending=(Topic.TOKENIZER_REFERENCE, *pending), other_tokenizer=True)
    tokenizer_like = request.target.check_tokenizer(reply, chosen_reference(request))
    # From here on, what was chosen tells.
    return replace(conversation, request=replace(request, tokenizer_like=tokenizer_like), other_tokenizer=False)


def _with_purpose(conversation: Conversation, purpose: str) -> Conversation:
    """The conversation for another kind of library, in which the reference is another one."""
    request = with_purpose(conversation.request, purpose)
    if request.reference is not None:
        return conversation
    pending = _with(_with(conversation.pending, Topic.GROUP), Topic.REFERENCE)
    return replace(conversation, request=request, pending=pending, group=None)


def _with_name(conversation: Conversation, name: str) -> Conversation:
    """The conversation with a name; where there is such a model, what becomes of that is asked next."""
    request = replace(conversation.request, earlier=None)
    pending = conversation.pending
    if _has_usual_classes(request):
        request = replace(request, class_name=None)
    elif request != (request := with_fitting_class_name(request, name)):
        pending = _with(pending, Topic.CLASS_NAME)
    try:
        check_name(name, request)
    except ModelExists:
        pending = (Topic.EARLIER, *pending)
    return replace(conversation, request=replace(request, name=name), pending=pending)


def _with_class_name(request: Request, camel: str) -> Request:
    """The request with what the classes are to be called.

    Raises:
        AddModelError: they cannot be called so.
    """
    assert request.name is not None
    changed = replace(request, class_name=camel)
    # What becomes of a model that there is has been asked.
    check_name(request.name, replace(changed, replace=True))
    return changed


def _has_usual_classes(request: Request) -> bool:
    """Whether the classes are called after the name, so that they follow it."""
    return request.name is not None and request.class_name == ModelName.from_snake(request.name).camel


def _with_earlier(conversation: Conversation, reply: str) -> Conversation:
    if reply == OTHER_NAME:
        request = replace(conversation.request, name=None)
        return replace(conversation, request=request, pending=_with(conversation.pending, Topic.NAME))
    request = replace(conversation.request, earlier=Earlier(reply))
    assert request.name is not None
    if request.earlier is Earlier.REMOVE:
        return replace(conversation, request=request, pending=())
    if request.earlier is Earlier.FINISH:
        # Its classes are called as they are.
        camel = earlier_class_name(request.name, request.root) or request.class_name
        pending = tuple(topic for topic in conversation.pending if topic is not Topic.CLASS_NAME)
        return replace(conversation, request=replace(request, class_name=camel), pending=pending)
    return replace(conversation, request=request)


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
            # The name stays what is proposed, so that a letter of it can be changed.
            if Topic.NAME not in pending:
                notices.append(in_words(error))
            pending = _with(pending, Topic.NAME)
    if not reference.heads:
        request, pending = replace(request, heads=None), _without_heads(pending)
    elif request.heads is None:
        pending = _with(pending, Topic.HEADS)
    else:
        try:
            request = replace(request, heads=chosen_heads(request.heads, reference))
        except AddModelError as error:
            if Topic.HEADS not in pending:
                notices.append(in_words(error))
            request, pending = replace(request, heads=None), _with(pending, Topic.HEADS)
    if request.tokenizer_like is not None:
        try:
            tokenizer_like = request.target.check_tokenizer(request.tokenizer_like, reference)
            request = replace(request, tokenizer_like=tokenizer_like)
        except AddModelError as error:
            if Topic.TOKENIZER not in pending:
                notices.append(in_words(error))
            request, pending = replace(request, tokenizer_like=None), _with(pending, Topic.TOKENIZER)
    return replace(conversation, request=request, pending=pending, notices=tuple(notices))


def _is_missing(topic: Topic, request: Request) -> bool:
    given = {
        Topic.PURPOSE: request.reference or (None if len(purposes(request)) > 1 else STANDALONE.name),
        Topic.GROUP: request.reference,
        Topic.REFERENCE: request.reference,
        Topic.NAME: request.name,
        # A name that was given on the command line has the casing that was given there, or the usual one.
        Topic.CLASS_NAME: request.class_name or request.name,
        Topic.HEADS: request.heads,
        Topic.NOVELTY: request.novelty,
        Topic.TOKENIZER: request.tokenizer_like,
        Topic.STYLE: request.style or (None if len(request.target.styles()) > 1 else SINGLE_STYLE),
    }
    return topic in given and given[topic] is None


def _without_heads(pending: tuple[Topic, ...]) -> tuple[Topic, ...]:
    return tuple(topic for topic in pending if topic is not Topic.HEADS)


def _with(pending: tuple[Topic, ...], topic: Topic) -> tuple[Topic, ...]:
    wanted = {*pending, topic}
    return tuple(other for other in Topic if other in wanted)
