"""What a check reports: codes, severities, findings."""

from __future__ import annotations

from enum import Enum

from add_model.values import NamedTuple

DOCS = "https://github.com/add-model/add-model/blob/main/docs/codes"


class Severity(Enum):
    """Errors fail a run; warnings fail it only when it is strict."""

    ERROR = "error"
    WARNING = "warning"


class Code(Enum):
    """The stable codes, each with the one line that lists and reports show; each has a page of its own in the docs."""

    CP001 = "copy differs from its original"
    CP002 = "original not found"
    CP003 = "looks like a marker but is none"
    CP004 = "copies copy each other in a circle"
    CP005 = "replacement without effect"
    CP006 = "file cannot be read"
    CP007 = "marker governs nothing"
    CP008 = "replacement reads differently as a regular expression"
    CP009 = "copy differs from the installed version of another package"
    CP010 = "header differs where headers may"
    CP011 = "marker inside a copied block does not hold"
    CP012 = "marker that the library's own script cannot read"
    CP013 = "original is gone from the installed version of another package"
    CP014 = "generated file differs from its modular file"

    @property
    def page(self) -> str:
        """The address of its page."""
        return f"{DOCS}/{self.name}.md"


class SearchCode(Enum):
    """The codes of `find-copies`, which tell of nothing that is wrong."""

    FC001 = "copy that carries no marker"
    FC002 = "nearly a copy"

    @property
    def page(self) -> str:
        """The address of its page."""
        return f"{DOCS.rpartition('/')[0]}/find-copies.md"


class Counts(NamedTuple):
    """What a run has looked at, so that "nothing found" cannot mean "nothing looked at".

    Attributes:
        files: how many files were looked at.
        markers: how many markers were compared.
        unchecked: how many could not be.
        prose: how many lines that read like markers were taken for words, as nothing that they could name is there.
        notes: what there is to say of the library as a whole, a line each.
    """

    files: int = 0
    markers: int = 0
    unchecked: int = 0
    prose: int = 0
    notes: tuple[str, ...] = ()


class Difference(NamedTuple):
    """The first line in which a copy differs: what its marker calls for, and what stands there; `None` behind an end."""

    line: int
    expected: str | None
    found: str | None


class Moved(Enum):
    """Which side of a copy that differs has moved since a revision."""

    ORIGINAL = "original"
    COPY = "copy"
    BOTH = "both"
    NONE = "none"


class Conflict(NamedTuple):
    """Lines that both sides have changed, differently; either may be empty."""

    copy: str
    original: str


class Finding(NamedTuple):
    """One thing that is wrong, and where.

    Attributes:
        code: what kind of thing.
        severity: whether it fails the run.
        path: the file, relative to the library's root, with forward slashes.
        line: the marker's line, 1-based.
        end_line: the last line of what the finding is about.
        object: dotted name, within its module, of the definition that the marker governs; empty where there is none.
        source: dotted path of the original; empty where there is none.
        message: one line.
        fixable: whether `--fix` would put it right.
        difference: of a copy that differs, where it does so first.
        moved: of a copy that differs, which side has moved; `None` where git cannot tell.
        conflicts: of a copy whose sides have both moved, what could not be merged.
        digests: what tells the copy and its original, as they are, from what they were; of the marker, where no copy is
            compared.
    """

    code: Code | SearchCode
    severity: Severity
    path: str
    line: int
    end_line: int
    object: str
    source: str
    message: str
    fixable: bool = False
    difference: Difference | None = None
    moved: Moved | None = None
    conflicts: tuple[Conflict, ...] = ()
    digests: str = ""

    @property
    def sort_key(self) -> tuple[str, int, str]:
        """The order of every report: by path, then line."""
        return self.path, self.line, self.code.name
