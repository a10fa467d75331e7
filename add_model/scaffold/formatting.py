"""Layout of generated modules by ruff, under the library's own settings, before anything is written."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

# What a new library's own configuration says; an existing library's configuration is used as it stands.
NEW_LIBRARY_SETTINGS = 'src = ["src"]\nline-length = 119\n'
_SETTINGS_FILES = ("pyproject.toml", "ruff.toml", ".ruff.toml")


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
    with tempfile.TemporaryDirectory(prefix="add-model-") as folder:
        staging = Path(folder)
        _copy_settings(root, staging, default)
        staged = {path: staging / path.relative_to(root) for path in texts if path.suffix == ".py"}
        for path, place in staged.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(texts[path].encode())
        for arguments in (["check", "--select", "I", "--fix"], ["format"]):
            result = subprocess.run([ruff, *arguments, "--quiet", "--no-cache", "."], cwd=staging, check=False, capture_output=True, text=True)  # fmt: skip
        problem = None
        if result.returncode != 0:
            # Sorting may leave findings of the user's own; formatting fails only where ruff cannot work at all.
            problem = f"ruff failed: {' '.join(result.stderr.split())[:200]}; mend that and run `ruff format`"
        formatted = {
            path: staged[path].read_bytes().decode() if path in staged else text for path, text in texts.items()
        }
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


def _copy_settings(root: Path, staging: Path, default: str) -> None:
    for name in _SETTINGS_FILES:
        if (root / name).is_file():
            shutil.copy(root / name, staging / name)
    if not any((staging / name).exists() for name in _SETTINGS_FILES):
        (staging / "ruff.toml").write_text(default)


def _ruff() -> str | None:
    try:
        from ruff import find_ruff_bin

        return str(find_ruff_bin())
    except (ImportError, FileNotFoundError):
        return shutil.which("ruff")
