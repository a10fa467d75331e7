"""What a layer would return with other parameters than its own: a projection, a lookup of embeddings, a normalisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from add_model.porting.comparison.diagnosis.scene import Scene

if TYPE_CHECKING:
    import torch


def returned(scene: Scene, weight: torch.Tensor, bias: torch.Tensor | None) -> Mapping[str, torch.Tensor]:
    """What the place would return with a weight and a bias, by each formula that their shapes allow."""
    states = scene.main_input
    if states is None or not states.dim():
        return {}
    if not states.is_floating_point():
        is_lookup = weight.dim() == 2 and states.numel() and 0 <= int(states.min()) <= int(states.max()) < len(weight)
        return {"lookup": weight[states.long()]} if is_lookup else {}
    if weight.dim() == 1:
        epsilon = next(scene.attribute(scene.place.path, "eps"), None)
        if weight.shape != states.shape[-1:] or not isinstance(epsilon, float):
            return {}
        return dict(normalised(states, weight, bias, epsilon))
    made = {}
    for name, matrix in (("outputs first", weight.t()), ("inputs first", weight)) if weight.dim() == 2 else ():
        if matrix.shape[0] == states.shape[-1] and (bias is None or bias.shape == matrix.shape[1:]):
            value = states.double() @ matrix.double()
            made[name] = value if bias is None else value + bias
    return made


def normalised(
    states: torch.Tensor, weight: torch.Tensor, shift: torch.Tensor | None, epsilon: float
) -> Iterator[tuple[str, torch.Tensor]]:
    """The value behind a normalisation, by each of the two usual formulas.

    Layer normalisation is that of https://arxiv.org/abs/1607.06450; without mean and shift, https://arxiv.org/abs/1910.07467.
    """
    states = states.double()
    centred = states - states.mean(-1, keepdim=True)
    value = centred / (centred.square().mean(-1, keepdim=True) + epsilon).sqrt() * weight
    yield "layer norm", value if shift is None else value + shift
    yield "without mean", states / (states.square().mean(-1, keepdim=True) + epsilon).sqrt() * weight
