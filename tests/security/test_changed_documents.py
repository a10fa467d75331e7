"""Documents of the tree that somebody has changed: whatever becomes of them, a command answers or names them in one line."""

from __future__ import annotations

import copy
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from tests.cli.commands import add_model_here, done

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.slow

VALUES: list[Any] = ["", "x", "../x", "a\x00b", "\x1b[31m", "é", 0, -1, 10**12, True, 1.5, [], {}, ["x"], [1], {"x": 1}, {"x": ["y"]}, [[]]]  # fmt: skip
STATE = ".add-model/models/brand_new_bert"
EACH = 25


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a document."""
    if way:
        yield way
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*way, key))


def changed(document: Any, seed: int) -> Any:
    """A document with something in it dropped, doubled, renamed, or of another kind."""
    chance = random.Random(seed)
    document = copy.deepcopy(document)
    for _ in range(chance.randint(1, 2)):
        ways = list(places(document))
        if not ways:
            break
        *way, last = chance.choice(ways)
        inner = document
        for key in way:
            inner = inner[key]
        what = chance.choice(["drop", "retype", "rename", "wrap"])
        value = inner.pop(last) if what in ("drop", "rename") else inner[last]
        if what == "retype":
            inner[last] = copy.deepcopy(chance.choice(VALUES))
        elif what == "wrap":
            inner[last] = [value]
        elif what == "rename" and isinstance(inner, dict):
            inner[str(chance.choice(VALUES))] = value
    return document


def change_json(path: Path, seed: int) -> None:
    path.write_text(json.dumps(changed(json.loads(path.read_text()), seed)))


def change_toml(path: Path, seed: int) -> None:
    text = path.read_text()
    path.write_text(tomlkit.dumps(changed(tomllib.loads(text), seed)))


def change_bytes(path: Path, seed: int) -> None:
    """Bytes changed, cut off or put in anywhere."""
    chance, content = random.Random(seed), bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(content) + 1)
        content[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    path.write_bytes(content[: chance.choice([len(content), len(content), chance.randrange(len(content) + 1)])])


COMMANDS: list[tuple[str, ...]] = [
    ("check-copies",),
    ("check-copies", "--diff"),
    ("references", "--json"),
    ("remove", "brand_new_bert", "--dry-run"),
    ("status", "brand_new_bert"),
    ("like", "brand_new_bert", "--name", "other", "--yes", "--dry-run"),
    ("like", "bert", "--name", "brand_new_bert", "--finish", "--yes", "--dry-run"),
    ("like", "--answers", f"{STATE}/answers.toml", "--name", "again", "--dry-run"),
]


@pytest.mark.parametrize(
    ("document", "change"),
    [
        (f"{STATE}/written.json", change_json),
        (f"{STATE}/written.json", change_bytes),
        (f"{STATE}/answers.toml", change_toml),
        (f"{STATE}/answers.toml", change_bytes),
        (f"{STATE}/copied.json", change_json),
        ("pyproject.toml", change_toml),
        ("pyproject.toml", change_bytes),
        ("src/my_models/registry.py", change_bytes),
        ("docs/index.md", change_bytes),
    ],
)
def test_a_document_that_was_changed_is_answered_to_or_named(
    library: Path, document: str, change: Callable[[Path, int], None]
) -> None:
    done(library, "brand_new_bert", "--name", "second", "--yes")
    (library / STATE / "copied.json").write_text('{"src/a.py": {"A": {"source": "x.A", "version": "1", "original": "0", "copy": "0"}}}')  # fmt: skip
    path = library / document
    before = path.read_bytes()
    for seed in range(EACH):
        path.write_bytes(before)
        change(path, seed)
        for command in (COMMANDS[seed % len(COMMANDS)], COMMANDS[(seed * 3 + 1) % len(COMMANDS)]):
            result = add_model_here(library, *command)
            told = (seed, command, path.read_bytes(), result.stderr)
            assert result.returncode in (0, 1, 2), told
            assert "Traceback" not in result.stderr, told
            if result.returncode == 2:
                errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
                assert len(errors) == 1 or "CP006" in result.stdout + result.stderr, told


@pytest.mark.parametrize("depth", [500, 100_000])
@pytest.mark.parametrize("document", [f"{STATE}/written.json", f"{STATE}/answers.toml", "pyproject.toml"])
def test_a_document_of_many_levels_is_named(library: Path, document: str, depth: int) -> None:
    path = library / document
    deep = "[" * depth + "]" * depth
    path.write_text(f'{{"a": {deep}}}' if path.suffix == ".json" else f"{path.read_text()}\nx = {deep}\n")
    for command in (("remove", "brand_new_bert"), ("check-copies",), ("like", "--answers", f"{STATE}/answers.toml", "--name", "again", "--dry-run")):  # fmt: skip
        result = add_model_here(library, *command)
        assert result.returncode in (0, 2), result.stderr
        assert "Traceback" not in result.stderr and len(result.stderr) < 1000
