"""Whether a module is Python at all, and where it stops being so."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from add_model.source import Module


@dataclass(frozen=True)
class SyntaxProblem:
    """What a parser says about a module, and the place of it, 1-based."""

    message: str
    line: int
    column: int


def syntax_problem(module: Module) -> SyntaxProblem | None:
    """What keeps a module from being parsed; `None` for one that this Python, or a newer one, can read."""
    import ast

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(module.text)
    except SyntaxError as error:
        if _is_newer_syntax(module.text):
            return None
        return SyntaxProblem(error.msg, error.lineno or 1, error.offset or 1)
    except (RecursionError, MemoryError):
        return SyntaxProblem("is nested too deeply to be parsed", 1, 1)
    except ValueError as error:
        return SyntaxProblem(str(error), 1, 1)
    return None


def _is_newer_syntax(text: str) -> bool:
    import libcst

    try:
        libcst.parse_module(text)
    except Exception:  # its parser raises more kinds of error on odd input than it documents
        return False
    return True
