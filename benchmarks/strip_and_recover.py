"""Takes every marker out of released trees, and says how many of their copies `find-copies` finds again.

    python benchmarks/strip_and_recover.py [REQUIREMENT ...] [--folder DIR] [--min-lines N] [--missing]

A REQUIREMENT is a release, such as `diffusers==0.42.1`; it is fetched from the package index, unpacked, and never installed.
Expected to be found are the copies that the checker calls equal to their originals, with nothing left out of the comparison,
under three replacements or fewer. A copy is found again where the proposed markers hold it together with its
original: one names the other, or both name a third, or the classes do of which they are parts. Where the original stands
in a generated file, which gets no marker, another definition that equals it is as good, and counted apart.

Behind that stands what of the proposals the checker has something to say once they are written, which must be nothing, and
how many copies that carry no marker there are in the tree as it was released.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from libraries import fetched

from add_model.copies.judging.check import Check
from add_model.copies.judging.pair import Pair
from add_model.copies.language.equality import is_copy
from add_model.copies.language.marker import Marker, find_comments, without_markers
from add_model.copies.language.region import END_COPY, IGNORE_COPY
from add_model.copies.reading.files import relative_path, search
from add_model.copies.searching.find import Found, find, write
from add_model.copies.searching.fingerprint import words_of
from add_model.copies.searching.index import index_of
from add_model.copies.searching.renaming import shortest_renaming
from add_model.definitions import Definition as Extent
from add_model.definitions import find_definitions
from add_model.encoding import SourceError
from add_model.library import Library, library_at
from add_model.source import Module, read_module

RELEASES = ("transformers==4.46.3", "transformers==5.23.0", "diffusers==0.42.1")
GOAL = 0.99
MOST_REPLACEMENTS = 3


class Definition(NamedTuple):
    """A definition by what no marker changes: its file, and its number in it."""

    path: str
    number: int


class Chains:
    """Definitions that markers hold together.

    Attributes:
        originals: what each copy is a copy of.
    """

    def __init__(self) -> None:
        self.originals: dict[Definition, Definition] = {}
        self._above: dict[Definition, Definition] = {}

    def top(self, definition: Definition) -> Definition:
        """What stands for all that are held together with this one."""
        while definition in self._above:
            definition = self._above[definition]
        return definition

    def join(self, one: Definition, other: Definition) -> None:
        """Holds two together."""
        one, other = self.top(one), self.top(other)
        if one != other:
            self._above[one] = other


def main() -> None:
    """Measures every release and prints its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("releases", nargs="*", default=RELEASES)
    parser.add_argument("--folder", type=Path, help="where releases are fetched to and kept")
    parser.add_argument(
        "--min-lines", type=int, default=2, help="as that of find-copies; 2 leaves no marked block out"
    )
    parser.add_argument("--missing", action="store_true", help="list what is not found again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for number, release in enumerate(arguments.releases):
            root = fetched(release, arguments.folder or Path(temporary))
            if root is None:
                raise SystemExit(f"{release} cannot be fetched")
            _measure(release, library_at(root), Path(temporary) / f"stripped-{number}", arguments)


def _measure(release: str, library: Library, folder: Path, arguments: argparse.Namespace) -> None:
    check = Check(library, keep_pairs=True)
    for _ in check.findings():
        pass
    expected = [pair for pair in check.pairs or () if _is_expected(pair)]
    stripped, removed = _stripped(library, folder)
    started = time.monotonic()
    found = find(stripped, (), arguments.min_lines)
    seconds = time.monotonic() - started
    chains = _chains(stripped, found)
    apart = [pair for pair in expected if not _is_found(pair, library, chains)]
    equal = [pair for pair in apart if _is_found_elsewhere(pair, library, chains)]
    missing = [pair for pair in apart if pair not in equal]
    before = _said(stripped)
    write(stripped, found.proven)
    said = _said(stripped) - before
    recovered = len(expected) - len(missing)
    share = recovered / max(1, len(expected))
    print(f"{release}: {removed} markers taken out, {len(expected)} of them of blocks that are equal under {MOST_REPLACEMENTS} replacements or fewer")  # fmt: skip
    print(f"  found again         {recovered} = {share:.2%}  (to reach: {GOAL:.0%})")
    print(f"                      {len(equal)} of them by an equal of an original in a generated file")
    print(f"  proposals           {len(found.proven.proposals)}, in {seconds:.1f} s; the checker says something of {said} of them  (to reach: 0)")  # fmt: skip
    for lines in (2, 3, 5, 10) if not arguments.missing else ():
        new = find(library, (), lines).proven.proposals
        print(f"  new as released     {len(new)} of {lines} lines or more")
    for pair in missing if arguments.missing else ():
        path = relative_path(pair.module.place, library.root)
        print(
            f"    {path} {pair.module.name_at(pair.header)} {len(pair.block.splitlines())} {str(pair.marker).strip()}"
        )


def _said(library: Library) -> int:
    return sum(1 for _ in Check(library).findings())


def _is_expected(pair: Pair) -> bool:
    whole = IGNORE_COPY not in pair.block and END_COPY not in pair.block
    return whole and len(pair.marker.replacements) <= MOST_REPLACEMENTS and pair.is_equal


def _stripped(library: Library, folder: Path) -> tuple[Library, int]:
    """A copy of the library's modules without any marker; how many there were."""
    tree, removed = search(library), 0
    for relative, path in tree.files:
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        try:
            module = read_module(target)
        except SourceError:
            continue
        starts = {start for start, comment in find_comments(module.text) if isinstance(comment, Marker)}
        removed += len(starts)
        if starts:
            at, kept = 0, []
            for line in module.text.splitlines(keepends=True):
                kept += [] if at in starts else [line]
                at += len(line)
            target.write_text("".join(kept), encoding=module.encoding, newline="")
    return library_at(folder), removed


def _chains(library: Library, found: Found) -> Chains:
    """What the proposals hold together, parts of classes with parts of the same name."""
    chains, names = Chains(), dict[str, list[str]]()

    def named(path: str) -> list[str]:
        if path not in names:
            names[path] = [each.name for each in _ordered(read_module(Path(path)))]
        return names[path]

    for proposal in found.proven.proposals:
        (file, number), (source, first) = proposal.copy, proposal.original
        own, theirs = named(file), named(source)
        parts = dict[str, list[int]]()
        for place, name in enumerate(theirs):
            if name == theirs[first] or name.startswith(f"{theirs[first]}."):
                parts.setdefault(name.removeprefix(theirs[first]), []).append(place)
        for place, name in enumerate(own):
            if place == number or name.startswith(f"{own[number]}."):
                for other in parts.get(name.removeprefix(own[number]), ())[:1]:
                    one, two = (relative_path(path, library.root) for path in (file, source))
                    chains.originals[Definition(one, place)] = Definition(two, other)
                    chains.join(Definition(one, place), Definition(two, other))
    return chains


def _is_found(pair: Pair, library: Library, chains: Chains) -> bool:
    copy = _definition(pair.module, pair.header, library)
    original = _as_generated(pair.original.module, pair.original.definition.header)
    return chains.top(copy) == chains.top(_definition(*original, library))


def _is_found_elsewhere(pair: Pair, library: Library, chains: Chains) -> bool:
    """Whether a copy of something in a generated file is held together with what equals that."""
    module, header = _as_generated(pair.original.module, pair.original.definition.header)
    if index_of(module, module.text.encode("utf-8", "surrogatepass")).is_written_by_hand:
        return False
    copy = _definition(pair.module, pair.header, library)
    original = chains.originals.get(copy)
    if original is None:
        # What others are copies of now is one itself; that it equals the original says its marker.
        return copy in chains.originals.values()
    other = read_module(library.root / original.path)
    definition = _ordered(other)[original.number]
    block, equal = (
        without_markers(text)
        for text in (module.text[header : module.block_end(header)], other.text[definition.header : definition.end])
    )
    words, others = words_of(block), words_of(equal)
    replacements = shortest_renaming(words, others, MOST_REPLACEMENTS) if len(words) == len(others) else None
    return replacements is not None and is_copy(block, equal, replacements)


def _as_generated(module: Module, header: int) -> tuple[Module, int]:
    """A definition of a modular file in the file that is generated of it: they are one."""
    generated = Path(module.place.replace("/modular_", "/modeling_"))
    if generated != module.path and generated.exists():
        written = read_module(generated)
        found = written.find(module.name_at(header))
        if found is not None:
            return written, found.header
    return module, header


_numbers: dict[str, dict[int, int]] = {}


def _definition(module: Module, header: int, library: Library) -> Definition:
    if module.place not in _numbers:
        _numbers[module.place] = {each.header: number for number, each in enumerate(_ordered(module))}
    return Definition(relative_path(module.place, library.root), _numbers[module.place][header])


def _ordered(module: Module) -> list[Extent]:
    return sorted(find_definitions(module.text), key=lambda each: each.header)


if __name__ == "__main__":
    main()
