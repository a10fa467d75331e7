"""What was found to belong together: the units of a checkpoint, and the units of a new model that they become."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from add_model.porting.checkpoints.units import Indices, Unit
from add_model.porting.rules.operations import Operation


@dataclass(frozen=True)
class Found:
    """Units of the checkpoint that become units of the new model.

    Attributes:
        sources, targets: the units.
        operations: what is done on the way.
        unsure: why it is not sure; empty where it is.
        note: what else a reader of the rule is told.
    """

    sources: tuple[Unit, ...]
    targets: tuple[Unit, ...]
    operations: tuple[Operation, ...]
    unsure: str = ""
    note: str = ""

    @property
    def is_collected(self) -> bool:
        """Whether the checkpoint holds one by one, with a number of their own, what the new model holds together."""
        return len(next(iter(self.sources[0].names))) > len(next(iter(self.targets[0].names)))

    def moves(self) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Layer by layer, the names that are read, in the order in which the operations take them, and those that are
        filled."""
        depth = len(next(iter(self.targets[0].names)))
        layers: dict[Indices, list[Indices]] = {}
        for numbers in sorted(self.sources[0].names):
            layers.setdefault(numbers[:depth], []).append(numbers)
        for inside, new in zip(layers.values(), sorted(self.targets[0].names), strict=True):
            read = tuple(unit.names[numbers] for numbers in inside for unit in self.sources)
            yield read, tuple(unit.names[new] for unit in self.targets)


@dataclass(frozen=True)
class Pairs:
    """What belongs to what.

    Attributes:
        found: the units that belong together, in the new model's order.
        unneeded: weight of the checkpoint -> why it is not needed.
        left: the weights of the checkpoint that have no partner.
        outputs_agree: whether a new model that is filled so returned what the original returned.
    """

    found: tuple[Found, ...]
    unneeded: Mapping[str, str]
    left: tuple[str, ...]
    outputs_agree: bool = False
