"""The quick comparison, in the place where a copy stands, says what the exact one says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from add_model.copies.judging.pair import Pair, Verdict, governed_header
from add_model.copies.language.equality import blocks_match
from add_model.copies.language.marker import Marker, find_comments
from add_model.copies.reading.sources import Origin, Original
from add_model.definitions import Definition, find_definitions
from add_model.source import Module
from tests.test_source import statements

MARKER = "# Copied from package.module.Original with one->two"
# What decides, or seems to, where a block ends and what of it is compared.
ODD_LINES = [
    '    """',
    "    '''",
    "    # Ignore copy",
    "    # End copy",
    "# a comment at the margin",
    "        # a comment further in",
    "    one = two = 1",
    f"    {MARKER}",
    "    def method(self): return '#'",
    "",
    "    x = (",
    ")",
    "    s = '''",
    "#'''",
]
BEHIND = [
    "",
    "x = 1",
    "# c",
    "    # c",
    "def f(): pass",
    "a\n    b",
    "\\",
    "(\n)",
    "@d\nclass E: pass",
    "if x:\n  pass",
]


def pair_of(original: str, copy: str) -> Pair:
    """The pair of the first marker in the copy's text, with the first definition in the original's."""
    first, second = Module(Path("original.py"), original), Module(Path("copy.py"), copy)
    definition = first.find("Original")
    start, marker = next(find_comments(copy))
    assert definition is not None and isinstance(marker, Marker)
    header = governed_header(second, marker, start)
    assert header is not None
    return Pair(second, marker, start, header, Original(first, definition, Origin.LIBRARY))


def exactly(pair: Pair) -> tuple[bool, int]:
    """Whether the copy of a pair is equal, and where it ends, found without any short cut."""
    (original,) = (found for found in _first_of_each_name(pair.original.module.text) if found.name == "Original")
    (copy,) = (found for found in find_definitions(pair.module.text) if found.header == pair.header)
    exact = Original(pair.original.module, original, Origin.LIBRARY)
    expected = Pair(pair.module, pair.marker, pair.start, pair.header, exact).expected
    return blocks_match(expected, pair.module.text[copy.header : copy.end]), copy.end


def _first_of_each_name(text: str) -> list[Definition]:
    found: dict[str, Definition] = {}
    for definition in find_definitions(text):
        found.setdefault(definition.name, definition)
    return list(found.values())


@st.composite
def original_and_copy(draw: st.DrawFn) -> tuple[str, str]:
    """Two modules that are parsed by Python: a definition, and a copy of it with lines inserted, most of them alike."""
    keyword = draw(st.sampled_from(["class", "def", "async def"]))
    parts = [*draw(st.lists(statements, max_size=3)), "one = 1"]
    header = "class NAME:" if keyword == "class" else f"{keyword} NAME():"
    block = [header, *(f"    {line}" for part in parts for line in part.split("\n"))]
    inserted = st.tuples(st.sampled_from(ODD_LINES), st.one_of(st.integers(0, 1), st.integers(0, 20)))
    sides = []
    for own in (draw(st.lists(inserted, max_size=1)), draw(st.lists(inserted, max_size=2))):
        lines = list(block)
        for line, from_end in own:
            lines.insert(max(1, len(lines) - from_end), line)
        sides.append("\n".join([*lines, *draw(st.lists(st.sampled_from(BEHIND), max_size=2))]))
    original, copy = sides[0].replace("NAME", "Original"), sides[1].replace("NAME", "Copy").replace("one", "two")
    for text in (original, copy):
        try:
            ast.parse(text)
        except SyntaxError:
            reject()
    return original, f"{MARKER}\n{copy}"


@settings(max_examples=400, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(original_and_copy())
def test_the_quick_comparison_says_what_the_exact_one_says(texts: tuple[str, str]) -> None:
    pair = pair_of(*texts)
    assert (pair.verdict is Verdict.EQUAL, pair.end) == exactly(pair)


@pytest.mark.parametrize(("original", "copy"), [("async def", "def"), ("def", "async def"), ("class", "def")])
def test_the_keyword_of_a_header_is_compared(original: str, copy: str) -> None:
    body = " NAME():\n    return 1\n"
    pair = pair_of(f"{original}{body}".replace("NAME", "Original"), f"{MARKER}\n{copy}{body}".replace("NAME", "Copy"))
    assert pair.verdict is not Verdict.EQUAL


def test_each_of_many_markers_above_one_definition_governs_it() -> None:
    text = f"{MARKER}\n\n" * 500 + "@decorated\nclass Copy:\n    one = 1\n"
    module = Module(Path("copy.py"), text)
    headers = {governed_header(module, marker, start) for start, marker in find_comments(text)}  # type: ignore[arg-type]
    assert headers == {text.index("class")}
