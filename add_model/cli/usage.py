"""Wrong options and commands, which an error quotes: whatever somebody has typed, or a script found and passed on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from typer.core import TyperGroup

from add_model.visible import visible


class Commands(TyperGroup):
    """The commands, which show what they do not understand as everything else is shown."""

    def make_context(self, *arguments: Any, **keywords: Any) -> Any:
        """Reads the options before the command."""
        with _shown():
            return super().make_context(*arguments, **keywords)

    def invoke(self, ctx: Any) -> Any:
        """Reads the command and its options, and runs it."""
        with _shown():
            return super().invoke(ctx)


@contextmanager
def _shown() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # An error of the library that reads options, which newer releases of typer bring along under a name of their own.
        if hasattr(error, "format_message") and hasattr(error, "message"):
            error.message = visible(error.message)
        raise
