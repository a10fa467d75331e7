"""When two blocks are equal: layout never counts, comments and docstrings do.

Four looks, each only where the one before left the question open. Most copies are equal as text. Most others differ
in their letters, and are told apart by those. What is left is laid out differently: either its logical lines still hold
the same tokens, or it is parsed, and compared as a syntax tree with its comments in their places; line by line where
this Python is too old for some of them. No formatter has a say in it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from keyword import iskeyword, softkwlist

from add_model.copies.language.marker import Replacement, replace
from add_model.copies.language.parsing import parse
from add_model.copies.language.region import compared_sides, from_header, header_end, is_ignored, own_name
from add_model.lexical import STRING, holds_more_tokens, logical_lines
from add_model.values import TYPE_CHECKING

# Parsing is the last resort, so that what it takes is loaded where it is needed.
if TYPE_CHECKING:
    import ast
    from typing import Any

# A logical line, behind the one above it, which tells a docstring from any other string.
_Line = tuple[str, str]

_NUMBER = r"0[xXoObB]\w+|(?:\d[\d_]*\.?|\.\d)[\d_]*(?:[eE][+-]?\d[\d_]*)?[jJ]?"
_TOKEN = (
    rf"(?P<string>[bBfFrRtTuU]{{0,2}}(?:{STRING}))|(?P<comment>\#[^\n]*)|(?P<newline>\n)|(?P<space>(?:[ \t\f]|\\\n)+)"
    rf"|(?P<word>{_NUMBER}|\w+)|(?P<mark>:=|.)"
)
# Everything that another layout may add, drop or double: white space, brackets around an expression, commas, quotes,
# escapes of quotes, the prefix that each part of a split string repeats, the braces that are doubled in some of those,
# and what a number may do without: `1.0` is `1.`, and `1e+5` is `1e5`.
_LAYOUT = b" \t\f\n\\\"'(){},;#fFrRbBuU0.+"
_STRUCTURE = frozenset("()[]{},;")
_HEADER = re.compile(r"[ \t]*(?:class|(?:async[ \t]+)?def)\b")
_QUOTES = '"""'
# Where none of these stands, a syntax tree says nothing of the layout.
_MAY_BE_LAYOUT = re.compile(r"\b(?:del|class|def)\b|[uU][\"']")
# A text of so many characters is short; one of more tokens is not parsed as a whole, for the room that takes.
_SHORT, _MOST_TOKENS = 10_000, 60_000


def is_copy(original: str, copy: str, replacements: Sequence[Replacement] = ()) -> bool:
    """Whether one definition's source is a copy of another's, under these replacements.

    Args:
        original: the lines of a class or function, decorators allowed.
        copy: the lines of another, `# Ignore copy` and `# End copy` allowed.
        replacements: those of the copy's marker, in order.
    """
    return blocks_match(replace(from_header(original), tuple(replacements)), from_header(copy))


def blocks_match(original: str, copy: str) -> bool:
    """Whether a block is the copy of another, both from their headers on, replacements already made."""
    return is_ignored(copy) or equal(*compared_sides(original, copy))


def bodies_match(original: str, copy: str) -> bool:
    """Whether a block is the copy of another but for its header, both from their headers on, replacements made."""
    # Under a header that replacements have broken nothing could be parsed; what it is does not matter here.
    keyword = "class _" if original.lstrip().startswith("class") else "def _()"
    header = f"{_indent(copy)}{keyword}:"
    body, body_of_copy = _behind_header(original), _behind_header(copy)
    return body == body_of_copy or blocks_match(header + body, header + body_of_copy)


def has_same_header(original: str, copy: str) -> bool:
    """Whether two blocks have, but for their names, the same header to the letter."""
    (start, end), (copy_start, copy_end) = own_name(original), own_name(copy)
    return (
        original[:start] == copy[:copy_start]
        and original[end : header_end(original)] == copy[copy_end : header_end(copy)]
    )


