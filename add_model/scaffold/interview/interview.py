"""The interview: the questions one after the other, then a review in which every answer can be changed.

What is asked next is for `conversation` to say. Only this module talks, through an `Asker`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from add_model.errors import AddModelError
from add_model.scaffold.answers import Answers
from add_model.scaffold.interview.conversation import Conversation, Reply, answered, revised, started, went_back
from add_model.scaffold.interview.questions import Choose, Option, Question, Topic, question
from add_model.scaffold.interview.review import LOOK, PREVIEW, STOP, WRITE, Facts, review, summary
from add_model.scaffold.interview.wording import in_words
from add_model.scaffold.questionnaire import Earlier, Request, complete

# Where a question cannot be put: whatever was answered before is kept meanwhile.
_GOING_ON = Choose("How to go on, once that is mended?", (Option("again", "ask again"),))
_Written = TypeVar("_Written")


class Asker(Protocol):
    """Whoever puts the questions: a terminal, or a test."""

    def ask(self, question: Question, can_go_back: bool) -> Reply | None:
        """The answer: a value, a text, or the values of a `Check`; `None` to go back to the question before.

        Raises:
            KeyboardInterrupt: it is cut off.
        """

    def show(self, text: str) -> None:
        """Shows a remark."""

    def show_facts(self, facts: Facts) -> None:
        """Shows labels, and what is said of each."""

    def show_tree(self, tree: Callable[[int], str]) -> None:
        """Shows a text that is laid out for as many columns as there are."""

    def show_file(self, path: str, text: str) -> None:
        """Shows a file, until that is enough.

        Raises:
            KeyboardInterrupt: it is cut off.
        """


@dataclass(frozen=True)
class Preview:
    """What would be written.

    Attributes:
        tree: the files as a tree, in so many columns.
        files: what each of them would hold, by its path.
    """

    tree: Callable[[int], str]
    files: Mapping[str, str]


def interview(
    request: Request, preview: Callable[[Answers, Request], Preview], asker: Asker | None = None
) -> Answers | None:
    """Asks for every answer that the request lacks, then for a yes; nothing is written here.

    Args:
        request: what was asked for on the command line; those answers are not asked for, but can be changed.
        preview: what would be written for these answers.
        asker: who puts the questions; the terminal by default.

    Returns:
        The answers; `None` where the user stops.

    Raises:
        AddModelError: an answer on the command line is invalid.
        KeyboardInterrupt: Ctrl-C, at any question.
    """
    return decided(request, preview, lambda answers, _: answers, asker)[0]


def decided(
    request: Request,
    preview: Callable[[Answers, Request], Preview],
    write: Callable[[Answers, Request], _Written],
    asker: Asker | None = None,
    now: Callable[[Request], Request] = lambda request: request,
) -> tuple[_Written | None, Request]:
    """As `interview` does, and writes; what fails then is told, and leads back to the answers.

    Args:
        request: as of `interview`.
        preview: as of `interview`.
        write: writes the model for these answers.
        asker: as of `interview`.
        now: the request as it is to be understood by now. Answering takes its time, in which somebody else may lay
            down the library, or make such a model.

    Returns:
        What `write` gave, and what the request has become: it says what to do with an earlier attempt. Where the user
        stops, or an earlier attempt is to be removed, there is nothing to write, and nothing was given.
    """
    conversation = started(request)
    if asker is None:
        from add_model.scaffold.interview.terminal.asker import asker_here

        asker = asker_here()
    previewed: Request | None = None
    while True:
        conversation = _asked(conversation, asker)
        if conversation.request.earlier is Earlier.REMOVE:
            return None, conversation.request
        conversation = _as_it_is(conversation, now, asker)
        request = conversation.request
        reply = _reviewed(conversation, previewed == request, asker)
        if reply is None:
            conversation = went_back(conversation)
        elif reply == STOP:
            return None, replace(request, earlier=None)
        elif reply in (PREVIEW, LOOK, WRITE):
            try:
                request = now(request)
                answers = complete(request)
                if reply == WRITE:
                    return write(answers, request), request
                found = preview(answers, request)
            except AddModelError as error:
                # Said here rather than at the end, where the answers could not be changed any more.
                asker.show(f"error: {in_words(error)}")
                continue
            if reply == PREVIEW:
                asker.show_tree(found.tree)
            else:
                _look(found.files, asker)
            previewed = request
        else:
            conversation = revised(conversation, Topic(reply))


def _asked(conversation: Conversation, asker: Asker) -> Conversation:
    """Puts every pending question; an answer that does not fit is explained and asked for again."""
    while conversation.pending or conversation.notices:
        for notice in conversation.notices:
            asker.show(notice)
        conversation = replace(conversation, notices=())
        if not conversation.pending:
            break
        conversation = _after_asking(conversation, conversation.pending[0], asker)
    return conversation


def _after_asking(conversation: Conversation, topic: Topic, asker: Asker) -> Conversation:
    """The conversation after its next question was put, whatever came of that.

    Raises:
        AddModelError: there is not even a first question.
    """
    try:
        asked: Question | None = question(
            topic, conversation.request, conversation.group, conversation.other_tokenizer
        )
    except AddModelError as error:
        if conversation.before is None:
            raise
        asker.show(f"error: {in_words(error)}")
        asked = None
    reply = asker.ask(asked or _GOING_ON, conversation.before is not None)
    if reply is None:
        return went_back(conversation)
    try:
        return conversation if asked is None else answered(conversation, topic, reply)
    except AddModelError as error:
        return replace(conversation, notices=(in_words(error),))


def _as_it_is(conversation: Conversation, now: Callable[[Request], Request], asker: Asker) -> Conversation:
    """The conversation about the library that is there by now, as far as that can be told."""
    try:
        return replace(conversation, request=now(conversation.request))
    except AddModelError as error:
        asker.show(f"error: {in_words(error)}")
        return conversation


def _reviewed(conversation: Conversation, seen: bool, asker: Asker) -> Reply | None:
    """What is to be done, now that everything is answered."""
    try:
        asker.show_facts(summary(conversation.request))
    except AddModelError as error:
        asker.show(f"error: {in_words(error)}")
    return asker.ask(review(conversation.request, seen), conversation.before is not None)


def _look(files: Mapping[str, str], asker: Asker) -> None:
    """Shows one file after the other, until that is enough."""
    seen: str | None = None
    while True:
        # Where a path is cut, its end is what tells it from others.
        options = tuple(Option(path, *_named(path)) for path in files)
        reply = asker.ask(Choose("Which file?", options, seen, searchable=True), True)
        if not isinstance(reply, str):
            return
        seen = reply
        asker.show_file(seen, files[seen])


def _named(path: str) -> tuple[str, tuple[str, ...]]:
    """A file's name, and what it lies in."""
    folder, _, name = path.rpartition("/")
    return name, (folder or ".",)
