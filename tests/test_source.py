"""Where definitions start and end: `ast` is the judge of every text that it can read."""

from __future__ import annotations

import ast
import random
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import add_model
from add_model import lexical
from add_model.definitions import Definition, block_end, find_definitions
from add_model.encoding import SourceError
from add_model.lexical import logical_lines, strings
from add_model.source import Module, decode_module, read_module

ODD = '''
"""Docstring with a
def not_a_definition():
    pass
"""
import x  # comment (with a bracket

if x:
    def conditional(a=")",
b=1):
        return """
left
"""
else:
    def conditional(): return 2

class A(
    Base,
    metaclass=M
):
    """Doc."""

    @property
    # between
    @other(
        "("
    )
    def value(self):
        text = 'it\\'s \\
continued'

# a comment at the left
        return text
        # belongs to value

    @value.setter

    def value(self, new):
        def nested():
            return {
        1: 2,
    }
        self.x = new; y = 1
        if y: pass
    async def other(self): ...
\t
    class Inner: x = 1
# behind

@overload
def over(a: int) -> int: ...
@overload
def over(a: str) -> str: ...
def over(a): return a
def last(a): return \\
  a
x = """
class Fake: pass
"""
class Fake: real = 1

class Product:
    def matrix(self, a, b):
        return (a
@ b @ (
a))

@decorated(")")
def behind(): ...

@documented("""
class Example:
    def f(): ...
""")
class Documented:
    def g(self): return g(
1)

@documented(
    "a"
)
class Last: ...
'''


def by_parser(text: str) -> Iterator[tuple[str, int, int, int]]:
    """Each definition's name, first line, header line and last line of code, as `ast` sees them."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, int, int, int]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                name = f"{prefix}{child.name}"
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                assert child.end_lineno is not None
                yield name, first, child.lineno, child.end_lineno
                yield from walk(child, f"{name}.")
            else:
                yield from walk(child, prefix)

    return walk(ast.parse(text), "")


def as_lines(text: str, found: Definition) -> tuple[str, int, int, int]:
    """The same, of a definition found here, comments at its end left out."""
    lines = text[: found.end].split("\n")[:-1] if text[: found.end].endswith("\n") else text[: found.end].split("\n")
    while not lines[-1].strip() or lines[-1].lstrip().startswith("#"):
        lines.pop()
    return found.name, text.count("\n", 0, found.start) + 1, text.count("\n", 0, found.header) + 1, len(lines)


def assert_same_as_parser(text: str) -> None:
    definitions = list(find_definitions(text))
    assert sorted(as_lines(text, found) for found in definitions) == sorted(by_parser(text))
    module = Module("m.py", text)
    for found in definitions:
        assert block_end(text, found.header) == module.block_end(found.header) == found.end
        assert Module("m.py", text).name_at(found.header) == found.name
    for name, found in module.definitions.items():
        assert Module("m.py", text).find(name) == found
        assert Module("m.py", text).name_at(found.header) == name
    # In whatever order it is asked.
    module = Module("m.py", text)
    headers = sorted(found.header for found in find_definitions(text))
    for header in [*headers, *headers[::-1], *headers[::2]]:
        assert module.name_at(header) == Module("m.py", text).name_at(header)
    for around in definitions:
        if text.startswith("class", around.header):
            inside = text[around.header : around.end]
            members = [found for found in find_definitions(inside) if found.name.count(".") == 1]
            assert Module("m.py", inside).members() == sorted(members, key=lambda found: found.start)


def assert_each_look_finds_the_same(text: str) -> None:
    module = Module("m.py", text)
    last_parts = {name.rpartition(".")[2] for name in module.definitions}
    for last_part in last_parts:
        ends = {found.end for found in module.definitions.values()}
        for offset in (0, *ends):
            behind = [found for found in module.definitions.values() if found.header >= offset]
            named = [found for found in behind if found.name.rpartition(".")[2] == last_part]
            assert list(Module("m.py", text).find_all_behind(offset, last_part)) == sorted(named, key=_header)
        for around in module.definitions:
            name = f"{around}.{last_part}"
            assert Module("m.py", text).find(name) == module.definitions.get(name)


def _header(definition: Definition) -> int:
    return definition.header


def test_odd_module() -> None:
    assert_same_as_parser(ODD)
    assert_each_look_finds_the_same(ODD)


@pytest.mark.parametrize("path", sorted(Path(add_model.__file__).parent.rglob("*.py")), ids=lambda path: path.stem)
def test_this_package(path: Path) -> None:
    module = read_module(path)
    assert_same_as_parser(module.text)
    for name, definition in module.definitions.items():
        assert Module(path, module.text).find(name) == definition


def test_comments_belong_to_the_block_that_they_are_indented_for() -> None:
    module = Module(Path("m.py"), ODD)
    value, other = module.definitions["A.value"], module.definitions["A.other"]
    assert ODD[: value.end].endswith("# belongs to value\n")
    assert ODD[: module.definitions["A"].end].endswith("class Inner: x = 1\n")
    assert ODD[other.start : other.end] == "    async def other(self): ...\n"


def test_of_several_the_first_that_is_no_overload_is_found() -> None:
    module = Module(Path("m.py"), ODD)
    for name, line in {
        "over": "def over(a): return a",
        "conditional": '    def conditional(a=")",',
        "Fake": "class Fake: real = 1",
    }.items():
        definition = module.find(name)
        assert definition is not None
        assert ODD[definition.header :].startswith(line)
    assert module.find("A.value.missing") is None and module.find("not_a_definition") is None


statements = st.recursive(
    st.sampled_from(["x = 1", "pass", 'y = """a\n  b\n"""', "z = (1,\n2)", "# comment", "", "a = [\n]", "'\\''", "# '", "w = 1 \\\n  + 2", "s = 'a\\\ndef f():\\\nx = 1'"]),
    lambda inner: st.builds(
        lambda header, body: f"{header}\n" + textwrap.indent("\n".join([*body, "pass"]), "    ", lambda line: True),
        st.sampled_from(["def f(a,\n  b=')'):", "class C:", "@d\ndef g():", "if x:", "async def h(): # (", "@d(\n)\n# c\nclass D(E):", "@d('''\n\n x\n''')\n\n# c\ndef h():"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(statements, max_size=6).map("\n".join))
def test_generated_modules(text: str) -> None:
    try:
        ast.parse(text)
    except SyntaxError:
        return
    assert_same_as_parser(text)
    assert_each_look_finds_the_same(text)


@given(st.text(alphabet="def class():\n\t\"'#\\@ x[]{}\f"))
def test_no_text_crashes_it(text: str) -> None:
    assert "".join(text[start:end] for start, end in logical_lines(text)) == text
    module = Module(Path("m.py"), text)
    for name in module.definitions:
        Module(Path("m.py"), text).find(name)
    for start, _ in logical_lines(text):
        assert module.is_code(start)


# What may keep three quotes from being what they seem, and what does not.
QUOTED = st.sampled_from(
    ['"""', "'''", '"', "'", "\\", "\n", "\n", "\\\n", "#", "a", " ", "(", '"""a\n"""\n', "'''b\n'''\n", "# '''\n", "x = '\"\"\"'\n"]
)  # fmt: skip


