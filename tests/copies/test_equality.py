"""What counts as a difference, and what is layout."""

from __future__ import annotations

import ast
import inspect
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.copies.language.equality import equal, is_copy
from add_model.copies.language.marker import Replacement
from add_model.copies.language.parsing import with_brackets

BLOCK = '''
def forward(self, hidden_states, scale=1.0):
    """Scales.

    Args:
        hidden_states: the states.
    """
    # The mask is added, not multiplied.
    output = self.dense(hidden_states, "kind", scale)
    if output is not None:  # never so in training
        output = output * (1, 2)
    raise ValueError(f"no {output} " "at all")
'''.lstrip()

SAME = {
    "wrapped": ('self.dense(hidden_states, "kind", scale)', 'self.dense(\n        hidden_states,\n        "kind",\n        scale,\n    )'),
    "quotes": ('"kind"', "'kind'"),
    "blank lines": ("    raise", "\n\n    raise"),
    "no blank line in the docstring": ("Scales.\n\n", "Scales.\n"),
    "white space at the end of a docstring line": ("Scales.\n", "Scales.  \n"),
    "redundant parentheses": ("self.dense(hidden", "(self.dense)(hidden"),
    "a joined string": ('f"no {output} " "at all"', 'f"no {output} at all"'),
    "a split string": ('"kind"', '("ki" "nd")'),
    "trailing comma": ("scale=1.0)", "scale=1.0,)"),
    "comment spacing": ("# The mask", "#The mask"),
    "a method chain over lines": ("output * (1, 2)", "(\n            output\n            * (1, 2)\n        )"),
}  # fmt: skip
DIFFERENT = {
    "a name": ("output = self", "result = self"),
    "a constant": ("1.0", "2.0"),
    "an operator": ("output * (", "output + ("),
    "a line": ("        output = output * (1, 2)\n", "        pass\n"),
    "a parameter": ("scale=1.0", "scale=1.0, more=None"),
    "a docstring word": ("the states", "their states"),
    "docstring indentation": ("        hidden_states: the", "            hidden_states: the"),
    "a comment": ("added, not", "added and not"),
    "a comment less": ("    # The mask is added, not multiplied.\n", ""),
    "a comment moved down": ("    # The mask is added, not multiplied.\n    output = self.dense(hidden_states, \"kind\", scale)\n", "    output = self.dense(hidden_states, \"kind\", scale)\n    # The mask is added, not multiplied.\n"),
    "an indentation": ("    raise", "        raise"),
    "a tuple of one": ("(1, 2)", "(1,)"),
    "white space in a string": ('"kind"', '"ki nd"'),
    "quotes in a string": ('"kind"', "'\"kind\"'"),
    "a string's prefix": ('"kind"', 'b"kind"'),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_layout_does_not_count(old: str, new: str) -> None:
    assert old in BLOCK
    assert equal(BLOCK, BLOCK.replace(old, new))
    assert equal(BLOCK.replace(old, new), BLOCK)


@pytest.mark.parametrize(("old", "new"), DIFFERENT.values(), ids=DIFFERENT)
def test_everything_else_does(old: str, new: str) -> None:
    assert old in BLOCK
    assert not equal(BLOCK, BLOCK.replace(old, new))


WITH_COMMENTS = """
def f(a):
    if (
        a == 1  # one
        or a == 2  # two
    ):
        return [  # none
            1,  # first
            2,
        ]
""".lstrip()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("if (\n        a == 1  # one\n        or a == 2  # two\n    ):", "if a == 1 or a == 2:  # one  # two"),
        ("[  # none\n            1,  # first\n            2,\n        ]", "[  # none\n            1, 2]  # first"),
        ("[  # none\n            1,  # first\n            2,", "[\n            1,  # none\n            2,  # first"),
    ],
)  # fmt: skip
def test_comments_that_joined_lines_have_pushed_on_in_their_statement(old: str, new: str) -> None:
    assert old in WITH_COMMENTS
    moved = WITH_COMMENTS.replace(old, new)
    assert equal(WITH_COMMENTS, moved) and equal(moved, WITH_COMMENTS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1,  # first\n            2,", "1,\n            2,"),
        ("1,  # first\n            2,", "1,  # second\n            2,"),
        ("        return [  # none", "        # none\n        return ["),
        ("a == 1  # one\n        or a == 2  # two", "a == 1  # two\n        or a == 2  # one"),
    ],
)
def test_comments_at_other_places(old: str, new: str) -> None:
    assert old in WITH_COMMENTS
    assert not equal(WITH_COMMENTS, WITH_COMMENTS.replace(old, new))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("if a: return 1  # why", "if a:\n        return 1  # why"),
        ("x = 1; y = 2  # why", "x = 1\n    y = 2  # why"),
        ("x: int = 1;  # why", "x: int = 1  # why"),
        ("if a: x = lambda: 1  # why", "if a:\n        x = (lambda: 1)  # why"),
    ],
)
def test_comments_behind_statements_that_share_a_line(one: str, other: str) -> None:
    one, other = (f"def f(a):\n    {body}\n" for body in (one, other))
    assert equal(one, other) and equal(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("while (x := a()):  # why\n        pass", "while x := a():  # why\n        pass"),
        ("return (lambda x: x)  # why", "return lambda x: x  # why"),
        ("return (lambda x=lambda: 1: x)  # why", "return lambda x=lambda: 1: x  # why"),
        ("return a(1.) + .5 + 1.e+5 + 1e+5 + 2.J\n    # why", "return a(1.0) + 0.5 + 1.0e5 + 1e5 + 2.0j\n    # why"),
        (
            "return 1if a=='b'or'f'in a else 0XE+1\n    # why",
            "return 1 if a == 'b' or 'f' in a else 0xE + 1\n    # why",
        ),
        ("return f'{a}' '{b}}'  # why", "return f'{a}{{b}}}}'  # why"),
    ],
)
def test_comments_behind_what_formatters_write_in_another_way(one: str, other: str) -> None:
    one, other = (f"def f(a):\n    {body}\n" for body in (one, other))
    assert equal(one, other) and equal(other, one)
    assert not equal(one, other.replace("why", "what"))


