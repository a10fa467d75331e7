"""The grammar of `# Copied from`: this module is the only place that knows how a marker is written.

    # Copied from <path>[ [with ]<replacement>{, <replacement>}]
    <replacement> := OLD->NEW[ all-casing]

A marker stands on a line of its own. Its path is dotted (a slash may stand for a dot between folders), begins with a
package, and names an object in one of its modules, so it has three parts or more. OLD and NEW hold no white space, and
none stands at the arrow. Everything else that a marker's line holds is understood by nobody; the marker still counts,
with what is understood of it, and says so in its `problems`.

A comment that says "copied from" a dotted path and is no marker is a `Mention`: written in lower case, without the
"from", behind other words, or behind code. So is one that begins with a path which is written in another way: in
quotes, behind a colon, with a colon or several dots between its parts or dots before them, or with two parts. Whether
a mention or a marker leads into the library is the business of `sources`.

An original may also be named by the address of its file on GitHub, at a commit or tag: an `Address`.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterator, Sequence

from add_model.errors import AddModelError
from add_model.lexical import comments
from add_model.values import NamedTuple

# What a marker may hold: no one that people wrote holds a tenth of it, and what is judged costs no more than it says.
MOST_CHARACTERS_OF_PATH, MOST_PARTS, MOST_REPLACEMENTS = 1_000, 50, 100
# A replaced text is so many times as long as the original at most, and may grow by so many characters in any case.
_MOST_GROWTH, _ALWAYS_GROWS = 16, 10_000
# So many characters of what a line holds are shown.
_SHOWN = 200

# Every spelling of "copied" that can start a marker holds these bytes; looking for them is what a file costs that
# holds no marker at all.
NEEDLE = b"opied"
_NEEDLE = NEEDLE.decode()

_WORD = r"[^\W\d]\w*"
_PATH = rf"{_WORD}(?:[./]{_WORD})+"
_MARKER = re.compile(
    rf"(?P<indent>[ \t]*)#[ \t]*Copied[ \t]+from[ \t]+(?P<source>{_PATH})[ \t]*(?P<rest>(?<=[ \t]).*)?$"
)
# What few lines hold is compiled when the first is there. Nothing here is looked for from every `#` of a line on: lines
# are long, and may hold thousands.
_SAID = rf"\bcopied(?:[ \t]+from)?(?P<colon>[ \t]*:[ \t]*|[ \t]+)(?P<quotes>[\"'`]*)(?P<source>\.*{_WORD}(?:(?:\.+|[/:]){_WORD})+)"
_MENTION = rf"#(?P<before>.*?){_SAID}"
_BEHIND_QUOTES = r"[\"'`]*,?[ \t]*(?:$|with\b|\S+[ \t]*->)"
_REPLACEMENT = re.compile(r"(?P<old>\S+)->(?P<new>\S+)(?:\s+(?P<option>.*))?$")
# Compiled when the first is there.
_ADDRESS = (
    r"(?P<indent>[ \t]*)#[ \t]*Copied[ \t]+from[ \t]+(?P<address>https?://github\.com/(?P<repository>\w[\w.-]*/\w[\w.-]*)/blob/"
    r"(?P<revision>\w[\w.+-]*)/(?P<path>\w[\w./-]*\.py))(?:#L(?P<first>\d{1,7})\S*)?\.?(?P<rest>[ \t].*)?$"
)
# What moves on says nothing of what was copied.
_BRANCHES = frozenset({"main", "master", "dev", "develop", "trunk", "head"})
_COPIED = "Copied"
_MARKER_LINE = re.compile(rf"[ \t]*#[ \t]*{_COPIED}[ \t]+from[ \t]+{_PATH}(?:[ \t][^\n]*)?(?:\n|\Z)")
_WITH = re.compile(r"^with\b\s*")
_ALL_CASING = "all-casing"
_OTHER_QUOTES = str.maketrans("\"'", "'\"")


class Replacement(NamedTuple):
    """`OLD->NEW`: text for text, everywhere in the copied block.

    Attributes:
        old: what the original says. Never empty.
        new: what the copy says instead.
        all_casing: whether the lower-cased and the upper-cased pair follow the pair itself.
    """

    old: str
    new: str
    all_casing: bool = False

    def pairs(self) -> list[tuple[str, str]]:
        """The pairs of texts to replace, in the order in which they apply."""
        pairs = [(self.old, self.new)]
        if self.all_casing:
            pairs += [(self.old.lower(), self.new.lower()), (self.old.upper(), self.new.upper())]
        return pairs

    def __str__(self) -> str:
        return f"{self.old}->{self.new}" + (f" {_ALL_CASING}" if self.all_casing else "")


class Marker(NamedTuple):
    """A `# Copied from` line.

    Attributes:
        indent: the white space before it, which is that of the definition it governs.
        source: the dotted path of the original.
        replacements: what to replace in the original, in order.
        problems: the parts of the line that are not understood, each as a message.
    """

    indent: str
    source: str
    replacements: tuple[Replacement, ...] = ()
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        replacements = ", ".join(map(str, self.replacements))
        return f"{self.indent}# Copied from {self.source}" + (f" with {replacements}" if replacements else "")


class Oversized(NamedTuple):
    """A `# Copied from` line that holds more than any marker does, and is not read.

    Attributes:
        source: the start of the dotted path.
        why: what it holds too much of, as a message.
    """

    source: str
    why: str


class Mention(NamedTuple):
    """A comment that says "copied from" a dotted path, or nearly so, but not as a marker does.

    Attributes:
        source: the dotted path; dots before it are those of a path that starts at the file's own package.
        why: what keeps it from being a marker, as the end of a sentence.
        first: whether its comment begins with it. What somebody has put other words before had been right once.
    """

    source: str
    why: str
    first: bool = True


class Address(NamedTuple):
    """A `# Copied from` line that names its original by its address on GitHub.

    Attributes:
        indent: the white space before it.
        repository: owner and name.
        revision: the commit or tag, or a branch.
        path: the file in it.
        first: the first of the lines that it names, if it names some.
        replacements: what to replace in the original, in order.
        source: the address, less its lines.
    """

    indent: str
    repository: str
    revision: str
    path: str
    first: int | None
    replacements: tuple[Replacement, ...]
    source: str


class GrownTooLong(AddModelError):
    """Replacements that make a text many times as long as it was."""


def replace(text: str, replacements: Sequence[Replacement], length: int | None = None) -> str:
    """Applies replacements from left to right, each to the result of the one before.

    Quotes in what is replaced stand for those of the other style where there are none of their own.

    Args:
        text: what the original says.
        replacements: in their order.
        length: how long the text was before any replacement, if it is the result of some.

    Raises:
        GrownTooLong: the result would be many times as long.
    """
    most = (len(text) if length is None else length) * _MOST_GROWTH + _ALWAYS_GROWS
    for replacement in replacements:
        for old, new in replacement.pairs():
            if ('"' in old or "'" in old) and old not in text:
                old, new = old.translate(_OTHER_QUOTES), new.translate(_OTHER_QUOTES)
            growth = len(new) - len(old)
            # Counted where so many might stand there that it matters.
            if growth > 0 and len(text) + len(text) // len(old) * growth > most:
                if len(text) + text.count(old) * growth > most:
                    raise GrownTooLong(
                        f"`{_shown(str(replacement))}` makes the original more than {_MOST_GROWTH} times as long"
                    )
            text = text.replace(old, new)
    return text


@functools.lru_cache(maxsize=4096)
def read_comment(line: str) -> Marker | Mention | Oversized | Address | None:
    """Reads one line of code; `None` where it speaks of no copy."""
    marker = _MARKER.match(line)
    if marker:
        indent, source, rest = marker.groups()
        source = _dotted(source)
        if source.count(".") >= 2:
            excess = _excess(source, rest or "")
            if excess:
                return Oversized(source[:_SHOWN], excess)
            return Marker(indent, source, *_read_replacements(rest or ""))
    if "://github.com/" in line and len(line) <= MOST_CHARACTERS_OF_PATH:
        address = re.match(_ADDRESS, line)
        is_fixed = address is not None and address["revision"].lower() not in _BRANCHES
        if address is not None and is_fixed and ".." not in address["path"]:
            return _read_address(address)
    comment = next(comments(line), "") if "#" in line and re.search(_SAID, line, re.IGNORECASE) else ""
    mention = re.match(_MENTION, comment, re.IGNORECASE)
    return None if mention is None else _read_mention(line.removesuffix(comment), mention)


def _read_address(match: re.Match[str]) -> Address:
    first = int(match["first"]) if match["first"] else None
    replacements = _read_replacements(match["rest"] or "")[0]
    return Address(
        match["indent"], match["repository"], match["revision"], match["path"], first, replacements, match["address"]
    )


def _excess(source: str, rest: str) -> str:
    """What a marker holds too much of, as a message; empty for one that can be read."""
    parts, commas = source.count(".") + 1, rest.count(",")
    if parts > MOST_PARTS or len(source) > MOST_CHARACTERS_OF_PATH:
        return (
            f"the marker's path has {parts} parts and {len(source)} characters; "
            f"one of more than {MOST_PARTS} or {MOST_CHARACTERS_OF_PATH} is not read"
        )
    if commas >= MOST_REPLACEMENTS:
        return f"the marker has {commas + 1} replacements; one with more than {MOST_REPLACEMENTS} is not read"
    return ""


def find_comments(text: str, first: int = 0) -> Iterator[tuple[int, Marker | Mention | Oversized | Address]]:
    """Every marker and mention of a module's text, each with the offset of its line; none stands before `first`."""
    position = text.find(_NEEDLE, first)
    while position >= 0:
        start, end = text.rfind("\n", 0, position) + 1, text.find("\n", position)
        end = len(text) if end < 0 else end
        comment = read_comment(text[start:end])
        if comment is not None:
            yield start, comment
        position = text.find(_NEEDLE, end)


