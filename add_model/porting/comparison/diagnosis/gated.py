"""A gated network: which of two projections goes through the activation, and how one on both holds the two.

The gate is what goes through the activation, and up what it is multiplied by (https://arxiv.org/abs/2002.05202). One weight
for both holds them as two halves, or in turn: each row of the gate is followed by its row of up.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import TYPE_CHECKING, Any

from add_model.porting.comparison.diagnosis.scene import Example, Finding, Scene
from add_model.porting.comparison.diagnosis.written import fill_rule

if TYPE_CHECKING:
    import torch
    from torch import nn

    from add_model.porting.recording.file import Call

_Both = tuple["torch.Tensor", "torch.Tensor"]


def gate_through_which(scene: Scene, original: _Both, new: _Both) -> str | None:
    """Through which activation a gate goes, the first of two, where the original's value has it of one two, and the new
    model's of another; "the activation" if the two part at what goes into it; `None` where that is not so."""
    from add_model.porting.comparison.diagnosis.activations import kinds

    if scene.matches(original[0], scene.target) and scene.matches(new[0], scene.found):
        return "the activation"
    for kind, function in kinds().items():
        scene.budget.spend(4 * original[0].numel())
        if scene.matches(function(original[0]) * original[1], scene.target):
            if scene.matches(function(new[0]) * new[1], scene.found):
                return kind
    return None


def _is_before_a_call(scene: Scene) -> bool:
    return scene.place.before is not None and scene.target.is_floating_point()


class GateAndUpSwapped:
    """The two projections of a gated MLP have each other's part: the activation is that of the other one.

    So it is where they are called otherwise than the original's, and only what they returned says which is which.
    """

    name = "projections swapped"
    remedy = "exchange the two in the rules: each of the new model's gets the weight that the other one has"
    examples = (
        Example(lambda: _fused(), lambda m, x: _sketch(m, x), lambda m, x: _sketch(m, x, swapped=True), None, lambda: _states()),
        Example(lambda: _fused(True), lambda m, x: _sketch(m, x), lambda m, x: _sketch(m, x, swapped=True), None, lambda: _states()),
    )  # fmt: skip

    def test(self, scene: Scene) -> str | None:
        """Whether the original has an activation of one known value times the other, and the new model the reverse."""
        if not _is_before_a_call(scene):
            return None
        for one, other, names in self._pairs(scene):
            kind = gate_through_which(scene, (one, other), (other, one))
            if kind is not None:
                return f"the original has {kind} of what {names[0]} returns here, times {names[1]}; the new model {kind} of {names[1]}, times {names[0]}"  # fmt: skip
        return None

    def _pairs(self, scene: Scene) -> Iterator[tuple[torch.Tensor, torch.Tensor, tuple[str, str]]]:
        """What two projections returned that are called otherwise in the original, and the halves of one."""
        called = {second.index: first.path.rpartition(".")[2] for first, second in scene.comparison.alignment.pairs}
        made = []
        for call, value in scene.projections():
            if value.shape == scene.target.shape and called.get(call.index) != call.path.rpartition(".")[2]:
                made.append((value, call.path))
            if _is_twice_as_wide(value, scene):
                (first, second), words = value.chunk(2, -1), [f"the {which} half of {call.path}" for which in ("first", "second")]  # fmt: skip
                yield first, second, (words[0], words[1])
                yield second, first, (words[1], words[0])
        for (one, first_name), (other, second_name) in permutations(made, 2):
            yield one, other, (first_name, second_name)


class GateAndUpInTurn:
    """One projection holds gate and up in turn where the other model has them as two halves."""

    name = "gate and up fused in turn"
    remedy = "take the projection apart as the original does"
    examples = (
        Example(lambda: _fused(), lambda m, x: _sketch(m, x, in_turn=True), lambda m, x: _sketch(m, x), None, lambda: _states()),
        Example(lambda: _fused(), lambda m, x: _sketch(m, x), lambda m, x: _sketch(m, x, in_turn=True), None, lambda: _states()),
        Example(lambda: _fused(True), lambda m, x: _sketch(m, x, in_turn=True), lambda m, x: _sketch(m, x), None, lambda: _states()),
        Example(lambda: _fused(), lambda m, x: _sketch(m, x, in_turn=True, swapped=True), lambda m, x: _sketch(m, x), None, lambda: _states()),
    )  # fmt: skip

    def test(self, scene: Scene) -> Finding | None:
        """Whether both models' gates are the same but for where in one value gate and up lie."""
        if not _is_before_a_call(scene):
            return None
        for call, value in scene.projections():
            ways = self._ways(value) if _is_twice_as_wide(value, scene) else ()
            for original, new, is_in_turn, are_exchanged in ways:
                if gate_through_which(scene, original, new) is not None:
                    return self._found(scene, call, is_in_turn, are_exchanged)
        return None

    def _ways(self, value: torch.Tensor) -> Iterator[tuple[_Both, _Both, bool, bool]]:
        """How the original takes a value apart and how the new model does, whether the original's way is in turn, and
        whether what is first in the one is second in the other."""
        first, second = value.chunk(2, -1)
        even, odd = value[..., 0::2], value[..., 1::2]
        yield (even, odd), (first, second), True, False
        yield (first, second), (even, odd), False, False
        yield (odd, even), (first, second), True, True
        yield (even, odd), (second, first), True, True
        yield (second, first), (even, odd), False, True
        yield (first, second), (odd, even), False, True
        yield (odd, even), (second, first), True, False
        yield (second, first), (odd, even), False, False

    def _found(self, scene: Scene, call: Call, is_in_turn: bool, are_exchanged: bool) -> Finding:
        rows, rest = scene.parameter_shape(call)
        apart = (rows // 2, 2) if is_in_turn else (2, rows // 2)
        steps = [f"reshape = [{apart[0]}, {apart[1]}, {rest}]", "transpose = [0, 1]", f"reshape = [{rows}, {rest}]"]
        own, other = ("in turn", "as two halves") if is_in_turn else ("as two halves", "in turn")
        exchanged = ", and exchange the two" if are_exchanged else ""
        return Finding(
            f"the original takes gate and up out of what {call.path} returns {own}, the new model {other}",
            "\n".join([f"{self.remedy}, {own}{exchanged}; or reorder its rows, with this in the rules{exchanged}:", *fill_rule(scene, call, steps)]),
        )  # fmt: skip


def _is_twice_as_wide(value: torch.Tensor, scene: Scene) -> bool:
    shape = scene.target.shape
    return value.shape[-1] == 2 * shape[-1] and value.shape[:-1] == shape[:-1]


def _fused(has_activation: bool = False) -> dict[str, nn.Module]:
    from torch import nn

    activation = {"activation": nn.SiLU()} if has_activation else {}
    return {"gate_up": nn.Linear(8, 24), "down_proj": nn.Linear(12, 8), **activation}


def _states() -> torch.Tensor:
    import torch

    return torch.randn(2, 5, 8)


def _sketch(parts: Any, states: torch.Tensor, in_turn: bool = False, swapped: bool = False) -> Any:
    """A gated network on one projection, whose activation is a module of its own where there is one."""
    made = parts.gate_up(states)
    gate, up = (made[..., 0::2], made[..., 1::2]) if in_turn else made.chunk(2, -1)
    gate, up = (up, gate) if swapped else (gate, up)
    activation = getattr(parts, "activation", None)
    return parts.down_proj((gate.sigmoid() if activation is None else activation(gate)) * up)
