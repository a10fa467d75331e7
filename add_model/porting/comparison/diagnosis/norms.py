"""Normalisation: before or behind what it should be, left out, or with another epsilon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from add_model.porting.comparison.diagnosis.layers import normalised
from add_model.porting.comparison.diagnosis.scene import Example, Scene, whole
from add_model.porting.comparison.measuring import Row
from add_model.porting.recording.file import Call, tensors_of

if TYPE_CHECKING:
    import torch
    from torch import nn

_EPSILONS = (1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)


def _parts() -> dict[str, nn.Module]:
    from torch import nn

    parts: dict[str, nn.Module] = {"dense": nn.Linear(6, 6), "norm": nn.LayerNorm(6), "last": nn.Linear(6, 6)}
    return parts


def _one_vector() -> torch.Tensor:
    import torch

    return torch.randn(1, 6)


def _raise_epsilon(parts: Any) -> None:
    parts.norm.eps = 1e-2


class Epsilon:
    """The constant that keeps a normalisation from dividing by zero is another one."""

    name = "epsilon"
    remedy = "set the normalisation's epsilon to the original's; in a library's model the configuration holds it"
    examples = (Example(_parts, lambda m, x: m.norm(m.dense(x)), None, _raise_epsilon),)

    def test(self, scene: Scene) -> str | None:
        """Whether another epsilon gives the original's value."""
        if not scene.is_leaf or not _is_norm(scene.place.new):
            return None
        states = scene.main_input
        if states is None:
            return None
        theirs = _first_epsilon(scene, states, scene.target, _original_epsilons(scene))
        # A norm whose formula is wrong is no norm of any epsilon.
        own = _first_epsilon(scene, states, scene.found, scene.attribute(scene.place.path, "eps"))
        if theirs is None or own is None or theirs[0] != own[0]:
            return None
        has = "has" if own[1] in scene.attribute(scene.place.path, "eps") else "computes as with"
        return f"with {theirs[1]:g} the values agree; the new model {has} {own[1]:g}"