def has_same_rest_of_header(original: str, copy: str) -> bool:
    """Whether two headers are the same behind their first lines, but for the layout of what stands there."""
    return _rest_of_header(original) == _rest_of_header(copy)


def _rest_of_header(block: str) -> list[str]:
    """The tokens of a header on all its lines but the first."""
    start, stop = block.find("\n") + 1, body_start(block)
    tokens: list[str] = []
    for token in _token_pattern().finditer(block, start, max(start, stop)):
        if token.lastgroup not in ("space", "newline"):
            if token["mark"] == ")" and tokens[-1:] == [","]:
                tokens.pop()
            tokens.append(token.group().rstrip())
    return tokens


def body_start(block: str) -> int:
    """Where the body of a block starts: behind the header's line, or behind its colon where the body shares that line."""
    end, depth = header_end(block), 0
    if block[:end].rstrip().endswith(":"):
        return end
    for token in _token_pattern().finditer(block, 0, end):
        if token["mark"] == ":" and depth <= 0:
            body = block[token.end() : end].strip()
            return token.end() if body and not body.startswith("#") else end
        if token["mark"]:
            depth += (token["mark"] in "([{") - (token["mark"] in ")]}")
    return end


def _behind_header(block: str) -> str:
    start = body_start(block)
    return block[start:] if start < header_end(block) else f"\n{block[start:]}"


def equal(first: str, second: str) -> bool:
    """Whether two compared texts are equal but for their layout."""
    if first == second:
        return True
    if not _may_be_equal(first, second):
        return False
    if _lines_apart(first, second, _have_same_tokens) is None:
        return True
    one, other = _canonical(first), _canonical(second)
    if one is None or other is None:
        return lines_apart(first, second) is None
    return one == other


def letters(block: str) -> bytes:
    """What no change of layout can change; equal blocks have it in common, though not only they."""
    return block.encode("utf-8", "surrogatepass").translate(None, _LAYOUT).lower()


def _may_be_equal(first: str, second: str) -> bool:
    """Whether two blocks have the same letters, at least if the place of a comment is left out of account."""
    start, end = _common_lines(first, second)
    here, there = first[start : len(first) - end], second[start : len(second) - end]
    one, other = letters(here), letters(there)
    return one == other or ("#" in here and "#" in there and sorted(one) == sorted(other))


@functools.lru_cache(maxsize=4)
def _common_lines(first: str, second: str) -> tuple[int, int]:
    """How many characters the lines have that two texts share at their starts, and those at their ends."""
    lines, others = first.splitlines(keepends=True), second.splitlines(keepends=True)
    start = equal_lines(lines, others)
    end = equal_lines(lines[start:][::-1], others[start:][::-1])
    return sum(map(len, lines[:start])), sum(map(len, lines[len(lines) - end :]))


def equal_lines(lines: Sequence[str], others: Sequence[str]) -> int:
    """How many lines are the same from the first one on."""
    pairs = zip(lines, others, strict=False)
    return next((count for count, (line, other) in enumerate(pairs) if line != other), min(len(lines), len(others)))


def lines_apart(first: str, second: str, most: int | None = None) -> tuple[int, int] | None:
    """Where the first logical lines start that differ in more than their layout, in one text and in the other.

    Args:
        first: one text.
        second: the other.
        most: how many lines are looked at that are not the same to the letter; all, where none is given.
    """
    if most is None:
        return _lines_apart(first, second, _say_the_same)
    left = iter(range(most))
    try:
        return _lines_apart(first, second, lambda line, other: next(left) >= 0 and _say_the_same(line, other))
    except StopIteration:
        return None


