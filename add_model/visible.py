"""How names and lines that somebody else wrote are shown: nothing in them moves, hides or commands.

A checkout, a checkpoint or a recording may call anything anything. What would steer a terminal, turn the reading
direction, take no room or begin another line is shown as the escape that Python writes for it: `\\x1b`, `\\u202e`, `\\n`.
So are the signs by which a CI runner takes a line of a log for a command. All other text stays as it is, and text that
has been through here once stays so as well. This is for what is shown: what is written to files keeps its bytes.

A check of an unchanged tree loads this module, which must not take its time: the pattern is compiled when it is needed.
"""

from __future__ import annotations

import re

from add_model.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

# Control characters and surrogates, which stand for bytes that are no text; what separates lines and paragraphs; what has
# no width, the joiners and the fillers included; what turns the reading direction; annotations and tags, which are
# invisible as well.
_HIDDEN = (
    r"[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    r"\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
# What begins a command to the runners of GitHub and Azure, wherever in a line it stands: its second character.
_COMMAND_ANYWHERE = r"(?<=#)#(?=(?i:vso)?\[)"
# What begins one where nothing but white space stands before it.
_COMMAND = "::"
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def visible(text: str, keep: str = "") -> str:
    """A name, or a text within a line, as it is shown; `keep` holds what stays of it: a tab for code."""
    if text.isascii() and text.isprintable() and "##" not in text:
        return text

    def escaped(match: re.Match[str]) -> str:
        character = match.group()
        return character if character in keep else _escape(character)

    return re.sub(f"{_HIDDEN}|{_COMMAND_ANYWHERE}", escaped, text)


def visible_line(text: str, keep: str = "") -> str:
    """A line of its own as it is shown: one line, and no command to a runner that reads it in a log."""
    text = visible(text, keep)
    if _COMMAND in text:
        start = text.lstrip()
        # At the margin nobody means it; further in it takes a second one to make a command.
        if start.startswith(_COMMAND) and (start == text or _COMMAND in start[len(_COMMAND) :]):
            return text.replace(":", r"\x3a", 1)
    return text


def visible_lines(text: str) -> str:
    """A text of several lines, whose line feeds and tabs are meant, as it is shown."""
    return "\n".join(visible_line(line, keep="\t") for line in text.split("\n"))


def as_json(value: Any) -> str:
    """A JSON document whose text is plain ASCII: every value is what it was, once it is read."""
    import json

    # Such signs stand in nothing but strings there.
    return re.sub(_COMMAND_ANYWHERE, r"\\u0023", json.dumps(value, indent=2))


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return _SHORT.get(character) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