LINES = st.lists(
    st.sampled_from(["", "    ", "    a", "    a ", "        a", "\ta", '    \\"', '    "', "    b"]), max_size=4
)
ABOVE = st.sampled_from(
    ["def f():\n", "class f:\n", "def f(): # why\n", "def f():\n    # why\n", "def f():\n    x = 1\n"]
)


@given(above=ABOVE, first=LINES, second=LINES, quotes=st.sampled_from(['"""', "'''", 'r"""']))
def test_docstrings_that_differ_in_their_layout(above: str, first: list[str], second: list[str], quotes: str) -> None:
    """What is told from their text alone is what their values say."""
    blocks = [f"{above}    {quotes}{chr(10).join(['', *lines, '    '])}{quotes[-3:]}\n" for lines in (first, second)]
    texts = [ast.literal_eval(block[len(above) + 4 :]) for block in blocks]
    if above.endswith("x = 1\n"):
        assert equal(*blocks) is (texts[0] == texts[1])
    else:
        assert equal(*blocks) is (_without_layout(texts[0]) == _without_layout(texts[1]))


def _without_layout(docstring: str) -> list[str]:
    return [line.rstrip() for line in inspect.cleandoc(docstring).split("\n") if line.strip()]


def test_a_tuple_is_not_what_stands_in_it() -> None:
    assert not equal("def f():\n    return (1,)\n", "def f():\n    return (1)\n")


def returning(expression: str) -> str:
    return f"def f(x):\n    return {expression}\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x[1,]", "x[1]"),
        ("g(x)[1,]", "g(x)[1]"),
        ("x[lambda a, b: 1,]", "x[lambda a, b: 1]"),
        ("(lambda a, b: 1,)", "(lambda a, b: 1)"),
    ],
)
def test_a_comma_that_makes_a_tuple_is_no_layout(one: str, other: str) -> None:
    assert not equal(returning(one), returning(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x[1, 2,]", "x[1, 2]"),
        ("[1,]", "[1]"),
        ("{1,}", "{1}"),
        ("g(lambda a, b: 1,)", "g(lambda a, b: 1)"),
        ("x[g(lambda a, b: 1,), 2,]", "x[g(lambda a, b: 1), 2]"),
    ],
)
def test_a_comma_that_makes_none_is_layout(one: str, other: str) -> None:
    assert equal(returning(one), returning(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("del a, b", "del (\n        a,\n        b,\n    )"),
        ("del a", "del (a,)"),
        ("del a[1], b.c", "del (a[1], b.c)"),
    ],
)
def test_brackets_around_what_is_deleted_are_layout(one: str, other: str) -> None:
    one, other = (f"def f(a, b):\n    {body}\n" for body in (one, other))
    assert equal(one, other) and equal(other, one)


