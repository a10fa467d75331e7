"""Projections that have each other's weights."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import TYPE_CHECKING, Any

from add_model.porting.comparison.diagnosis.roles import in_attention, role
from add_model.porting.comparison.diagnosis.scene import Example, Scene, whole
from add_model.porting.recording.file import Call, Recording, tensors_of

if TYPE_CHECKING:
    import torch
    from torch import nn


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    return {**{name: nn.Linear(8, 8) for name in ("query", "key", "value")}, "dense": nn.Linear(8, 8)}


def _rotate(parts: Any) -> None:
    parts.query, parts.key, parts.value = parts.key, parts.value, parts.query


def _swap(parts: Any) -> None:
    parts.query, parts.key = parts.key, parts.query


def _gated() -> dict[str, nn.Module]:
    from torch import nn

    return {**{name: nn.Linear(8, 12) for name in ("gate_proj", "up_proj")}, "down_proj": nn.Linear(12, 8)}


def _swap_gate(parts: Any) -> None:
    parts.gate_proj, parts.up_proj = parts.up_proj, parts.gate_proj


def _states() -> torch.Tensor:
    import torch

    return torch.randn(2, 5, 8)


class ProjectionsSwapped:
    """Query, key and value are exchanged."""

    name = "query/key/value swapped"
    remedy = "give query, key and value their own weights when the checkpoint is converted, or take them in the original's order"
    examples = (
        Example(_parts, lambda m, x: m.dense(m.query(x) * m.key(x).sigmoid()), None, _swap, _states),
        Example(_parts, lambda m, x: m.dense(m.query(x) * m.key(x).sigmoid() + m.value(x)), None, _rotate, _states),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the original's value is what a neighbour returns, or what is returned with its thirds exchanged."""
        for neighbour, _ in _exchanged(scene):
            if role(neighbour.path) and role(scene.place.path):
                return f"the original's value is what {neighbour.path} returns"
        if not _is_three_in_one(scene):
            return None
        thirds = scene.found.tensor_split(3, dim=-1)
        for order in permutations(range(3)):
            if scene.explains(_joined(thirds, order)):
                return f"the original's thirds are those numbered {', '.join(str(number + 1) for number in order)}"
        return None


class NeighboursSwapped:
    """Two other projections of one value are exchanged, such as those of a gated MLP."""

    name = "projections swapped"
    remedy = "give each of the two its own weights when the checkpoint is converted"
    examples = (
        Example(_gated, lambda m, x: m.down_proj(m.gate_proj(x).sigmoid() * m.up_proj(x)), None, _swap_gate, _states),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the original's value is what a neighbour returns, and the other way round."""
        for neighbour, giver in _exchanged(scene):
            if neighbour is giver:
                return f"{scene.place.path} and {neighbour.path} return what the original's return the other way round"
        return None


def _exchanged(scene: Scene) -> Iterator[tuple[Call, Call]]:
    """The neighbour that returns the original's value, and the one in whose place the original returns the new model's."""
    if scene.place.before is not None or not scene.is_leaf:
        return
    counterparts = {second.index: first for first, second in scene.comparison.alignment.pairs}
    neighbours = list(_neighbours(scene, scene.place.new))
    for neighbour in neighbours:
        if not _returns(scene, scene.new, neighbour, scene.target):
            continue
        for giver in neighbours:
            original = counterparts.get(giver.index)
            if original is not None and _returns(scene, scene.original, original, scene.found):
                yield neighbour, giver


def _is_three_in_one(scene: Scene) -> bool:
    """Whether the place is a projection of attention on the query, the key and the value at once."""
    states, found = scene.main_input, scene.found
    if not scene.is_leaf or states is None or not found.is_floating_point() or min(found.dim(), states.dim()) < 1:
        return False
    apart = any(
        role(path) and path.rpartition(".")[0] == scene.place.path.rpartition(".")[0] for path in scene.new.modules
    )
    return found.shape[-1] % 3 == 0 and found.shape[-1] > states.shape[-1] and in_attention(scene) and not apart


def _returns(scene: Scene, recording: Recording, call: Call, wanted: torch.Tensor) -> bool:
    value = next((whole(recording, record) for _, record in tensors_of(call.outputs)), None)
    return value is not None and value.shape == wanted.shape and scene.matches(value, wanted)


def _neighbours(scene: Scene, call: Call) -> Iterator[Call]:
    """Calls of projections of the same class, with the same surroundings and of the same value."""
    given = _given(call)
    for each in scene.new.calls:
        if each.parent == call.parent and each.class_name == call.class_name and each.path != call.path:
            if scene.parameter_shape(each) and _given(each) == given:
                yield each


def _given(call: Call) -> list[str]:
    return [record.key for _, record in tensors_of(dict(call.inputs))]


def _joined(parts: tuple[torch.Tensor, ...], order: tuple[int, ...]) -> torch.Tensor:
    import torch

    return torch.cat([parts[number] for number in order], dim=-1)
