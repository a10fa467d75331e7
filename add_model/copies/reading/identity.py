"""Which definition of its file a copy is, said so that it holds while lines come and go."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from add_model.definitions import find_definitions
from add_model.source import Module


def identity(module: Module, header: int) -> str:
    """The dotted name of the definition whose header starts there, and its number among those of that name."""
    return _identities(module.text).get(header, "")


def header_of(module: Module, identity: str) -> int | None:
    """Where the header of that definition starts, if there is one."""
    name, _, number = identity.rpartition(" ")
    headers = _headers(module.text).get(name, ())
    return headers[int(number)] if number.isdigit() and int(number) < len(headers) else None


# A run asks for many definitions of a file, and in every round anew.
@functools.lru_cache(maxsize=256)
def _identities(text: str) -> Mapping[int, str]:
    return {
        header: f"{name} {number}" for name, headers in _headers(text).items() for number, header in enumerate(headers)
    }


@functools.lru_cache(maxsize=256)
def _headers(text: str) -> Mapping[str, Sequence[int]]:
    headers: dict[str, list[int]] = {}
    for definition in sorted(find_definitions(text), key=lambda definition: definition.header):
        headers.setdefault(definition.name, []).append(definition.header)
    return headers
