"""What was put into a file is found again, wherever it has moved, and taken back to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from add_model.errors import AddModelError
from add_model.scaffold.record import Hunk, Record, checked_path, hunks_between, load_record, without_hunks

# Lines as mappings have them: many are alike.
COMMON = st.sampled_from([b"(\n", b"),\n", b"[\n", b"\n", b"    ]\n", b"x\n", b"x\r\n"])
LINES = st.lists(COMMON, max_size=12)


def with_blocks(lines: list[bytes], places: list[int], owner: bytes) -> list[bytes]:
    """The lines with blocks put in at places, each of lines that only its owner writes."""
    result = list(lines)
    for number, place in enumerate(places):
        block = [b"%s starts %d\n" % (owner, number), b"(\n", b"),\n", b"%s ends %d\n" % (owner, number)]
        result[place % (len(result) + 1) : place % (len(result) + 1)] = block
    return result


@given(lines=LINES, places=st.lists(st.integers(0, 40), max_size=4))
def test_what_was_added_is_taken_back(lines: list[bytes], places: list[int]) -> None:
    before, after = b"".join(lines), b"".join(with_blocks(lines, places, b"jay"))
    assert without_hunks(after, hunks_between(before, after)) == (before, ())


@given(lines=LINES, first=st.lists(st.integers(0, 40), max_size=3), second=st.lists(st.integers(0, 40), max_size=3))
def test_what_others_added_since_stays(lines: list[bytes], first: list[int], second: list[int]) -> None:
    jay = with_blocks(lines, first, b"jay")
    both = with_blocks(jay, second, b"kite")
    hunks = hunks_between(b"".join(lines), b"".join(jay))
    rest, missing = without_hunks(b"".join(both), hunks)
    # A block that somebody wrote into is reported; it is never taken out in part.
    assume(not missing)
    kite_only = [line for line in both if line.startswith(b"kite")]
    assert [line for line in rest.splitlines(keepends=True) if line.startswith((b"jay", b"kite"))] == kite_only
    assert len(rest.splitlines()) == len(lines) + 4 * len(second)


@given(before=st.binary(max_size=60), after=st.binary(max_size=60))
def test_any_change_that_leaves_lines_is_taken_back_or_reported(before: bytes, after: bytes) -> None:
    rest, missing = without_hunks(after, hunks_between(before, after))
    assert rest == before or missing


@given(lines=LINES, places=st.lists(st.integers(0, 40), min_size=1, max_size=3))
def test_what_was_edited_since_is_reported_and_left(lines: list[bytes], places: list[int]) -> None:
    before, after = b"".join(lines), b"".join(with_blocks(lines, places, b"jay"))
    edited = after.replace(b"jay ends 0\n", b"jay ends 0  # mine\n")
    rest, missing = without_hunks(edited, hunks_between(before, after))
    assert b"jay ends 0  # mine\n" in rest and len(missing) == 1


def test_of_lines_that_stand_twice_those_nearest_to_where_they_were_written_go() -> None:
    after = b"a\nsame\nb\nc\nd\ne\nf\nsame\n"
    assert without_hunks(after, [Hunk(8, b"", b"same\n")]) == (b"a\nsame\nb\nc\nd\ne\nf\n", ())
    assert without_hunks(after, [Hunk(2, b"", b"same\n")]) == (b"a\nb\nc\nd\ne\nf\nsame\n", ())


def test_a_part_of_a_line_is_no_line() -> None:
    content = b'("jaybird", "X"),\n    "jay",\n'
    assert without_hunks(content, [Hunk(1, b"", b'"jay",\n')]) == (content, (Hunk(1, b"", b'"jay",\n'),))


def grown(line: int, removed: bytes, more: bytes, at: int) -> Hunk:
    """A hunk whose new lines hold all that the old ones held, and more."""
    return Hunk(line, removed, removed[:at] + more + removed[at:])


HUNKS = st.builds(
    grown, st.integers(1, 9), st.binary(max_size=9), st.binary(min_size=1, max_size=9), st.integers(0, 9)
)


@given(st.lists(HUNKS, min_size=1))
def test_a_record_is_read_back_as_it_was_written(hunks: list[Hunk]) -> None:
    import tempfile

    record = Record({"a.py": "0" * 64}, {"b.py": tuple(hunks)})
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "written.json").write_text(record.dump())
        assert load_record(Path(folder)) == record


@pytest.mark.parametrize("text", ["", "[]", "3", '{"a": [{}]}', '{"a": [3]}', '{"a": 3}', "[" * 100_000, "\xff", '{"a": [{"line": 1, "removed": "import os", "added": "import sys"}]}'])  # fmt: skip
def test_what_is_no_record_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "written.json").write_text(text, encoding="latin-1")
    assert load_record(tmp_path) is None


@pytest.mark.parametrize("path", ["../outside.py", "a/../../outside.py", "/etc/passwd"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(AddModelError, match="leads out of"):
        checked_path(tmp_path, path)


def test_entries_that_were_added_side_by_side_are_found_one_by_one() -> None:
    before = b'TABLE = [\n    ("wren", "W"),\n]\n'
    after = b'TABLE = [\n    ("jay", "J"),\n    (\n        "jay_text",\n        "T",\n    ),\n    ("wren", "W"),\n]\n'
    both = after.replace(b"    (\n", b'    ("jay_of_the_north", "N"),\n    (\n')
    rest = before.replace(b'    ("wren"', b'    ("jay_of_the_north", "N"),\n    ("wren"')
    assert without_hunks(both, hunks_between(before, after)) == (rest, ())
