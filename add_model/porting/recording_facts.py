"""What a recording says of the model that it ran: whose it is. Evidence rests on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from add_model.porting.recording_file import Recording
from add_model.porting.subject import Subject
from add_model.references import TARGET


class Owner(NamedTuple):
    """The model of a library that a recording is of.

    Attributes:
        root: the library's root.
        name: the model's type.
    """

    root: Path
    name: str


def facts_of(subject: Subject) -> dict[str, Any]:
    """What is kept in a recording of a model of the user's library; of any other model, nothing."""
    if subject.origin != TARGET:
        return {}
    return {"name": subject.name, "library": str(subject.library.root)}


def owner_of(recording: Recording) -> Owner | None:
    """The model of a library that is here, if the recording is of one."""
    name, root = recording.model.get("name"), recording.model.get("library")
    if not isinstance(name, str) or not isinstance(root, str) or not Path(root).is_dir():
        return None
    return Owner(Path(root).resolve(), name)
