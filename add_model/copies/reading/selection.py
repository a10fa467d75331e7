"""Which findings a run reports: those of the selected codes, less what is ignored, everywhere or for some files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from add_model.copies.finding import Code, Finding
from add_model.copies.reading.files import fits
from add_model.errors import AddModelError
from add_model.library import CONFIGURATION_TABLE, Library
from add_model.values import NamedTuple

# How much of an unknown code is shown.
_SHOWN = 40


class Selection(NamedTuple):
    """The codes that count.

    Attributes:
        codes: what is reported of any file.
        ignored: glob pattern of paths, relative to the root -> what is not reported of such files.
    """

    codes: frozenset[Code]
    ignored: Mapping[str, frozenset[Code]]

    def reports(self, finding: Finding) -> bool:
        """Whether a finding is one that was asked for."""
        return finding.code in self.codes and not any(
            finding.code in codes and fits(finding.path, pattern) for pattern, codes in self.ignored.items()
        )


def read_selection(library: Library, select: Iterable[str] = (), ignore: Iterable[str] = ()) -> Selection:
    """The selection that the command line and the library's configuration come to.

    Args:
        library: whose configuration is read.
        select: codes to report, several of them in one text with commas between; none: all. A file that cannot be
            read is reported in any case, as nobody can tell what else is wrong with it.
        ignore: codes not to report, likewise.

    Raises:
        AddModelError: one of the codes is not known.
    """
    selected, ignored = _codes(select, "--select"), _codes(ignore, "--ignore")
    place = f"`per-file-ignores` in [{CONFIGURATION_TABLE}]"
    by_pattern = {pattern: _codes(codes, place) for pattern, codes in library.configuration.per_file_ignores.items()}
    return Selection((selected | {Code.CP006} if selected else frozenset(Code)) - ignored, by_pattern)


def _codes(texts: Iterable[str], place: str) -> frozenset[Code]:
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    return frozenset(_code(name, place) for name in names)


def _code(name: str, place: str) -> Code:
    known = Code.__members__
    if name.upper() in known:
        return known[name.upper()]
    from difflib import get_close_matches

    name = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
    close = get_close_matches(name.upper(), known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"the codes are {min(known)} to {max(known)}"
    raise AddModelError(f"{place}: there is no code `{name}`; {hint}")
