"""A scratch copy of a tree, models added to it by the real command, and the tree as it was, held against it."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# What a checkout has at its root that says something about its code.
_ROOT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_ROOT_FOLDERS = ("tests", "docs")


def package_of(tree: Path) -> Path:
    """The folder `transformers` of a tree: a checkout, a package's parent, or the package itself."""
    for candidate in (tree / "src" / "transformers", tree / "transformers", tree):
        if (candidate / "models").is_dir():
            return candidate
    raise FileNotFoundError(f"{tree} holds no package transformers; pass the root of a checkout")


def make_scratch(tree: Path, scratch: Path) -> Path:
    """Copies a tree's package, and what else of a checkout it has, to `scratch`, laid out as a checkout."""
    package = package_of(tree)
    shutil.copytree(package, scratch / "src" / "transformers", ignore=shutil.ignore_patterns("__pycache__"))
    if package.parent.name == "src":
        root = package.parent.parent
        for name in _ROOT_FILES:
            if (root / name).is_file():
                shutil.copy2(root / name, scratch / name)
        for name in _ROOT_FOLDERS:
            if (root / name).is_dir():
                shutil.copytree(root / name, scratch / name, ignore=shutil.ignore_patterns("__pycache__"))
    return scratch


def add_model_like(scratch: Path, reference: str, name: str, *options: str) -> str | None:
    """Runs `add-model like` in this process; its error in one line, or `None`."""
    return _like([_reference(reference), "--name", name, "--into", str(scratch), *options])


def add_model_beside(root: Path, reference: str, name: str) -> str | None:
    """Makes a model like one of the installed Transformers in a package of its own, which is called as its folder."""
    return _like([f"transformers:{_reference(reference)}", "--name", name, "--into", str(root)])


def _like(words: list[str]) -> str | None:
    from add_model.cli.commands import app
    from add_model.errors import AddModelError

    arguments = ["like", *words, "--yes", "--json"]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            app(arguments, standalone_mode=False)
    except AddModelError as error:
        return f"error: {error}"
    except SystemExit as error:
        return None if not error.code else f"exit {error.code}: {said.getvalue()[-300:]}"
    except Exception as error:  # noqa: BLE001 -- a fault of the tool is a result here
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = "" if trace is None else f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}{place}"
    return None


def run_like(scratch: Path, reference: str, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs `add-model like` as a process of its own."""
    command = [
        sys.executable,
        "-m",
        "add_model",
        "like",
        _reference(reference),
        "--name",
        name,
        "--into",
        str(scratch),
    ]
    return subprocess.run([*command, "--yes", *options], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def changes_elsewhere(tree: Path, scratch: Path) -> Iterator[str]:
    """Where a file that the tree had is gone, or lost something: entries are only ever added."""
    package = package_of(tree)
    for path in sorted(package.rglob("*")):
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        relative = path.relative_to(package)
        copy = scratch / "src" / "transformers" / relative
        if not copy.is_file():
            yield f"{relative} has gone"
            continue
        before, after = path.read_bytes(), copy.read_bytes()
        if before == after:
            continue
        # Byte by byte, as an entry may be put into the middle of a line.
        left = iter(after)
        lost = next((offset for offset, byte in enumerate(before) if byte not in left), None)
        if lost is not None:
            line = before.count(b"\n", 0, lost) + 1
            yield f"{relative} lost something of its line {line}"


def _reference(folder: str) -> str:
    return folder.rpartition("/")[2]
