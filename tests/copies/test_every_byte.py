"""What a rewrite puts together it takes from two texts, byte by byte."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from add_model.copies.fixing.fix import fix
from add_model.copies.fixing.rewrite import rewritten_block, statements
from add_model.copies.language.region import header_end
from add_model.definitions import find_definitions

from .libraries import codes_of, write_library
from .released import RELEASES, released


def functions(release: str, most: int) -> list[str]:
    """Functions of a released tree, from their headers on: some of each of its files, the same every time."""
    (package,) = released(release).packages.values()
    files = sorted(package.rglob("*.py"))
    found = []
    for path in random.Random(1).sample(files, 150):
        text = path.read_text(encoding="utf-8")
        blocks = [text[each.header : each.end] for each in find_definitions(text)]
        found += [block for block in blocks if block.lstrip().startswith(("def", "async"))][:20]
    return found[:most]


def parsed(block: str) -> ast.FunctionDef:
    text = f"if 1:\n{block}" if block[0] in " \t" else block
    (node,) = ast.parse(text).body
    inner = node.body[0] if isinstance(node, ast.If) else node
    assert isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef))
    return inner  # type: ignore[return-value]


@pytest.mark.parametrize("release", RELEASES)
def test_the_statements_of_a_function_are_those_that_python_sees(release: str) -> None:
    blocks = functions(release, 1_500)
    assert len(blocks) > 500
    for block in blocks:
        found, node = statements(block), parsed(block)
        assert block[header_end(block) :].startswith("".join(found))
        if node.body[0].lineno == node.lineno:
            continue
        lines = {
            min([each.lineno, *(one.lineno for one in getattr(each, "decorator_list", ()))]) for each in node.body
        }
        assert len(found) == len(lines), block
        assert not block[header_end(block) + len("".join(found)) :].strip() or block.rstrip().split("\n")[-1].lstrip().startswith("#")  # fmt: skip


@pytest.mark.parametrize("release", RELEASES)
def test_a_statement_that_goes_takes_no_other_byte_with_it(release: str) -> None:
    """A copy that has one statement more than its original, and form feeds, loses the statement and nothing else."""
    generator = random.Random(2)
    checked = 0
    for block in functions(release, 300):
        found = statements(block)
        # Below `# Ignore copy` a copy may have what it likes.
        if len(found) < 3 or "Ignore copy" in block:
            continue
        at = generator.randrange(1, len(found))
        header, behind = block[: header_end(block)], block[header_end(block) + len("".join(found)) :]
        indent = block[: len(block) - len(block.lstrip())] + "    "
        extra = f"{indent}added_by_hand = 1\n"
        first = found[at].lstrip("\n")
        if first.lstrip(" ").startswith("#") or not found[at - 1].endswith("\n"):
            continue
        with_feed = found[at][: len(found[at]) - len(first)] + indent + "\f" + first
        copy = header + "".join([*found[:at], extra, with_feed, *found[at + 1 :]]) + behind
        assert rewritten_block(block, copy) == copy.replace(extra, ""), copy
        checked += 1
    assert checked > 100


STATEMENTS = st.sampled_from(
    [
        "x = 1\n",
        "\fx = 2\n",
        "    \f    x = 3\n",
        "x = [\n\f1,\n\n2]\n",
        "x = 4 \f + 1  # note\n",
        "# a note\n\nx = 5\n",
        "if x:\n        x = 6\n    \f    \n    else:\n        x = 7\n        # deep\n",
        "try:\n        x = 8\n    finally:\n        pass\n",
        "@a\n    # between\n    def g():\n        return 1\n",
        'x = """\n  \f\n"""\n',
        "\n\nx = 9; y = 1\n",
        "x = 1 + \\\n  2\n",
        "  \n    x = 10\n",
    ]
)


def written(lines: list[str]) -> str:
    """Statements, each at the indentation of a body; those that start otherwise bring their own."""
    return "".join(line if line[0] in " \n" else f"    {line}" for line in lines)


@given(st.lists(STATEMENTS, min_size=1, max_size=6), st.lists(STATEMENTS, max_size=3), st.integers(0, 6))
@settings(max_examples=200, deadline=None)
def test_generated_statements_come_through_whole(lines: list[str], gone: list[str], at: int) -> None:
    original = f"def f(x, y):\n{written(lines)}    return x\n"
    copy = f"def f(x, y):\n{written([*lines[:at], *gone, *lines[at:]])}    return x\n"
    try:
        ast.parse(original), ast.parse(copy)
    except SyntaxError:
        return
    assert "".join(statements(original)) == original[header_end(original) :]
    result = rewritten_block(original, copy)
    assert result.count("\f") == original.count("\f") or result == copy
    assert ast.dump(ast.parse(result)) == ast.dump(ast.parse(original))


def test_a_form_feed_outlives_a_fix(tmp_path: Path) -> None:
    block = "def f(x):\n    a = 1\n    \f    b = (\n        2\n    )\n    \n    return {0}\n"
    files = {
        "my_models/one.py": block.format("1").replace("(\n        2\n    )", "2").replace("\f    ", ""),
        "my_models/two.py": f"# Copied from my_models.one.f\n{block.format('2')}",
    }
    library = write_library(tmp_path, files)
    fix(library).write()
    assert (tmp_path / "src/my_models/two.py").read_text() == f"# Copied from my_models.one.f\n{block.format('1')}"
    assert codes_of(library) == []
