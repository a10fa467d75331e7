"""Says in one rule what many say: that everything below one module keeps its name below another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set

from add_model.porting.rules.expansion import expand
from add_model.porting.rules.pattern import Pattern
from add_model.porting.rules.rule import Drop, Fill, Rule, Rules

# So many rules one has to stand for, and so many exceptions it may name.
_LEAST_RULES, _MOST_EXCEPTIONS = 3, 6


def condense(rules: Sequence[Rule], old_names: Sequence[str]) -> list[Rule]:
    """Rules that come to the same for these names in the checkpoint, but are fewer where they can be."""
    result = list(rules)
    tried: set[tuple[str, str]] = set()
    while True:
        prefixes = Counter(pair for rule in result for pair in _prefixes(rule) if pair not in tried)
        if not prefixes:
            return result
        # Of those that say as much, the shortest says it best.
        best = max(prefixes, key=lambda pair: (prefixes[pair], -len(pair[0]) - len(pair[1])))
        if prefixes[best] < _LEAST_RULES:
            return result
        tried.add(best)
        shorter = _with_prefix(result, best, old_names)
        if shorter is not None and _pairs(shorter, old_names) == _pairs(result, old_names):
            result = shorter


def _with_prefix(rules: Sequence[Rule], prefixes: tuple[str, str], old_names: Sequence[str]) -> list[Rule] | None:
    old, new = prefixes
    members = [rule for rule in rules if prefixes in _prefixes(rule)]
    mine = {name for rule in members if isinstance(rule, Fill) for name in old_names if rule.sources[0].match(name) is not None}  # fmt: skip
    others = [name for name in old_names if name.startswith(old) and len(name) > len(old) and name not in mine]
    exceptions: list[Pattern] = []
    for name in others:
        if not any(pattern.match(name) is not None for pattern in exceptions):
            patterns = [pattern for rule in rules if rule not in members for pattern in _sources(rule)]
            patterns.append(_in_every_layer(name, mine))
            exceptions.append(next(pattern for pattern in patterns if pattern.match(name) is not None))
    if len(exceptions) > _MOST_EXCEPTIONS:
        return None
    general = Fill((Pattern(f"{old}{{rest*}}"),), (Pattern(f"{new}{{rest*}}"),), excluded=tuple(exceptions))
    first = rules.index(members[0])
    return [general if number == first else rule for number, rule in enumerate(rules) if number == first or rule not in members]  # fmt: skip


def _in_every_layer(name: str, others: Set[str]) -> Pattern:
    """A pattern of the name in every layer, or of the name alone where that would match others."""
    pattern = Pattern(re.sub(r"(?<=[./_])\d+(?=[./])", "{layer}", name, count=1))
    return Pattern(name) if any(pattern.match(other) is not None for other in others) else pattern


def _prefixes(rule: Rule) -> Iterator[tuple[str, str]]:
    """What could be cut off in front of both names of a plain renaming, so that the same is left."""
    if not isinstance(rule, Fill) or rule.operations or rule.unsure or rule.note or rule.excluded:
        return
    if len(rule.sources) != 1 or len(rule.targets) != 1:
        return
    old, new = rule.sources[0].text, rule.targets[0].text
    if old == new or "*" in old:
        return
    for start in [0, *(match.end() for match in re.finditer(r"[./]", old))]:
        prefix, rest = old[:start], old[start:]
        ends = new.endswith(rest) and (len(new) == len(rest) or new[-len(rest) - 1] in "./")
        if "{" not in prefix and ends and "{" not in new[: len(new) - len(rest)]:
            yield prefix, new[: len(new) - len(rest)]


def _sources(rule: Rule) -> tuple[Pattern, ...]:
    if isinstance(rule, Fill):
        return rule.sources
    return (rule.source,) if isinstance(rule, Drop) else ()


def _pairs(rules: Sequence[Rule], old_names: Sequence[str]) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    expansion = expand(Rules(tuple(rules)), old_names)
    pairs = {(move.sources, move.targets(len(move.rule.targets) if move.rule else 1)) for move in expansion.moves}
    # A weight that two rules match must not go unnoticed.
    return pairs | {((problem,), ()) for problem in expansion.problems}
