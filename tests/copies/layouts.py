"""Edits of a block that change its layout and nothing else: the same syntax tree, the same comments in the same order.

Which these are is found out by trying: an edit that looks like one is made, and kept if nothing else has changed.
"""

from __future__ import annotations

import ast
import io
import random
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import partial

from .mutations import Edit, applied
from .reference import parse

_NAMES_OF_NO_TOKEN = (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
_PLAIN_STRING = re.compile(r"""(["'])((?:(?!\1)[^\\\n'"{}])*)\1""")
_OPEN, _CLOSED = tuple("([{"), tuple(")]}")


class Tokens:
    """A block's tokens, with their offsets and how many brackets are open before each."""

    def __init__(self, block: str) -> None:
        starts = [0, *(match.end() for match in re.finditer("\n", block))]
        self.block, self.found = block, []
        depth = in_string = 0
        for token in tokenize.generate_tokens(io.StringIO(block).readline):
            start, end = (starts[line - 1] + column for line, column in (token.start, token.end))
            kind = tokenize.tok_name[token.type]
            in_string += (kind == "FSTRING_START") - (kind == "FSTRING_END")
            depth -= token.string in _CLOSED
            # From Python 3.12 on strings with expressions in them are several tokens; the places in them are none.
            if token.type not in _NAMES_OF_NO_TOKEN and not in_string and not kind.startswith("FSTRING"):
                self.found.append((token, start, end, depth))
            depth += token.string in _OPEN

    def pairs(self) -> Iterator[tuple[tokenize.TokenInfo, tokenize.TokenInfo, int, int, int]]:
        """Two tokens in a row, the end of the first, the start of the second, the brackets open between them."""
        for (one, _, end, before), (other, start, _, _) in zip(self.found, self.found[1:], strict=False):
            yield one, other, end, start, before + (one.string in _OPEN)

    def strings(self) -> Iterator[tuple[re.Match[str], int, int, int]]:
        """The strings without a prefix, escapes or quotes in them, their extents, the brackets open around them."""
        for token, start, end, depth in self.found:
            match = _PLAIN_STRING.fullmatch(token.string)
            if match is not None:
                yield match, start, end, depth


def _broken_lines(tokens: Tokens) -> Iterator[Edit]:
    for one, other, end, start, depth in tokens.pairs():
        # No one tears a path apart, which a replacement may name, nor the name of a definition from its keyword.
        together = "." in (one.string, other.string) or one.string in ("def", "class", "async")
        if one.end[0] == other.start[0] and not together:
            yield Edit(end, start, "\n        " if depth else " \\\n        ")


def _joined_lines(tokens: Tokens) -> Iterator[Edit]:
    for one, other, end, start, depth in tokens.pairs():
        if depth and other.type == tokenize.NL and one.type not in (tokenize.NL, tokenize.COMMENT):
            behind = re.compile(r"\s*").match(tokens.block, start)
            yield Edit(end, behind.end() if behind else start, " ")


def _blank_lines(tokens: Tokens) -> Iterator[Edit]:
    for token, _, end, _ in tokens.found:
        if token.type == tokenize.NEWLINE:
            yield Edit(end, end, "\n")
    for match in re.finditer(r"(?<=\n)[ \t]*\n", tokens.block):
        yield Edit(match.start(), match.end(), "")


def _other_quotes(tokens: Tokens) -> Iterator[Edit]:
    for match, start, end, _ in tokens.strings():
        quote = "'" if match[1] == '"' else '"'
        yield Edit(start, end, f"{quote}{match[2]}{quote}")


def _split_strings(tokens: Tokens) -> Iterator[Edit]:
    for match, start, end, depth in tokens.strings():
        for space in re.finditer(r" (?=\S)", match[2]):
            first, second = match[2][: space.end()], match[2][space.end() :]
            parts = f"{match[1]}{first}{match[1]} {match[1]}{second}{match[1]}"
            yield Edit(start, end, parts if depth else f"({parts})")


def _joined_strings(tokens: Tokens) -> Iterator[Edit]:
    strings = list(tokens.strings())
    for (one, start, end, _), (other, behind, last, _) in zip(strings, strings[1:], strict=False):
        if one[1] == other[1] and tokens.block[end:behind].isspace():
            yield Edit(start, last, f"{one[1]}{one[2]}{other[2]}{one[1]}")


def _trailing_commas(tokens: Tokens) -> Iterator[Edit]:
    for one, other, end, _, _ in tokens.pairs():
        if other.string in _CLOSED and one.string not in _OPEN:
            yield Edit(end - 1, end, "") if one.string == "," else Edit(end, end, ",")


def _more_brackets(tokens: Tokens) -> Iterator[Edit]:
    lines = [0, *(match.end() for match in re.finditer("\n", tokens.block))]
    if not tokens.block.isascii():
        return
    for node in ast.walk(parse(tokens.block)):
        if isinstance(node, ast.expr) and node.end_lineno is not None and node.end_col_offset is not None:
            start, end = lines[node.lineno - 1] + node.col_offset, lines[node.end_lineno - 1] + node.end_col_offset
            yield Edit(start, end, f"({tokens.block[start:end]})")


def _fewer_brackets(tokens: Tokens) -> Iterator[Edit]:
    waiting = []
    for token, start, end, _ in tokens.found:
        if token.string in _OPEN:
            waiting.append(end)
        elif token.string in _CLOSED:
            behind = waiting.pop()
            if token.string == ")":
                yield Edit(behind - 1, end, f" {tokens.block[behind:start]} ")


KINDS: dict[str, Callable[[Tokens], Iterator[Edit]]] = {
    "a line broken": _broken_lines,
    "lines joined": _joined_lines,
    "a blank line": _blank_lines,
    "other quotes": _other_quotes,
    "a string split": _split_strings,
    "strings joined": _joined_strings,
    "a trailing comma": _trailing_commas,
    "more brackets": _more_brackets,
    "fewer brackets": _fewer_brackets,
}


def laid_out_anew(block: str, kinds: list[str], chance: random.Random, keep: Callable[[str], bool]) -> str:
    """A block with one edit of each of these kinds, as far as there is one.

    Args:
        block: a class or function at column 0.
        kinds: what is done to it, in order.
        chance: decides where.
        keep: whether an edited text will do for the caller.
    """
    said = _said(block)
    for kind in kinds:
        edits = list(KINDS[kind](Tokens(block)))
        for edit in chance.sample(edits, min(4, len(edits))):
            edited = applied(block, [edit])
            if keep(edited) and _said(edited) == said:
                block = edited
                break
    return block


def _said(block: str) -> tuple[str, ...]:
    """What a block says: its syntax tree and its comments; nothing of one that is no Python."""
    try:
        tokens = tokenize.generate_tokens(io.StringIO(block).readline)
        comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
        return (ast.dump(parse(block)), *comments)
    except (SyntaxError, tokenize.TokenError):
        return ()


def same_count(texts: list[str], block: str) -> Callable[[str], bool]:
    """Asks whether a block holds these texts as often as another one does."""
    counted = partial(map, block.count)
    return lambda edited: list(map(edited.count, texts)) == list(counted(texts))
