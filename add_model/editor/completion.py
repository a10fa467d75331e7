"""What may be written next in a marker: a part of its path, or a replacement."""

from __future__ import annotations

import os
import re
from collections import Counter

from add_model.copies.language.marker import Marker, Replacement, find_comments, read_comment
from add_model.copies.reading.outlook import Kind
from add_model.copies.reading.sources import Sources
from add_model.editor.held import Held, offset_of
from add_model.encoding import SourceError
from add_model.values import NamedTuple

_PATH = re.compile(r"[ \t]*#[ \t]*Copied[ \t]+from[ \t]+(?P<path>[\w.]*)$")
_WITH = re.compile(r"(?P<marker>[ \t]*#[ \t]*Copied[ \t]+from[ \t]+[\w.]+)[ \t]+(?:with[ \t]+(?P<before>.*,)?[ \t]*)?(?P<begun>[^\s,]*)$")  # fmt: skip
_BELOW = re.compile(r"[ \t]*(?:class|(?:async[ \t]+)?def)[ \t]+(\w+)")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+")


class Proposal(NamedTuple):
    """A text that may stand next.

    Attributes:
        text: it.
        kind: "package", "module", "class", "function" or "replacement".
        typed: how many characters of it stand there already.
    """

    text: str
    kind: str
    typed: int


def proposals(held: Held, path: str, line: int, column: int) -> list[Proposal]:
    """What may be written next at a column of a line, both counted from 0; nothing where that is in no marker."""
    module = held.module(path)
    if module is None:
        return []
    start = offset_of(module.text, line)
    typed = module.text[start : start + column]
    found = _PATH.match(typed)
    if found is not None:
        before, _, begun = found["path"].rpartition(".")
        return [
            Proposal(name, kind, len(begun))
            for name, kind in sorted(_parts(held.sources, before).items())
            if name.startswith(begun)
        ]
    found = _WITH.match(typed)
    if found is None:
        return []
    marker = read_comment(found["marker"])
    if not isinstance(marker, Marker):
        return []
    below = _BELOW.search(module.text, start + len(typed))
    prefix = "" if re.search(r"\bwith\b", typed[len(found["marker"]) :]) else "with "
    begun = found["begun"]
    texts = _replacements(held, path, marker, below[1] if below is not None else "")
    return [
        Proposal(text, "replacement", len(begun))
        for text in (prefix + str(each) for each in texts)
        if text.startswith(begun)
    ]


def _parts(sources: Sources, path: str) -> dict[str, str]:
    """What may follow the parts of a path, each with its kind."""
    if not path:
        return dict.fromkeys([*sources.library.packages, *sources.layout.packages], "package")
    top, *inside = path.split(".")
    folder = sources.package_folder(top)
    for number, name in enumerate(inside):
        if folder is None:
            return {}
        file = os.path.join(folder, f"{name}.py")
        folder = os.path.join(folder, name)
        if not sources.outlook.has_folder(folder) and sources.outlook.kind(file) is Kind.FILE:
            return _definitions(sources, file, ".".join(inside[number + 1 :]))
    found: dict[str, str] = {}
    for name in sources.outlook.entries(folder) if folder is not None else ():
        if not name.startswith("__"):
            is_module = sources.outlook.kind(os.path.join(str(folder), f"{name}.py")) is Kind.FILE
            found[name] = "module" if is_module else "package"
    return found


def _definitions(sources: Sources, file: str, around: str) -> dict[str, str]:
    """The definitions of a module, or of a class in it, right below that."""
    try:
        module = sources.module(file)
    except SourceError:
        return {}
    prefix = f"{around}." if around else ""
    return {
        name[len(prefix) :]: "class" if module.text.startswith("class", each.header + len(each.indent)) else "function"
        for name, each in module.definitions.items()
        if name.startswith(prefix) and "." not in name[len(prefix) :]
    }


def _replacements(held: Held, path: str, marker: Marker, name: str) -> list[Replacement]:
    """The replacements that make the original's name the copy's, and those that the file's other markers have."""
    original = held.original(marker)
    found: Counter[Replacement] = Counter()
    module = held.module(path)
    for _, other in find_comments(module.text) if module is not None else ():
        if isinstance(other, Marker):
            found.update(other.replacements)
    named = _between(original.definition.name.rpartition(".")[2], name) if original is not None and name else None
    usual = [replacement for replacement, _ in found.most_common()]
    return list(dict.fromkeys([*([named] if named is not None else []), *usual]))


def _between(old: str, new: str) -> Replacement | None:
    """What makes one name the other: the words in which they differ, less those that both begin and end with."""
    olds, news = _WORD.findall(old), _WORD.findall(new)
    while olds and news and olds[-1] == news[-1]:
        olds.pop(), news.pop()
    while len(olds) > 1 and len(news) > 1 and olds[0] == news[0]:
        olds.pop(0), news.pop(0)
    return Replacement("".join(olds), "".join(news)) if olds and news and olds != news else None