class NormBeforeOrAfter:
    """The normalisation stands before the block, or before the residual is added, where the original has it behind."""

    name = "norm before / after"
    remedy = "move the normalisation in forward to where the original has it"
    examples = (
        Example(_parts, lambda m, x: m.norm(m.dense(x) + x), lambda m, x: m.norm(m.dense(x)) + x),
        Example(_parts, lambda m, x: m.dense(m.norm(x)) + x, lambda m, x: m.norm(m.dense(x) + x)),
        Example(_parts, lambda m, x: m.last(m.norm(m.dense(x) + x)), lambda m, x: m.last(m.dense(m.norm(x)) + x)),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether the value is that behind the normalisation for one that is before it, or the other way round."""
        return self._around_residual(scene) or self._around_block(scene)

    def _around_residual(self, scene: Scene) -> str | None:
        before = scene.place.before
        if before is None or not _is_norm(before):
            return None
        made = next((whole(scene.new, record) for _, record in tensors_of(before.outputs)), None)
        if made is None or made.shape != scene.found.shape:
            return None
        for known in scene.alike():
            if scene.explains(scene.found + known.value):
                if any(scene.matches(made + known.value, value) for value in _later(scene, before)):
                    return f"the original adds {known.name} before {before.path}, the new model behind it"
        return None

    def _around_block(self, scene: Scene) -> str | None:
        norms = [call for call in scene.children(scene.place.new) if _is_norm(call)]
        for norm, known in ((norm, known) for norm in norms for known in scene.alike_and_itself()):
            moments = [_Moment(scene.place.row, scene.target, scene.found), *_inputs_behind(scene, norm)]
            for value in _normalised(scene, norm, known.value, next(scene.attribute(norm.path, "eps"), 1e-5)):
                for moment in moments:
                    of_original, of_new = moment.is_behind(scene, norm)
                    if of_original and not of_new and scene.matches(value, moment.target):
                        if scene.matches(moment.found, known.value):
                            return f"the original applies {norm.path} to {known.name}, the new model later"
                    if of_new and not of_original and scene.matches(value, moment.found):
                        if scene.matches(known.value, moment.target):
                            return f"the new model applies {norm.path} to {known.name}, the original later"
        return None


class NormMissing:
    """The original normalises a value that the new model leaves as it is."""

    name = "norm missing"
    remedy = "call the normalisation in forward, where the original does"
    examples = (
        Example(_parts, lambda m, x: m.last(m.norm(m.dense(x))), lambda m, x: m.last(m.dense(x))),
        Example(_parts, lambda m, x: m.norm(m.dense(x) + x), lambda m, x: m.dense(x) + x),
    )

    def test(self, scene: Scene) -> str | None:
        """Whether a normalisation that the new model has but does not call gives the original's value."""
        called = {call.path for call in scene.new.calls}
        for path, module in scene.new.modules.items():
            if path in called or "norm" not in module.class_name.lower():
                continue
            silent = Call(-1, path, module.class_name, False, None, 0, 0, {}, None)
            epsilon = next(scene.attribute(path, "eps"), 1e-5)
            for known in scene.alike_and_itself():
                if any(scene.explains(value) for value in _normalised(scene, silent, known.value, epsilon)):
                    return f"the original applies {path} to {known.name}, the new model never calls it"
        return None


class LengthMissing:
    """The original divides vectors by their length, as it needs no module for."""

    name = "norm missing"
    remedy = "divide by it in forward, where the original does, as torch.nn.functional.normalize or rms_norm do"
    examples = (
        Example(_parts, lambda m, x: m.last((y := m.dense(x)) / y.norm(dim=-1, keepdim=True)), lambda m, x: m.last(m.dense(x))),
        Example(_parts, lambda m, x: (y := m.dense(x)) / y.norm(dim=-1, keepdim=True), lambda m, x: m.dense(x), inputs=_one_vector),
        Example(_parts, lambda m, x: (y := m.dense(x)) / y.square().mean(-1, keepdim=True).sqrt(), lambda m, x: m.dense(x)),
    )  # fmt: skip

    def test(self, scene: Scene) -> str | None:
        """Whether the original's value is a known one whose vectors are as long as one, or as their number's root."""
        if not scene.target.is_floating_point() or scene.target.dim() == 0 or scene.target.shape[-1] < 2:
            return None
        for known in scene.alike_and_itself():
            states = known.value.double()
            length = states.norm(dim=-1, keepdim=True)
            for said, divisor in (("length", length), ("root mean square", length / states.shape[-1] ** 0.5)):
                if bool((length > 0).all()) and scene.explains(states / divisor):
                    return f"the original divides {known.name} by its {said}, vector by vector, the new model does not"
        return None


def _is_norm(call: Call) -> bool:
    return "norm" in call.class_name.lower()


def _original_epsilons(scene: Scene) -> Iterator[float]:
    call = scene.place.original
    module = scene.original.modules.get(call.path) if call is not None else None
    for name, value in (module.attributes if module else {}).items():
        if "eps" in name and isinstance(value, float):
            yield value


def _first_epsilon(
    scene: Scene, states: torch.Tensor, wanted: torch.Tensor, stated: Iterator[Any]
) -> tuple[int, float] | None:
    """The formula and the epsilon that give a value: one that is stated, or else one that models are known to have."""
    for epsilon in (*stated, *_EPSILONS):
        for formula, value in enumerate(_normalised(scene, scene.place.new, states, epsilon)):
            if scene.matches(value, wanted):
                return formula, epsilon
    return None


def _normalised(scene: Scene, norm: Call, states: torch.Tensor, epsilon: Any) -> Iterator[torch.Tensor]:
    """The value behind a normalisation of the new model, by each of the two usual formulas."""
    weight = scene.parameter(norm, "weight", "gamma", "scale")
    if weight is None or weight.shape != states.shape[-1:] or not isinstance(epsilon, float):
        return
    for _, value in normalised(states, weight, scene.parameter(norm, "bias", "beta"), epsilon):
        yield value


@dataclass(frozen=True)
class _Moment:
    """A value, in the original and in the new model, and when it was there."""

    row: Row
    target: torch.Tensor
    found: torch.Tensor

    def is_behind(self, scene: Scene, norm: Call) -> tuple[bool, bool]:
        """Whether a normalisation was over by then, in the original and in the new model; in the original it is as in the
        new model where it has no counterpart."""
        over = norm.ended <= self.row.time
        original = next((first for first, second in scene.comparison.alignment.pairs if second is norm), None)
        time = self.row.original.began if self.row.side == "input" else self.row.original.ended
        return over if original is None else original.ended <= time, over


def _inputs_behind(scene: Scene, norm: Call) -> Iterator[_Moment]:
    """What goes into the calls behind a normalisation that is itself given another value than the original's: in the
    original and in the new model."""
    if scene.place.before is None or scene.place.before.index != norm.index:
        return
    for row in scene.comparison.rows:
        first, second = row.records
        is_behind = row.new.parent == scene.place.new.index and row.side == "input" and row.new.began > norm.ended
        if is_behind and second is not None and first.shape == second.shape == tuple(scene.target.shape):
            target, found = whole(scene.original, first), whole(scene.new, second)
            if target is not None and found is not None:
                yield _Moment(row, target, found)


def _later(scene: Scene, norm: Call) -> Iterator[torch.Tensor]:
    """What goes into the calls behind a normalisation, and what its surroundings return."""
    for call in scene.children(scene.place.new):
        if call.began > norm.ended:
            for _, record in tensors_of(dict(call.inputs)):
                value = whole(scene.new, record)
                if value is not None:
                    yield value
    for _, record in tensors_of(scene.place.new.outputs):
        value = whole(scene.new, record)
        if value is not None:
            yield value
