"""The activation: missing, of another kind, or one too many."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from add_model.porting.comparison.diagnosis.scene import Example, Known, Scene

if TYPE_CHECKING:
    import torch
    from torch import nn

# So many values of one shape may be the two that a gated block multiplies.
_MOST_GATED = 6
_Function = Callable[["torch.Tensor"], "torch.Tensor"]


def kinds() -> Mapping[str, _Function]:
    """The activations that models are known to have, by the names they have in configurations.

    The formulas of GELU are those of https://arxiv.org/abs/1606.08415.
    """
    import torch
    from torch.nn import functional

    return {
        "gelu (exact)": functional.gelu,
        "gelu_new (tanh)": lambda states: functional.gelu(states, approximate="tanh"),
        "quick_gelu": lambda states: states * torch.sigmoid(1.702 * states),
        "relu": functional.relu,
        "silu": functional.silu,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "relu squared": lambda states: functional.relu(states).square(),
        "leaky_relu": functional.leaky_relu,
        "elu": functional.elu,
    }


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    return {"first": nn.Linear(6, 8), "activation": nn.GELU(), "second": nn.Linear(8, 6)}


def _gated_parts() -> dict[str, nn.Module]:
    from torch import nn

    return {"gate": nn.Linear(6, 8), "up": nn.Linear(6, 8), "down": nn.Linear(8, 6), "activation": nn.SiLU()}


def _other_module(parts: Any) -> None:
    from torch import nn

    parts.activation = nn.ReLU()


def _of(scene: Scene, values: Iterable[Known]) -> tuple[str, Known] | None:
    """The activation, and the value, that the original's value is made of."""
    if not scene.target.is_floating_point():
        return None
    for known in values:
        kind = _kind(scene, known, scene.target)
        if kind:
            return kind, known
    return None


def _kind(scene: Scene, known: Known, wanted: torch.Tensor) -> str:
    """The activation that makes a value of a known one; "" if none does, or the known value would pass through it."""
    if not known.value.is_floating_point() or scene.matches(known.value, wanted):
        return ""
    return next((kind for kind, function in kinds().items() if scene.matches(function(known.value), wanted)), "")


def _gated(
    scene: Scene, wanted: torch.Tensor, pairs: Iterable[tuple[Known, Known]]
) -> tuple[str, Known, Known] | None:
    """The activation of one of two known values that makes a value where the other is multiplied with it.

    A gated block, https://arxiv.org/abs/2002.05202.
    """
    for gate, other in pairs:
        for kind, function in kinds().items():
            if scene.matches(function(gate.value) * other.value, wanted):
                return kind, gate, other
    return None


class ActivationMissing:
    """The original applies an activation, the new model none."""

    name = "activation missing"
    remedy = "apply the activation in forward, where the original does"
    examples = (
        Example(_parts, lambda m, x: m.second(m.activation(m.first(x))), lambda m, x: m.second(m.first(x))),
        Example(_parts, lambda m, x: m.activation(m.first(x)), lambda m, x: m.first(x)),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the new value is one that the original has behind an activation."""
        made = _of(scene, scene.alike_and_itself())
        if made is None or not scene.matches(scene.found, made[1].value):
            return None
        return f"the original has {made[0]} of {made[1].name}"


class ActivationOfAnotherKind:
    """Both apply an activation, but not the same."""

    name = "activation of another kind"
    remedy = "use the original's activation; in a library's model the configuration names it (hidden_act, activation_function)"
    examples = (
        Example(_parts, lambda m, x: m.second(m.activation(m.first(x))), None, _other_module),
        Example(
            _parts,
            lambda m, x: m.second(m.activation(m.first(x))),
            lambda m, x: m.second(kinds()["gelu_new (tanh)"](m.first(x))),
        ),
        Example(
            _parts, lambda m, x: m.first(x).tanh(), lambda m, x: kinds()["quick_gelu"](m.first(x))
        ),
        Example(
            _gated_parts,
            lambda m, x: m.down(m.activation(m.gate(x)) * m.up(x)),
            lambda m, x: m.down(m.gate(x).tanh() * m.up(x)),
        ),
    )  # fmt: skip

    def test(self, scene: Scene) -> str | None:
        """Whether the two values are two activations of one value that is known here."""
        made = _of(scene, scene.alike())
        if made is None:
            return self._of_a_gate(scene)
        kind, known = made
        own = _kind(scene, known, scene.found)
        return f"the original has {kind} of {known.name}, the new model {own}" if own else None

    def _of_a_gate(self, scene: Scene) -> str | None:
        """Whether both are products of the same two known values, one of them behind an activation."""
        if not scene.target.is_floating_point():
            return None
        values = [known for known in scene.alike() if known.value.is_floating_point()][-_MOST_GATED:]
        made = _gated(scene, scene.target, itertools.permutations(values, 2))
        if made is None:
            return None
        kind, gate, other = made
        own = _gated(scene, scene.found, [(gate, other)])
        if own is None or own[0] == kind:
            return None
        return f"the original multiplies {other.name} with {kind} of {gate.name}, the new model with {own[0]} of it"


class ActivationTooMany:
    """The new model applies an activation that the original does not have."""

    name = "activation too many"
    remedy = "take the activation out of forward"
    examples = (Example(_parts, lambda m, x: m.second(m.first(x)), lambda m, x: m.second(m.activation(m.first(x)))),)

    def test(self, scene: Scene) -> str | None:
        """Whether the original goes on with a known value, and the new model with an activation of it."""
        if not scene.target.is_floating_point():
            return None
        for known in scene.alike():
            kind = _kind(scene, known, scene.found) if scene.explains(known.value) else ""
            if kind:
                return f"the original goes on with {known.name}, the new model with {kind} of it"
        return None
