"""What `add-model like` shows when it is done: the tree of what was written, what was left out, what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.tree import Tree

from add_model.cli.drawing import draw, styled
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

# The tree that the interview shows is as wide.
PREVIEW_COLUMNS = 120


def show(rendering: Rendering, outcome: Outcome, dry_run: bool) -> None:
    """Prints the summary to stdout."""
    draw(files_tree(rendering, outcome), wraps=False)
    note = _package_note(rendering, outcome)
    if note is not None:
        draw(styled(note), wraps=False)
    for item in rendering.left_out:
        draw(styled(("left out: ", "yellow"), f"{item.what} ({item.why})"), wraps=False)
    number = len(outcome.written) + len(outcome.edited)
    count = f"{number} file" if number == 1 else f"{number} files"
    title, reference = rendering.name.title, rendering.reference
    if dry_run:
        said = f", like {reference}: {count} would be written; nothing was touched"
        draw(styled((title, "bold"), said), wraps=False)
        return
    draw(styled((title, "bold green"), f", like {reference}: {count} written"), "", "Next:", wraps=False)
    for command in next_commands(rendering):
        draw(styled(f"  {command}"), wraps=False)


def _package_note(rendering: Rendering, outcome: Outcome) -> str | None:
    """What the package of a library that is laid down is called, where that is not its folder's name, and why."""
    folder, package = rendering.root.name, rendering.package
    if folder == package or rendering.root / "src" / package / "__init__.py" not in outcome.written:
        return None
    return f"the package is called {package}: {folder}, the folder, is no name of lower-case letters, digits and underscores that begins with a letter"  # fmt: skip


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
    tree = Tree(styled((f"{rendering.root.name}/", "bold")))
    branches: dict[Path, Tree] = {rendering.root: tree}
    states = {path: group for group in _STYLES for path in getattr(outcome, group)}
    for path in sorted(states, key=lambda path: (path.parent, path.name)):
        note = _NOTES[states[path]]
        leaf = styled((path.name, _STYLES[states[path]]), (f"  {note}" if note else "", "dim"))
        _branch(branches, path.parent).add(leaf)
    return tree


def next_commands(rendering: Rendering) -> Iterator[str]:
    """What to type next, from the folder that the command was run in."""
    root = rendering.root
    if root != Path.cwd():
        shown = root.relative_to(Path.cwd()) if root.is_relative_to(Path.cwd()) else root
        yield f"cd {shlex.quote(str(shown))}"
    yield from rendering.next_commands


def _branch(branches: dict[Path, Tree], folder: Path) -> Tree:
    if folder not in branches:
        branches[folder] = _branch(branches, folder.parent).add(styled((f"{folder.name}/", "bold blue")))
    return branches[folder]
