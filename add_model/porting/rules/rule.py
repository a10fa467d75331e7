"""The rules of a conversion as values; `rules.py` says how they are written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from add_model.porting.rules.operations import Operation
from add_model.porting.rules.pattern import Pattern


@dataclass(frozen=True)
class Fill:
    """Weights of the checkpoint that become weights of the new model.

    Attributes:
        sources: their names in the checkpoint; with several, one of each makes up a group.
        targets: the names of what the operations lead to, in their order.
        operations: what is done on the way.
        excluded: names in the checkpoint that the rule is not for, although it matches them.
        unsure: whether somebody still has to look at it.
        note: what there is to look at.
        place: where the rule stands, such as `rules.toml:12`.
    """

    sources: tuple[Pattern, ...]
    targets: tuple[Pattern, ...]
    operations: tuple[Operation, ...] = ()
    excluded: tuple[Pattern, ...] = ()
    unsure: bool = False
    note: str = ""
    place: str = ""

    @property
    def collected(self) -> tuple[str, ...]:
        """The places that only the names in the checkpoint have."""
        new = {name for target in self.targets for name in target.names}
        return tuple(dict.fromkeys(name for source in self.sources for name in source.names if name not in new))

    @property
    def spread(self) -> tuple[str, ...]:
        """The places that only the names in the new model have."""
        old = {name for source in self.sources for name in source.names}
        return tuple(dict.fromkeys(name for target in self.targets for name in target.names if name not in old))


@dataclass(frozen=True)
class Drop:
    """Weights of the checkpoint that the new model does not need, and why."""

    source: Pattern
    reason: str
    unsure: bool = False
    note: str = ""
    place: str = ""


@dataclass(frozen=True)
class Share:
    """Tied weights: `source` of the checkpoint repeats its weight `original`; or `target` of the new model gets what
    its weight `original` gets. Exactly one of `source` and `target` is given."""

    source: Pattern | None
    target: Pattern | None
    original: Pattern
    unsure: bool = False
    note: str = ""
    place: str = ""


@dataclass(frozen=True)
class Keep:
    """Buffers of the new model that keep what its class gives them, and why; with `constant`, weights of it that hold this
    number all over, as nothing but training asks for them."""

    target: Pattern
    reason: str
    constant: float | None = None
    unsure: bool = False
    note: str = ""
    place: str = ""


Rule = Fill | Drop | Share | Keep


@dataclass(frozen=True)
class Rules:
    """The rules of a conversion.

    Attributes:
        rules: in the order of their file; none at all where every weight keeps its name.
        path: their file.
        read: the parts of the checkpoint that they are for; empty for those that are read without a wish.
    """

    rules: tuple[Rule, ...] = ()
    path: Path | None = None
    read: tuple[str, ...] = ()

    @property
    def unsure(self) -> list[Rule]:
        """The rules that somebody still has to look at."""
        return [rule for rule in self.rules if rule.unsure]
