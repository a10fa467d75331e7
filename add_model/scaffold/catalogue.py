"""The catalogue: every model that is known here, by modality and kind, and where each can be had."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from add_model.errors import AddModelError
from add_model.family import FamilyMember, family
from add_model.nearest import close
from add_model.references import TARGET
from add_model.scaffold.answers import load_answers
from add_model.scaffold.elsewhere import find_candidate, startable
from add_model.scaffold.target import Target
from add_model.state import STATE_FOLDER

TRANSFORMERS = "transformers"
OTHER = "other"
OF_THIS_LIBRARY, OF_TRANSFORMERS = "A model of this library", "A model of Transformers"
_LONGEST_DESCRIPTION = 80


@dataclass(frozen=True)
class Row:
    """One model of the catalogue.

    Attributes:
        member: what is known about it.
        available: where `like` takes it from: `library` (the target, or what it depends on), `zoo` (bundled),
            `transformers` (the installed package, where no library is there yet); empty where it cannot.
    """

    member: FamilyMember
    available: tuple[str, ...]

    @property
    def group(self) -> str:
        """Its modality and kind, as a heading: `text / encoder`."""
        return " / ".join(part for part in (self.member.modality, self.member.kind) if part)

    @property
    def specifications(self) -> tuple[str, ...]:
        """What a new model can be started from, with the origin: `("zoo:bert",)`; empty where it cannot."""
        return tuple(f"{place}:{self.member.model_type}" for place in self.available if place != TRANSFORMERS)


def catalogue(target: Target) -> tuple[Row, ...]:
    """Every model of the family, of the target library and of the zoo.

    Raises:
        AddModelError: a registry cannot be read or does not parse.
    """
    known = {member.model_type for member in family()}
    return rows((*family(), *_outsiders(target, known)), startable(target))


def places_of(row: Row, target: Target) -> tuple[str, ...]:
    """Where a model of a target's catalogue is from: what a package depends on is not of the package itself."""
    own = TARGET if target.starts_from_itself else target.origin
    return tuple(own if place == TARGET else place for place in row.available)


def rows(members: Sequence[FamilyMember], places: Mapping[str, Collection[str]]) -> tuple[Row, ...]:
    """The members in groups of modality and kind, in the order in which each first appears.

    Args:
        members: the models to list.
        places: place -> the model types that can be had there.
    """
    found = [
        Row(member, tuple(place for place, types in places.items() if member.model_type in types))
        for member in members
    ]
    modalities = list(dict.fromkeys(row.member.modality for row in found))
    groups = list(dict.fromkeys(row.group for row in found))
    return tuple(sorted(found, key=lambda row: (modalities.index(row.member.modality), groups.index(row.group))))


def matching(found: Sequence[Row], wanted: str) -> tuple[Row, ...]:
    """The rows of a modality or of a kind, or else those whose type or title holds the text.

    Raises:
        AddModelError: there are none; the nearest names are offered.
    """
    bare = _bare(wanted)
    chosen = [row for row in found if bare in _headings(row.member)]
    chosen = chosen or [row for row in found if bare and bare in _bare(row.member.model_type)]
    chosen = chosen or [row for row in found if bare and bare in _bare(row.member.title)]
    if chosen:
        return tuple(chosen)
    members = [row.member for row in found]
    names = {_bare(name): name for member in members for name in (member.modality, member.kind, member.model_type)}
    names = {bare_name: name for bare_name, name in names.items() if name}
    likely = [names[name] for name in close(bare, names)]
    hint = f"nearest: {', '.join(likely)}" if likely else f"modalities: {', '.join(dict.fromkeys(m.modality for m in members))}"  # fmt: skip
    raise AddModelError(f"no modality, kind or model is called {wanted!r}; {hint} (all: add-model references)")


def _outsiders(target: Target, known: Collection[str]) -> Iterator[FamilyMember]:
    """The target's own models that the family does not know; where one was made from a reference, it is of its kind."""
    members = {member.model_type: member for member in family()}
    for model_type, title in target.titles().items():
        if model_type in known:
            continue
        ancestor = _ancestor(model_type, target)
        member = members.get(ancestor)
        modality, kind = (OTHER, "") if member is None else (member.modality, member.kind)
        yield FamilyMember(model_type, title, modality, kind, _description(model_type, target))


def _ancestor(model_type: str, target: Target) -> str:
    """The model that this one goes back to, from answers file to answers file; itself where there is none."""
    seen: set[str] = set()
    own = origin = target.origin
    while origin == own and model_type not in seen:
        seen.add(model_type)
        reference = _made_from(model_type, target)[0]
        if not reference:
            break
        origin, _, model_type = reference.rpartition(":")
    return model_type


def _description(model_type: str, target: Target) -> str:
    reference, novelty = _made_from(model_type, target)
    if not reference:
        return OF_THIS_LIBRARY if target.starts_from_itself else OF_TRANSFORMERS
    try:
        title = find_candidate(reference, target).name.title
    except AddModelError:
        title = reference.rpartition(":")[2]
    text = f"Made from {title}" + (f": {novelty}" if novelty.strip() else "")
    return textwrap.shorten(text, _LONGEST_DESCRIPTION, placeholder=" ...")


def _made_from(model_type: str, target: Target) -> tuple[str, str]:
    """The reference and the novelty that the library's stored answers give; empty where there are none to read."""
    try:
        answers = load_answers(target.root / STATE_FOLDER / "models" / model_type / "answers.toml")
    except AddModelError:
        # A model written by hand has no answers, and a listing is no place to complain about somebody's edit.
        return "", ""
    return answers.reference, answers.novelty


def _headings(member: FamilyMember) -> set[str]:
    """What the filter may say to mean the member's modality or kind: either in full, or a word of the modality."""
    return {_bare(name) for name in (member.modality, member.kind, *member.modality.split()) if name}


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