@given(st.lists(QUOTED, max_size=30).map("".join), st.randoms(use_true_random=False), st.integers(0, 12))
def test_a_line_is_code_where_no_string_is_open(text: str, chance: random.Random, ahead: int) -> None:
    """However the marks stand, and in whatever order somebody asks, the answer is what reading from the start says."""
    starts = [match.start() for match in re.finditer("^.", text, re.MULTILINE)]
    said = {start: not any(first < start < last for first, last in strings(text)) for start in starts}
    chance.shuffle(starts)
    module = Module("m.py", text)
    with mock.patch.object(lexical, "_AHEAD", ahead):
        assert {start: module.is_code(start) for start in starts} == said


def test_a_line_is_code_far_behind_marks_that_are_none() -> None:
    text = '# a """ in a comment\n' + "x = 1\n" * 5_000 + '"""\nin\n"""\n' + "x = 1\n" * 5_000
    module = Module("m.py", text)
    assert not module.is_code(text.index("in\n")) and module.is_code(len(text)) and module.is_code(40_000)


@pytest.mark.parametrize("odd", ['# drop the closing """ if there is one', 'MARK = \'"""\'', 'MARK = \'\\\n"""\''])
def test_what_a_docstring_shows_is_not_found(odd: str) -> None:
    shown = '    """So:\n\n    def f(self): ...\n\ndef g(): ...\n    """\n\n'
    text = f"{odd}\nclass A:\n{shown}    def f(self):\n        return 1\n\n\ndef g():\n    return 2\n"
    for name, header in {"A.f": "    def f(self):\n", "g": "def g():\n"}.items():
        found = Module("m.py", text).find(name)
        assert found is not None and found.header == text.index(header)


@pytest.mark.parametrize(
    ("content", "text", "encoding"),
    [
        (b"x = 1\r\ny\rz\n", "x = 1\ny\nz\n", "utf-8"),
        (b"\xef\xbb\xbfx", "x", "utf-8-sig"),
        (b"# -*- coding: latin-1 -*-\n# \xe9", "# -*- coding: latin-1 -*-\n# \xe9", "iso-8859-1"),
        ("# é".encode(), "# é", "utf-8"),
        (b"# Encoding of words\nx", "# Encoding of words\nx", "utf-8"),
        (
            b"#!/usr/bin/python\n# vim: set fileencoding=latin-1 :\n# \xe9",
            "#!/usr/bin/python\n# vim: set fileencoding=latin-1 :\n# \xe9",
            "iso-8859-1",
        ),
        (b"x = 1\n# coding: latin-1\n", "x = 1\n# coding: latin-1\n", "utf-8"),
        (b"# coding: utf-8\n# coding: latin-1\n", "# coding: utf-8\n# coding: latin-1\n", "utf-8"),
        (b"", "", "utf-8"),
    ],
)
def test_bytes_become_text(content: bytes, text: str, encoding: str) -> None:
    module = decode_module(Path("m.py"), content)
    assert (module.text, module.encoding) == (text, encoding)


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [(b"x = 1\ny = '\xff'\n", 2, 6), (b"# coding: no-such\n", 1, 1), (b"# coding: utf-8\n\xff", 2, 1)],
)
def test_bytes_that_are_no_text_are_named_with_their_place(content: bytes, line: int, column: int) -> None:
    with pytest.raises(SourceError) as raised:
        decode_module(Path("m.py"), content)
    assert (raised.value.line, raised.value.column) == (line, column)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_module(tmp_path / "missing.py")