def without_markers(text: str) -> str:
    """The text without its marker lines: inside a copied block they are not compared."""
    kept, end = [], 0
    for start, behind in _marker_extents(text):
        kept.append(text[end:start])
        end = behind
    return "".join([*kept, text[end:]]) if end else text


def marker_lines(text: str) -> str:
    """The marker lines of a text, and nothing else of it."""
    return "".join(text[slice(*extent)] for extent in _marker_extents(text))


def _marker_extents(text: str) -> Iterator[tuple[int, int]]:
    position = text.find(_COPIED)
    while position >= 0:
        start = text.rfind("\n", 0, position) + 1
        line = _MARKER_LINE.match(text, start)
        if line is not None:
            yield start, line.end()
        position = text.find(_COPIED, line.end() if line is not None else position + 1)


@functools.lru_cache(maxsize=1024)
def _read_replacements(rest: str) -> tuple[tuple[Replacement, ...], tuple[str, ...]]:
    replacements: list[Replacement] = []
    problems: list[str] = []
    for part in rest.split(",") if rest else ():
        # Released trees repeat the word behind a comma, and leave it dangling at the end of the line.
        part = _WITH.sub("", part.strip())
        match = _REPLACEMENT.match(part)
        if match is None:
            if part:
                problems.append(
                    f"`{_shown(part)}` is not understood: a replacement is OLD->NEW, without spaces at the arrow"
                )
            elif rest.strip():
                problems.append("a replacement is missing")
            continue
        option = (match["option"] or "").strip()
        replacements.append(Replacement(match["old"], match["new"], option == _ALL_CASING))
        if option not in ("", _ALL_CASING):
            problems.append(
                f"`{_shown(option)}` behind `{_shown(match['old'])}->{_shown(match['new'])}` is not understood"
            )
    return tuple(replacements), tuple(problems)


