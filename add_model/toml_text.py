"""TOML of a tree, parsed so that no text of it costs more than its size: what is nested without bottom is refused."""

from __future__ import annotations

import re
import sys

from add_model.values import TYPE_CHECKING

if sys.version_info >= (3, 11):
    from tomllib import TOMLDecodeError as TOMLDecodeError
    from tomllib import loads
else:
    from tomli import TOMLDecodeError as TOMLDecodeError
    from tomli import loads

if TYPE_CHECKING:
    from typing import Any

# A dotted key of so many parts takes the parser the square of that, in time and in memory.
_LONG_KEY = re.compile(r"""(?:^|[\[{,])[ \t]*(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){50}""", re.MULTILINE)


def parse_toml(text: str) -> dict[str, Any]:
    """What a TOML document holds.

    Raises:
        ValueError: it is none (`TOMLDecodeError`), or is nested too deeply, or holds too long a number, to be read.
    """
    if _LONG_KEY.search(text):
        raise ValueError("a key has too many parts")
    try:
        return loads(text)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
