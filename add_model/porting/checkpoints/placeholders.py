"""What stands for objects of a pickle that are no weights: each of a class of its own, which takes everything and does
nothing. Neither the module of such an object is imported, nor anything of it called.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import torch

# More kinds of objects than any script leaves beside its weights. For each the file is begun anew.
_MOST_KINDS = 32
_ASKED_FOR = re.compile(r"GLOBAL ([\w.]+)")
# A pickle that asks for one of these was made to do something: what it holds is not to be trusted, even where it is
# never called.
_OF_PROGRAMS = frozenset("os posix nt io _io sys urllib http tempfile shutil socket importlib runpy code codeop pty ctypes pickle marshal types webbrowser pdb pydoc timeit".split())  # fmt: skip
_PLAIN_BUILTINS = frozenset("set frozenset slice complex range bytearray object dict list tuple int float str bool bytes".split())  # fmt: skip
_MAPPINGS = frozenset(("collections.defaultdict", "collections.Counter"))


class Placeholder:
    """An object of a class that was not imported."""

    def __new__(cls, *_: Any, **__: Any) -> Placeholder:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        """Keeps nothing."""

    def __setstate__(self, _: Any) -> None:
        """Keeps nothing."""

    def __setitem__(self, *_: Any) -> None:
        """Keeps nothing."""


class _Mapping:
    """What stands for a mapping of a kind of its own, with a default say: a plain one, which keeps what is in it."""

    def __new__(cls, *_: Any, **__: Any) -> Any:
        return {}


@contextlib.contextmanager
def standing_for(names: list[str]) -> Iterator[None]:
    """Lets placeholders stand for these classes and functions while a file is loaded."""
    with torch.serialization.safe_globals([_class_called(name) for name in names]):
        yield


def asked_for(error: BaseException) -> str | None:
    """What a pickle asks for that was not loaded for this reason."""
    found = _ASKED_FOR.search(str(error))
    return None if found is None else found[1]


def may_stand_for(name: str, others: list[str]) -> bool:
    """Whether a placeholder may stand for it, beside those for others."""
    module, _, last = name.rpartition(".")
    root = module.partition(".")[0]
    if name in others:
        return False
    if root in ("", "builtins", "__builtin__"):
        # Torch names what is built in without its module.
        return last in _PLAIN_BUILTINS
    if root in _OF_PROGRAMS or root.endswith(("process", "processing")):
        return False
    return len(others) < _MOST_KINDS


def _class_called(name: str) -> type:
    module, _, last = name.rpartition(".")
    module = module or "builtins"
    base: type = _Mapping if name in _MAPPINGS else Placeholder
    return type(last, (base,), {"__module__": module, "__qualname__": last})
