"""Who may know whom: the arrows between the parts run downwards only, and a command loads what it needs when it runs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "add_model"
# What a part may import of the tool, besides itself.
BELOW = {
    "copies": {"definitions", "encoding", "errors", "lexical", "library", "source", "transaction", "values"},
    "scaffold": {
        "copies",
        "errors",
        "family",
        "library",
        "names",
        "references",
        "registry",
        "registry_edits",
        "transaction",
    },  # fmt: skip
    "porting": {
        "boundary",
        "errors",
        "library",
        "names",
        "reading",
        "references",
        "registry",
        "source",
        "state",
        "transaction",
    },  # fmt: skip
    "zoo": set(),
}


def imported_parts(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every part of the tool that a module below the folder imports: `add_model.<part>`."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                top, _, rest = module.partition(".")
                if top == "add_model" and rest:
                    yield path, rest.partition(".")[0]


@pytest.mark.parametrize("part", BELOW)
def test_a_part_knows_only_what_lies_below_it(part: str) -> None:
    strangers = [
        (path.name, other) for path, other in imported_parts(PACKAGE / part) if other not in BELOW[part] | {part}
    ]
    assert strangers == []


def test_nobody_imports_the_command_line() -> None:
    importers = {path for path, part in imported_parts(PACKAGE) if part == "cli"}
    assert all(path.parent.name == "cli" or path.name == "__main__.py" for path in importers)


@pytest.mark.parametrize("module", ["torch", "libcst", "jinja2", "rich", "questionary"])
def test_importing_the_command_line_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, add_model.cli; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
