"""`add-model remove`: undoes exactly what `add-model like` wrote for a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from add_model.cli.examples import with_examples
from add_model.cli.interrupted import take_back
from add_model.cli.options import JsonOption
from add_model.cli.output import say, say_json
from add_model.cli.shown import shown_after

if TYPE_CHECKING:
    from add_model.scaffold.removal import Removal

_EXAMPLES = """
Examples:
    add-model remove brand_new_bert                  from the library around here
    add-model remove jay --into path/to/checkout     from a checkout of Transformers
    add-model remove brand_new_bert --dry-run        shows what would go
    add-model remove brand_new_bert --force          even what was edited since
"""


@with_examples(_EXAMPLES)
def remove(
    name: Annotated[str, typer.Argument(help="The model to remove.", show_default=False)],
    into: Annotated[
        Path | None,
        typer.Option(
            "--into", metavar="DIR", help="The folder it is in. Default: the library around here.", show_default=False
        ),
    ] = None,  # fmt: skip
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; touch nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Delete what was edited since, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Undo what `add-model like` wrote for a model: its files and tests, its entries in other files.

    What was edited since is only deleted with --force; what add-model did not write stays.
    """
    from add_model.scaffold import removal
    from add_model.scaffold.destination import find_written_root

    root = find_written_root(into, Path.cwd())
    take_back(root, dry_run)
    planned = removal.plan_removal(root, name, force)
    if not dry_run:
        removal.remove(planned)
    with shown_after(None if dry_run else f"{name} was removed"):
        if as_json:
            say_json(_document(planned, dry_run))
        else:
            _show(planned, dry_run)


def _document(planned: Removal, dry_run: bool) -> dict[str, Any]:
    """What was done as one JSON-able value; paths are relative to `root`."""
    root = planned.root
    return {
        "root": str(root),
        "name": planned.name,
        "dry_run": dry_run,
        "removed": [path.relative_to(root).as_posix() for path in planned.removed],
        "edited": [path.relative_to(root).as_posix() for path in planned.edited],
        "left": [{"path": item.path.relative_to(root).as_posix(), "why": item.why} for item in planned.left],
    }


def _show(planned: Removal, dry_run: bool) -> None:
    root = planned.root
    removed, taken_out = ("would go", "entry would go") if dry_run else ("removed", "entry taken out")
    for path in planned.removed:
        say(f"{removed}: {path.relative_to(root).as_posix()}")
    for path in planned.edited:
        say(f"{taken_out}: {path.relative_to(root).as_posix()}")
    for item in planned.left:
        say(f"left: {item.path.relative_to(root).as_posix()} ({item.why})")
    files = _counted(len(planned.removed), "file")
    entries = _counted(len(planned.edited), "file")
    done = "would go; nothing was touched" if dry_run else "gone"
    say(f"{planned.name}: {files} {done}; entries {'in' if dry_run else 'taken out of'} {entries}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
