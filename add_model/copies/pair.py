"""A marker with both of its sides, and the verdict on them.

Most copies are told equal by one comparison of text, in the place where they stand. Only where that fails is the
copy's extent computed, and only what then differs in nothing but layout is parsed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from add_model.copies.equality import blocks_match
from add_model.copies.marker import Marker, replace
from add_model.copies.region import end_of_copy, header_end, ignored_members, is_ignored, members, own_name, reindent
from add_model.copies.sources import Original
from add_model.source import Module, block_end, logical_lines

_HEADER = re.compile(r"[ \t]*(?:class|(?:async[ \t]+)?def)[ \t]+\w+")


class Verdict(Enum):
    """How a copy compares with what its marker calls for."""

    EQUAL = "equal"
    HEADER_DIFFERS = "differs in its header alone"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Pair:
    """A copy and its original.

    Attributes:
        module: where the copy stands.
        marker: what governs it.
        header: where the copy's header starts.
        original: what the marker names.
    """

    module: Module
    marker: Marker
    header: int
    original: Original

    @functools.cached_property
    def expected(self) -> str:
        """The original's block as the marker calls for it: replaced and reindented, under the original's name."""
        block = self.original.block
        if self.original.definition.indent != self.marker.indent:
            block = reindent(block, self.marker.indent)
        return replace(block, self.marker.replacements)

    @functools.cached_property
    def end(self) -> int:
        """Where the line behind the copy's last one starts."""
        return block_end(self.module.text, self.header)

    @property
    def block(self) -> str:
        """The copy's lines from its header on."""
        return self.module.text[self.header : self.end]

    @functools.cached_property
    def verdict(self) -> Verdict:
        """How the copy compares with what is expected."""
        if self._is_equal_in_place():
            return Verdict.EQUAL
        if blocks_match(self.expected, self.block):
            return Verdict.EQUAL
        return Verdict.HEADER_DIFFERS if self._matches_behind_header() else Verdict.DIFFERS

    def governs(self, offset: int) -> bool:
        """Whether something in the copy, at this offset, is a part of what is compared."""
        if not self.header <= offset < self.end:
            return False
        block, offset = self.block, offset - self.header
        cut = end_of_copy(block)
        if is_ignored(block) or (cut is not None and offset >= cut):
            return False
        ignored = ignored_members(block)
        return not ignored or not any(
            member.start <= offset < member.end for member in members(block) if member.name in ignored
        )

    def _is_equal_in_place(self) -> bool:
        """Whether the expected text stands in the copy's place, and the copy ends where that text does."""
        text, expected = self.module.text, self.expected
        rest = expected[own_name(expected)[1] :]
        behind_name = _HEADER.match(text, self.header).end()  # type: ignore[union-attr]
        if not text.startswith(rest, behind_name):
            return False
        end = behind_name + len(rest)
        if _ends_block(len(self.marker.indent)).match(text, end) is None or "\t" in self.marker.indent:
            return False
        self.__dict__["end"] = end
        return True

    def _matches_behind_header(self) -> bool:
        block, expected = self.block, self.expected
        # Under a header that replacements have broken nothing could be parsed; what it is does not matter here.
        keyword = "class" if expected.lstrip().startswith("class") else "def"
        header = f"{self.marker.indent}{keyword} _{'' if keyword == 'class' else '()'}:\n"
        return blocks_match(header + expected[header_end(expected) :], header + block[header_end(block) :])


def governed_header(text: str, marker: Marker, line: int) -> int | None:
    """Where the header of the definition starts that a marker governs; `None` where it governs none.

    Args:
        text: the module's text.
        marker: the marker.
        line: where the line of the marker starts.
    """
    newline = text.find("\n", line)
    if newline < 0:
        return None
    indent = marker.indent
    for start, end in _lines_from(text, newline + 1):
        if text.startswith(indent, start) and _HEADER.match(text, start + len(indent)) is not None:
            return start if not text[start + len(indent)].isspace() else None
        content = text[start:end].strip()
        if content and not content.startswith(("@", "#")):
            return None
    return None


def _lines_from(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Logical lines; the first, which is a header more often than not, without a look at what follows it."""
    if _HEADER.match(text, start):
        yield start, start
    else:
        yield from logical_lines(text, start)


@functools.lru_cache(maxsize=64)
def _ends_block(column: int) -> re.Pattern[str]:
    """What follows the last line of a block whose header stands at that column, up to the next line of code."""
    lower = rf"[ ]{{0,{column}}}"
    return re.compile(rf"(?:[ \t\f]*\n|{lower}#[^\n]*(?:\n|\Z))*(?:{lower}[^\s#]|[ \t\f]*\Z)")
