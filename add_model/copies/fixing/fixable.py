"""Which copies a fix may rewrite, as far as their findings tell."""

from __future__ import annotations

from collections.abc import Sequence

from add_model.copies.finding import Code, Finding
from add_model.copies.judging.pair import Pair
from add_model.copies.reading.files import relative_path
from add_model.library import Library


class FixablePairs:
    """Tells copies that are no members of a circle, of which none is the original, and whose files both parse.

    What a baseline sets aside is let be as well, until its entry is dropped.
    """

    def __init__(
        self, library: Library, findings: Sequence[Finding], aside: frozenset[tuple[str, str, str]] = frozenset()
    ) -> None:
        self._aside = aside
        self._root = library.root
        self._circles = {(finding.path, finding.line) for finding in findings if finding.code is Code.CP004}
        self._broken = {finding.path for finding in findings if finding.code is Code.CP006}

    def __call__(self, pair: Pair) -> bool:
        copy, original = (relative_path(module.place, self._root) for module in (pair.module, pair.original.module))
        if self._aside and (copy, pair.module.name_at(pair.header), pair.marker.source) in self._aside:
            return False
        return not {copy, original} & self._broken and (copy, pair.line) not in self._circles
