"""What a recording says of the model that it ran: whose it is, and the files that decided what it computed.

Evidence rests on it: what was recorded is what these files held then, whatever they hold by now.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from add_model.porting.evidence import fingerprints
from add_model.porting.model.subject import Subject
from add_model.porting.recording.file import Recording
from add_model.references import TARGET


class Owner(NamedTuple):
    """The model of a library that a recording is of.

    Attributes:
        root: the library's root.
        name: the model's type.
    """

    root: Path
    name: str


def facts_of(subject: Subject, checkpoint: Path | None) -> dict[str, Any]:
    """What is kept in a recording of a model of the user's library; of any other model, nothing.

    To be asked before the model is imported: a file that changes later is one that it has not run.

    Raises:
        AddModelError: one of the files cannot be read.
    """
    if subject.origin != TARGET:
        return {}
    root = subject.library.root
    files = [*subject.held.code, *_checkpoint_files(checkpoint)]
    return {"name": subject.name, "library": str(root), "files": fingerprints(root, files)}


def _checkpoint_files(folder: Path | None) -> Iterator[Path]:
    """What a model is loaded from: its configuration and its weights, the kind that is preferred where both are there."""
    if folder is None:
        return
    yield from (path for path in (folder / "config.json",) if path.is_file())
    for patterns in (("*.safetensors", "*.safetensors.index.json"), ("*.bin", "*.bin.index.json")):
        found = sorted(path for pattern in patterns for path in folder.glob(pattern))
        yield from found
        if found:
            return


def owner_of(recording: Recording) -> Owner | None:
    """The model of a library that is here, if the recording is of one."""
    name, root = recording.model.get("name"), recording.model.get("library")
    if not isinstance(name, str) or not isinstance(root, str) or not Path(root).is_dir():
        return None
    return Owner(Path(root).resolve(), name)


def files_of(recording: Recording) -> dict[str, str]:
    """The files that decided what a model of a library computed, path -> SHA-256; empty where it does not say."""
    files = recording.model.get("files")
    if not isinstance(files, dict) or not all(isinstance(digest, str) for digest in files.values()):
        return {}
    return files
