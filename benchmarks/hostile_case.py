"""What a hostile input is to `hostile.py`: how to make it, a harmless one of its size beside it, and what reads both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Case(NamedTuple):
    """An input that is made to be expensive.

    Attributes:
        name: what it is, for the table.
        make_hostile: makes it in an empty folder.
        make_harmless: makes an ordinary input of so many bytes in an empty folder.
        command: the arguments of `add-model`, which runs in the folder.
    """

    name: str
    make_hostile: Callable[[Path], None]
    make_harmless: Callable[[Path, int], None]
    command: tuple[str, ...]
