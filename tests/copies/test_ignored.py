"""What `# Ignore copy` takes out of the comparison, and that `--fix` leaves it as it stands."""

from __future__ import annotations

from collections.abc import Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from add_model.copies.fixing.rewrite import rewritten_block
from add_model.copies.language.equality import blocks_match, is_copy

NESTED = """class A:
    size = 1

    class Inner:
        classes = 1

        def f(self):
            return 1

        def g(self):
            return 1

    def f(self):
        return 1
"""


def test_ignored_methods_are_left_out_on_both_sides() -> None:
    original = "class A:\n    x = 1\n\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n"
    above = original.replace("    def f", "    # Ignore copy\n    def f").replace("return 1", "return 3")
    inside = original.replace("        return 1", "        # Ignore copy\n        return 3")
    missing = "class A:\n    x = 1\n\n    # Ignore copy\n    def new(self): ...\n\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n"
    assert is_copy(original, above) and is_copy(original, inside) and is_copy(original, missing)
    assert not is_copy(original, above.replace("return 2", "return 3"))


def test_the_head_of_a_class_can_be_ignored() -> None:
    original = 'class A:\n    """Doc."""\n\n    x = 1\n\n    def f(self):\n        return 1\n'
    copy = original.replace("x = 1", "# Ignore copy\n    x = 2").replace("Doc", "Other")
    assert is_copy(original, copy)
    assert not is_copy(original, copy.replace("return 1", "return 2"))


INNER = ("            return 1\n\n        def g", "            return 3\n\n        def g")


@pytest.mark.parametrize(
    "above",
    [
        ("        def f(self):\n", "        # Ignore copy\n        def f(self):\n"),
        ("        def f(self):\n", "        def f(self):\n            # Ignore copy\n"),
    ],
    ids=["above", "inside"],
)
def test_of_a_class_in_a_class_one_method_can_be_ignored(above: tuple[str, str]) -> None:
    copy = NESTED.replace(*INNER).replace(*above)
    assert not is_copy(NESTED, NESTED.replace(*INNER)) and is_copy(NESTED, copy)
    for kept in (
        "size = 1",
        "classes = 1",
        "        def g(self):\n            return 1",
        "    def f(self):\n        return 1",
    ):
        assert not is_copy(NESTED, copy.replace(kept, kept.replace("1", "2")))


def test_a_class_in_a_class_is_ignored_whole_where_the_words_stand_above_it() -> None:
    copy = NESTED.replace("    class Inner:", "    # Ignore copy\n    class Inner:").replace(
        "classes = 1", "classes = 2"
    )
    assert is_copy(NESTED, copy.replace(*INNER))
    assert not is_copy(NESTED, copy.replace("size = 1", "size = 2"))


def test_of_a_class_in_a_class_the_head_can_be_ignored() -> None:
    copy = NESTED.replace("classes = 1", "classes = 2  # Ignore copy")
    assert is_copy(NESTED, copy)
    assert not is_copy(NESTED, copy.replace(*INNER))


def test_a_fix_leaves_what_a_class_in_a_class_ignores() -> None:
    copy = NESTED.replace(*INNER).replace("        def f(self):\n", "        # Ignore copy\n        def f(self):\n")
    assert rewritten_block(NESTED, copy.replace("classes = 1", "classes = 2")) == copy
    assert rewritten_block(NESTED.replace("size = 1", "size = 4"), copy) == copy.replace("size = 1", "size = 4")
    # Without a place for it in what is expected nothing is rewritten.
    for expected in (NESTED.replace("class Inner:", "class Other:"), NESTED.replace("class Inner:", "def inner():")):
        assert rewritten_block(expected, copy) == copy


def test_what_an_original_ignores_as_a_copy_itself_joins_what_its_own_copy_ignores() -> None:
    first, own, last = (f"    def {name}(self):\n        return 1\n" for name in ("first", "own", "last"))
    other = "    # Ignore copy\n    def other(self):\n        return 2\n"
    expected = f"class A:\n{first}\n    # Ignore copy\n{own}\n{last}"
    result = rewritten_block(expected, f"class A:\n{first}\n{other}\n{last}")
    assert result == f"class A:\n{first}\n{other}\n    # Ignore copy\n{own}\n{last}"


PARTS = st.lists(
    st.one_of(
        st.tuples(st.just("def"), st.sampled_from("fghk")),
        st.tuples(st.just("="), st.sampled_from("xyz")),
        st.tuples(st.just("#"), st.sampled_from("ab")),
    ),
    max_size=7,
    unique=True,
)
BODIES = st.integers(1, 3)


def class_of(parts: list[tuple[str, str]], bodies: list[int], ignored: Set[str] = frozenset()) -> str:
    lines = ["class A:", '    """Doc."""', ""]
    for (kind, name), body in zip(parts, bodies, strict=True):
        if kind == "def":
            lines += ["    # Ignore copy"] if name in ignored else []
            lines += [f"    def {name}(self):", f"        return {f'own_{name}' if name in ignored else body}", ""]
        else:
            lines += [f"    {name} = {body}" if kind == "=" else f"    # {name} {body}", ""]
    return "\n".join(lines)


@given(data=st.data(), before=PARTS, after=PARTS)
def test_whatever_a_copy_ignores_is_kept_and_all_else_becomes_the_originals(
    data: st.DataObject, before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    ignored = set(data.draw(st.lists(st.sampled_from([name for kind, name in before if kind == "def"] or ["f"]))))
    bodies = [data.draw(st.lists(BODIES, min_size=len(parts), max_size=len(parts))) for parts in (before, after)]
    copy, expected = class_of(before, bodies[0], ignored), class_of(after, bodies[1])
    result = rewritten_block(expected, copy)
    assert blocks_match(expected, result)
    assert rewritten_block(expected, result) == result
    for name in ignored & {name for kind, name in before if kind == "def"}:
        assert f"    # Ignore copy\n    def {name}(self):\n        return own_{name}\n" in result
