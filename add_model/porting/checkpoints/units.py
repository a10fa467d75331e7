"""Weights of one kind in every layer, taken together: what a suggestion matches is not weights but such units."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from add_model.porting.checkpoints.concepts import told_apart
from add_model.porting.checkpoints.formats import Weight

Indices = tuple[int, ...]

_NUMBER = re.compile(r"\d+")
# A number that is glued to another word belongs to that word, as in `ln_1` and `fc2`: but after these words, and where
# it is the outermost and several modules follow it.
_LIST_WORDS = frozenset("layer layers block blocks h resblock resblocks stage stages encoderlayer group expert experts module".split())  # fmt: skip

_EXPERTS = frozenset(("expert", "experts"))
_FEW = 3
# So much of what any layer has, layers have on average that differ by a part.
_COMMON = 0.7
# A word that a number is glued to, the number, and the weight of that module.
_GLUED = re.compile(r"([./]?[A-Za-z_]+)\d+[./][^./]+")


@dataclass(frozen=True)
class Unit:
    """The weights that have one name but for the number of their layer; or a single weight.

    Attributes:
        template: their name, with `#` for each number that varies.
        reading: the template as it is to be understood: every other number as its rank among its siblings, `1of2`,
            because some count from zero, some from one, and some begin with none; see also `told_apart`.
        names: the numbers, from left to right -> the name.
        weight: the shape and type that all of them have.
        position: where the first of them stands among all weights.
    """

    template: str
    reading: str
    names: Mapping[Indices, str]
    weight: Weight
    position: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of each of them."""
        return self.weight.shape

    @property
    def parents(self) -> tuple[str, ...]:
        """The modules that they lie in, from the innermost to the outermost."""
        return tuple(parents_of(self.template))


def parents_of(name: str) -> list[str]:
    """The modules that a name lies in, from the innermost to the outermost."""
    parts = re.split(r"([./])", name)
    return ["".join(parts[:end]) for end in range(len(parts) - 2, 0, -2)]


def find_units(weights: Mapping[str, Weight]) -> list[Unit]:
    """Takes weights together that differ by the number of their layer alone, in the order of the first of each."""
    variable = _variable_numbers(weights)
    templates = {name: _opened(name, spans, len(name)) for name, spans in variable.items()}
    matrices = {templates[name] for name, weight in weights.items() if len(weight.shape) == 2}
    readings = told_apart(_readings(set(templates.values()), matrices))
    groups: dict[tuple[str, Weight], dict[Indices, str]] = defaultdict(dict)
    positions: dict[tuple[str, Weight], int] = {}
    for position, (name, weight) in enumerate(weights.items()):
        key = (templates[name], weight)
        groups[key][tuple(int(name[start:stop]) for start, stop in variable[name])] = name
        positions.setdefault(key, position)
    return [
        Unit(template, readings[template], dict(sorted(names.items())), weight, positions[template, weight])
        for (template, weight), names in groups.items()
    ]


def split_units(units: Iterable[Unit], depth: int) -> list[Unit]:
    """The same weights, taken together by no more than so many of their outermost numbers."""
    return [part for unit in units for part in _split(unit, depth)]


def _split(unit: Unit, depth: int) -> Iterator[Unit]:
    indices = list(unit.names)
    if len(indices[0]) <= depth:
        yield unit
        return
    levels = range(depth, len(indices[0]))
    counted = {level: sorted({numbers[level] for numbers in indices}) for level in levels}
    for inner in dict.fromkeys(numbers[depth:] for numbers in indices):
        names = {numbers[:depth]: name for numbers, name in unit.names.items() if numbers[depth:] == inner}
        template, reading = unit.template, unit.reading
        for level, number in zip(levels, inner, strict=True):
            rank = _rank(counted[level].index(number), len(counted[level]))
            template = _with_number(template, depth, str(number))
            # A layer stays one, whichever it is.
            reading = _with_number(reading, depth, f"\0{rank}" if level == 0 else rank)
        yield Unit(template, reading.replace("\0", "#"), names, unit.weight, unit.position)


def _with_number(text: str, place: int, number: str) -> str:
    parts = text.split("#")
    return "#".join([*parts[:place], number.join(parts[place : place + 2]), *parts[place + 2 :]])


def _rank(number: int, total: int) -> str:
    return f"{number + 1}of{total}"


def _readings(templates: Set[str], matrices: Set[str]) -> dict[str, str]:
    """Template -> its reading, where these are the templates of matrices."""
    modules = {module for template in templates for module in parents_of(template)}
    siblings: dict[str, set[int]] = defaultdict(set)
    for template in templates:
        for match in _NUMBER.finditer(template):
            siblings[template[: match.start()]].add(int(match[0]))
    gated = set(_gated(matrices))
    readings = {}
    for template in templates:
        text, end = "", 0
        for match in _NUMBER.finditer(template):
            before = template[: match.start()]
            text += template[end : match.start()]
            if before in gated:
                text += match[0]
            else:
                text += _read(int(match[0]), before, sorted(siblings[before]), before.rstrip("_") in modules)
            end = match.end()
        readings[template] = text + template[end:]
    return readings


