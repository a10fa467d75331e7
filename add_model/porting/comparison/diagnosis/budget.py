"""How much work the search for a cause may take: counted in elements that are computed, and not in seconds.

So what is tested, and what is not, is the same on every machine, busy or not. The comparison itself looks at every
element of the recordings; the search may take a few times as long, however many ways a cause has to explain a value.
"""

from __future__ import annotations

from collections.abc import Sequence

# What every cause may take, however little was recorded.
_LEAST = 60_000_000
# How many times the elements that were compared all causes together may compute, and which part of it one may.
_TIMES = 12
_SHARE = 3
# What calling PyTorch takes, in elements, however small the tensors are.
_CALL = 4_000

# Of a larger value, what causes make of it would take more memory than there may be.
MOST_ELEMENTS = 16_000_000


class WorkSpent(Exception):
    """A cause has taken as much work as it may."""


class Budget:
    """What is left of the work that causes may take.

    Args:
        compared: how many elements the comparison has looked at.
    """

    def __init__(self, compared: int) -> None:
        self._total = _LEAST + _TIMES * compared
        self._each = _LEAST + _TIMES * compared // _SHARE
        self._left = self._each
        self.untested: list[str] = []

    def begin(self) -> None:
        """Notes that the next cause is tested."""
        self._left = min(self._each, self._total)

    def spend(self, elements: int) -> None:
        """Notes that so many elements are about to be computed.

        Raises:
            WorkSpent: there is nothing left for that.
        """
        work = elements + _CALL
        if work > self._left:
            raise WorkSpent
        self._left -= work
        self._total -= work


def said(untested: Sequence[str]) -> str | None:
    """What there is to say of causes that were not tested to the end; `None` where there are none."""
    if not untested:
        return None
    names = ", ".join(dict.fromkeys(untested))
    return f"{names}: to test more of it would take longer than the comparison may; record a shorter input, or a smaller model of the same kind"  # fmt: skip
