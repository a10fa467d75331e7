"""Layout of generated modules by ruff, under the library's own settings, before anything is written."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from add_model.library import CONFIGURATION_FILE
from add_model.reading import read_settings
from add_model.toml_text import parse_toml

# What a new library's own configuration says; an existing library's configuration is used as it stands.
NEW_LIBRARY_SETTINGS = 'src = ["src"]\nline-length = 119\n'
# The reason stands at the end of what ruff says.
_SHOWN = 200
# In one folder the first that is there counts.
_SETTINGS_FILES = (".ruff.toml", "ruff.toml", CONFIGURATION_FILE)


def format_files(
    root: Path, texts: Mapping[Path, str], default: str = NEW_LIBRARY_SETTINGS
) -> tuple[dict[Path, str], str | None]:
    """Sorts the imports of Python modules and formats them, as ruff would at their place in the library.

    Args:
        root: the library's root, whose ruff settings apply.
        texts: path -> text of modules that are going to be written below the root; other files pass unchanged.
        default: ruff's settings where the root has none, as the text of a `ruff.toml`.

    Returns:
        Path -> formatted text, and why the texts are not formatted: `None` where they are.
    """
    ruff = _ruff()
    if ruff is None:
        return dict(texts), "ruff was not found; run `ruff format` once it is installed"
    try:
        with tempfile.TemporaryDirectory(prefix="add-model-") as folder:
            return _formatted(ruff, Path(folder), root, texts, default)
    except OSError as error:
        # What is written is right without it, too; so it is no reason to write nothing.
        place = tempfile.tempdir or "the folder for temporary files"
        return dict(texts), f"{place}: {error.strerror or error}; make room there and run `ruff format`"


def _formatted(
    ruff: str, staging: Path, root: Path, texts: Mapping[Path, str], default: str
) -> tuple[dict[Path, str], str | None]:
    settings = _settings_above(root)
    above = root if settings is None else settings.parent
    if settings is None:
        (staging / "ruff.toml").write_text(default, encoding="utf-8")
    else:
        _stage_settings(settings, staging)
    staged = {path: staging / path.relative_to(above) for path in texts if path.suffix == ".py"}
    for path, place in staged.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(texts[path].encode())
    for arguments in (["check", "--select", "I", "--fix"], ["format"]):
        result = subprocess.run([ruff, *arguments, "--quiet", "--no-cache", "."], cwd=staging, check=False, capture_output=True, text=True)  # fmt: skip
    problem = None
    if result.returncode != 0:
        # Sorting may leave findings of the user's own; formatting fails only where ruff cannot work at all.
        problem = f"ruff failed: {' '.join(result.stderr.split())[-_SHOWN:]}; mend that and run `ruff format`"
    formatted = {path: staged[path].read_bytes().decode() if path in staged else text for path, text in texts.items()}
    return formatted, problem


def format_module(root: Path, path: Path, text: str) -> str:
    """Sorts the imports of one module and formats it, as ruff would at its place in a library that is there already.

    Returns:
        The formatted text; the text as it is where ruff is not found or cannot work on it.
    """
    ruff = _ruff()
    for arguments in (["check", "--select", "I", "--fix"], ["format"]) if ruff is not None else ():
        command = [str(ruff), *arguments, "--quiet", "--no-cache", "--stdin-filename", str(path), "-"]
        result = subprocess.run(command, cwd=root, check=False, capture_output=True, input=text, encoding="utf-8")
        text = result.stdout or text
    return text


def _settings_above(root: Path) -> Path | None:
    """The file whose settings ruff uses in a library; `None` where the library has none of its own nor inherits any."""
    if not any((root / name).is_file() for name in _SETTINGS_FILES):
        return None
    candidates = (folder / name for folder in (root, *root.parents) for name in _SETTINGS_FILES)
    return next((path for path in candidates if _table(path) is not None), root / CONFIGURATION_FILE)


def _table(path: Path) -> dict[str, Any] | None:
    """Ruff's own part of a file; `None` where it has none. One that does not parse is for ruff to complain about."""
    try:
        document = parse_toml(read_settings(path).decode("utf-8"))
    except OSError:
        return None
    except ValueError:
        return {}
    if path.name != CONFIGURATION_FILE:
        return document
    tools = document.get("tool")
    found = tools.get("ruff") if isinstance(tools, dict) else None
    return found if found is None or isinstance(found, dict) else {}


def _stage_settings(settings: Path, staging: Path) -> None:
    """Copies a file of settings; the one that it extends stays where it is."""
    shutil.copy(settings, staging / settings.name)
    table = _table(settings) or {}
    if "extend" in table:
        extended = settings.parent / os.path.expanduser(os.path.expandvars(str(table["extend"])))
        table["extend"] = str(extended)
        (staging / settings.name).unlink()
        (staging / "ruff.toml").write_text(tomlkit.dumps(table), encoding="utf-8")


def _ruff() -> str | None:
    try:
        from ruff import find_ruff_bin

        return str(find_ruff_bin())
    except (ImportError, FileNotFoundError):
        return shutil.which("ruff")
