"""Markers that say less than they mean, or nothing at all, and the line that a fix writes in their place."""

from __future__ import annotations

from add_model.copies.finding import Code, Finding
from add_model.copies.judging.pair import governed_header
from add_model.copies.judging.place import Place
from add_model.copies.language.marker import Marker
from add_model.copies.reading.selection import Selection
from add_model.copies.reading.sources import Original, Sources
from add_model.encoding import SourceError
from add_model.source import Module
from add_model.values import NamedTuple


class Malformed(NamedTuple):
    """A marker that is to be written anew.

    Attributes:
        module: where it stands.
        start: where its first line starts.
        end: where its last line ends, without its line feed.
        line: what it says.
    """

    module: Module
    start: int
    end: int
    line: str


class Mender:
    """Finds out what malformed markers were meant to be.

    Attributes:
        malformed: the markers that a fix would write anew, of all files.
    """

    def __init__(self, sources: Sources, selection: Selection) -> None:
        self._sources, self._selection = sources, selection
        self.malformed: list[Malformed] = []

    def repaired(self, marker: Marker | None, place: Place) -> tuple[Marker, Finding] | None:
        """The marker that a comment was meant to be, with what keeps it from being that; `None` if it leads nowhere.

        Args:
            marker: what is understood of the comment, if it is a marker.
            place: where it stands.
        """
        from add_model.copies.language.malformed import repaired

        found = repaired(place.module.text, place.start)
        path = self.definition_meant(found.marker, place) if found is not None else None
        if found is None or path is None:
            return None
        meant = found.marker._replace(source=path)
        says = "checks less than it says" if marker is not None else "checks nothing"
        message = f"{says}: {found.why}; write `{str(meant).strip()}`"
        finding = place._replace(source=path).warning(Code.CP003, message)
        return meant, self.written_anew(finding, place, found.end, meant)

    def written_anew(self, finding: Finding, place: Place, end: int, marker: Marker) -> Finding:
        """A finding about a marker that a fix writes anew."""
        if self._selection.reports(finding):
            self.malformed.append(Malformed(place.module, place.start, end, str(marker)))
        return finding._replace(fixable=True)

    def definition_meant(self, marker: Marker, place: Place) -> str | None:
        """The path of the definition that a marker means: its own, or where that is a module's, of what it stands above."""
        try:
            original = self._sources.find(marker.source)
            if isinstance(original, Original):
                return marker.source
            if not original.is_module:
                return None
            header = governed_header(place.module, marker, place.start)
            name = place.module.name_at(header) if header is not None else ""
            for replacement in reversed(marker.replacements):
                for old, new in reversed(replacement.pairs()):
                    name = name.replace(new, old)
            path = f"{marker.source}.{name}"
            return path if name and isinstance(self._sources.find(path), Original) else None
        except SourceError:
            return None


def may_be_malformed(marker: Marker, place: Place) -> bool:
    """Whether a marker may say less than it was meant to, to look at it."""
    if marker.problems or ".py" in marker.source:
        return True
    text = place.module.text
    # The next line is no comment as a rule.
    below = text.find("\n", place.start) + 1 + len(marker.indent)
    return text.startswith("#", below) and "->" in text[below : text.find("\n", below)]
