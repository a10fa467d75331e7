"""From which version of an installed package a block was copied, so that a newer version can be told from an edit.

A library that `follows` an installed package holds its copies to it as to originals of its own. What a block and its
original were when the block was written stands in `.add-model/models/NAME/copied.json`, by digest: whichever no longer
fits has moved. Nothing here is imported from the package; its version is read off its files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from add_model.copies.finding import Moved
from add_model.copies.judging.pair import Pair, Verdict, governed_header
from add_model.copies.language.marker import Marker, find_comments
from add_model.copies.language.region import own_name
from add_model.copies.reading.files import relative_path
from add_model.copies.reading.sources import Original, Sources
from add_model.encoding import SourceError
from add_model.installed import installed_version
from add_model.library import Library
from add_model.reading import read_bytes, read_settings
from add_model.source import decode_module
from add_model.state import STATE_FOLDER
from add_model.transaction import Change

RECORD = "copied.json"
# Path relative to the root -> name of the block -> what is recorded of it.
_Blocks = dict[str, dict[str, "Birth"]]


@dataclass(frozen=True)
class Birth:
    """A block as it was written.

    Attributes:
        source: dotted path of its original.
        version: the version of the original's package.
        original: digest of the original.
        copy: digest of the block.
    """

    source: str
    version: str
    original: str
    copy: str


class Versions:
    """What is recorded of the blocks of a library."""

    def __init__(self, library: Library) -> None:
        """Reads the records; one that cannot be read is none."""
        self._library = library
        self._records = dict(_read_records(library.root)) if library.configuration.follows else {}

    @property
    def are_recorded(self) -> bool:
        """Whether anything is recorded."""
        return bool(self._records)

    def of(self, pair: Pair) -> Birth | None:
        """What is recorded of a copy; `None` where nothing is, or the marker names another original now."""
        path = relative_path(pair.module.path, self._library.root)
        for blocks in self._records.values():
            birth = blocks.get(path, {}).get(_name(pair))
            if birth is not None and birth.source == pair.marker.source:
                return birth
        return None

    def renewed(self, read: Callable[[str], bytes]) -> list[Change]:
        """The records, brought up to date with every block that equals its original.

        Args:
            read: how files are read; a fix has them as it is about to write them.
        """
        changes = []
        for path, blocks in self._records.items():
            current = {
                file: known | _births(self._library, file, read, known) for file, known in blocks.items()
            }  # fmt: skip
            if current != blocks:
                before = read_settings(path)
                changes.append(Change(path, dump(current).encode(), expected=before))
        return changes


def record(library: Library, modules: Mapping[str, str]) -> str:
    """The record of modules that are about to be written, as the text of its file.

    Args:
        library: where they are going to stand.
        modules: path relative to the library's root -> text.
    """

    def read(path: str) -> bytes:
        relative = relative_path(path, library.root)
        return modules[relative].encode() if relative in modules else read_bytes(path)

    return dump({path: births for path in modules if (births := _births(library, path, read))})


def dump(blocks: _Blocks) -> str:
    """The text of a record."""
    document = {path: {name: asdict(birth) for name, birth in births.items()} for path, births in blocks.items()}
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def versions_sentence(library: Library, moved: Moved, birth: Birth) -> str:
    """Which side of a copy has moved, with the versions, as the end of a sentence about a difference."""
    package = birth.source.partition(".")[0]
    before, now = (
        f"{package} {birth.version}",
        f"{package} {installed_version(package, library.environment, library.root)}",
    )
    if moved is Moved.ORIGINAL:
        return f"the original moved from {before}, which it was copied from, to {now}, which is installed"
    if moved is Moved.COPY:
        return f"the copy moved since it was made from {before}"
    if moved is Moved.BOTH:
        return f"both sides moved since {before}, which it was copied from; {now} is installed"
    return f"neither side moved since {before}"


def digest(text: str) -> str:
    """A short digest of a block."""
    return hashlib.sha256(text.rstrip().encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _births(
    library: Library, file: str, read: Callable[[str], bytes], known: Mapping[str, Birth] | None = None
) -> dict[str, Birth]:
    """What is to be recorded of the blocks of a file that equal their originals in packages that the library follows.

    Args:
        library: whose file it is.
        file: its path, relative to the root.
        read: how files are read.
        known: the blocks that are of interest; by default all.
    """
    path = library.root / file
    try:
        module = decode_module(path, read(str(path)))
    except (OSError, SourceError):
        return {}
    sources = Sources(library, read)
    births: dict[str, Birth] = {}
    for line, comment in find_comments(module.text):
        top = comment.source.partition(".")[0]
        if not isinstance(comment, Marker) or top not in library.configuration.follows or not module.is_code(line):
            continue
        header = governed_header(module, comment, line)
        original = sources.find(comment.source)
        if header is None or not isinstance(original, Original):
            continue
        pair = Pair(module, comment, line, header, original)
        name = _name(pair)
        if pair.verdict is Verdict.EQUAL and (known is None or name in known):
            births[name] = Birth(
                comment.source,
                installed_version(top, library.environment, library.root),
                digest(original.block),
                digest(pair.block),
            )
    return births


def _name(pair: Pair) -> str:
    """The name of a block, told by the classes around it where it is a method."""
    name, definitions = pair.module.name_at(pair.header), pair.module.definitions
    if name in definitions and definitions[name].header == pair.header:
        return name
    return pair.block[slice(*own_name(pair.block))]


def _read_records(root: Path) -> Iterator[tuple[Path, _Blocks]]:
    for path in sorted((root / STATE_FOLDER / "models").glob(f"*/{RECORD}")):
        try:
            document: Any = json.loads(read_settings(path))
            yield path, {file: {name: Birth(**fields) for name, fields in births.items()} for file, births in document.items()}  # fmt: skip
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            continue
