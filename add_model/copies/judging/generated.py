"""Files that a converter writes from a modular file: what stands there whole is taken over as it is, so that it tells an edit.

A function of the modular file, and a class that builds on none of another model, come out of Transformers' converter
unchanged. What a class inherits is written out there as the converter of one release does it; no more is said of that.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator

from add_model.copies.finding import Code, Finding, Severity
from add_model.copies.judging.place import digests_of
from add_model.copies.language.equality import blocks_match
from add_model.copies.language.marker import without_markers
from add_model.copies.reading.outlook import Kind
from add_model.copies.reading.sources import Sources
from add_model.source import Module
from add_model.values import NamedTuple

# The banner, which stands so many bytes from the top at most.
_BANNER, _HEAD = re.compile(rb"automatically generated from (?:[\w./-]*/)?(modular_\w+\.py)\b"), 2_000
_WORD = re.compile(rb"\w+")
# Patterns that begin with the line feed before, which is found soonest.
_DEFINED = re.compile(rb"\n(?:class |def |async def )(\w+)")
_STATEMENT = re.compile(rb"\n(?:(class|def|async def) (\w+)|[^\s)#])")
_IMPORT = re.compile(rb"\nfrom (\.\.(?!\.)|[.\w]*\bmodels\.)[\w.]* import ")


class _Whole(NamedTuple):
    """A definition that stands whole in a modular file: its name and, as they look, its lines and the end of the one before."""

    name: str
    lines: bytes


def check_generated(content: bytes, path: str, relative: str, sources: Sources) -> Iterator[Finding]:
    """Compares a file that a banner says to be generated with the modular file beside it, if there is one.

    Raises:
        SourceError: something differs, and the text of one of the two cannot be decoded.
    """
    named = _BANNER.search(content, 0, _HEAD)
    modular_path = os.path.join(os.path.dirname(path), named[1].decode()) if named else path
    if modular_path == path or sources.outlook.kind(modular_path) is not Kind.FILE:
        return
    sources.used.add(modular_path)
    try:
        # Whatever stands first stands behind a line feed, too.
        written = b"\n" + sources.read(modular_path)
    except OSError:
        # That is said of the file itself.
        return
    defined = {each[1].decode("utf-8", "replace"): each.start() for each in _DEFINED.finditer(content)}
    for whole in _standing_whole(written):
        at = defined.get(whole.name)
        # Nearly all stand there to the byte, which takes no look at the text.
        if at is None or content.startswith(whole.lines, at):
            continue
        module, modular = sources.remember(path, content), sources.module(modular_path)
        copy, original = (_block(each, whole.name) for each in (module, modular))
        if copy is None or original is None or blocks_match(without_markers(original[0]), without_markers(copy[0])):
            continue
        name = os.path.basename(modular_path)
        yield Finding(
            Code.CP014,
            Severity.ERROR,
            relative,
            *copy[1],
            whole.name,
            sources.absolute(f".{name.removesuffix('.py')}.{whole.name}", path),
            f"differs from {name}, which this file is generated from: change it there, and generate this file anew",
            digests=digests_of(copy[0], original[0]),
        )


def _block(module: Module, name: str) -> tuple[str, tuple[int, int]] | None:
    """A definition's lines from its header on, with the numbers of the first and the last; `None` where there is none."""
    found = module.find(name)
    if found is None:
        return None
    return module.text[found.header : found.end], (module.line_of(found.header), module.line_of(found.end - 1))


# The files that are generated from one stand in its folder, and are checked one behind the other.
@functools.lru_cache(maxsize=2)
def _standing_whole(content: bytes) -> tuple[_Whole, ...]:
    """The functions at the left of a modular file, and its classes with no base from another model."""
    found, foreign = [], _imported_from_models(content)
    statements = list(_STATEMENT.finditer(content))
    for statement, behind in zip(statements, [*statements[1:], None], strict=True):
        if statement[2] is None:
            continue
        start, end = statement.start(), len(content) if behind is None else behind.start()
        if statement[1] == b"class":
            bases = _WORD.findall(content, statement.end(), max(start, content.find(b":", start)))
            if foreign.intersection(bases):
                foreign.add(statement[2])
                continue
        lines = content[start:end].rstrip() + b"\n"
        # What looks like a statement may be a line of a long string: then nothing but the text tells where it ends.
        is_cut = lines.count(b'"""') % 2 or lines.count(b"'''") % 2
        found.append(_Whole(statement[2].decode("utf-8", "replace"), content if is_cut else lines))
    return tuple(found)


def _imported_from_models(content: bytes) -> set[bytes]:
    """The names that come from other models: from a folder beside this one, or by the whole path."""
    found: set[bytes] = set()
    for imported in _IMPORT.finditer(content):
        start = imported.end()
        closed = b")" if content.startswith(b"(", start) else b"\n"
        found.update(_WORD.findall(content, start, max(start, content.find(closed, start))))
    return found