def _gated(matrices: Set[str]) -> Iterator[str]:
    """What stands before the numbers of two matrices that have a third beside them: either may be the gate."""
    inside: dict[str, list[str]] = defaultdict(list)
    for template in matrices:
        inside["".join(parents_of(template)[1:2])].append(template)
    for module, beside in inside.items():
        found = [match for template in beside if (match := _GLUED.fullmatch(template, len(module))) is not None]
        first = Counter(match[1] for match in found)
        if len(beside) == 3:
            yield from (module + before for before, number in first.items() if number == 2)


def _read(number: int, before: str, siblings: Sequence[int], has_first: bool) -> str:
    """How a number is read that follows this text, where these do; or none does in what is the first."""
    if before.endswith((".", "/")) or not before:
        return _rank(siblings.index(number), len(siblings))
    first = siblings[0]
    if siblings != list(range(first, first + len(siblings))) or first > (2 if has_first else 1):
        return str(number)
    if has_first and first > 0:
        return _rank(number - first + 1, len(siblings) + 1)
    return _rank(number - first, len(siblings)) if len(siblings) > 1 else str(number)


def _variable_numbers(weights: Mapping[str, Weight]) -> dict[str, list[tuple[int, int]]]:
    """Which numbers in each name count layers, or other things that are alike, as spans."""
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in weights}
    depth = max((len(_NUMBER.findall(name)) for name in weights), default=0)
    for level in range(depth):
        # What stands before the number, with those that are known to vary left open -> number -> what follows.
        lists: dict[str, dict[int, dict[str, tuple[int, ...]]]] = defaultdict(lambda: defaultdict(dict))
        members: dict[str, list[tuple[str, tuple[int, int]]]] = defaultdict(list)
        for name, weight in weights.items():
            spans = [match.span() for match in _NUMBER.finditer(name)]
            if level >= len(spans):
                continue
            start, stop = spans[level]
            before = _opened(name, found[name], start)
            lists[before][int(name[start:stop])][name[stop:]] = weight.shape
            members[before].append((name, (start, stop)))
        for before, entries in lists.items():
            if _looks_like_a_list(before, entries) and _are_alike(list(entries.values())):
                for name, span in members[before]:
                    found[name].append(span)
    return found


def _opened(name: str, spans: Sequence[tuple[int, int]], stop: int) -> str:
    text, end = "", 0
    for start, span_stop in spans:
        text, end = text + name[end:start] + "#", span_stop
    return text + name[end:stop]


def _looks_like_a_list(before: str, entries: Mapping[int, Collection[str]]) -> bool:
    """Whether a number that follows this text counts modules, rather than belonging to the word before it."""
    word = re.split(r"[./_]", before.rstrip("./_"))[-1].lower()
    followed = [re.split(r"[./_]", rest.lstrip("._/")) for rests in entries.values() for rest in rests]
    if "#" in before and len(entries) <= _FEW and all(len(words) == 1 for words in followed):
        # Two normalisations of a layer, or what a network multiplies by first and then.
        return word in _EXPERTS
    if before.endswith((".", "/")) or not before or word in _LIST_WORDS:
        return True
    # What is numbered in a layer has a meaning of its own; what is numbered around layers has none.
    return "#" not in before and len({words[0] for words in followed}) > 2


def _are_alike(entries: Sequence[Mapping[str, tuple[int, ...]]]) -> bool:
    """Whether most of what the entries of a list hold is in each of them, with the same shapes."""
    if len(entries) < 2:
        return False
    shapes: dict[str, set[tuple[int, ...]]] = defaultdict(set)
    counts: dict[str, int] = defaultdict(int)
    for entry in entries:
        for rest, shape in entry.items():
            shapes[rest].add(shape)
            counts[rest] += 1
    if any(len(found) > 1 for found in shapes.values()):
        return False
    everywhere = sum(1 for count in counts.values() if count == len(entries))
    return 2 * everywhere >= len(counts) or _differ_by_a_part(entries)


def _differ_by_a_part(entries: Sequence[Mapping[str, tuple[int, ...]]]) -> bool:
    """Whether entries are alike but for one part, which holds so many weights that most are not in all of them: the
    experts of all layers but the first."""
    counts: Counter[str] = Counter()
    for entry in entries:
        counts.update({_NUMBER.sub("#", rest) for rest in entry})
    everywhere = sum(1 for count in counts.values() if count == len(entries))
    places = len(counts) * len(entries)
    return len(entries) > 2 and _COMMON * places <= counts.total() and 3 * everywhere >= len(counts)
