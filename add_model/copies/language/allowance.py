"""What the check of a file may take: so much for each byte that it holds, whatever its markers ask for.

A copy is about as long as its original, so that comparing what a file's markers name costs a few times its size. A file
of many markers that each name a long block would cost the product of both; it is refused instead. The allowance of a
file depends on its own size alone, so that a verdict never depends on what else is checked, or in which order.
"""

from __future__ import annotations

from collections.abc import Sequence

from add_model.copies.language.marker import Replacement
from add_model.errors import AddModelError

# In characters that are looked at: for each byte of a file, and for every file.
_FOR_EACH_BYTE, _ALWAYS = 100, 1_000_000
_HINTS_FOR_EACH_BYTE, _HINTS_ALWAYS = 50, 30_000
# A copy that differs is looked at so many times, until it is told where.
_LOOKS = 8


class Exhausted(AddModelError):
    """What is asked for is more than the allowance of the file."""


class Allowance:
    """What is left for the check of one file.

    Attributes:
        hints: what looking for paths in place of those that do not exist may take, in comparisons of two letters.
    """

    def __init__(self, size: int = 0) -> None:
        self._left = _ALWAYS + size * _FOR_EACH_BYTE
        self.hints = _HINTS_ALWAYS + size * _HINTS_FOR_EACH_BYTE

    def compare(self, characters: int, replacements: Sequence[Replacement]) -> None:
        """Pays for a look at an original of so many characters, with these replacements in it.

        Raises:
            Exhausted: nothing is left for it.
        """
        # What a text grows by is looked at as well; most names are about as long as those that they stand for.
        growing = sum(len(replacement.new) > 2 * len(replacement.old) for replacement in replacements)
        self.spend(characters * (1 + len(replacements) + 8 * growing))

    def tell_apart(self, characters: int) -> None:
        """Pays for telling where so many characters differ from others.

        Raises:
            Exhausted: nothing is left for it.
        """
        self.spend(characters * _LOOKS)

    def spend(self, characters: int) -> None:
        """Pays for a look at so many characters.

        Raises:
            Exhausted: nothing is left for it.
        """
        self._left -= characters
        if self._left < 0:
            raise Exhausted(
                f"its markers ask for more than {_FOR_EACH_BYTE} times the work that a file of its size takes; "
                "split it, or name shorter originals"
            )
