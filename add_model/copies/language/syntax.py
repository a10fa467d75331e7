"""Whether a module is Python at all, and where it stops being so."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
from collections.abc import Iterator

from add_model.copies.language.parsing import refuse_unreadable
from add_model.lexical import holds_more_tokens, logical_lines
from add_model.source import Module
from add_model.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

# Reads texts behind their lengths, and says of each whether it is Python to the newest of parsers.
_PARSE = """
import sys
sys.path = sys.argv[1:]
import libcst
for line in iter(sys.stdin.buffer.readline, b""):
    text = sys.stdin.buffer.read(int(line))
    try:
        libcst.parse_module(text)
        answer = b"y"
    except Exception:
        answer = b"n"
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
"""
# Where none of these stands, no newer Python reads what this one does not.
_NEWER = re.compile(
    r"\b(?:type|match|case|except|lazy)\b|\b(?:def|class)[ \t]+\w+[ \t]*\[|[fFtT][rR]?[\"']|[rR][fFtT][\"']|\*"
)
# How much of such a text is parsed, and for how long; and how often the parser may break down on one.
_MOST_CHARACTERS, _SECONDS, _MOST_BREAKDOWNS = 1_000_000, 10, 3
# No version of Python goes deeper than this one does.
_TOO_DEEP = "too many "
# A parser takes some hundred bytes of memory for every token: more of them are parsed piece by piece.
_MOST_TOKENS = 150_000
_GOES_ON = re.compile(r"(?:else|elif|except|finally)\b|[^\w@]")


class SyntaxProblem(NamedTuple):
    """What a parser says about a module, and the place of it, 1-based."""

    message: str
    line: int
    column: int


def syntax_problem(module: Module) -> SyntaxProblem | None:
    """What keeps a module from being parsed; `None` for one that this Python, or a newer one, can read."""
    return _problem(module.text)


# A fix asks for the same texts in every round, and parsing is what takes it longest.
@functools.lru_cache(maxsize=256)
def _problem(text: str) -> SyntaxProblem | None:
    if not holds_more_tokens(text, _MOST_TOKENS):
        return _problem_of_piece(text, text)
    line = 0
    for piece in _pieces(text):
        if holds_more_tokens(piece, _MOST_TOKENS):
            problem: SyntaxProblem | None = SyntaxProblem("a statement is too long to be parsed", 1, 1)
        else:
            problem = _problem_of_piece(piece, text)
        if problem is not None:
            return problem._replace(line=problem.line + line)
        line += piece.count("\n")
    return None


def _pieces(text: str) -> Iterator[str]:
    """A module's statements, as many of them together as can be parsed at once."""
    piece, decorated = 0, False
    for start, _ in logical_lines(text):
        first = text[start : start + 1]
        if first.isspace() or _GOES_ON.match(text, start):
            continue
        if start - piece >= _MOST_TOKENS // 2 and not decorated:
            yield text[piece:start]
            piece = start
        decorated = first == "@"
    yield text[piece:]


def _problem_of_piece(piece: str, text: str) -> SyntaxProblem | None:
    try:
        refuse_unreadable(piece)
    except SyntaxError as error:
        if not error.msg.startswith(_TOO_DEEP) and _is_newer_syntax(text):
            return None
        return SyntaxProblem(error.msg, error.lineno or 1, error.offset or 1)
    except (RecursionError, MemoryError):
        return SyntaxProblem("is nested too deeply to be parsed", 1, 1)
    except ValueError as error:
        return SyntaxProblem(str(error), 1, 1)
    return None


def _is_newer_syntax(text: str) -> bool:
    if len(text) > _MOST_CHARACTERS or not _NEWER.search(text):
        return False
    try:
        return _newest_parser().reads(text.encode())
    except UnicodeEncodeError:
        return False


def prepare() -> None:
    """Starts what reads newer syntax: for who cannot wait for that where the first text does not parse."""
    _newest_parser().reads(b"")


@functools.cache
def _newest_parser() -> _NewestParser:
    return _NewestParser()


class _NewestParser:
    """libcst, in a process of its own: it recurses without a bound, and breaks down on deeply nested text.

    One process reads any number of texts, as starting it takes longer than they do.
    """

    def __init__(self) -> None:
        self._process: Any = None
        self._owner = self._breakdowns = 0

    def reads(self, text: bytes) -> bool:
        """Whether a text is Python; `False` for one on which the parser breaks down, and for all behind a few of those."""
        if self._breakdowns >= _MOST_BREAKDOWNS:
            return False
        answer = self._ask(text)
        if not answer:
            self._breakdowns += 1
            self._stop()
        return answer == b"y"

    def _ask(self, text: bytes) -> bytes:
        import threading

        try:
            # A process that was split off this one may not talk to the parser of the other.
            process = self._process if self._owner == os.getpid() else self._start()
            timer = threading.Timer(_SECONDS, process.kill)
            timer.start()
            try:
                process.stdin.write(b"%d\n%s" % (len(text), text))
                process.stdin.flush()
                return process.stdout.read(1)  # type: ignore[no-any-return]
            finally:
                timer.cancel()
                timer.join()
        except OSError:
            return b""

    def _start(self) -> Any:
        import atexit
        import subprocess

        self._process = subprocess.Popen(
            # Isolated, and with the path of this one: nothing of the current folder is imported there.
            [sys.executable, "-I", "-c", _PARSE, *filter(os.path.isabs, sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._owner = os.getpid()
        atexit.register(self._stop)
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            self._owner = 0
            process.kill()
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.stdout.close()
            process.wait()
