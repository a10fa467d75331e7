"""Whether a module is Python at all, and where it stops being so."""

from __future__ import annotations

import functools
import os
import sys
import warnings

from add_model.source import Module
from add_model.values import NamedTuple

_PARSE = "import sys; sys.path = sys.argv[1:]; import libcst; libcst.parse_module(sys.stdin.buffer.read())"
_SECONDS = 30
# No version of Python goes deeper than this one does.
_TOO_DEEP = "too many "


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
    import ast

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
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
    import subprocess

    # Its parser recurses without a bound: on deeply nested text it takes the whole process with it, so it gets one of
    # its own.
    # Isolated, and with the path of this one: nothing of the current folder is imported there.
    command = [sys.executable, "-I", "-c", _PARSE, *filter(os.path.isabs, sys.path)]
    try:
        run = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_SECONDS)
    except (OSError, UnicodeEncodeError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0
