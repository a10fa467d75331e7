"""Names and lines that were chosen to steer a terminal or a CI runner, and what a command that shows them may print.

What counts as hidden is worked out here from what Unicode says of a character, without the tool's own list.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import unicodedata
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from tests.cli.commands import add_model_process, forget_modules

# Stands at the start of a line of its own in many names below.
INJECTED = "INJECTED"
_PIECES = (
    "\x1b[31m", "\x1b]0;title\x07", "\x1b[2J", "\x9b1m", "\x00", "\x08", "\x0b", "\x0c", "\r", "\x7f", "\x85", "\n", "\t",
    f"\n{INJECTED}", f"\r{INJECTED}", f"\u2028{INJECTED}", f"\x85{INJECTED}", "\n::error::stop", "\n  ::add-mask::a", "::error file=a::b",
    "##[error]c", "##vso[task.complete]d", "\u202e", "\u2066", "\u2069", "\u200f", "\u061c", "\u200b", "\u200d", "\ufeff",
    "\u00ad", "\u2029", "[red]", "[link=http://a]b[/link]", "[/]", ":smile:", "<b>&", "%0A::", "'", '"', "\\", "$(x)", " ", "a" * 200,
    "é", "中文", "😀", "name",
)  # fmt: skip
# Prepended concatenation marks are seen, though Unicode counts them among what is not.
_SEEN = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_DIRECTION = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
# Where a line of code is shown, tabs and all.
_CODE = re.compile(r"(    (expected|found|conflict) |[-+ ]|to = |from = )")
_OWN_COMMAND = re.compile(r"::(error|warning) title=CP\d{3},file=[^\s:,]+( [^:,]*)?,line=\d+,endLine=\d+::")

texts = st.lists(st.sampled_from(_PIECES) | st.text(max_size=4), min_size=1, max_size=4).map("".join)
# What a file may be called: neither a separator nor a zero, nor too long; bytes that are no text among them.
file_names = st.lists(
    st.sampled_from([piece for piece in _PIECES if len(piece) < 40]).map(os.fsencode) | st.binary(min_size=1, max_size=2),
    min_size=1,
    max_size=4,
).map(lambda pieces: b"n" + b"".join(pieces).replace(b"/", b"_").replace(b"\0", b"_"))  # fmt: skip


def on_one_line(text: str) -> str:
    """The text without what would end a comment, a string or a line of Python; the rest is as odd as it was."""
    return re.sub(r"[\n\r\0\"'\\]", "", text)


class Said(NamedTuple):
    """What a command has printed, in bytes, and its exit code."""

    code: int
    output: bytes
    errors: bytes

    def check(self, own_commands: bool = False) -> Said:
        """Asserts that nothing in it hides or steers; `own_commands` are those of the format of GitHub."""
        for stream in (self.output, self.errors):
            for line in stream.decode("utf-8").split("\n"):
                _check_line(line, own_commands)
        return self


def said(folder: Path, *arguments: str) -> Said:
    """Runs `add-model` in this process, through its real entry, and returns the bytes that it prints."""
    from add_model.cli import main

    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", errors) for errors in ("strict", "backslashreplace")]
    before, argv, stdin, path, loaded = os.getcwd(), sys.argv, sys.stdin, list(sys.path), dict(sys.modules)
    code: object = None
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]), open(os.devnull) as nothing:
        try:
            os.chdir(folder)
            sys.argv, sys.stdin = ["add-model", *arguments], nothing
            main()
        except SystemExit as end:
            code = end.code
        finally:
            os.chdir(before)
            sys.argv, sys.stdin, sys.path[:] = argv, stdin, path
            forget_modules({name for name, module in sys.modules.items() if loaded.get(name) is not module}, folder)
    for stream in streams:
        stream.flush()
    output, errors = (stream.buffer.getvalue() for stream in streams)  # type: ignore[attr-defined]
    return Said(int(code or 0), output, errors)  # type: ignore[call-overload]


def said_by_process(folder: Path, *arguments: str) -> Said:
    """The same, by a process of its own."""
    result = add_model_process(folder, *arguments)
    return Said(result.returncode, result.stdout.encode(), result.stderr.encode())


def _check_line(line: str, own_commands: bool) -> None:
    hidden = [character for character in line if _is_hidden(character)]
    if _CODE.match(line):
        hidden = [character for character in hidden if character != "\t"]
    assert not hidden, (hidden, line)
    if own_commands and _OWN_COMMAND.match(line):
        return
    start = line.lstrip()
    assert not line.startswith("::") and not re.match("::.*::", start), line
    assert not start.startswith(INJECTED), line
    assert "##[" not in line and "##vso[" not in line, line


def _is_hidden(character: str) -> bool:
    kind = unicodedata.category(character)
    if kind in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(character) in _DIRECTION:
        return True
    return kind == "Cf" and character not in _SEEN
