"""From a Python file's bytes to its text, in the encoding that they declare."""

from __future__ import annotations

import codecs
import functools
import re
from pathlib import Path

from add_model.errors import AddModelError

_FIRST_LINES = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)?[^\r\n]*")
# As the language's reference has it.
# Encodings of text that are decoded in one go, a character for some bytes: those that source code is written in. What
# else Python calls an encoding compresses, escapes or computes names, and may take the square of the length.
_OF_TEXT = re.compile(
    r"ascii|utf-8(-sig)?|iso8859-\d+|cp\d+|koi8-[rtu]|kz1048|ptcp154|hp-roman8|tis-620|mac-[a-z-]+|palmos"
    r"|big5(hkscs)?|gb2312|gbk|gb18030|hz|johab|euc_(jp|kr|jis_2004|jisx0213)|shift_jis(_2004|x0213)?|iso2022_(jp(_\w+)?|kr)"
)
# Behind so many characters nothing declares an encoding.
_LONGEST_HEAD = 10_000
_DECLARED = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


class SourceError(AddModelError):
    """A module that cannot be read as Python text, with the place where that shows (1-based; 0 where unknown)."""

    def __init__(self, path: str | Path, problem: str, line: int = 0, column: int = 0) -> None:
        super().__init__(f"{path}:{line}:{column}: {problem}" if line else f"{path}: {problem}")
        self.path, self.problem, self.line, self.column = Path(path), problem, line, column


def decode(path: str | Path, content: bytes) -> tuple[str, str]:
    """The text of a file, every line ending in a single line feed and no byte order mark before it; its encoding.

    Raises:
        SourceError: the bytes are not in the encoding that they declare.
    """
    encoding = "utf-8"
    try:
        first_lines = _FIRST_LINES.match(content).group()  # type: ignore[union-attr]
        if b"coding" in first_lines or content.startswith(codecs.BOM_UTF8):
            encoding = _declared_encoding(first_lines)
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise SourceError(path, f"is not {encoding}: {error.reason}", line, column) from error
    except (SyntaxError, LookupError) as error:
        raise SourceError(path, f"declares an encoding that does not hold: {error}", 1, 1) from error
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, encoding


def encode(text: str) -> bytes:
    """The bytes of a text that nobody has saved yet, in the encoding that it declares; in UTF-8 where that does not hold."""
    first_lines = _FIRST_LINES.match(text[:_LONGEST_HEAD].encode("utf-8", "replace")).group()  # type: ignore[union-attr]
    try:
        return text.encode(_declared_encoding(first_lines) if b"coding" in first_lines else "utf-8")
    except (SyntaxError, LookupError, UnicodeEncodeError):
        return text.encode("utf-8", "surrogatepass")


@functools.lru_cache(maxsize=64)
def _declared_encoding(first_lines: bytes) -> str:
    """The encoding that the first two lines of a file declare.

    Raises:
        SyntaxError: there is no such encoding, or it contradicts the byte order mark.
    """
    declarations = [_DECLARED.match(line) for line in first_lines.splitlines()]
    # What nearly every file declares, or says in other words, needs nobody who knows all the encodings.
    if first_lines.isascii() and all(found is None or found[1].lower() == b"utf-8" for found in declarations):
        return "utf-8"
    import io
    from tokenize import detect_encoding

    # `tokenize` takes a line feed alone for the end of a line.
    lines = io.BytesIO(first_lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    encoding = detect_encoding(lines.readline)[0]
    if _OF_TEXT.fullmatch(codecs.lookup(encoding).name) is None:
        raise SyntaxError(f"{encoding} is none that source code is read in")
    return encoding
