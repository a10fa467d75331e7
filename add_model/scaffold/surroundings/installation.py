"""How add-model came to be installed here, so that a project it lays down can get it from the same place."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

_DISTRIBUTION = "add-model"
# What stands in an address as it is, whether a shell, YAML or TOML reads it; anything else is no address to pass on.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9_.~:@/%+-]+")
_WORD = re.compile(r"[A-Za-z0-9_./-]+")


def tool_requirement() -> str | None:
    """What to hand to pip for the add-model that is running; `None` where nobody else can get it from where it came.

    An installer that takes a distribution from anywhere but an index writes down from where (PEP 610).
    """
    # Not at the top: it takes longer to import than most of what `like` does.
    from importlib import metadata

    try:
        distribution = metadata.distribution(_DISTRIBUTION)
        said = distribution.read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    if said is None:
        return f"{_DISTRIBUTION}~={distribution.version.partition('+')[0]}"
    try:
        return direct_requirement(json.loads(said))
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def direct_requirement(record: Any) -> str | None:
    """The requirement that a record of PEP 610 stands for; `None` for a folder or a file of one machine.

    Raises:
        ValueError, TypeError, AttributeError, KeyError: it is no such record.
    """
    address = _public(record["url"])
    if address is None:
        return None
    control = record.get("vcs_info")
    if control is not None:
        system, commit = control["vcs"], control["commit_id"]
        if not (_WORD.fullmatch(system) and _WORD.fullmatch(commit)):
            return None
        address = f"{system}+{address}@{commit}"
    folder = record.get("subdirectory")
    if folder:
        if not _WORD.fullmatch(folder):
            return None
        address = f"{address}#subdirectory={folder}"
    return f"{_DISTRIBUTION} @ {address}"


def _public(address: str) -> str | None:
    """An address without who logs in there, where that may be a secret; `None` where others cannot reach it."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "file" or not host:
        return None
    # `ssh://git@host` is a part of the address; a password, or a token in place of a name, is not.
    user = parts.netloc.rpartition("@")[0].partition(":")[0]
    keeps_user = bool(user) and parts.scheme not in ("http", "https")
    public = urlunsplit((parts.scheme, f"{user}@{host}" if keeps_user else host, parts.path, "", ""))
    return public if _ADDRESS.fullmatch(public) else None
