"""Generated files as a formatter lays them out, less the markers that their new layout has made unreadable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from add_model.copies.language.marker import NEEDLE
from add_model.scaffold.copied_text.marking import Unmarked, readable_markers
from add_model.scaffold.formatting import NEW_LIBRARY_SETTINGS, format_files
from add_model.scaffold.rendering import LeftOut, RenderedFile


def laid_out(
    root: Path, files: Sequence[RenderedFile], default: str = NEW_LIBRARY_SETTINGS
) -> tuple[list[RenderedFile], list[LeftOut], str | None]:
    """Formats files as `format_files` does.

    Args:
        root: the library's root.
        files: what is going to be written, marked line by line as its originals are.
        default: ruff's settings where the root has none.

    Returns:
        The files as they can be written, the markers that they have lost, and why they are not formatted, if so.
    """
    formatted, unformatted_because = format_files(root, {file.path: file.text for file in files}, default)
    found: list[RenderedFile] = []
    left_out: list[LeftOut] = []
    for file in files:
        text, lost = _with_readable_markers(file, formatted)
        found.append(replace(file, text=text))
        left_out += unmarked_blocks(lost)
    return found, left_out, unformatted_because


def _with_readable_markers(file: RenderedFile, formatted: Mapping[Path, str]) -> tuple[str, Sequence[Unmarked]]:
    text = formatted[file.path]
    if text == file.text or file.path.suffix != ".py" or NEEDLE.decode() not in text:
        return text, ()
    return readable_markers(file.text, text)


def unmarked_blocks(unmarked: Iterable[Unmarked]) -> Iterator[LeftOut]:
    """What the summary says of definitions that are copies without a marker."""
    for name, why in dict.fromkeys(unmarked):
        yield LeftOut(f"marker of {name}", why)