WITH_ATTRIBUTE_DOCSTRING = '''
class A:
    x = field(default="a", kind="b")
    """What x is."""

    # note
    y = a + b
'''.lstrip()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('field(default="a", kind="b")', 'field(\n        default="a",\n        kind="b",\n    )'),
        ('field(default="a", kind="b")', '(field(default="a", kind="b"))'),
        ('field(default="a", kind="b")', 'field("a")("b")'),
        ('field(default="a", kind="b")', '("a", "b")'),
        ('field(default="a", kind="b")', '"ab"'),
    ],
)
def test_comments_below_a_docstring_of_an_attribute(old: str, new: str) -> None:
    exploded = WITH_ATTRIBUTE_DOCSTRING.replace("y = a + b", "y = (\n        a\n        + b\n    )")
    one, other = WITH_ATTRIBUTE_DOCSTRING.replace(old, new), exploded.replace(old, new.replace('")', '",)'))
    assert equal(one, other) and equal(other, one)
    assert not equal(one, other.replace("# note", "# not"))


@pytest.mark.parametrize(
    ("copy", "verdict"), [("def f(:\n    x = (1,\n  2)\n", True), ("def f(:\n  x = (1, 3)\n", False)]
)
def test_text_that_does_not_parse_is_compared_token_by_token(copy: str, verdict: bool) -> None:
    assert equal("def f(:\n    x = (1, 2)\n", copy) is verdict


@pytest.mark.parametrize(
    ("bracketed", "bare"),
    [
        ("except (A, B):", "except A, B:"),
        ("except (A, B):  # why, and: how", "except A, B:  # why, and: how"),
        ("except* (A, B):", "except* A, B:"),
        ("except (a.A, b[1, 2], (c, d)): pass", "except a.A, b[1, 2], (c, d): pass"),
        ("except (A, (B)):", "except A, \\\n        B :"),
        ("except (A, *B):", "except A, *B:"),
        ("except (A,):", "except A,:"),
        ("except (A, f('x, y: z')):", "except A, f('x, y: z'):"),
    ],
)
def test_exceptions_with_and_without_brackets(bracketed: str, bare: str) -> None:
    body = "\n" if bracketed.endswith("pass") else "\n        pass\n"
    one, other = (f"def f():\n    try:\n        pass\n    {line}{body}" for line in (bracketed, bare))
    assert equal(one, other) and equal(other, one)
    assert not equal(one.replace("A", "C"), other)


@pytest.mark.parametrize(
    "line", ["except (A, B) as error:", "except A:", "except (A):", "except:", "except f(1, 2):", "x = 'except A, B:'"]
)
def test_an_except_that_needs_no_brackets_gets_none(line: str) -> None:
    assert with_brackets(f"{line}\n    pass\n") == f"{line}\n    pass\n"


# No Python reads its first line, so that what is said of it holds for newer syntax in an older one.
NEWER = """
class A[T!]:
    '''
    Doc.
    '''

    @decorated("a", b)
    def f(self, x):  # why
        # note
        if x == "a":
            return self.g(x, key="a") + 1
        elif (x and
              self):
            del x, self
        else:
            pass
        try:
            text = '''
            '''
        except (ValueError, KeyError):
            raise
""".lstrip()


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ('"a"', "'a'", True),
        ('("a", b)', '(\n        "a",\n        b,\n    )', True),
        ('self.g(x, key="a") + 1', '(\n                self.g(x, key="a")\n                + 1\n            )', True),
        ('x == "a":', '(x == "a"):', True),
        ("(x and\n              self)", "x and self", True),
        ("del x, self", "del (x, self)", True),
        ("(ValueError, KeyError)", "(\n            ValueError,\n            KeyError,\n        )", True),
        ("(ValueError, KeyError)", "ValueError, KeyError", True),
        ("(ValueError, KeyError)", "ValueError, TypeError", False),
        ("    Doc.\n", "    Doc.  \n\n", True),
        ("# note", "#note", True),
        ("T!", "T !", True),
        ("T!", "S!", False),
        ('"a"', '"b"', False),
        ("x and\n", "x or\n", False),
        ("# note", "# not", False),
        ("# why", "# who", False),
        ("'''\n            '''", "'''\n        '''", False),
        ("            raise", "             raise", False),
        ("@decorated", "@decorate", False),
        ("else:", "if self:", False),
        ("Doc", "Dog", False),
    ],
)
def test_what_this_python_cannot_parse_leaves_the_lines_around_it_their_layout(
    old: str, new: str, verdict: bool
) -> None:
    assert old in NEWER
    changed = NEWER.replace(old, new)
    assert equal(NEWER, changed) is equal(changed, NEWER) is verdict


