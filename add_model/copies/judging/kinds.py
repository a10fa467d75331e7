"""What of a copy differs from its original, in kinds: comments, docstrings, annotations, code.

Most copies differ in their code, which a look at their lines tells; what may be less is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from add_model.copies.judging.pair import Pair
from add_model.copies.language.region import compared_sides, header_end, own_name

CODE, ANNOTATIONS, DOCSTRINGS, COMMENTS = "code", "annotations", "docstrings", "comments"
# A string that is a statement, a comment, or any other string.
_PARTS = re.compile(
    r"(?P<docstring>^[ \t]*[rRuU]{0,2}(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?''')[ \t]*$)|(?P<comment>#[^\n]*)"
    r"|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'",
    re.MULTILINE | re.DOTALL,
)


def kinds_of_change(pair: Pair) -> tuple[str, ...]:
    """The kinds of what differs, of a copy that differs; what it has for itself left out."""
    sides = compared_sides(pair.expected, pair.block)
    (code, docstrings, comments), (own_code, own_docstrings, own_comments) = map(_taken_apart, sides)
    found = []
    if code != own_code:
        found.append(ANNOTATIONS if _may_be_annotations(code, own_code) and _differ_in_annotations(*sides) else CODE)
    if docstrings != own_docstrings:
        found.append(DOCSTRINGS)
    if comments != own_comments:
        found.append(COMMENTS)
    # What the lines do not tell is in the code.
    return tuple(found) or (CODE,)


def headers(pair: Pair) -> tuple[str, str] | None:
    """Both headers of a class whose header alone differs, each on one line; `None` of every other copy."""
    expected, found = compared_sides(pair.expected, pair.block)
    if not expected.startswith("class"):
        return None
    ends = header_end(expected), header_end(found)
    first, second = (" ".join(side[:end].split()) for side, end in zip((expected, found), ends, strict=True))
    name = pair.block[slice(*own_name(pair.block))]
    first, second = (header.replace("_", name, 1) for header in (first, second))
    is_alone = first != second and _taken_apart(expected[ends[0] :]) == _taken_apart(found[ends[1] :])
    return (first, second) if is_alone else None


def _taken_apart(block: str) -> tuple[list[str], list[str], list[str]]:
    """The lines of code of a block, its docstrings and its comments, white space left out."""
    docstrings: list[str] = []
    comments: list[str] = []

    def without(match: re.Match[str]) -> str:
        if match["docstring"]:
            docstrings.append("".join(match[0].split()))
        elif match["comment"]:
            comments.append("".join(match[0].split()))
        else:
            return match[0]
        return ""

    code = _PARTS.sub(without, block)
    return [letters for line in code.split("\n") if (letters := "".join(line.split()))], docstrings, comments


def _may_be_annotations(code: list[str], own: list[str]) -> bool:
    """Whether each line that only one side has may hold an annotation, to look at it."""
    return all(":" in line or "->" in line for line in set(code) ^ set(own))


def _differ_in_annotations(first: str, second: str) -> bool:
    """Whether two blocks are the same but for their annotations, docstrings and comments."""
    trees = [_bare(side) for side in (first, second)]
    return None not in trees and trees[0] == trees[1]


def _bare(block: str) -> str | None:
    """A block without annotations and docstrings, as text of its syntax tree; `None` where it does not parse."""
    import ast

    from add_model.copies.language.parsing import parse

    try:
        tree = parse(block)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
        if isinstance(getattr(node, "body", None), list):
            node.body = [*_without_annotations(node.body)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _without_annotations(body: list[object]) -> Iterator[object]:
    """The statements of a body, less those that are strings or nothing but an annotation."""
    import ast

    for statement in body:
        if isinstance(statement, ast.AnnAssign):
            if statement.value is not None:
                yield ast.Assign(targets=[statement.target], value=statement.value, lineno=0)
        elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            yield statement
