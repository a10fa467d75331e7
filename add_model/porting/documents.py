"""JSON and TOML that somebody else may have written: read in time and memory that follow from the file's size.

Whatever is wrong with such a file is an `OSError` or a `ValueError`: no text is deep or long enough for anything else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from add_model import toml_text
from add_model.reading import read_bytes

# The largest document that is read. The index of a checkpoint has a line for each weight.
MOST_BYTES = 32_000_000
# No configuration, rule or record is nested as deeply, and everything that walks through one calls itself.
_DEEPEST = 64


def read_json(path: Path, most: int = MOST_BYTES) -> Any:
    """The value in a JSON file.

    Raises:
        OSError: the file cannot be read, is too large, or is no regular file.
        ValueError: it is no JSON, no UTF-8, or nested too deeply.
    """
    return parse_json(read_bytes(path, most))


def parse_json(text: bytes | str) -> Any:
    """The value that a text in JSON, in UTF-8, stands for.

    Raises:
        ValueError: it is no JSON, no UTF-8, or nested too deeply.
    """
    try:
        content = json.loads(text.decode("utf-8") if isinstance(text, bytes) else text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    refuse_depth(content)
    return content


def parse_toml(text: str) -> dict[str, Any]:
    """The values that a text in TOML stands for.

    Raises:
        ValueError: it is no TOML, or nested too deeply.
    """
    content = toml_text.parse_toml(text)
    refuse_depth(content)
    return content


def refuse_depth(content: Any) -> None:
    """Raises `ValueError` where lists and mappings are nested too deeply for what walks through them."""
    level = [content]
    for _ in range(_DEEPEST):
        level = [inner for value in level if isinstance(value, (list, Mapping)) for inner in _inside(value)]
        if not level:
            return
    raise ValueError("it is nested too deeply")


def _inside(value: Any) -> Any:
    return value.values() if isinstance(value, Mapping) else value
