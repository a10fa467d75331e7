"""What is said of a marker when it is pointed at: where its original is, and how its copy differs from that."""

from __future__ import annotations

import difflib

from add_model.copies.judging.pair import Pair
from add_model.copies.language.region import compared_sides, own_name, with_name
from add_model.copies.reading.files import relative_path
from add_model.editor.held import Held
from add_model.visible import visible

# So many lines of a difference are shown.
_MOST_LINES = 60


def hint(held: Held, path: str, line: int) -> str | None:
    """What to say of the marker in a line, as Markdown; `None` where none stands there."""
    found = held.marker_at(path, line)
    if found is None:
        return None
    start, marker = found
    original = held.original(marker)
    if original is None:
        return f"`{marker.source}` leads nowhere here."
    where = relative_path(original.module.place, held.library.root)
    number = original.module.line_of(original.definition.header)
    text = f"`{visible(original.definition.name)}` in {visible(where)}, line {number}"
    pair = held.pair(path, start, marker)
    if pair is None:
        return f"{text}; below the marker stands nothing that could be its copy."
    if pair.is_equal:
        return f"{text}: this is its copy."
    return f"{text}: the copy differs.\n\n```diff\n{difference(pair)}\n```"


def difference(pair: Pair) -> str:
    """What a copy has instead of what its marker calls for, as the lines of a unified diff; `-` is what is expected."""
    name = pair.block[slice(*own_name(pair.block))]
    expected, found = (with_name(side, name).splitlines() for side in compared_sides(pair.expected, pair.block))
    lines = list(difflib.unified_diff(expected, found, lineterm="", n=2))[2:]
    left = len(lines) - _MOST_LINES
    # What closes the block of code is nothing that a file may write.
    shown = (visible(line).replace("```", "'''") for line in lines[:_MOST_LINES])
    return "\n".join([*shown, *([f"... and {left} more lines"] if left > 0 else [])])
