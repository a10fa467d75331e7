"""What `add-model like` shows when it is done: the tree of what was written, what was left out, what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from add_model.scaffold.rendering import Rendering
from add_model.scaffold.tree import Outcome

_STYLES = {"written": "green", "edited": "yellow", "kept": "magenta", "unchanged": "dim", "stale": "red"}
_NOTES = {
    "written": "",
    "edited": "entry added",
    "kept": "yours, kept; --force replaces it",
    "unchanged": "unchanged",
    "stale": "no longer part of the model; delete it if you do not need it",
}


def show(rendering: Rendering, outcome: Outcome, dry_run: bool) -> None:
    """Prints the summary to stdout."""
    console = Console(soft_wrap=True, highlight=False, emoji=False)
    console.print(files_tree(rendering, outcome))
    for item in rendering.left_out:
        console.print(Text.assemble(("left out: ", "yellow"), f"{item.what} ({item.why})"))
    number = len(outcome.written) + len(outcome.edited)
    count = f"{number} file" if number == 1 else f"{number} files"
    title, reference = rendering.name.title, rendering.reference
    if dry_run:
        console.print(f"[bold]{title}[/bold], like {reference}: {count} would be written; nothing was touched")
        return
    console.print(f"[bold green]{title}[/bold green], like {reference}: {count} written")
    console.print("\nNext:")
    for command in next_commands(rendering):
        console.print(f"  {command}")


def document(rendering: Rendering, outcome: Outcome, dry_run: bool) -> dict[str, Any]:
    """The summary as one JSON-able value; paths are relative to `root`."""
    root = rendering.root
    groups = {group: [path.relative_to(root).as_posix() for path in getattr(outcome, group)] for group in _STYLES}
    return {
        "root": str(root),
        "package": rendering.package,
        "name": rendering.name.snake,
        "reference": rendering.reference,
        "dry_run": dry_run,
        **groups,
        "left_out": [{"what": item.what, "why": item.why} for item in rendering.left_out],
        "next": list(next_commands(rendering)),
    }


def files_tree(rendering: Rendering, outcome: Outcome) -> Tree:
    """The files of an outcome as a tree, each with what becomes of it."""
    tree = Tree(Text(f"{rendering.root.name}/", "bold"))
    branches: dict[Path, Tree] = {rendering.root: tree}
    states = {path: group for group in _STYLES for path in getattr(outcome, group)}
    for path in sorted(states, key=lambda path: (path.parent, path.name)):
        note = _NOTES[states[path]]
        leaf = Text.assemble((path.name, _STYLES[states[path]]), (f"  {note}" if note else "", "dim"))
        _branch(branches, path.parent).add(leaf)
    return tree


def as_text(tree: Tree, columns: int) -> str:
    """The tree as plain text of at most so many columns; names that are longer end with an ellipsis."""
    console = Console(no_color=True, width=columns)
    with console.capture() as capture:
        console.print(tree)
    return capture.get()


def next_commands(rendering: Rendering) -> Iterator[str]:
    """What to type next, from the folder that the command was run in."""
    root = rendering.root
    if root != Path.cwd():
        shown = root.relative_to(Path.cwd()) if root.is_relative_to(Path.cwd()) else root
        yield f"cd {shlex.quote(str(shown))}"
    yield from rendering.next_commands


def _branch(branches: dict[Path, Tree], folder: Path) -> Tree:
    if folder not in branches:
        branches[folder] = _branch(branches, folder.parent).add(Text(f"{folder.name}/", "bold blue"))
    return branches[folder]