def _lines_apart(first: str, second: str, same: Callable[[_Line, _Line], bool]) -> tuple[int, int] | None:
    """The same for two lines that are the same; texts without such lines are equal for certain, though not only they."""
    same_until, same_behind = _common_lines(first, second)
    # Up to where they differ one look is a look at both.
    begin, above = 0, ""
    for start, end in logical_lines(first):
        if end > same_until:
            break
        begin, above = end, above if first[start:end].isspace() else first[start:end]
    other_above = above
    others = _written_lines(second, begin)
    for start, line in _written_lines(first, begin):
        other_start, other = next(others, (len(second), ""))
        behind = len(first) - start
        if behind <= same_behind and behind == len(second) - other_start:
            return None
        if line != other and not (_indent(line) == _indent(other) and same((above, line), (other_above, other))):
            return start, other_start
        above, other_above = line, other
    rest = next(others, None)
    return None if rest is None else (len(first), rest[0])


def _written_lines(block: str, begin: int) -> Iterator[tuple[int, str]]:
    """The logical lines from one of them on that hold anything, each with where it starts."""
    for start, end in logical_lines(block, begin):
        line = block[start:end]
        if not line.isspace():
            yield start, line


def _have_same_tokens(first: _Line, second: _Line) -> bool:
    (above, line), (other_above, other) = first, second
    if _tokens(line) == _tokens(other):
        return True
    return _opens_body(above) and _opens_body(other_above) and _are_one_docstring(line, other)


def _say_the_same(first: _Line, second: _Line) -> bool:
    return _canonical_line(first) == _canonical_line(second)


def _canonical_line(pair: _Line) -> tuple[Any, ...]:
    """What two logical lines at one indentation share if they are equal but for their layout."""
    above, line = pair[0], pair[1].strip()
    whole = f"def _():\n {line}" if _opens_body(above) else line
    # What stands alone, what has a block below it, what has one above it as well, and what stands above a definition.
    for text in (
        whole,
        f"{line}\n pass",
        f"if 1: pass\n{line}\n pass",
        f"try: pass\n{line}\n pass",
        f"match 1:\n {line}\n  pass",
        f"{line}\ndef _(): pass",
    ):
        canonical = _canonical(text)
        if canonical is not None:
            return canonical
    return tuple(_words(line))


def _opens_body(line: str) -> bool:
    """Whether a logical line is a header with nothing behind it, so that a string on the next line is a docstring."""
    return _HEADER.match(line) is not None and line.endswith(":\n")


def _are_one_docstring(line: str, other: str) -> bool:
    """Whether two lines hold the same docstring; `False` where that takes a look at more than their text."""
    texts = [_plain_docstring(each.strip()) for each in (line, other)]
    return None not in texts and len({_docstring(text) for text in texts if text is not None}) == 1


def _plain_docstring(line: str) -> str | None:
    """What stands between the quotes of a docstring, where that is its value."""
    text = line[3:-3]
    plain = line.startswith(_QUOTES) and line.endswith(_QUOTES) and len(line) >= 2 * len(_QUOTES)
    return text if plain and "\\" not in text and _QUOTES not in text and not text.endswith('"') else None


@functools.cache
def _token_pattern() -> re.Pattern[str]:
    # Compiled where it is needed first: most runs do without.
    return re.compile(_TOKEN, re.DOTALL)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _tokens(line: str) -> list[str]:
    """The tokens of a logical line, less white space and the trailing commas that make no tuple."""
    tokens: list[str] = []
    # For each open bracket: whether a comma in it makes a tuple, and how many there are.
    brackets: list[tuple[bool, int]] = []
    for token in _token_pattern().finditer(line):
        kind, text = token.lastgroup, token.group()
        if kind in ("space", "newline"):
            continue
        if kind == "mark" and text in "([{":
            brackets.append((text == "[" or not (tokens and _can_be_called(tokens[-1])), 0))
        elif kind == "mark" and text in ")]}" and brackets:
            is_tuple, commas = brackets.pop()
            if tokens[-1] == "," and (commas > 1 or not is_tuple or text == "}"):
                tokens.pop()
        elif text == "," and brackets:
            brackets[-1] = (brackets[-1][0], brackets[-1][1] + 1)
        elif text == "lambda" and brackets:
            # The commas from here on may be those of its parameters, however many there are.
            brackets[-1] = (brackets[-1][0], -len(line))
        tokens.append(text.rstrip() if kind == "comment" else text)
    return tokens


