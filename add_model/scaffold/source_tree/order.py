"""The order in which the tools of a library keep names."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(\d+)")


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key to sort names by, as the library's tools do: the numbers in them as numbers, so that `v4` precedes `v32`."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in _NUMBER.split(name) if part]
