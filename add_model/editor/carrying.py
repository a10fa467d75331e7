"""An edit of a copy, carried to its original and from there to the original's other copies."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from add_model.copies.fixing.edits import Edit
from add_model.copies.fixing.rewrite import rewritten
from add_model.copies.judging.cycles import place_of_copy
from add_model.copies.judging.judge import HEADERS_DIFFER_IN
from add_model.copies.judging.pair import Pair
from add_model.copies.language.line_diff import opcodes
from add_model.copies.language.marker import GrownTooLong, Marker, Replacement, marker_lines, read_comment, replace
from add_model.copies.language.region import end_of_copy, ignored_names, own_name, with_name
from add_model.copies.language.syntax import syntax_problem
from add_model.copies.reading.sources import Origin
from add_model.definitions import indent_at
from add_model.editor.held import Held
from add_model.source import Module


class Carried(Enum):
    """How far an edit is carried."""

    ORIGINAL = "to the original"
    ALL = "to the original and its other copies"


def carried(held: Held, pair: Pair, how_far: Carried) -> dict[Module, list[Edit]]:
    """The edits that make an original, and what was equal to it, what one of its copies has become.

    Nothing where the edit cannot be said of the original: where what the copy says now comes from no text that the
    marker's replacements would make it of, where the copy leaves parts out, or where the original is not the library's, or is
    a copy of another one there.
    """
    block = original_of_edited(pair)
    if block is None or pair.original.origin is not Origin.LIBRARY:
        return {}
    original = pair.original
    edits = {original.module: list(_changed_lines(original.module, original.definition.header, original.block, block))}
    # What is a copy in its turn, or holds one, would differ from its own original.
    if held.would_find(original.module, edits[original.module]):
        return {}
    if how_far is Carried.ALL:
        _carry_on(held, pair, block, edits)
    return edits


def original_of_edited(pair: Pair) -> str | None:
    """The block of which the marker makes the copy as it is now; `None` where there is none such."""
    copy = pair.block if pair.block.endswith("\n") else f"{pair.block}\n"
    if ignored_names(copy) or end_of_copy(copy) is not None:
        return None
    own = pair.original.block
    # A line of the original is a line of what is expected: no replacement holds a line feed.
    before, expected = own.splitlines(keepends=True), pair.expected.splitlines(keepends=True)
    name = pair.expected[slice(*own_name(pair.expected))]
    now = [line for line in with_name(copy, name).splitlines(keepends=True) if not marker_lines(line)]
    if len(before) != len(expected):
        return None
    back = [Replacement(each.new, each.old, each.all_casing) for each in reversed(pair.marker.replacements)]
    lines: list[str] = []
    try:
        for kind, first, last, found, found_last in opcodes(expected, now):
            if kind == "equal":
                lines += before[first:last]
            else:
                lines += (_indented(replace(line, back), pair) for line in now[found:found_last])
        block = with_name("".join(lines), own[slice(*own_name(own))])
        is_it = pair.behind(block).is_equal
    except GrownTooLong:
        return None
    parses = (
        syntax_problem(Module(pair.original.module.place, f"if 1:\n{block}" if indent_at(block) else block)) is None
    )
    return block if is_it and parses else None


def _indented(line: str, pair: Pair) -> str:
    """A line of the copy at the indentation of the original."""
    here, there = pair.marker.indent, pair.original.definition.indent
    return there + line[len(here) :] if here != there and line.startswith(here) and line.strip() else line


def _changed_lines(module: Module, header: int, before: str, after: str) -> Iterator[Edit]:
    """The edits that make one block of a module another, its markers kept."""
    starts, at = [], header
    for line in before.splitlines(keepends=True):
        # The markers in a block are no part of what was compared.
        while (is_marker := _marker_line(module.text, at)) is not None:
            at = is_marker
        starts.append(at)
        at += len(line)
    starts.append(min(at, len(module.text)))
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for kind, first, last, found, found_last in opcodes(old, new):
        if kind != "equal":
            end = starts[last - 1] + len(old[last - 1]) if last > first else starts[first]
            yield Edit(starts[first], min(end, len(module.text)), "".join(new[found:found_last]))


def _marker_line(text: str, at: int) -> int | None:
    """Where the line behind a marker ends that starts there; `None` where another line does."""
    end = text.find("\n", at)
    return end + 1 if end >= 0 and isinstance(read_comment(text[at:end]), Marker) else None


def _carry_on(held: Held, origin: Pair, block: str, edits: dict[Module, list[Edit]]) -> None:
    """Adds what the other copies become that were equal to the original, and the copies of those."""
    keep_header = bool(HEADERS_DIFFER_IN & held.library.packages.keys())
    waiting, done = [(origin.original.place, block)], {place_of_copy(origin), origin.original.place}
    while waiting:
        place, becoming = waiting.pop(0)
        for (path, header), _, start, _ in held.copies(place):
            module = held.module(path)
            comment = None if module is None else read_comment(module.text[start : module.text.find("\n", start)])
            pair = held.pair(path, start, comment) if isinstance(comment, Marker) else None
            if pair is None or (path, header) in done or not pair.is_equal:
                continue
            done.add((path, header))
            try:
                text = rewritten(pair.behind(becoming), keep_header)
            except GrownTooLong:
                continue
            others = edits.setdefault(pair.module, [])
            # What stands in another block that is rewritten is rewritten with that.
            if all(pair.end <= other.start or other.end <= pair.header for other in others):
                others.append(Edit(pair.header, pair.end, text))
                waiting.append(((path, header), text))
