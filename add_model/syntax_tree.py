"""A text as a syntax tree, without the crash that some of them are to an old Python.

Before Python 3.11 the interpreter itself ends, without an exception, where a tree is too deep to be handed out. There the
depth is estimated beforehand, by lexical rules, and such a text is refused as a newer Python refuses it.
"""

from __future__ import annotations

import re
import sys

from add_model.lexical import STRING
from add_model.values import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

# A newer Python hands out no tree that is deeper than three times its limit of recursion; an estimate may be twice too high.
_DEEPEST = 6_000
# As deep as there are branches, each of which is in the one before.
_MOST_BRANCHES = 20_000
_MARK = re.compile(
    rf"(?P<none>\#[^\n]*|{STRING}|\\\n)|(?P<open>[(\[{{])|(?P<close>[)\]}}])|(?P<fresh>[,;])|(?P<line>\n)"
    r"|(?P<deeper>[-+*/%@&|^~<>=.!]+)|(?P<word>\b(?:lambda|not|if|else|and|or|in|is|await|for)\b)|(?P<branch>\belif\b)",
    re.DOTALL,
)


def syntax_tree(text: str | bytes) -> ast.Module:
    """The syntax tree of a module.

    Raises:
        SyntaxError: it is no Python that this one reads.
        ValueError: it holds what no Python text does.
        RecursionError, MemoryError: it is nested too deeply.
    """
    import ast

    if sys.version_info < (3, 11):
        _refuse_depth(text if isinstance(text, str) else text.decode("utf-8", "replace"))
    return ast.parse(text)


def refuse_broken(text: str) -> None:
    """Reads a module as `syntax_tree` does, and hands nothing out, which takes half as long.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as `syntax_tree` does.
    """
    import symtable

    if sys.version_info >= (3, 11):
        try:
            symtable.symtable(text, "<unknown>", "exec")
            return
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            # Names are resolved as well there, which goes less deep and refuses more than reading does.
            pass
    syntax_tree(text)


def expression_tree(text: str) -> ast.Expression:
    """The syntax tree of an expression; errors are those of `syntax_tree`."""
    import ast

    if sys.version_info < (3, 11):
        _refuse_depth(text)
    return ast.parse(text, mode="eval")


def _refuse_depth(text: str) -> None:
    if depth_of(text) > _DEEPEST:
        raise RecursionError("nested too deeply")


def depth_of(text: str) -> int:
    """How deep the tree of a text is at most, about: operators of one expression, and those of the brackets around it."""
    around: list[int] = []
    here = deepest = outer = branches = 0
    for mark in _MARK.finditer(text):
        kind = mark.lastgroup
        if kind == "open":
            around.append(here + 1)
            outer += here + 1
            here = 0
        elif kind == "close":
            # What comes behind the brackets, another call of what was called, is around them.
            here = (around.pop() if around else 0) + 1
            outer = max(outer - here + 1, 0)
        elif kind == "fresh" or (kind == "line" and not around):
            here = 0
        elif kind == "deeper":
            here += len(mark.group())
        elif kind == "word":
            here += 1
        elif kind == "branch":
            branches += 1
        if outer + here > deepest:
            deepest = outer + here
    return max(deepest, branches * _DEEPEST // _MOST_BRANCHES)
