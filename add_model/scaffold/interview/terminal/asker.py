"""The asker of the terminal that this process runs in."""

from __future__ import annotations

import os
import sys

from add_model.scaffold.interview.interview import Asker


def asker_here() -> Asker:
    """Whoever can put the questions here: a terminal that does not move its cursor is asked line by line."""
    # The terminals of Windows move their cursor, and say nothing of what they are.
    if sys.platform != "win32" and os.environ.get("TERM", "").lower() in ("", "dumb", "unknown"):
        from add_model.scaffold.interview.terminal.plain import PlainTerminal

        return PlainTerminal()
    from add_model.scaffold.interview.terminal.screens import Terminal

    return Terminal()
