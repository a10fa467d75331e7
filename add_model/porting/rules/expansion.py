"""What rules come to for the names of one checkpoint: which of its weights go together, and into which names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from add_model.errors import AddModelError
from add_model.porting.rules.pattern import Pattern, Value, Values
from add_model.porting.rules.rule import Drop, Fill, Keep, Rule, Rules, Share

# So often names and patterns are held against each other: as often as a thousand rules and as many layers, each with a
# dozen weights, take it. More would be one rule for each weight, where a pattern is for all of them.
_MOST_MATCHES = 12_000_000
# More than this nobody reads.
_MOST_PROBLEMS = 1000


@dataclass(frozen=True)
class Move:
    """Weights of the checkpoint that become weights of the new model together.

    Attributes:
        rule: the rule that says so; `None` for a weight that keeps its name.
        sources: their names, in the order in which the operations take them.
        values: what stands in the places that `from` and `to` share.
    """

    rule: Fill | None
    sources: tuple[str, ...]
    values: Values

    def targets(self, pieces: int) -> tuple[str, ...]:
        """The new names of so many pieces, in their order.

        Raises:
            ValueError: there are not as many names as pieces.
        """
        if self.rule is None:
            return self.sources
        patterns, spread = self.rule.targets, self.rule.spread
        rounds = pieces // len(patterns) if spread else 1
        if rounds * len(patterns) != pieces:
            raise ValueError(f"leads to {pieces} tensors for {len(patterns)} names in `to`")
        return tuple(
            pattern.fill({**self.values, **{name: number for name in spread}})
            for number in range(rounds)
            for pattern in patterns
        )

    def targets_among(self, new_names: Sequence[str]) -> tuple[str, ...]:
        """The new names; where their number depends on shapes, those of `new_names` that the rule could mean."""
        if self.rule is None or not self.rule.spread:
            return self.targets(len(self.sources) if self.rule is None else len(self.rule.targets))
        fitting = []
        for name in new_names:
            for pattern in self.rule.targets:
                values = pattern.match(name)
                if values is not None and all(self.values.get(key, value) == value for key, value in values.items()):
                    fitting.append(name)
        return tuple(fitting)


@dataclass(frozen=True)
class Expansion:
    """What rules come to for a checkpoint.

    Attributes:
        moves: in the order of the rules, then of the checkpoint.
        dropped: name -> the rule that drops it.
        repeated: name -> the name of the weight that it must be equal to, and the rule that says so.
        unmentioned: the names that no rule is about.
        problems: what is wrong with the rules, a line each, with the place of the rule.
    """

    moves: tuple[Move, ...]
    dropped: dict[str, Drop]
    repeated: dict[str, tuple[str, Share]]
    unmentioned: tuple[str, ...]
    problems: tuple[str, ...]


def expand(rules: Rules, old_names: Sequence[str]) -> Expansion:
    """Applies the rules to the names of a checkpoint.

    What is wrong with them is no exception but part of the result, so that all of it can be shown at once: a rule that
    matches nothing, a weight that two rules match.

    Raises:
        AddModelError: there are too many rules for so many weights.
    """
    matches = len(old_names) * sum(map(_patterns_in, rules.rules))
    if matches > _MOST_MATCHES:
        raise AddModelError(f"{rules.path or 'the rules'}: {len(rules.rules)} rules are too many for {len(old_names)} weights; write patterns such as layers.{{layer}}.weight, one for all layers")  # fmt: skip
    moves: list[Move] = []
    dropped: dict[str, Drop] = {}
    repeated: dict[str, tuple[str, Share]] = {}
    problems: list[str] = []
    users: dict[str, Rule] = {}
    for rule in rules.rules:
        used: list[str] = []
        if isinstance(rule, Fill):
            found, wrong = _moves(rule, old_names)
            problems += wrong[: max(0, _MOST_PROBLEMS - len(problems))]
            moves += found
            used = [name for move in found for name in move.sources]
        elif isinstance(rule, Drop):
            used = [name for name in old_names if rule.source.match(name) is not None]
            dropped.update(dict.fromkeys(used, rule))
        elif isinstance(rule, Share) and rule.source is not None:
            pairs = _repeated(rule.source, rule.original, old_names)
            repeated.update({name: (original, rule) for name, original in pairs})
            used = [name for name, _ in pairs]
        if not used and _is_about_the_checkpoint(rule) and not any(problem.startswith(f"{rule.place}:") for problem in problems):  # fmt: skip
            problems.append(f"{rule.place}: {_source_of(rule)} matches no weight of the checkpoint; correct the name or remove the rule")  # fmt: skip
        for name in used:
            if name in users and len(problems) < _MOST_PROBLEMS:
                problems.append(f"{rule.place}: {name} is matched here and by {users[name].place or 'another rule'}; let one of them be for it (except = [...])")  # fmt: skip
            users.setdefault(name, rule)
    unmentioned = tuple(name for name in old_names if name not in users)
    return Expansion(tuple(moves), dropped, repeated, unmentioned, tuple(problems))


def _patterns_in(rule: Rule) -> int:
    """How many patterns of a rule are held against the names of the checkpoint."""
    return len(rule.sources) + len(rule.excluded) if isinstance(rule, Fill) else 1


def _moves(rule: Fill, old_names: Sequence[str]) -> tuple[list[Move], list[str]]:
    """The moves of one rule, and what is wrong: a group in which a name of `from` is missing."""
    candidates = [name for name in old_names if all(pattern.match(name) is None for pattern in rule.excluded)]
    common = {name for target in rule.targets for name in target.names}
    groups: dict[tuple[tuple[str, Value], ...], list[tuple[tuple[tuple[int, str], ...], int, str]]] = {}
    values_of: dict[tuple[tuple[str, Value], ...], Values] = {}
    for number, source in enumerate(rule.sources):
        for name in candidates:
            values = source.match(name)
            if values is None:
                continue
            shared = {key: value for key, value in values.items() if key in common}
            group = tuple(sorted(shared.items()))
            values_of[group] = shared
            collected = tuple(_order(values[key]) for key in rule.collected if key in values)
            groups.setdefault(group, []).append((collected, number, name))
    moves, problems = [], []
    for group, members in groups.items():
        # What is collected comes in the order of its number; names of one group in the order of `from`.
        members.sort()
        counted = Counter(number for _, number, _ in members)
        numbers = [counted[wanted] for wanted in range(len(rule.sources))]
        if 0 in numbers or len(set(numbers)) != 1:
            lacking = rule.sources[numbers.index(min(numbers))]
            present = next(name for _, number, name in members if numbers[number] == max(numbers))
            problems.append(f"{rule.place}: {lacking} matches no weight that belongs to {present}; correct the names of `from`")  # fmt: skip
            continue
        moves.append(Move(rule, tuple(name for *_, name in members), values_of[group]))
    return moves, problems


def _repeated(source: Pattern, original: Pattern, old_names: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    for name in old_names:
        values = source.match(name)
        if values is not None and set(original.names) <= set(values):
            pairs.append((name, original.fill(values)))
    return pairs


def _order(value: Value) -> tuple[int, str]:
    return (value, "") if isinstance(value, int) else (0, value)


def _is_about_the_checkpoint(rule: Rule) -> bool:
    return not isinstance(rule, Keep) and not (isinstance(rule, Share) and rule.source is None)


def _source_of(rule: Rule) -> str:
    if isinstance(rule, Fill):
        return ", ".join(pattern.text for pattern in rule.sources)
    source = rule.source if isinstance(rule, (Drop, Share)) else None
    return "" if source is None else source.text
