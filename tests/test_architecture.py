"""Who may know whom: the arrows between the parts run downwards only, and a command loads what it needs when it runs."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "add_model"
# What every part may import of the tool, and what each may besides itself.
_FOUNDATIONS = {
    "boundary",
    "errors",
    "git",
    "extras",
    "exactly",
    "configuration",
    "held_model",
    "installed",
    "library",
    "nearby",
    "nearest",
    "programs",
    "reading",
    "scratch",
    "state",
    "syntax_tree",
    "toml_text",
    "transaction",
    "visible",
}
BELOW = {
    "copies": {*_FOUNDATIONS, "definitions", "encoding", "lexical", "source", "values"},
    "scaffold": {*_FOUNDATIONS, "copies", "family", "names", "references", "registry", "registry_edits"},
    "porting": {*_FOUNDATIONS, "names", "references", "registry", "source"},
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


def test_the_picture_of_the_architecture_is_that_of_the_code() -> None:
    script = PACKAGE.parent / "scripts" / "architecture.py"
    result = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


# What a library of each kind is a value of; only its own room, and the list of rooms, may know.
KINDS = {"Standalone", "CheckoutTarget", "DiffusersTarget", "OutOfTree", "StandaloneKind", "CheckoutKind", "DiffusersKind", "OutOfTreeKind"}  # fmt: skip


def test_nothing_but_its_room_knows_a_kind_of_library() -> None:
    rooms = [
        PACKAGE / "scaffold" / room
        for room in ("standalone", "checkout", "diffusers", "out_of_tree", "library_kinds.py")
    ]
    others = [path for path in PACKAGE.rglob("*.py") if not any(path.is_relative_to(room) for room in rooms)]
    named = {
        path.name for path in others for word in KINDS if re.search(rf"\b{word}\b", path.read_text(encoding="utf-8"))
    }
    assert named == set()


def test_nobody_imports_the_command_line() -> None:
    importers = {path for path, part in imported_parts(PACKAGE) if part == "cli"}
    assert all(path.parent.name == "cli" or path.name == "__main__.py" for path in importers)


# The modules that start programs: git; ruff; a parser for newer syntax; a card's code and a model's tests, when asked to.
STARTS = {
    "git.py",
    "scaffold/formatting.py",
    "copies/language/syntax.py",
    "porting/steps/model_card.py",
    "porting/steps/model_tests.py",
}


def test_programs_are_started_from_few_places_and_git_from_one() -> None:
    texts = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in PACKAGE.rglob("*.py")}
    own = {name: text for name, text in texts.items() if not name.startswith("zoo/")}
    words = ("subprocess", "os.system", "os.exec", "os.spawn", "posix_spawn", "popen", "create_subprocess")
    assert {name for name, text in own.items() if any(word in text for word in words)} == STARTS
    assert {name for name, text in own.items() if re.search(r"""["']git["']""", text)} == {"git.py"}


@pytest.mark.parametrize("module", ["torch", "libcst", "jinja2", "rich", "prompt_toolkit"])
def test_importing_the_command_line_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, add_model.cli; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# The ways out: what prints lines and documents, what is laid out, what Python itself says, the plain check, the interview.
WAYS_OUT = {
    "cli/output.py",
    "cli/drawing.py",
    "cli/python_messages.py",
    "cli/quick.py",
    "scaffold/interview/terminal/plain.py",
    "scaffold/interview/terminal/printed.py",
}
# A bar has no text but its own; what a report makes of rich it shows as `visible` has it.
WITH_RICH = WAYS_OUT | {"cli/progress.py", "copies/report.py"}


def ways_around(path: Path) -> Iterator[str]:
    """What a module prints by itself."""
    inside = path.relative_to(PACKAGE).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module in ("rich", "rich.console", "rich.text", "rich.markup"):
            names = {alias.name for alias in node.names} & {"print", "Console", "Text"}
            if names and inside not in WITH_RICH:
                yield f"{inside}:{node.lineno} imports {', '.join(names)}"
        if not isinstance(node, ast.Call) or inside in WAYS_OUT:
            continue
        called = ast.unparse(node.func)
        last = called.rpartition(".")[2]
        if (
            called == "print"
            or last in ("echo", "secho", "print")
            or called.startswith(("sys.stdout.write", "sys.stderr.write"))
        ):
            yield f"{inside}:{node.lineno} calls {called}"
        if inside.startswith("cli/") and called == "json.dumps":
            yield f"{inside}:{node.lineno} makes JSON; `say_json` shows it"


def test_everything_is_printed_through_the_ways_out() -> None:
    modules = [path for path in sorted(PACKAGE.rglob("*.py")) if PACKAGE / "zoo" not in path.parents]
    assert [found for path in modules for found in ways_around(path)] == []


def test_a_way_around_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path)
    module = tmp_path / "cli" / "other.py"
    module.parent.mkdir()
    module.write_text(
        "from rich.text import Text\nprint(1)\ntyper.echo(2)\nconsole.print(3)\nsys.stdout.writelines(4)\njson.dumps(5)\n"
    )
    assert len(list(ways_around(module))) == 6
