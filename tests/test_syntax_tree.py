"""The depth of a text's syntax tree, as it is estimated for an old Python."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.syntax_tree import depth_of, refuse_broken, syntax_tree

from .copies.released import RELEASES, released

EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "1", "'x + (y'", "b.c"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", "\\\n - ", " ** ", " and ", " if x else ", " < "]), inner).map(
            "".join
        ),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"f({text}, k={text})"),
        inner.map(lambda text: f"[{text}, # )\n {text}]"),
        inner.map(lambda text: f"(not {text})"),
        inner.map(lambda text: f"-{text}"),
        inner.map(lambda text: f"{{1: lambda: {text}}}"),
        inner.map(lambda text: f"({text})[0](1).d"),
    ),
    max_leaves=12,
)


def depth(node: ast.AST) -> int:
    """Of expressions alone, without what stands for names and constants."""
    inner = max(map(depth, ast.iter_child_nodes(node)), default=0)
    return inner + isinstance(node, ast.expr) - isinstance(node, (ast.Name, ast.Constant, ast.Dict, ast.List))


@given(EXPRESSIONS)
def test_no_tree_is_deeper_than_it_is_thought_to_be(text: str) -> None:
    assert depth(ast.parse(text)) <= depth_of(text) <= 6 * len(text)


@pytest.mark.parametrize("text", ["(" * 9_000, "-" * 9_000 + "1", "1" + " + 1" * 9_000, "a" + ".a" * 9_000, "a" + "(b)" * 9_000, "a" + "[b]" * 9_000, "not " * 9_000 + "a", "if a: b\n" + "elif a: b\n" * 30_000])  # fmt: skip
def test_what_is_nested_without_end_is_seen(text: str) -> None:
    assert depth_of(text) > 6_000


@pytest.mark.parametrize("text", ["x = [" + "1 + 2, " * 30_000 + "]", "f(a.b)\n" * 30_000, '"' + "(" * 30_000 + '"', "# " + "(" * 30_000, "if a: b\nelif c: d\n" * 500])  # fmt: skip
def test_what_is_only_long_is_not_deep(text: str) -> None:
    assert depth_of(text) < 200
    assert isinstance(syntax_tree(text), ast.Module)


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_in_a_released_tree_is_thought_to_be_too_deep(release: str) -> None:
    (package,) = released(release).packages.values()
    assert max(depth_of(path.read_text(encoding="utf-8")) for path in sorted(package.rglob("modeling_*.py"))) < 1_000


@pytest.mark.parametrize("text", ["x = (\n", "def f(:\n    pass\n", "x = 1\n  y = 2\n", "x = '\n", "\0\n", "-" * 100_000 + "1\n"])  # fmt: skip
def test_what_reading_refuses_is_refused_with_the_same_words_where_no_tree_is_wanted(text: str) -> None:
    def said(read: Callable[[str], object]) -> str:
        with pytest.raises((SyntaxError, ValueError, RecursionError, MemoryError)) as raised:
            read(text)
        return f"{type(raised.value).__name__}: {raised.value}"

    assert said(refuse_broken) == said(syntax_tree)


@pytest.mark.parametrize("text", ["nonlocal x\n", "return 1\n", "def f():\n    x = 1\n    global x\n", "break\n", ""])
def test_what_can_be_read_and_not_be_run_is_no_broken_text(text: str) -> None:
    refuse_broken(text)
    syntax_tree(text)
