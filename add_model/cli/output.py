"""The one way out: everything that a command prints goes through here, or through `drawing` where it is laid out.

Names and code are shown as `visible` has it, whether somebody looks at a terminal or reads a log. A line that is said is
one line, whatever it quotes. Findings go to the output stream, messages to the error stream.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import typer

from add_model.visible import as_json, visible_line, visible_lines

_TAB = "\t"


def say(line: str, colour: str | None = None, dim: bool | None = None) -> None:
    """Prints a line of what was asked for."""
    typer.secho(visible_line(line), fg=colour, dim=dim)


def tell(line: str, colour: str | None = None) -> None:
    """Prints a line of what there is to know about it, on the error stream."""
    typer.secho(visible_line(line), fg=colour, err=True)


def stopped() -> None:
    """Says, below the line that Ctrl-C has left, that nothing has come of it."""
    typer.echo("\nstopped; nothing was written", err=True)


def say_text(text: str) -> None:
    """Prints a text whose line feeds are its own, such as a file that was written."""
    typer.echo(visible_lines(text), nl=False)


def say_code(lines: Iterable[str]) -> None:
    """Prints lines of code, each without its end."""
    # In whatever encoding the stream has: code is anybody's text.
    sys.stdout.writelines(f"{visible_line(line, keep=_TAB)}\n" for line in lines)


def say_json(value: Any) -> None:
    """Prints a value as a JSON document."""
    typer.echo(as_json(value))


def say_document(text: str) -> None:
    """Prints a document of a format that has its own way to show what it quotes: see `copies.report.DOCUMENTS`."""
    typer.echo(text)
