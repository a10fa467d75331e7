"""The search: definitions that share a key, the original of each by the rule of the docs page, and the marker to write.

Whole definitions come before their parts: what is in a copy needs no marker of its own. What is found here is proposed;
whether it holds is for the checker to say, in `proof`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from add_model.copies.language.equality import is_copy
from add_model.copies.language.marker import MOST_CHARACTERS_OF_PATH, GrownTooLong, Marker, Replacement, read_comment
from add_model.copies.searching.index import FREE
from add_model.copies.searching.places import Candidate, Places
from add_model.copies.searching.renaming import shortest_renaming
from add_model.values import NamedTuple

# What needs more replacements than this is no copy to whoever reads the marker.
MOST_REPLACEMENTS = 3
# A replacement of something else than names of the two models is one too many in a block of fewer lines.
_LINES_FOR_OTHER_NAMES = 6
# So many originals are looked at for one copy, of each kind; so many are compared.
_MOST_LOOKED_AT, _MOST_COMPARED = 24, 12
# Groups of more members say nothing of what a file is copied from.
_MOST_TELLING = 60
_LAST_PART = re.compile(r"[A-Z]+[a-z\d]*$|[a-z\d]+$")
_OWN_WORD = re.compile(r"[^a-z\d]")


class Proposal(NamedTuple):
    """A copy that carries no marker, and the marker to write.

    Attributes:
        copy: the copy.
        original: what the marker names.
        marker: it.
    """

    copy: Candidate
    original: Candidate
    marker: Marker


class Group:
    """The definitions that share a key, the first of them the likeliest original; and looks at some of them."""

    def __init__(self, places: Places, members: Sequence[Candidate]) -> None:
        self.members = members
        self.order = {member: number for number, member in enumerate(members)}
        self.words = {member: places.words(member) for member in members}
        self._alike: dict[object, list[Candidate]] = defaultdict(list)
        for member in members:
            for trait in self._traits(places, member):
                if len(self._alike[trait]) < _MOST_LOOKED_AT:
                    self._alike[trait].append(member)

    def _traits(self, places: Places, member: Candidate) -> Iterator[object]:
        name = places.definition(member).name.rpartition(".")[2]
        last = _LAST_PART.search(name) if name[:1].isupper() else None
        yield self.words[member]
        yield last.group() if last else name
        yield None

    def looks(self, places: Places, copy: Candidate, home: str | None) -> Iterator[Candidate]:
        """The members that may be what a copy was made of, the likeliest of each kind first."""
        yield from (member for member in self.members if member.file == home)
        for trait in self._traits(places, copy):
            yield from self._alike[trait]


class Search:
    """One search of a library.

    Attributes:
        proposals: what was found, by its copy.
    """

    def __init__(
        self,
        places: Places,
        min_lines: int,
        wanted: Collection[str],
        ages: Callable[[Iterable[str]], dict[str, int]],
    ) -> None:
        """Prepares it.

        Args:
            places: the definitions.
            min_lines: how many lines a copy has at least.
            wanted: the files whose copies are looked for.
            ages: when git first knew of each of some files; a file that it does not know is left out.
        """
        self.proposals: dict[Candidate, Proposal] = {}
        self._places, self._min_lines, self._wanted = places, min_lines, wanted
        self._ages_of, self._ages = ages, dict[str, int]()
        self._groups: dict[int, Group] = {}
        self._sources: dict[str, str] = {}

    def run(self) -> list[Proposal]:
        """Finds the copies, in the order in which reports show them."""
        places = self._places
        keys = self._shared_keys()
        copies = sorted(
            (
                copy
                for members in keys.values()
                for copy in members
                if copy.file in self._wanted
                and places.definition(copy).state == FREE
                and places.files[copy.file].is_written_by_hand
            ),
            key=lambda copy: (places.definition(copy).name.count("."), places.relative[copy.file], copy.number),
        )
        needed = {places.definition(copy).key for copy in copies}
        self._ages = self._ages_of({member.file for key in needed for member in keys[key]})
        self._named_files = self._count_named_files()
        self._homes = self._find_homes([keys[key] for key in needed])
        for copy in copies:
            self._look(copy, keys[places.definition(copy).key])
        return sorted(self.proposals.values(), key=lambda each: (places.relative[each.copy.file], each.copy.number))

    def _shared_keys(self) -> dict[int, list[Candidate]]:
        """The definitions that are long enough, by their keys, less those that nothing shares."""
        found: dict[int, list[Candidate]] = defaultdict(list)
        for path, file in self._places.files.items():
            for number, definition in enumerate(file.definitions):
                if definition.lines >= self._min_lines:
                    found[definition.key].append(Candidate(path, number))
        return {key: members for key, members in found.items() if len(members) > 1}

    def _count_named_files(self) -> Counter[str]:
        """How often markers name something in each file."""
        modules = {self._places.dotted(path): path for path in self._places.files}
        counted: Counter[str] = Counter()
        for source, count in self._places.named.items():
            module = source
            while "." in module:
                module = module.rpartition(".")[0]
                if module in modules:
                    counted[modules[module]] += count
                    break
        return counted

    def _find_homes(self, groups: Iterable[Sequence[Candidate]]) -> dict[str, str]:
        """The file that most of each file is a copy of, among those that come before it."""
        shared: dict[str, Counter[str]] = defaultdict(Counter)
        for members in groups:
            if len(members) <= _MOST_TELLING:
                files = {member.file: self._places.definition(member).lines for member in members}
                for file, lines in files.items():
                    for other in files:
                        if self._file_rank(other) < self._file_rank(file):
                            shared[file][other] += lines
        return {
            file: min(counted, key=lambda other: (-counted[other], self._file_rank(other)))
            for file, counted in shared.items()
        }

    def _file_rank(self, file: str) -> tuple[object, ...]:
        named = self._named_files[file]
        is_written_by_hand = self._places.files[file].is_written_by_hand
        return -named, not is_written_by_hand, self._ages.get(file, 0), self._places.relative[file]

    def _rank(self, member: Candidate) -> tuple[object, ...]:
        """What comes first of several that are equal is the original: what others name, what is older."""
        places = self._places
        source = places.source(member)
        return (
            places.is_marked(member),
            -places.named[source] if source is not None else 1,
            not places.files[member.file].is_written_by_hand,
            self._ages.get(member.file, 0),
            -self._named_files[member.file],
            places.relative[member.file],
            member.number,
        )

    def _group(self, members: Sequence[Candidate]) -> Group:
        key = self._places.definition(members[0]).key
        if key not in self._groups:
            self._groups[key] = Group(self._places, sorted(members, key=self._rank))
        return self._groups[key]

    def _look(self, copy: Candidate, members: Sequence[Candidate]) -> None:
        """Finds what a definition is a copy of."""
        around = list(self._places.around(copy))
        # What is told of the whole need not be told of its part; and a marker in an original that has its copies would be
        # a line of it that they lack.
        if any(outer in self.proposals or self._is_named(outer) for outer in around):
            return
        group, home = self._group(members), self._homes.get(copy.file)
        compared = 0
        best: tuple[tuple[object, ...], Proposal] | None = None
        for original in dict.fromkeys(group.looks(self._places, copy, home)):
            if not self._may_be_original(original, copy, group, home):
                continue
            compared += 1
            proposal = self._compare(original, copy, group)
            if proposal is not None:
                cost = self._cost(proposal, group, home)
                if cost is not None and (best is None or cost < best[0]):
                    best = cost, proposal
            if compared >= _MOST_COMPARED:
                break
        if best is not None:
            self.proposals[copy] = best[1]
            own = self._places.source(copy)
            if own is not None:
                self._sources[own] = best[1].marker.source

    def _is_named(self, candidate: Candidate) -> bool:
        source = self._places.source(candidate)
        return source is not None and source in self._places.named

    def _may_be_original(self, original: Candidate, copy: Candidate, group: Group, home: str | None) -> bool:
        comes_first = group.order[original] < group.order[copy] or original.file == home
        if not comes_first:
            # What is generated is no copy itself, so that it may be the original of all but what it is generated from.
            is_generated = not self._places.files[original.file].is_written_by_hand
            comes_first = is_generated and not self._places.is_generated_from(original.file, copy.file)
        if not comes_first or not self._places.is_original_for(original, copy):
            return False
        if any(outer in self.proposals for outer in self._places.around(original)):
            return False
        return not self._leads_to(original, copy)

    def _leads_to(self, original: Candidate, copy: Candidate) -> bool:
        """Whether an original is itself a copy of the copy, by way of others."""
        places, seen = self._places, set[str]()
        path, target = places.source(original), places.source(copy)
        while path is not None and path not in seen:
            if path == target:
                return True
            seen.add(path)
            path = self._sources.get(path) or places.edges.get(path)
        return False

    def _compare(self, original: Candidate, copy: Candidate, group: Group) -> Proposal | None:
        """The marker that makes one of the other, if there is one."""
        replacements = shortest_renaming(group.words[original], group.words[copy], MOST_REPLACEMENTS)
        source = self._places.source(original)
        if replacements is None or source is None or len(source) > MOST_CHARACTERS_OF_PATH:
            return None
        marker = Marker(self._places.indent(copy), source, replacements)
        try:
            holds = is_copy(self._places.block(original), self._places.block(copy), replacements)
        except GrownTooLong:
            return None
        return Proposal(copy, original, marker) if holds and read_comment(str(marker)) == marker else None

    def _cost(self, proposal: Proposal, group: Group, home: str | None) -> tuple[object, ...] | None:
        """What speaks against a proposal, the weightiest first; `None` where it is too much."""
        copy, original, marker = proposal
        others = sum(not self._is_of_names(each, original, copy) for each in marker.replacements)
        if others * _LINES_FOR_OTHER_NAMES > self._places.definition(copy).lines:
            return None
        return (
            others,
            not self._is_named(original),
            not self._places.files[original.file].is_written_by_hand,
            original.file != home,
            self._ages.get(original.file, 0),
            len(marker.replacements),
            group.order[original],
        )

    def _is_of_names(self, replacement: Replacement, original: Candidate, copy: Candidate) -> bool:
        """Whether a replacement exchanges what the original's model or class is called for what the copy's is."""
        return self._is_called(replacement.old, original) and self._is_called(replacement.new, copy)

    def _is_called(self, text: str, candidate: Candidate) -> bool:
        name = self._places.definition(candidate).name
        path = _OWN_WORD.sub("", f"{self._places.relative[candidate.file]}{name}".lower())
        folder = _OWN_WORD.sub("", self._places.relative[candidate.file].lower().rpartition("/")[0].rpartition("/")[2])
        text = _OWN_WORD.sub("", text.lower())
        return bool(text) and (text in path or (bool(folder) and folder in text))
