"""`add-model recover`: takes back what a run that was cut off has half written."""

from __future__ import annotations

from pathlib import Path

from add_model.cli.examples import with_examples
from add_model.cli.interrupted import take_back
from add_model.cli.options import IntoOption
from add_model.cli.output import tell

_EXAMPLES = """
Examples:
    add-model recover                        the library around here
    add-model recover --into path/to/checkout
"""


@with_examples(_EXAMPLES)
def recover(into: IntoOption = None) -> None:
    """Take back what a run that was killed has half written, so that every file is as it was before it.

    Commands that write do so by themselves before they begin; those that only read leave it to you.
    """
    from add_model.scaffold.destination import find_written_root

    root = find_written_root(into, Path.cwd())
    if not take_back(root):
        tell(f"{root}: nothing was left to take back")
