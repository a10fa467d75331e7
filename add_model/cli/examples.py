"""Examples in a command's help, kept in lines as they are written."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar

_Command = TypeVar("_Command", bound=Callable[..., None])


def with_examples(examples: str) -> Callable[[_Command], _Command]:
    """Adds examples to a command's help: a blank line between them starts another paragraph."""

    def described(command: _Command) -> _Command:
        # A paragraph that starts with a backspace character is shown line by line.
        paragraphs = [f"\b\n{paragraph}" for paragraph in inspect.cleandoc(examples).split("\n\n")]
        command.__doc__ = "\n\n".join([inspect.cleandoc(command.__doc__ or ""), *paragraphs])
        return command

    return described
