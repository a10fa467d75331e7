"""What was found to belong together: the units of a checkpoint, and the units of a new model that they become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from add_model.porting.checkpoints.units import Unit
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
