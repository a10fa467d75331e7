"""Small models that differ by one fault, recorded and compared."""

import copy
from pathlib import Path
from typing import Any

import torch
from torch import nn

from add_model.porting.comparison.comparing import Comparison, compare
from add_model.porting.comparison.diagnosis.scene import Example
from add_model.porting.recording import record_forward
from add_model.porting.recording.file import Recording, load_recording


class Drawn(nn.Module):
    """A model whose forward pass is a function of its parts."""

    def __init__(self, parts: Any, forward: Any) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self._sketch = forward

    def forward(self, states: torch.Tensor) -> Any:
        return self._sketch(self, states)


class Around(nn.Module):
    """The model inside another one, as models are inside a head."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, states: torch.Tensor) -> Any:
        return self.inner(states)


def recorded(path: Path, model: nn.Module, *inputs: Any, **keywords: Any) -> Recording:
    torch.manual_seed(1)
    with torch.no_grad(), record_forward(model, path):
        model(*inputs, **keywords)
    return load_recording(path)


def compared(folder: Path, example: Example, seed: int = 0, faultless: bool = False) -> Comparison:
    """Runs both models of an example and compares them."""
    torch.manual_seed(seed)
    parts = dict(example.parts())
    for module in parts.values():
        for parameter in module.parameters():
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
    states = torch.randn(2, 5, 6) if example.inputs is None else example.inputs()
    right = Drawn(parts, example.right).eval()
    wrong = Drawn(copy.deepcopy(parts), example.right if faultless else example.wrong or example.right).eval()
    if example.break_parts is not None and not faultless:
        example.break_parts(wrong)
    original = recorded(folder / "original.safetensors", Around(right), states)
    return compare(original, recorded(folder / "new.safetensors", Around(wrong), states))
