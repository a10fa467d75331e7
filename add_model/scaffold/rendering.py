"""What every kind of plan comes to: files in memory, and what to say of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from add_model.names import ModelName
from add_model.references import encoded, read_bytes_and_text
from add_model.state import STATE_FOLDER


@dataclass(frozen=True)
class RenderedFile:
    """A file in memory.

    Attributes:
        path: where it goes.
        text: what it holds, behind a byte order mark if it had one before.
        before: what an existing file held that gets an entry, as it was read to add the entry to it; `None` of a file
            of our own.
        of_model: whether the file, or the entry in it, belongs to the model, rather than to the library around it.
    """

    path: Path
    text: str
    before: bytes | None = None
    of_model: bool = True

    @property
    def is_edit(self) -> bool:
        """Whether it is an existing file with an entry added, rather than a file of our own."""
        return self.before is not None

    @property
    def content(self) -> bytes:
        """Its bytes."""
        return encoded(self.text, self.before)


def as_it_is(path: Path, of_model: bool = True) -> RenderedFile:
    """A file of the library, to add an entry to.

    Raises:
        AddModelError: it cannot be read, or is no UTF-8.
    """
    before, text = read_bytes_and_text(path)
    return RenderedFile(path, text, before, of_model)


@dataclass(frozen=True)
class LeftOut:
    """Something that was not written, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class Rendering:
    """The files of a plan, whatever it was made for.

    Attributes:
        root: the folder that everything is written below.
        package: dotted name of the package that the model goes into.
        name: the new model's name.
        reference: the specification of the model that it starts from.
        files: everything that is going to be written.
        left_out: what is not, and why.
        next_commands: what to type next, in `root`.
    """

    root: Path
    package: str
    name: ModelName
    reference: str
    files: tuple[RenderedFile, ...]
    left_out: tuple[LeftOut, ...]
    next_commands: tuple[str, ...]

    @property
    def state_folder(self) -> Path:
        """Where the library remembers how the model was made."""
        return self.root / STATE_FOLDER / "models" / self.name.snake
