"""A marker with both of its sides, and the verdict on them.

Most copies are told equal by one comparison of text, in the place where they stand. Only where that fails is the
copy's extent computed, and only what then differs in nothing but layout is parsed.
"""

from __future__ import annotations

import functools
import re
from enum import Enum

from add_model.copies.language.marker import GrownTooLong, Marker, Replacement, replace
from add_model.copies.language.region import end_of_copy, ignored_members, is_ignored, own_name, reindent
from add_model.copies.reading.sources import Original
from add_model.lexical import logical_lines
from add_model.source import Module

_HEADER = re.compile(r"[ \t]*(?:class|(?:async[ \t]+)?def)[ \t]+\w+")
_NAME = re.compile(r"\w+")


class Verdict(Enum):
    """How a copy compares with what its marker calls for."""

    EQUAL = "equal"
    HEADER_DIFFERS = "differs in the first line of its header alone"
    DIFFERS = "differs"


class Pair:
    """A copy and its original; not to be changed.

    Attributes:
        module: where the copy stands.
        marker: what governs it.
        start: where the marker's line starts.
        header: where the copy's header starts.
        original: what the marker names.
        expected: the original's block as the marker calls for it: replaced and reindented, under the original's name.
        without_effect: the replacements of the marker that find nothing to replace, not in a marker either, in order.
    """

    def __init__(self, module: Module, marker: Marker, start: int, header: int, original: Original) -> None:
        """Makes the pair.

        Raises:
            GrownTooLong: the replacements make the original many times as long.
        """
        self.module, self.marker, self.start, self.header, self.original = module, marker, start, header, original
        self.without_effect: list[Replacement] = []
        self._verdict: Verdict | None = None
        text = original.block
        if original.definition.indent != marker.indent:
            text = reindent(text, marker.indent)
        length = len(text)
        for number, replacement in enumerate(marker.replacements):
            before, text = text, replace(text, (replacement,), length)
            if text == before and not self._reaches_markers(number):
                self.without_effect.append(replacement)
        self.expected = text

    def _reaches_markers(self, number: int) -> bool:
        """Whether a replacement finds something in the markers within the original, as those before it have left them."""
        if not self.original.markers:
            return False
        try:
            found = replace(self.original.markers, self.marker.replacements[:number])
        except GrownTooLong:
            return True  # who can tell
        return any(old in found for old, _ in self.marker.replacements[number].pairs())

    def behind(self, block: str) -> Pair:
        """The same copy, of an original that is about to hold other lines.

        Raises:
            GrownTooLong: the replacements make those many times as long.
        """
        return Pair(self.module, self.marker, self.start, self.header, self.original.as_rewritten(block))

    @property
    def line(self) -> int:
        """The number of the marker's line, 1-based."""
        return self.module.line_of(self.start)

    @functools.cached_property
    def end(self) -> int:
        """Where the line behind the copy's last one starts."""
        return self.module.block_end(self.header)

    @property
    def block(self) -> str:
        """The copy's lines from its header on."""
        return self.module.text[self.header : self.end]

    @property
    def verdict(self) -> Verdict:
        """How the copy compares with what is expected."""
        if self._verdict is None:
            self._verdict = Verdict.EQUAL if self.is_equal else self._verdict_on_blocks()
        return self._verdict

    @functools.cached_property
    def is_equal(self) -> bool:
        """Whether the copy is what is expected; how it differs if not, takes longer to tell."""
        if self.is_equal_in_place:
            return True
        from add_model.copies.language.equality import blocks_match

        return blocks_match(self.expected, self.block)

    def _verdict_on_blocks(self) -> Verdict:
        from add_model.copies.language.equality import bodies_match, has_same_header, has_same_rest_of_header

        if has_same_header(self.expected, self.block):
            return Verdict.DIFFERS
        # What a script that leaves out a line leaves out is that line.
        if has_same_rest_of_header(self.expected, self.block) and bodies_match(self.expected, self.block):
            return Verdict.HEADER_DIFFERS
        return Verdict.DIFFERS

    def governs(self, offset: int) -> bool:
        """Whether something in the copy, at this offset, is a part of what is compared."""
        return self.header <= offset < self.end and not any(
            start <= offset - self.header < end for start, end in self._left_out
        )

    @functools.cached_property
    def _left_out(self) -> list[tuple[int, int]]:
        """The parts of the copy that are not compared, from where to where; asked for by every marker in it."""
        block = self.block
        if is_ignored(block):
            return [(0, len(block))]
        cut = end_of_copy(block)
        found = [(member.start, member.end) for member in ignored_members(block)]
        return found if cut is None else [*found, (cut, len(block))]

    @functools.cached_property
    def is_equal_in_place(self) -> bool:
        """Whether the expected text stands in the copy's place, and the copy ends where that text does."""
        end = self._end_of_expected()
        if end is None or "\t" in self.marker.indent:
            return False
        if _ends_block(len(self.marker.indent)).match(self.module.text, end) is None:
            return False
        self.__dict__["end"] = end
        return True

    def _end_of_expected(self) -> int | None:
        """Where the expected text ends that stands in the copy's place, under whatever name; `None` if it does not."""
        text, expected = self.module.text, self.expected
        # Most copies have the name that the original's has become.
        if text.startswith(expected, self.header):
            return self.header + len(expected)
        name, behind_name = own_name(expected)
        own = _NAME.match(text, self.header + name)
        if own is None or not text.startswith(expected[:name], self.header):
            return None
        rest = expected[behind_name:]
        return own.end() + len(rest) if text.startswith(rest, own.end()) else None


def governed_header(module: Module, marker: Marker, line: int) -> int | None:
    """Where the header of the definition starts that a marker governs; `None` where it governs none.

    Args:
        module: where the marker stands.
        marker: the marker.
        line: where the line of the marker starts.
    """
    text = module.text
    below = text.find("\n", line) + 1
    if not below:
        return None
    # The next line is a header more often than not; it is looked at without a look at what follows it.
    if _HEADER.match(text, below):
        return below if _is_indented_as(marker, text, below) else None
    for start, end in logical_lines(text, module.behind_comments(below)):
        if _HEADER.match(text, start) and _is_indented_as(marker, text, start):
            return start
        content = text[start:end].strip()
        if content and not content.startswith(("@", "#")):
            return None
    return None


def _is_indented_as(marker: Marker, text: str, start: int) -> bool:
    behind = start + len(marker.indent)
    return text.startswith(marker.indent, start) and not text[behind].isspace()


@functools.lru_cache(maxsize=64)
def _ends_block(column: int) -> re.Pattern[str]:
    """What follows the last line of a block whose header stands at that column, up to the next line of code."""
    lower = rf"[ ]{{0,{column}}}"
    return re.compile(rf"(?:[ \t\f]*\n|{lower}#[^\n]*(?:\n|\Z))*(?:{lower}[^\s#]|[ \t\f]*\Z)")
