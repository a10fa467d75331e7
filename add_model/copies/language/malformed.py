"""Comments that were meant as markers and are none, or say less than they mean, and the line that says it.

A marker stands on one line. One that goes on in the comment below it, names a file in place of a module, or has the
brackets of a call behind its path, is put together again here; whether that leads anywhere is the business of `sources`.
"""

from __future__ import annotations

import re

from add_model.copies.language.marker import Marker, read_comment
from add_model.values import NamedTuple

# Nobody wraps a marker into more lines.
_MOST_LINES = 6
# Nor does anybody write lines as long, and what looks for ends of lines takes long for them.
_MOST_CHARACTERS = 1_000
_COMMENT = re.compile(r"([ \t]*)#[ \t]*(.*?)[ \t]*$")
_REPLACEMENTS_ONLY = re.compile(r"(?:with[ \t]+)?[^\s,]+->[^\s,]+(?:[ \t]+all-casing)?[ \t]*(?:,|$)")
_GOES_ON = re.compile(r"(?:,|\bwith|\w\.)$")
_ALMOST = re.compile(
    r"(?P<indent>[ \t]*)#[ \t]*Copied[ \t]+from[ \t]+(?P<path>[\w./\\:]*\w)(?P<call>\([^()]*\))?[.:]?(?P<rest>[ \t].*)?$"
)
_FILE = re.compile(r"\.py(?=$|[.:/\\])")


class Repaired(NamedTuple):
    """What a comment was meant to be.

    Attributes:
        marker: the marker that it was meant to be.
        end: where its last line ends, without its line feed.
        why: what keeps it from being that, as the end of a sentence.
    """

    marker: Marker
    end: int
    why: str


def repaired(text: str, start: int) -> Repaired | None:
    """What the comment that starts there was meant to be; `None` where it is a marker as it is, or none at all."""
    if _line_end(text, start) - start > _MOST_CHARACTERS:
        return None
    line, end, lines = _joined(text, start)
    comment = read_comment(line)
    if isinstance(comment, Marker) and not comment.problems and ".py" not in comment.source:
        return Repaired(comment, end, "it is wrapped over several lines") if lines > 1 else None
    almost = _ALMOST.match(line)
    if almost is None:
        return None
    path = re.sub(r"[/\\:]", ".", _FILE.sub("", almost["path"])).removeprefix("src.")
    meant = read_comment(f"{almost['indent']}# Copied from {path}{almost['rest'] or ''}")
    if not isinstance(meant, Marker) or meant.problems:
        return None
    reasons = ["it is wrapped over several lines"] if lines > 1 else []
    reasons += ["a marker's path has no brackets"] if almost["call"] else []
    reasons += ["its path names a file, not a module"] if _FILE.search(almost["path"]) else []
    return Repaired(meant, end, "; ".join(reasons)) if reasons else None


def _joined(text: str, start: int) -> tuple[str, int, int]:
    """A comment with those below that it goes on in, as one line; where the last of them ends; how many they are."""
    end = _line_end(text, start)
    line = text[start:end]
    first = _COMMENT.match(line)
    count = 1
    while first is not None and end < len(text) and count < _MOST_LINES:
        below = _line_end(text, end + 1)
        if below - end > _MOST_CHARACTERS:
            break
        more = _COMMENT.match(text[end + 1 : below])
        if more is None or more[1] != first[1] or not more[2] or read_comment(more[0]) is not None:
            break
        goes_on = _GOES_ON.search(line.rstrip())
        if _REPLACEMENTS_ONLY.match(more[2]):
            line = f"{line.rstrip()} {more[2]}"
        elif goes_on is not None and goes_on[0].endswith(".") and re.match(r"\w", more[2]):
            line = f"{line.rstrip()}{more[2]}"
        else:
            break
        end, count = below, count + 1
    return line, end, count


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
