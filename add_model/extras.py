"""What has to be installed beside this tool for what only some commands need: named so that it can be typed.

`pip install 'add-model[torch]'` works only where the tool itself comes from a package index; what it asks for always does.
"""

from __future__ import annotations

import re
import shlex
from importlib import metadata

_DISTRIBUTION = "add-model"


def install_command(extra: str) -> str:
    """The command that brings what an extra of this package asks for."""
    wanted = _requirements(extra)
    return f"pip install {shlex.join(wanted)}" if wanted else f"pip install '{_DISTRIBUTION}[{extra}]'"


def _requirements(extra: str) -> list[str]:
    try:
        lines = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    found: list[str] = []
    for line in lines:
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        if not re.search(rf"""extra\s*==\s*["']{re.escape(extra)}["']""", marker):
            continue
        own = re.fullmatch(rf"{_DISTRIBUTION}\[([\w, -]+)\]", requirement)
        others = own[1].split(",") if own else []
        found += [each for other in others for each in _requirements(other.strip())] if own else [requirement]
    return list(dict.fromkeys(found))
