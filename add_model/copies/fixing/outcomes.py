"""What a copy becomes that differs from its original: what its marker calls for, or both sides' edits merged."""

from __future__ import annotations

from pathlib import Path

from add_model.copies.finding import Moved
from add_model.copies.fixing.merge import Merge, merge
from add_model.copies.fixing.rewrite import rewritten, same_but_for_layout
from add_model.copies.judging.pair import Pair
from add_model.copies.language.region import end_of_copy, ignored_names, own_name, with_name
from add_model.copies.remembering.sides import Side, Sides


class Outcomes:
    """What the copies of a round become, each worked out once."""

    def __init__(self, sides: Sides, force: bool, keep_header: bool, root: Path) -> None:
        """Knows nothing yet.

        Args:
            sides: what git and earlier fixes know of each copy.
            force: whether a copy that was edited becomes what its original calls for, too.
            keep_header: whether a copy's header stays as it is.
            root: the library's folder.
        """
        self._sides, self._force, self._keep_header, self._root = sides, force, keep_header, root
        self._known: dict[Pair, Side] = {}
        self._merges: dict[Pair, Merge] = {}

    def forget(self) -> None:
        """Forgets a round's copies, which have changed since."""
        self._known.clear()
        self._merges.clear()

    def side(self, pair: Pair) -> Side:
        """Which side of a copy was edited."""
        if pair not in self._known:
            self._known[pair] = self._sides.of(pair)
        return self._known[pair]

    def is_overwritten(self, pair: Pair) -> bool:
        """Whether a copy becomes what its original calls for, whatever it is now."""
        return self._force or not self.side(pair).edited

    def merge(self, pair: Pair) -> Merge:
        """What both sides of a copy come to; the copy as it is, where its original has not moved or they conflict."""
        if pair not in self._merges:
            self._merges[pair] = self._merged(pair)
        return self._merges[pair]

    def text(self, pair: Pair) -> str:
        """What a copy becomes; in the layout in which it once stood, if it is that again."""
        if not self.is_overwritten(pair):
            return self.merge(pair).text
        text = rewritten(pair, self._keep_header)
        known = self._sides.written.before(self._sides.name(pair), pair.block)
        return next((before for before in known if same_but_for_layout(before, text)), text)

    def original_side(self, pair: Pair, committed: Pair) -> str:
        """What an edited copy would be had it not been edited."""
        # What the copy has for itself is as it has it now; all else is seen best from where both started.
        same = ignored_names(pair.block) == ignored_names(committed.block) and (
            (end_of_copy(pair.block) is None) == (end_of_copy(committed.block) is None)
        )
        return rewritten(committed if same else pair, self._keep_header)

    def _merged(self, pair: Pair) -> Merge:
        side = self.side(pair)
        if side.moved not in (Moved.COPY, Moved.BOTH) or side.committed is None:
            return Merge(pair.block)
        copy, committed = ended(pair.block), side.committed
        base = self._sides.written.taken_over(self._sides.name(pair), committed.block, copy)
        if base is None and side.moved is Moved.COPY:
            return Merge(pair.block)
        # An original that is what it was may have been something else meanwhile, which the copy has taken over.
        if base is None:
            base = ended(with_name(committed.block, copy[slice(*own_name(copy))]))
        return merge(base, copy, self.original_side(pair, committed), self._root)


def ended(block: str) -> str:
    """A block whose last line is ended."""
    return block if block.endswith("\n") else f"{block}\n"