ORIGINAL = """
@decorated
class BertLayer(nn.Module):
    def __init__(self, config):
        self.dense = BertDense(config)

    # Copied from my_models.other.Other.forward
    def forward(self, states):
        return self.dense(states)
"""


@pytest.mark.parametrize(
    ("copy", "verdict"),
    [
        (ORIGINAL.replace("Bert", "ViT"), True),
        (ORIGINAL.replace("Bert", "ViT").replace("@decorated\n", "@other(\n    1,\n)\n"), True),
        (ORIGINAL.replace("Bert", "ViT").replace("class ViTLayer", "class Block"), True),
        (ORIGINAL.replace("Bert", "ViT").replace("nn.Module", "nn.Sequential"), False),
        (ORIGINAL.replace("Bert", "ViT").replace("    # Copied from my_models.other.Other.forward\n", ""), True),
        (ORIGINAL.replace("Bert", "ViT").replace("(self, states)", "(self, states, mask)"), False),
        (ORIGINAL, False),
    ],
)
def test_is_copy(copy: str, verdict: bool) -> None:
    assert is_copy(ORIGINAL, copy, [Replacement("Bert", "ViT")]) is verdict


def test_is_copy_of_a_method_at_another_indentation() -> None:
    function = "def scale(states):\n    # why\n    return states\n"
    assert is_copy(function, textwrap.indent(function, "        "), [])


TEXT = '''
def query(self):
    """Asks.

    Twice.
    """
    text = """
SELECT 1
    FROM t
""" + 'a \\
b'
    """A word

    on it.
    """
    return text
'''.lstrip()


def indented(block: str, columns: int, but: tuple[str, ...] = ()) -> str:
    """The block further in, but for lines that begin with these words."""
    return "".join(
        line if line.lstrip().startswith(but) else textwrap.indent(line, " " * columns)
        for line in block.splitlines(keepends=True)
    )


IN_STRINGS = ("SELECT", "FROM", '""" +', "b'")


@pytest.mark.parametrize(
    ("copy", "verdict"),
    [
        (indented(TEXT, 4, IN_STRINGS), True),
        (indented(TEXT, 4), False),
        *((indented(TEXT, 4, tuple(word for word in IN_STRINGS if word != moved)), False) for moved in IN_STRINGS),
    ],
)
def test_the_lines_of_a_string_are_its_value_and_those_of_a_docstring_layout(copy: str, verdict: bool) -> None:
    assert is_copy(TEXT, copy) is verdict
    assert is_copy(copy, TEXT) is verdict


def test_the_lines_of_a_string_in_two_methods_are_compared_as_they_stand() -> None:
    one, other = (f'    def f(self):\n        return """\n{line}\n  b"""\n' for line in ("    a", "a"))
    assert is_copy(one, one) and not is_copy(one, other)


def test_end_copy_ends_the_comparison() -> None:
    original = "def __init__(self):\n    self.a = 1\n    if a:\n        b\n"
    assert is_copy(original, original + "\n    # End copy\n    self.b = 2\n")
    assert not is_copy(original, original + "        # End copy\n    self.b = 2\n")
    assert not is_copy(original, original.replace("1", "2") + "\n    # End copy\n    self.b = 2\n")


@given(st.text(), st.text())
def test_no_text_crashes_it(first: str, second: str) -> None:
    assert equal(first, first)
    equal(f"def f():\n    {first}", f"def f():\n    {second}")
    is_copy(first, second)
