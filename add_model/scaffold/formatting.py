"""Layout of generated modules by ruff, under the library's own settings, before anything is written."""

from __future__ import annotations

import os
import re
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from add_model.errors import AddModelError
from add_model.programs import find_program, is_of_tree
from add_model.scaffold.ruff_settings import RuffSettings
from add_model.scratch import scratch_folder

# What a new library's own configuration says; an existing library's configuration is used as it stands.
NEW_LIBRARY_SETTINGS = 'src = ["src"]\nline-length = 119\n'
# The reason stands at the end of what ruff says.
_SHOWN = 200
_FORMATTED = (".py", ".ipynb")
# Also where it stands in a string, as in a notebook.
_IMPORT = re.compile(r"\b(?:from|import) +(\w+(?:\.\w+)*)")


def format_files(
    root: Path, texts: Mapping[Path, str], default: str = NEW_LIBRARY_SETTINGS
) -> tuple[dict[Path, str], str | None]:
    """Sorts the imports of Python modules and notebooks and formats them, as ruff would at their place in the library.

    Args:
        root: the library's root, whose ruff settings apply.
        texts: path -> text of modules that are going to be written below the root; other files pass unchanged.
        default: ruff's settings where the root has none, as the text of a `ruff.toml`.

    Returns:
        Path -> formatted text, and why the texts are not formatted, or not as the settings say: `None` where they are.
    """
    ruff = _ruff(root)
    if ruff is None:
        return dict(texts), "ruff was not found; run `ruff format` once it is installed"
    try:
        with scratch_folder() as folder:
            return _formatted(ruff, folder, RuffSettings(root, default), texts)
    except AddModelError as error:
        return dict(texts), f"{error}; mend that and run `ruff format`"
    except OSError as error:
        # What is written is right without it, too; so it is no reason to write nothing.
        place = tempfile.tempdir or "the folder for temporary files"
        return dict(texts), f"{place}: {error.strerror or error}; make room there and run `ruff format`"


def _formatted(
    ruff: str, staging: Path, settings: RuffSettings, texts: Mapping[Path, str]
) -> tuple[dict[Path, str], str | None]:
    staged = {path: staging / path.relative_to(settings.top) for path in texts if path.suffix in _FORMATTED}
    settings.write(staging, staged)
    for path, place in staged.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(texts[path].encode())
    _name_imported(settings.top, staging, texts.values())
    # Ruff takes options from its environment, too, such as where to write what it finds.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RUFF_")}
    for arguments in (["check", "--select", "I", "--fix"], ["format"]):
        command = [ruff, *arguments, "--quiet", "--no-cache", "."]
        result = subprocess.run(command, cwd=staging, env=environment, check=False, capture_output=True, text=True)
    problem = None
    if result.returncode != 0:
        # Sorting may leave findings of the user's own; formatting fails only where ruff cannot work at all.
        problem = f"ruff failed: {' '.join(result.stderr.split())[-_SHOWN:]}; mend that and run `ruff format`"
    elif settings.notes:
        problem = "; ".join(settings.notes)
    formatted = {path: staged[path].read_bytes().decode() if path in staged else text for path, text in texts.items()}
    return formatted, problem


def _name_imported(top: Path, staging: Path, texts: Iterable[str]) -> None:
    """Makes an empty module for each of the library that is imported: ruff sorts those apart, if it finds them."""
    for module in {match[1] for text in texts for match in _IMPORT.finditer(text)}:
        for place in (Path(), Path("src")):
            path = place.joinpath(*module.split("."))
            for found in (path / "__init__.py", path.with_suffix(".py")):
                if (top / found).is_file() and not (staging / found).exists():
                    (staging / found).parent.mkdir(parents=True, exist_ok=True)
                    (staging / found).touch()


def _ruff(root: Path) -> str | None:
    """The program beside this Python; where it comes without one, that of `PATH`. Never one that is the library's."""
    try:
        from ruff import find_ruff_bin

        found = str(find_ruff_bin())
    except (ImportError, FileNotFoundError):
        return find_program("ruff", root)
    # This Python itself may be an environment that lies in the library.
    own = (sys.prefix, sys.base_prefix, site.getuserbase())
    trusted = not is_of_tree(found, root) or any(is_of_tree(found, Path(folder)) for folder in own)
    return found if os.path.isabs(found) and trusted else find_program("ruff", root)
