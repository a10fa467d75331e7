"""A project's own `pyproject.toml` taught about the library, everything in it kept as it stands."""

from __future__ import annotations

import json
from collections.abc import Sequence

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable

from add_model.errors import AddModelError, ChangedMeanwhile
from add_model.library import CONFIGURATION_FILE


def with_configuration(text: str, package: str, follows: Sequence[str] = ()) -> str:
    """Adds the `[tool.add-model]` table to a `pyproject.toml` that has none.

    Args:
        text: the file's text.
        package: the package that holds the models.
        follows: the installed packages whose copies are held to the version that is installed.

    Raises:
        ChangedMeanwhile: it has that table by now.
        AddModelError: the file is not valid TOML, or `tool` is no table in it.
    """
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise AddModelError(f"{CONFIGURATION_FILE}: is not valid TOML: {error}; mend it and run again") from error
    if not isinstance(document.get("tool", {}), dict):
        raise AddModelError(f"{CONFIGURATION_FILE}: `tool` must be a table; mend it and run again")
    if "add-model" in document.get("tool", {}):
        # The library was looked for before, and was not there: another run has laid it down since.
        raise ChangedMeanwhile(f"{CONFIGURATION_FILE}: has been taught about the library while this run was at work; run again")  # fmt: skip
    if isinstance(document.get("tool"), InlineTable):
        # TOML does not let a table written in one line be added to from outside.
        raise AddModelError(f"{CONFIGURATION_FILE}: `tool` must be a table of its own, [tool], not an inline one; mend it and run again")  # fmt: skip
    separator = "" if not text or text.endswith("\n") else "\n"
    added = f'{separator}\n[tool.add-model]\npackage = "{package}"\nsource = "src"\n'
    if follows:
        added += f"follows = {json.dumps(list(follows))}\n"
    return text + (added.replace("\n", "\r\n") if "\r\n" in text else added)
