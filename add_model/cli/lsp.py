"""`add-model lsp`: the checker in an editor, by the Language Server Protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from add_model.cli.examples import with_examples
from add_model.errors import AddModelError

_EXAMPLES = """
Examples:
    add-model lsp              what an editor starts; it speaks by standard input and output
    add-model lsp --tcp 8764   waits at a port of this machine instead

How VS Code, Neovim, Helix, Zed, Emacs and Sublime Text are told to start it:
https://github.com/add-model/add-model/blob/main/docs/how-to/editor.md
"""


@with_examples(_EXAMPLES)
def lsp(
    stdio: Annotated[bool, typer.Option("--stdio", help="Speak by standard input and output; the default.")] = False,
    tcp: Annotated[
        int | None,
        typer.Option(
            "--tcp", metavar="PORT", min=1, max=65535, help="Wait at a port of this machine.", show_default=False
        ),
    ] = None,
) -> None:
    """Serve an editor: findings as you type, the original of a copy and the copies of an original, and what mends them.

    Only what changes is judged. Nothing is written; what is mended is an edit that the editor makes.
    """
    if stdio and tcp is not None:
        raise AddModelError("--stdio and --tcp are two ways to speak; leave one of them out")
    try:
        from add_model.editor.server import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        from add_model.extras import install_command

        raise AddModelError(
            f"an editor is served with pygls, which is not installed: {install_command('editor')}"
        ) from error
    if tcp is None:
        server().start_io()
    else:
        server().start_tcp("127.0.0.1", tcp)
