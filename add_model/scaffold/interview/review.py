"""The review at the end of the interview: every answer, and what can be done about it."""

from __future__ import annotations

from add_model.errors import AddModelError
from add_model.names import ModelName
from add_model.scaffold.answers import NO_TOKENIZER, SAME_TOKENIZER, SHARED_TOKENIZER, SINGLE_STYLE
from add_model.scaffold.interview.purposes import purposes
from add_model.scaffold.interview.questions import STYLES, Choose, Option, Topic, chosen_reference, class_names
from add_model.scaffold.questionnaire import ALL_HEADS, Request

PREVIEW = "preview"
LOOK = "look"
WRITE = "write"
STOP = "stop"

_CHANGES = {
    Topic.PURPOSE: "change what it is for",
    Topic.REFERENCE: "change the reference",
    Topic.NAME: "change the name",
    Topic.CLASS_NAME: "change the class names",
    Topic.HEADS: "change the heads",
    Topic.NOVELTY: "change what is new",
    Topic.STYLE: "change the style",
}
_TOKENIZERS = {
    SAME_TOKENIZER: "the same as the reference's",
    SHARED_TOKENIZER: "the reference's own, shared",
    NO_TOKENIZER: "none",
}

Facts = tuple[tuple[str, str], ...]


def summary(request: Request) -> Facts:
    """Every answer, each with what it is about.

    Raises:
        AddModelError: the reference is no longer there.
    """
    assert request.name is not None
    reference = chosen_reference(request)
    name = ModelName.from_snake(request.name, request.class_name)
    heads = reference.all_heads if request.heads is None else request.heads
    tokenizer_like = request.tokenizer_like or SAME_TOKENIZER
    facts = {
        "reference": f"{reference.specification} ({reference.name.title})",
        "name": f"{name.snake}, {name.upper}, {name.kebab}",
        "classes": f"{', '.join(class_names(name, reference))}, ...",
        "heads": "all that the reference has" if heads == (ALL_HEADS,) else ", ".join(heads) or "none",
        "what is new": request.novelty or "(nothing yet)",
        reference.reads_by: _TOKENIZERS.get(tokenizer_like, f"like {tokenizer_like}"),
    }
    if len(request.target.styles()) > 1:
        facts["style"] = STYLES[request.style or SINGLE_STYLE]
    facts["library"] = f"{request.package}, {request.target.described}"
    facts["folder"] = str(request.root.absolute())
    return tuple(facts.items())


def review(request: Request, seen: bool) -> Choose:
    """The last question. What is proposed is to look at the files first, and to write them once they were seen."""
    unasked = set()
    if len(request.target.styles()) < 2:
        unasked.add(Topic.STYLE)
    if len(purposes(request)) < 2:
        unasked.add(Topic.PURPOSE)
    if not _has_heads(request):
        unasked.add(Topic.HEADS)
    options = (
        Option(PREVIEW, "preview the files"),
        Option(LOOK, "look into a file"),
        Option(WRITE, "write them"),
        *(Option(topic.value, label) for topic, label in _changes(request).items() if topic not in unasked),
        Option(STOP, "stop without writing"),
    )
    return Choose("Is that right?", options, WRITE if seen else PREVIEW)


def _changes(request: Request) -> dict[Topic, str]:
    """What can be asked again, in the order in which it is asked; the reference may be gone by now."""
    try:
        kind = chosen_reference(request).reads_by
    except AddModelError:
        kind = "tokenizer"
    changes = {**_CHANGES, Topic.TOKENIZER: f"change the {kind}"}
    return {topic: changes[topic] for topic in Topic if topic in changes}


def _has_heads(request: Request) -> bool:
    """Whether there are heads to choose from, as far as the reference can still be read."""
    try:
        return bool(chosen_reference(request).heads)
    except AddModelError:
        return True