def _can_be_called(token: str) -> bool:
    return token in (")", "]") or (token.isidentifier() and not iskeyword(token) and token not in softkwlist)


def _canonical(block: str) -> tuple[Any, ...] | None:
    """A value that two blocks share exactly if they are equal but for their layout; `None` for what has none here."""
    return _canonical_short(block) if len(block) <= _SHORT else _canonical_long(block)


@functools.lru_cache(maxsize=256)
def _canonical_short(block: str) -> tuple[Any, ...] | None:
    return _tree_and_comments(block)


# What is known of long ones takes room.
@functools.lru_cache(maxsize=4)
def _canonical_long(block: str) -> tuple[Any, ...] | None:
    return None if holds_more_tokens(block, _MOST_TOKENS) else _tree_and_comments(block)


def _tree_and_comments(block: str) -> tuple[Any, ...] | None:
    from ast import dump

    tree = _parse(block)
    try:
        return None if tree is None else (dump(tree), tuple(_comments(block)) if "#" in block else ())
    except RecursionError:
        return None


def _parse(block: str) -> ast.Module | None:
    """The syntax tree, docstrings without their indentation; `None` where this Python cannot parse the block."""
    import ast

    try:
        tree = parse(block)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in ast.walk(tree) if _MAY_BE_LAYOUT.search(block) else ():
        if isinstance(node, ast.Delete) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Tuple):
            # What is deleted is the same with brackets around it, which a formatter adds to wrap it.
            node.targets = node.targets[0].elts
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                if isinstance(first.value.value, str):
                    first.value.value = _docstring(first.value.value)
        elif isinstance(node, ast.Constant):
            node.kind = None
    return tree


def _docstring(text: str) -> str:
    """A docstring without its layout: its indentation, blank lines, and white space at the ends of lines."""
    first, *others = (line.rstrip() for line in text.expandtabs().split("\n"))
    margin = min((len(line) - len(line.lstrip()) for line in others if line), default=0)
    return "\n".join(line for line in [first.lstrip(), *(line[margin:] for line in others)] if line)


def _comments(block: str) -> Iterator[tuple[int, bool, str]]:
    """Each comment with the number of words before its statement, and whether it has a line of its own between two.

    Where in its statement it stands is layout: who joins lines moves the comments in them to the end.
    """
    # Several statements may share a line; a colon or a semicolon ends one if something follows it there.
    statement, ended = 0, -1
    words, depth, lambdas, in_string, own_line = 0, 0, 0, False, True
    for token in _token_pattern().finditer(block):
        kind, text = token.lastgroup, token.group()
        if kind == "comment":
            # Joined lines leave their comments one behind another.
            for part in text[1:].split("  #"):
                yield statement, own_line and not depth, part.strip()
        elif kind == "newline":
            own_line = True
            if depth <= 0:
                # A string on the next line is another one: a docstring.
                statement, ended, in_string = words, -1, False
        elif kind != "space":
            own_line = False
            if text == "lambda" and depth <= 0:
                lambdas += 1
            if text == ":" and depth <= 0 and lambdas:
                # Of all colons outside of brackets this one alone has nothing to do with statements.
                lambdas -= 1
            elif text in (":", ";") and depth <= 0:
                ended = words + (text == ":")
            elif ended >= 0:
                statement, ended = ended, -1
            if text in _STRUCTURE:
                depth += (text in "([{") - (text in ")]}")
            elif kind != "string" or not in_string:
                # A string counts once, in however many parts it is written.
                words += 1
            in_string = kind == "string"


def _words(block: str) -> Iterator[str]:
    """The tokens of text that cannot be parsed, and the column of each of its logical lines."""
    for start, end in logical_lines(block):
        line = block[start:end]
        if line.strip():
            yield str(len(line) - len(line.lstrip()))
        for token in _token_pattern().finditer(line):
            if token.lastgroup == "comment":
                yield f"# {token.group()[1:].strip()}"
            elif token.lastgroup not in ("space", "newline"):
                yield token.group()