def _shown(text: str) -> str:
    """A part of a line for a message, which no line makes any longer than lines are."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _dotted(source: str) -> str:
    # Many markers name the same source: one text for all of them takes less room wherever they are kept.
    return sys.intern(source.replace("/", "."))


def _read_mention(code: str, mention: re.Match[str]) -> Mention | None:
    written, first = mention["source"], not mention["before"].strip()
    names = re.findall(_WORD, written)
    if len(names) > MOST_PARTS or len(written) > MOST_CHARACTERS_OF_PATH:
        return None
    odd = _what_is_odd(mention, len(names))
    # Where the path is odd as well, other words before it make it prose.
    if odd and (not first or _is_prose(mention, names)):
        return None
    dots = written[: len(written) - len(written.lstrip("."))]
    return Mention(sys.intern(dots + ".".join(names)), _why_no_marker(code, mention, odd), first)


def _what_is_odd(mention: re.Match[str], parts: int) -> str:
    """What of the path itself keeps a comment from being a marker, as the end of a sentence; empty if nothing does."""
    written = mention["source"]
    if mention["quotes"]:
        return "its path stands in quotes"
    if ":" in mention["colon"]:
        return "a colon stands before its path"
    if written.startswith("."):
        return "its path starts with a dot, not with the package"
    if ":" in written or ".." in written:
        return "between two names of its path stands something else than one dot"
    return "" if parts > 2 else "its path has two parts; a marker's names a package, a module, and what stands in it"


def _is_prose(mention: re.Match[str], names: list[str]) -> bool:
    """Whether what stands in place of a path may just as well be the name of a file or a class, or words about one."""
    if mention["quotes"] and not re.match(_BEHIND_QUOTES, mention.string[mention.end() :]):
        return True
    return len(names) == 2 and (names[1] == "py" or names[0] != names[0].lower())


def _why_no_marker(code: str, mention: re.Match[str], odd: str) -> str:
    if code.strip():
        return "it stands behind code; give it a line of its own, above the definition"
    if mention["before"].strip():
        return f"`{_shown(mention['before'].strip())}` stands before it; a marker starts with `# Copied from`"
    if "Copied from" not in mention.group():
        return "it is not written `Copied from`"
    if odd:
        return odd
    return "words follow its path that belong to no replacement"
